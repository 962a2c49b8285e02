import base64
import contextlib
import hashlib
import re
import sqlite3
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripe.emulator import Emulator, Request, S3Storage
from scripe.emulator._core.storage.sigv4 import Credentials, presign
from tests.emulator.emulator_calls import ORIGIN, Calls, Fields, frozen, storage_code

MEGABYTE = 1024 * 1024
SECRET = "SELECT text FROM meta WHERE name = 'storage_secret'"
OFFICE = "application/vnd.openxmlformats-officedocument"


@pytest.mark.parametrize(
    ("content_type", "megabytes", "extension"),
    [
        ("audio/mpeg", 500, "mp3"),
        ("video/mp4", 500, "mp4"),
        ("image/png", 25, "png"),
        ("application/pdf", 100, "pdf"),
        ("text/plain", 25, "txt"),
        ("text/plain; charset=utf-8", 25, "txt"),
        ("application/msword", 100, "doc"),
        (f"{OFFICE}.wordprocessingml.document", 100, "docx"),
        (f"{OFFICE}.presentationml.template", 100, "template"),
        ("audio/-", 500, "bin"),
    ],
)
def test_caps(api: Calls, content_type: str, megabytes: int, extension: str) -> None:
    upload = api.mint(content_type)
    assert (upload["maxSizeBytes"], upload["contentType"]) == (megabytes * MEGABYTE, content_type)
    assert upload["uploadUrl"].partition("?")[0].endswith(f".{extension}")
    over = {"contentType": content_type, "maxSizeBytes": megabytes * MEGABYTE + 1}
    assert api.post("/uploads", over).code == "422 unprocessable"


@pytest.mark.usefixtures("beyond_the_description")
def test_content_types_know_no_case(api: Calls) -> None:
    assert api.mint("Video/MP4")["maxSizeBytes"] == 500 * MEGABYTE


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "application/zip",
        "application/pdfx",
        "audio",
        "audio/",
        "text/plain\r\nX: y",
        "font/ttf",
        "a",
    ],
)
def test_unsupported_types(api: Calls, content_type: str) -> None:
    assert api.post("/uploads", {"contentType": content_type}).code == "422 unprocessable"


@pytest.mark.parametrize(
    ("size", "code"),
    [
        (0, "422 unprocessable"),
        (-1, "422 unprocessable"),
        (None, "400 invalid_request"),
        ("5", "400 invalid_request"),
        (1.5, "400 invalid_request"),
        (True, "400 invalid_request"),
    ],
)
def test_bad_sizes(emulator: Emulator, api: Calls, size: object, code: str) -> None:
    body = {"contentType": "text/plain", "maxSizeBytes": size}
    assert api.post("/uploads", body).code == code
    assert emulator.count("uploads") == 0


def test_a_put(api: Calls) -> None:
    response = api.put(api.mint(), b"bytes")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["ETag"] == f'"{hashlib.md5(b"bytes").hexdigest()}"'
    assert api.put(api.mint(maxSizeBytes=5), b"bytes").status == 200


def test_a_second_put(api: Calls) -> None:
    upload = api.mint()
    api.put(upload, b"bytes")
    assert storage_code(api.put(upload, b"bytes")) == "412 PreconditionFailed"


def test_an_expired_link(emulator: Emulator, api: Calls) -> None:
    upload = api.mint()
    emulator.clock.advance(899.8)
    assert api.put(upload, b"").status == 200
    upload = api.mint()
    emulator.clock.advance(900)
    response = api.put(upload, b"bytes")
    assert storage_code(response) == "403 AccessDenied"
    assert b"<Message>Request has expired</Message><Expires>2026-05-15T08:50:59Z</Expires>" in response.body
    assert response.headers["Content-Type"] == "application/xml"


