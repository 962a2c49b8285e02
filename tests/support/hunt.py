"""All text that can be had of an error: printed, with the locals of its frames, pickled, inspected."""

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
    """Return an error with its causes and contexts."""
    errors: list[BaseException] = [error]
    for linked in errors:
        yield linked
        sources = (linked.__cause__, linked.__context__)
        errors += [source for source in sources if source is not None and source not in errors]


def format_error(error: BaseException) -> str:
    """Return all text of an error, with the locals of all frames: ours, the backend's, the caller's."""
    captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    lines = [*traceback.format_exception(error), *captured.format(), _rich(error), *_inspect(error)]
    return "\n".join(lines)


def format_own_frames(error: BaseException) -> str:
    """Return the text of an error, with the locals of this package's frames only."""
    lines = _inspect(error)
    for linked in chain(error):
        for frame, _ in traceback.walk_tb(linked.__traceback__):
            if "/scripe/" in frame.f_code.co_filename and "/emulator/" not in frame.f_code.co_filename:
                lines += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
    return "\n".join(lines)


def _rich(error: BaseException) -> str:
    console = Console(file=io.StringIO(), width=400)
    rendered = Traceback.from_exception(
        type(error), error, cast("TracebackType", error.__traceback__), show_locals=True,
        locals_max_length=1_000_000, locals_max_string=1_000_000, max_frames=0, width=400,
    )  # fmt: skip
    console.print(rendered)
    return cast("io.StringIO", console.file).getvalue()


def _inspect(error: BaseException) -> list[str]:
    lines: list[str] = []
    for linked in chain(error):
        lines += [str(linked), repr(linked), repr(vars(linked)), repr(getattr(linked, "__notes__", ""))]
        if isinstance(linked, ScripeError):
            lines.append(repr(pickle.dumps(linked)))
    return lines


_BARE = (str, bytes, int, float, type(None), type, ModuleType, FunctionType, Secret)


def reachable(start: object) -> Iterator[object]:
    """Return all objects that attributes, items and bound arguments lead to; a `Secret` leads nowhere."""
    visited: dict[int, object] = {}
    pending = [start]
    while pending:
        value = pending.pop()
        if id(value) not in visited:
            visited[id(value)] = value
            yield value
            pending += _parts(value)


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
    for cls in type(thing).__mro__:
        names = vars(cls).get("__slots__", ())
        for name in [names] if isinstance(names, str) else names:
            yield (
                f"_{cls.__name__.lstrip('_')}{name}" if name.startswith("__") and name[-2:] != "__" else name
            )
