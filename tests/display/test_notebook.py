"""Test the output of a notebook, with a real kernel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

CELLS = [
    "from scripe.emulator import Emulator\nemulator = Emulator()\nclient = emulator.client()",
    (
        "source = client.sources.ingest(\n"
        "    b'text', content_type='text/plain', project_id=emulator.project_id, show_progress=True)\nsource"
    ),
    (
        "jobs = [client.posts.generate(project_id=emulator.project_id, text=text) for text in 'ab']\n"
        "emulator.fail(jobs[0].id)\nended = client.jobs.wait_all(jobs, show_progress=True)\nended[1]"
    ),
    "client.jobs.list()",
    (
        "from scripe import ScripeError\ntry:\n    client.posts.retrieve('post_1')\n"
        "except ScripeError as error:\n    shown = error\nshown"
    ),
    (
        "async with emulator.async_client() as other:\n"
        "    post = await other.posts.generate_and_wait(\n"
        "        project_id=emulator.project_id, text='Bars', show_progress=True)\n"
        "    found = await other.jobs.list().head(2)\nfound"
    ),
    "other.jobs.list()",
    "client.posts.retrieve('post_1')",
    "client.jobs.wait_all('job_1', on_update=print)",
    (
        "class Own(list):\n    def _repr_html_(self):\n        return 'its own'\n"
        "display(ended[:1] + ended[1:], [ended[0], 1], Own([1]))\nended"
    ),
    "client.close(); emulator.close()",
]
RAISING = {7, 8}

Output = dict[str, Any]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[list[Output]]:
    path = tmp_path_factory.mktemp("notebook") / "run.ipynb"
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "source": cell,
            "metadata": {"tags": ["raises-exception"] if number in RAISING else []},
            "outputs": [],
            "execution_count": None,
            "id": str(number),
        }
        for number, cell in enumerate(CELLS)
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    subprocess.run([sys.executable, "-m", "jupyter", "execute", "--inplace", str(path)], check=True)
    return [cell["outputs"] for cell in json.loads(path.read_text())["cells"]]


def html(output: Output) -> str:
    return "".join(output["data"]["text/html"])


def test_one_live_bar_that_ends_full(outputs: list[list[Output]]) -> None:
    bar, source = outputs[1]
    assert [label in html(bar) for label in ("✓ Upload", "✓ Queue", "✓ Processing")] == [True] * 3
    assert html(bar).count('value="1.000"') == 3
    assert "".join(bar["data"]["text/plain"]) == "file: Processing"
    assert "<strong>Source</strong>" in html(source)


def test_many_jobs_have_one_bar(outputs: list[list[Output]]) -> None:
    bar, job = outputs[2]
    assert "2 of 2, 1 failed or cancelled" in html(bar)
    for text in ("DONE", "waited", "worked", "post_"):
        assert text in html(job)


def test_a_list_shows_its_first_rows(outputs: list[list[Output]]) -> None:
    assert html(outputs[3][0]).count("<tr") == 4
    assert "3 rows" in html(outputs[3][0])


def test_a_python_list_of_models_is_a_table(outputs: list[list[Output]]) -> None:
    slices, mixed, own, ended = outputs[9]
    for table in (slices, ended):
        assert html(table).count("<tr") == 3
        assert "2 rows" in html(table)
    assert "text/html" not in mixed["data"]
    assert html(own) == "its own"


def test_without_a_notebook_lists_are_left_alone() -> None:
    code = (
        "import IPython; from scripe.types import Job; from IPython.core.formatters import HTMLFormatter\n"
        "print(HTMLFormatter()([]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("None\n", "")


def test_an_error_reads_well(outputs: list[list[Output]]) -> None:
    text = html(outputs[4][0])
    for part in ("NotFoundError", "404", "not_found", "req_", "retryable", "no"):
        assert part in text


def test_the_async_client_works_with_await_at_the_top(outputs: list[list[Output]]) -> None:
    bar, page = outputs[5]
    assert "New post" in html(bar)
    assert "the first 2 rows; there are more" in html(page)
    assert "AsyncPager of /jobs" in html(outputs[6][0])


@pytest.mark.parametrize(
    ("cell", "named", "called"),
    [
        (7, "NotFoundError", "client.posts.retrieve('post_1')"),
        (8, "InvalidArgumentError", "wait_all('job_1'"),
    ],
)
def test_an_error_that_is_raised_shows_the_cell_and_not_our_frames(
    outputs: list[list[Output]], cell: int, named: str, called: str
) -> None:
    (raised,) = outputs[cell]
    assert (raised["output_type"], raised["ename"]) == ("error", named)
    lines = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(raised["traceback"]))
    assert called in lines
    assert f"{named}: {raised['evalue']}" in lines
    for ours in ("sender.py", "response.py", "posts.py", "polling.py", "raise "):
        assert ours not in lines
    assert re.search(r"Frames of scripe that are hidden: \d;", lines)


def test_a_terminal_with_ipython_shows_the_same() -> None:
    """Show the frame of a callback, though the library calls it."""
    code = (
        "import scripe, scripe.emulator\n"
        "def refuse(job):\n"
        "    raise scripe.ScripeError('not this one')\n"
        "with scripe.emulator.Emulator() as emulator, emulator.client() as client:\n"
        "    client.jobs.wait(emulator.seed(jobs=1).job_ids[0], on_update=refuse)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", code], capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert "ScripeError: not this one" in ran.stdout
    assert "in refuse(job)" in ran.stdout
    assert "on_update=refuse" in ran.stdout
    assert "poller.py" not in ran.stdout
    assert re.search(r"Frames of scripe that are hidden: \d;", ran.stdout)


def test_an_error_that_the_caller_raises_has_a_whole_traceback() -> None:
    code = "import scripe\nraise scripe.ScripeError('mine')"
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", code], capture_output=True, text=True
    )
    assert "ScripeError: mine" in ran.stdout
    assert "hidden" not in ran.stdout
