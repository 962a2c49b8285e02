"""What a call and an import cost, by counts that no clock disturbs. A change that costs more says so here.

The counts are those of the Python they were recorded on; others inline more or less, and are given more room.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import servers
from scripe import Scripe
from scripe.emulator import Emulator
from tests.support import shapes
from tests.support.server import ScriptedServer, json_reply

ROOT = Path(__file__).parent.parent

RECORDED_ON = (3, 11)
ROOM = 0.1 if sys.version_info[:2] == RECORDED_ON else 0.4

CALLS = {"httpx": [398, 418], "httpx2": [285, 307]}
"""Python functions that are called in one call, sync and async, by the engine in between too."""

BYTES = {"httpx": 6_750, "httpx2": 5_550}
"""Bytes that one sync call holds at most, beside what was held before; of an async one the loop holds some."""

STEP = 0.25
"""Mappings grow in steps, and when they do differs a little from process to process."""

LOADED = {"scripe", "scripe._lazy", "scripe._version"}
STANDARD = {"__future__", "importlib", "importlib._bootstrap", "importlib._bootstrap_external", "warnings"}


def run_process(*arguments: str, **variables: str) -> str:
    """Return the output of a process of its own, where no other test has warmed or filled anything."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


NEEDED = {
    "scripe._core.body",
    "scripe._core.cancellation",
    "scripe._core.config",
    "scripe._core.deadline",
    "scripe._core.idempotency",
    "scripe._core.json_repair",
    "scripe._core.outcome",
    "scripe._core.pagination",
    "scripe._core.poll_throttle",
    "scripe._core.polling",
    "scripe._core.rate_limit",
    "scripe._core.request",
    "scripe._core.response",
    "scripe._core.retry",
    "scripe.types._base",
    "scripe.types.job",
    "scripe.types.not_given",
    "scripe.types.page",
    "scripe.types.progress",
    "scripe.types.response_info",
}
"""Modules of rules and models that a call which reads a job loads: none for uploads or tables."""


def test_a_call_costs_no_more_functions_memory_and_modules_than_recorded() -> None:
    engine = os.environ.get("SCRIPE_HTTP") or "httpx"
    found = json.loads(run_process("-m", "tests.support.cost", SCRIPE_HTTP=engine))
    assert found["calls"] == pytest.approx(CALLS[engine], rel=ROOM)
    assert found["bytes"] == pytest.approx(BYTES[engine], rel=STEP)
    loaded = {each for each in found["loaded"] if each.startswith(("scripe._core.", "scripe.types."))}
    assert loaded == NEEDED


def test_an_import_loads_just_these_modules() -> None:
    """The rest comes with the first name that is used."""
    found = run_process(
        "-c", "import sys; before = set(sys.modules); import scripe; print(*set(sys.modules) - before)"
    )
    assert LOADED <= set(found.split()) <= LOADED | STANDARD


@pytest.mark.parametrize("case", ["page", "second_client", "put_without_md5", "writes", "get_with_login"])
def test_a_case_of_the_benchmarks_runs(case: str, tmp_path: Path) -> None:
    """Each reaches into private modules, and no type checker sees it: it runs in an environment of its own."""
    page, recording = tmp_path / "page.json", tmp_path / "recording.mp3"
    page.write_bytes(servers.page(0))
    recording.write_bytes(b"ID3")
    job = json_reply({"data": shapes.job()})
    with Emulator() as emulator, emulator.serve() as server, ScriptedServer(job) as scripted:
        client = Scripe(server.api_key, base_url=server.base_url)
        upload = client.uploads.create(content_type="audio/mpeg", max_size_bytes=3)
        arguments = {
            "page": [str(page)],
            "second_client": [server.base_url],
            "put_without_md5": [upload.upload_url, str(recording)],
            "writes": ["ledger"],
            "get_with_login": [scripted.base_url],
        }[case]
        worker = str(ROOT / "benchmarks" / "contenders" / "worker.py")
        digest = hashlib.md5(b"ID3", usedforsecurity=False).hexdigest()
        client.close()
        output = subprocess.run(
            [sys.executable, worker, "with_scripe", case, *arguments],
            input="1\n",
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "BENCH_MD5": digest},
        ).stdout
    assert '"wall"' in output
