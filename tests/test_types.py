import copy
import gc
import json
import pickle
import subprocess
import sys
import weakref
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import scripe.types
from scripe._lazy import make_lazy_exports
from scripe._redaction import redact_query
from scripe.types import (
    NOT_GIVEN,
    CurrentWorkspace,
    Deprecation,
    Headers,
    Health,
    HealthAuth,
    Job,
    Model,
    NotGiven,
    Page,
    Progress,
    Project,
    RateLimit,
    ResponseInfo,
    Source,
    Upload,
)
from scripe.types._base import set_response, set_response_on_items
from scripe.types.page import page_of

M = TypeVar("M", bound=Model)

SOURCE: dict[str, Any] = {
    "id": "src_01J9ZA",
    "projectId": "proj_01J9ZA",
    "status": "Done",
    "name": "founder-podcast-2026-05-15.m4a",
    "fileType": "audio/mp4",
    "durationSeconds": 482,
    "createdAt": "2026-05-15T08:21:00.000Z",
    "updatedAt": "2026-05-15T08:23:11.000Z",
    "textPreview": "Hi everyone, today I want to talk about how we …",
    "textPreviewTruncated": True,
    "hasFullText": True,
}
TOPIC: dict[str, Any] = {
    "id": "tpc_a1b2c3d4e5f6g7h8",
    "title": "<string>",
    "summary": "<string>",
    "keyTakeaways": ["<string>"],
    "ranking": 123,
    "score": 123,
    "fromSeconds": 123,
    "toSeconds": 123,
    "hooks": [{"id": "hk_1", "content": "<string>", "postType": "<string>", "contentType": "<string>"}],
}
TEXT_SOURCE = {**SOURCE, "status": "Success", "fileType": None, "durationSeconds": 0, "updatedAt": None}
JOB: dict[str, Any] = {
    "id": "job_01J9ZA",
    "type": "POST_GENERATION",
    "status": "RUNNING",
    "projectId": "proj_01J9ZA",
    "startedAt": "2026-05-15T08:21:30.000Z",
    "completedAt": None,
    "progress": {"progress": 0.4, "message": "Generating post", "updatedAt": "2026-05-15T08:21:42.000Z"},
    "result": None,
    "errorCode": None,
    "errorMessage": None,
    "attemptCount": 1,
    "estimatedCompletionMs": 25000,
    "createdAt": "2026-05-15T08:21:00.000Z",
    "updatedAt": "2026-05-15T08:21:42.000Z",
}
DONE = {**JOB, "status": "DONE", "progress": None, "result": {"postId": "post_1"}}
UPLOAD: dict[str, Any] = {
    "id": "upl_acme_workspace_random_id_xxx",
    "uploadUrl": "https://bucket.s3.amazonaws.com/k?X-Amz-Credential=hush&X-Amz-Signature=hush#hush",
    "contentType": "audio/mpeg",
    "maxSizeBytes": 524288000,
    "expiresAt": "2026-05-15T08:36:00.000Z",
}
PROJECT: dict[str, Any] = {
    "id": "proj_1",
    "name": "Founder 🚀",
    "type": "PERSONAL_BRAND",
    "status": "ACTIVE",
    "url": None,
    "createdAt": "2026-05-15T08:21:00.000Z",
}
ME: dict[str, Any] = {
    "workspace": {"id": "org_1", "name": None, "plan": "BUSINESS", "features": {"apiAccess": True}},
    "principal": {"type": "api_key", "id": "key_1", "scopes": ["notes:read"]},
}
HEALTH: dict[str, Any] = {
    "status": "degraded",
    "version": "2026-08-01",
    "checks": {
        "db": {"ok": True, "latencyMs": 3},
        "redis": {"ok": False, "latencyMs": 900, "error": "timed out"},
        "auditBuffer": {"ok": True, "depth": None},
    },
}
AUTH: dict[str, Any] = {
    "status": "ok",
    "version": "2026-08-01",
    "workspace": {"id": "org_1"},
    "principal": {"id": "key_1", "scopes": []},
}
PAGE: dict[str, Any] = {"data": [DONE], "pagination": {"next_cursor": None, "has_more": False}}

