"""Texts of others, made harmless: in tables, messages and JSON."""

from __future__ import annotations

import re

# What moves the cursor, changes colours or the direction of writing, or cannot be encoded; not tab and line feed.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SECRETS = re.compile(r"(scripe_sk_|scripe_oauth_|whsec_)\w+")


def harmless(text: str) -> str:
    """A text of others with nothing in it that a terminal would obey."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def on_one_line(text: str) -> str:
    """The same, for the cell of a table or a message."""
    return harmless(" ".join(text.split()))


def without_secrets(text: str) -> str:
    """What may be said on stderr, which often ends in a log: a key that was put in a wrong place is not repeated."""
    return _SECRETS.sub(r"\1…", text)


def escaped(document: str) -> str:
    """JSON in which what a terminal would obey, or an encoding refuse, is written as an escape."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", document)
