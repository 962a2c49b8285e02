"""Answer the authorization endpoint: check what a client asks for, ask the user, and send the browser back.

An error goes back to the client only if its redirect URI is registered. All others are shown to the user: a redirect to
an address that nobody registered would make this server a tool for phishing (RFC 9700, section 4.11).
"""

import re
import secrets
from collections.abc import Collection
from urllib.parse import urlencode, urlsplit

from ..errors import NOT_STORED
from ..messages import Request, Response
from ..services import Services
from .clients import Client, Clients
from .consent_page import HEADERS, render_consent, render_error
from .grants import AuthorizationRequest, Grants
from .parameters import RefusalError, parse_form, parse_parameters, require_single

CODE_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url
FORM_SECONDS = 600


class PageError(Exception):
    """The user sees an error; the message says which."""


class RedirectError(Exception):
    """The browser goes back to the client with an error."""

    def __init__(self, callback_url: str) -> None:
        super().__init__("the client gets an error")
        self.callback_url = callback_url


def issuer_of(request: Request) -> str:
    """Return the issuer: the origin under which the caller reached this server."""
    return f"{urlsplit(request.url).scheme}://{request.host}"


class Authorization:
    """The authorization endpoint."""

    def __init__(self, services: Services, clients: Clients, grants: Grants) -> None:
        self._services = services
        self._clients = clients
        self._grants = grants

    def handle(self, request: Request) -> Response:
        """Ask the user, or send the browser back with the decision, or with an error; or show one."""
        try:
            return self._ask(request) if request.method == "GET" else self._answer(request)
        except RefusalError as refusal:
            return _page(refusal.status, render_error(refusal.description))
        except PageError as error:
            return _page(400, render_error(str(error)))
        except RedirectError as error:
            return _redirect(error.callback_url)

    def _ask(self, request: Request) -> Response:
        query = urlsplit(request.url).query
        checked = self.check(query, issuer_of(request))
        return _page(200, render_consent(checked, self._grants.list_reach(), self._create_form(query)))

    def _answer(self, request: Request) -> Response:
        if _is_cross_site(request):
            raise PageError("The buttons work only on the consent page itself.")
        fields = parse_form(request)
        reaches, is_allowed = fields.get("reach", []), fields.get("decision") == ["allow"]
        checked = self.check(self._pop_form(*fields.get("form", [])), issuer_of(request))
        user_id, _, workspace_id = (reaches[0] if len(reaches) == 1 else "").partition(" ")
        scopes = fields.get("scope", [])
        return _redirect(self.decide(checked, user_id, workspace_id, scopes, allow=is_allowed))

    def check(self, query: str, issuer: str) -> AuthorizationRequest:
        """Return the authorization request in a query, or raise a PageError or a RedirectError."""
        try:
            values = parse_parameters(query)
        except ValueError:
            raise PageError("The query is not UTF-8.") from None
        client, redirect_uri = self._find_client(values)
        states = values.get("state", [])
        state = states[0] if len(states) == 1 and states[0] else None
        try:
            parameters = require_single(values)
            _check_parameters(parameters)
            scopes = _parse_scope(parameters.get("scope"), client)
        except RefusalError as refusal:
            error = {"error": refusal.error, "error_description": refusal.description}
            raise RedirectError(self._callback_url(redirect_uri, state, issuer, error)) from None
        return AuthorizationRequest(client, redirect_uri, scopes, parameters["code_challenge"], state, issuer)

    def decide(
        self,
        request: AuthorizationRequest,
        user_id: str,
        workspace_id: str,
        scopes: Collection[str],
        *,
        allow: bool,
    ) -> str:
        """Return where the browser goes with the decision of a user, or raise a PageError if it makes no sense."""
        if not allow:
            error = {"error": "access_denied", "error_description": "The user said no."}
            return self._callback_url(request.redirect_uri, request.state, request.issuer, error)
        if (user_id, workspace_id) not in [
            (row["id"], row["workspace_id"]) for row in self._grants.list_reach()
        ]:
            raise PageError("This user has no such workspace.")
        granted = [scope for scope in request.scopes if scope in scopes]
        if not granted or set(scopes) - set(granted):
            raise PageError("Allow at least one of the scopes that the application asked for, and no other.")
        code = self._grants.create_code(request, user_id, workspace_id, granted)
        return self._callback_url(request.redirect_uri, request.state, request.issuer, {"code": code})

    def _find_client(self, values: dict[str, list[str]]) -> tuple[Client, str]:
        client_ids, redirect_uris = values.get("client_id", []), values.get("redirect_uri", [])
        client = self._clients.find(client_ids[0]) if len(client_ids) == 1 else None
        if client is None:
            raise PageError("The client_id is missing, repeated or unknown.")
        if len(redirect_uris) != 1 or not client.has_redirect_uri(
            redirect_uris[0], any_loopback_port=self._services.settings.oauth_any_loopback_port
        ):
            raise PageError("The redirect_uri is missing, repeated or not registered for this client.")
        return client, redirect_uris[0]

    def _callback_url(
        self, redirect_uri: str, state: str | None, issuer: str, parameters: dict[str, str]
    ) -> str:
        sent = {**parameters}
        if state is not None:
            sent["state"] = state
        if self._services.settings.oauth_sends_iss:
            sent["iss"] = issuer
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(sent)}"

    # A form works once, and only a page that could be read has its id: no other page can send it for the user.

    def _create_form(self, query: str) -> str:
        form_id = f"scripe_form_{secrets.token_hex(24)}"
        expires_at = self._services.clock.milliseconds() + FORM_SECONDS * 1000
        self._services.database.execute(
            "INSERT INTO oauth_forms VALUES (?, ?, ?)", (form_id, query, expires_at)
        )
        return form_id

    def _pop_form(self, form_id: str = "", *others: str) -> str:
        database, now = self._services.database, self._services.clock.milliseconds()
        rows = database.execute("SELECT * FROM oauth_forms WHERE id = ? AND expires_at > ?", (form_id, now))
        database.execute("DELETE FROM oauth_forms WHERE id = ? OR expires_at <= ?", (form_id, now))
        if not rows or others:
            raise PageError("This form was sent before, or is too old.")
        return str(rows[0]["authorization_query"])


def _check_parameters(parameters: dict[str, str]) -> None:
    if "response_type" not in parameters:
        raise RefusalError("invalid_request", "response_type is missing.")
    if parameters["response_type"] != "code":
        raise RefusalError("unsupported_response_type", "response_type must be code.")
    if parameters.get("response_mode", "query") != "query":
        raise RefusalError("invalid_request", "response_mode must be query.")
    if parameters.get("code_challenge_method") != "S256":
        raise RefusalError("invalid_request", "code_challenge_method must be S256.")
    if not CODE_CHALLENGE.fullmatch(parameters.get("code_challenge", "")):
        raise RefusalError("invalid_request", "code_challenge must be 43 characters of base64url.")


def _parse_scope(text: str | None, client: Client) -> tuple[str, ...]:
    scopes = client.scopes if text is None else tuple(dict.fromkeys(text.split(" ")))
    if not set(scopes) <= set(client.scopes):
        raise RefusalError("invalid_scope", "The scope is more than the client registered.")
    return scopes


def _is_cross_site(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        return True
    return request.headers.get("sec-fetch-site") not in (None, "same-origin", "none")


def _page(status: int, html: str) -> Response:
    return Response(status, dict(HEADERS), html.encode())


def _redirect(url: str) -> Response:
    # 303 makes the browser forget the form; it would send it on after a 307.
    return Response(303, {"Location": url, "Referrer-Policy": "no-referrer", **NOT_STORED}, b"")
