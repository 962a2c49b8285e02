"""Whom TLS trusts: one context for all clients of a process, loaded when the first connection needs it.

To load the certificates takes longer than the rest of a client, and a program that talks to this machine alone, such as
a test against the emulator, never needs them.
"""

from __future__ import annotations

import ssl
from functools import cache
from importlib import import_module
from typing import cast

from ..errors import ConfigurationError


@cache
def trust_of(family: str) -> ssl.SSLContext:
    """What the family trusts: certifi (httpx), the system (httpx2), or the certificates that the environment names."""
    return _Trust(family)


def load(family: str) -> None:
    """Load the certificates now: before a connection is opened that would be left open if it cannot be done."""
    cast("_Trust", trust_of(family)).loaded()


class _Trust(ssl.SSLContext):
    """Stands for the family's own context, which is made when a connection is to be wrapped."""

    def __new__(cls, family: str) -> _Trust:  # noqa: ARG004 - the base class takes a protocol
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, family: str) -> None:
        self._family = family
        self._loaded: ssl.SSLContext | None = None

    def loaded(self) -> ssl.SSLContext:
        if self._loaded is None:
            self._loaded = _context_of(self._family)
        return self._loaded

    def set_alpn_protocols(self, alpn_protocols: object) -> None:
        self.loaded().set_alpn_protocols(alpn_protocols)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    def wrap_socket(self, *args: object, **kwargs: object) -> ssl.SSLSocket:
        return self.loaded().wrap_socket(*args, **kwargs)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    def wrap_bio(self, *args: object, **kwargs: object) -> ssl.SSLObject:
        return self.loaded().wrap_bio(*args, **kwargs)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def _context_of(family: str) -> ssl.SSLContext:
    try:
        return cast("ssl.SSLContext", import_module(family).create_ssl_context())
    except OSError as error:
        problem = error
    raise ConfigurationError(f"The certificates that the environment names cannot be loaded: {problem}.")
