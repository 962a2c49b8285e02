"""Decide what a write does whose idempotency key a ledger remembers.

The API forgets an idempotency key after 24 hours. A ledger does not: it keeps one item for each key, and this module
decides by the item's state what the next call with the key does.

| State of the item | Meaning | The next call with the key |
|---|---|---|
| (none) | nothing was sent | sends under generation 0: the caller's key itself |
| `planned` | nothing was sent, or a person allowed another try | sends; the arguments may be others |
| `stored` | the file is in storage, nothing was made of it | sends with that upload while it is under 23 h old |
| `sending` | sent, and no response proves what came of it | under 23 h: the same key and bytes again; later: settles |
| `submitted` | the API has a job for it | follows the job |
| `done` | the thing was made | fetches it, and sends no write |
| `refused` | an error proves that nothing was made | sends under the next generation; the arguments may be others |
| `failed` | its job failed | sends under the next generation an hour later, three times in all; else an error |
| `cancelled` | somebody cancelled its job | an error |
| `unknown` | nothing can prove what came of it | an error with candidates; only a person goes on |

A **generation** is one key on the wire. It rises only if every attempt under it got a response that proves that nothing
was made. An attempt without such a response is *unresolved*: after it, even a 402 proves nothing, unless the API marks
the 402 as a replay of its first response.

Times are milliseconds of the server's clock. Nothing here reads a clock, a file or the network.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, TypeVar, cast

from pydantic import BaseModel

from ..errors import (
    APIStatusError,
    IdempotencyConflictError,
    JobCancelledError,
    JobFailedError,
    LedgerConflictError,
    NotFoundError,
    ScripeError,
    UnsettledWriteError,
)
from ..types._base import JSON, JSONInput
from ..types.job import Job
from ..types.ledger import ItemState
from .idempotency import idempotency_key as derive_key
from .request import Request

T = TypeVar("T", bound=BaseModel)

HOUR: Final = 3_600_000
REPLAY_WINDOW: Final = 23 * HOUR
"""How long a key may be sent again. The API remembers it for 24 hours from its first use."""

UPLOAD_LIFETIME: Final = 23 * HOUR
"""How long an upload is used. The API keeps one that nothing refers to for 24 hours (a guess: from its creation)."""

MAX_FAILURES: Final = 3
RETRY_DELAY: Final = HOUR
"""How long after the end of a failed job the next one may be started."""

Step: TypeAlias = Literal["send", "follow", "fetch", "settle"]
ResultField: TypeAlias = Literal["source_id", "post_id", "document_id"]
Fields: TypeAlias = Mapping[str, JSONInput]

MOMENTS: Final = frozenset({"scheduled_for", "date"})
"""Arguments that programs compute from the present time: stored as values, sent again as they first were."""

_NOT_COMPARED = frozenset({"uploadId", "wait_for_completion_ms"})
_OF_UPLOAD = ("file", "content_type")
_CAPITAL = re.compile(r"[A-Z]")


@dataclass(frozen=True, slots=True)
class Thing:
    """The kind of thing that a route makes."""

    path: str | None  # None if the API cannot read it
    result_field: ResultField | None  # of a finished job; None if no job makes it
    prefix: str
    job_types: tuple[str, ...] = ()


THINGS: Final[Mapping[str, Thing]] = {
    "POST /sources": Thing("/sources/{}", "source_id", "src_", ("SOURCE_INGEST_FILE",)),
    "POST /notes": Thing("/notes/{}", None, "note_"),
    "POST /posts": Thing("/posts/{}", None, "post_"),
    "POST /posts/generations": Thing("/posts/{}", "post_id", "post_", ("POST_GENERATION",)),
    "POST /knowledge": Thing(
        None,
        "document_id",
        "kb_",
        ("KB_INGEST_TEXT", "KB_INGEST_FILE", "KB_INGEST_URL", "KB_INGEST_YOUTUBE"),
    ),
}
"""The routes that a ledger remembers."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The write that an item is for. A key on two routes is two things, as it is for the API."""

    base_url: str
    workspace_id: str
    route: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Write:
    """One call: what it would send, and what is compared with an earlier call.

    Arguments and the path are compared by digests; moments as they are.
    """

    method: str
    route: str
    fields: Fields  # the body, without the id of the upload
    given: Mapping[str, str]  # by the caller
    effective: Mapping[str, str]  # with the defaults that were filled in
    path: str | None = None


