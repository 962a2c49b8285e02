"""Decide what reads show about the facts: what was assumed, what was seen, and whether they are the same.

Each read has a name, and each fact that reads can settle has a function here that looks at their responses. Nothing is
concluded from a response that is missing, or that refuses the read: the verdict is `not seen` then.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, TypeVar, get_args

from .._facts import FACTS
from .._vocabulary import READY_STATUSES, STATUS_BY_CODE, ContentType
from ..types._base import JSON
from .json_repair import load_json
from .outcome import RawResponse
from .rate_limit import parse_rate_limit

Verdict: TypeAlias = Literal["same", "differs", "not seen"]
S = TypeVar("S")

Object: TypeAlias = Mapping[str, JSON]

MIN_REMAINING = 30
"""Requests that must remain of the rate limit, so that the look takes nothing from the user's programs."""

PAUSE = 1.0
"""Seconds between two reads."""


@dataclass(frozen=True, slots=True)
class FactObservation:
    """The behaviour of the API where the documentation says nothing, or two things.

    Attributes:
        id: The number of the fact in the documentation, such as `C6`.
        claim: What the documentation is silent about, or says in two ways.
        assumed: How the API is taken to behave.
        observed: How it was seen to behave.
        verdict: `same`, `differs`, or `not seen`.

    """

    id: str
    claim: str
    assumed: str
    observed: JSON
    verdict: Verdict

    def __str__(self) -> str:
        from .diagnosis_report import describe  # it needs this module

        observed = json.dumps(describe(self.observed))
        return (
            f"{self.verdict:8} {self.id:4} {self.claim}\n{'':14}assumed: {self.assumed}; observed: {observed}"
        )


@dataclass(frozen=True, slots=True)
class FactRead:
    """One read.

    Attributes:
        name: Its name.
        path: Its path; braces stand for an id from earlier responses.
        params: Its query; the value `{}` stands for that id, too.
        id_from: Where that id is from.
        version: The version that it asks for; None for no such header, empty for the client's.

    """

    name: str
    path: str
    params: Mapping[str, str] | None = None
    id_from: Literal["project", "source"] | None = None
    version: str | None = ""


READS: Final = (
    FactRead("health", "/health"),
    FactRead("auth", "/health/auth"),
    FactRead("me", "/workspaces/me"),
    FactRead("no version", "/workspaces/me", version=None),
    FactRead("old version", "/workspaces/me", version="2000-01-01"),
    FactRead("workspaces", "/workspaces"),
    FactRead("post statuses", "/post-statuses"),
    FactRead("projects", "/projects", {"limit": "10"}),
    FactRead("limit 201", "/projects", {"limit": "201"}),
    FactRead("no path", "/scripe-doctor-looks-for-nothing"),
    FactRead("jobs", "/jobs", {"limit": "50"}),
    FactRead("file jobs", "/jobs", {"type": "SOURCE_INGEST_FILE,KB_INGEST_TEXT", "limit": "10"}),
    FactRead("unknown status", "/jobs", {"status": "NO_SUCH_STATUS", "limit": "1"}),
    FactRead("date-time", "/jobs", {"dateFrom": "2026-01-01T00:00:00Z", "limit": "1"}),
    FactRead("project", "/projects/{}", id_from="project"),
    FactRead("notes", "/notes", {"projectId": "{}", "limit": "50"}, id_from="project"),
    FactRead("posts", "/posts", {"projectId": "{}", "limit": "50"}, id_from="project"),
    FactRead("source", "/sources/{}", id_from="source"),
)

NOTE_FIELDS = {"id", "projectId", "folderId", "content", "createdAt", "updatedAt", "slot"}
NEVER_NULL = {"id", "status", "createdAt", "type"}


