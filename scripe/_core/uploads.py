"""Decide the content type, size and headers of an upload, and what storage's response means.

Storage (S3) is not the API: it has errors of its own, in XML, and its upload links expire.

| Storage responds | Meaning |
|---|---|
| 2xx | stored; a plain ETag is the MD5 of the bytes |
| 2xx with a body and without an ETag | not storage: a proxy, or the login page of a network; worth another attempt |
| 403 `AccessDenied` “expired”, `ExpiredToken`, `RequestExpired`; any 400 or 403 after `expires_at` | expired |
| 412 `PreconditionFailed` | the link was used before (a guess: the API says “single use”, not how that shows) |
| `EntityTooLarge`, 413 | too large |
| `BadDigest`, `InvalidDigest` | other bytes arrived than were sent |
| `IncompleteBody`, `RequestTimeout`, `SlowDown`, `ConditionalRequestConflict`, 408, 429, 5xx | worth another attempt |

The server decides which types and sizes it accepts (C17, C18); the table below only names types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from .._redaction import clip, redact
from ..errors import (
    InvalidArgumentError,
    UploadError,
    UploadExpiredError,
    UploadIntegrityError,
    UploadTooLargeError,
)
from ..types.job import Job
from ..types.upload import Upload
from .outcome import RawResponse
from .request import Request, check_id, create_request

BLOCK_SIZE = 1024 * 1024
"""Bytes read and sent at once: the fastest size measured, and the memory that an upload takes."""

MAX_PRESIGN_ATTEMPTS = 3
"""Upload links that one upload may use up before it fails."""

# `mimetypes` of the standard library also reads tables of the machine, so the same file could get another type on
# another computer.
CONTENT_TYPES: Mapping[str, str] = {
    "aac": "audio/aac",
    "aif": "audio/aiff",
    "aiff": "audio/aiff",
    "amr": "audio/amr",
    "avi": "video/x-msvideo",
    "bmp": "image/bmp",
    "caf": "audio/x-caf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "flac": "audio/flac",
    "gif": "image/gif",
    "heic": "image/heic",
    "htm": "text/html",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "log": "text/plain",
    "m4a": "audio/mp4",
    "m4v": "video/x-m4v",
    "markdown": "text/markdown",
    "md": "text/markdown",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/opus",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "srt": "text/plain",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "vtt": "text/plain",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "webm": "video/webm",
    "webp": "image/webp",
    "wma": "audio/x-ms-wma",
    "wmv": "video/x-ms-wmv",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_ALREADY_USED = re.compile(r"\balready (been )?used\b")
_MIME = re.compile(r"[\w.+-]+/[\w.+*-]+(;[ -~]*)?", re.ASCII)
_EXPIRED_CODES = frozenset({"ExpiredToken", "RequestExpired", "ExpiredPresignRequest"})
_RETRYABLE_CODES = frozenset(
    {
        "ConditionalRequestConflict",  # another PUT of the same file is under way, as that of a second run
        "IncompleteBody",
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
    }
)
_UNKNOWN_TYPES = ("application/octet-stream", "binary/octet-stream")
"""Types that browsers, curl and S3 state for a file whose type they do not know."""


class UploadLinkUsedError(UploadExpiredError):
    """The link was used before: bytes have arrived through it."""


def resolve_content_type(
    name: str | None, content_type: str | None, *, label: str | None = None, announced: str | None = None
) -> str:
    """Return the content type to request an upload link for.

    `content_type` is the caller's, `announced` the one that the file object states, such as an `UploadFile`; neither
    counts if it stands for an unknown type. `label` is the caller's name for a file whose own has no known suffix.
    """
    if content_type is not None:
        check_mime_type(content_type)
    for stated in (content_type, announced):
        if stated and _MIME.fullmatch(stated) and not _is_unknown_type(stated):
            return stated
    for file_name in (name, label):
        stem, _, suffix = (file_name or "").lower().rpartition(".")
        if stem and suffix in CONTENT_TYPES:
            return CONTENT_TYPES[suffix]
    names = " or ".join(f"the name {file_name!r}" for file_name in (name, label) if file_name)
    stated = content_type or announced
    unknown = f", and {stated!r} stands for an unknown one" if stated else ""
    raise InvalidArgumentError(
        f"The content type is not known from {names or 'bytes, or from a file object without a name'}{unknown}. "
        "Pass it, as in content_type='audio/mpeg'."
    )


def presign_request(
    content_type: str, max_size_bytes: int | None, idempotency_key: str | None
) -> Request[Upload]:
    """Return the request for an upload link."""
    if max_size_bytes is not None and max_size_bytes < 1:
        raise InvalidArgumentError(f"max_size_bytes is {max_size_bytes!r}. Give 1 or more, or leave it out.")
    check_mime_type(content_type)
    fields = {"contentType": content_type, "maxSizeBytes": max_size_bytes}
    return create_request("POST", "/uploads", Upload, fields, idempotency_key)


def source_request(
    project_id: str, upload_id: str, name: str | None, idempotency_key: str | None
) -> Request[Job]:
    """Return the request that makes a source of an upload."""
    fields = {
        "type": "file",
        "projectId": check_id(project_id, "project_id"),
        "uploadId": upload_id,
        "name": name,
    }
    return create_request("POST", "/sources", Job, fields, idempotency_key)


def check_mime_type(content_type: str) -> None:
    """Raise InvalidArgumentError unless the text is a MIME type."""
    if not _MIME.fullmatch(content_type):
        raise InvalidArgumentError(
            f"content_type {content_type!r} is not a MIME type. Give one such as `audio/mpeg`."
        )


def _is_unknown_type(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in _UNKNOWN_TYPES


def resolve_document_name(name: str | None, file_name: str | None) -> str:
    """Return the name of a document, which the API requires: the given one, else the file's."""
    if name or file_name:
        return name or file_name or ""
    raise InvalidArgumentError(
        "The file has no name, and a document needs one. Pass it, as in name='Brand voice'."
    )


