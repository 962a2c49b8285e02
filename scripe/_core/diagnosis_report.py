"""Write what was seen by an allowlist, so that it can be pasted into a public report.

Nothing is shown because it looks harmless: only what is on a list is shown as it is, and of all else its kind and
about how long it is. So no key, id, name, text or cursor gets through, in whatever field a server puts it, known or
not. The lists are the words of the API (`_vocabulary.py`), those of the facts, and ours.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Final

from .. import _vocabulary
from .._facts import FACTS
from ..types._base import JSON
from .diagnosis import CHECK_NAMES, EXTRAS, NEXT_STEPS, VARIABLES, Diagnosis
from .fact_probes import PHRASES
from .json_repair import load_json
from .outcome import RawResponse

NUMBERS: Final = frozenset(
    {
        "limit",
        "remaining",
        "reset_after",
        "maxSizeBytes",
        "capCents",
        "status",
        "milliseconds",
        "clock_offset_seconds",
        "exitCode",
        "format",
        "requests",
    }
)
"""The fields whose numbers are shown: rate limits, sizes, caps, and what was measured here."""

ID_PREFIXES = (
    "org_",
    "key_",
    "proj_",
    "note_",
    "post_",
    "src_",
    "tpc_",
    "hk_",
    "job_",
    "upl_",
    "kb_",
    "whe_",
    "whsec_",
    "req_",
    "scripe_",
)

_FIELD = re.compile("[A-Za-z_]{1,40}")
_HEADER = re.compile("[a-z-]{1,40}")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){0,3}((a|b|rc|\.dev|\.post)\d{1,4})?", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_MEDIA_TYPE = re.compile(
    r"(application/json|text/html|text/plain|application/xml)(; ?charset=utf-8)?", re.IGNORECASE
)

SHOWN_HEADERS: Final[Mapping[str, re.Pattern[str]]] = {
    "x-ratelimit-limit": _NUMBER,
    "x-ratelimit-remaining": _NUMBER,
    "x-ratelimit-reset": _NUMBER,
    "retry-after": _NUMBER,
    "scripe-api-version": _DATE,
    "idempotent-replayed": re.compile("true|false"),
    "content-type": _MEDIA_TYPE,
}
"""The headers whose values are shown, if they have this form."""


def _words_of(value: object) -> Iterator[str]:
    """Yield the texts in a constant or a type of the vocabulary."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | Mapping):
        for item in typing.cast("typing.Iterable[object]", value):
            yield from _words_of(item)
    else:
        yield from _words_of(typing.get_args(value))


def _all_words() -> Iterator[str]:
    for name, value in vars(_vocabulary).items():
        if not name.startswith("_"):
            yield from _words_of(value)
    for fact in FACTS:
        yield from (fact.id, fact.assumed)
        yield from re.findall("`([^`]+)`", f"{fact.claim} {fact.assumed}")
    yield from (*CHECK_NAMES, *EXTRAS, *VARIABLES, *OWN_WORDS, *PHRASES)
    for code, (level, next_step) in NEXT_STEPS.items():
        yield from (code, level, next_step)


OWN_WORDS: Final = (
    "ok",
    "not_seen",
    "same",
    "differs",
    "not seen",
    "GET",
    "not JSON",
    "empty",
    "httpx",
    "httpx2",
    "python",
)

LITERALS: Final = frozenset(_all_words())
"""The texts that are shown as they are."""


def describe(value: JSON, name: str = "") -> JSON:
    """Return what may be shown of a value that others wrote."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if name in NUMBERS and abs(value) < 1e15 else "number"
    if isinstance(value, str):
        return describe_text(value)
    if isinstance(value, Mapping):
        return {describe_name(key): describe(item, key) for key, item in list(value.items())[:50]}
    shown: list[JSON] = []
    for item in map(describe, value[:50]):
        if item not in shown:
            shown.append(item)
    return shown


def describe_text(text: str) -> str:
    """Return a text that is on the lists, else its kind and about how long it is."""
    if text in LITERALS:
        return text
    if match := _DATE_TIME.fullmatch(text):
        return " ".join(
            [
                "date-time",
                *(["ms"] if match[1] else []),
                *(["Z"] if match[2] == "Z" else ["offset"] if match[2] else []),
            ]
        )
    if _DATE.fullmatch(text):
        return "date"
    length = len(text)
    return (
        f"string({'0' if not length else '1-10' if length <= 10 else '11-100' if length <= 100 else '>100'})"
    )


def describe_name(name: str) -> str:
    """Return the name of a field, unless it may be an id."""
    return name if _FIELD.fullmatch(name) and not name.startswith(ID_PREFIXES) else "other"


def describe_headers(headers: Mapping[str, str]) -> dict[str, JSON]:
    """Return the names of headers, and the values of those on the list."""
    shown: dict[str, JSON] = {}
    for name, value in headers.items():
        form = SHOWN_HEADERS.get(name.lower())
        is_shown = form is not None and form.fullmatch(value)
        if _HEADER.fullmatch(name.lower()) and not name.lower().startswith(ID_PREFIXES):
            shown[name.lower()] = value if is_shown else describe_text("x" * len(value))
    return shown


def describe_response(path: str, raw: RawResponse) -> dict[str, JSON]:
    """Return what may be shown of a response; the path has no id in it."""
    return {
        "path": path,
        "status": raw.status,
        "headers": describe_headers(raw.headers),
        "body": describe_body(raw.body),
    }


def describe_body(body: bytes) -> JSON:
    """Return what may be shown of a body."""
    if not body.strip():
        return "empty"
    try:
        return describe(load_json(body))
    except (ValueError, RecursionError):
        return "not JSON"


def to_document(diagnosis: Diagnosis) -> dict[str, JSON]:
    """Return what may be shown of a diagnosis, as JSON."""
    fault = diagnosis.fault
    return {
        "format": 1,
        "fault": None if fault is None else fault.code,
        "checks": [
            {
                "name": check.name,
                "level": check.level,
                "code": check.code,
                "nextStep": check.next_step,
                "values": _describe_own(check.values),
            }
            for check in diagnosis.checks
        ],
        "facts": [
            {
                "id": fact.id,
                "verdict": fact.verdict,
                "assumed": fact.assumed,
                "observed": describe(fact.observed),
            }
            for fact in diagnosis.facts
        ],
        "responses": list(diagnosis.responses),
    }


def _describe_own(values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the values of a check; the versions of programs are shown if they look like some."""
    shown = {name: describe(value, name) for name, value in values.items() if name != "versions"}
    versions = values.get("versions")
    if isinstance(versions, dict):
        shown["versions"] = {
            name: version if isinstance(version, str) and _VERSION.fullmatch(version) else describe(version)
            for name, version in versions.items()
        }
    return shown


def to_markdown(diagnosis: Diagnosis) -> str:
    """Return what may be shown of a diagnosis, as a page with the document at its end."""
    document = to_document(diagnosis)
    rows = [
        f"| {check.name} | {check.level} | {check.code} | {check.next_step or ''} |"
        for check in diagnosis.checks
    ]
    table = "\n".join(["| Check | Level | Seen | Next step |", "|---|---|---|---|", *rows])
    facts = "".join(
        f"| {fact.id} | {fact.verdict} | {fact.assumed} | {json.dumps(describe(fact.observed))} |\n"
        for fact in diagnosis.facts
    )
    if facts:
        facts = f"\n| Fact | Verdict | Assumed | Observed |\n|---|---|---|---|\n{facts}"
    return f"# scripe doctor\n\n{table}\n{facts}\n```json\n{json.dumps(document, indent=2)}\n```\n"
