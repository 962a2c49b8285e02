"""Fixtures of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from scripe.emulator import Emulator
from tests.support.server import Reply, ScriptedServer

KEY = "scripe_sk_test_canary0123456789"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees a key, a proxy or a base URL that happens to be set; the engine stays."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or (name.startswith("SCRIPE_") and name != "SCRIPE_HTTP"):
            monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply(599, b"no script")) as scripted:
        yield scripted


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as made:
        yield made


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)
