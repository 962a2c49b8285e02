"""Register an application with an authorization server."""

from __future__ import annotations

from collections.abc import Sequence

from .._core.config import Secret, check_type
from .._core.oauth.authorization import resolve_scopes
from .._core.oauth.discovery import resolve_issuer
from .._core.oauth.registration import (
    Registration,
    check_redirect_uri,
    parse_registration,
    registration_body,
)
from .._core.outcome import TransportFailure
from .._oauth_server import AuthorizationServer, connection_error
from ..errors import InvalidArgumentError, RegistrationError


def register(
    *,
    client_name: str,
    redirect_uri: str,
    scopes: Sequence[str] | None = None,
    issuer: str | None = None,
    with_secret: bool = False,
    timeout: float = 20.0,
) -> Registration:
    """Register an application with the authorization server. Do it once, and keep what it returns.

    https://apidocs.scripe.io/api/v1/oauth

    Args:
        client_name: The name that users see when they are asked.
        redirect_uri: The https address of your callback; plain http for this machine alone.
        scopes: The scopes that it may ask for; None for all that the server lists but `webhooks:manage`.
        issuer: The authorization server; None for the origin of `SCRIPE_BASE_URL`, else of the API.
        with_secret: Ask for a secret, for a service that can keep one.
        timeout: Seconds for each request.

    Raises:
        RegistrationError: the server did not register the application, or offers no registration.
        DiscoveryError: its metadata cannot be read, or must not be trusted.
        APIConnectionError: no response.

    """
    check_type(client_name, str, "client_name", "the name that users see when they are asked")
    if not client_name.strip():
        raise InvalidArgumentError("client_name is empty. Give the name that users see when they are asked.")
    check_redirect_uri(redirect_uri)
    server = AuthorizationServer(resolve_issuer(issuer), timeout)
    return register_with(server, client_name, redirect_uri, scopes, with_secret=with_secret)


def register_with(
    server: AuthorizationServer,
    client_name: str,
    redirect_uri: str,
    scopes: Sequence[str] | None,
    *,
    with_secret: bool = False,
) -> Registration:
    """Register an application with a server."""
    metadata = server.discover()
    asked, _ = resolve_scopes(scopes, metadata.scopes_supported)
    url = metadata.registration_endpoint
    if url is None:
        raise RegistrationError(
            f"{server.issuer} offers no registration. Ask its operator for a client id, and pass it as client_id."
        )
    body = registration_body(metadata, client_name, redirect_uri, asked, with_secret=with_secret)
    outcome = server.send("POST", url, Secret(body), Secret({"Content-Type": "application/json"}))
    if isinstance(outcome, TransportFailure):
        raise connection_error(url, outcome)
    return parse_registration(metadata, outcome, redirect_uri, asked)
