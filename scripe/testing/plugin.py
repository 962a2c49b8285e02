"""The fixtures. pytest loads this file for every suite, unasked: what they need is imported when they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripe import AsyncScripe, Project, Scripe
    from scripe.emulator import Emulator, Server

MARKERS = (
    "scripe_latency(seconds): each answer of the emulator takes so many seconds of its own time.",
    "scripe_faults(status=500, code=None, *, retry_after=None, message=None, times=1, method=None, path=None): the "
    "next matching requests fail; with 'drop' for a status they are done, and their answers are lost.",
    "scripe_plan(plan, *, active=True): the plan of the emulator's workspace, and whether it is in good standing.",
    "scripe_budget(requests=None, *, cents=None): how many requests of each kind the emulator allows in 60 seconds, "
    "and how many cents are left of today's spend cap.",
    "scripe_settings(**settings): settings of the emulator, such as speed=0 or topics=True.",
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for each in MARKERS:
        config.addinivalue_line("markers", each)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tell of a marker on a test that uses none of the fixtures, and so has no emulator for it."""
    names = {each.partition("(")[0] for each in MARKERS}
    idle = [mark.name for mark in item.own_markers if mark.name in names]
    if idle and "scripe_emulator" not in getattr(item, "fixturenames", ()):
        item.warn(
            pytest.PytestWarning(f"{idle[0]} does nothing here: {item.name} uses no fixture of scripe.")
        )


@pytest.fixture
def scripe_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """A fresh `scripe.emulator.Emulator`, in this process, set up as the test's markers say.

    It has one workspace, with three projects and a key that may do everything. What it is for: faults, the ends of
    jobs, time (`scripe_emulator.clock`), and what was sent (`scripe_emulator.assert_sent`).
    """
    _check_extra()
    from scripe.testing.markers import emulator_for

    with emulator_for(request.node) as emulator:
        yield emulator


@pytest.fixture
def scripe_client(scripe_emulator: Emulator) -> Iterator[Scripe]:
    """A `scripe.Scripe` of the emulator: it opens no port and never sleeps, but moves the emulator's clock on."""
    with scripe_emulator.client() as client:
        yield client


@pytest.fixture
def async_scripe_client(scripe_emulator: Emulator) -> AsyncScripe:
    """A `scripe.AsyncScripe` of the emulator, for asyncio and trio, whichever plugin runs the test.

    It opens no port and never sleeps, but moves the emulator's clock on. It holds nothing open, and need not be closed.
    """
    return scripe_emulator.async_client()


@pytest.fixture
def scripe_project(scripe_emulator: Emulator) -> Project:
    """A `scripe.Project` of the emulator's workspace, connected to LinkedIn; no request was made for it."""
    from scripe import Project

    return Project.model_validate(scripe_emulator.project())


@pytest.fixture(scope="session")
def _scripe_port() -> Iterator[Server]:
    """One port for all tests that want one: to open and close it costs more than most tests."""
    _check_extra()
    from scripe.emulator import Emulator

    with Emulator() as nobody, nobody.serve() as server:
        server.in_real_time = False
        yield server


@pytest.fixture
def scripe_server(
    _scripe_port: Server, scripe_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """The emulator behind a port of this machine, for code that makes its own clients: `base_url` and `api_key`.

    `SCRIPE_BASE_URL` and `SCRIPE_API_KEY` lead there, in processes that the test starts too, and `SCRIPE_WORKSPACE_ID`
    is unset. Clients that are made in this process while the test runs never sleep: the emulator's clock moves on.
    """
    from scripe.testing.environment import give_time_of, lead_to

    nobody, _scripe_port.emulator = _scripe_port.emulator, scripe_emulator
    lead_to(_scripe_port, monkeypatch)
    give_time_of(scripe_emulator, monkeypatch)
    yield _scripe_port
    _scripe_port.emulator = nobody


def _check_extra() -> None:
    from scripe.emulator._core.optional_dependencies import missing

    if absent := missing():
        pytest.fail(
            f'{absent[0]} is missing: install the extra "testing" of scripe (it brings {absent[0]})',
            pytrace=False,
        )
