import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from scripe._core.outcome import RawResponse
from scripe._core.uploads import (
    CONTENT_TYPES,
    UploadLinkUsedError,
    check_size,
    check_stored,
    is_transient_at_storage,
    put_headers,
    resolve_content_type,
    upload_already_stored,
)
from scripe.errors import (
    InvalidArgumentError,
    UploadError,
    UploadExpiredError,
    UploadIntegrityError,
    UploadTooLargeError,
)
from scripe.types import Headers
from tests.core.examples import NOON, upload

MD5 = "0cc175b9c0f1b6a831c399e269772661"
LATE = NOON.timestamp() + 1


def refusal(
    status: int,
    code: str = "",
    message: str = "",
    *,
    late: bool = False,
    headers: Mapping[str, str] | None = None,
) -> RawResponse:
    body = (
        f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>" if code else ""
    )
    return RawResponse(
        status, Headers((headers or {}).items()), body.encode(), 0.1, LATE if late else LATE - 100
    )


def error_of(raw: RawResponse) -> UploadError:
    with pytest.raises(UploadError) as caught:
        check_stored(raw, upload(), MD5)
    return caught.value


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.mp3", "audio/mpeg"),
        ("A.MP3", "audio/mpeg"),
        ("a.tar.pdf", "application/pdf"),
        ("a.m4a", "audio/mp4"),
    ],
)
def test_the_type_comes_from_a_table_of_scripe(name: str, mime_type: str) -> None:
    assert resolve_content_type(name, None) == mime_type


def test_every_type_of_the_table_is_a_mime_type() -> None:
    for suffix, mime_type in CONTENT_TYPES.items():
        assert resolve_content_type(f"a.{suffix}", None) == resolve_content_type(None, mime_type) == mime_type
        assert re.fullmatch(r"[a-z0-9]+", suffix)


def test_the_caller_has_the_last_word_on_the_type() -> None:
    assert resolve_content_type("a.mp3", "audio/x-mine; rate=8") == "audio/x-mine; rate=8"


@pytest.mark.parametrize(
    "given", ["", "audio", "audio/", "audio/mpeg\n", "audio/mpeg; x\r\n", "a b/c", "é/x"]
)
def test_a_text_that_is_not_a_mime_type_is_refused(given: str) -> None:
    with pytest.raises(InvalidArgumentError, match="content_type"):
        resolve_content_type("a.mp3", given)


@pytest.mark.parametrize("name", [None, "", "a", "a.", "a.xyz", "mp3.", "log", "mp3"])
def test_a_name_that_tells_no_type_needs_content_type(name: str | None) -> None:
    with pytest.raises(InvalidArgumentError, match="content_type="):
        resolve_content_type(name, None)


def test_a_file_over_the_links_own_cap_is_refused_before_a_byte_is_sent() -> None:
    check_size(100, upload(100))
    with pytest.raises(UploadTooLargeError, match=r"101 bytes.* 100\.") as caught:
        check_size(101, upload(100))
    assert caught.value.status_code is None


def test_a_put_has_its_length_and_exactly_the_minted_type_and_nothing_else() -> None:
    assert put_headers(upload(content_type="audio/X"), 7) == {
        "Content-Type": "audio/X",
        "Content-Length": "7",
    }


@pytest.mark.parametrize(
    "tag", [f'"{MD5}"', MD5, f'"{MD5.upper()}"', "", '"abc-2"', f'W/"{MD5}"', '"' + "z" * 32 + '"']
)
def test_bytes_are_stored_unless_a_plain_tag_says_otherwise(tag: str) -> None:
    check_stored(refusal(200, headers={"ETag": tag}), upload(), MD5)
    check_stored(refusal(204), upload(), MD5)


def test_a_plain_tag_of_other_bytes_is_an_integrity_error() -> None:
    error = error_of(refusal(200, headers={"ETag": '"' + "0" * 32 + '"'}))
    assert isinstance(error, UploadIntegrityError)
    assert error.retryable
    assert error.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-server-side-encryption": "aws:kms"},
        {"x-amz-server-side-encryption": "aws:kms:dsse"},
        {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
    ],
)
def test_an_etag_under_encryption_with_a_key_is_not_an_md5(headers: Mapping[str, str]) -> None:
    check_stored(refusal(200, headers={"ETag": '"' + "0" * 32 + '"', **headers}), upload(), MD5)


def test_a_tag_under_storages_own_encryption_is_still_the_md5() -> None:
    headers = {"ETag": '"' + "0" * 32 + '"', "x-amz-server-side-encryption": "AES256"}
    assert isinstance(error_of(refusal(200, headers=headers)), UploadIntegrityError)


@pytest.mark.parametrize(
    "raw",
    [
        refusal(403, "AccessDenied", "Request has expired"),
        refusal(400, "ExpiredToken", "The provided token has expired."),
        refusal(403, "RequestExpired"),
        refusal(400, "ExpiredPresignRequest"),
        refusal(403, late=True),
        refusal(400, late=True),
        refusal(403, "SignatureDoesNotMatch", "x", late=True),
    ],
)
def test_an_expired_link_is_known_by_storages_code_or_by_the_time(raw: RawResponse) -> None:
    error = error_of(raw)
    assert type(error) is UploadExpiredError
    assert error.retryable


@pytest.mark.parametrize(
    "raw",
    [
        refusal(412),
        refusal(412, "PreconditionFailed"),
        refusal(403, "AccessDenied", "The link was already used"),
    ],
)
def test_a_used_link_is_an_expired_one(raw: RawResponse) -> None:
    error = error_of(raw)
    assert isinstance(error, UploadLinkUsedError)
    assert error.retryable


