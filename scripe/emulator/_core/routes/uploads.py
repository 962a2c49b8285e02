"""POST /uploads: make links to which bytes are PUT."""

import re
import secrets
from datetime import timedelta

from ..auth import require_scope
from ..database import Record, new_id
from ..dates import format_datetime, to_milliseconds
from ..errors import ApiError
from ..file_readers import FileContent, UnreadableFileError, read_file
from ..jobs import JobFailure
from ..messages import Response
from ..optional_dependencies import MissingExtraError
from ..routing import RequestContext, Resource, data_response, write_route
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
    """Make a link for one PUT."""
    services = context.services
    if services.settings.uploads_need_scope:
        require_scope(context.principal, SCOPES)
    content_type = require_str(context.body, "contentType")
    max_size = _max_size(content_type)
    size = optional_int(context.body, "maxSizeBytes", max_size)
    if not 1 <= size <= max_size:
        raise ApiError("unprocessable", f"maxSizeBytes must be from 1 to {max_size} for {content_type}.")
    _delete_unreferenced(services)
    now, lifetime = services.clock.now().replace(microsecond=0), services.settings.upload_lifetime
    upload = Record("uploads", new_id("upl"), context.workspace_id, None, to_milliseconds(now))
    key = f"{context.workspace_id}/{secrets.token_hex(12)}.{_extension(content_type)}"
    upload.next_transition_at = to_milliseconds(now + UNREFERENCED_LIFETIME)
    upload.internal = {"key": key, "content_type": content_type}
    services.database.insert(upload)
    link = PresignRequest(key, content_type, size, context.request.origin, now, lifetime)
    return data_response(
        {
            "id": upload.id,
            "uploadUrl": services.storage.presign(link),
            "contentType": content_type,
            "maxSizeBytes": size,
            "expiresAt": format_datetime(now + timedelta(seconds=lifetime)),
            "method": "PUT",
        }
    )


def _max_size(content_type: str) -> int:
    match = MIME.fullmatch(content_type)
    essence = match[1].lower() if match else ""
    for prefix, max_size in CAPS.items():
        if essence == prefix or (prefix.endswith(("/", ".")) and essence.startswith(prefix)):
            return max_size
    raise ApiError("unprocessable", f"contentType {content_type!r} is not supported.")


def _extension(content_type: str) -> str:
    subtype = content_type.partition("/")[2].partition(";")[0].strip().lower()
    if subtype in EXTENSIONS:
        return EXTENSIONS[subtype]
    return re.sub(r"[^a-z0-9]+", "-", subtype.rpartition(".")[2]).strip("-") or "bin"


def _delete_unreferenced(services: Services) -> None:
    # They are due after 24 hours; until the next upload link nobody can see whether they are deleted.
    for upload in services.database.find_due("uploads", services.clock.milliseconds()):
        services.storage.delete(upload.internal["key"])
        services.database.delete(upload)


def require_bytes(services: Services, upload: Record) -> None:
    """Raise a 422 if nothing was uploaded."""
    if not services.storage.holds(upload.internal["key"]):
        raise ApiError("unprocessable", f"Nothing was uploaded to {upload.id} yet.")


def read_upload(services: Services, key: str, content_type: str) -> FileContent:
    """Return the content of an upload, or raise a JobFailure if it is gone or cannot be read."""
    try:
        with services.storage.open(key) as file:
            return read_file(file, content_type)
    except ObjectNotFoundError:
        raise JobFailure("UPLOAD_MISSING", "The uploaded bytes are gone.") from None
    except OSError as error:
        raise JobFailure("STORAGE_UNAVAILABLE", f"Storage did not respond: {error}.") from None
    except (UnreadableFileError, MissingExtraError) as error:
        raise JobFailure("UNREADABLE_FILE", f"The upload cannot be read: {str(error).rstrip('.')}.") from None


def keep_upload(services: Services, upload: Record) -> None:
    """Keep an upload's bytes from now on."""
    upload.next_transition_at = None
    services.database.update(upload)


RESOURCE = Resource((write_route("POST", "/uploads", create_upload, bucket="upload"),), names=("uploads",))