def check_size(size: int, upload: Upload) -> None:
    """Refuse a file that storage would refuse, before a byte of it is sent."""
    if size > upload.max_size_bytes:
        raise UploadTooLargeError(
            f"The file has {size:,} bytes, but the upload link for {upload.content_type} accepts only "
            f"{upload.max_size_bytes:,}."
        )


def put_headers(upload: Upload, size: int) -> dict[str, str]:
    """Return the headers that the link was signed for. The client's own, above all the API key, stay out."""
    return {"Content-Type": upload.content_type, "Content-Length": str(size)}


def is_transient_at_storage(raw: RawResponse) -> bool:
    """Return True if another attempt at the same link may succeed."""
    code, _ = _s3_error(raw)
    return (
        raw.status in (408, 429)
        or raw.status >= 500
        or code in _RETRYABLE_CODES
        or _is_from_intermediary(raw)
    )


def _is_from_intermediary(raw: RawResponse) -> bool:
    """Return True if something on the way, such as a proxy, responded in place of storage."""
    return raw.is_success and bool(raw.body.strip()) and "etag" not in raw.headers


def check_stored(raw: RawResponse, upload: Upload, md5: str) -> None:
    """Raise UploadError unless storage has the same bytes that were sent."""
    if not raw.is_success:
        raise _upload_error(raw, upload)
    if _is_from_intermediary(raw):
        raise UploadError(
            f"A server between here and storage responded {raw.status} with a page of its own. "
            "Check for a proxy, or for the login page of a network.",
            status_code=raw.status,
            retryable=True,
        )
    tag = _md5_of_etag(raw)
    if tag is not None and tag != md5:
        raise UploadIntegrityError(
            f"The bytes changed on the way to storage: their MD5 there is {tag}, not {md5}. Upload the file again.",
            status_code=raw.status,
            retryable=True,
        )


def upload_already_stored(
    error: UploadExpiredError, *, is_bound: bool = False, response_lost: bool = False
) -> bool:
    """Return True if the error of a used link means that the file is stored: storage keeps whole files only.

    It means that if the key of the link depends on the content, whoever used the link: an earlier run, or one at the
    same time. And it means that if this run sent all bytes and only the response was lost.
    """
    return isinstance(error, UploadLinkUsedError) and (is_bound or response_lost)


def _upload_error(raw: RawResponse, upload: Upload) -> UploadError:
    code, message = _s3_error(raw)
    error_class, meaning = _classify(raw, code, message, upload)
    reason = ": ".join(clip(part, 200) for part in (code, message) if part) or "no reason given"
    return error_class(
        f"{meaning} (HTTP {raw.status}, {reason})",
        status_code=raw.status,
        storage_code=code,
        storage_message=message,
        retryable=is_transient_at_storage(raw)
        or issubclass(error_class, UploadExpiredError | UploadIntegrityError),
    )


def _classify(
    raw: RawResponse, code: str | None, message: str | None, upload: Upload
) -> tuple[type[UploadError], str]:
    words = (message or "").lower()
    if (
        raw.status == 412
        or code == "PreconditionFailed"
        or (code == "AccessDenied" and _ALREADY_USED.search(words))
    ):
        return UploadLinkUsedError, "The upload link was used before"
    if code == "EntityTooLarge" or raw.status == 413:
        return UploadTooLargeError, "Storage refused the file, which is too large"
    if code in ("BadDigest", "InvalidDigest"):
        return UploadIntegrityError, "The bytes changed on the way to storage"
    if code in _EXPIRED_CODES or (code == "AccessDenied" and "expired" in words):
        return UploadExpiredError, "The upload link has expired"
    if raw.status in (400, 403) and raw.arrived > _timestamp(upload.expires_at):
        return UploadExpiredError, "Storage refused the upload link, whose time is over"
    return UploadError, "Storage refused the file"


def _timestamp(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _s3_error(raw: RawResponse) -> tuple[str | None, str | None]:
    """Return code and message of S3's XML. It is searched, not parsed: a parser could expand entities."""
    return _xml_element(raw.body, b"Code"), _xml_element(raw.body, b"Message")


def _xml_element(body: bytes, name: bytes) -> str | None:
    match = re.search(b"<%b>([^<]{1,500})</%b>" % (name, name), body[:65_536])
    return redact(match[1].decode("utf-8", "replace").strip()) if match else None


def _md5_of_etag(raw: RawResponse) -> str | None:
    """Return the MD5 in the ETag; None if it is something else, as with some kinds of encryption."""
    headers = raw.headers
    is_keyed = headers.get("x-amz-server-side-encryption", "").startswith("aws:kms")
    if is_keyed or "x-amz-server-side-encryption-customer-algorithm" in headers:
        return None
    match = re.fullmatch(r'"?([0-9a-fA-F]{32})"?', headers.get("etag", "").strip())
    return match[1].lower() if match else None