def describe_write(
    method: str,
    request: Request[T],
    *,
    defaults: frozenset[str] = frozenset(),
    file: Mapping[str, str] | None = None,
    path: str | None = None,
) -> Write:
    """Return what a call would send, and what is compared.

    `defaults` are fields that the caller left out, `file` facts of the file by the names of the arguments. If the file
    is not uploaded yet, the request's `uploadId` is empty.
    """
    fields = cast("dict[str, JSON]", json.loads(request.body or b"{}"))
    effective = {
        **{name: _value_or_digest(name, value) for name, value in _flatten(fields).items()},
        **{name: digest(text) for name, text in (file or {}).items()},
    }
    given = {name: text for name, text in effective.items() if name not in defaults}
    route = f"{request.method} {request.path}"
    return Write(method, route, fields, given, effective, None if path is None else digest(path))


def digest(value: JSONInput) -> str:
    """Return a digest of a value, for comparison: values themselves are never stored."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _value_or_digest(name: str, value: JSONInput) -> str:
    return str(value) if name in MOMENTS else digest(value)


def _flatten(fields: Fields) -> dict[str, JSONInput]:
    """Return the fields under the names of the arguments: `source.noteId` as `note_id`, `options.language` as such."""
    flat: dict[str, JSONInput] = {}
    for name, value in fields.items():
        if name in _NOT_COMPARED or value is None:
            continue
        if isinstance(value, Mapping):
            flat.update(_flatten(value))
        else:
            flat[_CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", name)] = value
    return flat


@dataclass(frozen=True, slots=True)
class Item:
    """A key as the ledger knows it, with its latest generation."""

    unit: Unit
    method: str
    state: ItemState = "planned"
    # Digests; None if a person brought it in.
    arguments: Mapping[str, str] | None = field(default_factory=dict[str, str])
    id: int = 0  # 0 before it is stored
    version: int = 0  # rises with each change, so that two calls cannot overwrite each other's
    path: str | None = None  # a digest
    generation: int = 0  # number of its present key on the wire
    first_sent_at: int | None = None  # of this generation
    last_sent_at: int | None = None  # of the last attempt; once that has failed, the time of its end
    unresolved: int = 0  # attempts of this generation that no response has settled
    upload_id: str | None = None
    name: str | None = None  # that was sent, if the caller left it out
    minted_at: int | None = None  # when the upload's link was asked for
    wait_ms: int | None = None
    job_id: str | None = None
    result_id: str | None = None
    code: str | None = None  # of a refusal or of a failed job
    failures: int = 0  # jobs that failed
    ended_at: int | None = None  # when its last job ended
    candidates: tuple[str, ...] = ()  # ids that may be what was made
    created_at: int = 0
    updated_at: int = 0

    @property
    def wire_key(self) -> str:
        """The idempotency key that goes over the wire."""
        key = self.unit.idempotency_key
        if self.generation == 0:
            return key
        return derive_key("scripe.ledger/1", self.unit.route, key, self.generation)

    @property
    def thing(self) -> Thing:
        """The kind of thing that its route makes."""
        return THINGS[self.unit.route]


# What the next call does


def decide(item: Item, write: Write, now: int) -> Step:
    """Return what a call does about an item that is there, or raise why it can do nothing."""
    if item.state not in ("planned", "stored", "refused"):
        check_arguments(item, write)
    match item.state:
        case "planned" | "stored" | "refused":
            return "send"
        case "submitted":
            return "follow"
        case "done":
            return "fetch"
        case "failed":
            if item.failures < MAX_FAILURES and now - (item.ended_at or 0) >= RETRY_DELAY:
                return "send"
            raise _failed_error(item)
        case "cancelled":
            raise JobCancelledError(
                f"{_label(item)}: job {item.job_id} was cancelled. {_advise_retry(item)}",
                job=job_of(item),
                idempotency_key=item.unit.idempotency_key,
            )
        case "unknown":
            raise unsettled_error(item)
        case _:
            return _decide_unresolved(item, write, now)


def _decide_unresolved(item: Item, write: Write, now: int) -> Step:
    if now - (item.first_sent_at or 0) >= REPLAY_WINDOW:
        return "settle"
    _check_nothing_left_out(item, write)
    return "send"


def check_arguments(item: Item, write: Write) -> None:
    """Raise LedgerConflictError if an argument differs; what is left out now is not compared, nor are moments."""
    if item.arguments is None:
        return
    differing = [
        name for name, text in write.given.items() if name not in MOMENTS and item.arguments.get(name) != text
    ]
    if differing:
        other_method = "" if item.method == write.method else f", not for {write.method}"
        raise LedgerConflictError(
            f"{_label(item)} was used for {item.method} on {format_time(item.created_at)}{other_method}, with another "
            f"{' and another '.join(sorted(differing))}. Another idempotency_key makes another thing.",
            idempotency_key=item.unit.idempotency_key,
        )


def _check_nothing_left_out(item: Item, write: Write) -> None:
    """Raise if an argument must be sent again that this call leaves out, or fills in otherwise.

    Only its digest is stored.
    """
    kept = MOMENTS | ({"name"} if item.name is not None else set[str]())
    missing = sorted(
        name
        for name, text in (item.arguments or {}).items()
        if name not in kept and write.effective.get(name) != text
    )
    if missing:
        raise LedgerConflictError(
            f"{_label(item)} was sent on {format_time(item.created_at)} with {' and '.join(missing)}, and must be sent "
            "again with the same. Give the same arguments.",
            idempotency_key=item.unit.idempotency_key,
        )


def moved_moments(item: Item, write: Write) -> list[tuple[str, str, str]]:
    """Return the moments that differ: name, value of the item, value of this call."""
    stored = item.arguments or {}
    return [
        (name, stored[name], text)
        for name, text in write.given.items()
        if name in MOMENTS and name in stored and stored[name] != text
    ]


# What is sent


def plan_item(item: Item, write: Write, now: int) -> Item:
    """Return the item as this call will send it: the same generation, or the next one."""
    if item.state == "sending":
        return item
    if item.state in ("refused", "failed"):
        # A 402 proves that nothing was made of the upload. After another refusal the file itself may be the reason.
        keep = item.state == "refused" and item.code == "spend_cap_exceeded"
        item = replace(
            item if keep else _without_upload(item),
            generation=item.generation + 1,
            first_sent_at=None,
            last_sent_at=None,
            unresolved=0,
            job_id=None,
        )
    upload_id = cast("str | None", write.fields.get("uploadId")) or None
    stored = item.arguments or {}
    has_other_file = any(stored.get(name) != write.effective.get(name) for name in _OF_UPLOAD)
    if has_other_file or now - (item.minted_at or 0) >= UPLOAD_LIFETIME:
        item = _without_upload(item)
    upload_id = upload_id or item.upload_id
    return replace(
        item,
        method=write.method,
        state="stored" if upload_id else "planned",
        upload_id=upload_id,
        arguments=dict(write.effective),
        path=write.path,
        name=None if "name" in write.given else cast("str | None", write.fields.get("name")),
        code=None,
    )


def _without_upload(item: Item) -> Item:
    return replace(item, upload_id=None, minted_at=None)


def fields_to_send(item: Item, write: Write) -> dict[str, JSONInput]:
    """Return the body: the fields of this call, with what the item says must be sent as it first was."""
    fields = dict(write.fields)
    stored = item.arguments or {}
    for name, wire_name in (("scheduled_for", "scheduledFor"), ("date", "date")):
        if name in stored:
            fields[wire_name] = stored[name]
    if item.first_sent_at is not None:
        fields["wait_for_completion_ms"] = item.wait_ms
    if item.upload_id is not None:
        fields["uploadId"] = item.upload_id
    if item.name is not None:
        fields["name"] = item.name
    return {name: value for name, value in fields.items() if value is not None}


def mark_attempt(item: Item, fields: Fields, unresolved: int, now: int) -> Item:
    """Return the item as it is written before an attempt; `unresolved` does not count this one.

    It is refused 23 hours after the first attempt: the API may have forgotten the key.
    """
    first = now if item.first_sent_at is None or unresolved == 0 else item.first_sent_at
    if now - first >= REPLAY_WINDOW:
        raise unsettled_error(item)
    wait_ms = fields.get("wait_for_completion_ms")
    return replace(
        item,
        state="sending",
        first_sent_at=first,
        last_sent_at=now,
        unresolved=unresolved + 1,
        wait_ms=wait_ms if isinstance(wait_ms, int) else None,
    )


# What came of it


def record_error(item: Item, error: ScripeError, prior_unresolved: int, now: int) -> Item:
    """Return the item, as it was marked before the last attempt, after a call that got no result.

    `prior_unresolved` counts the attempts of earlier calls in this generation. A machine that slept may have sent the
    last attempt long after it was marked.
    """
    is_resolved = prior_unresolved == 0 and not error.may_have_arrived
    if is_refusal(error) and (is_resolved or is_replay(error)):
        code = cast("APIStatusError", error).code
        return replace(item, state="refused", code=code, unresolved=0)
    if is_resolved:
        return replace(
            item,
            state="stored" if item.upload_id else "planned",
            unresolved=0,
            first_sent_at=None,
            last_sent_at=None,
        )
    return replace(item, last_sent_at=now)


def is_refusal(error: ScripeError) -> bool:
    """Return True if the error is one of the API's own, and says that nothing was made.

    A 429 is one only as a replay: the key then says nothing else. A conflict of the key is settled before.
    """
    if not isinstance(error, APIStatusError) or error.code is None:
        return False
    status = error.status_code
    return 400 <= status < 500 and status != 408 and (status != 429 or is_replay(error))


def is_replay(error: ScripeError) -> bool:
    """Return True if the error is the API's first response, replayed."""
    return isinstance(error, APIStatusError) and error.idempotent_replayed is True


