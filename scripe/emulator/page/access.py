"""Who may look at the page, and who may press its buttons: a browser on this machine, from the page itself.

A page elsewhere can make a browser send requests here. What it cannot do is choose their ``Host``, ``Origin`` and
``Sec-Fetch-Site``: a name of its own that leads here shows in the first, a form of its own in the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..._rules.config import is_loopback


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request to the page comes from, and what it says of that.

    Attributes:
        peer: the caller's address.
        local: the address at which the caller reached this machine.
        bound: the address that the server was told to listen on.
        headers: the header fields; names in small letters are found.

    """

    peer: str
    local: str
    bound: str
    headers: Mapping[str, str]

    def objection(self, *, presses: bool) -> str | None:
        """Why the request is refused, in a sentence; None when it may pass."""
        if not (is_loopback(self.peer) or self.peer == self.local):
            return "The page answers this machine alone."
        if not self._names_this_machine():
            return "The page answers to localhost and to the address that the emulator listens on, by no other name."
        if presses and not self._comes_from_the_page():
            return "The page's buttons are pressed on the page itself, not from another one."
        return None

    def _names_this_machine(self) -> bool:
        name = _name(self.headers.get("host", ""))
        return is_loopback(name) or (name != "" and name in (self.bound.lower(), self.local))

    def _comes_from_the_page(self) -> bool:
        origin, site = self.headers.get("origin"), self.headers.get("sec-fetch-site")
        is_own = origin is None or _authority(origin) == self.headers.get("host", "").lower()
        return is_own and site in (None, "same-origin", "none")


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _authority(origin: str) -> str:
    scheme, _, rest = origin.lower().partition("://")
    return rest if scheme in ("http", "https") else ""
