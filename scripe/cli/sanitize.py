"""Take control characters and secrets out of texts that others wrote."""

from __future__ import annotations

import re

# Characters that move the cursor, change colours or the direction of writing, or cannot be encoded; without tab and
# newline.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SECRETS = re.compile(r"(scripe_sk_|scripe_oauth_|whsec_)\w+")


def strip_controls(text: str) -> str:
    """Replace each control character that a terminal would obey."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def to_one_line(text: str) -> str:
    """Replace control characters and line breaks, for a cell of a table or a message."""
    return strip_controls(" ".join(text.split()))


def hide_secrets(text: str) -> str:
    """Shorten secrets: stderr often ends in a log, and a message may quote a key that was typed in a wrong place."""
    return _SECRETS.sub(r"\1…", text)


def escape_controls(document: str) -> str:
    """Write control characters of a JSON document as JSON escapes."""
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
