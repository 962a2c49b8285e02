"""Register clients (RFC 7591), check their redirect URIs, and authenticate them."""

import base64
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast, get_args
from urllib.parse import unquote_plus, urlsplit

from ...._vocabulary import Scope
from ..canonical_json import Json, JsonObject
from ..clock import Clock
from ..database import Database, new_id
from .parameters import RefusalError

AuthMethod: TypeAlias = Literal["none", "client_secret_basic", "client_secret_post"]
AUTH_METHODS: tuple[AuthMethod, ...] = get_args(AuthMethod)
GRANT_TYPES = ("authorization_code", "refresh_token")
SCOPES: tuple[Scope, ...] = get_args(Scope)
OFFLINE_ACCESS: Scope = "offline_access"
MAX_NAME = 200
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!$-;=?-Z\[\]_a-z~]+")  # RFC 3986, without a fragment
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
LOOPBACK_URI = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?([/?].*)?")


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client."""

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    grant_types: tuple[str, ...]
    auth_method: AuthMethod
    secret: str | None = field(repr=False)

    def has_redirect_uri(self, redirect_uri: str, *, any_loopback_port: bool) -> bool:
        """Return whether a redirect URI is registered, if allowed with another port of a loopback literal."""
        if redirect_uri in self.redirect_uris:
            return True
        portless = _without_loopback_port(redirect_uri) if any_loopback_port else None
        return portless is not None and portless in map(_without_loopback_port, self.redirect_uris)


def _without_loopback_port(redirect_uri: str) -> str | None:
    match = LOOPBACK_URI.fullmatch(redirect_uri)
    return f"{match[1]}{match[2] or ''}" if match else None


class Clients:
    """The registered clients."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def register(self, metadata: JsonObject) -> JsonObject:
        """Store a client and return what was registered, or refuse its metadata."""
        registered = _parse_metadata(metadata)
        method = registered["token_endpoint_auth_method"]
        secret = None if method == "none" else f"scripe_secret_{secrets.token_hex(24)}"
        client_id = new_id("client")
        self._database.execute(
            "INSERT INTO oauth_clients VALUES (?, ?, ?)", (client_id, secret, json.dumps(registered))
        )
        issued: JsonObject = {
            "client_id": client_id,
            "client_id_issued_at": self._clock.milliseconds() // 1000,
        }
        if secret is not None:
            issued |= {"client_secret": secret, "client_secret_expires_at": 0}
        return issued | registered

    def find(self, client_id: str) -> Client | None:
        """Return a client, None if there is none."""
        rows = self._database.execute("SELECT * FROM oauth_clients WHERE id = ?", (client_id,))
        if not rows:
            return None
        metadata = json.loads(rows[0]["metadata"])
        return Client(
            client_id,
            metadata.get("client_name", client_id),
            tuple(metadata["redirect_uris"]),
            tuple(metadata["scope"].split()),
            tuple(metadata["grant_types"]),
            metadata["token_endpoint_auth_method"],
            rows[0]["secret"],
        )

    def authenticate(self, headers: Mapping[str, str], form: Mapping[str, str]) -> Client:
        """Return the client of a request, or refuse one that does not authenticate as it was registered."""
        client_id, secret = form.get("client_id"), form.get("client_secret")
        method: AuthMethod = "none" if secret is None else "client_secret_post"
        if "authorization" in headers:
            if secret is not None:
                raise RefusalError("invalid_request", "Authenticate the client in one way, not in two.")
            named, method = client_id, "client_secret_basic"
            client_id, secret = _parse_basic(headers["authorization"])
            if named not in (None, client_id):
                raise RefusalError(
                    "invalid_request", "The client_id is not that of the Authorization header."
                )
        client = self.find(client_id or "")
        if client is None or client.auth_method != method:
            raise _refuse_client()
        if client.secret is not None and not hmac.compare_digest(
            client.secret.encode(), str(secret).encode()
        ):
            raise _refuse_client()
        return client


def _refuse_client() -> RefusalError:
    headers = {"WWW-Authenticate": 'Basic realm="scripe"'}
    return RefusalError("invalid_client", "The client is unknown, or did not authenticate.", 401, headers)


def _parse_basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise _refuse_client() from None
    if scheme.lower() != "basic":
        raise _refuse_client()
    return unquote_plus(client_id), unquote_plus(secret)


def _parse_metadata(metadata: JsonObject) -> JsonObject:
    redirect_uris = _parse_texts(metadata, "redirect_uris", (), "invalid_redirect_uri")
    if not redirect_uris or not all(map(_is_valid_redirect_uri, redirect_uris)):
        message = (
            "redirect_uris must be URIs of https, of http on this machine, or of a scheme such as com.example.app, "
            "without fragment."
        )
        raise RefusalError("invalid_redirect_uri", message)
    method = metadata.get("token_endpoint_auth_method", "client_secret_basic")
    if method not in AUTH_METHODS:
        raise _refuse_metadata(f"token_endpoint_auth_method must be one of {', '.join(AUTH_METHODS)}.")
    grant_types = _parse_texts(metadata, "grant_types", GRANT_TYPES)
    if "authorization_code" not in grant_types or not set(grant_types) <= set(GRANT_TYPES):
        raise _refuse_metadata("grant_types must have authorization_code, and may have refresh_token.")
    if list(_parse_texts(metadata, "response_types", ("code",))) != ["code"]:
        raise _refuse_metadata("response_types must be code alone.")
    name: JsonObject = {"client_name": _parse_name(metadata)} if "client_name" in metadata else {}
    registered: JsonObject = {
        "redirect_uris": list(redirect_uris),
        "grant_types": list(grant_types),
        "response_types": ["code"],
        "scope": " ".join(_parse_scopes(metadata)),
        "token_endpoint_auth_method": method,
    }
    return name | registered


def _refuse_metadata(description: str) -> RefusalError:
    return RefusalError("invalid_client_metadata", description)


def _parse_texts(
    metadata: JsonObject, name: str, default: Sequence[str], error: str = "invalid_client_metadata"
) -> Sequence[str]:
    values = metadata.get(name, list(default))
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RefusalError(error, f"{name} must be a list of strings.")
    return cast("list[str]", values)


def _parse_name(metadata: JsonObject) -> str:
    name: Json = metadata["client_name"]
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise _refuse_metadata(f"client_name must be a text of 1 to {MAX_NAME} characters.")
    return name


def _parse_scopes(metadata: JsonObject) -> Sequence[str]:
    text = metadata.get("scope", " ".join(SCOPES))
    scopes = list(dict.fromkeys(text.split(" "))) if isinstance(text, str) else []
    if not scopes or not set(scopes) <= set(SCOPES):
        raise _refuse_metadata(f"scope must be some of {', '.join(SCOPES)}, with one space between them.")
    return scopes


def _is_valid_redirect_uri(redirect_uri: str) -> bool:
    if not URI.fullmatch(redirect_uri):
        return False
    try:
        parts = urlsplit(redirect_uri)
        _ = parts.port
    except ValueError:
        return False
    if "@" in parts.netloc:
        return False
    if parts.scheme == "http":
        return parts.hostname in LOOPBACK_HOSTS
    return bool(parts.hostname) if parts.scheme == "https" else "." in parts.scheme
