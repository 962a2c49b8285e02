"""Show how far a bulk run is: a few lines that are redrawn on a terminal, a line a minute elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from .types.bulk import BulkProgress


@contextmanager
def bulk_screen() -> Generator[Callable[[BulkProgress], None]]:
    """Show a screen while the block runs; yield the function that updates it."""

    def update(progress: BulkProgress) -> None: ...

    yield update