class Answers:
    """The responses to the reads, by their names."""

    def __init__(self) -> None:
        self.raw: dict[str, RawResponse] = {}

    def document(self, name: str) -> Object:
        """Return the JSON object of a response; an empty one if there is none."""
        raw = self.raw.get(name)
        try:
            document = None if raw is None else load_json(raw.body)
        except (ValueError, RecursionError):
            document = None
        return document if isinstance(document, dict) else {}

    def good(self, name: str) -> Object | None:
        """Return the JSON object of a success; None if there is none."""
        raw = self.raw.get(name)
        return self.document(name) if raw is not None and raw.is_success else None

    def status(self, name: str) -> int | None:
        """Return the status of a response; None if there is none, or if it says nothing about the read."""
        raw = self.raw.get(name)
        return None if raw is None or raw.status in (401, 403, 429) or raw.status >= 500 else raw.status

    def error(self, name: str) -> JSON:
        """Return the error in a response."""
        return self.document(name).get("error")

    def items(self, *names: str) -> list[Object]:
        """Return the objects that lists hold."""
        return [item for name in names for item in _objects((self.good(name) or {}).get("data"))]

    def find_id(self, origin: Literal["project", "source"]) -> str | None:
        """Return the id of a project or of a source, as earlier responses name it."""
        if origin == "project":
            busy = [item.get("projectId") for item in self.items("jobs")]  # one that has posts, probably
            ids = [*busy, *(item.get("id") for item in self.items("projects"))]
        else:
            results = [item.get("result") for item in self.items("jobs", "file jobs")]
            ids = [result.get("sourceId") for result in results if isinstance(result, dict)]
        return next((one for one in ids if isinstance(one, str) and one), None)

    def is_scarce(self, name: str) -> bool:
        """Return whether a response reports that little of the rate limit remains."""
        reported = parse_rate_limit(self.raw[name])
        return reported is not None and reported.remaining is not None and reported.remaining < MIN_REMAINING


def _objects(value: JSON) -> Iterator[Object]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


Seen: TypeAlias = tuple[JSON, bool | None]
"""What was seen, and whether it is as assumed; None if that cannot be said."""

NOT_SEEN: Seen = (None, None)


def _rate_headers(answers: Answers) -> Seen:
    counted = [raw for name, raw in answers.raw.items() if raw.is_success and name != "health"]
    if not counted:
        return NOT_SEEN
    has_headers = any("x-ratelimit-remaining" in raw.headers for raw in counted)
    return ("on success" if has_headers else "not on success; on 429 not looked at"), has_headers


def _reset(answers: Answers) -> Seen:
    values = [raw.headers.get("x-ratelimit-reset") for raw in answers.raw.values()]
    numbers = [float(value) for value in values if value is not None and value.isdecimal()]
    if not any(values):
        return NOT_SEEN
    is_seconds = len(numbers) > 0 and max(numbers) < 86_400
    return ("seconds" if is_seconds else "a time" if numbers else "other"), is_seconds


def _date(answers: Answers) -> Seen:
    with_date = ["date" in raw.headers for raw in answers.raw.values()]
    if not with_date:
        return NOT_SEEN
    return ("always" if all(with_date) else "not always"), all(with_date)


def _date_time(answers: Answers) -> Seen:
    return _by_status(answers, "date-time", same=(200,))


def _by_status(answers: Answers, name: str, *, same: tuple[int, ...]) -> Seen:
    status = answers.status(name)
    return NOT_SEEN if status is None else ({"status": status}, status in same)


def _newest_first(answers: Answers) -> Seen:
    orders: list[bool] = []
    for name in ("notes", "posts"):
        moments = [_moment(item.get("createdAt")) for item in answers.items(name)]
        known = [moment for moment in moments if moment is not None]
        if len(known) > 1:
            orders.append(known == sorted(known, reverse=True))
    if not orders:
        return NOT_SEEN
    return ("newest first" if all(orders) else "another order"), all(orders)


def _moment(value: JSON) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _project(answers: Answers) -> Seen:
    document = answers.good("project")
    if document is None:
        return NOT_SEEN
    return list(document), isinstance(document.get("data"), dict)


