"""Choose the route of a request: to this machine, directly, or through a proxy that the environment names.

One rule, `is_loopback`, decides what this machine is. It is used twice: plain http is allowed to this machine, and no
proxy is used for it. If the two differed, a request over plain http could carry the API key to a proxy.

The environment is read here, not by the backend: httpx raises for values that curl ignores, and quotes them in
its message, the password of a proxy too.
"""

from __future__ import annotations

import os
from typing import Literal, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from .._core.config import Secret, is_loopback, parse_host

Route: TypeAlias = Literal["plain", "direct", "http", "https"]
"""`plain`: this machine over http, where no certificate is needed; `direct`: without a proxy; else through the proxy
for addresses of that scheme."""


def route_to(origin: str) -> Route:
    """Return the route to an origin such as `https://api.scripe.io`."""
    parts = urlsplit(origin)
    if is_loopback(parts.hostname or ""):
        return "plain" if parts.scheme == "http" else "direct"
    scheme: Route = "http" if parts.scheme == "http" else "https"
    host = parts.netloc.rpartition("@")[2]
    return "direct" if proxy_of(scheme) is None or proxy_bypass(host) else scheme


def proxy_of(route: Route) -> tuple[Secret[str | None], str] | None:
    """Return the proxy of a route and the name of the variable that holds it; None for a route without one."""
    proxies = getproxies() if route in ("http", "https") else {}
    scheme = next((name for name in (route, "all") if proxies.get(name)), None)
    if scheme is None:
        return None
    named = [f"{scheme}_proxy", f"{scheme}_proxy".upper()]
    variable = next((name for name in named if os.environ.get(name)), "the system's settings")
    address = proxies[scheme]
    return Secret(address if "://" in address else f"http://{address}"), variable


def check_proxy(proxy: Secret[str | None]) -> None:
    """Raise ValueError for a URL without a host, or with blanks, which a backend would look up as a name."""
    address = proxy.reveal()
    is_usable = address is None or (parse_host(address) and not any(map(str.isspace, address)))
    del address  # a traceback that prints the locals of this frame must not show it
    if not is_usable:
        raise ValueError("not the URL of a proxy")
