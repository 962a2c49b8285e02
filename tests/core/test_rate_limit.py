"""The rate limiter against a simulated server that counts calls in a sliding window."""

import heapq
import math
import pickle
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from email.utils import formatdate
from threading import Thread

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scripe._core.outcome import RawResponse, TransportFailure
from scripe._core.rate_limit import WINDOW, RateLimiter, Reservation, parse_rate_limit, parse_retry_after
from scripe.types import Headers, RateLimit
from tests.core.examples import response


class Server:
    def __init__(self, limit: int, *, tells_always: bool, names_limit: bool = True) -> None:
        self.limit = limit
        self.tells_always = tells_always
        self.names_limit = names_limit
        self.calls: deque[float] = deque()
        self.served: list[float] = []
        self.refused: list[float] = []

    def respond(self, now: float) -> RawResponse:
        while self.calls and self.calls[0] + WINDOW <= now:
            self.calls.popleft()
        is_served = len(self.calls) < self.limit
        if is_served:
            self.calls.append(now)
        (self.served if is_served else self.refused).append(now)
        reset = math.ceil(self.calls[0] + WINDOW - now)
        headers = {
            "X-RateLimit-Remaining": str(self.limit - len(self.calls)),
            "X-RateLimit-Reset": str(reset),
            **({"X-RateLimit-Limit": str(self.limit)} if self.names_limit else {}),
            **({} if is_served else {"Retry-After": str(reset)}),
        }
        has_headers = self.tells_always or not is_served
        return RawResponse(200 if is_served else 429, Headers(headers.items() if has_headers else ()), b"")


def drive(server: Server, *, workers: int, latency: float, until: float, lost: int = 0) -> RateLimiter:
    """Let workers call without pause; the response to one of every `lost` calls is lost."""
    limiter = RateLimiter()
    order = 0
    events: list[tuple[float, int, Reservation | None, RawResponse | None]] = [
        (0.0, worker, None, None) for worker in range(workers)
    ]
    heapq.heapify(events)
    while events:
        now, _, reservation, raw = heapq.heappop(events)
        if now > until:
            break
        if reservation is not None:
            limiter.release(reservation, now, raw, parse_rate_limit(raw) if raw else None)
        leave = limiter.reserve("read", now)
        order += 1
        if isinstance(leave, Reservation):
            arrives = now + latency / 2
            brought = server.respond(arrives)
            is_lost = lost > 0 and order % lost == 0
            heapq.heappush(events, (now + latency, order + workers, leave, None if is_lost else brought))
        else:
            assert leave > 0
            heapq.heappush(events, (now + leave, order + workers, None, None))
    return limiter


def needless_429s(server: Server, latency: float) -> list[float]:
    """Return when calls got a 429 although the limit was known."""
    first_headers_at = server.served[0] if server.tells_always else min([*server.refused, math.inf])
    return [at for at in server.refused if at > first_headers_at + latency + 1e-6]


SHAPES = {
    "limit": st.integers(2, 60),
    "workers": st.integers(1, 12),
    "latency": st.sampled_from([0.01, 0.1, 0.7]),
    "tells_always": st.booleans(),
}


@given(**SHAPES)
@settings(max_examples=25)
def test_a_client_gets_no_429_once_it_has_learnt_the_limit(
    limit: int, workers: int, latency: float, tells_always: bool
) -> None:
    server = Server(limit, tells_always=tells_always)
    drive(server, workers=workers, latency=latency, until=300.0)
    assert needless_429s(server, latency) == []


@given(limit=st.integers(2, 60), latency=st.sampled_from([0.01, 0.1]), tells_always=st.booleans())
@settings(max_examples=30)
@example(limit=120, latency=0.1, tells_always=True)
def test_a_client_uses_at_least_95_percent_of_the_budget(
    limit: int, latency: float, tells_always: bool
) -> None:
    server = Server(limit, tells_always=tells_always)
    windows = 10
    drive(server, workers=1, latency=latency, until=windows * WINDOW)
    possible = min(limit, WINDOW / latency) * windows
    assert len(server.served) >= 0.95 * possible - 1


