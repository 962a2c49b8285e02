"""Upload links. https://apidocs.scripe.io/api-reference/uploads/mint-a-presigned-s3-put-url"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from .._redaction import redact_query
from ._base import OPEN_ENUM, Instant, Model


class Upload(Model):
    """A presigned link that takes one file.

    Attributes:
        id: `upl_…`, for `sources.create_file` and `knowledge.create_file`.
        upload_url: URL to send the file to, by PUT. Its query is a secret, and is left out of the repr.
        content_type: The only content type that the link accepts.
        max_size_bytes: Size of the largest file that the link accepts.
        expires_at: Time at which the link expires.
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
