"""What the markers of a test ask of its emulator.

Where a marker stands more than once, the module's comes first, then the class's, then the test's from top to bottom: a
later one replaces an earlier one, but faults add up, and are met in this order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar, cast

import pytest

from scripe.emulator import Emulator, Options
from scripe.emulator.settings import PLANS, Plan

T = TypeVar("T")
DROP = "drop"
LIMITS = ("read_limit", "write_limit", "upload_limit", "generation_limit")


def emulator_for(item: pytest.Item) -> Emulator:
    """An emulator as the markers of a test want it."""
    options: dict[str, object] = {}
    for name, read in READ_BEFORE.items():
        for mark in _marks(item, name):
            options |= _obeyed(mark, read)
    emulator = Emulator(**cast("Options", options))
    for name, order in ORDERED_AFTER.items():
        for mark in _marks(item, name):
            _obeyed(mark, partial(order, emulator))
    return emulator


def _marks(item: pytest.Item, name: str) -> Iterator[pytest.Mark]:
    return reversed(list(item.iter_markers(name)))


def _obeyed(mark: pytest.Mark, function: Callable[..., T]) -> T:
    try:
        return _called(function, *mark.args, **mark.kwargs)
    except (TypeError, ValueError) as error:
        why = error
    given = ", ".join([*map(repr, mark.args), *(f"{name}={each!r}" for name, each in mark.kwargs.items())])
    pytest.fail(f"@pytest.mark.{mark.name}({given}): {why}", pytrace=False)


def _called(function: Callable[..., T], *args: object, **kwargs: object) -> T:
    bound = inspect.signature(function).bind(*args, **kwargs)  # its complaints name no function of ours
    return function(*bound.args, **bound.kwargs)


def _settings(**settings: object) -> dict[str, object]:
    known = Options.__annotations__
    for name in settings:
        if name not in known:
            raise ValueError(f"there is no setting {name!r}, but {', '.join(known)}")
    return settings


def _limits(requests: object = None, *, cents: object = None) -> dict[str, object]:
    if requests is None:
        if cents is None:
            raise ValueError("say how many requests, or cents")
        return {}
    if _whole("requests", requests) < 1:
        raise ValueError(f"requests is {requests}; give 1 or more")
    return dict.fromkeys(LIMITS, requests)


def _cap(emulator: Emulator, _requests: object = None, *, cents: object = None) -> None:
    if cents is not None:
        emulator.set_left(_whole("cents", cents))


def _whole(name: str, given: object) -> int:
    if type(given) is not int:
        raise ValueError(f"{name} is {given!r}; give a whole number")
    return given


def _plan(emulator: Emulator, plan: Plan, *, active: bool = True) -> None:
    if plan not in PLANS:
        raise ValueError(f"there is no plan {plan!r}, but {', '.join(PLANS)}")
    emulator.set_plan(plan, active=active)


def _latency(emulator: Emulator, seconds: object) -> None:
    if not isinstance(seconds, int | float):
        raise ValueError(f"seconds is {seconds!r}; give a number")
    emulator.latency = seconds


def _faults(emulator: Emulator, status: int | str = 500, *args: object, **kwargs: object) -> None:
    if status == DROP:
        _called(emulator.drop_next, *args, **kwargs)
    elif isinstance(status, int):
        _called(emulator.fail_next, status, *args, **kwargs)
    else:
        raise ValueError(f"status is {status!r}; give a number, or {DROP!r}")


READ_BEFORE: dict[str, Callable[..., dict[str, object]]] = {
    "scripe_settings": _settings,
    "scripe_budget": _limits,
}
ORDERED_AFTER: dict[str, Callable[..., None]] = {
    "scripe_plan": _plan,
    "scripe_budget": _cap,
    "scripe_latency": _latency,
    "scripe_faults": _faults,
}