def _nulls(answers: Answers) -> Seen:
    items = answers.items("projects", "notes", "posts", "jobs", "file jobs")
    nulls = sorted({name for item in items for name, value in item.items() if value is None})
    return ({"null": dict.fromkeys(nulls)}, not NEVER_NULL & set(nulls)) if items else NOT_SEEN


def _error_form(answers: Answers) -> Seen:
    errors = [answers.error(name) for name, raw in answers.raw.items() if raw.status >= 400]
    known = [error for error in errors if error is not None]
    if not known:
        return NOT_SEEN
    are_objects = all(isinstance(error, dict) for error in known)
    return ("an object" if are_objects else "a text"), are_objects


def _codes(answers: Answers) -> Seen:
    errors = [answers.error(name) for name in answers.raw]
    codes = [error.get("code") for error in errors if isinstance(error, dict)]
    known = {*STATUS_BY_CODE, "method_not_allowed"}
    return (list(codes), all(code in known for code in codes)) if codes else NOT_SEEN


def _redirects(answers: Answers) -> Seen:
    statuses = [raw.status for raw in answers.raw.values()]
    redirected = any(300 <= status < 400 for status in statuses)
    return ("some" if redirected else "none"), (not redirected if statuses else None)


def _note(answers: Answers) -> Seen:
    notes = answers.items("notes")
    fields = {name for note in notes for name in note}
    return ({"fields": dict.fromkeys(sorted(fields))}, fields <= NOTE_FIELDS) if notes else NOT_SEEN


def _content_types(answers: Answers) -> Seen:
    values = [item["contentType"] for item in answers.items("posts") if item.get("contentType") is not None]
    return (values, all(value in get_args(ContentType) for value in values)) if values else NOT_SEEN


def _platform(answers: Answers) -> Seen:
    values = [item["platform"] for item in answers.items("posts") if "platform" in item]
    return (values, all(value == "LINKEDIN" for value in values)) if values else NOT_SEEN


def _small_lists(answers: Answers) -> Seen:
    documents = [answers.good("workspaces"), answers.good("post statuses")]
    found = [document for document in documents if document is not None]
    if not found:
        return NOT_SEEN
    are_pages = all(isinstance(document.get("data"), list) and "pagination" in document for document in found)
    are_named = all("name" in item for item in answers.items("workspaces", "post statuses"))
    return [list(document) for document in found], are_pages and are_named


def _workspace_of_token(answers: Answers) -> Seen:
    document = answers.good("me") or {}
    principal = document.get("principal")
    if not isinstance(principal, dict) or principal.get("type") in (None, "api_key"):
        return NOT_SEEN
    return "with a token", isinstance(document.get("workspace"), dict)


def _finished_jobs(answers: Answers) -> Seen:
    statuses = [item.get("status") for item in answers.items("jobs", "file jobs")]
    finished = [status for status in statuses if str(status).upper() in ("DONE", "COMPLETED", "SUCCESS")]
    return (finished, all(status == "DONE" for status in finished)) if finished else NOT_SEEN


def _source(answers: Answers) -> Object:
    document = answers.good("source") or {}
    inner = document.get("data")
    return inner if isinstance(inner, dict) else {}


def _ready_source(answers: Answers) -> Seen:
    status = _source(answers).get("status")
    return (status, status == "Done") if status in READY_STATUSES else NOT_SEEN


def _topics(answers: Answers) -> Seen:
    source = _source(answers)
    has_topics = "topics" in source
    return (("present" if has_topics else "absent"), not has_topics) if source else NOT_SEEN


def _no_version(answers: Answers) -> Seen:
    return _by_status(answers, "no version", same=(200,))


def _limit(answers: Answers) -> Seen:
    return _by_status(answers, "limit 201", same=(400,))


def _unknown_value(answers: Answers) -> Seen:
    return _by_status(answers, "unknown status", same=(400,))


def _details(answers: Answers) -> Seen:
    error = answers.error("old version")
    if not isinstance(error, dict) or error.get("code") != "version_unsupported":
        return NOT_SEEN
    places = [name for name in ("details", "meta") if isinstance(error.get(name), dict)]
    return list(places), places == ["details"]


