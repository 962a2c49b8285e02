"""httpx or httpx2: which one, and how its clients are opened.

The two families have the same names, so what differs between them (classes of exceptions, above all) is asked
of the module that a client came from. Only names that are public in both are used. `aiohttp` is httpx2 with aiohttp
below it, by way of httpx-aiohttp.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias, cast
from urllib.request import getproxies

from ..errors import ConfigurationError
from .trust import trust_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    import httpx
    import httpx2

    HTTPClient: TypeAlias = httpx.Client | httpx2.Client
    AsyncHTTPClient: TypeAlias = httpx.AsyncClient | httpx2.AsyncClient
else:
    HTTPClient = AsyncHTTPClient = object

EngineName: TypeAlias = Literal["httpx", "httpx2"]
AsyncEngineName: TypeAlias = Literal["httpx", "httpx2", "aiohttp"]

VARIABLE = "SCRIPE_HTTP"

_BY_NAME: Mapping[str, EngineName] = {"httpx": "httpx", "httpx2": "httpx2"}

_FAMILY_OF = {"httpx": "httpx", "httpx2": "httpx2", "aiohttp": "httpx2"}
_HOME_OF = {"httpx": "httpx", "httpx2": "httpx2", "aiohttp": "httpx_aiohttp.httpx2"}
_KEPT = {"httpx": 20, "httpx2": 100, "aiohttp": 100}
"""Idle connections: httpx looks through all of them for each request, and with more it takes longer than to connect."""


def family_of(thing: object) -> ModuleType:
    """The module that a client or a request came from; subclasses come from it too."""
    for kind in type(thing).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in ("httpx", "httpx2"):
            return sys.modules[root]
    raise ConfigurationError(f"http_client is a {type(thing).__name__}; give a client of httpx or httpx2.")


def default_engine() -> EngineName:
    """The engine that the environment names, else httpx."""
    name = os.environ.get(VARIABLE) or "httpx"
    if name not in _BY_NAME:
        raise ConfigurationError(f"{VARIABLE} is {name!r}; it may be {' or '.join(_BY_NAME)}.")
    return _BY_NAME[name]


def default_family() -> ModuleType:
    return family_named(default_engine())


def family_named(engine: AsyncEngineName) -> ModuleType:
    """The family that an engine is of.

    Raises:
        ConfigurationError: it is not installed.

    """
    try:
        import_module(_HOME_OF[engine])
        return import_module(_FAMILY_OF[engine])
    except ImportError:
        raise ConfigurationError(
            f'{engine} is missing: install the extra "{engine}" of scripe (it brings {engine}).'
        ) from None


def check_engine(name: str, known: Sequence[str]) -> None:
    """Refuse an engine that there is not, or that is not installed, where it was asked for."""
    if name not in known:
        raise ConfigurationError(
            f"http_client is {name!r}; it may be {', '.join(known)}, or a client of yours."
        )
    family_named(cast("AsyncEngineName", name))


def opened(engine: AsyncEngineName, kind: Literal["Client", "AsyncClient"]) -> object:
    """A client of ours.

    Connections are not what limits calls, the budget is: a call that waits for one would time out, though nothing is
    slow. What goes to this machine goes through no proxy, whatever the environment says.
    """
    family = family_named(engine)
    return _client_class(engine, kind)(
        verify=trust_of(family.__name__),
        limits=family.Limits(max_connections=1000, max_keepalive_connections=_KEPT[engine]),
        mounts=_direct() if getproxies() else None,
    )


def _direct() -> dict[str, None]:
    return dict.fromkeys(("all://localhost", "all://*.localhost", "all://127.0.0.1", "all://[::1]"))


@cache
def _client_class(engine: AsyncEngineName, kind: str) -> Callable[..., object]:
    """The family's client, but for cookies, which the API has none of: to look for them takes httpx 5% of a call.

    aiohttp, below it, has a jar of its own, which this does not reach.
    """
    family = family_named(engine)
    name = "Httpx2AiohttpClient" if engine == "aiohttp" else kind

    class NoCookies(family.Cookies):  # type: ignore[misc, name-defined]
        def extract_cookies(self, response: object) -> None:
            """Leave them."""

    none = NoCookies()
    parent = getattr(import_module(_HOME_OF[engine]), name)
    return type(kind, (parent,), {"cookies": property(lambda _: none)})


def checked(client: object, kind: type) -> object:
    if not isinstance(client, kind):
        raise ConfigurationError(
            f"http_client is a {type(client).__module__.partition('.')[0]}.{type(client).__name__}; "
            f"this client needs a {kind.__name__}: Scripe a Client, AsyncScripe an AsyncClient."
        )
    return client
