"""Where uploaded bytes go: a small interface, and the XML in which storage refuses."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol
from xml.sax.saxutils import escape

from ..messages import Response


class ObjectNotFoundError(LookupError):
    """Storage holds no bytes under this key."""


@dataclass(frozen=True, slots=True)
class PresignRequest:
    """What a presigned link is to allow.

    Attributes:
        key: where the bytes will be, ``<workspace>/<name>``.
        content_type: the only ``Content-Type`` that it accepts.
        max_size: the largest body, in bytes.
        origin: scheme, host and port at which the caller reached the emulator.
        moment: the emulator's time.
        lifetime: seconds until it expires.

    """

    key: str
    content_type: str
    max_size: int
    origin: str
    moment: datetime
    lifetime: int


class Storage(Protocol):
    """What the emulator asks of a storage: links to put bytes with, and the bytes put."""

    def presign(self, link: PresignRequest) -> str:
        """A URL to which the bytes are PUT."""
        ...

    def holds(self, key: str) -> bool:
        """Whether bytes were put under a key."""
        ...

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key as a file that can seek; the caller closes it.

        Raises:
            MissingObjectError: there are none.

        """
        ...

    def delete(self, key: str) -> None:
        """Forget the bytes of a key, if there are any."""
        ...


class StorageError(Exception):
    """A request that storage refuses."""

    def __init__(self, status: int, code: str, message: str, **elements: object) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.elements = elements

    def response(self) -> Response:
        """The answer as XML."""
        return storage_error_response(self.status, self.code, self.message, **self.elements)


def storage_error_response(status: int, code: str, message: str, **elements: object) -> Response:
    """An error as storage words it; elements stand after the message."""
    parts = {"Code": code, "Message": message, **elements}
    inner = "".join(f"<{name}>{escape(str(text))}</{name}>" for name, text in parts.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return Response(status, {"Content-Type": "application/xml"}, body.encode())
