"""An emulator that is served, and an application registered with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripe.emulator import Emulator, Server
from scripe.oauth import MemoryTokenStore, OAuthApp, TokenStore
from tests.oauth.signing_in import make_app


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def served(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve the emulator; clients and applications that are made without an address call it."""
    with emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        yield server


@pytest.fixture
def store() -> TokenStore:
    return MemoryTokenStore()


@pytest.fixture
def app(served: Server, store: TokenStore) -> Iterator[OAuthApp]:
    with make_app(store) as app:
        yield app
