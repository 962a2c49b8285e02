"""Act for users of Scripe, who sign in and allow it: OAuth 2.1. https://apidocs.scripe.io/api/v1/oauth

    from scripe import Scripe, oauth

    app = oauth.OAuthApp(client_id="…", redirect_uri="https://acme.example/callback", token_store=store)
    client = Scripe(auth=app.credentials("tenant-42"))

`import scripe` does not load it, and every name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import make_lazy_exports

if TYPE_CHECKING:
    from .._core.oauth.authorization import AuthorizationRequest as AuthorizationRequest
    from .._core.oauth.registration import Registration as Registration
    from .._core.oauth.token_store import TokenRecord as TokenRecord
    from .._core.oauth.token_store import TokenStore as TokenStore
    from .._oauth_refresh import Credentials as Credentials
    from .._oauth_refresh import Login as Login
    from ._registration import register as register
    from .app import OAuthApp as OAuthApp
    from .app import Revocation as Revocation
    from .signing_in import credentials as credentials
    from .signing_in import login as login
    from .signing_in import logout as logout
    from .stores.file import FileTokenStore as FileTokenStore
    from .stores.memory import MemoryTokenStore as MemoryTokenStore
    from .stores.sql import SQLTokenStore as SQLTokenStore
else:
    _MODULES = {
        "AuthorizationRequest": ".._core.oauth.authorization",
        "Credentials": ".._oauth_refresh",
        "FileTokenStore": ".stores.file",
        "Login": ".._oauth_refresh",
        "MemoryTokenStore": ".stores.memory",
        "OAuthApp": ".app",
        "Registration": ".._core.oauth.registration",
        "Revocation": ".app",
        "SQLTokenStore": ".stores.sql",
        "TokenRecord": ".._core.oauth.token_store",
        "TokenStore": ".._core.oauth.token_store",
        "credentials": ".signing_in",
        "login": ".signing_in",
        "logout": ".signing_in",
        "register": "._registration",
    }
    __getattr__, __dir__ = make_lazy_exports(__name__, _MODULES)
