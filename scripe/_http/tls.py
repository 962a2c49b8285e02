"""TLS certificates: one context for all clients of a process, loaded when the first connection needs it.

To load the certificates takes longer than the rest of a client. A program that talks only to this machine over plain
http, such as a test against the emulator, never loads them.
"""

from __future__ import annotations

import os
import ssl
from errno import ENOTDIR
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

from ..errors import ConfigurationError

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@cache
def ssl_context(backend_name: str) -> ssl.SSLContext:
    """Load what the family trusts: certifi (httpx), the system (httpx2), or what `SSL_CERT_FILE` and its like name.

    Raises:
        ConfigurationError: a file or folder that the environment names cannot be used.

    """
    try:
        _check_certificate_folder()
        return cast("ssl.SSLContext", import_module(backend_name).create_ssl_context())
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or type(error).__name__
    variables = [f"{name}={os.environ[name]!r}" for name in VARIABLES if os.environ.get(name)]
    raise ConfigurationError(
        f"The TLS certificates cannot be loaded ({problem}). "
        + (
            f"Correct or unset {' and '.join(variables)}."
            if variables
            else "No variable of the environment names them."
        )
    )


@cache
def plain_context() -> ssl.SSLContext:
    """Return a context without certificates, for clients that only send plain http: it is never used."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _check_certificate_folder() -> None:
    """Refuse a `SSL_CERT_DIR` that is not there: OpenSSL would take it for an empty one, and trust nobody."""
    folders = "" if os.environ.get("SSL_CERT_FILE") else os.environ.get("SSL_CERT_DIR", "")
    if folders and not any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
        raise NotADirectoryError(ENOTDIR, "no such folder")
