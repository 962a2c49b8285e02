"""Control the authorization server from a test: `Emulator.oauth`."""

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from ..messages import AUTHORIZE_PATH
from .authorization import PageError, RedirectError
from .authorization_server import AuthorizationServer
from .grants import OAuthRefresh, OAuthUser


class OAuthControls:
    """The OAuth 2.1 authorization server of an emulator, from a test: `Emulator.oauth`.

    Its paths lie at the origin of the API, such as ``/.well-known/oauth-authorization-server``.
    """

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server
        self._grants = server.grants
        self._database = server.services.database

    @property
    def users(self) -> list[OAuthUser]:
        """The users who can log in, oldest first; from the start, one with the first workspace."""
        return self._grants.list_users()

    def add_user(self, name: str = "Second user", workspace_ids: Sequence[str] = ()) -> OAuthUser:
        """Add a user and return it.

        Args:
            name: The name on the consent page.
            workspace_ids: The workspaces of the user, the default one first; the first workspace unless some are named.

        Raises:
            LookupError: There is no such workspace.

        """
        workspace_ids = workspace_ids or self.users[0].workspace_ids[:1]
        known = {row["id"] for row in self._server.services.auth.list_workspaces()}
        for workspace_id in workspace_ids:
            if workspace_id not in known:
                raise LookupError(f"there is no workspace {workspace_id!r}")
        with self._database.transaction():
            user_id = self._grants.add_user(name, workspace_ids)
        return self._find_user(user_id)

    def consent(
        self,
        url: str,
        user: OAuthUser | str | None = None,
        *,
        allow: bool = True,
        workspace_id: str | None = None,
        scopes: Collection[str] | None = None,
    ) -> str:
        """Decide on an authorization URL as a user would in a browser, and return where the browser goes then.

        Nothing is sent, so it is not in `Emulator.requests`, and meets no fault. An error that the client is sent, such
        as a scope that it may not ask for, is in the URL that is returned.

        Args:
            url: The authorization URL that the client made.
            user: A user, or the id of one; the first unless given.
            allow: Whether the user allows it.
            workspace_id: The workspace to choose; the user's first unless given.
            scopes: What to allow; all that the client asks for unless given.

        Raises:
            LookupError: There is no such user.
            ValueError: The browser would show an error instead: the URL is not one of this server, its client or
                redirect URI is not registered, or the user has no such workspace.

        """
        parts = urlsplit(url)
        if parts.path != AUTHORIZE_PATH:
            raise ValueError(
                f"the path is {parts.path!r}; give an authorization URL, with {AUTHORIZE_PATH!r}"
            )
        chosen = self.users[0] if user is None else self._find_user(user)
        authorization = self._server.authorization
        with self._database.transaction():
            try:
                request = authorization.check(parts.query, f"{parts.scheme}://{parts.netloc}")
                return authorization.decide(
                    request,
                    chosen.id,
                    workspace_id or chosen.workspace_ids[0],
                    request.scopes if scopes is None else scopes,
                    allow=allow,
                )
            except RedirectError as error:
                return error.callback_url
            except PageError as error:
                raise ValueError(f"the browser shows an error: {error}") from None

    def revoke(self, user_or_client: OAuthUser | str) -> None:
        """Kill every code and token of a user, or of the client with an id.

        Raises:
            LookupError: There is no such user or client.

        """
        if isinstance(user_or_client, str) and self._server.has_client(user_or_client):
            self._grants.revoke_all(user_or_client)
        else:
            self._grants.revoke_all(self._find_user(user_or_client).id)

    def expire_access_tokens(self) -> None:
        """Kill every access token and no refresh token, as if the server had lost them before their time."""
        self._grants.expire_access_tokens()

    @property
    def refreshes(self) -> list[OAuthRefresh]:
        """The refreshes that were accepted, in order, even if the response was dropped."""
        return self._grants.list_refreshes()

    def _find_user(self, user: OAuthUser | str) -> OAuthUser:
        user_id = user if isinstance(user, str) else user.id
        for known in self.users:
            if known.id == user_id:
                return known
        raise LookupError(f"there is no user {user_id!r}")
