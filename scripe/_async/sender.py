"""One call, from a `Request` to its model: key, budget, attempts, errors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from .. import _log
from .._concurrency import async_invoke, async_within
from .._core import response as responses
from .._core.config import NO_KEY, Options, Secret
from .._core.deadline import NO_DEADLINE, Deadline
from .._core.idempotency import note_idempotency_key
from .._core.outcome import Answer, Failure, Outcome
from .._core.rate_limit import Ticket, rate_limit
from .._core.request import Request
from .._http import CommonHeaders, Limits, Outgoing
from .._redaction import hide
from ..errors import APITimeoutError, ClientClosedError, NotFoundError
from ..types._base import JSON
from ..types.response_info import ResponseInfo
from .session import AsyncSession

if TYPE_CHECKING:
    from .._observer import Begun, Observation, Observer

T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")

Read: TypeAlias = Callable[[Request[T], Answer, ResponseInfo, Secret[str]], R]
"""Makes of an answer what the caller wants of it."""


class _Call(Generic[T]):
    """One call under way."""

    __slots__ = ("attempts", "has_renewed_key", "key", "observation", "request", "response")

    def __init__(self, request: Request[T]) -> None:
        self.request = request
        self.attempts = 0
        self.key: Secret[str] = NO_KEY
        self.has_renewed_key = False
        self.response: ResponseInfo | None = None
        self.observation: Observation | None = None


class AsyncSender:
    """Sends calls with one set of options over the shared session."""

    def __init__(self, session: AsyncSession, options: Options, deadline: Deadline = NO_DEADLINE) -> None:
        self.session = session
        self.options = options
        self.deadline = deadline
        self._headers: dict[bool, tuple[Secret[str], CommonHeaders]] = {}

    def bounded(self, seconds: float | None = None) -> AsyncSender:
        """The same, with the clock of the deadline running: for all steps of one call of the caller's."""
        if seconds is None and (self.deadline.at is not None or self.options.total_timeout is None):
            return self
        now = self.session.clock.now()
        running = (
            self.deadline if self.deadline.at is not None else Deadline.after(self.options.total_timeout, now)
        )
        own = Deadline.after(seconds, now)
        ends = [each for each in (running, own) if each.at is not None]
        first = min(ends, key=lambda each: each.at or 0.0, default=NO_DEADLINE)
        return AsyncSender(self.session, self.options, first)

    async def send(self, request: Request[T]) -> T:
        """The model that the call answers with."""
        observer = self.session.observer
        if observer is None:
            return await self._exchanged(_Call(request), responses.read)
        return await self._watched(observer, _Call(request), responses.read)

    async def send_for_document(self, request: Request[T]) -> JSON:
        """The JSON that the call answers with."""
        observer = self.session.observer
        if observer is None:
            return await self._exchanged(_Call(request), responses.document)
        return await self._watched(observer, _Call(request), responses.document)

    def operation(self, name: str) -> AbstractContextManager[object]:
        """Wraps the calls of one operation, for whoever watches them."""
        observer = self.session.observer
        if observer is None:
            return nullcontext()
        from .._observer import watched  # here and below: loaded for those alone who are watched

        return watched(lambda: observer.operation(name))

    async def _watched(self, observer: Observer, call: _Call[T], read: Read[T, R]) -> R:
        from .._observer import watched

        begun = self._begun(call.request)
        with watched(lambda: observer.call(begun)) as call.observation:
            return await self._exchanged(call, read)

    def _begun(self, request: Request[T]) -> Begun:
        from .._observer import Begun

        url, template = self.options.base_url + request.shown, request.template
        return Begun(
            request.method,
            url,
            None if template is None else urlsplit(self.options.base_url).path + template,
            None if request.body is None else len(request.body),
        )

    async def _exchanged(self, call: _Call[T], read: Read[T, R]) -> R:
        sender, request = self.bounded(), call.request
        try:
            outcome = await async_within(sender.remaining(), partial(sender._attempts, call))
        except ClientClosedError as error:
            if call.attempts > 1:  # the first may have arrived
                error.idempotency_key = request.idempotency_key
            raise
        except (
            APITimeoutError
        ) as error:  # raised while another call asks for the API key, it knows of no write
            note_idempotency_key(error, request.idempotency_key)
            raise
        if outcome is None or (isinstance(outcome, Failure) and outcome.is_timeout and sender.is_late()):
            raise sender._late(request)
        if isinstance(outcome, Failure):
            raise responses.failure_error(request, outcome, call.attempts)
        assert call.response is not None, "it comes with the answer"
        try:
            return read(request, outcome, call.response, call.key)
        except NotFoundError as error:
            if not self.options.base_url.endswith("/v1"):
                error.add_note(
                    f"base_url is {self.options.base_url!r}, which does not end in /v1, as the API's does."
                )
            raise

    async def _attempts(self, call: _Call[T]) -> Outcome:
        outcome = await self._attempt(call)
        if isinstance(outcome, Answer) and outcome.is_success:
            return outcome  # most are: what it takes to send again is not even loaded
        return await self._again(call, outcome)

    async def _again(self, call: _Call[T], first: Outcome) -> Outcome:
        from .._core.retry import RetryPlan, is_transient
        from .retrying import attempts

        request = call.request

        def transient(answer: Answer) -> bool:
            return is_transient(answer) and not responses.is_report(request, answer)

        plan = RetryPlan(
            self.options.max_retries,
            request.repeatable,
            self.deadline,
            transient,
            is_budgeted=self.session.limiter is not None,
        )
        what = f"{request.method} {request.shown}"
        return await attempts(
            first, partial(self._attempt, call), plan, self.session.clock, what, call.observation
        )

    async def _attempt(self, call: _Call[T]) -> Outcome:
        call.attempts += 1
        outcome = await self._sent(call)
        if isinstance(outcome, Answer) and outcome.status == 401 and not call.has_renewed_key:
            call.has_renewed_key = True
            if await self.session.renew_key(call.key, self.remaining()):
                outcome = await self._sent(call)
        return outcome

    async def _sent(self, call: _Call[T]) -> Outcome:
        request, observation, call.response = call.request, call.observation, None
        call.key = await self.session.key(self.remaining()) if request.needs_key else NO_KEY
        engine = self.session.engine()
        ticket, known = None, None
        try:
            ticket = await self._leave(call)
            limits = Limits(self._timeout(request), self.clock_of_deadline)
            outcome = known = await engine.send(self._outgoing(call), limits)
            if isinstance(outcome, Failure):  # an engine may quote what a server sent it
                outcome = replace(outcome, message=hide(outcome.message, call.key.reveal()))
        finally:
            self._release(ticket, known)  # first: nothing that follows may lose the place
        if isinstance(outcome, Answer):
            call.response = responses.response_info(request, outcome, call.attempts, call.key)
        if observation is not None:
            observation.sent(call.attempts, outcome)
        if isinstance(outcome, Failure):
            _log.failed(request, outcome, call.attempts)
        await self._tell(call)
        return outcome

    def _outgoing(self, call: _Call[T]) -> Outgoing:
        request, headers = call.request, call.request.headers
        if call.observation is not None:
            headers = {**call.observation.sending(), **headers}
        url = Secret(self.options.base_url + request.target)
        return Outgoing(request.method, url, self._common_headers(call), request.body, headers)

    async def _leave(self, call: _Call[T]) -> Ticket | None:
        """Wait until the rate limit has a place for this call; that does not count as a retry."""
        request, limiter, clock = call.request, self.session.limiter, self.session.clock
        while True:
            now = clock.now()
            if self.deadline.has_passed(now):
                raise self._late(request)
            bucket, timeout = (self.options.workspace_id, request.bucket), self._timeout(request)
            leave = limiter.reserve(bucket, now, timeout) if limiter else None
            if leave is None or isinstance(leave, Ticket):
                return leave
            if not self.deadline.allows(leave, now):
                raise self._late(request, f"the rate limit is reached for another {leave:.1f} s, and ")
            _log.waiting(request, leave)
            await self._wait(call, leave)

    async def _wait(self, call: _Call[T], seconds: float) -> None:
        clock = self.session.clock
        began = clock.now()
        try:
            await clock.sleep(seconds)
        finally:
            if call.observation is not None:
                call.observation.waited(clock.now() - began)

    def _release(self, ticket: Ticket | None, outcome: Outcome | None) -> None:
        if self.session.limiter is not None and ticket is not None:
            reported = rate_limit(outcome) if isinstance(outcome, Answer) else None
            self.session.limiter.release(ticket, self.session.clock.now(), outcome, reported)

    async def _tell(self, call: _Call[T]) -> None:
        response = call.response
        if response is None:
            return
        _log.called(response)
        try:
            if response.deprecation is not None:
                _log.deprecated(response.deprecation)
            if self.session.on_response is not None:
                await async_invoke(self.session.on_response, response)
        except Exception as error:
            note_idempotency_key(error, call.request.idempotency_key)
            raise

    def _common_headers(self, call: _Call[T]) -> CommonHeaders:
        """What all calls have in common, made anew when the key changes."""
        needs_key = call.request.needs_key
        made_for, headers = self._headers.get(needs_key, (None, None))
        if headers is None or made_for is not call.key:
            authorization = {"Authorization": f"Bearer {call.key.reveal()}"} if needs_key else {}
            headers = CommonHeaders({"Host": self.options.host, **self.options.headers, **authorization})
            self._headers[needs_key] = (call.key, headers)
        return headers

    def _timeout(self, request: Request[T]) -> float | None:
        timeout = self.options.timeout
        return None if timeout is None else timeout + request.held

    def remaining(self) -> float | None:
        """Seconds left of the deadline."""
        return self.deadline.remaining(self.session.clock.now())

    @property
    def clock_of_deadline(self) -> Callable[[], float | None] | None:
        """What tells the seconds left, if there is a deadline."""
        return None if self.deadline.at is None else self.remaining

    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline.has_passed(self.session.clock.now())

    def _late(self, request: Request[T], why: str = "") -> APITimeoutError:
        return APITimeoutError(
            f"{request.method} {request.shown}: {why}{self.deadline}",
            is_total=True,
            retryable=True,
            idempotency_key=request.idempotency_key,
        )
