"""Upload links. https://apidocs.scripe.io/api-reference/uploads/mint-a-presigned-s3-put-url"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from .._redaction import redact_query
from ._base import OPEN_ENUM, Instant, Model


class Upload(Model):
    """A presigned link that takes one file.

    Attributes:
        id: `upl_…`, what `sources.create_file` takes.
        upload_url: Where the bytes go, by PUT. Its query is a password: it is left out of the repr.
        content_type: The one content type that the link takes.
        max_size_bytes: The largest file that the link takes.
        expires_at: When the link stops working.
        method: Always `PUT`.

    """

    id: str
    upload_url: str
    content_type: str
    max_size_bytes: int
    expires_at: Instant
    method: Annotated[Literal["PUT"] | str, OPEN_ENUM] = "PUT"

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        for name, value in super().__repr_args__():
            yield name, redact_query(self.upload_url) if name == "upload_url" else value
