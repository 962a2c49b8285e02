"""An application that logs people in at the emulator, written with nothing but httpx."""

import base64
import contextlib
import hashlib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import httpx

from scripe.emulator import Emulator

Fields = dict[str, Any]
Way = Literal["in process", "served"]
WAYS: tuple[Way, ...] = ("in process", "served")
METADATA = "/.well-known/oauth-authorization-server"
CALLBACK = "https://acme.example/callback"
SCOPES = "notes:read posts:write offline_access"
VERIFIER = "correct-horse-battery-staple_correct-horse.~"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@contextlib.contextmanager
def connected(emulator: Emulator, way: Way = "in process") -> Generator[httpx.Client]:
    """Connect a client of httpx with an emulator, whose origin is its base URL."""
    if way == "in process":
        with httpx.Client(transport=emulator.transport(), base_url="http://emulator.localhost") as http:
            yield http
    else:
        with (
            emulator.serve() as server,
            httpx.Client(base_url=server.base_url.removesuffix("/v1"), timeout=20) as http,
        ):
            yield http


def origin_of(http: httpx.Client) -> str:
    return str(http.base_url).rstrip("/")


def register(http: httpx.Client, **metadata: object) -> httpx.Response:
    """Register a public client, unless the metadata say otherwise; None leaves one out."""
    body = {
        "client_name": "Acme",
        "redirect_uris": [CALLBACK],
        "scope": SCOPES,
        "token_endpoint_auth_method": "none",
        **metadata,
    }
    sent = {name: value for name, value in body.items() if value is not None}
    return http.post("/oauth/register", json=sent)


def parameters_of(callback_url: str) -> dict[str, str]:
    """Return the parameters of a callback, of which none may be repeated."""
    pairs = parse_qsl(urlsplit(callback_url).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@dataclass
class App:
    """A registered client."""

    emulator: Emulator
    http: httpx.Client
    registration: Fields = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        self.registration = self.registration or register(self.http).json()

    @property
    def client_id(self) -> str:
        return str(self.registration["client_id"])

    def url(self, **changes: str | None) -> str:
        """Return an authorization URL; None leaves a parameter out."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.registration["redirect_uris"][0],
            "scope": self.registration["scope"],
            "state": "state-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        sent = {name: value for name, value in query.items() if value is not None}
        return f"{origin_of(self.http)}/oauth/authorize?{urlencode(sent)}"

    def code(self, **changes: str | None) -> str:
        """Let the first user consent, and return the code."""
        return parameters_of(self.emulator.oauth.consent(self.url(**changes)))["code"]

    def send(self, path: str, form: Fields, headers: dict[str, str] | None = None) -> httpx.Response:
        """Send a form as the client was registered to authenticate; None leaves a field out."""
        secret, method = (
            self.registration.get("client_secret"),
            self.registration["token_endpoint_auth_method"],
        )
        identity: Fields = {"client_id": self.client_id}
        credentials: dict[str, str] = {}
        if method == "client_secret_post":
            identity["client_secret"] = secret
        if method == "client_secret_basic":
            pair = f"{quote_plus(self.client_id)}:{quote_plus(str(secret))}"
            credentials = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
            identity = {}
        fields = {name: value for name, value in {**identity, **form}.items() if value is not None}
        return self.http.post(path, data=fields, headers={**credentials, **(headers or {})})

    def exchange(self, code: str | None, **changes: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.registration["redirect_uris"][0],
            "code_verifier": VERIFIER,
        }
        return self.send("/oauth/token", {**form, **changes})

    def refresh(self, token: str | None, **changes: str | None) -> httpx.Response:
        return self.send("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token, **changes})

    def revoke(self, token: str | None, **changes: str | None) -> httpx.Response:
        return self.send("/oauth/revoke", {"token": token, **changes})

    def login(self, **changes: str | None) -> Fields:
        """Return the tokens of a new login."""
        response = self.exchange(self.code(**changes))
        assert response.status_code == 200, response.text
        tokens: Fields = response.json()
        return tokens

    def api(self, tokens: Fields | str, path: str = "/workspaces/me", **headers: str) -> httpx.Response:
        """Make a call of the API with an access token."""
        token = tokens if isinstance(tokens, str) else tokens["access_token"]
        return self.http.get(f"/v1{path}", headers={"Authorization": f"Bearer {token}", **headers})

    def is_live(self, tokens: Fields | str) -> bool:
        """Return whether the API takes an access token; it may refuse one in one way only."""
        response = self.api(tokens)
        assert response.status_code == 200 or api_error(response) == "401 invalid_token"
        return response.status_code == 200


def oauth_error(response: httpx.Response) -> str:
    """Return status and error of a response, which must have the form of OAuth."""
    fields: Fields = response.json()
    assert set(fields) == {"error", "error_description"}
    assert isinstance(fields["error_description"], str)
    assert response.headers["cache-control"] == "no-store"
    return f"{response.status_code} {fields['error']}"


def api_error(response: httpx.Response) -> str:
    return f"{response.status_code} {response.json()['error']['code']}"


def location(response: httpx.Response) -> str:
    """Return where a response sends the browser."""
    assert response.status_code == 303, response.text
    return response.headers["location"]
