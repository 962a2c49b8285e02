"""Send one call: take a rate limit slot, send, retry, and parse the response into a model or raise the error.

A call passes through these methods, from the outside in:

| Method | Its work |
|---|---|
| `send`, `send_json` | observe the whole call |
| `_send` | set the deadline, turn the last outcome into a model or an error |
| `_send_with_retries` | send again after transient failures, as `_core/retry.py` decides |
| `_attempt` | after a 401, refresh the API key or the login and send a second time |
| `_send_once` | wait for a rate limit slot, send one HTTP request, record its outcome |

A failed request is an `Outcome`, not an exception, up to `_send`: the retry loop, the log and the observer all look at
it, and an exception would have to be caught in each of them.

Every error that ends a write after it may have been sent carries the write's idempotency key. Without the key, a caller
could only repeat the write under a new key, and would make a second post or job if the first one had arrived.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from pydantic import BaseModel

from .. import _log
from .._concurrency import async_invoke, async_run_blocking, async_run_with_timeout
from .._core import response as responses
from .._core.config import NO_API_KEY, Options, Secret
from .._core.deadline import NO_DEADLINE, Deadline
from .._core.idempotency import add_idempotency_key
from .._core.outcome import Outcome, RawResponse, TransportFailure
from .._core.rate_limit import Reservation
from .._core.request import Request
from .._core.retry import RetryPolicy, is_transient, last_outcome
from .._http import CommonHeaders, PreparedRequest, SendOptions
from .._observer import CallDescription, Observation, Operation, observe
from .._redaction import redact_api_key
from ..errors import APITimeoutError, ClientClosedError, LedgerError, NotFoundError, OAuthError, ScripeError
from ..types._base import JSON
from ..types.response_info import ResponseInfo
from .credential import AsyncCredential
from .session import AsyncSession

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from .._core.bulk import RunControl
    from .._ledger import Ledger

T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")

ResponseParser: TypeAlias = Callable[[Request[T], RawResponse, ResponseInfo, Secret[str]], R]
"""A function that turns a response into the result of the call."""

BeforeAttempt: TypeAlias = Callable[[int], Awaitable[None]]
"""A function that is called before each attempt, with the number of attempts so far that may have been done."""


class _Exchange(Generic[T]):
    """The state of one call: its request, its attempts, and its latest response."""

    __slots__ = (
        "api_key",
        "attempts",
        "before_attempt",
        "has_refreshed_key",
        "observation",
        "request",
        "response",
        "unresolved",
    )

    def __init__(
        self, request: Request[T], observation: Observation, before_attempt: BeforeAttempt | None = None
    ) -> None:
        self.request = request
        self.observation = observation
        self.before_attempt = before_attempt
        self.attempts = 0
        self.unresolved = 0  # attempts that may have been done, although no response says so
        self.api_key: Secret[str] = NO_API_KEY
        self.has_refreshed_key = False
        self.response: ResponseInfo | None = None


@dataclass(slots=True)
class _RetryReport:
    """The `before_sleep` hook of the retry loop: reports each delay to the log and to the observer."""

    label: str
    observation: Observation

    def before_sleep(self, state: RetryCallState) -> None:
        attempt, delay = state.attempt_number, state.upcoming_sleep
        _log.log_retry(self.label, last_outcome(state), delay, attempt)
        self.observation.on_retry(attempt, delay)


class AsyncSender:
    """Sends calls with one set of options over a session that all copies of a client share."""

    def __init__(
        self,
        session: AsyncSession,
        options: Options,
        credential: AsyncCredential,
        deadline: Deadline = NO_DEADLINE,
        ledger: Ledger | None = None,
        control: RunControl | None = None,
    ) -> None:
        self.session = session
        self.options = options
        self.credential = credential
        self.deadline = deadline
        self.ledger = ledger
        self.control = control  # of the bulk run that the calls belong to
        # The headers that all calls share, for authenticated calls and for others, with the API key that is in them.
        self._headers: dict[bool, tuple[Secret[str], CommonHeaders]] = {}

    def with_deadline(self, timeout: float | None = None) -> AsyncSender:
        """Return a sender whose deadline is running, for a method that sends several requests.

        Without it, each request would start a deadline of its own, and an upload with its job could take a multiple of
        `total_timeout`. A sender whose deadline is already running keeps it.
        """
        if timeout is None and (self.deadline.at is not None or self.options.total_timeout is None):
            return self
        now = self.session.clock.now()
        own = Deadline.after(self.options.total_timeout, now)
        running = own if self.deadline.at is None else self.deadline
        running = running.earlier(Deadline.after(timeout, now))
        return AsyncSender(self.session, self.options, self.credential, running, self.ledger, self.control)

    def with_control(self, control: RunControl, ledger: Ledger) -> AsyncSender:
        """Return a sender for the calls of a bulk run, which says whether they may go on."""
        return AsyncSender(self.session, self.options, self.credential, self.deadline, ledger, control)

    async def send(self, request: Request[T], before_attempt: BeforeAttempt | None = None) -> T:
        """Send a request, and return its response as a model.

        `before_attempt` is called after each wait for the rate limit. What it raises ends the call.
        """
        with observe(self._observe_call(request)) as observation:
            exchange = _Exchange(request, observation, before_attempt)
            try:
                return await self._send(exchange, responses.parse_model)
            except ScripeError as error:
                error.may_have_arrived = exchange.unresolved > 0 and request.is_write
                raise

    async def send_json(self, request: Request[T]) -> JSON:
        """Send a request, and return its response as JSON."""
        with observe(self._observe_call(request)) as observation:
            return await self._send(_Exchange(request, observation), responses.parse_json)

    def operation(self, name: str) -> AbstractContextManager[Operation]:
        """Return a context manager that tells the observer that the calls in it belong to one operation."""
        return observe(self.session.observer.operation(name))

    def _observe_call(self, request: Request[T]) -> Observation:
        size = None if request.body is None else len(request.body)
        base_url, path = self.options.base_url, request.safe_path
        description = CallDescription(request.method, base_url, path, request.template, size)
        return self.session.observer.call(description)

    async def _send(self, exchange: _Exchange[T], parse: ResponseParser[T, R]) -> R:
        sender, request = self.with_deadline(), exchange.request
        remaining = sender.remaining()
        try:
            if remaining is None:
                outcome: Outcome | None = await sender._send_with_retries(exchange)
            else:
                send = partial(sender._send_with_retries, exchange)
                outcome = await async_run_with_timeout(remaining, send)
        except ClientClosedError as error:
            if exchange.attempts > 1:
                # Another task or thread closed the client between two attempts: the first one may have arrived.
                error.idempotency_key = request.idempotency_key
            raise
        except (APITimeoutError, OAuthError) as error:
            # Raised by the refresh of an API key or a login, which does not know this call's idempotency key.
            add_idempotency_key(error, request.idempotency_key)
            raise
        # None: the deadline interrupted the attempt. A timeout of one socket operation is a missed deadline, too, if
        # that operation's timeout was cut to what was left of the deadline.
        if outcome is None or (_is_timeout(outcome) and sender.deadline_passed()):
            raise sender._deadline_error(request)
        if isinstance(outcome, TransportFailure):
            raise responses.failure_error(request, outcome, exchange.attempts)
        assert exchange.response is not None, "it is set with each response"
        try:
            return parse(request, outcome, exchange.response, exchange.api_key)
        except NotFoundError as error:
            if not self.options.base_url.endswith("/v1"):
                error.add_note(
                    f"The base_url {self.options.base_url!r} does not end in /v1, as the API's does. Check base_url."
                )
            raise

    async def _send_with_retries(self, exchange: _Exchange[T]) -> Outcome:
        outcome = await self._attempt(exchange)
        if isinstance(outcome, RawResponse) and outcome.status < 400:
            return outcome
        request = exchange.request
        policy = RetryPolicy(
            self.options.max_retries,
            request.repeatable,
            self.deadline,
            self.session.clock.now,
            partial(_is_transient, request),
            rate_limited_locally=self.session.limiter is not None,
        )
        send_once = partial(self._attempt, exchange)
        label = f"{request.method} {request.safe_path}"
        return await self.retry(outcome, send_once, policy, label, exchange.observation)

    async def retry(
        self,
        outcome: Outcome,
        send_once: Callable[[], Awaitable[Outcome]],
        policy: RetryPolicy,
        label: str,
        observation: Observation,
    ) -> Outcome:
        """Send again after a first outcome, while the policy allows another attempt; return the last outcome."""
        if not policy.should_retry(outcome):
            return outcome
        from tenacity import AsyncRetrying  # loaded here: most calls are never retried

        retrying = AsyncRetrying(
            retry=policy.retry,
            wait=policy.wait,
            stop=policy.stop,
            sleep=self.sleep,
            before_sleep=_RetryReport(label, observation).before_sleep,
            retry_error_callback=last_outcome,
        )
        async for turn in retrying:
            # The first turn takes the outcome that is already there: tenacity is entered only after a first failure.
            if turn.retry_state.attempt_number > 1:
                outcome = await send_once()
            policy.record(outcome)
            turn.retry_state.set_result(outcome)
        return outcome

    async def _attempt(self, exchange: _Exchange[T]) -> Outcome:
        """Send once; after a 401, refresh the API key or the login and send once more.

        The second request belongs to the same attempt: a key that has expired is not a failure of the API, and must not
        use up a retry. It happens once in a call. A new key that is refused as well is the caller's problem to see.
        """
        exchange.attempts += 1
        outcome = await self._send_once(exchange)
        if isinstance(outcome, RawResponse) and outcome.status == 401 and not exchange.has_refreshed_key:
            exchange.has_refreshed_key = True
            self.session.check_usable()
            refreshed = await self.credential.refresh(exchange.api_key, self.remaining())
            if refreshed is not None:
                outcome = await self._send_once(exchange, refreshed)
                if isinstance(outcome, RawResponse) and outcome.status == 401:
                    self.credential.reject(exchange.api_key)
        return outcome

    async def _send_once(self, exchange: _Exchange[T], api_key: Secret[str] | None = None) -> Outcome:
        """Send one HTTP request, with an API key that was just refreshed if there is one.

        Wait for a rate limit slot, send, record the outcome.
        """
        request, exchange.response = exchange.request, None
        exchange.api_key = NO_API_KEY
        if request.authenticated:
            exchange.api_key = api_key or self.credential.api_key or await self._ask_for_api_key()
        transport = self.session.transport()
        slot = sent = response = None
        try:
            slot = await self._acquire_slot(exchange)
            if self.control is not None:
                self.control.check(request)
            if exchange.before_attempt is not None:
                await exchange.before_attempt(exchange.unresolved)
            exchange.unresolved += 1
            remaining = None if self.deadline.at is None else self.remaining
            options = SendOptions(self._timeout(request), remaining)
            outcome = sent = await transport.send(self._prepare(exchange), options)
            if isinstance(outcome, RawResponse):
                response = responses.build_response_info(
                    request, outcome, exchange.attempts, exchange.api_key
                )
        finally:
            # Nothing may come between the request and this. A slot that is not released counts as a request in flight
            # until it expires, and each lost slot makes the rate limit smaller for all calls of this client.
            self._release_slot(slot, sent, response)
        exchange.response = response
        if (response is None or response.status_code >= 400) and responses.proves_nothing_done(outcome):
            exchange.unresolved -= 1
        if isinstance(outcome, TransportFailure):
            # A backend's message may quote bytes that the server sent, and a server may echo the API key.
            message = redact_api_key(outcome.message, exchange.api_key.reveal())
            outcome = replace(outcome, message=message)
            _log.log_failure(request, outcome, exchange.attempts)
        exchange.observation.on_outcome(exchange.attempts, outcome)
        if response is not None:
            if self.ledger is not None:
                await self._correct_clock(self.ledger, response)
            await self._notify(request, response)
        return outcome

    async def _ask_for_api_key(self) -> Secret[str]:
        self.session.check_usable()
        return await self.credential.get(self.remaining())

    def _prepare(self, exchange: _Exchange[T]) -> PreparedRequest:
        request = exchange.request
        headers = {**exchange.observation.on_send(), **request.headers}
        url = Secret(self.options.base_url + request.target)
        return PreparedRequest(request.method, url, self._common_headers(exchange), request.body, headers)

    async def _acquire_slot(self, exchange: _Exchange[T]) -> Reservation | None:
        """Wait until the rate limit has a slot for this request; return None if the client has no rate limiter.

        `reserve` either returns a slot or says how long to wait. The wait does not count as a retry.
        """
        request, limiter, clock = exchange.request, self.session.limiter, self.session.clock
        bucket, timeout = (self.rate_limit_key, request.bucket), self._timeout(request)
        share = 1.0 if self.control is None else self.control.rate_limit_share
        while True:
            if self.deadline_passed():
                raise self._deadline_error(request)
            now = clock.now()
            reservation = limiter.reserve(bucket, now, timeout, share) if limiter else None
            if reservation is None or isinstance(reservation, Reservation):
                return reservation
            delay = reservation
            if not self.deadline.allows(delay, now):
                # Fail now: the slot would come after the deadline, and until then the call would wait for nothing.
                raise self._deadline_error(
                    request,
                    f"the rate limit is reached for another {delay:.1f} s, longer than the total timeout of "
                    f"{self.deadline.seconds:g} s allows",
                )
            _log.log_rate_limit_wait(request, delay)
            try:
                await self.sleep(delay)
            finally:
                exchange.observation.on_rate_limit_wait(clock.now() - now)

    async def sleep(self, seconds: float) -> None:
        """Wait; in a bulk run that stops meanwhile, raise RunStopped."""
        clock = self.session.clock
        if self.control is None:
            await clock.sleep(seconds)
            return
        until = clock.now() + seconds
        while (left := until - clock.now()) > 1.0:
            self.control.check()
            await clock.sleep(1.0)
        self.control.check()
        await clock.sleep(max(0.0, left))

    def _release_slot(
        self, slot: Reservation | None, outcome: Outcome | None, response: ResponseInfo | None
    ) -> None:
        if self.session.limiter is not None and slot is not None:
            reported = None if response is None else response.rate_limit
            self.session.limiter.release(slot, self.session.clock.now(), outcome, reported)

    async def _correct_clock(self, ledger: Ledger, response: ResponseInfo) -> None:
        """Keep the ledger's time that of the server.

        If that fails, the response still counts: the next write to the ledger fails, and says what was made.
        """
        from .._ledger import store_of  # loaded already, since there is a ledger

        with suppress(LedgerError):
            store, server, local = store_of(ledger), response.date, self.session.clock.wall_time()
            if server is not None and store.is_clock_wrong(local, server):
                await async_run_blocking(store.correct_clock, local, server)

    async def _notify(self, request: Request[T], response: ResponseInfo) -> None:
        """Log a response, warn if the API version is deprecated, and call `on_response`.

        The request has been sent by now, so whatever the user's callback or warning filter raises gets a note of the
        idempotency key.
        """
        _log.log_response(response)
        try:
            if response.deprecation is not None:
                _log.warn_deprecated(response.deprecation)
            if self.session.on_response is not None:
                await async_invoke(self.session.on_response, response)
        except Exception as error:
            add_idempotency_key(error, request.idempotency_key)
            raise

    def _common_headers(self, exchange: _Exchange[T]) -> CommonHeaders:
        """Return the headers that all calls share; build them again when the API key has changed."""
        authenticated = exchange.request.authenticated
        api_key, headers = self._headers.get(authenticated, (None, None))
        if headers is None or api_key is not exchange.api_key:
            api_key = exchange.api_key
            authorization = {"Authorization": f"Bearer {api_key.reveal()}"} if authenticated else {}
            plain = {"Host": self.options.host, **self.options.headers, **authorization}
            headers = CommonHeaders(self.options.base_url, plain)
            self._headers[authenticated] = (api_key, headers)
        return headers

    def _timeout(self, request: Request[T]) -> float | None:
        # The API may hold the response to a generation for `server_wait` seconds: that is not a timeout.
        timeout = self.options.timeout
        return None if timeout is None else timeout + request.server_wait

    @property
    def rate_limit_key(self) -> Hashable:
        """The workspace whose rate limit the calls count for, or what stands for it until it is known."""
        return self.options.workspace_id or self.credential.rate_limit_key

    def remaining(self) -> float | None:
        """Return the seconds until the deadline; None if there is no deadline."""
        if self.deadline.at is None:
            return None
        return self.deadline.remaining(self.session.clock.now())

    def deadline_passed(self) -> bool:
        """Return True if the deadline has passed."""
        return self.remaining() == 0

    def _deadline_error(self, request: Request[T], reason: str | None = None) -> APITimeoutError:
        return APITimeoutError(
            f"{request.method} {request.safe_path}: {reason or self.deadline}. Call again, or allow more time with "
            "total_timeout.",
            is_total=True,
            retryable=True,
            idempotency_key=request.idempotency_key,
        )


def _is_transient(request: Request[T], response: RawResponse) -> bool:
    return is_transient(response) and not responses.is_expected_status(request, response)


def _is_timeout(outcome: Outcome) -> bool:
    return isinstance(outcome, TransportFailure) and outcome.is_timeout
