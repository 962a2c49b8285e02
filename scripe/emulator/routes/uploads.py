"""POST /uploads: links to PUT bytes to."""

import re
import secrets
from datetime import timedelta

from scripe.emulator.access import require_scope
from scripe.emulator.backend import Backend
from scripe.emulator.checks import integer_of, text_of
from scripe.emulator.clock import iso, milliseconds
from scripe.emulator.errors import ApiError
from scripe.emulator.extras import MissingExtraError
from scripe.emulator.jobs import JobFailure
from scripe.emulator.messages import Response
from scripe.emulator.readers import Reading, UnreadableFileError, read
from scripe.emulator.routing import Call, Resource, Route, wrapped
from scripe.emulator.state import Record, new_id
from scripe.emulator.storage import Link, MissingObjectError

MEGABYTE = 1024 * 1024
OFFICE = "application/vnd.openxmlformats-officedocument."
CAPS = {
    "audio/": 500 * MEGABYTE,
    "video/": 500 * MEGABYTE,
    "image/": 25 * MEGABYTE,
    "application/pdf": 100 * MEGABYTE,
    "text/plain": 25 * MEGABYTE,
    "application/msword": 100 * MEGABYTE,
    OFFICE: 100 * MEGABYTE,
}
FAMILIES = tuple(prefix for prefix in CAPS if prefix.endswith(("/", ".")))
EXTENSIONS = {
    "mpeg": "mp3",
    "plain": "txt",
    "msword": "doc",
    "quicktime": "mov",
    f"{OFFICE.partition('/')[2]}wordprocessingml.document": "docx",
    f"{OFFICE.partition('/')[2]}presentationml.presentation": "pptx",
    f"{OFFICE.partition('/')[2]}spreadsheetml.sheet": "xlsx",
}
MIME = re.compile(r"([a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+)( ?; ?[a-z0-9_.=\"+ -]+)*", re.IGNORECASE)
UNREFERENCED_LIFETIME = timedelta(hours=24)
SCOPES = ("sources:write", "knowledge:write")


def create_upload(call: Call) -> Response:
    """Mint a link for one PUT."""
    backend = call.backend
    if backend.settings.uploads_need_scope:
        require_scope(call.principal, SCOPES)
    content_type = text_of(call.body, "contentType")
    cap = _cap(content_type)
    size = integer_of(call.body, "maxSizeBytes", cap)
    if not 1 <= size <= cap:
        raise ApiError("unprocessable", f"maxSizeBytes must be from 1 to {cap} for {content_type}.")
    _collect(backend)
    return _mint(call, content_type, size)


def _mint(call: Call, content_type: str, size: int) -> Response:
    backend, now = call.backend, call.backend.clock.now().replace(microsecond=0)
    upload_id, key = new_id("upl"), f"{call.workspace_id}/{secrets.token_hex(12)}.{_extension(content_type)}"
    lifetime = backend.settings.upload_lifetime
    upload = Record("uploads", upload_id, call.workspace_id, None, milliseconds(now))
    upload.due_at = milliseconds(now + UNREFERENCED_LIFETIME)
    upload.private = {"key": key, "content_type": content_type}
    backend.state.insert(upload)
    url = backend.storage.presign(Link(key, content_type, size, call.request.origin, now, lifetime))
    return wrapped(
        {
            "id": upload_id,
            "uploadUrl": url,
            "contentType": content_type,
            "maxSizeBytes": size,
            "expiresAt": iso(now + timedelta(seconds=lifetime)),
            "method": "PUT",
        }
    )


def _cap(content_type: str) -> int:
    form = MIME.fullmatch(content_type)
    essence = form[1].lower() if form else ""
    for prefix, cap in CAPS.items():
        if essence == prefix or (prefix in FAMILIES and essence.startswith(prefix)):
            return cap
    raise ApiError("unprocessable", f"contentType {content_type!r} is not supported.")


def _extension(content_type: str) -> str:
    subtype = content_type.partition("/")[2].partition(";")[0].strip().lower()
    if subtype in EXTENSIONS:
        return EXTENSIONS[subtype]
    return re.sub(r"[^a-z0-9]+", "-", subtype.rpartition(".")[2]).strip("-") or "bin"


def _collect(backend: Backend) -> None:
    # Bytes that nothing refers to are deleted after 24 hours; nobody can see the difference before this.
    for upload in backend.state.due("uploads", backend.clock.milliseconds()):
        backend.storage.delete(upload.private["key"])
        backend.state.delete(upload)


def require_bytes(backend: Backend, upload: Record) -> None:
    """Let an upload pass that holds bytes.

    Raises:
        ApiError: 422, nothing was uploaded.

    """
    if not backend.storage.holds(upload.private["key"]):
        raise ApiError("unprocessable", f"Nothing was uploaded to {upload.id} yet.")


def read_upload(backend: Backend, key: str, content_type: str) -> Reading:
    """What the bytes of an upload hold.

    Raises:
        JobFailure: they are gone, or cannot be read.

    """
    try:
        with backend.storage.open(key) as file:
            return read(file, content_type)
    except MissingObjectError:
        raise JobFailure("UPLOAD_MISSING", "The uploaded bytes are gone.") from None
    except OSError as error:
        raise JobFailure("STORAGE_UNAVAILABLE", f"Storage did not answer: {error}.") from None
    except (UnreadableFileError, MissingExtraError) as error:
        raise JobFailure("UNREADABLE_FILE", f"The upload cannot be read: {error}.") from None


def keep(backend: Backend, upload: Record) -> None:
    """Keep an upload's bytes from now on."""
    upload.due_at = None
    backend.state.update(upload)


RESOURCE = Resource(
    (Route("POST", "/uploads", create_upload, bucket="upload", takes_body=True, idempotent=True),),
    kinds=("uploads",),
)
