"""Keep uploads in a folder: presigned PUTs, checked one by one as S3 does."""

import base64
import hashlib
import hmac
import re
import tempfile
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from ..database import Database, Record
from ..messages import STORAGE_PREFIX, Request, Response
from ..settings import ExpiredLink
from .base import ObjectNotFoundError, PresignRequest, StorageError
from .sigv4 import ALGORITHM, Credentials, parse_moment, presign, sign_request

CHUNK_SIZE = 1 << 20
SIGNED_HEADERS = "content-type;host"
ACCESS_KEY = "SCRIPEEMULATOR"
LIFETIME = re.compile("[1-9][0-9]{0,8}")  # seconds
PRIVATE = 0o700


class LocalStorage:
    """Keeps uploads in a folder, and what each link allows in the database."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        secret_key: str,
        now: Callable[[], datetime],
        expired_link: ExpiredLink,
    ) -> None:
        self._database = database
        self._folder = folder
        self._credentials = Credentials(ACCESS_KEY, secret_key)
        self._now = now
        self._expired_link: ExpiredLink = expired_link
        self._lock = threading.Lock()

    def presign(self, link: PresignRequest) -> str:
        """Return a URL for one PUT of one content type and at most `max_size` bytes."""
        workspace_id = link.key.partition("/")[0]
        limits = {"max_size": link.max_size}
        self._database.insert(Record("objects", link.key, workspace_id, None, 0, internal=limits))
        return presign(
            self._credentials,
            "PUT",
            link.origin,
            f"{STORAGE_PREFIX}{link.key}",
            headers={"content-type": link.content_type, "host": link.origin.partition("://")[2]},
            moment=link.moment,
            lifetime=link.lifetime,
        )

    def holds(self, key: str) -> bool:
        """Return whether bytes were PUT under a key."""
        return self._path(key).exists()

    def open(self, key: str) -> BinaryIO:
        """Return the bytes of a key, or raise an ObjectNotFoundError."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise ObjectNotFoundError(key) from None

    def delete(self, key: str) -> None:
        """Delete the bytes of a key."""
        self._path(key).unlink(missing_ok=True)

    def check(self, request: Request) -> None:
        """Check everything of a request except its body, or raise a StorageError."""
        if "authorization" in request.headers:
            raise StorageError(
                400,
                "InvalidArgument",
                "Only one auth mechanism allowed; the X-Amz-Algorithm query parameter is one, the Authorization "
                "header another.",
                ArgumentName="Authorization",
            )
        self._check_signature(request)
        if "content-length" not in request.headers:
            raise StorageError(
                411, "MissingContentLength", "You must provide the Content-Length HTTP header."
            )
        if request.announced_length is None:
            raise StorageError(400, "InvalidArgument", "Content-Length is not a number.")
        key = request.path.removeprefix(STORAGE_PREFIX)
        self._check_size(key, request.announced_length)
        self._check_unused(key)

    def put(self, request: Request) -> Response:
        """Store the body of a PUT, or raise a StorageError and store nothing."""
        self.check(request)
        key = request.path.removeprefix(STORAGE_PREFIX)
        if request.is_cut_short():
            raise StorageError(400, "IncompleteBody", "The body is shorter than Content-Length.")
        self._check_size(key, request.length())
        path, digest = self._path(key), hashlib.md5(usedforsecurity=False)
        path.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        part = tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False)  # noqa: SIM115
        try:
            with part:
                while chunk := request.body.read(CHUNK_SIZE):
                    digest.update(chunk)
                    part.write(chunk)
            expected = request.headers.get("content-md5")
            if expected is not None and expected != base64.b64encode(digest.digest()).decode():
                message = "The Content-MD5 you specified did not match what we received."
                raise StorageError(400, "BadDigest", message)
            with self._lock:
                self._check_unused(key)
                Path(part.name).replace(path)
        finally:
            Path(part.name).unlink(missing_ok=True)
        return Response(200, {"ETag": f'"{digest.hexdigest()}"'}, b"")

    def _check_signature(self, request: Request) -> None:
        query = request.query
        signature, moment = query.pop("X-Amz-Signature", ""), _check_query(query)
        unsigned = [name for name in request.headers if name.lower().startswith("x-amz-")]
        if unsigned:
            raise StorageError(
                403,
                "AccessDenied",
                "There were headers present in the request which were not signed",
                HeadersNotSigned=", ".join(unsigned),
            )
        lifetime = timedelta(seconds=int(query["X-Amz-Expires"]))
        if self._now() - moment >= lifetime:  # the sum of moment and lifetime may lie after the year 9999
            if self._expired_link == "ExpiredToken":
                raise StorageError(400, "ExpiredToken", "The provided token has expired.")
            expires = (moment + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
            raise StorageError(403, "AccessDenied", "Request has expired", Expires=expires)
        headers = {"content-type": request.headers.get("content-type", ""), "host": request.host}
        expected = sign_request(self._credentials, request.method, request.full_path, query, headers, moment)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            message = "The request does not match the signature; check method and headers."
            raise StorageError(403, "SignatureDoesNotMatch", message)

    def _check_size(self, key: str, size: int) -> None:
        record = self._database.find("objects", key)
        if record is None:
            raise StorageError(403, "AccessDenied", "Access Denied")
        allowed: int = record.internal["max_size"]
        if size > allowed:
            raise StorageError(
                400,
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
                ProposedSize=size,
                MaxSizeAllowed=allowed,
            )

    def _check_unused(self, key: str) -> None:
        if self.holds(key):
            raise StorageError(412, "PreconditionFailed", "The link was already used.")

    def _path(self, key: str) -> Path:
        # Only signed keys get here, and a digest cannot lead out of the folder, whatever the key contains.
        return self._folder / hashlib.sha256(key.encode()).hexdigest()


def _check_query(query: dict[str, str]) -> datetime:
    """Return when a link began to count, or raise a StorageError if its query is not that of a presigned link."""
    if "X-Amz-Algorithm" not in query:
        raise StorageError(403, "AccessDenied", "Access Denied")
    message = f"X-Amz-SignedHeaders must be {SIGNED_HEADERS}."
    try:
        if query["X-Amz-Algorithm"] != ALGORITHM or not LIFETIME.fullmatch(query["X-Amz-Expires"]):
            raise ValueError
        moment = parse_moment(query["X-Amz-Date"])
    except (KeyError, ValueError):
        message = "Query-string authentication is incomplete or malformed."
    else:
        if query.get("X-Amz-SignedHeaders") == SIGNED_HEADERS:
            return moment
    raise StorageError(400, "AuthorizationQueryParametersError", message)
