from collections.abc import Iterator

import pytest

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import Calls, frozen


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=frozen()) as emulator:
        yield emulator


@pytest.fixture
def api(emulator: Emulator) -> Calls:
    return Calls(emulator)
