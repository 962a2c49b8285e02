"""Which addresses a webhook may have: public ones by https.

Names are judged as they are written: the emulator asks no name server.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from .errors import ApiError

LOCAL_NAMES = ("localhost", "local", "internal", "lan", "home", "corp")
PORT = r"(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?"
REST = r"([/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?(#[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?"
URL = rf"https?://[A-Za-z0-9][A-Za-z0-9.-]*{PORT}{REST}"
PUBLIC_URL = rf"https://[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{{2,63}}{PORT}{REST}"
ANY_URL = re.compile(rf"https?://\[[0-9A-Fa-f:.]+\]{PORT}{REST}|{URL}")


def check_webhook_url(url: str) -> None:
    """Let an address pass that events may be sent to.

    Raises:
        ApiError: 422, it is no https URL, or leads to a private address.

    """
    address = split_url(url)
    host = "" if address is None else address.hostname or ""
    if address is None or address.scheme != "https":
        raise ApiError("unprocessable", "url must be an https URL.", details={"parameter": "url"})
    if not _is_public(host):
        raise ApiError("ssrf_blocked", f"{host} is not a public address.", details={"parameter": "url"})


def split_url(url: str) -> SplitResult | None:
    """The parts of an http or https URL, None when it is none."""
    if not ANY_URL.fullmatch(url):
        return None
    try:
        return urlsplit(url)
    except ValueError:  # what stands in brackets is no address
        return None


def _is_public(host: str) -> bool:
    literal = _literal(host)
    if literal is not None:
        return literal.is_global and not literal.is_multicast
    return "." in host and host.rpartition(".")[2] not in LOCAL_NAMES


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
