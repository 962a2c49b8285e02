"""Answer the paths of OAuth: metadata, authorization, tokens, registration and revocation."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from ..canonical_json import Json, JsonObject, dumps, loads
from ..errors import NOT_STORED, error_response, oauth_error_response
from ..messages import (
    AUTHORIZE_PATH,
    METADATA_PATH,
    REGISTER_PATH,
    REVOKE_PATH,
    TOKEN_PATH,
    Request,
    Response,
)
from ..services import Services
from .authorization import Authorization, issuer_of
from .clients import AUTH_METHODS, GRANT_TYPES, SCOPES, Client, Clients
from .grants import Grants
from .parameters import RefusalError, parse_form, read_body, require_single

CODE_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
Handler: TypeAlias = Callable[[Request], Response]


class AuthorizationServer:
    """The OAuth 2.1 authorization server of an emulator."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._settings = services.settings
        self._clients = Clients(services.database, services.clock)
        self.grants: Grants = Grants(services.database, services.clock, services.settings)
        self.authorization: Authorization = Authorization(services, self._clients, self.grants)
        self._handlers: Mapping[str, Mapping[str, Handler]] = {
            METADATA_PATH: {"GET": self._handle_metadata},
            AUTHORIZE_PATH: {"GET": self.authorization.handle, "POST": self.authorization.handle},
            TOKEN_PATH: {"POST": self._handle_token},
            REGISTER_PATH: {"POST": self._handle_registration},
            REVOKE_PATH: {"POST": self._handle_revocation} if self._settings.oauth_offers_revocation else {},
        }
        with services.database.transaction():
            self.grants.ensure_first_user()

    def handle(self, request: Request, request_id: str) -> Response:
        """Answer a request, with an error if it is refused."""
        with self.services.database.transaction():  # a refusal may kill tokens, and that is stored
            response = self._dispatch(request, request_id)
        response.headers = {"X-Request-Id": request_id} | response.headers
        return response

    def _dispatch(self, request: Request, request_id: str) -> Response:
        handlers = self._handlers[request.full_path]
        if not handlers:
            return error_response(404, request_id)
        if request.method not in handlers:
            allowed = ", ".join(handlers)
            return oauth_error_response(405, None, f"This path takes {allowed}.", {"Allow": allowed})
        try:
            return handlers[request.method](request)
        except RefusalError as refusal:
            return refusal.response()

    def has_client(self, client_id: str) -> bool:
        """Return whether a client is registered."""
        return self._clients.find(client_id) is not None

    def _handle_metadata(self, request: Request) -> Response:
        issuer, methods = issuer_of(request), list[Json](AUTH_METHODS)
        metadata: JsonObject = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}{AUTHORIZE_PATH}",
            "token_endpoint": f"{issuer}{TOKEN_PATH}",
            "registration_endpoint": f"{issuer}{REGISTER_PATH}",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(GRANT_TYPES),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
            "authorization_response_iss_parameter_supported": self._settings.oauth_sends_iss,
        }
        if self._settings.oauth_offers_revocation:
            metadata["revocation_endpoint"] = f"{issuer}{REVOKE_PATH}"
            metadata["revocation_endpoint_auth_methods_supported"] = methods
        return Response(200, {"Content-Type": "application/json"}, dumps(metadata))

    def _handle_registration(self, request: Request) -> Response:
        error = "invalid_client_metadata"
        body = read_body(request, "application/json", error)
        try:
            metadata = loads(body)
        except ValueError:
            raise RefusalError(error, "The body is not JSON.") from None
        if not isinstance(metadata, dict):
            raise RefusalError(error, "The body must be a JSON object.")
        return _json_response(self._clients.register(metadata), 201)

    def _handle_token(self, request: Request) -> Response:
        form = require_single(parse_form(request))
        client = self._clients.authenticate(request.headers, form)
        grant_type = _require(form, "grant_type")
        if grant_type == "authorization_code":
            return _json_response(self._redeem(form, client))
        if grant_type == "refresh_token":
            return _json_response(self._refresh(form, client))
        raise RefusalError("unsupported_grant_type", f"grant_type must be one of {', '.join(GRANT_TYPES)}.")

    def _redeem(self, form: Mapping[str, str], client: Client) -> JsonObject:
        code, redirect_uri, verifier = (
            _require(form, name) for name in ("code", "redirect_uri", "code_verifier")
        )
        if not CODE_VERIFIER.fullmatch(verifier):
            message = "code_verifier must be 43 to 128 letters, digits, and characters of ._~-"
            raise RefusalError("invalid_request", message)
        return self.grants.redeem(code, client, redirect_uri, verifier)

    def _refresh(self, form: Mapping[str, str], client: Client) -> JsonObject:
        refresh_token = _require(form, "refresh_token")
        if "refresh_token" not in client.grant_types:
            raise RefusalError("unauthorized_client", "The client did not register for refresh_token.")
        scopes = list(dict.fromkeys(form["scope"].split(" "))) if "scope" in form else None
        return self.grants.refresh(refresh_token, client, scopes)

    def _handle_revocation(self, request: Request) -> Response:
        form = require_single(parse_form(request))
        client = self._clients.authenticate(request.headers, form)
        self.grants.revoke_token(_require(form, "token"), client)
        return Response(200, dict(NOT_STORED), b"")


def _require(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise RefusalError("invalid_request", f"{name} is missing.")
    return form[name]


def _json_response(body: JsonObject, status: int = 200) -> Response:
    return Response(status, {"Content-Type": "application/json", **NOT_STORED}, dumps(body))
