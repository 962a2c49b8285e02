"""Uploads in any S3 endpoint, addressed by path, reached with presigned links alone."""

import http.client
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO, cast
from urllib.parse import quote, urlsplit

from .base import ObjectNotFoundError, PresignRequest
from .sigv4 import Credentials, presign

TIMEOUT = 60.0
OWN_LIFETIME = 300
IN_MEMORY = 1 << 20


class S3Error(OSError):
    """The S3 endpoint answered with an error."""


class S3Storage:
    """Presigns PUTs against an S3 endpoint, and fetches what was put there.

    Links count from the system's time, not from the emulator's clock: the endpoint judges them by its own.

    Args:
        endpoint: scheme, host and port, such as ``http://127.0.0.1:9000``.
        access_key: the access key id.
        secret_key: the secret that belongs to it.
        bucket: an existing bucket.
        region: the region that signatures name.

    """

    def __init__(
        self, endpoint: str, access_key: str, secret_key: str, bucket: str, region: str = "us-east-1"
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._credentials = Credentials(access_key, secret_key, region)
        self._bucket = bucket

    def presign(self, link: PresignRequest) -> str:
        """A URL for a PUT of one content type; S3 itself sets no bound to its size."""
        return self._link("PUT", link.key, link.lifetime, {"content-type": link.content_type})

    def holds(self, key: str) -> bool:
        """Whether the bucket holds the key."""
        try:
            with self._call("HEAD", key):
                return True
        except ObjectNotFoundError:
            return False

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key, spooled to disk when they are many.

        Raises:
            MissingObjectError: the bucket does not hold the key.
            S3Error: the endpoint refused.

        """
        spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (the caller closes it)
        try:
            with self._call("GET", key) as answer:
                shutil.copyfileobj(answer, spool)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return cast("BinaryIO", spool)

    def delete(self, key: str) -> None:
        """Delete the key from the bucket."""
        with self._call("DELETE", key):
            pass

    @contextmanager
    def _call(self, method: str, key: str) -> Generator[http.client.HTTPResponse]:
        link = urlsplit(self._link(method, key, OWN_LIFETIME, {}))
        connect = http.client.HTTPSConnection if link.scheme == "https" else http.client.HTTPConnection
        connection = connect(link.netloc, timeout=TIMEOUT)
        try:
            connection.request(method, f"{link.path}?{link.query}")
            with connection.getresponse() as answer:
                _check(answer, method, key)
                yield answer
        except http.client.HTTPException as error:
            raise S3Error(f"{method} of {key} had no whole answer: {type(error).__name__}") from None
        finally:
            connection.close()

    def _link(self, method: str, key: str, lifetime: int, headers: dict[str, str]) -> str:
        return presign(
            self._credentials,
            method,
            self._endpoint,
            quote(f"/{self._bucket}/{key}"),
            headers={**headers, "host": urlsplit(self._endpoint).netloc},
            moment=datetime.now(UTC),
            lifetime=lifetime,
        )


def _check(answer: http.client.HTTPResponse, method: str, key: str) -> None:
    if answer.status == 404:
        raise ObjectNotFoundError(key)
    if answer.status >= 300:
        raise S3Error(f"{method} of {key} was answered with {answer.status}")
