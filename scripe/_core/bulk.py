"""Decide about a bulk run: what it sends, when it looks for its jobs, when it pauses and when it stops.

A file is one item of the ledger: its content and its destination. `_bulk_files.py` keeps the files, `_async/bulk.py`
sends the requests. Nothing here reads a clock, a file or the network.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel

from .._redaction import clip
from ..errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    FileMissingError,
    FilesFailedError,
    FileUnreadableError,
    InvalidArgumentError,
    LedgerConflictError,
    LedgerError,
    NotFoundError,
    OAuthError,
    PermissionDeniedError,
    ScripeError,
    UnsettledWriteError,
    UploadIntegrityError,
    UploadTooLargeError,
)
from ..types.bulk import Limit
from .idempotency import idempotency_key
from .rate_limit import READ_LIMIT
from .request import Request

T = TypeVar("T", bound=BaseModel)

ROUTE: Final = "POST /sources"
WORKABLE: Final = ("planned", "stored", "sending", "refused")
"""States of an item that a run works on. It works on a refused one only if the refusal was not about its file."""

FIRST_ALIKE: Final = 20
"""How many files may end first with one and the same error before the run stops."""

MAX_TRIES: Final = 5
"""How many times a run tries a file while others are sent without trouble."""

LONGEST_PAUSE: Final = 60.0
LONGEST_OUTAGE: Final = 900.0
"""Seconds without a single success after which a run gives up."""

DAY: Final = 86_400
METERED_SECONDS: Final = 60.0
MAX_REASON: Final = 500

STOP_GRACE: Final = 4.0
"""Seconds that requests in flight have to end after Ctrl-C, so that the program ends within five."""

RESET_JITTER: Final = 60.0
"""Seconds over which runs spread after the spend cap was reset."""

FILES_FOR_EACH_PAGE: Final = 100
FIRST_POLL_PAUSE: Final = 5.0
LONGEST_POLL_PAUSE: Final = 300.0
POLL_GROWTH: Final = 1.25
LISTED_AFTER: Final = 60_000
"""Milliseconds after which a job that the list does not show is retrieved by its id."""

TAIL_REQUESTS: Final = 8
"""Requests of a run beside two for each file and one for each 100: a guess, since it depends on how long jobs take."""

ASSUMED_UPLOAD_SPEED: Final = 100e6 / 8
"""Bytes in a second that a plan assumes."""

CAPS: Final[Mapping[str, int]] = {"SOLO": 500, "ADVANCED": 2_000, "BUSINESS": 5_000}
"""Cents a day by plan, as the page of `spend_cap_exceeded` lists them."""

GUESSED_CENTS: Final = (1, 10)
"""What a file may cost. A guess: the price of a file is not documented."""


def file_key(project_id: str, sha256: str) -> str:
    """Return the idempotency key of a content in a project, whatever the file's name and path."""
    return idempotency_key("scripe.bulk/1", ROUTE, project_id, sha256)


def allowed_calls(limit: int | None, share: float) -> int:
    """Return how many calls of a window a run uses."""
    return max(1, int(share * (limit or READ_LIMIT)))


def check_settings(concurrency: int, share: float, at_spend_cap: str) -> None:
    """Raise InvalidArgumentError for a setting that cannot be used."""
    if not isinstance(concurrency, int) or not 1 <= concurrency <= 100:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"concurrency is {concurrency!r}. Give 1 to 100 uploads at a time.")
    if not isinstance(share, int | float) or not 0 < share <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(
            f"rate_limit_share is {share!r}. Give the part of the rate limit to use, above 0 and at most 1."
        )
    if at_spend_cap not in ("wait", "stop"):
        raise InvalidArgumentError(f"at_spend_cap is {at_spend_cap!r}. Give 'wait' or 'stop'.")


