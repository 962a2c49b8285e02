"""httpx or httpx2: which one, and how its clients are opened.

The two families have the same names, so what differs between them (classes of exceptions, above all) is asked
of the module that a client came from. Only names that are public in both are used.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias, cast

from ..errors import ConfigurationError

if TYPE_CHECKING:
    import ssl
    from types import ModuleType

    import httpx
    import httpx2

    HTTPClient: TypeAlias = httpx.Client | httpx2.Client
    AsyncHTTPClient: TypeAlias = httpx.AsyncClient | httpx2.AsyncClient
else:
    HTTPClient = AsyncHTTPClient = object

VARIABLE = "SCRIPE_HTTP"
FAMILIES = ("httpx", "httpx2")


def family_of(thing: object) -> ModuleType:
    """The module that a client or a request came from; subclasses come from it too."""
    for kind in type(thing).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in FAMILIES:
            return sys.modules[root]
    raise ConfigurationError(f"http_client is a {type(thing).__name__}; give a client of httpx or httpx2.")


def default_family() -> ModuleType:
    name = os.environ.get(VARIABLE) or "httpx"
    if name not in FAMILIES:
        raise ConfigurationError(f"{VARIABLE} is {name!r}; it may be {' or '.join(FAMILIES)}.")
    try:
        return import_module(name)
    except ImportError:
        raise ConfigurationError(f'{VARIABLE}={name} needs `pip install "scripe[{name}]"`.') from None


@cache
def _tls(family: str) -> ssl.SSLContext:
    """One context for all clients of a process: to load the certificates takes longer than the rest of a client."""
    return cast("ssl.SSLContext", import_module(family).create_ssl_context())


def options(family: ModuleType) -> dict[str, object]:
    """How a client of ours is opened.

    Connections are not what limits calls, the budget is: a call that waits for one would time out, though nothing is
    slow. What goes to this machine goes through no proxy, whatever the environment says.
    """
    direct = dict.fromkeys(("all://localhost", "all://*.localhost", "all://127.0.0.1", "all://[::1]"))
    limits = family.Limits(max_connections=1000, max_keepalive_connections=20)
    return {"verify": _tls(family.__name__), "limits": limits, "mounts": direct}


def checked(client: object, kind: type) -> object:
    if not isinstance(client, kind):
        raise ConfigurationError(
            f"http_client is a {type(client).__module__.partition('.')[0]}.{type(client).__name__}; "
            f"this client needs a {kind.__name__}: Scripe a Client, AsyncScripe an AsyncClient."
        )
    return client
