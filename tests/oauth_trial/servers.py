"""Our client at foreign servers: register, sign in, refresh, use a refresh token twice, and revoke."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from scripe import ConsentRequiredError, RegistrationError, Scripe, oauth
from scripe.oauth import FileTokenStore, OAuthApp, Registration

from . import mcp_server
from .node_packages import node_folder, start_node
from .processes import Loss
from .worlds import Scenario, environment, temporary_folder

NAME = "tenant-42"
CALLBACK = "http://127.0.0.1:1/callback"
SCOPES = ["notes:read", "posts:read"]


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield each server with each way to authenticate that works there."""
    with node_folder() as folder:
        for methods in ("none", "client_secret_basic", "client_secret_post", "none,client_secret_basic"):
            with_secret = not methods.startswith("none")
            yield (
                "npm oidc-provider",
                partial(try_server, partial(serve_oidc, folder, methods), with_secret=with_secret),
            )
    yield "mcp.server.auth, public", partial(try_server, serve_mcp, with_secret=False)
    yield "mcp.server.auth, with a secret", try_basic_at_mcp
    yield (
        "mcp.server.auth, with a secret",
        partial(try_server, partial(serve_mcp, ["client_secret_post"]), with_secret=True),
    )


def try_basic_at_mcp() -> str:
    """Show that the server of mcp does not take `client_secret_basic` as RFC 6749 describes it."""
    try:
        try_server(serve_mcp, with_secret=True)
    except RegistrationError as error:
        expect("refused for the missing client_id", holds="Missing client_id" in str(error))
        return "client_secret_basic was refused: the server wants client_id in the form too"
    raise Loss("client_secret_basic works now: say so")


@dataclass
class Foreign:
    """A foreign server."""

    issuer: str
    workspace_id: str
    consent: Callable[[str], str]  # from the authorization URL to the callback
    count_refreshes: Callable[[], int]
    confirms_public_revocation: bool = True
    needs_prompt: bool = False


def expect(what: str, *, holds: bool) -> None:
    if not holds:
        raise Loss(f"not {what}")


def try_server(serve: Callable[..., Generator[Foreign]], *, with_secret: bool) -> str | None:
    """Go through everything that an application does."""
    with (
        contextmanager(serve)() as server,
        temporary_folder() as folder,
        environment("SCRIPE_BASE_URL", f"{server.issuer.rstrip('/')}/v1"),
    ):
        registration = oauth.register(
            client_name="Acme",
            redirect_uri=CALLBACK,
            scopes=SCOPES,
            issuer=server.issuer,
            with_secret=with_secret,
        )
        expect("registered as asked", holds=(registration.client_secret is not None) == with_secret)
        with make_app(registration, server, folder) as app:
            return use_app(app, server, folder, with_secret=with_secret)


def make_app(registration: Registration, server: Foreign, folder: Path) -> OAuthApp:
    return OAuthApp(
        client_id=registration.client_id,
        client_secret=registration.client_secret,
        redirect_uri=CALLBACK,
        scopes=SCOPES,
        token_store=FileTokenStore(folder),
        issuer=server.issuer,
    )


def use_app(app: OAuthApp, server: Foreign, folder: Path, *, with_secret: bool) -> str | None:
    sign_in(app, server)
    with Scripe(auth=app.credentials(NAME)) as client:
        expect("signed in", holds=client.workspaces.me().workspace.id == server.workspace_id)
        first = stored(folder)
        expire(folder)
        app = make_app_again(app, server, folder)
    with Scripe(auth=app.credentials(NAME)) as client:
        expect("refreshed", holds=client.workspaces.me().workspace.id == server.workspace_id)
    second = stored(folder)
    expect("rotated", holds=second["refresh_token"] != first["refresh_token"])
    expect("one refresh", holds=server.count_refreshes() == 1)
    put_back(folder, first)
    expect(
        "a used refresh token refused", holds=reason_to_end(make_app_again(app, server, folder)) == "revoked"
    )
    put_back(folder, second)
    expect("and its login ended", holds=reason_to_end(make_app_again(app, server, folder)) == "revoked")
    expect("still one refresh", holds=server.count_refreshes() == 1)
    app = make_app_again(app, server, folder)
    sign_in(app, server)
    third = stored(folder)
    is_confirmed = app.revoke(NAME).revoked
    expect("forgotten", holds=reason_to_end(make_app_again(app, server, folder)) == "missing")
    if not with_secret and not server.confirms_public_revocation:
        expect("refused to revoke for a public client", holds=not is_confirmed)
        return "revoking for a public client was refused, and the login forgotten all the same"
    expect("revoked", holds=is_confirmed)
    put_back(folder, third)
    expect("refused after that", holds=reason_to_end(make_app_again(app, server, folder)) == "revoked")
    if not server.needs_prompt:
        return None
    sign_in_without_prompt(make_app_again(app, server, folder), server)
    expire(folder)
    expect("expired", holds=reason_to_end(make_app_again(app, server, folder)) == "expired")
    return "without prompt=consent it gives no refresh token, and the login ends with its access token"


