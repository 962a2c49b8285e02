from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import pytest

from scripe.cli import main
from scripe.emulator import Emulator


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a command line."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        return cast("dict[str, Any]", json.loads(self.out))

    @property
    def error(self) -> dict[str, Any]:
        """The one JSON document on stderr."""
        return cast("dict[str, Any]", json.loads(self.err)["error"])

    @property
    def id(self) -> str:
        """The id that the first line shows."""
        return self.out.split()[1]


Run: TypeAlias = Callable[..., Ran]


@pytest.fixture
def scripe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in this process; `stdin` is what it is given to read."""

    def run(*words: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = main(list(words))
        seen = capsys.readouterr()
        return Ran(code, seen.out, seen.err)

    return run


@pytest.fixture
def emulator(violations: list[str]) -> Iterator[Emulator]:
    """One whose jobs are done at once."""
    with Emulator(job_speed=1000) as made:
        yield made


@pytest.fixture
def served(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The same on a port, which the environment names."""
    with emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        yield emulator


@pytest.fixture
def environment(served: Emulator) -> dict[str, str]:
    """For a process of its own."""
    return {**os.environ, "PYTHONIOENCODING": "utf-8"}
