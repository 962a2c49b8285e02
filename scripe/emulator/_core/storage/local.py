"""The emulator's own storage: presigned PUTs, checked one by one, their bytes on disk."""

import base64
import hashlib
import hmac
import re
import tempfile
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, BinaryIO

from ..database import Database, Record
from ..messages import STORAGE_PREFIX, Request, Response
from ..settings import ExpiredLink
from .base import ObjectNotFoundError, PresignRequest, StorageError
from .sigv4 import ALGORITHM, Credentials, parse_moment, presign, signature_of

CHUNK = 1 << 20
SIGNED = "content-type;host"
ACCESS_KEY = "SCRIPEEMULATOR"
LIFETIME = re.compile("[1-9][0-9]{0,8}")  # seconds
PRIVATE = 0o700


class LocalStorage:
    """Keeps uploads in a folder; what each link allows is kept with the emulator's records.

    Args:
        state: the emulator's records.
        folder: where the bytes go.
        secret_key: what links are signed with.
        now: the emulator's time.
        expired_link: how an expired link is refused.

    """

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
        """A URL for one PUT of one content type and at most `max_size` bytes."""
        workspace_id = link.key.partition("/")[0]
        self._database.insert(
            Record("objects", link.key, workspace_id, None, 0, internal={"max_size": link.max_size})
        )
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
        """Whether bytes were put under a key."""
        return self._path(key).exists()

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise ObjectNotFoundError(key) from None

    def delete(self, key: str) -> None:
        """Forget the bytes of a key."""
        self._path(key).unlink(missing_ok=True)

    def check(self, request: Request) -> None:
        """Judge a request by all but its body.

        Raises:
            StorageRefusedError: it is refused.

        """
        _check_no_header_auth(request)
        self._check_signature(request)
        key = request.path.removeprefix(STORAGE_PREFIX)
        self._check_size(key, _announced_length(request))
        self._check_unused(key)

    def put(self, request: Request) -> Response:
        """Store the body of a PUT.

        Raises:
            StorageRefusedError: it is refused, and nothing was stored.

        """
        self.check(request)
        key = request.path.removeprefix(STORAGE_PREFIX)
        if request.is_cut_short():
            raise StorageError(400, "IncompleteBody", "The body is shorter than Content-Length.")
        self._check_size(key, request.length())
        return self._store(request, key)

    def _store(self, request: Request, key: str) -> Response:
        path = self._path(key)
        path.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        part = tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False)  # noqa: SIM115
        try:
            with part:
                digest = _copy(request.body, part)
            _check_digest(request, digest)
            with self._lock:
                self._check_unused(key)
                Path(part.name).replace(path)
        finally:
            Path(part.name).unlink(missing_ok=True)
        return Response(200, {"ETag": f'"{digest.hex()}"'}, b"")

    def _check_signature(self, request: Request) -> None:
        query = request.query
        signature, moment = query.pop("X-Amz-Signature", ""), _moment(query)
        _check_headers(request, query)
        lifetime = timedelta(seconds=int(query["X-Amz-Expires"]))
        if self._now() - moment >= lifetime:
            raise self._expiry(moment + lifetime)
        headers = {"content-type": request.headers.get("content-type", ""), "host": request.host}
        expected = signature_of(self._credentials, request.method, request.full_path, query, headers, moment)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise StorageError(
                403,
                "SignatureDoesNotMatch",
                "The request does not match the signature; check method and headers.",
            )

    def _expiry(self, expired_at: datetime) -> StorageError:
        if self._expired_link == "ExpiredToken":
            return StorageError(400, "ExpiredToken", "The provided token has expired.")
        return StorageError(
            403, "AccessDenied", "Request has expired", Expires=expired_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        )

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
            raise StorageError(412, "PreconditionFailed", "The link was used already.")

    def _path(self, key: str) -> Path:
        # A key never comes from a caller unsigned, but a digest cannot leave the folder whatever it holds.
        return self._folder / hashlib.sha256(key.encode()).hexdigest()


def _check_no_header_auth(request: Request) -> None:
    if "authorization" in request.headers:
        raise StorageError(
            400,
            "InvalidArgument",
            "Only one auth mechanism allowed; the X-Amz-Algorithm query parameter is one, the Authorization "
            "header another.",
            ArgumentName="Authorization",
        )


def _moment(query: dict[str, str]) -> datetime:
    if "X-Amz-Algorithm" not in query:
        raise StorageError(403, "AccessDenied", "Access Denied")
    try:
        if query["X-Amz-Algorithm"] != ALGORITHM or not LIFETIME.fullmatch(query["X-Amz-Expires"]):
            raise ValueError
        return parse_moment(query["X-Amz-Date"])
    except (KeyError, ValueError):
        raise StorageError(
            400,
            "AuthorizationQueryParametersError",
            "Query-string authentication is incomplete or malformed.",
        ) from None


def _check_headers(request: Request, query: dict[str, str]) -> None:
    if query.get("X-Amz-SignedHeaders") != SIGNED:
        raise StorageError(400, "AuthorizationQueryParametersError", f"X-Amz-SignedHeaders must be {SIGNED}.")
    unsigned = [name for name in request.headers if name.lower().startswith("x-amz-")]
    if unsigned:
        raise StorageError(
            403,
            "AccessDenied",
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(unsigned),
        )


def _announced_length(request: Request) -> int:
    if "content-length" not in request.headers:
        raise StorageError(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    if request.announced_length is None:
        raise StorageError(400, "InvalidArgument", "Content-Length is no number.")
    return request.announced_length


def _check_digest(request: Request, digest: bytes) -> None:
    claimed = request.headers.get("content-md5")
    if claimed is not None and claimed != base64.b64encode(digest).decode():
        raise StorageError(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")


def _copy(body: BinaryIO, target: IO[bytes]) -> bytes:
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := body.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.digest()