def must_settle(error: ScripeError) -> bool:
    """Return True if sending again under the same key can bring nothing else: a conflict, or a replayed 5xx."""
    if isinstance(error, IdempotencyConflictError):
        return True
    return is_replay(error) and cast("APIStatusError", error).status_code >= 500


def record_thing(item: Item, result_id: str) -> Item:
    """Return the item after its thing was made, or found."""
    return replace(item, state="done", result_id=result_id, unresolved=0, candidates=(), code=None)


def record_job(item: Item, job: Job, now: int) -> Item:
    """Return the item after the API named its job, or the job changed."""
    item = replace(item, job_id=job.id, unresolved=0, candidates=())
    if not job.is_finished:
        return replace(item, state="submitted")
    ended_at = to_milliseconds(job.completed_at) if job.completed_at else now
    item = replace(item, ended_at=ended_at, code=job.error_code)
    if job.is_cancelled:
        return replace(item, state="cancelled")
    if job.is_failed:
        return replace(item, state="failed", failures=item.failures + 1)
    result_id = result_of(item, job)
    return replace(item, state="submitted") if result_id is None else record_thing(item, result_id)


def result_of(item: Item, job: Job) -> str | None:
    """Return the id of what a job has made; None if it does not say."""
    result_id = getattr(job.result, item.thing.result_field or "", None)
    return result_id if isinstance(result_id, str) and result_id else None