EXAMPLES: list[tuple[type[Model], dict[str, Any]]] = [
    (Source, SOURCE),
    (Source, {**SOURCE, "topics": [TOPIC]}),
    (Source, TEXT_SOURCE),
    (Job, JOB),
    (Job, DONE),
    (Upload, UPLOAD),
    (Project, PROJECT),
    (CurrentWorkspace, ME),
    (Health, HEALTH),
    (HealthAuth, AUTH),
    (Page[Job], PAGE),
]
INFO = ResponseInfo(
    "GET",
    "/jobs",
    200,
    Headers([("X-Request-Id", "req_7")]),
    "req_7",
    None,
    RateLimit(120, 7, 3.0),
    Deprecation("2026-08-01"),
    0.2,
    1,
)


def dump(model: Model) -> object:
    return model.model_dump(by_alias=True, mode="json", exclude_unset=True)


@pytest.mark.parametrize(("model_class", "document"), EXAMPLES)
def test_a_dump_gives_the_apis_json_back(model_class: type[Model], document: dict[str, Any]) -> None:
    model = model_class.model_validate_json(json.dumps(document))
    assert dump(model) == document
    assert json.loads(model.model_dump_json(by_alias=True, exclude_unset=True)) == document
    assert model_class.model_validate(dump(model)) == model


@pytest.mark.parametrize(("model_class", "document"), EXAMPLES)
def test_fields_that_are_not_known_yet_are_kept(model_class: type[Model], document: dict[str, Any]) -> None:
    new = {**document, "newField": {"deepField": [1, None]}}
    model = model_class.model_validate(new)
    assert dump(model) == new
    assert getattr(model, "newField", None) == {"deepField": [1, None]}


@pytest.mark.parametrize(("model_class", "document"), EXAMPLES)
def test_models_are_frozen(model_class: type[Model], document: dict[str, Any]) -> None:
    model = model_class.model_validate(document)
    for name in (*model_class.model_fields, "anything"):
        with pytest.raises(ValidationError, match="frozen_instance"):
            setattr(model, name, "other")


@pytest.mark.parametrize(
    ("model_class", "document", "fields"),
    [
        (Source, SOURCE, ["status"]),
        (Job, JOB, ["status", "type"]),
        (Project, PROJECT, ["status", "type"]),
        (Upload, UPLOAD, ["method"]),
    ],
)
def test_values_that_an_enum_does_not_know_yet_are_accepted(
    model_class: type[Model], document: dict[str, Any], fields: list[str]
) -> None:
    for field in fields:
        assert getattr(model_class.model_validate({**document, field: "NEW_VALUE"}), field) == "NEW_VALUE"


