"""What an error tells to whom it meets: printed, logged with all locals, pickled, looked into."""

from __future__ import annotations

import io
import pickle
import traceback
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType, ModuleType, TracebackType
from typing import cast

from rich.console import Console
from rich.traceback import Traceback

from scripe import ScripeError
from scripe._core.config import Secret


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error, with all that it came from."""
    found: list[BaseException] = [error]
    for each in found:
        yield each
        came_from = (each.__cause__, each.__context__)
        found += [other for other in came_from if other is not None and other not in found]


def told_by(error: BaseException) -> str:
    """All of it, locals of all frames included: ours, the engine's, the caller's."""
    captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    told = [*traceback.format_exception(error), *captured.format(), _rich(error), *_looked_into(error)]
    return "\n".join(told)


def told_by_our_frames(error: BaseException) -> str:
    """The same, of the frames of this package alone: what passes through the engine shows its frames too."""
    told = _looked_into(error)
    for each in chain(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "/scripe/" in frame.f_code.co_filename and "/emulator/" not in frame.f_code.co_filename:
                told += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
    return "\n".join(told)


def _rich(error: BaseException) -> str:
    printed = Console(file=io.StringIO(), width=400)
    shown = Traceback.from_exception(
        type(error), error, cast("TracebackType", error.__traceback__), show_locals=True,
        locals_max_length=1_000_000, locals_max_string=1_000_000, max_frames=0, width=400,
    )  # fmt: skip
    printed.print(shown)
    return cast("io.StringIO", printed.file).getvalue()


def _looked_into(error: BaseException) -> list[str]:
    told: list[str] = []
    for each in chain(error):
        told += [str(each), repr(each), repr(vars(each)), repr(getattr(each, "__notes__", ""))]
        if isinstance(each, ScripeError):
            told.append(repr(pickle.dumps(each)))
    return told


_BARE = (str, bytes, int, float, type(None), type, ModuleType, FunctionType, Secret)


def reachable(start: object) -> Iterator[object]:
    """All objects that attributes, items and bound arguments lead to; a `Secret` leads nowhere."""
    seen: dict[int, object] = {}
    waiting = [start]
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen[id(each)] = each
            yield each
            waiting += _parts(each)


def _parts(thing: object) -> Iterable[object]:
    if isinstance(thing, _BARE):
        return []
    parts: list[object] = [getattr(thing, name) for name in _slots(thing) if hasattr(thing, name)]
    parts += getattr(thing, "__dict__", {}).values()
    if isinstance(thing, Mapping):
        parts += [*cast("Mapping[object, object]", thing), *cast("Mapping[object, object]", thing).values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        parts += cast("Iterable[object]", thing)
    elif isinstance(thing, MethodType):
        parts.append(thing.__self__)
    elif isinstance(thing, partial):
        parts += [thing.func, *thing.args, *thing.keywords.values()]  # pyright: ignore[reportUnknownMemberType]
    return parts


def _slots(thing: object) -> Iterator[str]:
    for kind in type(thing).__mro__:
        names = vars(kind).get("__slots__", ())
        for name in [names] if isinstance(names, str) else names:
            yield (
                f"_{kind.__name__.lstrip('_')}{name}" if name.startswith("__") and name[-2:] != "__" else name
            )
