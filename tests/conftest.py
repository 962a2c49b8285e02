"""Fixtures of all tests."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripe.emulator import Emulator, Headers, Request, S3Storage
from tests.emulator.contract import CONTRACT, watch_all
from tests.support.server import Reply, ScriptedServer

pytest_plugins = ("pytester", "tests.selection", "tests.support.case_ids")
KEY = "scripe_sk_test_canary0123456789"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees a key, a proxy, certificates, a base URL or a login that happens to be there; the engine stays."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "nobody-signed-in"))
    for name in list(os.environ):
        is_ours = name.startswith("SCRIPE_") and name != "SCRIPE_HTTP"
        if (
            is_ours
            or name in ("COLUMNS", "LINES")
            or name.lower().endswith("_proxy")
            or name.startswith("SSL")
        ):
            monkeypatch.delenv(name)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[ScriptedServer]:
    """A server that answers by script. What it is sent is held against the description of the API too."""
    with ScriptedServer(Reply(599, b"no script")) as scripted:
        yield scripted
    sent = [
        Request(
            each.method, scripted.origin + each.target, Headers(each.headers.items()), io.BytesIO(each.body)
        )
        for each in scripted.received
        if each.path.startswith("/v1/") and each.is_whole
    ]
    found = [problem for each in sent for problem in CONTRACT.check_request(each)]
    assert bool(found) == (request.node.get_closest_marker("beyond_the_description") is not None), found


@pytest.fixture(autouse=True)
def violations(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every request that reaches an emulator, and every answer of it, is held against the description of the API."""
    found = watch_all(monkeypatch)
    yield found
    assert found == []


@pytest.fixture
def emulator(violations: list[str]) -> Iterator[Emulator]:
    with Emulator() as made:
        yield made


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[S3Storage]:
    """A bucket of a real S3: rclone's, which refuses a wrong type, length, signature or an expired link."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "s3" / "bucket").mkdir(parents=True)
    rclone, address = str(Path(sys.executable).with_name("rclone")), f"127.0.0.1:{port}"
    command = [rclone, "serve", "s3", "--auth-key", "ACCESS,SECRET", "--addr", address, str(tmp_path / "s3")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield S3Storage(f"http://127.0.0.1:{port}/", "ACCESS", "SECRET", "bucket")
        process.terminate()