def record_unknown(item: Item, candidates: tuple[str, ...]) -> Item:
    """Return the item after nothing could prove what came of it."""
    return replace(item, state="unknown", candidates=candidates)


def record_never_arrived(item: Item) -> Item:
    """Return the item after it was proved that nothing was made: the next call sends under the next generation."""
    return replace(item, state="refused", code="never_arrived", unresolved=0, candidates=())


def record_retry(item: Item) -> Item:
    """Return the item after a person allowed another try: the next call sends, with whatever arguments it has."""
    return replace(
        _without_upload(item),
        state="planned",
        generation=item.generation + 1,
        first_sent_at=None,
        last_sent_at=None,
        unresolved=0,
        wait_ms=None,
        job_id=None,
        result_id=None,
        code=None,
        failures=0,
        candidates=(),
    )


def job_of(item: Item) -> Job:
    """Return the item's job as the ledger has it, for one that the API has forgotten."""
    status = {"done": "DONE", "failed": "FAILED", "cancelled": "CANCELLED"}.get(item.state, "RUNNING")
    result = {item.thing.result_field: item.result_id} if item.result_id and item.thing.result_field else None
    return Job.model_validate(
        {
            "id": item.job_id or "unknown",
            "type": _job_type(item),
            "status": status,
            "result": result,
            "error_code": item.code if item.state == "failed" else None,
            "created_at": from_milliseconds(item.created_at),
            "completed_at": from_milliseconds(item.ended_at) if item.ended_at is not None else None,
        }
    )


