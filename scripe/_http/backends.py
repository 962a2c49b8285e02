"""Choose a backend, httpx or httpx2, and open its clients.

Both backends have the same public names, but classes of their own: `httpx.ReadError` does not catch an
`httpx2.ReadError`. So every class is looked up in the module that the client came from, and neither backend is imported
before it is used.
"""

from __future__ import annotations

import os
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
"""Idle connections that a client keeps. httpx searches all of them for each request: with more than 20, that takes
longer than a new connection."""


def backend_of(client_or_request: object) -> ModuleType:
    """Return the backend of a client or a request, or of a subclass of them."""
    for cls in type(client_or_request).__mro__:
        name = _BY_NAME.get(cls.__module__.partition(".")[0])
        if name is not None:
            return import_backend(name)
    raise ConfigurationError(
        f"http_client is a {type(client_or_request).__name__}. Give a client of httpx or httpx2."
    )


def default_backend_name() -> BackendName:
    """Return the backend that the environment names, else httpx."""
    name = os.environ.get(BACKEND_VARIABLE) or "httpx"
    if name not in _BY_NAME:
        raise ConfigurationError(
            f"{BACKEND_VARIABLE} is {name!r}. Set it to {' or '.join(_BY_NAME)}, or unset it."
        )
    return _BY_NAME[name]


def default_backend() -> ModuleType:
    """Import the backend that the environment names, else httpx."""
    return import_backend(default_backend_name())


def import_backend(name: BackendName) -> ModuleType:
    """Import a backend, and its module of streams.

    A first call must not import them: a process that is forked meanwhile would wait for their import locks forever.
    """
    try:
        backend = import_module(name)
        import_module(f"{__package__}._{name}_streams")
        return backend
    except ImportError:
        raise ConfigurationError(
            f'{name} is not installed. Install scripe with the extra "{name}".'
        ) from None


def check_backend_name(name: str) -> None:
    """Raise ConfigurationError if there is no such backend, or if it is not installed."""
    if name not in _BY_NAME:
        raise ConfigurationError(
            f"http_client is {name!r}. Give {' or '.join(_BY_NAME)}, or a client of your own."
        )
    import_backend(_BY_NAME[name])


def open_client(backend: ModuleType, class_name: Literal["Client", "AsyncClient"], route: Route) -> object:
    """Open a client of ours for one route.

    It keeps no cookies: the API uses none, and a proxy's would be sent along with every later call. It allows more
    connections than the rate limit allows calls: a call that waited for a free one would time out, although nothing is
    slow. It ignores the environment, since the route already says which proxy to use.
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
        problem = f"it names a SOCKS proxy, which needs the package socksio. Install {backend_name}[socks]"
    except Exception:  # noqa: BLE001 - the backend's message may quote the proxy's password
        problem = "it is not the URL of a proxy. Set one such as http://proxy.example.com:3128"
    raise ConfigurationError(f"The proxy in {variable} cannot be used: {problem}, or unset it.")


def check_client(client: object, cls: type) -> object:
    """Return the client; refuse a sync one for AsyncScripe, and the other way round."""
    if not isinstance(client, cls):
        raise ConfigurationError(
            f"http_client is a {type(client).__module__.partition('.')[0]}.{type(client).__name__}. "
            f"Give a {cls.__name__}: Scripe needs a Client, AsyncScripe an AsyncClient."
        )
    return client
