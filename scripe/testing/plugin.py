"""Define the fixtures. pytest loads this file for every suite, so it imports what they need when they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .. import AsyncScripe, Project, Scripe
    from ..emulator import Emulator, Server

MARKERS = (
    "scripe_latency(seconds): each response takes this many seconds of the emulator's time.",
    "scripe_faults(status=500, code=None, *, retry_after=None, message=None, times=1, method=None, path=None, "
    "before=False): the next matching requests fail; with 'drop' as status they are done, and their responses are "
    "lost; with before=True they are lost before they are done.",
    "scripe_plan(plan, *, active=True): the plan of the emulator's workspace, and whether it is in good standing.",
    "scripe_rate_limit(requests): how many requests of each kind the emulator allows in 60 seconds.",
    "scripe_spend_cap(remaining_cents): the cents that are left of today's spend cap.",
    "scripe_settings(**settings): settings of the emulator, such as job_speed=0 or include_topics=True.",
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for line in MARKERS:
        config.addinivalue_line("markers", line)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Warn of a marker on a test that uses none of the fixtures, and so has no emulator."""
    names = {line.partition("(")[0] for line in MARKERS}
    idle = [mark.name for mark in item.own_markers if mark.name in names]
    if idle and "scripe_emulator" not in getattr(item, "fixturenames", ()):
        item.warn(
            pytest.PytestWarning(
                f"{idle[0]} has no effect: {item.name} uses no fixture of scripe. Add one, such as scripe_client."
            )
        )


@pytest.fixture
def scripe_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Make a fresh `scripe.emulator.Emulator`, in this process, set up as the test's markers say.

    It has one workspace, with three projects and an API key with every scope. It controls faults, jobs and time
    (`scripe_emulator.clock`), and knows what was sent (`scripe_emulator.assert_sent`).
    """
    _check_extra()
    from .markers import emulator_for

    with emulator_for(request.node) as emulator:
        yield emulator


@pytest.fixture
def scripe_client(scripe_emulator: Emulator) -> Iterator[Scripe]:
    """Make a `scripe.Scripe` that calls the emulator: no port, and no sleeping; the emulator's clock moves on."""
    with scripe_emulator.client() as client:
        yield client


@pytest.fixture
def async_scripe_client(scripe_emulator: Emulator) -> AsyncScripe:
    """Make a `scripe.AsyncScripe` that calls the emulator, for asyncio and trio, whichever plugin runs the test.

    It opens no port, and instead of sleeping it moves the emulator's clock on. It need not be closed.
    """
    return scripe_emulator.async_client()


@pytest.fixture
def scripe_project(scripe_emulator: Emulator) -> Project:
    """Return a `scripe.Project` of the emulator's workspace, connected to LinkedIn; no request is made for it."""
    from .. import Project

    return Project.model_validate(scripe_emulator.project())


@pytest.fixture(scope="session")
def _scripe_port() -> Iterator[Server]:
    """Open one port for all tests that use one: to open and close it costs more than most tests."""
    _check_extra()
    from ..emulator import Emulator

    with Emulator() as idle, idle.serve() as server:
        server.in_real_time = False
        yield server


@pytest.fixture
def scripe_server(
    _scripe_port: Server, scripe_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """Serve the emulator on a port of this machine, for code that makes its own clients: `base_url` and `api_key`.

    `SCRIPE_BASE_URL` and `SCRIPE_API_KEY` point to it, also in processes that the test starts, and
    `SCRIPE_WORKSPACE_ID` is unset. Clients that are made in this process during the test do not sleep: the emulator's
    clock moves on.
    """
    from .environment import set_environment, use_emulator_clock

    previous = _scripe_port.application
    scripe_emulator.take_over(_scripe_port)
    set_environment(_scripe_port, monkeypatch)
    with use_emulator_clock(scripe_emulator):
        yield _scripe_port
    _scripe_port.application = previous


def _check_extra() -> None:
    from ..emulator._core.optional_dependencies import find_missing_packages

    if missing := find_missing_packages():
        pytest.fail(
            f'{missing[0]} is not installed. Install scripe with the extra "testing", which adds {missing[0]}.',
            pytrace=False,
        )
