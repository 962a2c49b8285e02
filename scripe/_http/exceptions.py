"""Classify the exceptions of the backends: was the request surely not sent, and was it a timeout.

Much depends on the first question. A write that was not sent may be sent again; one that may have arrived needs its
idempotency key. An exception that is not known here counts as "may have arrived".

httpx-aiohttp, which a caller may pass as `http_client`, raises `ConnectTimeout` for whatever breaks a connection, even
when the request had been sent, and passes some exceptions of aiohttp through. So if aiohttp raised first, its exception
is classified instead.
"""

from __future__ import annotations

import sys
from types import ModuleType

from .._core.outcome import TransportFailure
from .._redaction import clip, redact


def transport_exceptions(backend: ModuleType) -> tuple[type[Exception], ...]:
    """Return the exceptions that a request may raise if it gets no response."""
    # `getattr`: another thread may still be importing aiohttp, and its names are not all there then.
    aiohttp_error = getattr(sys.modules.get("aiohttp"), "ClientError", None)
    known = (backend.RequestError, backend.InvalidURL, backend.StreamError, UnicodeError, ExceptionGroup)
    return (*known, aiohttp_error) if aiohttp_error else known


def classify_exception(backend: ModuleType, error: Exception) -> TransportFailure:
    """Return the failure that an exception stands for."""
    cause = error.__cause__ or error
    is_of_aiohttp = type(cause).__module__.partition(".")[0] == "aiohttp"
    is_not_sent, is_timeout = _classify_aiohttp(cause) if is_of_aiohttp else _classify(backend, error)
    text = _text(error) or ("there was no response in time" if is_timeout else "the connection broke")
    name = type(cause if is_of_aiohttp else error).__name__
    return TransportFailure("not_sent" if is_not_sent else "response_lost", is_timeout, f"{name}: {text}")


def _text(error: Exception) -> str:
    """Return an exception's message; empty if it holds a URL, since the query of an upload link is a password."""
    text = str(error)
    return "" if "://" in text else clip(redact(text), 300)


def _classify(backend: ModuleType, error: Exception) -> tuple[bool, bool]:
    not_sent = (
        backend.ConnectError,
        backend.ConnectTimeout,
        backend.PoolTimeout,
        backend.ProxyError,
        backend.UnsupportedProtocol,
    )
    return isinstance(error, not_sent), isinstance(error, backend.TimeoutException)


def _classify_aiohttp(error: BaseException) -> tuple[bool, bool]:
    aiohttp = sys.modules["aiohttp"]
    not_sent = (
        aiohttp.ClientConnectorError,
        aiohttp.ConnectionTimeoutError,
        aiohttp.ClientHttpProxyError,
        aiohttp.InvalidURL,
    )
    return isinstance(error, not_sent), isinstance(error, TimeoutError)
