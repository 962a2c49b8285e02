"""Find the login that `scripe login` keeps on this machine, without loading what uses it."""

from __future__ import annotations

import os
from pathlib import Path

from ._core.oauth.token_store import record_name

DEFAULT_PROFILE = "default"


def token_folder() -> Path:
    """Return the user's folder of logins.

    Raises:
        ModuleNotFoundError: platformdirs is not installed (extra `oauth`).

    """
    from platformdirs import user_data_dir

    return Path(user_data_dir("scripe", appauthor=False), "tokens")


def has_default_login(base_url: str) -> bool:
    """Return whether this machine keeps a login for an API under the default name. It is not read."""
    try:
        folder = token_folder()
    except ModuleNotFoundError:
        return False
    from ._core.oauth.discovery import short_origin  # it loads pydantic; `scripe COMMAND --help` does not

    name = record_name("login", short_origin(base_url), DEFAULT_PROFILE)
    return os.path.exists(folder / f"{name}.json")  # noqa: PTH110 - unlike pathlib's it raises nothing
