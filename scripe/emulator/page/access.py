"""Decide who may see the page and use its buttons: a browser on this machine, from the page itself.

A page elsewhere can make a browser send requests here. It cannot choose their `Host`, `Origin` and `Sec-Fetch-Site`: a
name of its own that resolves to this machine shows in the first (DNS rebinding), a form of its own in the others
(cross-site request forgery).
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ..._core.config import is_loopback


def check_request(
    peer: str, local: str, bound: str, headers: Mapping[str, str], *, is_post: bool
) -> str | None:
    """Return why a request to the page is refused, None if it is not.

    `local` is the address at which the caller reached this machine, `bound` the one that the server was given. Header
    fields are found by lower-case names.
    """
    if not (is_loopback(peer) or peer == local):
        return "The page answers this machine only."
    host = headers.get("host", "")
    name = _host_name(host)
    if not (is_loopback(name) or (name != "" and name in (bound.lower(), local))):
        return "The page answers only under localhost or the address that the emulator listens on."
    if is_post and not _is_same_origin(host, headers):
        return "The page's buttons work only on the page itself, not from another page."
    return None


def _is_same_origin(host: str, headers: Mapping[str, str]) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        scheme, _, authority = origin.lower().partition("://")
        if scheme not in ("http", "https") or authority != host.lower():
            return False
    return headers.get("sec-fetch-site") in (None, "same-origin", "none")


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
