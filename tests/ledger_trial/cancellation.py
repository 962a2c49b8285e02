"""Calls that are cancelled at each await, on asyncio and on trio: the next call of the same client goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator
from functools import partial
from typing import Any

import anyio

from scripe import AsyncScripe

from .keys import Scenario, new_season
from .season import LANGUAGES, Loss, Season


class CancelledAt:
    """An awaitable that is cancelled when it waits for the n-th time."""

    def __init__(self, work: Awaitable[object], at: int, cancel: Callable[[], object]) -> None:
        self.waits = 0
        self._work = work
        self._at = at
        self._cancel = cancel

    def __await__(self) -> Generator[Any, Any, None]:
        work = self._work.__await__()
        step: Callable[[], Any] = partial(next, work)
        while True:
            try:
                wanted = step()
            except StopIteration:
                return
            self.waits += 1
            if self.waits == self._at:
                self._cancel()
            try:
                given = yield wanted
            except BaseException as error:  # noqa: BLE001 - it belongs to the work
                step = partial(work.throw, error)
            else:
                step = partial(work.send, given)


async def make_one(client: AsyncScripe, season: Season) -> None:
    for file in season.folder.glob("*.txt"):
        source = await client.sources.ingest(file, project_id=season.project_id, idempotency_key=file.stem)
        for language in LANGUAGES:
            await client.posts.generate_and_wait(
                project_id=season.project_id,
                text=source.text_preview,
                language=language,
                idempotency_key=f"{file.stem}-{language}",
            )


async def cancel_and_go_on(season: Season, at: int) -> bool:
    """Return False if there are fewer awaits."""
    async with season.emulator.async_client(ledger=season.path, timeout=None) as client:
        with anyio.CancelScope() as scope:
            await CancelledAt(make_one(client, season), at, scope.cancel)
        with anyio.move_on_after(30) as limit:
            await make_one(client, season)
        if limit.cancelled_caught:
            raise Loss("the next call hangs")
    return scope.cancelled_caught


def run_cancelled(at: int, backend: str, ends: list[int]) -> Season:
    season = new_season()
    if not anyio.run(cancel_and_go_on, season, at, backend=backend):
        ends.append(at)
    season.runs = 2
    return season


def scenarios() -> Iterator[Scenario]:
    """Yield a scenario for each await."""
    for backend in ("asyncio", "trio"):
        ends: list[int] = []
        at = 1
        while not ends:
            yield f"cancelled at each await on {backend}", partial(run_cancelled, at, backend, ends)
            at += 1
