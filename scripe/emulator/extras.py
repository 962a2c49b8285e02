"""What the ``emulator`` extra brings is imported late, and its absence told in one line."""

from collections.abc import Generator
from contextlib import contextmanager


class MissingExtraError(ImportError):
    """A package of the ``emulator`` extra is not installed."""


@contextmanager
def extra() -> Generator[None]:
    """Wrap the import of an optional package.

    Raises:
        MissingExtraError: the package is not there; the message is the command that installs it.

    """
    missing = None
    try:
        yield
    except ImportError as error:
        missing = error.name or str(error)
    if missing is not None:
        raise MissingExtraError(f'{missing} is missing: pip install "scripe[emulator]"', name=missing)
