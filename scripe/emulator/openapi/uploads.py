"""The schemas and operations of ``/uploads``."""

import re

from .._core.canonical_json import JsonObject
from .._core.routes.uploads import CAPS
from .building import choice, integer, moment, reference, structure, text
from .operations import Operation, wrapped

SUBTYPE = "[a-z0-9!#$&^_.+-]+"
CONTENT_TYPE = (
    rf"^((audio|video|image)/{SUBTYPE}|application/(pdf|msword|vnd\.openxmlformats-officedocument\.{SUBTYPE})"
    r'|text/plain)( ?; ?[A-Za-z0-9_.="+-]+)*$'
)
SCHEMAS: JsonObject = {
    "Upload": structure(
        {
            "id": text("`upl_…`"),
            "uploadUrl": text("Takes one PUT of the bytes, without any token."),
            "contentType": text("What the PUT must send as `Content-Type`."),
            "maxSizeBytes": integer("The most bytes that the PUT may have.", minimum=1),
            "expiresAt": moment(),
            "method": choice(("PUT",)),
        }
    ),
    "UploadCreate": {
        **structure(
            {"contentType": text("The file's type.", pattern=CONTENT_TYPE)},
            {
                "maxSizeBytes": integer(
                    "The most bytes to be sent; the cap of the type without.",
                    minimum=1,
                    maximum=max(CAPS.values()),
                )
            },
        ),
        "allOf": [
            {
                "if": {"properties": {"contentType": {"pattern": f"^{re.escape(prefix)}"}}},
                "then": {"properties": {"maxSizeBytes": {"maximum": cap}}},
            }
            for prefix, cap in CAPS.items()
            if cap < max(CAPS.values())
        ],
    },
}
OPERATIONS = (
    Operation(
        "POST",
        "/uploads",
        "createUpload",
        "Uploads",
        "Mint a link to PUT a file's bytes to",
        wrapped(reference("Upload")),
        reference("UploadCreate"),
        statuses=(422,),
    ),
)
