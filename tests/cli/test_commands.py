"""Test every command, with its output for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripe.emulator import Emulator

from .conftest import Ran, Run

FILES = Path(__file__).parents[2] / "examples" / "files"
SOON = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%dT%H:%MZ}"
HOOK = "https://example.com/hook"


def shows(ran: Ran, *texts: str) -> None:
    assert (ran.code, ran.err) == (0, ""), ran
    assert [text for text in texts if text not in ran.out] == []


Words = Callable[[Emulator], list[str]]
SINGLE: dict[str, tuple[Words, str]] = {
    "whoami": (lambda e: ["whoami"], "workspace.id"),
    "projects get": (lambda e: ["projects", "get", e.project_id], "id"),
    "sources create": (
        lambda e: ["sources", "create", "--project-id", e.project_id, "--text", "Hi", "--name", "Talk"],
        "name",
    ),
    "sources ingest": (
        lambda e: ["sources", "ingest", str(FILES / "memo.mp3"), "--project-id", e.project_id],
        "name",
    ),
    "notes create": (lambda e: ["notes", "create", "--project-id", e.project_id, "--text", "Hi"], "content"),
    "posts create": (lambda e: ["posts", "create", "--project-id", e.project_id, "--text", "Hi"], "content"),
    "posts generate": (
        lambda e: ["posts", "generate", "--project-id", e.project_id, "--text", "Hi there."],
        "id",
    ),
    "posts generate --wait": (
        lambda e: ["posts", "generate", "--project-id", e.project_id, "--text", "Hi there.", "--wait"],
        "content",
    ),
    "knowledge add --text": (lambda e: ["knowledge", "add", "--text", "Hi", "--name", "Greeting"], "type"),
    "knowledge add --url": (lambda e: ["knowledge", "add", "--url", "https://example.com"], "type"),
    "knowledge add --youtube": (lambda e: ["knowledge", "add", "--youtube", "https://youtu.be/x"], "type"),
    "knowledge add --file": (lambda e: ["knowledge", "add", "--file", str(FILES / "letter.docx")], "type"),
    "knowledge add --wait": (
        lambda e: ["knowledge", "add", "--url", "https://example.com", "--wait"],
        "result.documentId",
    ),
    "uploads put": (lambda e: ["uploads", "put", str(FILES / "memo.mp3")], "contentType"),
}


def inside(document: Mapping[str, Any], path: str) -> str:
    first, _, rest = path.partition(".")
    return inside(document[first], rest) if rest else str(document[first])


@pytest.mark.parametrize("name", SINGLE)
def test_an_object_is_shown_as_text_and_as_json(served: Emulator, scripe: Run, name: str) -> None:
    words, field = SINGLE[name]
    for_program = scripe("--json", *words(served))
    assert (for_program.code, for_program.err) == (0, "")
    value = inside(for_program.document, field)
    for_person = scripe(*words(served))
    assert (for_person.code, for_person.err) == (0, "")
    kept = value.partition("_")[0] if field in ("id", "result.documentId") else value
    assert kept in for_person.out


def test_projects_are_listed(served: Emulator, scripe: Run) -> None:
    lines = scripe("projects").out.splitlines()
    assert [line.split("\t")[1] for line in lines] == [
        "Founder brand 🚀",
        "Acme company page",
        "Old campaign",
    ]
    assert scripe("projects", "list").out.splitlines() == lines
    document = scripe("projects", "--json").document
    assert document["hasMore"] is False
    assert [item["id"] for item in document["data"]] == [line.split("\t")[0] for line in lines]


def test_lists_are_shown_as_text_and_as_json(served: Emulator, scripe: Run) -> None:
    served.seed(notes=3, posts=3, jobs=3)
    of = ["--project-id", served.project_id]
    for words in (["notes", "list", *of], ["posts", "list", *of], ["jobs", "list"], ["posts", "statuses"]):
        lines = scripe(*words).out.splitlines()
        document = scripe(*words, "--json").document
        assert [line.split("\t")[0] for line in lines] == [item["id"] for item in document["data"]]
        assert len(lines) >= 3


def test_a_list_ends_at_its_limit_and_says_so(served: Emulator, scripe: Run) -> None:
    served.seed(jobs=203)
    ran = scripe("jobs", "list", "--limit", "2")
    assert len(ran.out.splitlines()) == 2
    assert ran.err == "There are more. To see them, add --limit N or --all.\n"
    assert scripe("jobs", "list", "--limit", "2", "--json").document["hasMore"] is True
    assert len(scripe("jobs", "list").out.splitlines()) == 50
    everything = scripe("jobs", "list", "--all")
    assert (len(everything.out.splitlines()), everything.err) == (203, "")
    assert len(scripe("jobs", "list", "--limit", "203").out.splitlines()) == 203


def test_filters_reach_the_api(served: Emulator, scripe: Run) -> None:
    served.seed(jobs=2, job_status="FAILED")
    served.seed(jobs=1, job_status="DONE")
    failed = scripe("jobs", "list", "--status", "FAILED", "--type", "POST_GENERATION", "--json")
    assert [job["status"] for job in failed.document["data"]] == ["FAILED"] * 2
    both = scripe("jobs", "list", "--status", "FAILED", "--status", "DONE")
    assert len(both.out.splitlines()) == 3
    none = scripe("jobs", "list", "--date-to", "2020-01-01")
    assert (none.out, none.err) == ("", "The list is empty.\n")
    assert scripe("jobs", "list", "--date-to", "2020-01-01", "--json").document == {
        "data": [],
        "hasMore": False,
    }


def test_posts_are_created_changed_and_unscheduled(served: Emulator, scripe: Run) -> None:
    of = ["--project-id", served.project_id]
    created = scripe("posts", "create", *of, "--text", "- Bullet", "--title", "Take", "--scheduled-for", SOON)
    shows(created, "scheduled", SOON, "Take", "\n- Bullet\n")
    shows(scripe("posts", "update", created.id, "--unschedule"), "draft")
    shows(
        scripe("posts", "update", created.id, "--text", "New", "--title", "Other", "--auto-like"),
        "Other",
        "New",
    )
    shows(scripe("posts", "update", created.id, "--status-category", "inReview"), "id")
    status = scripe("posts", "statuses").out.split("\t")[0]
    shows(scripe("posts", "update", created.id, "--status-id", status, "--no-auto-comment"), "draft")
    shows(
        scripe("posts", "update", created.id, "--scheduled-for", SOON, "--content-type", "EDUCATIONAL"), SOON
    )
    shows(scripe("posts", "get", created.id), "EDUCATIONAL", "New")
    assert scripe("posts", "get", created.id, "--json").document["title"] == "Other"


def test_a_note_has_its_slot_and_becomes_a_post(served: Emulator, scripe: Run) -> None:
    of = ["--project-id", served.project_id]
    note = scripe("notes", "create", *of, "--text", "Hi", "--date", SOON, "--content-type", "EDUCATIONAL")
    shows(note, SOON, "EDUCATIONAL")
    shows(scripe("notes", "get", note.id), "Hi")
    shows(scripe("notes", "list", *of, "--date-from", SOON[:10], "--date-to", SOON[:10]), note.id)
    shows(scripe("posts", "generate", *of, "--note-id", note.id), "POST_GENERATION")
    shows(scripe("posts", "generate", *of, "--note-id", note.id, "--wait"), "post_")


def test_jobs_are_shown_waited_for_and_cancelled(served: Emulator, scripe: Run) -> None:
    job = scripe("knowledge", "add", "--url", "https://example.com").id
    shows(scripe("jobs", "wait", job), "DONE", "kb_")
    shows(scripe("jobs", "get", job), "DONE")
    assert scripe("jobs", "wait", job, "--json").document["status"] == "DONE"
    queued = served.seed(jobs=1, job_status="QUEUED").job_ids[0]
    cancelled = scripe("jobs", "cancel", queued)
    shows(cancelled, "CANCELLED")


def test_several_jobs_are_waited_for(served: Emulator, scripe: Run) -> None:
    done = served.seed(jobs=2, job_status="DONE").job_ids
    ran = scripe("jobs", "wait", *done)
    assert ran.code == 0
    assert [line.split("\t")[0] for line in ran.out.splitlines()] == done
    failed = served.seed(jobs=1, job_status="FAILED").job_ids
    ran = scripe("jobs", "wait", *done, *failed)
    assert (ran.code, len(ran.out.splitlines())) == (13, 3)
    assert ran.err == "1 of 3 jobs failed or were cancelled. To see why, run: scripe jobs get ID\n"
    for_program = scripe("jobs", "wait", *done, *failed, "--json")
    assert for_program.code == 13
    assert for_program.err == ""
    assert len(for_program.document["data"]) == 3
    shows(scripe("jobs", "get", *failed), "SEEDED_FAILURE: This job was seeded as failed.")


def test_a_running_job_shows_its_progress(scripe: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(job_speed=0) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        job = scripe("knowledge", "add", "--url", "https://example.com").id
        emulator.start(job)
        emulator.set_progress(job, 0.4, "Reading")
        shows(scripe("jobs", "get", job), "40% Reading")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_webhook_shows_its_secret_when_it_is_made(served: Emulator, scripe: Run, *, as_json: bool) -> None:
    notes = [] if as_json else ["The secret is shown only now, and cannot be read again. Store it."]
    options = ["--json"] if as_json else []
    create = ["webhooks", "create", "--name", "Mine", "--url", HOOK, "--event", "post.created"]
    created = scripe(*create, "--event", "job.failed", *options)
    assert (created.code, created.err.splitlines()) == (0, notes)
    assert "whsec_" in created.out
    endpoint = created.document["id"] if as_json else created.id
    again = scripe("webhooks", "get", endpoint, *options)
    assert "whsec_" not in again.out
    assert "job.failed" in again.out
    rotated = scripe("webhooks", "rotate-secret", endpoint, *options)
    assert (rotated.code, rotated.err.splitlines()) == (0, notes)
    assert "whsec_" in rotated.out


def test_a_webhook_is_changed(served: Emulator, scripe: Run) -> None:
    created = scripe("webhooks", "create", "--name", "Mine", "--url", HOOK, "--event", "post.created")
    narrowed = scripe("webhooks", "update", created.id, "--project-id", served.project_id, "--name", "Ours")
    shows(narrowed, served.project_id, "Ours")
    widened = scripe(
        "webhooks", "update", created.id, "--all-projects", "--inactive", "--event", "post.updated"
    )
    shows(widened, "active          no", "post.updated")
    assert served.project_id not in widened.out
    shows(scripe("webhooks", "update", created.id, "--active", "--url", f"{HOOK}/2"), f"{HOOK}/2", "yes")


def test_a_used_upload_link_is_not_shown(served: Emulator, scripe: Run) -> None:
    document = scripe("uploads", "put", str(FILES / "memo.mp3"), "--json").document
    assert set(document) == {"id", "contentType", "maxSizeBytes", "expiresAt", "method"}


def test_a_file_gets_the_name_and_type_that_are_given(served: Emulator, scripe: Run, tmp_path: Path) -> None:
    odd = tmp_path / "minutes.odd"
    odd.write_text("We met.")
    ran = scripe(
        *("sources", "ingest", str(odd), "--project-id", served.project_id, "--content-type", "text/plain"),
        *("--name", "Minutes", "--wait-timeout", "60"),
    )
    shows(ran, "Minutes", "text/plain", "We met.")
    shows(scripe("sources", "get", ran.id), "Minutes", "We met.")


def test_the_page_of_all_commands(scripe: Run) -> None:
    pages = [scripe(), scripe("--help"), scripe("-h"), scripe("help")]
    assert len({(page.code, page.out, page.err) for page in pages}) == 1
    shows(pages[0], "whoami", "rotate-secret", "--json")


def test_the_version(scripe: Run) -> None:
    shows(scripe("--version"), "scripe 0.1.0\n")
    shows(scripe("--json", "--version"), "scripe 0.1.0")


def test_pages_of_commands(scripe: Run) -> None:
    page = scripe("posts", "generate", "--help")
    shows(
        page, "Usage: scripe posts generate", "--note-id ID", "--idempotency-key", "Options of every command"
    )
    assert scripe("help", "posts", "generate") == page
    shows(scripe("posts", "--help"), "Show one post, and its text.")
    shows(scripe("posts"), "Show one post, and its text.")
