"""What is never shown: queries of links, webhook secrets, API keys; and a cut for what a server says without end."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .types._base import JSON

LONGEST = 1024 * 1024
"""Bytes of a body that are shown; what is cut is shown as text."""

# None of these patterns tries a stretch of text more than once from within it: that would take quadratic time.
_LINK = re.compile(r":(?:\\?/){2}(?:[^\s\"\\]|\\.)+")  # after its scheme, found whole and then cut
_BY_FORM = re.compile(
    r"(?P<start>whsec_|scripe_sk_|X-Amz-(?:Signature|Credential|Security-Token)=)(?:[^\s\"\\&,;<>]|\\.)+",
    re.IGNORECASE,
)
_BY_NAME = re.compile(
    r"(?P<start>\"[a-z_-]{0,40}(?:secret|token|password|authorization|api_?key)\"\s{0,9}:\s{0,9}\")(?:[^\"\\]|\\.)*",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})|\\(/)", re.IGNORECASE)
_HALF = re.compile("[\ud800-\udfff]")


def clip(text: str, length: int) -> str:
    """Cut what a server said to a length that a message can hold."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def replace_halves(text: str) -> str:
    """Replace half surrogate pairs, which JavaScript leaves where it cuts an emoji, and UTF-8 cannot carry."""
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text)


def redact(text: str) -> str:
    """Return a text, of JSON or any other, without the secrets that it shows by their names or their form."""
    text = _BY_NAME.sub(r"\g<start>…", _LINK.sub(_without_query, text))
    return _BY_FORM.sub(r"\g<start>…", text)


def redact_body(body: bytes, api_key: str) -> JSON:
    """Return a body as an error may show it: the JSON that it is, else its text. Escapes are decoded first."""
    found = body[:LONGEST].decode("utf-8", "replace")
    try:
        found = json.dumps(json.loads(found), ensure_ascii=False)
        is_json = True
    except (ValueError, RecursionError):
        found = _ESCAPE.sub(lambda escape: escape[2] or chr(int(escape[1], 16)), found)
        is_json = False
    found = redact(replace_halves(found))
    found = found.replace(api_key, "…") if api_key else found
    return cast("JSON", json.loads(found)) if is_json else found


def _without_query(link: re.Match[str]) -> str:
    shown, mark, _ = link[0].partition("?")
    return f"{shown}?…" if mark else shown
