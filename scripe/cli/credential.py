"""Choose the credential of a command: an API key or a login.

In this order: `--api-key-file`, `--profile`, `SCRIPE_API_KEY`, the profile in `SCRIPE_PROFILE`, the profile `default`
if there is such a login, and a question at a terminal. What was given for this one command counts before the
environment, and an API key in the environment before a login.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._core.config import API_KEY_VARIABLE, has_api_key_in_environment, resolve_base_url
from .._core.oauth.token_store import record_name
from .._default_login import DEFAULT_PROFILE, has_default_login
from ..errors import ConfigurationError
from .prompt import is_at_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from .._core.oauth.login import StoredLogin
    from ..oauth import Credentials
    from .options import Options

PROFILE_VARIABLE = "SCRIPE_PROFILE"


@dataclass(frozen=True, slots=True)
class CredentialChoice:
    """The credential of a command, and what chose it.

    Attributes:
        source: The option or the environment variable that names it; `default` or `prompt` if nothing does.
        profile: The name of the login; None for an API key.

    """

    source: str
    profile: str | None = None


def choose_credential(options: Options) -> CredentialChoice:
    """Return which credential a command uses.

    Raises:
        ConfigurationError: there is none, or two were given.

    """
    if options.api_key_file is not None and options.profile is not None:
        raise ConfigurationError("Give --api-key-file or --profile, not both.")
    if options.api_key_file is not None:
        return CredentialChoice("--api-key-file")
    if options.profile is not None:
        return CredentialChoice("--profile", options.profile)
    if has_api_key_in_environment():
        return CredentialChoice(API_KEY_VARIABLE)
    if os.environ.get(PROFILE_VARIABLE):
        return CredentialChoice(PROFILE_VARIABLE, os.environ[PROFILE_VARIABLE])
    if has_default_login(resolve_base_url(options.base_url)):
        return CredentialChoice("default", DEFAULT_PROFILE)
    if is_at_terminal():
        return CredentialChoice("prompt")
    raise ConfigurationError(
        f"There is no API key and no login. Run `scripe login`, or set {API_KEY_VARIABLE}, or give --api-key-file PATH "
        "(- reads stdin). Create an API key in the Scripe dashboard: Settings, Developer, API keys."
    )


def choose_login(options: Options) -> tuple[CredentialChoice, str]:
    """Return the login that `scripe login` and `scripe logout` are about, and its profile."""
    if options.profile is not None:
        return CredentialChoice("--profile", options.profile), options.profile
    profile = default_profile()
    source = PROFILE_VARIABLE if os.environ.get(PROFILE_VARIABLE) else "default"
    return CredentialChoice(source, profile), profile


def default_profile() -> str:
    """Return the profile that counts if no option names one."""
    return os.environ.get(PROFILE_VARIABLE) or DEFAULT_PROFILE


def make_credentials(profile: str, options: Options) -> Credentials:
    """Return the credentials of a login."""
    from ..oauth import credentials

    return credentials(profile, base_url=options.base_url)


def login_file(profile: str, options: Options) -> Path:
    """Return the file of a login, which need not exist."""
    from ..oauth import FileTokenStore

    name = record_name("login", make_credentials(profile, options).issuer, profile)
    return FileTokenStore().path / f"{name}.json"


def load_login(profile: str, options: Options) -> StoredLogin | None:
    """Return a login as it is stored; None if there is none.

    Raises:
        TokenStoreError: its file cannot be read.

    """
    from .._core.oauth.login import parse_login
    from ..oauth import FileTokenStore

    record = FileTokenStore().load(login_file(profile, options).stem)
    return None if record is None else parse_login(record)


def login_command(profile: str, options: Options, *, scopes: tuple[str, ...] = ()) -> str:
    """Return the command that signs in under a profile."""
    words = ["scripe", "login"]
    for scope in scopes:
        words += ["--scope", scope]
    if profile != default_profile():
        words += ["--profile", profile]
    if options.base_url is not None:
        words += ["--base-url", options.base_url]
    return shlex.join(words)


def describe_choice(choice: CredentialChoice, options: Options) -> str:
    """Say which credential a command uses, and why."""
    if choice.profile is not None:
        reason = {
            "default": f"no --profile, {API_KEY_VARIABLE} or {PROFILE_VARIABLE} is given",
            PROFILE_VARIABLE: f"{PROFILE_VARIABLE}; no --profile or {API_KEY_VARIABLE} is given",
        }.get(choice.source, choice.source)
        return f'login "{choice.profile}" ({reason})'
    if choice.source == "prompt":
        return "API key, as typed"
    file = f" {options.api_key_file}" if options.api_key_file is not None else ""
    return f"API key ({choice.source}{file})"


def credential_document(
    choice: CredentialChoice, file: Path | str | None = None, login: StoredLogin | None = None
) -> dict[str, object]:
    """Return what `--json` shows of a credential: always the same fields, and never a token."""
    return {
        "type": "apiKey" if choice.profile is None else "login",
        "source": choice.source,
        "profile": choice.profile,
        "file": None if file is None else str(file),
        "issuer": None if login is None else login.issuer,
        "workspaceId": None if login is None else login.workspace_id,
        "scopes": None if login is None else list(login.scopes),
        "tokenExpiresAt": None if login is None else _as_text(login.expires_at),
        "loginExpiresAt": None if login is None else _as_text(login.refresh_expires_at),
        "ended": None if login is None else login.ended,
    }


def credential_lines(file: Path, login: StoredLogin) -> dict[str, object]:
    """Return what people see of a login: never a token."""
    return {
        "kept in": file,
        "server": login.issuer,
        "token ends": _as_moment(login.expires_at),
        "login ends": _as_moment(login.refresh_expires_at),
        "is over": login.ended and f"yes ({login.ended.replace('_', ' ')})",
    }


def _as_moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _as_text(seconds: float | None) -> str | None:
    moment = _as_moment(seconds)
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
