from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest

from scripe._concurrency import Clock
from scripe.cli import main
from scripe.emulator import Emulator
from tests.support.hurry import HurriedClock

MEMO = (Path(__file__).parents[2] / "examples" / "files" / "memo.mp3").read_bytes()


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a command line."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Return the one JSON document on stdout."""
        return cast("dict[str, Any]", json.loads(self.out))

    @property
    def error(self) -> dict[str, Any]:
        """Return the one JSON document on stderr."""
        return cast("dict[str, Any]", json.loads(self.err)["error"])

    @property
    def id(self) -> str:
        """Return the id in the first line."""
        return self.out.split()[1]


Run: TypeAlias = Callable[..., Ran]


@pytest.fixture
def scripe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in this process; it reads `stdin`."""

    def run(*words: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = main(list(words))
        seen = capsys.readouterr()
        return Ran(code, seen.out, seen.err)

    return run


@pytest.fixture
def emulator(violations: list[str]) -> Iterator[Emulator]:
    """Make an emulator whose jobs finish at once."""
    with Emulator(job_speed=1000) as emulator:
        yield emulator


@pytest.fixture
def served(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Serve the emulator, and set its address and API key in the environment."""
    with emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        yield emulator


@pytest.fixture
def environment(served: Emulator) -> dict[str, str]:
    """Return the environment for a process that uses the emulator."""
    return {**os.environ, "PYTHONIOENCODING": "utf-8"}


def add_files(folder: Path, count: int, size: int = 0) -> None:
    """Write recordings, each with a content of its own, and of a size if that is more."""
    for number in range(count):
        path = folder / f"ep{number:03}.mp3"
        path.write_bytes(MEMO + b"%d" % number)
        if size:
            os.truncate(path, size)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of three recordings."""
    folder = tmp_path / "in"
    folder.mkdir()
    add_files(folder, 3)
    return folder


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients in this process have a clock fifty times as fast: a bulk run waits 5 seconds for its first jobs."""
    clock = HurriedClock(50)

    def now(_: Clock) -> float:
        return clock.now()

    def sleep(_: Clock, seconds: float) -> None:
        clock.sleep(seconds)

    monkeypatch.setattr(Clock, "now", now)
    monkeypatch.setattr(Clock, "sleep", sleep)
