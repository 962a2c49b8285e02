"""Keep logins: in memory, in files of one user, or in a table that several machines share.

Each store is loaded when it is first used. `scripe.testing.check_token_store` checks one of your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._lazy import make_lazy_exports

if TYPE_CHECKING:
    from .file import FileTokenStore as FileTokenStore
    from .memory import MemoryTokenStore as MemoryTokenStore
    from .sql import SQLTokenStore as SQLTokenStore
else:
    _MODULES = {"FileTokenStore": ".file", "MemoryTokenStore": ".memory", "SQLTokenStore": ".sql"}
    __getattr__, __dir__ = make_lazy_exports(__name__, _MODULES)