def test_an_expired_link_with_another_code() -> None:
    with Emulator(clock=frozen(), expired_link="ExpiredToken", upload_lifetime=5) as emulator:
        api = Calls(emulator)
        upload = api.mint()
        emulator.clock.advance(5)
        assert storage_code(api.put(upload, b"bytes")) == "400 ExpiredToken"


def without(upload: Fields, name: str) -> Fields:
    origin, _, query = upload["uploadUrl"].partition("?")
    kept = "&".join(part for part in query.split("&") if not part.startswith(f"{name}="))
    return upload | {"uploadUrl": f"{origin}?{kept}"}


def test_what_the_signature_covers(api: Calls) -> None:
    upload = api.mint()
    url: str = upload["uploadUrl"]
    assert storage_code(api.put(upload, b"x", **{"Content-Type": "text/html"})) == "403 SignatureDoesNotMatch"
    assert storage_code(api.put(upload, b"x", Host="elsewhere")) == "403 SignatureDoesNotMatch"
    for changed in (
        url.replace(".txt", ".exe"),
        url.replace("Expires=900", "Expires=901"),
        url + "0",
        url + "&x=1",
    ):
        response = api.put(upload | {"uploadUrl": changed}, b"x")
        assert storage_code(response) == "403 SignatureDoesNotMatch"
    headers = {"Content-Type": "text/plain", "Content-Length": "0"}
    assert storage_code(api.send("GET", url, headers)) == "403 SignatureDoesNotMatch"
    assert storage_code(api.send("PUT", url, {"Content-Length": "0"})) == "403 SignatureDoesNotMatch"
    assert storage_code(api.put(without(upload, "X-Amz-Signature"), b"x")) == "403 SignatureDoesNotMatch"
    assert api.put(upload, b"x").status == 200


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("X-Amz-Algorithm", "403 AccessDenied"),
        ("X-Amz-Date", "400 AuthorizationQueryParametersError"),
        ("X-Amz-Expires", "400 AuthorizationQueryParametersError"),
        ("X-Amz-SignedHeaders", "400 AuthorizationQueryParametersError"),
    ],
)
def test_a_link_without_its_parts(api: Calls, name: str, code: str) -> None:
    assert storage_code(api.put(without(api.mint(), name), b"x")) == code


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("Expires", "999999999999", "400 AuthorizationQueryParametersError"),
        ("Expires", "9" * 5_000, "400 AuthorizationQueryParametersError"),
        ("Expires", "-5", "400 AuthorizationQueryParametersError"),
        ("Expires", "1_0", "400 AuthorizationQueryParametersError"),
        ("Expires", "999999999", "403 SignatureDoesNotMatch"),
        ("Date", "99991231T235959Z", "403 SignatureDoesNotMatch"),
        ("Date", "00010101T000000Z", "403 AccessDenied"),
        ("Date", "99991332T000000Z", "400 AuthorizationQueryParametersError"),
    ],
)
def test_a_link_with_times_that_no_clock_shows(api: Calls, name: str, text: str, code: str) -> None:
    upload = api.mint()
    link = re.sub(f"X-Amz-{name}=[^&]*", f"X-Amz-{name}={text}", upload["uploadUrl"])
    assert storage_code(api.put({**upload, "uploadUrl": link}, b"x")) == code


def test_a_length_of_thousands_of_digits(api: Calls) -> None:
    assert storage_code(api.put(api.mint(), b"x", **{"Content-Length": "9" * 5_000})) == "400 EntityTooLarge"
    assert api.post("/notes", {}, **{"Content-Length": "9" * 5_000}).code == "400 invalid_request"


