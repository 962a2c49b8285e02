import contextlib
import errno
import http.client
import io
import json
import logging
import os
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest

import scripe.emulator
from scripe import Scripe
from scripe.emulator import Clock, Emulator, Headers, Request, Response, S3Storage, Server, Settings
from scripe.emulator.__main__ import main
from tests.emulator.emulator_calls import START, Calls, frozen, path_of


@pytest.fixture
def server(emulator: Emulator) -> Iterator[Server]:
    with emulator.serve() as server:
        yield server


@contextlib.contextmanager
def connected(url: str) -> Generator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    with contextlib.closing(connection):
        yield connection


def spoken(server: Server, request: str) -> str:
    """What is answered to bytes of which no client sends the like."""
    address = urlsplit(server.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
        raw.sendall(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").encode("latin-1"))
        return b"".join(iter(lambda: raw.recv(4096), b"")).decode("latin-1")


def mint(server: Server, connection: http.client.HTTPConnection, **body: object) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/uploads", json.dumps(body), headers)
    answer: dict[str, str] = json.loads(connection.getresponse().read())["data"]
    return answer


def test_calls_through_the_port(emulator: Emulator, server: Server) -> None:
    assert server.base_url.startswith("http://127.0.0.1:")
    assert server.api_key == emulator.api_key
    with connected(server.base_url) as connection:
        connection.request("GET", "/v1/jobs?limit=2", headers={"Authorization": f"Bearer {server.api_key}"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["X-RateLimit-Limit"]) == (200, "120")
        assert json.loads(answer.read())["pagination"] == {"next_cursor": None, "has_more": False}
    assert emulator.requests[0].query == {"limit": "2"}


def test_an_upload_through_the_port(emulator: Emulator, server: Server) -> None:
    body = os.urandom(3 << 20)
    with connected(server.base_url) as connection:
        upload = mint(server, connection, contentType="audio/mpeg")
        assert urlsplit(upload["uploadUrl"]).netloc == urlsplit(server.base_url).netloc
        path = path_of(upload["uploadUrl"])
        connection.request("PUT", path, body, {"Content-Type": "audio/mpeg"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        connection.request("PUT", path, body, {"Content-Type": "audio/mpeg"})
        answer = connection.getresponse()
        assert answer.status == 412
        assert b"PreconditionFailed" in answer.read()
        connection.request("GET", "/v1/health")
        assert connection.getresponse().status == 200
    assert [request.storage for request in emulator.requests] == [False, True, True, False]


def test_a_put_without_length_through_the_port(server: Server) -> None:
    with connected(server.base_url) as connection:
        path = path_of(mint(server, connection, contentType="text/plain")["uploadUrl"])
        connection.request(
            "PUT", path, iter([b"a", b"b"]), {"Content-Type": "text/plain"}, encode_chunked=True
        )
        assert connection.getresponse().status == 411


def test_a_refusal_comes_before_the_body(server: Server) -> None:
    with connected(server.base_url) as connection:
        path = path_of(mint(server, connection, contentType="text/plain", maxSizeBytes=5)["uploadUrl"])
    for expectation in ("", "Expect: 100-continue\r\n"):
        address = urlsplit(server.base_url)
        with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
            head = f"PUT {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: text/plain\r\n"
            raw.sendall(f"{head}Content-Length: 500000000\r\n{expectation}\r\n".encode())
            assert raw.recv(4096).startswith(b"HTTP/1.1 400")


def test_an_upload_that_breaks_off_stores_nothing(emulator: Emulator, server: Server) -> None:
    with connected(server.base_url) as connection:
        path = path_of(mint(server, connection, contentType="text/plain")["uploadUrl"])
        headers = {"Content-Type": "text/plain"}
        address = urlsplit(server.base_url)
        with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
            head = f"PUT {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: text/plain\r\n"
            raw.sendall(f"{head}Content-Length: 50\r\n\r\nhalf".encode())
        deadline = time.monotonic() + 5
        while len(emulator.requests) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert emulator.requests[1].status == 400
        connection.request("PUT", path, b"whole", headers)
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/health"])
def test_a_dropped_answer_is_never_whole(emulator: Emulator, server: Server, path: str) -> None:
    emulator.drop_next()
    with connected(server.base_url) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {server.api_key}"})
        with pytest.raises(http.client.IncompleteRead):
            connection.getresponse().read()
    assert emulator.requests[0].status == 200


def test_a_dropped_put_is_never_whole(emulator: Emulator, server: Server) -> None:
    with connected(server.base_url) as connection:
        path = path_of(mint(server, connection, contentType="text/plain")["uploadUrl"])
        emulator.drop_next()
        connection.request("PUT", path, b"bytes", {"Content-Type": "text/plain"})
        with pytest.raises(http.client.IncompleteRead):
            connection.getresponse().read()


@pytest.mark.parametrize("path", ["/v1/sources", "/_storage/x"])
def test_a_connection_lost_before_the_work_gets_nothing_at_all(
    emulator: Emulator, server: Server, path: str
) -> None:
    emulator.drop_next(before=True)
    with connected(server.base_url) as connection:
        connection.request("PUT", path, b"x")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
    assert [request.status for request in emulator.requests] == [0]


NOW = "Fri, 15 May 2026 08:21:00 GMT"


def test_every_response_is_dated_by_the_emulators_clock(emulator: Emulator, api: Calls) -> None:
    upload = api.mint()
    responses = [
        api.get("/jobs"),
        api.get("/nothing"),
        api.put(upload, b"x", **{"Content-Length": "2"}),
        api.put(upload, b"x"),
        api.send("GET", "http://emulator.test/openapi.json", {}),
    ]
    emulator.fail_next(503)
    responses.append(api.get("/jobs"))
    assert {response.headers["Date"] for response in responses} == {NOW}
    emulator.clock.advance(3_600)
    assert api.get("/jobs").headers["Date"] == "Fri, 15 May 2026 09:21:00 GMT"


def test_a_failure_may_bring_a_date_of_its_own(emulator: Emulator, api: Calls) -> None:
    emulator.fail_next(503, headers={"date": "soon"})
    headers = api.get("/jobs").headers
    assert [text for name, text in headers.items() if name.lower() == "date"] == ["soon"]


def test_a_replay_has_a_new_date(emulator: Emulator, api: Calls) -> None:
    assert api.text(idempotency_key="key").headers["Date"] == NOW
    emulator.clock.advance(3_600)
    assert api.text(idempotency_key="key").headers["Date"] == "Fri, 15 May 2026 09:21:00 GMT"


def test_a_response_that_is_held_back_is_dated_when_it_leaves() -> None:
    with Emulator(clock=Clock(START)) as emulator:
        body = {"projectId": emulator.project_id, "source": {"text": "We ship."}}
        content = json.dumps({**body, "wait_for_completion_ms": 20_000}).encode()
        headers = {"Authorization": f"Bearer {emulator.api_key}", "Content-Type": "application/json"}
        url = "http://emulator.test/v1/posts/generations"
        request = Request("POST", url, headers, io.BytesIO(content), in_real_time=True)
        response = emulator.handle(request)
        completed = datetime.fromisoformat(json.loads(response.body)["data"]["completedAt"])
        assert parsedate_to_datetime(response.headers["Date"]) == completed.replace(microsecond=0)


def test_a_frozen_clock_gives_frozen_dates_over_a_port(
    emulator: Emulator, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(server.base_url) as connection:
        path = path_of(mint(server, connection, contentType="text/plain")["uploadUrl"])
    emulator.fail_next(204, path="/projects")
    emulator.delay_next(1.2, path="/health")
    targets: list[tuple[str, str, dict[str, str]]] = [
        ("GET", "/v1/health", {}),
        ("GET", "/v1/projects", {}),
        ("GET", "/v1/jobs", {"Host": "[::1"}),
        ("PUT", path, {"Content-Type": "text/html"}),
        ("PUT", path, {"Content-Type": "text/plain"}),
        ("GET", "/_emulator/state.json", {}),
        ("DELETE", "/_emulator", {}),
    ]
    for method, target, headers in targets:
        answer = httpx.request(method, f"{server.base_url.removesuffix('/v1')}{target}", headers=headers)
        assert answer.headers.get_list("date") == [NOW], target

    def crash(request: Request, response: Response) -> None:
        raise RuntimeError("broken")

    emulator.add_observer(crash)
    with caplog.at_level(logging.CRITICAL, "scripe.emulator"):
        assert httpx.get(f"{server.base_url}/health").headers.get_list("date") == [NOW]


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_may_have_no_body_has_none(emulator: Emulator, server: Server, status: int) -> None:
    emulator.fail_next(status, body=b"more than may be")
    with connected(server.base_url) as connection:
        for expected in (status, 200):  # on one connection, which would have been broken
            connection.request("GET", "/v1/health")
            answer = connection.getresponse()
            assert answer.status == expected
            assert bool(answer.read()) == (expected == 200)


def test_a_delayed_answer(emulator: Emulator, server: Server) -> None:
    emulator.delay_next(0.2)
    with connected(server.base_url) as connection:
        began = time.monotonic()
        connection.request("GET", "/v1/health")
        assert connection.getresponse().status == 200
        assert time.monotonic() - began >= 0.2


def test_every_path_reaches_the_emulator(server: Server) -> None:
    with connected(server.base_url) as connection:
        for path in ("/v1/notes/a%0Ab", "/", "//", "/v1/%2e%2e"):
            connection.request("GET", path, headers={"Authorization": f"Bearer {server.api_key}"})
            answer = connection.getresponse()
            assert answer.status == 404
            assert json.loads(answer.read())["error"]["code"] == "not_found"


@pytest.mark.parametrize("host", ["[::1", "a b", "x/../", "x?y", "user@x", "[v1.x]", "x:port", "\xff"])
def test_a_host_that_is_none_is_refused(emulator: Emulator, server: Server, host: str) -> None:
    assert spoken(server, f"GET /v1/health HTTP/1.1\r\nHost: {host}\r\n\r\n").startswith("HTTP/1.1 400")
    assert emulator.requests == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_caller_that_names_no_host_is_answered(emulator: Emulator, address: str) -> None:
    with emulator.serve(host=address) as server:
        assert spoken(server, "GET /v1/health HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 200")
        assert emulator.requests[0].path == "/health"


@pytest.mark.parametrize("target", ["*", "[", "http://[", "http://elsewhere/v1/health", "[::1]/v1/health"])
def test_a_target_that_is_no_path_is_nowhere(server: Server, target: str) -> None:
    said = spoken(server, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert said.startswith("HTTP/1.1 404")
    assert "There is nothing at /" in said


def test_of_a_body_without_end_no_more_is_kept_than_may_come(emulator: Emulator, server: Server) -> None:
    with connected(server.base_url) as connection:
        key = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/sources", b" " * (9 << 20), key)
        assert connection.getresponse().status == 413
    request = emulator.requests[0]
    assert request.headers["content-length"] == str(9 << 20)
    assert 4 << 20 < len(request.body) < 5 << 20


def test_a_disk_too_full_to_keep_a_body(
    emulator: Emulator, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def __init__(self, max_size: int) -> None:
            super().__init__()

        def write(self, content: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with connected(server.base_url) as connection:
        path = path_of(mint(server, connection, contentType="text/plain")["uploadUrl"])
        with monkeypatch.context() as patched:
            patched.setattr("scripe.emulator.server.tempfile.SpooledTemporaryFile", Full)
            connection.request("PUT", path, b"x" * (3 << 20), {"Content-Type": "text/plain"})
            answer = connection.getresponse()
            assert answer.status == 503
            assert b"No space left" in answer.read()
        connection.request("PUT", path, b"x", {"Content-Type": "text/plain"})
        assert connection.getresponse().status == 200
    assert [request.status for request in emulator.requests] == [200, 503, 200]


def test_a_crash_is_logged_and_answered(
    emulator: Emulator, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(request: Request, response: Response) -> None:
        raise RuntimeError("broken")

    emulator.add_observer(crash)
    with connected(server.base_url) as connection, caplog.at_level(logging.ERROR, "scripe.emulator"):
        connection.request("GET", "/v1/health")
        answer = connection.getresponse()
        assert json.loads(answer.read())["error"]["code"] == "internal_error"
    assert "The emulator crashed on GET /v1/health" in caplog.text


def test_many_threads(emulator: Emulator, server: Server) -> None:
    statuses: list[int] = []

    def call() -> None:
        with connected(server.base_url) as connection:
            connection.request(
                "GET", "/v1/health/auth", headers={"Authorization": f"Bearer {server.api_key}"}
            )
            statuses.append(connection.getresponse().status)

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20


@pytest.mark.parametrize("origins", [("http://localhost:5173",), ("*",)])
def test_pages_of_origins_that_are_named_may_call(origins: tuple[str, ...]) -> None:
    named = "*" if origins == ("*",) else "http://localhost:5173"
    asked = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key,scripe-api-version",
        "Access-Control-Request-Private-Network": "true",
    }
    with Emulator(cors_origins=origins) as emulator, emulator.serve() as server:
        preflight = httpx.options(f"{server.base_url}/notes", headers=asked)
        assert preflight.status_code == 200
        assert "date" in preflight.headers
        assert preflight.headers["access-control-allow-origin"] == named
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert "idempotency-key" in preflight.headers["access-control-allow-headers"]
        assert emulator.requests == []
        origin = {"Origin": asked["Origin"]}
        for answer in (
            httpx.get(f"{server.base_url}/jobs", headers=origin),
            httpx.get(f"{server.base_url}/health", headers={**origin, "Host": "[::1"}),
            httpx.put(f"{server.base_url.removesuffix('/v1')}/_storage/x", content=b"x", headers=origin),
        ):
            assert answer.headers["access-control-allow-origin"] == named
            assert answer.headers["access-control-expose-headers"] == "*"
        page = httpx.get(server.page_url, headers=origin)
        assert "access-control-allow-origin" not in page.headers
        elsewhere = httpx.get(f"{server.base_url}/health", headers={"Origin": "http://elsewhere"})
        assert elsewhere.headers.get("access-control-allow-origin") == ("*" if named == "*" else None)


def test_no_page_elsewhere_may_call_unless_it_is_named(server: Server) -> None:
    origin = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        answer = httpx.request(method, f"{server.base_url}/health", headers=origin)
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_starting_and_stopping(emulator: Emulator) -> None:
    server = emulator.serve(host="::1")
    server.stop()
    server.start()
    assert server.base_url.startswith("http://[::1]:")
    with connected(server.base_url) as connection:
        connection.request("GET", "/v1/health")
        assert connection.getresponse().status == 200
    port = urlsplit(server.base_url).port or 0
    with pytest.raises(OSError), emulator.serve(port, "::1"):
        pass
    server.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "scripe-emulator"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    main(["--port", "0", "--data", str(tmp_path / "new"), "--plan", "ADVANCED"], wait=interrupt)
    first = capsys.readouterr().out
    main(["--port", "0", "--speed", "2.5", "--data", str(tmp_path / "new")], wait=lambda: None)
    assert first.splitlines()[1] == capsys.readouterr().out.splitlines()[1]
    assert first.splitlines()[1].startswith("export SCRIPE_API_KEY=scripe_sk_test_")
    assert re.fullmatch(r"# Watch it in a browser: http://127\.0\.0\.1:\d+/_emulator", first.splitlines()[2])
    main(["--port", "0"], wait=lambda: None)


def test_emulators_that_start_at_once_on_a_new_folder_share_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripe.emulator", "--port", "0", "--data", str(tmp_path / "new")]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    keys = {[process.stdout.readline() for _ in range(2)][1] for process in started if process.stdout}
    for process in started:
        process.terminate()
    assert [process.communicate(timeout=10)[1] for process in started] == [""] * 4
    assert len(keys) == 1
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_a_database_that_another_emulator_is_making_is_waited_for(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "db", isolation_level=None, check_same_thread=False)
    with contextlib.closing(database) as other:
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(0.2, other.execute, ("COMMIT",))
        end.start()
        with Emulator(tmp_path / "db") as emulator:
            assert emulator.api_key
        end.join()


def test_a_database_that_stays_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripe.emulator._core.database.BUSY_TIMEOUT", 0.1)
    with contextlib.closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            Emulator(tmp_path / "db")
        assert caught.value.sqlite_errorname == "SQLITE_BUSY"
        other.execute("ROLLBACK")
    with Emulator(tmp_path / "db") as emulator:
        assert emulator.api_key


def own_address() -> str:
    """An address of this machine other than the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as routed:
        try:
            routed.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no network")
        return str(routed.getsockname()[0])


@pytest.mark.parametrize(
    ("host", "named", "remark"),
    [
        ("localhost", "localhost", ""),
        (
            "0.0.0.0",
            "127.0.0.1",
            "# From other machines use http://ADDRESS:{port}/v1 with an address of this one; ",
        ),
        ("::", "[::1]", "# From other machines use http://ADDRESS:{port}/v1 with an address of this one; "),
        ("own", "own", "# For this address "),
    ],
)
def test_the_lines_of_the_command_work_where_they_are_pasted(
    host: str, named: str, remark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = own_address() if host == "own" else ""
    variables: dict[str, str] = {}

    def paste() -> None:
        lines = capsys.readouterr().out
        for word in shlex.split(lines, comments=True):
            name, _, text = word.partition("=")
            variables[name] = text
        client = Scripe(
            variables["SCRIPE_API_KEY"],
            base_url=variables["SCRIPE_BASE_URL"],
            allow_insecure="# For this address" in lines,
        )
        with client:
            assert client.health.check().status == "ok"
        port = urlsplit(variables["SCRIPE_BASE_URL"]).port
        remarks = [line for line in lines.splitlines() if line.startswith("#")][1:]
        takes = "pass --allow-insecure to scripe, or allow_insecure=True in Python, since it is plain http."
        assert remarks == ([f"{remark.format(port=port)}{takes}"] if remark else [])

    main(["--port", "0", "--host", host.replace("own", own)], wait=paste)
    assert urlsplit(variables["SCRIPE_BASE_URL"]).netloc.rpartition(":")[0] == named.replace("own", own)


def test_what_is_no_port_and_no_speed(capsys: pytest.CaptureFixture[str]) -> None:
    for option, text in (("port", "x"), ("port", "65536"), ("speed", "fast"), ("speed", "-1")):
        with pytest.raises(SystemExit, match="2"):
            main([f"--{option}={text}"])
        assert f"{text} is not a {option}" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--shared-limit", "--rate-window", "--job-retention"])
@pytest.mark.parametrize("text", ["0", "-1", "many", "inf"])
def test_what_is_no_limit_and_no_span_of_time(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([f"{option}={text}"])
    assert f"{text} is not a " in capsys.readouterr().err


def test_the_command_takes_limits_and_the_age_of_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    def call() -> None:
        first, second, _ = capsys.readouterr().out.splitlines()
        url = first.removeprefix("export SCRIPE_BASE_URL=")
        headers = {"Authorization": f"Bearer {second.removeprefix('export SCRIPE_API_KEY=')}"}
        answer = httpx.get(f"{url}/projects", headers=headers)
        assert answer.headers["x-ratelimit-limit"] == "3"
        assert answer.headers["x-ratelimit-reset"] == "600"
        body = {"projectId": answer.json()["data"][0]["id"], "source": {"text": "We ship."}}
        job_id = httpx.post(f"{url}/posts/generations", json=body, headers=headers).json()["data"]["id"]
        httpx.post(f"{url.removesuffix('/v1')}/_emulator/advance", data={"seconds": "90000"})
        assert httpx.get(f"{url}/jobs/{job_id}", headers=headers).status_code == 404

    options = ["--shared-limit=3", "--rate-window=600", "--job-retention=1"]
    main(["--port=0", *options], wait=call)


@pytest.mark.parametrize("which", ["taken", "missing"])
def test_the_module_says_in_one_line_why_it_cannot_start(emulator: Emulator, which: str) -> None:
    with emulator.serve() as server:
        port = server.base_url.split(":")[2].split("/")[0]
        block = "import sys; sys.modules['uvicorn'] = None\n" if which == "missing" else ""
        code = f"{block}import runpy, sys; sys.argv[1:] = ['--port', {port!r}]\n"
        code += "runpy.run_module('scripe.emulator', run_name='__main__')"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    told = {
        "taken": f"The emulator cannot start: port {port} is taken; choose another, or 0 for any free one.\n",
        "missing": 'uvicorn is not installed. Install scripe with the extra "emulator", which adds uvicorn.\n',
    }
    assert (ended.returncode, ended.stderr) == (1, told[which])


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "scripe.emulator", "--port", "0", "--data", str(tmp_path / "file")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.stderr == f"The emulator cannot start: File exists: {tmp_path / 'file'}.\n"


def test_a_port_that_cannot_be_had_for_another_reason(emulator: Emulator) -> None:
    with pytest.raises(OSError) as caught, emulator.serve(host="203.0.113.1"):
        raise AssertionError
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_the_module() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "scripe.emulator", "--help"], check=True, capture_output=True, text=True
    )
    assert shown.stdout.startswith("usage: python -m scripe.emulator")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_with_a_signal(sent: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-m", "scripe.emulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip().partition("=")[2]
        try:
            with connected(url) as connection:
                connection.request("GET", "/v1/health")
                assert connection.getresponse().status == 200
            process.send_signal(sent)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_importing_is_light() -> None:
    heavy = "jsonschema starlette uvicorn pypdf docx pptx openpyxl tinytag httpx httpx2 pydantic"
    program = f"import sys, scripe.emulator; print([name for name in {heavy.split()} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_every_setting_is_a_keyword_of_the_emulator() -> None:
    values = {field.name: object() for field in fields(Settings)}
    values |= {"cors_origins": (), "max_recorded_requests": 1, "simulated_latency": 0, "plan": "FREE"}
    values |= {"rate_window": 1.0}
    settings = Emulator(**cast("dict[str, Any]", values)).settings
    assert {field.name: getattr(settings, field.name) for field in fields(Settings)} == values


def test_names() -> None:
    assert all(hasattr(scripe.emulator, name) for name in scripe.emulator.__all__)
    missing = "Cat"
    with pytest.raises(AttributeError, match="'Cat'"):
        getattr(scripe.emulator, missing)


def test_the_clock() -> None:
    clock = Clock()
    before = clock.now()
    assert abs(before - datetime.now(UTC)) < timedelta(seconds=5)
    clock.advance(timedelta(hours=1))
    assert timedelta(hours=1) <= clock.now() - before < timedelta(hours=1, seconds=5)
    assert frozen().now() == frozen().now()
    with pytest.raises(ValueError, match="start"):
        Clock(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError):
        clock.advance(-1)
    with pytest.raises(ValueError, match="8999"):
        clock.advance(timedelta(days=7_000 * 365.25))
    with pytest.raises(ValueError, match=r"start.*8999"):
        Clock(datetime.max.replace(tzinfo=UTC))


def test_headers() -> None:
    headers = Headers([("Content-Type", "text/plain")])
    assert headers["content-TYPE"] == "text/plain"
    assert list(headers) == ["Content-Type"]
    assert len(headers) == 1
    assert repr(headers) == "Headers({'Content-Type': 'text/plain'})"


def test_uploads_in_a_real_s3(bucket: S3Storage) -> None:
    with Emulator(clock=Clock(), storage=bucket) as emulator:
        api, body = Calls(emulator), "Grüße aus S3".encode()
        upload = api.mint()
        wanted = {"type": "file", "projectId": emulator.project_id, "uploadId": upload["id"]}
        assert api.post("/sources", wanted).code == "422 unprocessable"
        assert emulator.serve().application.reject_early(Request("PUT", upload["uploadUrl"])) is None
        with connected(upload["uploadUrl"]) as connection:
            path = path_of(upload["uploadUrl"])
            connection.request("PUT", path, body, {"Content-Type": "text/html"})
            refused = connection.getresponse()
            assert refused.status == 403
            assert b"SignatureDoesNotMatch" in refused.read()
            connection.request("PUT", path, body, {"Content-Type": "text/plain"})
            assert connection.getresponse().status == 200
        job = api.post("/sources", wanted).fields
        emulator.finish(job["id"])
        source_id = api.get(f"/jobs/{job['id']}").fields["result"]["sourceId"]
        assert api.get(f"/sources/{source_id}").fields["textPreview"] == "Grüße aus S3"


def test_keys_of_a_real_s3(bucket: S3Storage) -> None:
    with Emulator(storage=bucket) as emulator:
        api = Calls(emulator)
        upload = api.mint()
        with connected(upload["uploadUrl"]) as connection:
            connection.request("PUT", path_of(upload["uploadUrl"]), b"x", {"Content-Type": "text/plain"})
            assert connection.getresponse().status == 200
        url: str = upload["uploadUrl"]
        key = urlsplit(url).path.removeprefix("/bucket/")
        assert bucket.holds(key)
        emulator.clock.advance(25 * 3600)
        api.mint()
        assert not bucket.holds(key)
        with pytest.raises(LookupError):
            bucket.open(key)


def test_an_s3_that_refuses(bucket: S3Storage) -> None:
    with Emulator(storage=bucket) as emulator:
        endpoint = Calls(emulator).mint()["uploadUrl"].partition("/bucket/")[0]
    wrong = S3Storage(endpoint, "ACCESS", "WRONG", "bucket")
    with pytest.raises(OSError, match=r"GET.*403"):
        wrong.open("x")
    with pytest.raises(OSError):
        S3Storage("https://127.0.0.1:1", "ACCESS", "SECRET", "bucket").holds("x")


def test_a_storage_elsewhere_that_talks_nonsense_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b"not HTTP\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        storage = S3Storage(f"http://127.0.0.1:{listener.getsockname()[1]}", "ACCESS", "SECRET", "bucket")
        with Emulator(storage=storage) as elsewhere:
            api = Calls(elsewhere)
            wanted = {"type": "file", "projectId": elsewhere.project_id, "uploadId": api.mint()["id"]}
            answered = api.post("/sources", wanted)
        assert answered.code == "503 service_unavailable"
        assert "got no complete response: BadStatusLine" in answered.error["message"]


def test_a_job_whose_storage_went_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def holds(key: str) -> bool:
        return True

    gone = S3Storage("http://127.0.0.1:1", "ACCESS", "SECRET", "bucket")
    monkeypatch.setattr(gone, "holds", holds)
    with Emulator(storage=gone) as emulator:
        api = Calls(emulator)
        wanted = {"type": "file", "projectId": emulator.project_id, "uploadId": api.mint()["id"]}
        job = api.post("/sources", wanted).fields
        emulator.finish(job["id"])
        assert api.get(f"/jobs/{job['id']}").fields["errorCode"] == "STORAGE_UNAVAILABLE"


def test_another_emulator_takes_the_place_behind_a_port(emulator: Emulator, server: Server) -> None:
    with Emulator() as other:
        other.take_over(server)
        assert server.api_key == other.api_key
        httpx.get(f"{server.base_url}/health")
        assert len(emulator.requests) == 0
        assert len(other.requests) == 1


@pytest.mark.parametrize("in_real_time", [True, False])
def test_a_server_can_move_the_clock_on_instead_of_holding_an_answer_back(in_real_time: bool) -> None:
    emulator = Emulator(queue_seconds=0, run_seconds=0.1 if in_real_time else 20)
    server = emulator.serve()
    server.in_real_time = server.in_real_time and in_real_time
    body = {
        "projectId": emulator.project_id,
        "source": {"text": "We ship."},
        "wait_for_completion_ms": 25_000,
    }
    with server:
        before = emulator.clock.now()
        answer = httpx.post(
            f"{server.base_url}/posts/generations",
            headers={"Authorization": f"Bearer {server.api_key}"},
            json=body,
            timeout=15,
        )
    assert answer.json()["data"]["status"] == "DONE"
    assert emulator.clock.now() - before > timedelta(seconds=0.09 if in_real_time else 19)
