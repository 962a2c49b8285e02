"""The interface to a storage, and the XML of its errors."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol
from xml.sax.saxutils import escape

from ..messages import Response


class ObjectNotFoundError(LookupError):
    """Storage has no bytes under this key."""


@dataclass(frozen=True, slots=True)
class PresignRequest:
    """The upload that a presigned link is to allow.

    Attributes:
        key: Where the bytes will be, `<workspace>/<name>`.
        content_type: The only `Content-Type` that it accepts.
        max_size: The largest body, in bytes.
        origin: Scheme, host and port at which the caller reached the emulator.
        moment: The emulator's time.
        lifetime: Seconds until it expires.

    """

    key: str
    content_type: str
    max_size: int
    origin: str
    moment: datetime
    lifetime: int


class Storage(Protocol):
    """A storage of uploads: it makes links to PUT bytes to, and gives the bytes back."""

    def presign(self, link: PresignRequest) -> str:
        """Return a URL to which the bytes are PUT."""
        ...

    def holds(self, key: str) -> bool:
        """Return whether bytes were PUT under a key."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Return the bytes of a key as a seekable file, which the caller closes.

        Raises:
            ObjectNotFoundError: There are none.

        """
        ...

    def delete(self, key: str) -> None:
        """Delete the bytes of a key, if there are any."""
        ...


class StorageError(Exception):
    """A request that storage refuses."""

    def __init__(self, status: int, code: str, message: str, **elements: object) -> None:
        super().__init__(message)
        self._response = storage_error_response(status, code, message, **elements)

    def response(self) -> Response:
        """Return the response as XML."""
        return self._response


def storage_error_response(status: int, code: str, message: str, **elements: object) -> Response:
    """Return an error in the XML of S3, with more elements after the message."""
    parts = {"Code": code, "Message": message, **elements}
    inner = "".join(f"<{name}>{escape(str(text))}</{name}>" for name, text in parts.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return Response(status, {"Content-Type": "application/xml"}, body.encode())