def test_another_algorithm(api: Calls) -> None:
    upload = api.mint()
    changed = upload | {"uploadUrl": upload["uploadUrl"].replace("HMAC-SHA256", "HMAC-SHA1")}
    assert storage_code(api.put(changed, b"x")) == "400 AuthorizationQueryParametersError"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Authorization": "Bearer x"}, "400 InvalidArgument"),
        ({"x-amz-meta-name": "x"}, "403 AccessDenied"),
        ({"Content-Length": "ten"}, "400 InvalidArgument"),
        ({"Content-Length": "6"}, "400 IncompleteBody"),
        ({"Content-Length": "11"}, "400 EntityTooLarge"),
        ({"Content-MD5": "AAAA"}, "400 BadDigest"),
    ],
)
def test_headers_that_storage_refuses(api: Calls, headers: dict[str, str], code: str) -> None:
    upload = api.mint(maxSizeBytes=10)
    assert storage_code(api.put(upload, b"bytes", **headers)) == code
    digest = base64.b64encode(hashlib.md5(b"bytes").digest()).decode()
    assert api.put(upload, b"bytes", **{"Content-MD5": digest}).status == 200


def test_a_put_without_length(api: Calls) -> None:
    upload = api.mint()
    response = api.send("PUT", upload["uploadUrl"], {"Content-Type": "text/plain"}, b"bytes")
    assert storage_code(response) == "411 MissingContentLength"


def test_a_body_longer_than_it_says(api: Calls) -> None:
    upload = api.mint(maxSizeBytes=4)
    assert storage_code(api.put(upload, b"bytes", **{"Content-Length": "4"})) == "400 EntityTooLarge"


def test_a_link_that_nobody_minted(emulator: Emulator, api: Calls, tmp_path: Path) -> None:
    upload = api.mint()
    path = tmp_path / "emulator.sqlite3"
    with Emulator(path, clock=frozen()) as other:
        foreign = Calls(other).mint()
        assert storage_code(api.put(foreign, b"x")) == "403 SignatureDoesNotMatch"
        with contextlib.closing(sqlite3.connect(path)) as database:
            (secret,) = database.execute(SECRET).fetchone()
        url = presign(
            Credentials("SCRIPEEMULATOR", secret),
            "PUT",
            ORIGIN,
            "/_storage/org_x/y",
            headers={"content-type": "text/plain", "host": "emulator.test"},
            moment=other.clock.now(),
            lifetime=60,
        )
        assert storage_code(Calls(other).put(upload | {"uploadUrl": url}, b"x")) == "403 AccessDenied"


