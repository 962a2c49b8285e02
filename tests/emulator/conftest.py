from collections.abc import Iterator

import httpx
import pytest

from scripe.emulator import Emulator
from tests.emulator.contract import watch_all
from tests.emulator.emulator_calls import Calls, frozen
from tests.emulator.oauth_app import App, connected


@pytest.fixture(autouse=True)
def violations(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What breaks the description: nothing, unless a test takes it out again."""
    found = watch_all(monkeypatch)
    yield found
    assert found == []


@pytest.fixture
def beyond_the_description(violations: list[str]) -> Iterator[None]:
    """For what the emulator takes although the description does not promise it."""
    yield
    assert violations
    violations.clear()


@pytest.fixture
def emulator(violations: list[str]) -> Iterator[Emulator]:
    with Emulator(clock=frozen()) as emulator:
        yield emulator


@pytest.fixture
def api(emulator: Emulator) -> Calls:
    return Calls(emulator)


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx.Client]:
    """A plain client of the emulator's authorization server."""
    with connected(emulator) as http:
        yield http


@pytest.fixture
def app(emulator: Emulator, http: httpx.Client) -> App:
    """An application that is registered there."""
    return App(emulator, http)
