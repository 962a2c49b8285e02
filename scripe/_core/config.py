"""Options of a client: where each comes from, and which values are refused.

An option given to a call counts before one given to `with_options`; then come the client's own, the environment's, and
the default. All are checked when the client is made: a wrong one would otherwise fail in the middle of a call, far
from the line that set it.

The API key is held in a `Secret`, and no function binds its text to a local name longer than needed: error trackers
print the locals of every frame of a traceback.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar, cast
from urllib.parse import urlsplit

from .._version import __version__
from .._vocabulary import API_VERSION
from ..errors import ConfigurationError, InvalidArgumentError, ScripeError
from ..types.not_given import NotGiven

BASE_URL: Final = "https://api.scripe.io/v1"
API_KEY_VARIABLE: Final = "SCRIPE_API_KEY"
BASE_URL_VARIABLE: Final = "SCRIPE_BASE_URL"
WORKSPACE_VARIABLE: Final = "SCRIPE_WORKSPACE_ID"

RESERVED_HEADERS = frozenset(
    [
        "authorization",
        "idempotency-key",
        "scripe-api-version",
        "scripe-workspace-id",
        "content-type",
        "content-length",
        "transfer-encoding",
        "connection",
        "host",
    ]
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


T = TypeVar("T")
S = TypeVar("S")


class Secret(Generic[T]):
    """Holds a value that no repr, log or traceback shows, even one that prints the locals of our frames."""

    __slots__ = ("_hidden",)

    def __init__(self, hidden: T) -> None:
        self._hidden = hidden

    def reveal(self) -> T:
        """Return the value."""
        return self._hidden

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> tuple[type[Secret[T]], tuple[T]]:
        return Secret, (self._hidden,)


NO_API_KEY = Secret("")
"""Used for requests that are sent without an API key."""

MAX_SECONDS = 1e9
"""Longest timeout in seconds; about ten times as many overflow the timers of the operating system."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a client, or of a copy made by `with_options`."""

    base_url: str = BASE_URL
    api_version: str = API_VERSION
    workspace_id: str | None = None
    timeout: float | None = 60.0
    total_timeout: float | None = None
    max_retries: int = 2
    extra_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    app_info: str | None = None
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        check_type(self.allow_insecure, bool, "allow_insecure", "True or False", ConfigurationError)
        _check_url(self.base_url, allow_insecure=self.allow_insecure)
        check_seconds(self.timeout, "timeout", ConfigurationError)
        check_seconds(self.total_timeout, "total_timeout", ConfigurationError)
        _check_retries(self.max_retries)
        named = {
            "api_version": self.api_version,
            "workspace_id": self.workspace_id,
            "app_info": self.app_info,
        }
        for name, text in named.items():
            if text is not None:
                _check_header_value(text, name)
        check_type(
            self.extra_headers, Mapping, "extra_headers", "a mapping of names to texts", ConfigurationError
        )
        for name, text in self.extra_headers.items():
            _check_extra_header(name, text)

    @property
    def host(self) -> str:
        """The `Host` header: the host, and the port unless it is the default of the scheme."""
        parts = urlsplit(self.base_url)
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else f"{parts.hostname}"
        usual = {"https": 443, "http": 80}[parts.scheme]
        return name if parts.port in (None, usual) else f"{name}:{parts.port}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request to the API, without the API key."""
        product = f"scripe-python/{__version__}"
        fixed = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"{product} {self.app_info}" if self.app_info else product,
            "Scripe-Api-Version": self.api_version,
        }
        workspace = {} if self.workspace_id is None else {"Scripe-Workspace-Id": self.workspace_id}
        overridden = {name.lower() for name in self.extra_headers}
        defaults = {name: text for name, text in fixed.items() if name.lower() not in overridden}
        return {**defaults, **workspace, **self.extra_headers}


def resolve_base_url(base_url: str | None) -> str:
    """Return the base URL that was given, else the environment's, else the default."""
    text = base_url if base_url is not None else os.environ.get(BASE_URL_VARIABLE) or BASE_URL
    check_type(text, str, "base_url", "a str", ConfigurationError)
    return text.strip().rstrip("/")


def resolve_workspace_id(workspace_id: str | None) -> str | None:
    """Return the workspace that was given, else the environment's, else None."""
    return workspace_id if workspace_id is not None else os.environ.get(WORKSPACE_VARIABLE) or None


def resolve_api_key(api_key: Secret[S]) -> Secret[str]:
    """Return the API key that was given, else the environment's, without blanks around it.

    Blanks at its ends come from pasting; blanks inside it mean that something else was pasted.
    """
    source = Secret(os.environ.get(API_KEY_VARIABLE, "") if api_key.reveal() is None else api_key.reveal())
    if not isinstance(source.reveal(), str):
        raise ConfigurationError(f"api_key is a {type(source.reveal()).__name__}. Give a str or a function.")
    # `"".join` returns the text of an enum of texts too; `str()` would return the name of its member.
    stripped = Secret("".join(cast("str", source.reveal())).strip())
    problem = _api_key_problem(stripped)
    if problem:
        raise ConfigurationError(problem)
    return stripped


def has_api_key_in_environment() -> bool:
    """Return True if `SCRIPE_API_KEY` is set, and not only to blanks."""
    return os.environ.get(API_KEY_VARIABLE, "").strip() != ""


def check_access_token(token: Secret[object]) -> Secret[str]:
    """Return an access token; raise ConfigurationError unless it can be sent as a header."""
    text = token.reveal()
    is_token = (
        isinstance(text, str) and text != "" and text.isascii() and text.isprintable() and " " not in text
    )
    if not is_token:
        problem = "no text" if not isinstance(text, str) else "empty or has characters that no token holds"
        del text  # a traceback that prints the locals of this frame must not show it
        raise ConfigurationError(
            f"What `auth.access_token` returned is {problem}. Let it return an access token."
        )
    return cast("Secret[str]", token)