@pytest.mark.parametrize("names_limit", [True, False])
@pytest.mark.parametrize("tells_always", [True, False])
def test_many_calls_in_flight_still_use_the_budget(tells_always: bool, names_limit: bool) -> None:
    server = Server(120, tells_always=tells_always, names_limit=names_limit)
    drive(server, workers=20, latency=5.0, until=10 * WINDOW)
    assert len(server.served) >= 0.90 * 1200  # one at a time would be 120


@pytest.mark.parametrize("tells_always", [True, False])
def test_a_call_whose_answer_was_lost_counts_all_the_same(tells_always: bool) -> None:
    server = Server(20, tells_always=tells_always)
    drive(server, workers=3, latency=0.1, until=300.0, lost=4)
    assert needless_429s(server, 0.1) == []


def reserve(limiter: RateLimiter, now: float = 0.0, bucket: str = "read") -> Reservation:
    reservation = limiter.reserve(bucket, now)
    assert isinstance(reservation, Reservation)
    return reservation


def complete_call(limiter: RateLimiter, now: float = 0.0, status: int = 200, **headers: str) -> None:
    """Make one call whose response comes at once."""
    named = Headers((name.replace("_", "-"), text) for name, text in headers.items())
    raw = RawResponse(status, named, b"")
    limiter.release(reserve(limiter, now), now, raw, parse_rate_limit(raw))


def test_calls_go_freely_as_long_as_nothing_is_known() -> None:
    limiter = RateLimiter()
    assert len({reserve(limiter).call for _ in range(500)}) == 500
    assert limiter.limit("read") is None
    assert limiter.limit("never asked") is None


def test_what_remains_less_the_calls_in_flight_may_go() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="2", x_ratelimit_reset="30")
    reserve(limiter)
    reserve(limiter)
    assert limiter.reserve("read", 0.0) == 0.05  # until those in flight may have told more


def test_calls_wait_for_the_reset_when_nothing_remains() -> None:
    limiter = RateLimiter()
    complete_call(limiter, 100.0, x_ratelimit_limit="120", x_ratelimit_remaining="0", x_ratelimit_reset="17")
    assert limiter.limit("read") == 120
    assert limiter.reserve("read", 100.0) == 17.0
    assert limiter.reserve("read", 116.0) == 1.0
    reserve(limiter, 117.0)


def test_after_a_reset_one_call_goes_first() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="0", x_ratelimit_reset="10")
    first = reserve(limiter, 10.0)
    assert limiter.reserve("read", 10.0) == 0.05
    raw = response(x_ratelimit_remaining="5", x_ratelimit_reset="60")
    limiter.release(first, 10.1, raw, parse_rate_limit(raw))
    reserve(limiter, 10.1)
    reserve(limiter, 10.1)


def test_a_probe_without_headers_lets_the_others_follow() -> None:
    limiter = RateLimiter()
    complete_call(limiter, status=429, retry_after="10")
    limiter.release(reserve(limiter, 10.0), 10.1, response(), None)
    reserve(limiter, 10.2)
    reserve(limiter, 10.2)


def test_buckets_are_counted_apart() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="0", x_ratelimit_reset="10")
    assert limiter.reserve("read", 0.0) == 10.0
    reserve(limiter, bucket="write")
    assert repr(limiter) == "RateLimiter(2 buckets)"


@pytest.mark.parametrize(
    ("limit", "reset", "asked", "wait"),
    [
        ("", "", "", 1.0),
        ("", "", "9", 9.0),
        ("", "4", "", 4.0),
        ("7", "", "", 1.0),
        ("7", "", "9", 9.0),
    ],
)
def test_a_429_says_that_nothing_remains_whatever_its_headers_leave_out(
    limit: str, reset: str, asked: str, wait: float
) -> None:
    limiter = RateLimiter()
    named_headers = {"x_ratelimit_limit": limit, "x_ratelimit_reset": reset, "retry_after": asked}
    headers = Headers((name.replace("_", "-"), text) for name, text in named_headers.items() if text)
    raw = RawResponse(429, headers, b"")
    limiter.release(reserve(limiter), 0.0, raw, parse_rate_limit(raw))
    assert limiter.reserve("read", 0.0) == wait