def test_the_signature_is_the_one_that_s3_documents() -> None:
    url = presign(
        Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        "GET",
        "https://examplebucket.s3.amazonaws.com",
        "/test.txt",
        headers={"host": "examplebucket.s3.amazonaws.com"},
        moment=datetime(2013, 5, 24, tzinfo=UTC),
        lifetime=86_400,
    )
    assert url.endswith("=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_uploads_are_rejected_before_their_body(emulator: Emulator, api: Calls) -> None:
    reject_early = emulator.serve().application.reject_early
    upload = api.mint(maxSizeBytes=10)
    good = {"Content-Type": "text/plain", "Content-Length": "10"}
    assert reject_early(Request("PUT", upload["uploadUrl"], good)) is None
    too_large = Request("PUT", upload["uploadUrl"], good | {"Content-Length": "11"})
    refused = reject_early(too_large)
    assert refused is not None
    assert refused.status == 400
    assert [request.status for request in emulator.requests] == [200, 400]
    assert reject_early(Request("POST", f"{ORIGIN}/v1/sources", {})) is None
    emulator.fail_next(500, path="/_storage")
    assert reject_early(too_large) is None
    assert storage_code(api.put(upload, b"x")) == "500 InternalError"


def test_a_fault_of_storage_is_xml(emulator: Emulator, api: Calls) -> None:
    upload = api.mint()
    emulator.fail_next(503, "SlowDown", path="/_storage/", message="Slow down.", retry_after=1)
    response = api.put(upload, b"x")
    assert storage_code(response) == "503 SlowDown"
    assert response.headers["Retry-After"] == "1"
    assert api.put(upload, b"x").status == 200


def test_a_dropped_put_is_stored(emulator: Emulator, api: Calls) -> None:
    upload = api.mint()
    emulator.drop_next(method="PUT")
    assert api.put(upload, b"x").raw.connection_dropped
    assert storage_code(api.put(upload, b"x")) == "412 PreconditionFailed"


def test_storage_elsewhere_leaves_none_here() -> None:
    with Emulator(storage=S3Storage("http://127.0.0.1:1", "a", "s", "b")) as emulator:
        api = Calls(emulator)
        upload = {"uploadUrl": f"{ORIGIN}/_storage/x", "contentType": "text/plain"}
        assert storage_code(api.put(upload, b"x")) == "404 NoSuchKey"


def test_a_file_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "emulator.sqlite3"
    with Emulator(path, plan="ADVANCED") as emulator:
        api, key, project = Calls(emulator), emulator.api_key, emulator.project_id
        source = api.text(idempotency_key="key").fields
        upload = api.mint()
        emulator.expire_cursors()
    with Emulator(path) as emulator:
        api = Calls(emulator)
        assert (emulator.api_key, emulator.project_id) == (key, project)
        assert api.text(idempotency_key="key").headers["Idempotent-Replayed"] == "true"
        assert api.get(f"/sources/{source['id']}").fields == source
        assert api.get("/workspaces/me").json["workspace"]["plan"] == "ADVANCED"
        assert api.put(upload, b"bytes").status == 200
    with Emulator(path) as emulator:
        body = {"type": "file", "projectId": project, "uploadId": upload["id"]}
        assert Calls(emulator).post("/sources", body).status == 200


def test_bytes_that_vanished_fail_the_job(tmp_path: Path) -> None:
    with Emulator(tmp_path / "emulator.sqlite3", clock=frozen()) as emulator:
        api = Calls(emulator)
        job_id = api.file(b"text").fields["id"]
        for file in (tmp_path / "emulator.sqlite3.uploads").iterdir():
            file.unlink()
        emulator.clock.advance(10)
        assert api.get(f"/jobs/{job_id}").fields["errorCode"] == "UPLOAD_MISSING"


@contextlib.contextmanager
def disk_with(free: int) -> Generator[None]:
    """Let no file of this process grow beyond so many bytes, so that writes fail as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_nothing_and_ends(tmp_path: Path) -> None:
    database = tmp_path / "db"
    with Emulator(database, clock=frozen()) as emulator:
        api = Calls(emulator)
        upload, body = api.mint(), b"x" * (3 << 20)
        full = (tmp_path / "db-wal").stat().st_size
        with disk_with(free=full):
            put, text = api.put(upload, body), api.text("x" * 100_000)
            assert storage_code(put) == "503 ServiceUnavailable"
            assert b"The emulator could not store or read its data" in put.body
            assert text.code == "503 service_unavailable"
            assert text.headers["X-Request-Id"] == text.error["request_id"]
            assert api.get("/health").status == 200
            with pytest.raises(
                sqlite3.OperationalError, match="disk"
            ):  # more than SQLite holds back until the end
                emulator.seed(notes=10_000)
        assert list((tmp_path / "db.uploads").iterdir()) == []
        assert api.put(upload, body).status == 200
        assert api.text("x" * 100_000).status == 200
        assert (emulator.count("sources"), emulator.count("notes")) == (1, 0)


def test_what_is_on_disk_is_its_owners_alone(tmp_path: Path) -> None:
    database = tmp_path / "db"
    database.touch(0o644)
    with Emulator(database, clock=frozen()) as emulator:
        api = Calls(emulator)
        assert api.put(api.mint(), b"x").status == 200
        paths = [*tmp_path.glob("db*"), *tmp_path.glob("db.uploads/*")]
        assert len(paths) == 5
        assert {path.stat().st_mode & 0o077 for path in paths} == {0}


def test_closing_twice_and_forgetting_to() -> None:
    emulator = Emulator()
    emulator.close()
    emulator.close()
    forgotten = Emulator()
    del forgotten