def callable_api_key(api_key: Secret[S]) -> S | None:
    """Return the caller's function that returns API keys; None if a key was given."""
    return api_key.reveal() if callable(api_key.reveal()) else None


def with_changes(
    options: Options, overrides: Mapping[str, object], extra_headers: Mapping[str, str] | NotGiven
) -> Options:
    """Return the options of a copy: what is not given stays the same, and headers are added."""
    changes = {name: value for name, value in overrides.items() if not isinstance(value, NotGiven)}
    if not isinstance(extra_headers, NotGiven):
        check_type(extra_headers, Mapping, "extra_headers", "a mapping of names to texts", ConfigurationError)
        replaced = {str(name).lower() for name in extra_headers}
        unchanged = {
            name: text for name, text in options.extra_headers.items() if name.lower() not in replaced
        }
        changes["extra_headers"] = {**unchanged, **extra_headers}
    return replace(options, **changes)  # type: ignore[arg-type]


def _api_key_problem(api_key: Secret[str]) -> str | None:
    """Return what is wrong with an API key, without showing it; None if nothing is."""
    text = api_key.reveal()
    if not text:
        return (
            f"There is no API key. Pass one as `Scripe(api_key=…)`, or set {API_KEY_VARIABLE}. "
            "You can create one in the Scripe dashboard, under Settings, Developer, API keys."
        )
    if any(character.isspace() for character in text):
        return "The API key has blanks or line breaks inside. Check that only the key was pasted."
    if not text.isascii() or not text.isprintable():
        return "The API key has characters that no API key holds. Check that the key itself was pasted."
    return None


def is_loopback(host: str) -> bool:
    """Return True if the host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_host(url: str) -> str:
    """Return the host of a URL; empty if it has none, or if a DNS look-up or a socket would reject it."""
    try:
        host, port = urlsplit(url).hostname or "", urlsplit(url).port
    except ValueError:
        return ""
    labels = host.removesuffix(".").split(".")
    return host if port != 0 and all(0 < len(label) < 64 for label in labels) else ""


def check_secure_url(url: str, *, allow_insecure: bool, name: str) -> None:
    """Refuse plain http to other machines: anyone on the way could read the API key or the file."""
    host = parse_host(url)
    scheme = urlsplit(url).scheme if host else ""
    del url  # a traceback that prints the locals of this frame must not show it
    if not scheme:
        raise ConfigurationError(f"{name} is not a URL. Give one such as {BASE_URL!r}.")
    if scheme == "http" and not is_loopback(host) and not allow_insecure:
        raise ConfigurationError(
            f"{name} uses plain http to {host}, which anyone on the way can read. "
            "Use https, or pass `allow_insecure=True` if you mean it."
        )


def _check_url(url: str, *, allow_insecure: bool) -> None:
    parts = urlsplit(url if parse_host(url) else "")
    if (
        parts.scheme not in ("http", "https")
        or parts.query
        or parts.fragment
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise ConfigurationError(
            f"base_url {redact_user(url)!r} is not the URL of an API. Give one such as {BASE_URL!r}, the default."
        )
    if parts.username or parts.password:
        raise ConfigurationError(
            "base_url must not hold a user name or a password. Pass the API key as `api_key`."
        )
    check_secure_url(url, allow_insecure=allow_insecure, name="base_url")


def redact_user(url: str) -> str:
    """Return a URL without the user name and the password that it may hold."""
    return re.sub(r"//[^/?#]*@", "//…@", url)


def check_seconds(seconds: float | None, name: str, error: type[ScripeError] = InvalidArgumentError) -> None:
    """Raise `error` unless `seconds` is a positive, finite number, or None."""
    if seconds is not None and not (_is_number(seconds) and 0 < seconds <= MAX_SECONDS):
        raise error(
            f"{name} is {seconds!r}. Give seconds above 0 and up to {MAX_SECONDS:g}, or None for no limit."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_retries(count: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"max_retries is {count!r}. Give a whole number of 0 or more.")


def check_type(
    value: object,
    cls: type | tuple[type, ...],
    name: str,
    wanted: str,
    error: type[ScripeError] = InvalidArgumentError,
) -> None:
    """Raise `error` unless `value` is an instance of `cls`: not all programs are type-checked.

    Without this check a wrong argument would surface in the middle of a call.
    """
    if not isinstance(value, cls):
        raise error(f"{name} is a {type(value).__name__}. Give {wanted}.")


def check_callable(value: object, name: str) -> None:
    """Raise ConfigurationError unless the value is a function or None."""
    if value is not None and not callable(value):
        raise ConfigurationError(f"{name} is a {type(value).__name__}. Give a function or None.")


def _check_header_value(text: str, name: str, label: str | None = None) -> None:
    check_type(text, str, name, "printable ASCII text", ConfigurationError)
    if not text or not text.isascii() or not text.isprintable() or text != text.strip():
        subject = f"{name} {text!r}" if label is None else label
        raise ConfigurationError(f"{subject} cannot be sent as a header. Give printable ASCII text.")


def _check_extra_header(name: str, text: str) -> None:
    check_type(name, str, "a name in extra_headers", "a str", ConfigurationError)
    if name.lower() in RESERVED_HEADERS:
        raise ConfigurationError(
            f"extra_headers must not set {name}. The client sets it from its own options."
        )
    if not _HEADER_NAME.fullmatch(name):
        raise ConfigurationError(f"extra_headers has {name!r}, which is not the name of a header.")
    label = f"extra_headers[{name!r}]"
    _check_header_value(text, label, label=label)  # the value may be a token for a proxy
