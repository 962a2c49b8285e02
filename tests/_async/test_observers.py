"""Observers that fail: no call fails with them, no error is hidden, no rate limit slot is lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest

from scripe import AsyncScripe, NotFoundError, _log
from scripe._async.client import set_observer
from scripe._core.outcome import Outcome
from scripe._observer import CallDescription, Observation, Observer
from scripe.emulator import Emulator
from scripe.otel._observer import SafeObserver

pytestmark = pytest.mark.anyio


class Failing(Observer, Observation):
    """Fails in one hook or, with `only` None, in all."""

    def __init__(self, only: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self._only = only
        self._headers = headers or {}

    def _fail(self, at: str) -> None:
        if self._only in (at, None):
            raise ZeroDivisionError(f"canary, at {at}")

    def call(self, description: CallDescription) -> Observation:
        self._fail("call")
        return self

    def operation(self, name: str) -> Observation:
        self._fail("operation")
        return self

    def on_send(self) -> Mapping[str, str]:
        self._fail("on_send")
        return self._headers

    def on_outcome(self, attempt: int, outcome: Outcome) -> None:
        self._fail("on_outcome")

    def on_rate_limit_wait(self, seconds: float) -> None:
        self._fail("on_rate_limit_wait")

    def on_retry(self, attempt: int, seconds: float) -> None:
        self._fail("on_retry")

    def on_end(self, error: BaseException | None) -> None:
        self._fail("on_end")


HOOKS = ["call", "operation", "on_send", "on_outcome", "on_rate_limit_wait", "on_retry", "on_end", None]


@pytest.mark.parametrize("at", HOOKS)
async def test_a_write_succeeds_whichever_hook_fails(
    async_local: AsyncScripe, emulator: Emulator, at: str | None
) -> None:
    set_observer(async_local, SafeObserver(Failing(at)))
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


async def test_no_rate_limit_slot_is_lost(async_local: AsyncScripe, emulator: Emulator) -> None:
    set_observer(async_local, SafeObserver(Failing("on_send")))
    for _ in range(130):
        await async_local.projects.retrieve(emulator.project_id)
    assert {request.status for request in emulator.requests} == {200}


async def test_headers_that_cannot_be_sent_are_left_out(async_local: AsyncScripe, emulator: Emulator) -> None:
    odd = {"baggage": "name=Zoë", "tracestate": "a\nb", "traceparent": "00-1-2-01"}
    set_observer(async_local, SafeObserver(Failing("nothing", odd)))
    await async_local.workspaces.me()
    headers = emulator.requests[-1].headers
    assert [headers.get(name) for name in odd] == [None, None, "00-1-2-01"]


async def test_each_type_of_error_is_logged_once_without_its_message(
    async_local: AsyncScripe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_log, "_warned", dict[str, object]())
    set_observer(async_local, SafeObserver(Failing()))
    with caplog.at_level(logging.WARNING, "scripe"):
        for _ in range(3):
            await async_local.workspaces.me()
    assert caplog.messages == [
        "The scripe observer raised ZeroDivisionError; the call continues. "
        "(Further errors of this type are not logged.)"
    ]