def _docs_url(answers: Answers) -> Seen:
    errors = [answers.error(name) for name in answers.raw]
    urls = [error.get("docs_url") for error in errors if isinstance(error, dict)]
    if not urls:
        return NOT_SEEN
    is_other = all(isinstance(url, str) and url.startswith("https://docs.scripe.io/") for url in urls)
    return ("the other site" if is_other else "elsewhere" if any(urls) else "absent"), is_other


def _health_auth(answers: Answers) -> Seen:
    document = answers.good("auth")
    if document is None:
        return NOT_SEEN
    return list(document), {"workspace", "principal"} <= set(document)


def _me(answers: Answers) -> Seen:
    document = answers.good("me")
    if document is None:
        return NOT_SEEN
    return list(document), {"workspace", "principal"} <= set(document) and "data" not in document


def _reach(answers: Answers) -> Seen:
    workspaces, principal = answers.items("workspaces"), (answers.good("me") or {}).get("principal")
    if not workspaces or not isinstance(principal, dict):
        return NOT_SEEN
    if principal.get("type") == "api_key":
        return ("one" if len(workspaces) == 1 else "several"), len(workspaces) == 1
    return ("several", True) if len(workspaces) > 1 else ("one", None)


def _job_types(answers: Answers) -> Seen:
    return _by_status(answers, "file jobs", same=(200,))


def _endpoints(answers: Answers) -> Seen:
    statuses = [answers.status(name) for name in ("workspaces", "post statuses")]
    known = [status for status in statuses if status is not None]
    return ({"status": max(known)}, max(known) == 200) if known else NOT_SEEN


PROBES: Final[Mapping[str, Callable[[Answers], Seen]]] = {
    "G1": _rate_headers,
    "G2": _reset,
    "G11": _date,
    "G12": _date_time,
    "G14": _newest_first,
    "G16": _project,
    "G17": _nulls,
    "G19": _error_form,
    "G20": _codes,
    "G21": _redirects,
    "G22": _note,
    "G23": _content_types,
    "G28": _platform,
    "G29": _small_lists,
    "O20": _workspace_of_token,
    "C1": _finished_jobs,
    "C2": _ready_source,
    "C6": _limit,
    "C7": _no_version,
    "C8": _details,
    "C9": _docs_url,
    "C14": _unknown_value,
    "C22": _health_auth,
    "C23": _me,
    "C24": _reach,
    "C25": _job_types,
    "C26": _topics,
    "C27": _date_time,
    "C29": _endpoints,
}
"""What the reads show about each fact. C4 is settled on another host, with `--mcp`."""

PHRASES: Final = (
    "on success",
    "not on success; on 429 not looked at",
    "seconds",
    "a time",
    "other",
    "always",
    "not always",
    "newest first",
    "another order",
    "an object",
    "a text",
    "some",
    "with a token",
    "present",
    "absent",
    "the other site",
    "elsewhere",
    "one",
    "several",
    "data",
    "error",
    "pagination",
    "workspace",
    "principal",
    "status",
    "version",
    "checks",
    "workspaces",
    "/oauth/authorize",
    "/oauth/token",
    "/mcp",
    "/api/mcp",
    "none",
    "client_secret_basic",
    "client_secret_post",
)
"""What may be seen, in words."""


def judge(answers: Answers) -> list[FactObservation]:
    """Return what the responses to the reads show about each fact."""
    return observations(PROBES, answers)


def observations(probes: Mapping[str, Callable[[S], Seen]], source: S) -> list[FactObservation]:
    """Return what something shows about each fact that it can settle."""
    seen: list[FactObservation] = []
    for fact in FACTS:
        if fact.id in probes:
            observed, is_same = probes[fact.id](source)
            verdict: Verdict = "not seen" if is_same is None else "same" if is_same else "differs"
            seen.append(FactObservation(fact.id, fact.claim, fact.assumed, observed, verdict))
    return seen