def test_after_a_429_the_bucket_waits_for_retry_after_before_the_reset() -> None:
    limiter = RateLimiter()
    complete_call(limiter, status=429, retry_after="30", x_ratelimit_reset="5")
    assert limiter.reserve("read", 0.0) == 30.0


def test_an_older_answer_cannot_say_that_more_is_left() -> None:
    limiter = RateLimiter()
    older, newer = reserve(limiter), reserve(limiter)
    limiter.release(newer, 1.0, response(), RateLimit(None, 1, 30.0))
    limiter.release(older, 1.1, response(), RateLimit(None, 9, 30.0))
    reserve(limiter, 1.2)
    assert limiter.reserve("read", 1.2) == 0.05


def test_a_bucket_that_does_not_say_when_it_resets_does_within_the_window() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="0")
    assert limiter.reserve("read", 0.0) == WINDOW
    far = RateLimiter()
    complete_call(far, x_ratelimit_remaining="0", x_ratelimit_reset="9999")
    assert far.reserve("read", 0.0) == WINDOW


def test_a_limit_without_other_headers_is_kept_by_counting_our_own_calls() -> None:
    limiter = RateLimiter()
    complete_call(limiter, 0.0, x_ratelimit_limit="2")
    second = reserve(limiter, 1.0)
    assert limiter.reserve("read", 1.0) == 0.05
    limiter.release(second, 2.0, response(), None)
    assert limiter.reserve("read", 2.0) == 58.0
    reserve(limiter, 60.0)


def test_a_refused_call_does_not_count() -> None:
    limiter = RateLimiter()
    complete_call(limiter, 0.0, 429, x_ratelimit_limit="2", retry_after="1")
    complete_call(limiter, 1.0)
    reserve(limiter, 1.0)


def test_several_threads_never_take_more_than_remains() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_limit="50", x_ratelimit_remaining="49", x_ratelimit_reset="60")
    got: list[Reservation | float] = []
    threads = [
        Thread(target=lambda: got.extend(limiter.reserve("read", 0.0) for _ in range(20))) for _ in range(8)
    ]
    for worker in threads:
        worker.start()
    for worker in threads:
        worker.join()
    tickets = [worker.call for worker in got if isinstance(worker, Reservation)]
    assert len(tickets) == len(set(tickets)) == 49


def test_a_limiter_pickles_as_a_fresh_one() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="0")
    assert isinstance(pickle.loads(pickle.dumps(limiter)).reserve("read", 0.0), Reservation)


@pytest.mark.parametrize(("text", "seconds"), [("17", 17.0), ("0", 0.0), (" 5 ", 5.0), ("1.5", 1.5)])
def test_retry_after_is_seconds(text: str, seconds: float) -> None:
    assert parse_retry_after(response(429, retry_after=text)) == seconds


@pytest.mark.parametrize(
    "text", ["", "-1", "soon", "nan", "inf", "-inf", "1e999", "Fri, 99 Foo", "Fri, 31 Dec 99999 00:00:00 GMT"]
)
def test_a_retry_after_that_makes_no_sense_counts_as_absent(text: str) -> None:
    assert parse_retry_after(response(429, retry_after=text)) is None


def test_without_retry_after_nobody_knows() -> None:
    assert parse_retry_after(response(429)) is None


def test_retry_after_may_be_an_http_date() -> None:
    assert (
        parse_retry_after(response(429, arrived=1_000_000.0, retry_after=formatdate(1_000_030, usegmt=True)))
        == 30.0
    )
    assert (
        parse_retry_after(response(429, arrived=1_000_050.0, retry_after=formatdate(1_000_030, usegmt=True)))
        == 0.0
    )