def _job_type(item: Item) -> str:
    """Return the type of the item's job; that of a document follows from the argument `type`, stored as a digest."""
    types = item.thing.job_types
    sent = (item.arguments or {}).get("type")
    by_digest = {digest(name.removeprefix("KB_INGEST_").lower()): name for name in types}
    return types[0] if len(types) == 1 else by_digest.get(sent or "", "unknown")


def unsettled_error(item: Item, reason: str = "no response told whether it was done") -> UnsettledWriteError:
    """Return the error of a write of which nothing can prove what came of it."""
    key = item.unit.idempotency_key
    sent = "" if item.first_sent_at is None else f" on {format_time(item.first_sent_at)}"
    shown = f"It may have made {', '.join(item.candidates[:5])}. " if item.candidates else ""
    return UnsettledWriteError(
        f"{_label(item)} was sent{sent}, and {reason}. {shown}Look for it in Scripe; then call "
        f"ledger.settle({key!r}, result_id=…) with its id, or ledger.settle({key!r}, send_again=True) if it is not "
        "there.",
        candidates=item.candidates,
        idempotency_key=key,
    )


def add_missing_note(error: APIStatusError, route: str, idempotency_key: str) -> None:
    """Explain the error of a read: what a write has made is gone, or may not be read."""
    made = f"The ledger says that {route} with idempotency_key {idempotency_key!r} made it"
    error.add_note(
        f"{made}: it may have been deleted since. Call ledger.retry({idempotency_key!r}) to let the next call make "
        "another."
        if isinstance(error, NotFoundError)
        else f"{made}. A second call with the same idempotency_key reads what the first one made: use an API key with "
        "the scope to read it."
    )


def _advise_retry(item: Item) -> str:
    return f"Call ledger.retry({item.unit.idempotency_key!r}) to let the next call make another."


def _failed_error(item: Item) -> JobFailedError:
    return JobFailedError(
        f"{_label(item)}: job {item.job_id} failed ({item.code or 'the API did not say why'}), and may have been paid "
        f"for. {_next_try(item)}",
        job=job_of(item),
        idempotency_key=item.unit.idempotency_key,
    )


def _next_try(item: Item) -> str:
    if item.failures >= MAX_FAILURES:
        return _advise_retry(item)
    at = format_time((item.ended_at or 0) + RETRY_DELAY)
    return (
        f"A call after {at} tries again by itself; ledger.retry({item.unit.idempotency_key!r}) allows it now."
    )


def _label(item: Item) -> str:
    return f"{item.unit.route} with idempotency_key {item.unit.idempotency_key!r}"


def to_milliseconds(moment: datetime) -> int:
    """Return a moment as milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def from_milliseconds(milliseconds: int) -> datetime:
    """Return milliseconds since 1970 as a moment."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def format_time(milliseconds: int) -> str:
    """Return a time for a message."""
    return from_milliseconds(milliseconds).strftime("%Y-%m-%d %H:%M UTC")
