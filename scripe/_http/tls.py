"""Load the TLS certificates: once for all clients of a process, when the first client needs them.

Loading them takes longer than everything else that opens a client does. A program that only sends plain http to this
machine, such as a test against the emulator, never loads them.
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
    """Load the certificates that `VARIABLES` name, else those of certifi (httpx) or of the system (httpx2)."""
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
            else f"Set {VARIABLES[0]} to a file of certificates that can be read."
        )
    )


@cache
def plain_context() -> ssl.SSLContext:
    """Return a context without certificates, for clients that only send plain http: it is never used."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _check_certificate_folder() -> None:
    """Raise OSError if `SSL_CERT_DIR` names no folder: OpenSSL would treat it as empty, and trust no server."""
    folders = "" if os.environ.get("SSL_CERT_FILE") else os.environ.get("SSL_CERT_DIR", "")
    if folders and not any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
        raise NotADirectoryError(ENOTDIR, "no such folder")
