"""Who watches calls may fail: no call fails with it, no error is hidden, nothing of the budget is lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest

from scripe import AsyncScripe, NotFoundError, _log
from scripe._async.client import set_observer
from scripe._core.outcome import Outcome
from scripe._observer import Begun, Observation, Operation
from scripe.emulator import Emulator

pytestmark = pytest.mark.anyio


class Failing:
    """Fails at one thing, or, with `only` None, at everything."""

    def __init__(self, only: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self._only = only
        self._headers = headers or {}

    def _fail(self, at: str) -> None:
        if self._only in (at, None):
            raise ZeroDivisionError(f"canary, at {at}")

    def call(self, begun: Begun) -> Observation:
        self._fail("call")
        return self

    def operation(self, name: str) -> Operation:
        self._fail("operation")
        return self

    def sending(self) -> Mapping[str, str]:
        self._fail("sending")
        return self._headers

    def sent(self, attempt: int, outcome: Outcome) -> None:
        self._fail("sent")

    def waited(self, seconds: float) -> None:
        self._fail("waited")

    def pausing(self, attempt: int, seconds: float) -> None:
        self._fail("pausing")

    def ended(self, error: BaseException | None) -> None:
        self._fail("ended")


@pytest.mark.parametrize("at", ["call", "operation", "sending", "sent", "waited", "pausing", "ended", None])
async def test_a_write_is_done_and_told_whoever_fails_to_watch(
    async_local: AsyncScripe, emulator: Emulator, at: str | None
) -> None:
    set_observer(async_local, Failing(at))
    emulator.fail_next(503, times=1)
    note = await async_local.notes.create(project_id=emulator.project_id, content="Once")
    assert note.last_response.attempts == 2
    assert emulator.count("notes") == 1
    source = await async_local.sources.ingest(
        b"text", content_type="text/plain", project_id=emulator.project_id
    )
    assert source.is_ready
    with pytest.raises(NotFoundError):
        await async_local.notes.retrieve("note_x")


async def test_the_budget_is_whole_after_it(async_local: AsyncScripe, emulator: Emulator) -> None:
    set_observer(async_local, Failing("sending"))
    for _ in range(130):
        await async_local.projects.retrieve(emulator.project_id)
    assert {request.status for request in emulator.requests} == {200}


async def test_headers_that_cannot_be_sent_are_left_out(async_local: AsyncScripe, emulator: Emulator) -> None:
    odd = {"baggage": "name=Zoë", "tracestate": "a\nb", "traceparent": "00-1-2-01"}
    set_observer(async_local, Failing("nothing", odd))
    await async_local.workspaces.me()
    headers = emulator.requests[-1].headers
    assert [headers.get(name) for name in odd] == [None, None, "00-1-2-01"]


async def test_it_is_said_once_and_in_nobodys_words(
    async_local: AsyncScripe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_log, "_warned", dict[str, object]())
    set_observer(async_local, Failing())
    with caplog.at_level(logging.WARNING, "scripe"):
        for _ in range(3):
            await async_local.workspaces.me()
    assert caplog.messages == [
        "What watches the calls of scripe failed with ZeroDivisionError; the calls go on."
    ]