@pytest.mark.parametrize(
    "message", ["The request was refused by a policy", "Unused grants", "The credentials used have no rights"]
)
def test_a_message_that_only_sounds_like_used_is_not_a_used_link(message: str) -> None:
    assert type(error_of(refusal(403, "AccessDenied", message))) is UploadError


@pytest.mark.parametrize("raw", [refusal(400, "EntityTooLarge"), refusal(413), refusal(413, late=True)])
def test_too_large_is_known_by_code_or_status(raw: RawResponse) -> None:
    assert type(error_of(raw)) is UploadTooLargeError
    assert not error_of(raw).retryable


@pytest.mark.parametrize("code", ["BadDigest", "InvalidDigest"])
def test_other_bytes_than_were_sent_are_an_integrity_error(code: str) -> None:
    assert type(error_of(refusal(400, code, late=True))) is UploadIntegrityError


def test_bytes_that_were_spoilt_on_the_way_are_worth_another_call() -> None:
    assert error_of(refusal(400, "BadDigest")).retryable


def test_any_other_refusal_says_what_storage_said() -> None:
    error = error_of(refusal(403, "SignatureDoesNotMatch", "Check your key"))
    assert type(error) is UploadError
    assert (error.status_code, error.storage_code) == (403, "SignatureDoesNotMatch")
    assert error.storage_message == "Check your key"
    assert "HTTP 403, SignatureDoesNotMatch: Check your key" in str(error)
    assert not error.retryable


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff<Code>\xff</Code>", b"<Code></Code>", b"<Code>" + b"x" * 501]
)
def test_an_odd_answer_of_storage_is_an_upload_error_all_the_same(body: bytes) -> None:
    assert type(error_of(RawResponse(403, Headers(), body))) is UploadError


def test_a_missing_reason_is_named() -> None:
    assert "no reason given" in str(error_of(refusal(418)))


def test_a_link_without_a_time_zone_expires_in_utc() -> None:
    naive = upload().model_copy(update={"expires_at": NOON.replace(tzinfo=None)})
    with pytest.raises(UploadExpiredError):
        check_stored(refusal(403, late=True), naive, MD5)
    with pytest.raises(UploadError) as caught:
        check_stored(refusal(403), naive, MD5)
    assert type(caught.value) is UploadError


@pytest.mark.parametrize(
    ("raw", "transient"),
    [
        (refusal(408), True),
        (refusal(429), True),
        (refusal(500), True),
        (refusal(503, "SlowDown"), True),
        (refusal(400, "RequestTimeout"), True),
        (refusal(400, "IncompleteBody"), True),
        (refusal(400, "BadDigest"), False),
        (refusal(403, "AccessDenied"), False),
        (refusal(412), False),
        (refusal(200), False),
    ],
)
def test_what_is_worth_another_attempt_at_storage(raw: RawResponse, transient: bool) -> None:
    assert is_transient_at_storage(raw) is transient
    if raw.status >= 400 and not transient:
        return
    if raw.status != 200:
        assert error_of(raw).retryable


def test_a_used_link_has_brought_the_file_if_its_key_holds_the_content_or_all_bytes_went_out() -> None:
    used = UploadLinkUsedError("used", status_code=412)
    assert upload_already_stored(used, is_bound=True)
    assert upload_already_stored(used, response_lost=True)
    assert not upload_already_stored(used)


def test_a_link_that_is_merely_late_brought_nothing() -> None:
    late = UploadExpiredError("late")
    assert not upload_already_stored(late, is_bound=True, response_lost=True)
    assert upload().expires_at - NOON == timedelta(0)


def test_an_unknown_type_is_found_from_a_name() -> None:
    for unknown in (
        "application/octet-stream",
        "Application/Octet-Stream; charset=binary",
        "application/octet-stream;q=1",
        "binary/octet-stream",
    ):
        assert resolve_content_type("a.mp3", unknown) == "audio/mpeg"
        assert resolve_content_type(None, unknown, label="a.mp3") == "audio/mpeg"
        assert resolve_content_type(None, unknown, announced="audio/x-mine") == "audio/x-mine"
        assert resolve_content_type("a.mp3", None, announced=unknown) == "audio/mpeg"
        with pytest.raises(InvalidArgumentError, match=r"(?i)octet-stream.*content_type="):
            resolve_content_type(None, unknown)
        with pytest.raises(InvalidArgumentError, match=r"(?i)'a'.*'b'.*octet-stream"):
            resolve_content_type("a", None, label="b", announced=unknown)


def test_what_tells_a_type_in_its_order() -> None:
    assert (
        resolve_content_type("a.mp3", "audio/given", label="b.mp4", announced="audio/announced")
        == "audio/given"
    )
    assert (
        resolve_content_type("a.mp3", None, label="b.mp4", announced="audio/announced") == "audio/announced"
    )
    assert resolve_content_type("a.mp3", None, label="b.mp4") == "audio/mpeg"
    assert resolve_content_type("a", None, label="b.mp4") == "video/mp4"


@pytest.mark.parametrize("announced", ["", "audio", "a b/c", "audio/mpeg\n"])
def test_a_text_of_a_file_object_that_is_not_a_type_does_not_count(announced: str) -> None:
    assert resolve_content_type("a.mp3", None, announced=announced) == "audio/mpeg"


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted"])
def test_another_put_under_way_is_waited_for(code: str) -> None:
    assert is_transient_at_storage(refusal(409, code))
