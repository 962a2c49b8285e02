"""Foreign clients at our emulator: register, sign in, refresh, use a refresh token twice, and revoke."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from .node_packages import node_folder, start_node
from .processes import PATIENCE, Loss
from .worlds import Scenario, World, make_world

CALLBACK = "https://acme.example/callback"
SCOPES = "notes:read posts:write offline_access"
METHODS = ("none", "client_secret_basic", "client_secret_post")
METADATA = "/.well-known/oauth-authorization-server"
VERIFIER = "v" * 64


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield each client with each way to authenticate that it has."""
    for method in METHODS:
        yield "authlib", partial(with_world, use_authlib, method)
    for method in METHODS:
        yield "authlib, async", partial(with_world, use_async_authlib, method)
    for mcp_method in (*METHODS, None):  # None: what the server chooses
        yield "OAuthClientProvider of mcp", partial(with_world, use_mcp, mcp_method)
    with node_folder() as folder:
        for method in METHODS:
            yield "oauth4webapi", partial(with_world, partial(use_oauth4webapi, folder), method)


def with_world(use: Callable[[World, Any], None], method: str | None) -> None:
    with make_world("memory") as world:
        use(world, method)


def issuer_of(world: World) -> str:
    return world.server.base_url.removesuffix("/v1")


def metadata_of(world: World) -> dict[str, Any]:
    metadata: dict[str, Any] = httpx2.get(f"{issuer_of(world)}{METADATA}").json()
    return metadata


def expect(what: str, *, holds: bool) -> None:
    if not holds:
        raise Loss(f"not {what}")


def is_live(world: World, access_token: str) -> bool:
    """Return True if the API takes an access token; it may refuse it with a 401 only."""
    headers = {"Authorization": f"Bearer {access_token}"}
    response = httpx2.get(f"{world.server.base_url}/workspaces/me", headers=headers)
    if response.status_code not in (200, 401):
        raise Loss(response.text)
    return response.status_code == 200


# authlib registers nothing: that is a request of our own.


def register(metadata: dict[str, Any], method: str) -> dict[str, Any]:
    body = {
        "client_name": "authlib",
        "redirect_uris": [CALLBACK],
        "scope": SCOPES,
        "token_endpoint_auth_method": method,
    }
    response = httpx2.post(metadata["registration_endpoint"], json=body)
    expect("registered", holds=response.status_code == 201)
    registered: dict[str, Any] = response.json()
    return registered


def authlib_options(metadata: dict[str, Any], method: str) -> dict[str, Any]:
    registered = register(metadata, method)
    return {
        "client_id": registered["client_id"],
        "client_secret": registered.get("client_secret"),
        "token_endpoint_auth_method": method,
        "revocation_endpoint_auth_method": method,
        "redirect_uri": CALLBACK,
        "scope": SCOPES,
        "code_challenge_method": "S256",
        "token_endpoint": metadata["token_endpoint"],
    }


def use_authlib(world: World, method: str) -> None:
    authlib: Any = import_module("authlib.integrations.httpx_client")
    metadata = metadata_of(world)
    with authlib.OAuth2Client(**authlib_options(metadata, method)) as client:

        def sign_in() -> dict[str, Any]:
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=VERIFIER
            )
            tokens: dict[str, Any] = client.fetch_token(
                authorization_response=world.emulator.oauth.consent(url), state=state, code_verifier=VERIFIER
            )
            return tokens

        def is_refused(refresh_token: str) -> bool:
            try:
                client.refresh_token(refresh_token=refresh_token)
            except authlib.OAuthError as error:
                return bool(error.error == "invalid_grant")
            return False

        first = sign_in()
        me = f"{world.server.base_url}/workspaces/me"
        expect("signed in", holds=client.get(me).status_code == 200)
        client.token = dict[str, Any](first, expires_at=1)  # it refreshes by itself
        expect("refreshed", holds=client.get(me).status_code == 200)
        second = client.token
        expect("rotated", holds=second["refresh_token"] != first["refresh_token"])
        expect("a used refresh token refused", holds=is_refused(first["refresh_token"]))
        expect("and its login ended", holds=not is_live(world, second["access_token"]))
        third = sign_in()
        revoked = client.revoke_token(metadata["revocation_endpoint"], token=third["refresh_token"])
        expect("revoked", holds=revoked.status_code == 200 and not is_live(world, third["access_token"]))
        expect("refused after that", holds=is_refused(third["refresh_token"]))