def test_a_date_is_measured_on_the_servers_own_clock_where_it_tells_it() -> None:
    at = formatdate(1_000_030, usegmt=True)
    on_server = response(429, arrived=5.0, retry_after=at, date=formatdate(1_000_000, usegmt=True))
    assert parse_retry_after(on_server) == 30.0
    assert parse_retry_after(response(429, arrived=1_000_010.0, retry_after=at, date="today")) == 20.0


@contextmanager
def in_zone(monkeypatch: pytest.MonkeyPatch, name: str) -> Generator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    "text", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_all_three_forms_of_an_http_date_are_utc(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_zone(monkeypatch, "Asia/Tokyo"):
        assert parse_retry_after(response(429, arrived=784_111_777.0 - 20, retry_after=text)) == 20.0


def test_a_reset_is_seconds_and_one_the_size_of_an_epoch_counts_as_one() -> None:
    assert parse_rate_limit(response(x_ratelimit_reset="17")) == RateLimit(None, None, 17.0)
    assert parse_rate_limit(response(arrived=1_800_000_000.0, x_ratelimit_reset="1800000017")) == RateLimit(
        None, None, 17.0
    )
    assert parse_rate_limit(response(arrived=1_800_000_000.0, x_ratelimit_reset="1700000000")) == RateLimit(
        None, None, 0.0
    )


def test_headers_say_what_they_say_and_no_more() -> None:
    assert parse_rate_limit(response()) is None
    whole = response(x_ratelimit_limit="120", x_ratelimit_remaining="0", x_ratelimit_reset="0")
    assert parse_rate_limit(whole) == RateLimit(120, 0, 0.0)
    assert (
        parse_rate_limit(
            response(x_ratelimit_limit="many", x_ratelimit_remaining="-1", x_ratelimit_reset="-300")
        )
        is None
    )


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
@example("Mon, 0 0 0 0:0", "Sun Nov", "1" * 400)
def test_no_header_makes_a_wait_that_is_not_a_number_of_seconds(asked: str, reset: str, date: str) -> None:
    odd = response(429, retry_after=asked, x_ratelimit_reset=reset, x_ratelimit_limit=reset, date=date)
    wait, budget = parse_retry_after(odd), parse_rate_limit(odd)
    assert wait is None or 0 <= wait < math.inf
    assert budget is None or budget.reset_after is None or 0 <= budget.reset_after < math.inf


def test_a_call_that_leaves_the_window_frees_one_place_and_not_all() -> None:
    limiter = RateLimiter()
    complete_call(limiter, 62.1, x_ratelimit_limit="2")  # 62.1 is more than 122.1 - 60, as floats go
    complete_call(limiter, 62.8)
    reserve(limiter, 122.1)
    assert limiter.reserve("read", 122.1) == 0.05


def test_a_forked_process_begins_afresh() -> None:
    """The parent's calls end in the parent: in the child they would take up their places forever."""
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_limit="2", x_ratelimit_remaining="1", x_ratelimit_reset="10")
    reservation = reserve(limiter)
    limiter.reset()
    reserve(limiter, 0.1)
    limiter.release(reservation, 0.2, response(), None)
    assert limiter.limit("read") is None


def test_429s_that_do_not_say_when_are_counted_a_round_at_a_time() -> None:
    """Twenty calls that are refused together count as one."""
    limiter = RateLimiter()
    together = [reserve(limiter) for _ in range(20)]
    for reservation in together:
        limiter.release(reservation, 0.0, response(429), None)
    assert limiter.reserve("read", 0.0) == 1.0
    complete_call(limiter, 1.0, 429)
    assert limiter.reserve("read", 1.0) == 2.0
    complete_call(limiter, 3.0)
    complete_call(limiter, 3.0, 429)
    assert limiter.reserve("read", 3.0) == 1.0


