"""Test objects in a notebook: escaped, collapsed, masked."""

from __future__ import annotations

import html as standard
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any, Protocol

from scripe import (
    Job,
    JobCancelledError,
    JobTimeoutError,
    NotFoundError,
    Progress,
    RateLimitError,
    Scripe,
    Source,
    Upload,
)
from scripe._html import list_table
from scripe._progress import NotebookBars, Task
from scripe.emulator import Emulator
from scripe.errors import APIConnectionError
from scripe.types import CurrentWorkspace, JobProgress, JobResult, Model, Page, Post, Principal, Workspace
from scripe.types.webhook_endpoint import WebhookEndpoint

AT = datetime(2026, 5, 15, 8, 21, 0, tzinfo=UTC)
LATER = datetime(2026, 5, 15, 8, 22, 5, tzinfo=UTC)


class Balance(HTMLParser):
    """A parser that checks that each element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class HTMLRepr(Protocol):
    def _repr_html_(self) -> str: ...


def html_of(thing: HTMLRepr) -> str:
    markup = thing._repr_html_()  # pyright: ignore[reportPrivateUsage] - as a notebook does
    balance = Balance()
    balance.feed(markup)
    assert balance.open == []
    return markup


def post(**more: object) -> Post:
    return Post.model_validate({"id": "post_1", "status": "draft", "created_at": AT, **more})


def job(**more: object) -> Job:
    return Job.model_validate(
        {"id": "job_1", "type": "POST_GENERATION", "status": "RUNNING", "created_at": AT, **more}
    )


def test_empty_fields_are_left_out_and_text_is_escaped() -> None:
    markup = html_of(post(content="<script>alert(1)</script>"))
    assert "<strong>Post</strong>" in markup
    assert "2026-05-15 08:21 UTC" in markup
    assert standard.escape("<script>alert(1)</script>") in markup
    assert "title" not in markup


class OutsideOfIgnored(HTMLParser):
    """A parser of the text that MathJax typesets: not that inside an element of the ignored classes."""

    def __init__(self) -> None:
        super().__init__()
        self.ignored = [False]
        self.seen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = (dict(attrs).get("class") or "").split()
        self.ignored.append(self.ignored[-1] or {"tex2jax_ignore", "mathjax_ignore"} <= set(names))

    def handle_endtag(self, tag: str) -> None:
        self.ignored.pop()

    def handle_data(self, data: str) -> None:
        self.seen += "" if self.ignored[-1] else data


def test_two_dollar_signs_are_not_a_formula(emulator: Emulator) -> None:
    money = "from $5M to $10M"
    task = Task(money)
    task.update(Progress("running", message=money))
    things: list[HTMLRepr] = [
        post(title=money),
        post(content=money * 20, tags=[money]),
        Page[Post](data=[post(title=money), post(title=money)]),
        NotFoundError(money, status_code=404, code=money),
        NotebookBars(task),
    ]
    for thing in things:
        parser = OutsideOfIgnored()
        markup = html_of(thing)
        parser.feed(markup)
        assert "$10M" in markup
        assert "$" not in parser.seen
    with emulator.client() as client:
        client.notes.create(project_id=emulator.project_id, content=money)
        parser = OutsideOfIgnored()
        parser.feed(html_of(client.notes.list(project_id=emulator.project_id)))
        assert "$" not in parser.seen


def test_a_long_python_list_shows_its_first_rows() -> None:
    markup = list_table([post(title=str(number)) for number in range(60)])
    assert markup.count("<tr") == 51
    assert "the first 50 of 60 rows" in markup


def test_a_long_text_is_collapsed() -> None:
    markup = html_of(post(content="word " * 100))
    assert "<details>" in markup
    assert markup.count("word") == 140


def test_unknown_fields_and_lists_are_shown() -> None:
    markup = html_of(post(mood="fine", tags=["a", "b"]))
    assert "mood" in markup
    assert "a, b" in markup


def test_objects_in_an_object() -> None:
    principal = Principal(id="key_1", scopes=["posts:read"])
    markup = html_of(
        CurrentWorkspace(workspace=Workspace(id="org_1", features={"x": True}), principal=principal)
    )
    assert markup.index("org_1") < markup.index("key_1") < markup.index("posts:read")
    topics = [{"title": "Trust", "hooks": [{"id": "hk_1"}]}, {"title": "Care"}]
    fields = {"id": "src_1", "project_id": "proj_1", "status": "Done", "created_at": AT, "topics": topics}
    markup = html_of(Source.model_validate(fields))
    assert "Trust" in markup
    assert "<td" in markup[markup.index("Care") - 200 : markup.index("Care")]


def test_a_job_shows_its_progress_and_how_long_it_took() -> None:
    assert '<progress max="1" style' in html_of(job(status="QUEUED"))
    markup = html_of(job(started_at=LATER, progress=JobProgress(progress=0.4, message="Writing")))
    assert 'value="0.400"' in markup
    assert "40% Writing" in markup
    assert "1:05" in markup
    ended = job(status="DONE", started_at=AT, completed_at=LATER, result=JobResult(post_id="post_1"))
    markup = html_of(ended)
    assert "<progress" not in markup
    assert "worked" in markup
    assert "post_1" in markup


def test_secrets_are_masked_as_in_the_repr() -> None:
    url = "https://storage.example/key?X-Amz-Signature=canary"
    upload = Upload(id="upl_1", upload_url=url, content_type="a/b", max_size_bytes=1, expires_at=AT)
    endpoint = WebhookEndpoint(id="whe_1", url="https://example.com", created_at=AT, secret="whsec_canary")
    for model in (upload, endpoint):
        assert "canary" not in html_of(model)
        assert "canary" not in html_of(Page[Model](data=[model]))


def test_a_page_is_a_table() -> None:
    assert "empty" in html_of(Page[Post](data=[]))
    markup = html_of(Page[Post](data=[post(), post(title="Two", content="line\n" * 100)]))
    assert "2 rows" in markup
    assert markup.count("<tr") == 3
    assert "platform" not in markup
    markup = html_of(Page[Job](data=[job(result=JobResult(post_id="post_9"))]))
    assert "1 row" in markup
    assert "post_id: post_9" in markup


def test_rows_of_objects_with_lists() -> None:
    fields: dict[str, Any] = {
        "id": "src_1",
        "project_id": "proj_1",
        "status": "Done",
        "created_at": AT,
        "topics": [{}, {}],
    }
    assert ">2</" in html_of(Page[Source](data=[Source.model_validate(fields)]))


def test_a_list_of_the_api_is_fetched_when_it_is_shown(emulator: Emulator) -> None:
    with emulator.client() as client:
        for _ in range(12):
            client.notes.create(project_id=emulator.project_id, content="Note")
        sent = len(emulator.requests)
        notes = client.notes.list(project_id=emulator.project_id)
        assert len(emulator.requests) == sent
        markup = html_of(notes)
        assert len(emulator.requests) == sent + 1
    assert markup.count("<tr") == 11
    assert "the first 10 rows; there are more" in markup


def test_a_list_that_cannot_be_fetched_says_why() -> None:
    with Scripe("scripe_sk_test_x", base_url="http://127.0.0.1:9", max_retries=0) as client:
        assert "APIConnectionError" in html_of(client.jobs.list())


def test_errors_say_what_is_needed_to_go_on() -> None:
    markup = html_of(APIConnectionError("nothing came", retryable=True, idempotency_key="key-1"))
    for part in ("APIConnectionError", "nothing came", "key-1", "may succeed later"):
        assert part in markup
    markup = html_of(RateLimitError("slow down", status_code=429, code="rate_limited", request_id="req_1"))
    assert "req_1" in markup
    assert markup.count("429") == 1
    assert "job_1" in html_of(JobCancelledError("cancelled", job=job(status="CANCELLED")))
    assert "job_1 (RUNNING)" in html_of(JobTimeoutError("late", jobs=[job()]))


def test_values_that_all_rows_share_are_in_the_note() -> None:
    rows = [post(platform="LINKEDIN", title="Same") for _ in range(2)]
    markup = html_of(Page[Post](data=rows))
    assert "2 rows; all: platform LINKEDIN, created_at 2026-05-15 08:21 UTC" in markup
    assert markup.count("LINKEDIN") == 1
    assert markup.count("Same") == 2


def test_moments_at_the_ends_of_the_calendar() -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))
    assert "0001-01-01 00:00:00+05:00" in html_of(post(scheduled_at=first))