def use_async_authlib(world: World, method: str) -> None:
    authlib: Any = import_module("authlib.integrations.httpx_client")
    metadata = metadata_of(world)

    async def main() -> None:
        async with authlib.AsyncOAuth2Client(**authlib_options(metadata, method)) as client:

            async def sign_in() -> dict[str, Any]:
                url, state = client.create_authorization_url(
                    metadata["authorization_endpoint"], code_verifier=VERIFIER
                )
                tokens: dict[str, Any] = await client.fetch_token(
                    authorization_response=world.emulator.oauth.consent(url),
                    state=state,
                    code_verifier=VERIFIER,
                )
                return tokens

            async def is_refused(refresh_token: str) -> bool:
                try:
                    await client.refresh_token(refresh_token=refresh_token)
                except authlib.OAuthError as error:
                    return bool(error.error == "invalid_grant")
                return False

            first = await sign_in()
            me = f"{world.server.base_url}/workspaces/me"
            expect("signed in", holds=(await client.get(me)).status_code == 200)
            client.token = dict[str, Any](first, expires_at=1)
            expect("refreshed", holds=(await client.get(me)).status_code == 200)
            second = client.token
            expect("rotated", holds=second["refresh_token"] != first["refresh_token"])
            expect("a used refresh token refused", holds=await is_refused(first["refresh_token"]))
            expect("and its login ended", holds=not is_live(world, second["access_token"]))
            third = await sign_in()
            revoked = await client.revoke_token(metadata["revocation_endpoint"], token=third["refresh_token"])
            expect("revoked", holds=revoked.status_code == 200 and not is_live(world, third["access_token"]))
            expect("refused after that", holds=await is_refused(third["refresh_token"]))

    asyncio.run(main())


# The provider of mcp does all by itself, whenever it is sent a 401, but revokes nothing.


class Storage:
    """What the provider keeps."""

    tokens: Any = None
    client_info: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client_info

    async def set_client_info(self, client_info: Any) -> None:
        self.client_info = client_info


def use_mcp(world: World, method: str | None) -> None:
    auth: Any = import_module("mcp.client.auth")
    shared: Any = import_module("mcp.shared.auth")
    storage, callbacks = Storage(), list[str]()

    async def redirect(url: str) -> None:
        callbacks.append(world.emulator.oauth.consent(url))

    async def wait_for_callback() -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(callbacks[-1]).query).items()}
        return shared.AuthorizationCodeResult(**query)

    def make_provider() -> Any:
        return auth.OAuthClientProvider(
            server_url=world.server.base_url,
            client_metadata=shared.OAuthClientMetadata(
                client_name="mcp", redirect_uris=[CALLBACK], token_endpoint_auth_method=method
            ),
            storage=storage,
            redirect_handler=redirect,
            callback_handler=wait_for_callback,
        )

    async def main() -> None:
        me = f"{world.server.base_url}/workspaces/me"
        provider = make_provider()
        async with httpx2.AsyncClient(auth=provider) as client:
            expect("signed in", holds=(await client.get(me)).status_code == 200)
            first = storage.tokens
            provider.context.token_expiry_time = time.time() - 1
            expect("refreshed", holds=(await client.get(me)).status_code == 200)
            second = storage.tokens
            expect("rotated", holds=second.refresh_token != first.refresh_token)
            expect("asked once", holds=len(callbacks) == 1 and len(world.emulator.oauth.refreshes) == 1)
            provider.context.current_tokens = first
            provider.context.token_expiry_time = time.time() - 1
            expect("signed in again", holds=(await client.get(me)).status_code == 200)
            expect("a used refresh token refused", holds=len(world.emulator.oauth.refreshes) == 1)
            expect("and its login ended", holds=not is_live(world, second.access_token))
            expect("asked twice", holds=len(callbacks) == 2)
        third, metadata = storage.tokens, metadata_of(world)
        data = {"token": third.refresh_token}
        data, headers = provider.context.prepare_token_auth(
            {"client_id": storage.client_info.client_id, **data}, {}
        )
        revoked = httpx2.post(metadata["revocation_endpoint"], data=data, headers=headers)
        expect("revoked", holds=revoked.status_code == 200 and not is_live(world, third.access_token))
        async with httpx2.AsyncClient(auth=make_provider()) as client:  # as after a restart
            expect("signed in once more", holds=(await client.get(me)).status_code == 200)
            expect("asked three times", holds=len(callbacks) == 3)

    asyncio.run(main())


def use_oauth4webapi(folder: Path, world: World, method: str) -> None:
    client = start_node(folder, "oauth4webapi_client.mjs", issuer_of(world), method)
    steps, problem = client.communicate(timeout=PATIENCE)
    if client.returncode or steps.splitlines()[-1:] != ["revoked"]:
        raise Loss(f"{steps}{problem}")
    count = len(world.emulator.oauth.refreshes)
    expect("one refresh accepted", holds=count == 1)
