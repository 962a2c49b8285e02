"""Keep uploads at any S3 endpoint, addressed by path and reached only with presigned links."""

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
    """The S3 endpoint responded with an error."""


class S3Storage:
    """Keeps uploads at an S3 endpoint.

    Links count from the system's time, not from the emulator's clock, since the endpoint checks them by its own.

    Args:
        endpoint: Scheme, host and port, such as `http://127.0.0.1:9000`.
        access_key: The access key id.
        secret_key: Its secret.
        bucket: An existing bucket.
        region: The region in signatures.

    """

    def __init__(
        self, endpoint: str, access_key: str, secret_key: str, bucket: str, region: str = "us-east-1"
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._credentials = Credentials(access_key, secret_key, region)
        self._bucket = bucket

    def presign(self, link: PresignRequest) -> str:
        """Return a URL for a PUT of one content type; S3 itself does not limit its size."""
        return self._presign("PUT", link.key, link.lifetime, {"content-type": link.content_type})

    def holds(self, key: str) -> bool:
        """Return whether the bucket has the key."""
        try:
            with self._send("HEAD", key):
                return True
        except ObjectNotFoundError:
            return False

    def open(self, key: str) -> BinaryIO:
        """Return the bytes of a key, on disk if there are many.

        Raises:
            ObjectNotFoundError: The bucket does not have the key.
            S3Error: The endpoint refused.

        """
        spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (the caller closes it)
        try:
            with self._send("GET", key) as response:
                shutil.copyfileobj(response, spool)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return cast("BinaryIO", spool)

    def delete(self, key: str) -> None:
        """Delete the key from the bucket."""
        with self._send("DELETE", key):
            pass

    @contextmanager
    def _send(self, method: str, key: str) -> Generator[http.client.HTTPResponse]:
        url = urlsplit(self._presign(method, key, OWN_LIFETIME, {}))
        connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = connect(url.netloc, timeout=TIMEOUT)
        try:
            connection.request(method, f"{url.path}?{url.query}")
            with connection.getresponse() as response:
                if response.status == 404:
                    raise ObjectNotFoundError(key)
                if response.status >= 300:
                    raise S3Error(f"{method} of {key} got a {response.status}")
                yield response
        except http.client.HTTPException as error:
            raise S3Error(f"{method} of {key} got no complete response: {type(error).__name__}") from None
        finally:
            connection.close()

    def _presign(self, method: str, key: str, lifetime: int, headers: dict[str, str]) -> str:
        return presign(
            self._credentials,
            method,
            self._endpoint,
            quote(f"/{self._bucket}/{key}"),
            headers={**headers, "host": urlsplit(self._endpoint).netloc},
            moment=datetime.now(UTC),
            lifetime=lifetime,
        )
