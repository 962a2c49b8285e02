"""POST /uploads: links to PUT bytes to."""

import re
import secrets
from datetime import timedelta

from ..auth import require_scope
from ..clock import iso, milliseconds
from ..database import Record, new_id
from ..errors import ApiError
from ..file_readers import FileContent, UnreadableFileError, read
from ..jobs import JobFailure
from ..messages import Response
from ..optional_dependencies import MissingExtraError
from ..routing import RequestContext, Resource, Route, data_response
from ..services import Services
from ..storage.base import ObjectNotFoundError, PresignRequest
from ..validation import optional_int, require_str

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


def create_upload(context: RequestContext) -> Response:
    """Mint a link for one PUT."""
    services = context.services
    if services.settings.uploads_need_scope:
        require_scope(context.principal, SCOPES)
    content_type = require_str(context.body, "contentType")
    cap = _cap(content_type)
    size = optional_int(context.body, "maxSizeBytes", cap)
    if not 1 <= size <= cap:
        raise ApiError("unprocessable", f"maxSizeBytes must be from 1 to {cap} for {content_type}.")
    _collect(services)
    return _mint(context, content_type, size)


def _mint(context: RequestContext, content_type: str, size: int) -> Response:
    services, now = context.services, context.services.clock.now().replace(microsecond=0)
    upload_id, key = (
        new_id("upl"),
        f"{context.workspace_id}/{secrets.token_hex(12)}.{_extension(content_type)}",
    )
    lifetime = services.settings.upload_lifetime
    upload = Record("uploads", upload_id, context.workspace_id, None, milliseconds(now))
    upload.next_transition_at = milliseconds(now + UNREFERENCED_LIFETIME)
    upload.internal = {"key": key, "content_type": content_type}
    services.database.insert(upload)
    url = services.storage.presign(
        PresignRequest(key, content_type, size, context.request.origin, now, lifetime)
    )
    return data_response(
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


def _collect(services: Services) -> None:
    # Bytes that nothing refers to are deleted after 24 hours; nobody can see the difference before this.
    for upload in services.database.find_due("uploads", services.clock.milliseconds()):
        services.storage.delete(upload.internal["key"])
        services.database.delete(upload)


def require_bytes(services: Services, upload: Record) -> None:
    """Let an upload pass that holds bytes.

    Raises:
        ApiError: 422, nothing was uploaded.

    """
    if not services.storage.holds(upload.internal["key"]):
        raise ApiError("unprocessable", f"Nothing was uploaded to {upload.id} yet.")


def read_upload(services: Services, key: str, content_type: str) -> FileContent:
    """What the bytes of an upload hold.

    Raises:
        JobFailure: they are gone, or cannot be read.

    """
    try:
        with services.storage.open(key) as file:
            return read(file, content_type)
    except ObjectNotFoundError:
        raise JobFailure("UPLOAD_MISSING", "The uploaded bytes are gone.") from None
    except OSError as error:
        raise JobFailure("STORAGE_UNAVAILABLE", f"Storage did not answer: {error}.") from None
    except (UnreadableFileError, MissingExtraError) as error:
        raise JobFailure("UNREADABLE_FILE", f"The upload cannot be read: {error}.") from None


def keep_upload(services: Services, upload: Record) -> None:
    """Keep an upload's bytes from now on."""
    upload.next_transition_at = None
    services.database.update(upload)


RESOURCE = Resource(
    (Route("POST", "/uploads", create_upload, bucket="upload", takes_body=True, idempotent=True),),
    names=("uploads",),
)
