"""A report shows what is on its lists, and nothing else, whatever a server sends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe._core.diagnosis import Diagnosis, DiagnosisCheck, Findings
from scripe._core.diagnosis_report import (
    ID_PREFIXES,
    LITERALS,
    SHOWN_HEADERS,
    describe,
    describe_headers,
    describe_response,
    to_document,
    to_markdown,
)
from scripe._core.fact_probes import FactObservation
from scripe._core.outcome import RawResponse
from scripe._facts import FACTS
from scripe.types import JSON
from scripe.types.response_info import Headers

TEXTS = st.text() | st.sampled_from(
    [
        "DONE",
        "2026-12-01T10:00:00.000Z",
        "2026-12-01",
        "scripe_sk_live_canary",
        "org_canary",
        *sorted(LITERALS)[:9],
    ]
)
NAMES = st.text() | st.sampled_from(["limit", "status", "data", "proj_canary", "id", "whsec_canary"])
ANY_JSON: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=20,
)
KIND = re.compile(r"string\((0|1-10|11-100|>100)\)|number|date|date-time( ms)?( Z| offset)?")
FIELD = re.compile("[A-Za-z_]{1,40}")


def strings_of(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings_of(item)


def names_of(value: JSON) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from names_of(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from names_of(item)


def is_listed(text: str) -> bool:
    return text in LITERALS or KIND.fullmatch(text) is not None


@given(ANY_JSON)
def test_every_string_is_on_the_lists(value: JSON) -> None:
    assert [text for text in strings_of(describe(value)) if not is_listed(text)] == []


@given(ANY_JSON)
def test_no_name_of_a_field_may_be_an_id(value: JSON) -> None:
    shown = list(names_of(describe(value)))
    assert [name for name in shown if not FIELD.fullmatch(name) or name.startswith(ID_PREFIXES)] == []


@given(st.dictionaries(NAMES | st.sampled_from(sorted(SHOWN_HEADERS)), TEXTS | st.from_regex(r"\d{1,12}")))
def test_every_header_is_on_the_lists(headers: Mapping[str, str]) -> None:
    shown = describe_headers(Headers(headers.items()))
    listed = [
        re.fullmatch("[a-z-]{1,40}", name)
        and (is_listed(str(value)) or SHOWN_HEADERS[name].fullmatch(str(value)))
        for name, value in shown.items()
    ]
    assert all(listed)


@given(ANY_JSON, st.binary())
def test_every_string_of_a_whole_document_is_on_the_lists(value: JSON, body: bytes) -> None:
    findings = Findings()
    findings.add("workspace", "a canary", "ok", observed=value)
    findings.responses.append(describe_response("/health", RawResponse(200, Headers(), body)))
    findings.responses.append(
        describe_response("/health", RawResponse(200, Headers(), json.dumps(value).encode()))
    )
    strings = [*strings_of(to_document(findings.result()))]
    assert [text for text in strings if not is_listed(text) and text != "/health"] == []


def test_numbers_of_rate_limits_are_shown_and_others_are_not() -> None:
    assert describe({"limit": 120, "score": 7}) == {"limit": 120, "score": "number"}


def test_a_list_shows_each_kind_once() -> None:
    assert describe(["DONE", "DONE", "abc", "def"]) == ["DONE", "string(1-10)"]


@pytest.mark.parametrize(
    ("body", "shown"), [(b" ", "empty"), (b"<html>", "not JSON"), (b'{"status":"ok"}', {"status": "ok"})]
)
def test_a_body_is_shown_by_its_kind(body: bytes, shown: JSON) -> None:
    assert describe_response("/health", RawResponse(200, Headers(), body))["body"] == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-12-01T10:00:00.000Z", "date-time ms Z"),
        ("2026-12-01T10:00:00Z", "date-time Z"),
        ("2026-12-01T10:00:00+01:00", "date-time offset"),
        ("2026-12-01T10:00:00", "date-time"),
        ("2026-12-01", "date"),
        ("", "string(0)"),
        ("x" * 11, "string(11-100)"),
        ("x" * 101, "string(>100)"),
    ],
)
def test_a_text_is_shown_by_its_kind(text: str, shown: str) -> None:
    assert describe(text) == shown


def test_a_version_that_looks_like_one_is_shown() -> None:
    check = DiagnosisCheck("engine", "ok", "", {"versions": {"httpx": "0.28.1", "httpx2": "canary"}})
    document = to_document(Diagnosis((check,)))
    assert "0.28.1" in json.dumps(document)
    assert "canary" not in json.dumps(document)


def test_the_page_holds_the_document() -> None:
    fact = FactObservation("C6", "a claim", FACTS[0].assumed, "canary", "differs")
    diagnosis = Diagnosis((DiagnosisCheck("health", "no_response", "canary"),), facts=(fact,))
    page = to_markdown(diagnosis)
    assert json.loads(page.partition("```json\n")[2].partition("```")[0]) == to_document(diagnosis)
    assert "| C6 | differs |" in page
    assert "canary" not in page