def make_app_again(app: OAuthApp, server: Foreign, folder: Path) -> OAuthApp:
    """Return an application that remembers nothing but what is stored."""
    client = app._client  # pyright: ignore[reportPrivateUsage]
    secret = None if client.secret is None else client.secret.reveal()
    return make_app(Registration(client.client_id, secret, CALLBACK, ()), server, folder)


def sign_in(app: OAuthApp, server: Foreign) -> None:
    request = app.authorization_request(NAME, prompt="consent" if server.needs_prompt else None)
    login = app.exchange(NAME, server.consent(request.url), state=request.state, replace=True)
    expect("signed in to the workspace", holds=login.workspace_id == server.workspace_id)
    expect("given what was asked for", holds=set(login.scopes) == {*SCOPES, "offline_access"})


def sign_in_without_prompt(app: OAuthApp, server: Foreign) -> None:
    """Show what a server of OpenID Connect gives without `prompt=consent`: no refresh token."""
    request = app.authorization_request(NAME)
    login = app.exchange(NAME, server.consent(request.url), state=request.state, replace=True)
    expect("given no refresh token", holds=set(login.scopes) == set(SCOPES))


def login_file(folder: Path) -> Path:
    return next(folder.glob("login-*.json"))


def stored(folder: Path) -> dict[str, object]:
    document = json.loads(login_file(folder).read_text())
    login: dict[str, object] = json.loads(document["content"])
    return login


def put_back(folder: Path, login: dict[str, object]) -> None:
    """Store a login that has expired, under the name that the store knows."""
    path = next(folder.glob("login-*.lock")).with_suffix(".json")
    content = json.dumps({**login, "expires_at": time.time() - 1})
    path.write_text(json.dumps({"revision": "put-back", "content": content}))
    path.chmod(0o600)


def expire(folder: Path) -> None:
    put_back(folder, stored(folder))


def reason_to_end(app: OAuthApp) -> str | None:
    try:
        app.credentials(NAME).access_token()
    except ConsentRequiredError as error:
        return error.reason
    return None


# The servers.


def serve_mcp(auth_methods: list[str] | None = None) -> Generator[Foreign]:
    with mcp_server.serve(auth_methods=auth_methods) as (provider, issuer), httpx2.Client() as browser:

        def consent(url: str) -> str:
            return browser.get(url).headers["location"]

        yield Foreign(
            issuer,
            "org_mcp",
            consent,
            lambda: provider.refreshes,
            # Its RevocationRequest requires client_secret, which a public client does not have.
            confirms_public_revocation=False,
        )


def serve_oidc(folder: Path, methods: str) -> Generator[Foreign]:
    server = start_node(folder, "oidc_server.mjs", methods)
    try:
        assert server.stdout is not None
        issuer = server.stdout.readline().strip()
        if not issuer:
            raise Loss(server.communicate()[1])
        yield Foreign(
            issuer,
            "org_oidc",
            partial(consent_at_oidc, issuer),
            partial(count_oidc_refreshes, issuer),
            needs_prompt=True,
        )
    finally:
        server.kill()
        server.communicate()


def count_oidc_refreshes(issuer: str) -> int:
    return len(httpx2.get(f"{issuer}/trial/refreshes").json())


def consent_at_oidc(issuer: str, url: str) -> str:
    """Fill in the forms for development of oidc-provider, as a browser would."""
    with httpx2.Client(base_url=issuer) as browser:
        response = browser.get(url)
        for _ in range(20):
            if 300 <= response.status_code < 400:
                target = response.headers["location"]
                if urlsplit(target).path == "/callback":
                    return str(target)
                response = browser.get(target)
                continue
            prompt = re.search(r'name="prompt" value="(\w+)"', response.text)
            action = re.search(r'action="([^"]+)"', response.text)
            if prompt is None or action is None:
                raise Loss(f"oidc-provider shows no form: {response.status_code} {response.text}")
            form = {"prompt": prompt[1], "login": "ada", "password": "x"}
            response = browser.post(action[1], data=form)
    raise Loss("oidc-provider asks without end")
