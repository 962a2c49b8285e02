"""What the markers of a test ask of its emulator: for each marker the function that reads it.

Where a marker stands more than once, the module's comes first, then the class's, then the test's from top to bottom: a
later one replaces an earlier one, but faults add up, and are met in this order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, Unpack

import pytest

from scripe._vocabulary import Plan
from scripe.emulator import Emulator, Options
from scripe.emulator.settings import PLANS

DROP: Final = "drop"


@dataclass(frozen=True, slots=True)
class Scene:
    """What one marker asks for: settings of the emulator, and what to do with it before the test begins."""

    settings: Options
    order: Callable[[Emulator], None] = lambda emulator: None  # noqa: ARG005


def scripe_settings(**settings: Unpack[Options]) -> Scene:
    """Settings of the emulator, such as ``speed=0`` or ``topics=True``; see `scripe.emulator.Settings`."""
    known = Options.__annotations__
    for name in settings:
        if name not in known:
            raise ValueError(f"there is no setting {name!r}, but {', '.join(known)}")
    return Scene(settings)


def scripe_latency(seconds: float) -> Scene:
    """Each answer of the emulator takes so many seconds of its own time.

    A client gives up where they exceed its timeout, or its deadline; nobody waits.
    """
    if not isinstance(seconds, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"seconds is {seconds!r}; give a number")
    if seconds < 0:
        raise ValueError("an answer cannot come early")
    return Scene({"latency": seconds})


def scripe_plan(plan: Plan, *, active: bool = True) -> Scene:
    """The plan of the emulator's workspace; `active` false means a subscription in bad standing."""
    if plan not in PLANS:
        raise ValueError(f"there is no plan {plan!r}, but {', '.join(PLANS)}")
    return Scene({"plan": plan}, lambda emulator: emulator.set_plan(plan, active=active))


def scripe_budget(requests: int | None = None, *, cents: int | None = None) -> Scene:
    """What the emulator's workspace may use.

    Args:
        requests: how many requests of each kind (reads, writes, uploads, generations) in 60 seconds.
        cents: what is left of today's spend cap.

    """
    if requests is None and cents is None:
        raise ValueError("say how many requests, or cents")
    _check_whole("requests", requests, 1)
    _check_whole("cents", cents, 0)
    settings: Options = {}
    if requests is not None:
        settings = {
            "read_limit": requests,
            "write_limit": requests,
            "upload_limit": requests,
            "generation_limit": requests,
        }
    return Scene(settings, lambda emulator: None if cents is None else emulator.set_left(cents))


def scripe_faults(
    status: int | Literal["drop"] = 500,
    code: str | None = None,
    *,
    retry_after: float | str | None = None,
    message: str | None = None,
    times: int = 1,
    method: str | None = None,
    path: str | None = None,
) -> Scene:
    """The next matching requests fail without doing anything; or they are done, and their answers are lost.

    Args:
        status: the status they are answered with; ``"drop"`` to lose the answer.
        code: the error code; the status's own unless given.
        retry_after: what ``Retry-After`` says.
        message: the error's message.
        times: how many requests.
        method: only requests with this method.
        path: only paths below ``/v1`` (or storage paths) that begin so.

    """
    if status == DROP:
        if (code, retry_after, message) != (None, None, None):
            raise ValueError("an answer that is lost has no code, retry_after or message")
        return Scene({}, lambda emulator: emulator.drop_next(times, method=method, path=path))
    if not isinstance(status, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"status is {status!r}; give a number, or {DROP!r}")

    def order(emulator: Emulator) -> None:
        emulator.fail_next(
            status,
            code,
            retry_after=retry_after,
            message=message,
            times=times,
            method=method,
            path=path,
        )

    return Scene({}, order)


READERS: Final[tuple[Callable[..., Scene], ...]] = (
    scripe_settings,
    scripe_latency,
    scripe_plan,
    scripe_budget,
    scripe_faults,
)


@contextmanager
def emulator_for(item: pytest.Item) -> Generator[Emulator]:
    """An emulator as the markers of a test want it."""
    scenes: list[tuple[pytest.Mark, Scene]] = []
    settings: Options = {}
    for mark, read in _marks(item):
        with _blaming(mark):
            scene = _called(read, mark)
        scenes.append((mark, scene))
        settings |= scene.settings
    with Emulator(**settings) as emulator:
        for mark, scene in scenes:
            with _blaming(mark):
                scene.order(emulator)
        yield emulator
        if emulator.unmet_faults and _has_faults_of_its_own(item):
            item.warn(
                pytest.PytestWarning(
                    f"{item.name}: no request met {' nor '.join(emulator.unmet_faults)}; sent were "
                    f"{', '.join(f'{each.method} {each.path}' for each in emulator.requests) or 'none'}."
                )
            )


def _has_faults_of_its_own(item: pytest.Item) -> bool:
    """Whether all markers of faults are the test's: those of a class or a module need not be met in each test."""
    nodes = [node for node, _ in item.iter_markers_with_node(scripe_faults.__name__)]
    return bool(nodes) and all(node is item for node in nodes)


def _marks(item: pytest.Item) -> Iterator[tuple[pytest.Mark, Callable[..., Scene]]]:
    for read in READERS:
        for mark in reversed(list(item.iter_markers(read.__name__))):
            yield mark, read


def _called(read: Callable[..., Scene], mark: pytest.Mark) -> Scene:
    bound = inspect.signature(read).bind(*mark.args, **mark.kwargs)  # its complaints name no function
    return read(*bound.args, **bound.kwargs)


@contextmanager
def _blaming(mark: pytest.Mark) -> Generator[None]:
    """Tell what is wrong with a marker in one line that shows it."""
    try:
        yield
    except (TypeError, ValueError) as error:
        given = [*map(repr, mark.args), *(f"{name}={each!r}" for name, each in mark.kwargs.items())]
        line = f"@pytest.mark.{mark.name}({', '.join(given)}): {error}"
        raise pytest.fail.Exception(line, pytrace=False) from None


def _check_whole(name: str, given: int | None, least: int) -> None:
    if given is None:
        return
    if type(given) is not int:
        raise ValueError(f"{name} is {given!r}; give a whole number")
    if given < least:
        raise ValueError(f"{name} is {given}; give {least} or more")
