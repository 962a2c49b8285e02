"""OAuth 2.1: call the API on behalf of other people (extra `oauth`; `sql` for logins in a database).

Every name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import make_lazy_exports

if TYPE_CHECKING:
    from .._core.oauth.token_store import TokenRecord as TokenRecord
    from .._core.oauth.token_store import TokenStore as TokenStore
    from .stores.file import FileTokenStore as FileTokenStore
    from .stores.memory import MemoryTokenStore as MemoryTokenStore
    from .stores.sql import SQLTokenStore as SQLTokenStore
else:
    _MODULES = {
        "FileTokenStore": ".stores.file",
        "MemoryTokenStore": ".stores.memory",
        "SQLTokenStore": ".stores.sql",
        "TokenRecord": ".._core.oauth.token_store",
        "TokenStore": ".._core.oauth.token_store",
    }
    __getattr__, __dir__ = make_lazy_exports(__name__, _MODULES)
