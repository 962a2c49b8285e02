"""Test applications that use scripe: a pytest plugin over the emulator, which pytest loads by itself.

`check_token_store` checks a token store of your own. It needs neither pytest nor an extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import make_lazy_exports

if TYPE_CHECKING:
    from .token_store import TokenStoreContractError as TokenStoreContractError
    from .token_store import check_token_store as check_token_store
else:
    _MODULES = {"TokenStoreContractError": ".token_store", "check_token_store": ".token_store"}
    __getattr__, __dir__ = make_lazy_exports(__name__, _MODULES)