def test_after_a_reset_nobody_waits_for_an_older_call() -> None:
    limiter = RateLimiter()
    hanging = reserve(limiter)
    complete_call(limiter, 0.0, x_ratelimit_remaining="0", x_ratelimit_reset="2")
    assert limiter.reserve("read", 0.0) == 2.0
    first = reserve(limiter, 2.0)
    assert limiter.reserve("read", 2.0) == 0.05
    limiter.release(first, 2.1, response(), RateLimit(5, 4, 2.0))
    reserve(limiter, 2.1)
    limiter.release(
        hanging, 9.0, response(), RateLimit(5, 0, 2.0)
    )  # of the window before: nothing remains of it


def test_one_that_goes_first_and_hangs_is_waited_for_only_so_long() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="0", x_ratelimit_reset="2")
    reserve(limiter, 2.0)
    assert limiter.reserve("read", 6.9) == 0.05
    reserve(limiter, 7.0)
    assert limiter.reserve("read", 7.0) == 0.05


def test_one_that_goes_first_and_is_lost_is_followed_by_another() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="0", x_ratelimit_reset="2")
    limiter.release(reserve(limiter, 2.0), 2.5, None, None)
    reserve(limiter, 2.5)
    assert limiter.reserve("read", 2.5) == 0.05


@pytest.mark.parametrize(("timeout", "forgotten_after"), [(5.0, 5.0), (None, WINDOW), (600.0, WINDOW)])
def test_a_call_that_was_never_released_is_forgotten_after_its_timeout(
    timeout: float | None, forgotten_after: float
) -> None:
    """Ctrl-C can end a call between any two steps, before it is released."""
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_limit="2")
    assert isinstance(limiter.reserve("read", 0.0, timeout), Reservation)
    assert limiter.reserve("read", forgotten_after - 0.1, timeout) == 0.05
    assert isinstance(limiter.reserve("read", forgotten_after, timeout), Reservation)


def test_a_call_that_surely_did_not_arrive_is_not_counted() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="1", x_ratelimit_reset="30")
    limiter.release(reserve(limiter), 0.0, TransportFailure("not_sent", False, "no one listens"))
    limiter.release(reserve(limiter), 0.0, TransportFailure("response_lost", False, "the connection broke"))
    assert limiter.reserve("read", 0.0) == 30.0


def test_a_429_of_an_older_call_says_how_long_to_wait() -> None:
    limiter = RateLimiter()
    older, newer = reserve(limiter), reserve(limiter)
    limiter.release(newer, 0.1, response(), RateLimit(120, 50, 60.0))
    limiter.release(older, 0.2, response(429, retry_after="1"), None)
    assert limiter.reserve("read", 0.2) == 1.0
    reserve(limiter, 1.2)


def test_a_reset_just_past_is_now_and_may_be_in_milliseconds_or_by_the_servers_clock() -> None:
    assert parse_rate_limit(response(x_ratelimit_reset="-1")) == RateLimit(None, None, 0.0)
    date = formatdate(1_800_000_000, usegmt=True)
    with_date = response(arrived=1_799_996_400.0, date=date, x_ratelimit_reset="1800000017")
    assert parse_rate_limit(with_date) == RateLimit(None, None, 17.0)
    in_milliseconds = response(arrived=1_800_000_000.0, x_ratelimit_reset="1800000017000")
    assert parse_rate_limit(in_milliseconds) == RateLimit(None, None, 17.0)


def test_a_response_that_says_nothing_leaves_what_is_known() -> None:
    limiter = RateLimiter()
    complete_call(limiter, x_ratelimit_remaining="1", x_ratelimit_reset="30")
    complete_call(limiter, 1.0)
    reserve(limiter, 1.0)
    assert limiter.reserve("read", 1.0) == 0.05


def test_a_share_counts_by_itself_if_only_the_limit_is_told() -> None:
    limiter = RateLimiter()
    for _ in range(3):
        reservation = limiter.reserve("write", 0.0, share=0.3)
        assert isinstance(reservation, Reservation)
        limiter.release(reservation, 0.0, response(200), RateLimit(limit=10))
    assert limiter.reserve("write", 1.0, share=0.3) == WINDOW - 1
    assert isinstance(limiter.reserve("write", 1.0), Reservation)
