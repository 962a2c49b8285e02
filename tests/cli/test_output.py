"""Test the output: complete ids, texts of others without control characters, one document for programs."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest

from scripe import types
from scripe.cli import main, sanitize, tables, views
from scripe.emulator import Emulator

from .conftest import Run
from .terminal import seen_by_a_person, without_colours

HOSTILE = (
    "[red]Hi[/red] [link=https://x]\x1b[31mred\x1b]0;title\x07 \u202edlrow \x9b31m :smile:\r\nline two\ttab"
)


def test_a_table_fits_the_terminal_and_keeps_ids_whole(served: Emulator, environment: dict[str, str]) -> None:
    ids = served.seed(posts=2, notes=1).post_ids
    with served.client() as client:
        long = client.posts.create(project_id=served.project_id, content="Ünïcödé and 🚀 " * 20)
    words = ["posts", "list", "--project-id", served.project_id]
    code, seen = seen_by_a_person(words, environment)
    lines = without_colours(seen).splitlines()
    assert code == 0
    assert lines[0].split() == ["id", "status", "scheduled", "text"]
    assert [line.split()[0] for line in lines[1:]] == [long.id, *reversed(ids)]
    assert max(map(len, lines)) <= 80
    assert "…" in lines[1]
    narrow = without_colours(seen_by_a_person(words, environment, 20)[1]).splitlines()
    assert long.id in narrow[1]
    wide = without_colours(seen_by_a_person(words, environment, 500)[1])
    assert "Ünïcödé and 🚀 " * 19 in wide


def test_states_are_coloured_where_there_are_colours(served: Emulator, environment: dict[str, str]) -> None:
    served.seed(jobs=1, job_status="FAILED")
    assert "\x1b[31mFAILED" in seen_by_a_person(["jobs", "list"], environment)[1]
    no_colour = seen_by_a_person(["jobs", "list"], {**environment, "NO_COLOR": "1"})[1]
    assert "FAILED" in no_colour
    assert "\x1b[31m" not in no_colour
    dumb = seen_by_a_person(["jobs", "list"], {**environment, "TERM": "dumb"})[1]
    assert "FAILED" in dumb
    assert "\x1b" not in dumb


def test_an_object_at_a_terminal(served: Emulator, environment: dict[str, str]) -> None:
    code, seen = seen_by_a_person(["projects", "get", served.project_id], environment)
    lines = without_colours(seen).splitlines()
    assert code == 0
    assert lines[0] == f"id       {served.project_id}"
    assert lines[1] == "name     Founder brand 🚀"
    assert "status   \x1b[0m\x1b[32mACTIVE" in seen


@pytest.mark.parametrize(
    "sizes",
    [{"COLUMNS": "0"}, {"COLUMNS": "-5"}, {"COLUMNS": "²"}, {"COLUMNS": "9" * 5000}, {"LINES": "0"}],
    ids=lambda sizes: str(sizes)[:20],
)
def test_invalid_terminal_sizes_are_ignored(
    served: Emulator, environment: dict[str, str], sizes: dict[str, str]
) -> None:
    code, seen = seen_by_a_person(["whoami"], {**environment, **sizes}, width=0)
    lines = without_colours(seen).splitlines()
    assert code == 0
    assert lines[1] == "name       Acme"
    code, seen = seen_by_a_person(["posts", "--help"], {**environment, **sizes})
    lines = without_colours(seen).splitlines()
    assert code == 0
    assert lines[0] == "Usage: scripe posts COMMAND [OPTIONS]"
    assert 60 < max(map(len, lines)) <= 80
    assert seen_by_a_person(["whoami", "--version"], {**environment, **sizes}) == (0, "scripe 0.1.0\n")


def test_an_empty_list_at_a_terminal(served: Emulator, environment: dict[str, str]) -> None:
    assert seen_by_a_person(["jobs", "list"], environment) == (0, "The list is empty.\n")


@pytest.mark.parametrize("width", [80, 300])
def test_texts_of_others_do_not_control_a_terminal(
    served: Emulator, environment: dict[str, str], width: int
) -> None:
    with served.client() as client:
        post = client.posts.create(project_id=served.project_id, title=HOSTILE, content=HOSTILE)
    listed = ["posts", "list", "--project-id", served.project_id]
    for words in (listed, ["posts", "get", post.id]):
        plain = without_colours(seen_by_a_person(words, {**environment, "NO_COLOR": "1"}, width)[1])
        assert "[red]Hi[/red] [link" in plain
        assert not set(plain) & set("\x1b\x07\u202e\x9b")


def test_texts_of_others_in_a_pipe(served: Emulator, scripe: Run) -> None:
    with served.client() as client:
        post = client.posts.create(project_id=served.project_id, title=HOSTILE, content=HOSTILE)
    listed = scripe("posts", "list", "--project-id", served.project_id).out
    assert listed.count("\n") == 1
    assert len(listed.split("\t")) == 4
    text = scripe("posts", "get", post.id).out
    assert "\nline two\ttab\n" in text
    assert not set(listed + text) & set("\x1b\x07\u202e\x9b")
    document = scripe("posts", "get", post.id, "--json")
    assert document.document["content"] == HOSTILE
    assert not set(document.out) & set("\x1b\x07\u202e\x9b")


def test_messages_of_others_do_not_control_a_terminal(served: Emulator, scripe: Run) -> None:
    served.fail_next(404, message=HOSTILE, times=2)
    ran = scripe("whoami")
    assert ran.err.count("\n") == 1
    assert not set(ran.err) & set("\x1b\x07\u202e\x9b")
    assert not set(scripe("whoami", "--json").err) & set("\x1b\x07\u202e\x9b")


def test_a_lone_surrogate_is_written_as_an_escape() -> None:
    assert sanitize.escape_controls(json.dumps("\ud800", ensure_ascii=False)) == '"\\ud800"'
    assert sanitize.strip_controls("\ud800") == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_output_of_another_encoding(
    served: Emulator, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    def written(*words: str) -> str:
        written_to = io.BytesIO()
        stream = io.TextIOWrapper(written_to, encoding=encoding)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", stream)
            assert main(words) == 0
        return written_to.getvalue().decode(encoding)

    assert "Founder brand ?" in written("projects", "get", served.project_id)
    document = json.loads(written("projects", "get", served.project_id, "--json"))
    assert document["name"] == "Founder brand 🚀"


def test_the_document_is_the_json_of_the_api(served: Emulator, scripe: Run) -> None:
    with served.client() as client:
        project = client.projects.retrieve(served.project_id)
    wanted = project.model_dump(by_alias=True, mode="json", exclude_unset=True)
    assert scripe("projects", "get", served.project_id, "--json").document == wanted
    assert scripe("--json", "projects", "get", served.project_id).document == wanted


def test_options_of_every_command_stand_anywhere(served: Emulator, scripe: Run) -> None:
    one = scripe("--json", "--workspace-id", "org_x", "projects", "--limit", "1")
    other = scripe("projects", "--limit", "1", "--workspace-id=org_x", "--json", "--no-progress")
    assert (one, one.code) == (other, 0)
    assert {request.headers["Scripe-Workspace-Id"] for request in served.requests} == {"org_x"}
    assert "scripe-cli" in served.requests[0].headers["User-Agent"]


def test_the_attributes_of_each_view_exist() -> None:
    kinds = [getattr(types, name) for name in views.VIEWS]
    for kind, view in zip(kinds, views.VIEWS.values(), strict=True):
        read = [*view.fields.values(), *view.columns.values(), *([view.text] if view.text else [])]
        known = {"scopes", "workspace", "principal", *kind.model_fields}
        assert [
            getter for getter in read if isinstance(getter, str) and getter.split(".")[0] not in known
        ] == []
        assert view.flexible is None or view.flexible in view.columns


def test_an_absent_part_is_left_out() -> None:
    workspace = types.Workspace(id="org_x")
    view = views.VIEWS["CurrentWorkspace"]
    cells = views.cells(types.CurrentWorkspace(workspace=workspace), view.fields)
    assert cells == ["org_x", "", "", "", "", ""]
    note = types.Note.model_validate({"id": "note_x", "createdAt": "2026-05-15T09:00:00+02:00"})
    assert views.cells(note, views.VIEWS["Note"].columns) == ["note_x", "", "2026-05-15T07:00Z", ""]
    odd = types.Note.model_validate({**note.model_dump(), "slot": {"id": "slot_x", "date": "some day"}})
    assert "some day" in views.cells(odd, views.VIEWS["Note"].fields)


def test_times_are_in_utc_in_any_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    fields = {
        "id": "note_x",
        "createdAt": "0001-01-01T00:00:00+05:00",
        "slot": {"id": "s", "date": "2026-12-01"},
    }
    cells = views.cells(types.Note.model_validate(fields), views.VIEWS["Note"].fields)
    monkeypatch.undo()
    time.tzset()
    assert "2026-12-01T00:00Z" in cells
    assert "0001-01-01 00:00:00+05:00" in cells


def test_tables_and_lines_without_a_terminal() -> None:
    view = views.View(fields={}, columns={"id": "id", "text": "text"}, flexible="text")
    assert tables.render_table(view, [["x" * 90, "y" * 90]]).splitlines()[1] == f"{'x' * 90}  {'y' * 11}…"
    fixed = views.View(fields={}, columns={"id": "id"})
    assert tables.render_table(fixed, [["x" * 90]]).splitlines() == ["id", "x" * 90]
    assert tables.render_fields({"id": "x", "state": "DONE"}) == "id     x\nstate  DONE\n"


def test_texts_come_from_a_file_or_from_stdin(served: Emulator, scripe: Run, tmp_path: Path) -> None:
    file = tmp_path / "text.md"
    file.write_bytes(b"\xef\xbb\xbfFrom a file: \xc3\xa4\n")
    of = ["--project-id", served.project_id]
    for words in (["sources", "create", *of], ["notes", "create", *of], ["posts", "create", *of]):
        assert scripe(*words, "--text-file", str(file)).out.endswith("\nFrom a file: ä\n")
        assert scripe(*words, "--text-file", "-", stdin=b"From stdin").out.endswith("\nFrom stdin\n")
        empty = scripe(*words, "--text-file", "-")
        assert (empty.code, empty.err) == (2, "error: The text is empty.\n")
    assert scripe("knowledge", "add", "--text-file", str(file)).code == 0
    assert json.loads(served.requests[-1].body)["name"] == "text.md"
    unnamed = scripe("knowledge", "add", "--text-file", "-", stdin=b"Hi")
    assert unnamed.err == "error: A text needs a name. Give --name.\n"