@given(st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_instants_are_dumped_as_equal_ones_in_milliseconds_with_z(moment: datetime, offset: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    spelled = f"{moment.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}"
    project = Project.model_validate({**PROJECT, "createdAt": spelled})
    text = project.model_dump(mode="json")["created_at"]
    assert len(text) == len("2026-05-15T08:21:00.000Z")
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == datetime.fromisoformat(spelled) == project.created_at


def test_a_dump_for_python_keeps_the_instants() -> None:
    assert Project.model_validate(PROJECT).model_dump()["created_at"] == datetime(
        2026, 5, 15, 8, 21, tzinfo=UTC
    )


def test_an_instant_without_an_offset_is_utc_as_all_instants_of_the_api_are() -> None:
    project = Project.model_validate({**PROJECT, "createdAt": "2026-05-15T08:21:00"})
    assert project.model_dump(mode="json")["created_at"] == "2026-05-15T08:21:00.000Z"
    assert project.created_at == datetime(2026, 5, 15, 8, 21, tzinfo=UTC)


@pytest.mark.parametrize(("model_class", "document"), EXAMPLES)
def test_the_response_is_not_part_of_a_model(model_class: type[Model], document: dict[str, Any]) -> None:
    bare = model_class.model_validate(document)
    model = set_response(model_class.model_validate(document), INFO)
    assert model.last_response is INFO
    assert model == bare
    assert bare == model
    assert dump(model) == document
    assert "req_7" not in repr(model)


@pytest.mark.parametrize(("model_class", "document"), EXAMPLES)
def test_models_pickle_with_their_response(model_class: type[Model], document: dict[str, Any]) -> None:
    model = set_response(model_class.model_validate(document), INFO)
    loaded = pickle.loads(pickle.dumps(model))
    assert loaded == model
    assert loaded.last_response == INFO
    assert dump(loaded) == document


@pytest.mark.parametrize(("model_class", "document"), EXAMPLES)
def test_models_without_a_response_pickle_too(model_class: type[Model], document: dict[str, Any]) -> None:
    loaded = pickle.loads(pickle.dumps(model_class.model_validate(document)))
    assert dump(loaded) == document
    assert not hasattr(loaded, "last_response")


@pytest.mark.parametrize(("model_class", "document"), EXAMPLES)
def test_copies_of_a_model_keep_its_response(model_class: type[Model], document: dict[str, Any]) -> None:
    model = set_response(model_class.model_validate(document), INFO)
    for copied in (copy.copy(model), copy.deepcopy(model), model.model_copy()):
        assert copied == model
        assert copied.last_response == INFO


def test_a_page_pickles_into_another_process() -> None:
    pickled = pickle.dumps(Page[Project].model_validate({"data": [PROJECT]})).hex()
    code = f"import pickle; print(pickle.loads(bytes.fromhex('{pickled}')).data[0].id)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "proj_1", ran.stderr


def test_an_object_without_a_response_says_so() -> None:
    with pytest.raises(AttributeError, match=r"Job.*last_response"):
        _ = Job.model_validate(JOB).last_response


def test_a_model_of_the_callers_own_has_no_last_response() -> None:
    class Own(BaseModel):
        name: str

    mine = Own(name="a")
    assert set_response(mine, INFO) is mine
    assert not hasattr(mine, "last_response")


def list_repr(upload: Upload) -> str:
    return repr([upload])


@pytest.mark.parametrize("show", [repr, str, list_repr])
def test_a_presigned_link_is_shown_without_its_query(show: Any) -> None:
    upload = Upload.model_validate(UPLOAD)
    assert "hush" not in show(upload)
    assert "https://bucket.s3.amazonaws.com/k?…" in show(upload)
    assert upload.upload_url == UPLOAD["uploadUrl"]
    assert "hush" not in repr(Page[Upload](data=[upload]))


def test_a_link_without_a_query_is_shown_whole() -> None:
    assert redact_query("https://host/k") == "https://host/k"


@pytest.mark.parametrize("url", ["http://[bad?hush", "https://[v1/k?X-Amz-Signature=hush", "not a link?hush"])
def test_an_odd_link_breaks_no_repr_and_shows_no_query(url: str) -> None:
    assert "hush" not in redact_query(url)
    assert "hush" not in repr(Upload.model_validate({**UPLOAD, "uploadUrl": url}))


@pytest.mark.parametrize(
    ("status", "succeeded", "failed", "cancelled"),
    [
        ("DONE", True, False, False),
        ("COMPLETED", True, False, False),
        ("Completed", True, False, False),
        ("FAILED", False, True, False),
        ("failed", False, True, False),
        ("CANCELLED", False, False, True),
        ("CANCELED", False, False, True),
        ("QUEUED", False, False, False),
        ("RUNNING", False, False, False),
        ("PAUSED", False, False, False),
    ],
)
def test_c1_a_job_is_finished_in_both_words_for_success_and_an_unknown_status_is_not(
    status: str, succeeded: bool, failed: bool, cancelled: bool
) -> None:
    job = Job.model_validate({**JOB, "status": status})
    assert (job.is_succeeded, job.is_failed, job.is_cancelled) == (succeeded, failed, cancelled)
    assert job.is_finished is (succeeded or failed or cancelled)
    assert job.status == status


@pytest.mark.parametrize(
    ("status", "has_text", "ready", "failed"),
    [
        ("Done", True, True, False),
        ("Success", True, True, False),
        ("Success", False, True, False),
        ("Processing", False, False, False),
        ("Processing", True, True, False),
        ("NEW", False, False, False),
        ("Failed", False, False, True),
        ("Failed", True, False, True),
    ],
)
def test_c2_a_source_is_ready_in_both_words_and_an_unknown_status_is_processing(
    status: str, has_text: bool, ready: bool, failed: bool
) -> None:
    source = Source.model_validate({**SOURCE, "status": status, "hasFullText": has_text})
    assert (source.is_ready, source.is_failed) == (ready, failed)


@pytest.mark.parametrize(
    ("fields", "is_complete"),
    [
        ({"textPreview": "All of it.", "textPreviewTruncated": False}, True),
        ({"textPreview": "x" * 2000, "textPreviewTruncated": False}, True),
        ({"textPreview": "x" * 2000, "textPreviewTruncated": True}, False),
        ({"textPreview": "", "textPreviewTruncated": False}, False),
        ({"textPreview": "So far", "textPreviewTruncated": False, "status": "Failed"}, False),
        (
            {
                "textPreview": "So far",
                "textPreviewTruncated": False,
                "status": "Processing",
                "hasFullText": False,
            },
            False,
        ),
    ],
)
def test_a_source_says_whether_its_preview_is_the_whole_text(
    fields: dict[str, Any], is_complete: bool
) -> None:
    assert Source.model_validate({**SOURCE, **fields}).is_text_complete is is_complete


def test_c22_health_auth_is_read_in_both_shapes() -> None:
    auth = HealthAuth.model_validate(AUTH)
    assert auth.is_ok
    assert auth.workspace is not None
    assert auth.workspace.id == "org_1"
    assert auth.principal is not None
    assert auth.principal.scopes == []
    health = HealthAuth.model_validate(HEALTH)
    assert health.workspace is None
    assert health.checks is not None
    assert health.checks.redis is not None
    assert health.checks.redis.error == "timed out"
    assert HealthAuth.model_validate({}).status is None


def test_c23_a_workspace_is_read_in_both_shapes() -> None:
    both = CurrentWorkspace.model_validate(ME)
    assert both.principal is not None
    assert both.workspace.features == {"apiAccess": True}
    flat = CurrentWorkspace.model_validate({"id": "org_1", "name": "Acme"})
    assert flat.workspace.id == "org_1"
    assert flat.workspace.name == "Acme"
    assert flat.principal is None
    odd_ones: list[object] = [{}, [], {"name": "Acme"}]
    for odd in odd_ones:
        with pytest.raises(ValidationError):
            CurrentWorkspace.model_validate(odd)


def test_c26_a_source_may_have_topics_and_any_part_of_one_may_be_absent() -> None:
    assert Source.model_validate(SOURCE).topics == []
    topics = Source.model_validate({**SOURCE, "topics": [TOPIC, {}, dict.fromkeys(TOPIC)]}).topics
    assert topics[0].hooks is not None
    assert topics[0].hooks[0].post_type == "<string>"
    assert (topics[1].title, topics[2].key_takeaways) == (None, None)


def test_c26_topics_may_be_null() -> None:
    assert not Source.model_validate({**SOURCE, "topics": None}).topics


def test_a_response_without_pagination_is_the_last_page() -> None:
    page = Page[Job].model_validate({"data": []})
    assert (page.has_more, page.next_cursor) == (False, None)
    assert (
        Page[Job].model_validate({"data": [], "pagination": {"next_cursor": "c", "has_more": True}}).has_more
    )


def test_attributes_are_snake_case_and_both_spellings_are_taken() -> None:
    assert Source.model_validate(SOURCE).text_preview_truncated
    assert Job(id="a", type="b", status="c", created_at=datetime(2026, 5, 15, tzinfo=UTC)).attempt_count == 0


def test_headers_ignore_case_and_join_repeats() -> None:
    headers = Headers([("X-A", "1"), ("x-a", "2"), ("B", "3")])
    assert headers["X-a"] == "1, 2"
    assert headers.get("missing") is None
    assert "b" in headers
    assert (list(headers), len(headers)) == (["x-a", "b"], 2)
    assert repr(headers) == "Headers({'x-a': '1, 2', 'b': '3'})"
    assert pickle.loads(pickle.dumps(headers)) == headers


def test_the_class_of_a_page_outlives_its_pages() -> None:
    """Creating it again for each list would take longer than a call."""

    class Mine(BaseModel):
        id: str

    model_class = weakref.ref(page_of(Mine))
    gc.collect()
    assert model_class() is page_of(Mine)


def test_items_of_the_callers_own_have_no_last_response() -> None:
    class Foreign(BaseModel):
        id: str

    response = ResponseInfo("GET", "/things", 200, Headers(), None, None, None, None, 0.1, 1)
    mine, foreign = Source.model_validate(SOURCE), Foreign(id="x_1")
    set_response_on_items([], response)
    set_response_on_items([foreign, foreign], response)
    set_response_on_items([mine], response)
    assert mine.last_response is response
    assert foreign == Foreign(id="x_1")


def test_headers_of_the_wire_are_the_same() -> None:
    assert Headers.from_raw([(b"X-A", b"1"), (b"B", b"\xe4")]) == Headers([("x-a", "1"), ("b", "ä")])
    assert Headers.from_raw([(b"X-A", b"1"), (b"x-a", b"2")]) == Headers([("x-a", "1, 2")])


def test_left_out_differs_from_none() -> None:
    assert repr(NOT_GIVEN) == "NOT_GIVEN"
    assert not NOT_GIVEN
    assert NOT_GIVEN is NotGiven.NOT_GIVEN is pickle.loads(pickle.dumps(NOT_GIVEN))
    assert copy.deepcopy(NOT_GIVEN) is NOT_GIVEN


def test_progress_is_a_value() -> None:
    assert Progress("queued") == Progress("queued", None, 0, 0, None)
    assert pickle.loads(pickle.dumps(Progress("done", 1.0))) == Progress("done", 1.0)


def test_every_public_type_is_there_and_a_typo_is_not() -> None:
    names: list[str] = vars(scripe.types)["__all__"]
    assert all(getattr(scripe.types, name) is not None for name in names)
    assert set(names) <= set(dir(scripe.types))
    with pytest.raises(AttributeError, match="'Jop'"):
        getattr(scripe.types, "Jop")  # noqa: B009
    with pytest.raises(ImportError):
        exec("from scripe.types import Jop")


def test_public_names_load_their_module_when_first_used_and_stay() -> None:
    load, names = make_lazy_exports("scripe.types", {"Stage": ".progress"})
    assert load("Stage") is scripe.types.Stage
    assert "Stage" in names()
    code = (
        "import sys, scripe; assert 'pydantic' not in sys.modules; assert 'Job' in dir(scripe);"
        "assert scripe.Job is scripe.types.Job; assert 'Job' in vars(scripe)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_moment_of_the_first_year_is_written_in_full() -> None:
    job = Job.model_validate({**JOB, "createdAt": "0001-01-01T00:00:00.000Z"})
    assert job.model_dump(by_alias=True, mode="json")["createdAt"] == "0001-01-01T00:00:00.000Z"


NEAR_THREE = datetime(2026, 12, 1, 2, 50, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        pytest.param({"Date": "Tue, 01 Dec 2026 02:50:40 GMT"}, NEAR_THREE, id="GMT"),
        pytest.param({"Date": "Tue, 01 Dec 2026 02:50:40 -0000"}, NEAR_THREE, id="no zone"),
        pytest.param({"Date": "soon"}, None, id="no time"),
        pytest.param({}, None, id="no header"),
    ],
)
def test_the_servers_time_is_read_from_its_header(header: dict[str, str], moment: datetime | None) -> None:
    response = ResponseInfo("GET", "/", 200, Headers(header.items()), None, None, None, None, 0.1, 1)
    assert response.date == moment
