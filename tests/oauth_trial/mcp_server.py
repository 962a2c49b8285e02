"""An authorization server of the mcp SDK, with a provider that keeps all in memory and lets everybody in."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import uvicorn
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SCOPES = ("notes:read", "posts:read", "posts:write", "offline_access")


@dataclass
class Provider:
    """Rotates refresh tokens, and ends a login whose refresh token is used again."""

    server: Any = field(default_factory=lambda: import_module("mcp.server.auth.provider"))
    shared: Any = field(default_factory=lambda: import_module("mcp.shared.auth"))
    clients: dict[str, Any] = field(default_factory=dict[str, Any])
    codes: dict[str, Any] = field(default_factory=dict[str, Any])
    access: dict[str, Any] = field(default_factory=dict[str, Any])
    refresh: dict[str, Any] = field(default_factory=dict[str, Any])
    families: dict[str, str] = field(default_factory=dict[str, str])  # of each token that was ever given
    used: set[str] = field(default_factory=set[str])
    refreshes: int = 0

    async def get_client(self, client_id: str) -> Any:
        return self.clients.get(client_id)

    async def register_client(self, client_info: Any) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: Any, params: Any) -> str:
        code = self.server.AuthorizationCode(
            code=secrets.token_hex(24),
            scopes=params.scopes or list(SCOPES),
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
        )
        self.codes[code.code] = code
        url: str = self.server.construct_redirect_uri(
            str(params.redirect_uri), code=code.code, state=params.state
        )
        return url

    async def load_authorization_code(self, client: Any, authorization_code: str) -> Any:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client: Any, authorization_code: Any) -> Any:
        del self.codes[authorization_code.code]
        return self._issue(client, authorization_code.scopes, secrets.token_hex(8))

    async def load_refresh_token(self, client: Any, refresh_token: str) -> Any:
        if refresh_token in self.used:
            self._end(self.families[refresh_token])
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(self, client: Any, refresh_token: Any, scopes: list[str]) -> Any:
        del self.refresh[refresh_token.token]
        self.used.add(refresh_token.token)
        self.refreshes += 1
        return self._issue(client, scopes, self.families[refresh_token.token])

    async def load_access_token(self, token: str) -> Any:
        return self.access.get(token)

    async def revoke_token(self, token: Any) -> None:
        self._end(self.families[token.token])

    def _issue(self, client: Any, scopes: list[str], family: str) -> Any:
        words = {"client_id": client.client_id, "scopes": scopes}
        access = self.server.AccessToken(token=secrets.token_hex(24), **words)
        refresh = self.server.RefreshToken(token=secrets.token_hex(24), **words)
        self.access[access.token], self.refresh[refresh.token] = access, refresh
        self.families |= {access.token: family, refresh.token: family}
        return self.shared.OAuthToken(
            access_token=access.token, refresh_token=refresh.token, expires_in=3600, scope=" ".join(scopes)
        )

    def _end(self, family: str) -> None:
        for token in [token for token, of in self.families.items() if of == family]:
            self.access.pop(token, None)
            self.refresh.pop(token, None)

    async def get_me(self, request: Request) -> JSONResponse:
        """Answer the one path of the API that a login is tried with."""
        token = self.access.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None:
            return JSONResponse({"error": {"code": "invalid_token", "message": "No."}}, 401)
        workspace = {"id": "org_mcp", "name": "Acme", "plan": "pro"}
        principal = {"type": "oauth", "id": "ada", "name": "Ada", "scopes": token.scopes}
        return JSONResponse({"data": {"workspace": workspace, "principal": principal}})


@contextmanager
def serve(*, auth_methods: list[str] | None = None) -> Generator[tuple[Provider, str]]:
    """Serve a provider; yield it and its issuer, which ends with a slash, as pydantic writes URLs.

    `auth_methods` are advertised instead of those of the SDK.
    """
    routes: Any = import_module("mcp.server.auth.routes")
    settings: Any = import_module("mcp.server.auth.settings")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        issuer = AnyHttpUrl(f"http://127.0.0.1:{listener.getsockname()[1]}")
        provider = Provider()
        registration = settings.ClientRegistrationOptions(enabled=True, valid_scopes=list(SCOPES))
        revocation = settings.RevocationOptions(enabled=True)
        app = Starlette(
            routes=[
                Route("/v1/workspaces/me", provider.get_me),
                *routes.create_auth_routes(
                    provider,
                    issuer,
                    client_registration_options=registration,
                    revocation_options=revocation,
                ),
            ]
        )
        if auth_methods is not None:
            metadata = routes.build_metadata(issuer, None, registration, revocation)
            metadata.token_endpoint_auth_methods_supported = auth_methods

            def get_metadata(request: Request) -> JSONResponse:
                return JSONResponse(metadata.model_dump(mode="json", exclude_none=True))

            app.routes.insert(0, Route("/.well-known/oauth-authorization-server", get_metadata))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield provider, str(issuer)
        finally:
            server.should_exit = True
            thread.join()