def count_requests(files: int) -> int:
    """Return the requests that a run of so many files sends: a link and a job each, and pages of the list of jobs."""
    return 2 * files + -(-files // FILES_FOR_EACH_PAGE) + TAIL_REQUESTS if files else 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A time, and what decides it."""

    seconds: float | None
    limited_by: Limit | None


def estimate_time(
    files: int,
    size: int,
    calls_per_minute: int,
    upload_speed: float,
    cents: int | None,
    cap_cents: int | None,
) -> Estimate:
    """Return how long files take: their requests, their upload and their price go on side by side."""
    times: dict[Limit, float] = {"rate limit": request_seconds(count_requests(files), calls_per_minute)}
    if upload_speed:
        times["upload"] = size / upload_speed
    if cents and cap_cents:
        times["spend cap"] = DAY * (files * cents // cap_cents)
    limited_by = max(times, key=lambda limit: times[limit])
    return Estimate(times[limited_by], limited_by) if files else Estimate(None, None)


def request_seconds(requests: int, calls_per_minute: int) -> float:
    """Return how long requests take at least: a window's calls go at once, those of the next one a minute later."""
    return 60.0 * (max(0, requests - 1) // calls_per_minute)


class RunStopped(Exception):  # noqa: N818  (it never leaves the client)
    """The run ends: nothing new begins."""


class CapReached(Exception):  # noqa: N818  (it never leaves the client)
    """The spend cap is reached: the file waits in storage for its reset."""


Verdict: TypeAlias = Literal["retry", "refuse", "leave", "stop"]

_OF_THE_RUN = (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    LedgerError,
    OAuthError,
    PermissionDeniedError,
)


_CODES: Final[Mapping[type[ScripeError], str]] = {
    FileMissingError: "missing",
    FileUnreadableError: "unreadable",
    UploadIntegrityError: "changed",
    UploadTooLargeError: "too_large",
    LedgerConflictError: "conflict",
    UnsettledWriteError: "unsettled",
}


def judge(error: ScripeError, tries: int = 1) -> Verdict:
    """Return the meaning of an error of one file, after some tries.

    The file is tried again, refused, or left to the next run or a person; or the whole run stops.
    """
    if isinstance(error, UnsettledWriteError):
        return "leave"
    if isinstance(error, NotFoundError):  # the upload may have expired; if it has not, the project is gone
        return "retry" if tries < 2 else "stop"
    if isinstance(error, LedgerConflictError):  # the same content as another type of file
        return "refuse"
    if isinstance(error, _OF_THE_RUN):
        return "stop"
    if not error.retryable:
        return "refuse"
    return "retry" if tries < MAX_TRIES else "leave"


@dataclass(slots=True)
class FileTries:
    """The tries of one file: a failure counts only if other files were sent since the one before."""

    count: int = 0
    sent: int = -1
    pause: float = 0.5

    def record(self, error: ScripeError, sent: int) -> Verdict:
        """Record a failure, and return its meaning; `sent` counts the files that the run has sent."""
        self.count += isinstance(error, NotFoundError) or sent != self.sent
        self.sent = sent
        self.pause = min(LONGEST_PAUSE, 2 * self.pause)
        return judge(error, self.count)


def describe_error(error: ScripeError) -> tuple[str, str, str | None]:
    """Return code, reason and request id of an error, for the report."""
    code: str | None = getattr(error, "code", None)
    request_id: str | None = getattr(error, "request_id", None)
    return code or _CODES.get(type(error)) or "not_sent", clip(error.message, MAX_REASON), request_id


class RunControl:
    """The state of a run, which goes on, pauses or stops; may be used from several threads."""

    def __init__(self, *, rate_limit_share: float, stop_at_cap: bool, workers: int) -> None:
        self.rate_limit_share = rate_limit_share
        self.workers: int = workers
        """Workers that have not ended."""
        self.is_stopping: bool = False
        self.sent: int = 0
        """Files that were sent since the run began."""
        self.cap_resets_at: datetime | None = None
        """When the spend cap is reset, while the run waits for it or after it has stopped for it."""
        self._lock = threading.Lock()
        self._stop_at_cap = stop_at_cap
        self._first_errors: list[str | None] = []
        self._fails_since: float | None = None
        self._reopens_at = 0.0

    def stop(self) -> None:
        """Let nothing new begin."""
        self.is_stopping = True

    def leave(self) -> None:
        """Count a worker that ends."""
        with self._lock:
            self.workers -= 1

    @property
    def is_idle(self) -> bool:
        """True if no file is submitted now."""
        return self.workers == 0 or self._reopens_at > 0

    def check(self, request: Request[T] | None = None) -> None:
        """Raise if nothing new may begin; if the spend cap is reached, that is for requests that lead to a job."""
        if self.is_stopping:
            raise RunStopped
        if request is not None and request.is_write and self._reopens_at:
            raise CapReached

    def reach_cap(self, resets_at: datetime, jitter: float) -> None:
        """Submit nothing more until the spend cap was reset."""
        with self._lock:
            self.cap_resets_at = resets_at
            self._reopens_at = resets_at.timestamp() + jitter
            self.is_stopping |= self._stop_at_cap

    def cap_wait(self, now: float) -> float:
        """Return the seconds until files may be submitted again; 0 if they may now."""
        with self._lock:
            if now >= self._reopens_at and not self.is_stopping:
                self._reopens_at, self.cap_resets_at = 0.0, None
            return max(0.0, self._reopens_at - now)

    def record_sent(self) -> None:
        """Record that a file was sent."""
        with self._lock:
            self.sent, self._fails_since = self.sent + 1, None

    def record_success(self) -> None:
        """Record that something has worked."""
        self._fails_since = None

    def is_hopeless(self, now: float) -> bool:
        """Record a failure that may pass; return True if nothing has worked for a long time."""
        with self._lock:
            self._fails_since = now if self._fails_since is None else self._fails_since
            return now - self._fails_since >= LONGEST_OUTAGE

    def record_end(self, error: str | None) -> None:
        """Record how a file has ended; stop the run if the first ones all ended with the same error."""
        with self._lock:
            if len(self._first_errors) == FIRST_ALIKE:
                return
            self._first_errors.append(error)
            is_alike = len(self._first_errors) == FIRST_ALIKE and len(set(self._first_errors)) == 1
        if is_alike and error is not None:
            raise FilesFailedError(
                f"The first {FIRST_ALIKE} files all failed alike ({error}), so the run has stopped. Find out why; then "
                "try them again with client.bulk.retry(…)."
            )


class SpeedMeter:
    """Measures the bytes that are sent in a second; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: deque[tuple[float, int, float]] = deque()

    def add(self, now: float, count: int, began: float | None = None) -> None:
        """Count bytes that were sent; `began` is when that began, if it is known."""
        with self._lock:
            self._sent.append((now, count, now if began is None else began))
            while self._sent[0][0] < now - METERED_SECONDS:
                self._sent.popleft()

    def rate(self, now: float) -> float:
        """Return the bytes of each second of the last minute."""
        recent = self._recent(now)
        if not recent or now - recent[0][0] < 1:
            return 0.0
        return sum(count for _, count, _ in recent) / (now - recent[0][0])

    def upload_speed(self, now: float) -> float:
        """Return the bytes of each second of the last minute in which something was sent.

        While uploads wait for the rate limit, the network could take more: it does not limit the run then.
        """
        spans = sorted((began, ended, count) for ended, count, began in self._recent(now) if ended > began)
        seconds, until = 0.0, float("-inf")
        for began, ended, _ in spans:  # several files are sent at a time
            seconds += max(0.0, ended - max(began, until))
            until = max(until, ended)
        return sum(count for _, _, count in spans) / seconds if seconds else 0.0

    def _recent(self, now: float) -> list[tuple[float, int, float]]:
        with self._lock:
            return [sent for sent in self._sent if sent[0] >= now - METERED_SECONDS]


@dataclass(slots=True)
class PollPace:
    """The times to look for jobs: after growing pauses, and after 100 files for each page that the last look took."""

    pause: float = FIRST_POLL_PAUSE
    last_at: float = 0.0
    last_count: int = 0
    last_pages: int = 1
    was_idle: bool = False

    def is_due(self, now: float, submitted: int, *, is_idle: bool) -> bool:
        """Return True if it is time; `submitted` counts the files of this run, `is_idle` is True if none follow now."""
        if is_idle and not self.was_idle:
            self.pause = FIRST_POLL_PAUSE
        self.was_idle = is_idle
        if now - self.last_at >= self.pause:
            return True
        return submitted - self.last_count >= FILES_FOR_EACH_PAGE * self.last_pages

    def record(self, now: float, submitted: int, pages: int) -> None:
        """Record a look; without pages there was nothing to look for."""
        self.last_at, self.last_count, self.last_pages = now, submitted, max(1, pages)
        if pages:
            self.pause = min(LONGEST_POLL_PAUSE, POLL_GROWTH * self.pause)
