"""What the engines raise: whether the request may have left, and whether it was slow.

httpx-aiohttp has one word, `ConnectTimeout`, for whatever breaks an aiohttp connection, and lets some errors of aiohttp
through as they are: so of those the cause is asked.
"""

from __future__ import annotations

import sys
from types import ModuleType

from .._core.outcome import TransportFailure
from .._redaction import clip, redact


def transport_exceptions(backend: ModuleType) -> tuple[type[Exception], ...]:
    """What a request may raise for want of an answer."""
    # The module may be there in part: another thread may be importing it.
    aiohttp_error = getattr(sys.modules.get("aiohttp"), "ClientError", None)
    known = (backend.RequestError, backend.InvalidURL, backend.StreamError, UnicodeError, ExceptionGroup)
    return (*known, aiohttp_error) if aiohttp_error else known


def classify_exception(backend: ModuleType, error: Exception) -> TransportFailure:
    """Why there is no answer."""
    cause = error.__cause__ or error
    is_of_aiohttp = type(cause).__module__.partition(".")[0] == "aiohttp"
    is_not_sent, is_timeout = _classify_aiohttp(cause) if is_of_aiohttp else _classify(backend, error)
    text = _text(error) or ("no answer in time" if is_timeout else "the connection broke")
    name = type(cause if is_of_aiohttp else error).__name__
    return TransportFailure("not_sent" if is_not_sent else "response_lost", is_timeout, f"{name}: {text}")


def _text(error: Exception) -> str:
    """What it says, unless that holds a URL: aiohttp shows them whole, and the query of a signed one is a password."""
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
