"""Redact secrets: queries of upload links, webhook secrets, API keys, and values under names such as "token".

Errors, logs and reprs show parts of responses, and end up in error trackers and terminals. A response can hold secrets:
the API sends upload links and webhook secrets, and some proxies echo the whole request.

The patterns look for secrets in any text, not only in JSON that can be parsed: a response that was cut in the middle,
or JSON quoted within JSON, must not show more than a whole one. So they allow for escaped quotes and slashes.
"""

from __future__ import annotations

import json
import re

MIN_API_KEY_LENGTH = 8
"""A shorter API key is not redacted: it may be any word."""

MAX_SHOWN_BYTES = 1024 * 1024
"""Bytes of a body that an error keeps. A longer body is cut, and kept as text."""

# No pattern tries the same stretch of text again from within it: on a long body that would take quadratic time.
_LINK = re.compile(r":(?:\\?/){2}(?:[^\s\"\\]|\\.)+")  # after its scheme, found whole and then cut
_BY_FORM = re.compile(
    r"(?P<start>whsec_|scripe_sk_|X-Amz-(?:Signature|Credential|Security-Token)=)(?:[^\s\"\\&,;<>]|\\.)+",
    re.IGNORECASE,
)
_BY_NAME = re.compile(
    r"(?P<start>\\{0,3}\"[a-z_-]{0,40}(?:secrets?|tokens?|passwords?|authorization|(?:api|signing)[_-]?keys?)\\{0,3}\""
    r"\s{0,9}:\s{0,9}\[?\s{0,9}\\{0,3}\")(?:[^\"\\]|\\.)*",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\{1,3}u([0-9a-f]{4})|\\(/)", re.IGNORECASE)
_ESCAPED_MARK = re.compile(r"\\{1,4}u003f", re.IGNORECASE)  # a question mark, in JSON within a text of JSON
_HALF = re.compile("[\ud800-\udfff]")


def clip(text: str, length: int) -> str:
    """Cut a text of the server to a length that a message can hold."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def replace_lone_surrogates(text: str) -> str:
    """Replace half surrogate pairs, which JavaScript leaves where it cuts an emoji, and which UTF-8 cannot carry."""
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text)


def redact_api_key(text: str, api_key: str) -> str:
    """Return a text without the API key."""
    return text.replace(api_key, "…") if len(api_key) >= MIN_API_KEY_LENGTH else text


def redact(text: str) -> str:
    """Return a text, JSON or any other, without the secrets that are known by their name or form."""
    text = _BY_NAME.sub(r"\g<start>…", _LINK.sub(_redact_link, _ESCAPED_MARK.sub("?", text)))
    return _BY_FORM.sub(r"\g<start>…", text)


def decode(body: bytes) -> str:
    """Decode a JSON body, in whichever encoding of Unicode it is."""
    return body.decode(json.detect_encoding(body), "replace")


def redact_body(body: bytes, api_key: str) -> object:
    """Return a body without secrets, as JSON if it is JSON, else as text. Escapes are decoded first."""
    text = decode(body[:MAX_SHOWN_BYTES])
    try:
        text = redact_api_key(
            redact(replace_lone_surrogates(json.dumps(json.loads(text), ensure_ascii=False))), api_key
        )
        return json.loads(text)
    except (ValueError, RecursionError):
        text = _ESCAPE.sub(lambda escape: escape[2] or chr(int(escape[1], 16)), text)
        return redact_api_key(redact(replace_lone_surrogates(text)), api_key)


def redact_query(url: str) -> str:
    """Return a URL without its query, which is a password in an upload link."""
    visible, mark, _ = url.partition("?")
    return f"{visible}?…" if mark else visible


def _redact_link(link: re.Match[str]) -> str:
    return redact_query(link[0])
