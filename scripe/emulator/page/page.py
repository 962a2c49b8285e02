"""What the page shows, as plain values."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from sqlite3 import Row
from typing import TYPE_CHECKING

from scripe._vocabulary import SUCCESS_STATUSES
from scripe.emulator.clock import EPOCH, iso
from scripe.emulator.faults import Delay, Failure, Fault
from scripe.emulator.job_records import ACTIVE
from scripe.emulator.limits import CAPS
from scripe.emulator.messages import ReceivedRequest
from scripe.emulator.page.inside import Inside
from scripe.emulator.page.words import age, masked, milliseconds, plain, shortened, target
from scripe.emulator.routes import KINDS
from scripe.emulator.settings import SCOPES
from scripe.emulator.state import Record, State
from scripe.emulator.wire import JsonObject

if TYPE_CHECKING:
    from scripe.emulator.app import Emulator

MOST_REQUESTS = 100
MOST_JOBS = 10
MOST_POSTS = 10
LONGEST_MESSAGE = 300
LONGEST_BODY = 1_000
MOST_KEYS = 50
MOST_WORKSPACES = 20
NEARLY = 0.8


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request that came in."""

    moment: str
    time: str
    method: str
    path: str
    status: int
    failed: bool
    code: str
    message: str
    id: str
    body: str
    key: str
    short_key: str
    replayed: bool
    dropped: bool
    attempt: int
    ms: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job; `fraction` is None where no bar makes sense."""

    id: str
    type: str
    status: str
    active: bool
    failed: bool
    fraction: float | None
    message: str
    age: str


@dataclass(frozen=True, slots=True)
class PostRow:
    """One post; `scheduled_at` is empty without a schedule."""

    id: str
    title: str
    status: str
    scheduled_at: str
    content: str
    age: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """How much of a budget is used."""

    name: str
    used: int
    limit: int

    @property
    def nearly(self) -> int:
        """From where on it is nearly used up."""
        return int(self.limit * NEARLY)


@dataclass(frozen=True, slots=True)
class WorkspaceBudgets:
    """A workspace's budgets; `spend` is None where its plan has no cap, and `spent` in cents."""

    name: str
    plan: str
    rates: list[Gauge]
    spend: Gauge | None
    spent: int


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key; `id` names it without giving it away."""

    id: str
    masked: str
    workspace: str
    scopes: str
    state: str


@dataclass(frozen=True, slots=True)
class View:
    """All that the page shows at one moment."""

    moment: str
    time: str
    frozen: bool
    requests: list[RequestRow]
    request_count: int
    jobs: list[JobRow]
    job_count: int
    posts: list[PostRow]
    post_count: int
    workspaces: list[WorkspaceBudgets]
    records: list[tuple[str, int]]
    orders: list[str]
    keys: list[KeyRow]


def look(emulator: "Emulator", inside: Inside) -> View:
    """The emulator as it is now."""
    backend, received = inside.backend, emulator.requests
    with backend.state.transaction():
        backend.settle()
        now = backend.clock.now()
        return View(
            moment=iso(now),
            time=f"{now:%Y-%m-%d %H:%M:%S}",
            frozen=backend.clock.frozen,
            requests=request_rows(received),
            request_count=len(received),
            jobs=[_job_row(inside, job, now) for job in _jobs(backend.state)],
            job_count=backend.state.count("jobs"),
            posts=[_post_row(post, now) for post in backend.state.latest("posts", MOST_POSTS, ())],
            post_count=backend.state.count("posts"),
            workspaces=[_budgets(inside, row, now) for row in backend.access.workspaces()[:MOST_WORKSPACES]],
            records=[(plain(kind), backend.state.count(kind)) for kind in sorted(KINDS)],
            orders=[order(fault) for fault in inside.faults.pending()],
            keys=key_rows(inside, now.date()),
        )


def numbers(emulator: "Emulator", inside: Inside) -> JsonObject:
    """Return what a program can ask for: the time, how many requests and records there are, and the faults on order."""
    backend = inside.backend
    with backend.state.transaction():
        backend.settle()
        return {
            "time": iso(backend.clock.now()),
            "frozen": backend.clock.frozen,
            "requests": len(emulator.requests),
            "records": {kind: backend.state.count(kind) for kind in sorted(KINDS)},
            "faults": [order(fault) for fault in inside.faults.pending()],
        }


def request_rows(received: Iterable[ReceivedRequest]) -> list[RequestRow]:
    """The newest requests, newest first; an attempt is counted among those with the same key at the same place."""
    attempts: Counter[tuple[str, str, str]] = Counter()
    counted: list[tuple[ReceivedRequest, str, int]] = []
    for request in received:
        key = request.headers.get("idempotency-key", "")
        place = (request.method, request.path, key)
        attempts[place] += 1
        counted.append((request, key, attempts[place] if key else 0))
    return [_request_row(*each) for each in reversed(counted[-MOST_REQUESTS:])]


def _request_row(request: ReceivedRequest, key: str, attempt: int) -> RequestRow:
    return RequestRow(
        moment=iso(request.received_at),
        time=f"{request.received_at:%H:%M:%S}",
        method=request.method,
        path=target(request),
        status=request.status,
        failed=request.status >= 400 or request.dropped,
        code=masked(request.error_code or ""),
        message=shortened(masked(request.error_message or ""), LONGEST_MESSAGE),
        id=request.request_id or "",
        body=_body(request),
        key=masked(key),
        short_key=shortened(masked(key)),
        replayed=request.replayed,
        dropped=request.dropped,
        attempt=attempt,
        ms=milliseconds(request.milliseconds),
    )


def _body(request: ReceivedRequest) -> str:
    text = request.body[: 4 * LONGEST_BODY].decode(errors="replace")
    return shortened(masked(text), LONGEST_BODY)


def _post_row(post: Record, now: datetime) -> PostRow:
    fields = post.fields
    return PostRow(
        id=post.id,
        title=masked(str(fields["title"])),
        status=str(fields["status"]),
        scheduled_at=str(fields["scheduledAt"] or ""),
        content=shortened(masked(str(fields["content"])), LONGEST_BODY),
        age=age(now - EPOCH - timedelta(milliseconds=post.created_at)),
    )


def _jobs(state: State) -> list[Record]:
    return state.latest("jobs", MOST_JOBS, ACTIVE)


def _job_row(inside: Inside, job: Record, now: datetime) -> JobRow:
    status = str(job.fields["status"])
    fraction, message = _progress(inside, job, status)
    return JobRow(
        id=job.id,
        type=str(job.fields["type"]),
        status=status,
        active=status in ACTIVE,
        failed=status == "FAILED",
        fraction=fraction,
        message=masked(message),
        age=age(now - EPOCH - timedelta(milliseconds=job.created_at)),
    )


def _progress(inside: Inside, job: Record, status: str) -> tuple[float | None, str]:
    shown = inside.backend.jobs.shown(job, live=True)
    progress, result = shown["progress"], shown["result"]
    if isinstance(progress, dict):
        return float(str(progress["progress"])), str(progress.get("message", ""))
    if status in SUCCESS_STATUSES:
        return 1.0, ", ".join(str(made) for made in result.values()) if isinstance(result, dict) else ""
    if status == "FAILED":
        return None, f"{shown['errorCode']}: {shown['errorMessage']}"
    return (0.0 if status == "QUEUED" else None), ""


def _budgets(inside: Inside, row: Row, now: datetime) -> WorkspaceBudgets:
    cap = CAPS.get(row["plan"])
    spent = inside.backend.spending.spent(row["id"], now.date().isoformat())
    usage = inside.limiter.usage(row["id"], now)
    return WorkspaceBudgets(
        name=row["name"],
        plan=row["plan"],
        rates=[Gauge(bucket, used, limit) for bucket, (used, limit) in usage.items()],
        spend=None if cap is None else Gauge("spend", spent, cap),
        spent=spent,
    )


def order(fault: Fault) -> str:
    """A mishap on order, in words."""
    turns = "The next request" if fault.times == 1 else f"The next {fault.times} requests"
    narrowed = " ".join(each for each in (fault.method, fault.path) if each)
    return masked(f"{turns}{f' to {narrowed}' if narrowed else ''} {_fate(fault)}")


def _fate(fault: Fault) -> str:
    singular = fault.times == 1
    if isinstance(fault, Failure):
        named = f" {fault.code}" if fault.code else ""
        return f"{'fails' if singular else 'fail'} with {fault.status}{named}"
    if isinstance(fault, Delay):
        return f"{'is' if singular else 'are'} answered {fault.seconds:g} s late"
    return "loses its answer" if singular else "lose their answers"


def key_rows(inside: Inside, today: date) -> list[KeyRow]:
    """The newest keys, in the order of their making."""
    return [
        KeyRow(row["id"], masked(row["token"]), row["workspace"], _scopes(row), _state(row, today))
        for row in inside.backend.access.all_keys()[-MOST_KEYS:]
    ]


def _scopes(row: Row) -> str:
    scopes: list[str] = json.loads(row["scopes"])
    return "every scope" if set(scopes) >= set(SCOPES) else ", ".join(scopes) or "no scope"


def _state(row: Row, today: date) -> str:
    if row["revoked"]:
        return "revoked"
    if row["expires_on"] is None:
        return "valid"
    has_expired = today >= date.fromisoformat(row["expires_on"])
    return f"{'expired on' if has_expired else 'valid until'} {row['expires_on']}"
