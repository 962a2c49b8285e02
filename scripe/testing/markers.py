"""Read the markers of a test, and set its emulator up as they say: one function for each marker.

Where a marker stands more than once, the module's comes first, then the class's, then the test's from top to bottom: a
later one replaces an earlier one, but faults add up, and are met in this order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Final, Literal

import pytest

from ..emulator import Emulator, Plan, Settings
from ..emulator._core.settings import PLANS

DROP: Final = "drop"


def _do_nothing(emulator: Emulator) -> None:
    pass


@dataclass(frozen=True, slots=True)
class EmulatorSetup:
    """The settings of an emulator, and what to do with it before the test begins."""

    settings: dict[str, Any]
    apply: Callable[[Emulator], None] = _do_nothing


def scripe_settings(**settings: object) -> EmulatorSetup:
    """Set settings of the emulator, such as `job_speed=0` or `include_topics=True`; see `scripe.emulator.Settings`."""
    known = [field.name for field in fields(Settings)]
    for name in settings:
        if name not in known:
            raise ValueError(f"there is no setting {name!r}; give one of {', '.join(known)}")
    return EmulatorSetup(settings)


def scripe_latency(seconds: float) -> EmulatorSetup:
    """Let each response take some seconds of the emulator's time.

    A client gives up if they exceed its timeout or total timeout; nobody waits.
    """
    if not isinstance(seconds, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"seconds is {seconds!r}; give a number")
    if seconds < 0:
        raise ValueError(f"seconds is {seconds}; give 0 or more")
    return EmulatorSetup({"simulated_latency": seconds})


def scripe_plan(plan: Plan, *, active: bool = True) -> EmulatorSetup:
    """Set the plan of the emulator's workspace; `active=False` is a subscription in bad standing."""
    if plan not in PLANS:
        raise ValueError(f"there is no plan {plan!r}; give one of {', '.join(PLANS)}")
    return EmulatorSetup({"plan": plan}, partial(Emulator.set_plan, plan=plan, active=active))


def scripe_rate_limit(requests: int) -> EmulatorSetup:
    """Limit the requests of each kind (reads, writes, uploads, generations) in 60 seconds."""
    _check_int("requests", requests, 1)
    limits = ("read_limit", "write_limit", "upload_limit", "generation_limit")
    return EmulatorSetup(dict.fromkeys(limits, requests))


def scripe_spend_cap(remaining_cents: int) -> EmulatorSetup:
    """Set the cents that are left of the workspace's spend cap today."""
    _check_int("remaining_cents", remaining_cents, 0)
    return EmulatorSetup({}, partial(Emulator.set_spend_remaining, cents=remaining_cents))


def scripe_faults(
    status: int | Literal["drop"] = 500,
    code: str | None = None,
    *,
    retry_after: float | str | None = None,
    message: str | None = None,
    times: int = 1,
    method: str | None = None,
    path: str | None = None,
    before: bool = False,
) -> EmulatorSetup:
    """Let the next matching requests fail without doing anything; or let them be done, and lose their responses.

    Args:
        status: The status of the response; `"drop"` to lose it.
        code: The error code; the status's own unless given.
        retry_after: The value of `Retry-After`.
        message: The error's message.
        times: How many requests.
        method: Only requests with this method.
        path: Only requests whose path below `/v1` (or storage path) begins like this.
        before: With `"drop"`, whether the connection is lost before the work instead: nothing is done.

    """
    if status == DROP:
        if (code, retry_after, message) != (None, None, None):
            raise ValueError("a lost response has no code, retry_after or message; leave them out")
        drop_next = partial(Emulator.drop_next, times=times, before=before, method=method, path=path)
        return EmulatorSetup({}, drop_next)
    if before:
        raise ValueError("before goes only with 'drop'; leave it out")
    if not isinstance(status, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"status is {status!r}; give a number, or {DROP!r}")
    fail_next = partial(
        Emulator.fail_next,
        status=status,
        code=code,
        retry_after=retry_after,
        message=message,
        times=times,
        method=method,
        path=path,
    )
    return EmulatorSetup({}, fail_next)


MARKER_PARSERS: Final[tuple[Callable[..., EmulatorSetup], ...]] = (
    scripe_settings,
    scripe_latency,
    scripe_plan,
    scripe_rate_limit,
    scripe_spend_cap,
    scripe_faults,
)


@contextmanager
def emulator_for(item: pytest.Item) -> Generator[Emulator]:
    """Make an emulator as the markers of a test say; warn of its faults that no request has met."""
    setups: list[tuple[pytest.Mark, EmulatorSetup]] = []
    settings: dict[str, Any] = {}
    for mark, parse in _marks(item):
        with _marker_errors(mark):
            bound = inspect.signature(parse).bind(*mark.args, **mark.kwargs)  # its errors name no function
            setup = parse(*bound.args, **bound.kwargs)
        setups.append((mark, setup))
        settings |= setup.settings
    with Emulator(**settings) as emulator:
        for mark, setup in setups:
            with _marker_errors(mark):
                setup.apply(emulator)
        yield emulator
        if emulator.unused_faults and _has_only_own_faults(item):
            sent = ", ".join(f"{request.method} {request.path}" for request in emulator.requests)
            item.warn(
                pytest.PytestWarning(
                    f"{item.name}: no request met {' nor '.join(emulator.unused_faults)}; check the marker. "
                    f"The test sent {sent or 'no request'}."
                )
            )


def _has_only_own_faults(item: pytest.Item) -> bool:
    """Return whether all fault markers are the test's: those of a class or a module need not be met in each test."""
    nodes = [node for node, _ in item.iter_markers_with_node(scripe_faults.__name__)]
    return bool(nodes) and all(node is item for node in nodes)


def _marks(item: pytest.Item) -> Iterator[tuple[pytest.Mark, Callable[..., EmulatorSetup]]]:
    for parse in MARKER_PARSERS:
        for mark in reversed(list(item.iter_markers(parse.__name__))):
            yield mark, parse


@contextmanager
def _marker_errors(mark: pytest.Mark) -> Generator[None]:
    """Report a wrong argument of a marker in one line that shows the marker."""
    try:
        yield
    except (TypeError, ValueError) as error:
        arguments = [*map(repr, mark.args), *(f"{name}={value!r}" for name, value in mark.kwargs.items())]
        line = f"@pytest.mark.{mark.name}({', '.join(arguments)}): {error}"
        raise pytest.fail.Exception(line, pytrace=False) from None


def _check_int(name: str, value: int, least: int) -> None:
    if type(value) is not int:
        raise ValueError(f"{name} is {value!r}; give a whole number")
    if value < least:
        raise ValueError(f"{name} is {value}; give {least} or more")
