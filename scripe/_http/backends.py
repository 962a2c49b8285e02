"""httpx or httpx2: which one, and how its clients are opened.

The two families have the same names, so what differs between them (classes of exceptions, above all) is asked
of the module that a client came from. Only names that are public in both are used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias

from .._core.config import Secret
from ..errors import ConfigurationError
from .routes import Route, check_proxy, proxy_of
from .tls import plain_context, ssl_context

if TYPE_CHECKING:
    from types import ModuleType

    import httpx
    import httpx2

    HTTPClient: TypeAlias = httpx.Client | httpx2.Client
    AsyncHTTPClient: TypeAlias = httpx.AsyncClient | httpx2.AsyncClient
else:
    HTTPClient = AsyncHTTPClient = object

BackendName: TypeAlias = Literal["httpx", "httpx2"]

BACKEND_VARIABLE = "SCRIPE_HTTP"

_BY_NAME: Mapping[str, BackendName] = {"httpx": "httpx", "httpx2": "httpx2"}

_MAX_IDLE_CONNECTIONS = {"httpx": 20, "httpx2": 100}
"""Idle connections: httpx looks through all of them for each request, and with more it takes longer than to connect."""


def backend_of(client_or_request: object) -> ModuleType:
    """The module that a client or a request came from; subclasses come from it too."""
    for cls in type(client_or_request).__mro__:
        root = cls.__module__.partition(".")[0]
        if root in ("httpx", "httpx2"):
            return sys.modules[root]
    raise ConfigurationError(
        f"http_client is a {type(client_or_request).__name__}; give a client of httpx or httpx2."
    )


def default_backend_name() -> BackendName:
    """The engine that the environment names, else httpx."""
    name = os.environ.get(BACKEND_VARIABLE) or "httpx"
    if name not in _BY_NAME:
        raise ConfigurationError(f"{BACKEND_VARIABLE} is {name!r}; it may be {' or '.join(_BY_NAME)}.")
    return _BY_NAME[name]


def default_backend() -> ModuleType:
    return import_backend(default_backend_name())


def import_backend(name: BackendName) -> ModuleType:
    """The family that an engine is of.

    Raises:
        ConfigurationError: it is not installed.

    """
    try:
        return import_module(name)
    except ImportError:
        raise ConfigurationError(
            f'{name} is missing: install the extra "{name}" of scripe (it brings {name}).'
        ) from None


def check_backend_name(name: str) -> None:
    """Refuse an engine that there is not, or that is not installed, where it was asked for."""
    if name not in _BY_NAME:
        raise ConfigurationError(
            f"http_client is {name!r}; it may be {' or '.join(_BY_NAME)}, or a client of yours."
        )
    import_backend(_BY_NAME[name])


def open_client(backend: ModuleType, class_name: Literal["Client", "AsyncClient"], route: Route) -> object:
    """Open a client of ours for one route.

    It keeps no cookies, since the API has none. Connections are not what limits calls, the rate limit is: a call that
    waits for a connection would time out, though nothing is slow. The environment is not asked again: `route` says
    whether there is a proxy.

    Raises:
        ConfigurationError: the proxy or the certificates that the environment names cannot be used.

    """
    backend_name = backend.__name__
    proxy, variable = proxy_of(route) or (Secret[str | None](None), "")
    verify = ssl_context(backend_name) if route != "plain" else plain_context()
    try:
        check_proxy(proxy)
        return getattr(backend, class_name)(
            verify=verify,
            limits=backend.Limits(
                max_connections=1000, max_keepalive_connections=_MAX_IDLE_CONNECTIONS[backend_name]
            ),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            proxy=proxy.reveal(),
            trust_env=False,
        )
    except ImportError:
        problem = f"it names a SOCKS proxy, which needs the package socksio: install {backend_name}[socks]"
    except Exception:  # noqa: BLE001 - whatever the engine says may quote the proxy's password
        problem = "it is not the address of a proxy: give one such as http://proxy.example.com:3128"
    raise ConfigurationError(f"{variable} cannot be used: {problem}, or unset it.")


def check_client(client: object, cls: type) -> object:
    if not isinstance(client, cls):
        raise ConfigurationError(
            f"http_client is a {type(client).__module__.partition('.')[0]}.{type(client).__name__}; "
            f"this client needs a {cls.__name__}: Scripe a Client, AsyncScripe an AsyncClient."
        )
    return client
