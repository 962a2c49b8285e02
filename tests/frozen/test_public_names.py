"""Freeze the public names: what each module exports, and the members of public classes with their signatures."""

from __future__ import annotations

import dataclasses
import dis
import inspect
import re
import types
from abc import ABC
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib import import_module
from typing import Any, Generic, Literal, Union, cast, get_args, get_origin, get_overloads

import pytest
from pydantic.fields import FieldInfo

from scripe import Scripe

from . import compare

MODULES = ["scripe.types", "scripe.errors", "scripe.emulator", "scripe.otel", "scripe.oauth", "scripe"]
PROTOCOLS = {
    "__init__",
    "__call__",
    "__enter__",
    "__exit__",
    "__iter__",
    "__next__",
    "__len__",
    "__getitem__",
}


class Text:
    """Stands in a signature for an annotation, as it is to be written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def spelled(annotation: Any) -> str:
    """Write an annotation the same way on every Python, whether it is a text or an object, without modules."""
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, list):
        return f"[{', '.join(map(spelled, cast('list[object]', annotation)))}]"
    if annotation in (None, type(None), ...):
        return {None: "None", type(None): "None", ...: "..."}[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " | ".join(map(spelled, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is not None:
        return f"{spelled(origin)}[{', '.join(map(spelled, arguments))}]"
    return str(getattr(annotation, "__forward_arg__", None) or annotation.__name__)


def signature(function: Any) -> str:
    found = inspect.signature(function)
    empty = inspect.Signature.empty
    parameters = [
        each if each.annotation is empty else each.replace(annotation=Text(spelled(each.annotation)))
        for each in found.parameters.values()
    ]
    returned = found.return_annotation
    return str(
        found.replace(
            parameters=parameters, return_annotation=empty if returned is empty else Text(spelled(returned))
        )
    )


def is_public(name: str) -> bool:
    return not name.startswith("_") or name in PROTOCOLS


def own(cls: type) -> dict[str, Any]:
    return dict(vars(cls))


def defaults_of(cls: Any) -> dict[str, object]:
    if dataclasses.is_dataclass(cls):
        return {field.name: field.default for field in dataclasses.fields(cls)}
    models: dict[str, FieldInfo] = cls.model_fields if hasattr(cls, "model_fields") else {}
    optional = {name: field.get_default() for name, field in models.items() if not field.is_required()}
    return optional if models else own(cls)


def fields(cls: type) -> Iterator[tuple[str, str]]:
    """Yield the annotated attributes with their defaults, then those that only `__init__` sets."""
    defaults = defaults_of(cls)
    annotations = inspect.get_annotations(cls)
    for name, annotation in annotations.items():
        if spelled(annotation).startswith("ClassVar"):
            continue
        default = defaults.get(name, ...)
        is_shown = isinstance(default, str | int | float | tuple | list | dict | None)
        text = re.sub(r"Annotated\[(.+?), \w+(\(\w+\))?\]", r"\1", spelled(annotation))
        yield name, f"{name}: {text}{f' = {default!r}' if is_shown else ''}"
    initialise = own(cls).get("__init__")
    if inspect.isfunction(initialise):
        stored = {step.argval for step in dis.get_instructions(initialise) if step.opname == "STORE_ATTR"}
        yield from ((name, f"self.{name}") for name in stored - annotations.keys())


def methods(cls: type) -> Iterator[tuple[str, str]]:
    for name, value in own(cls).items():
        if isinstance(value, property):
            writable = "" if value.fset is None else "  (may be set)"
            yield name, f"{name}{signature(value.fget).removeprefix('(self)')}{writable}"
        elif isinstance(value, cached_property):
            yield name, f"{name}{signature(value.func).removeprefix('(self)')}"
        elif type(value) in (classmethod, staticmethod):
            yield name, f"{type(value).__name__} {name}{signature(value.__func__)}"
        elif inspect.isfunction(value) and not is_made_by_others(cls, name):
            overloads = [f"def {name}{signature(each)}" for each in get_overloads(value)]
            yield name, "\n    ".join(overloads or [f"def {name}{signature(value)}"])


def is_made_by_others(cls: Any, name: str) -> bool:
    """Tell whether this is the `__init__` of a dataclass, or of what only a client makes."""
    return name == "__init__" and (
        dataclasses.is_dataclass(cls) or "sender" in inspect.signature(cls).parameters
    )


def describe_class(label: str, cls: Any, public: set[type]) -> list[str]:
    """List the members of a class with those of its private parents; public parents stand beside its name."""
    private = [each for each in cls.__mro__ if each.__module__.startswith("scripe") and each not in public]
    lines: dict[str, str] = {}
    homes: list[Any] = [*([] if cls in private else [cls]), *private]
    for each in reversed(homes):
        lines.update({name: line for name, line in (*fields(each), *methods(each)) if is_public(name)})
    ignored = {*private, cls, object, Generic, ABC}
    parents = [each for each in cls.__mro__ if each not in ignored]
    inherited = {above for each in parents for above in each.__mro__[1:]}
    nearest = ", ".join(each.__name__ for each in parents if each not in inherited)
    return [f"class {label}({nearest})", *(f"    {line}" for line in sorted(lines.values()))]


def exported(module: types.ModuleType) -> dict[str, object]:
    return {name: getattr(module, name) for name in sorted(module.__all__)}


def errors(module: types.ModuleType) -> dict[str, object]:
    """Name all errors of a module, since callers may catch those too that it does not list."""
    return {
        name: value
        for name, value in sorted(vars(module).items())
        if inspect.isclass(value) and issubclass(value, BaseException) and is_public(name)
    }


def describe_module(name: str, known: dict[object, str], public: set[type]) -> Iterator[str]:
    yield from ("", f"# {name}")
    module = import_module(name)
    for label, value in (errors(module) if name == "scripe.errors" else exported(module)).items():
        if label.startswith("Async"):  # tests/test_surface.py compares it with its twin
            yield label
        elif inspect.isclass(value) and value not in known:
            known[value] = f"{name}.{label}"
            yield from describe_class(label, value, public)
        elif inspect.isclass(value):
            yield f"{label} is {known[value]}"
        elif inspect.isfunction(value):
            yield f"def {label}{signature(value)}"
        else:
            yield f"{label} = {spelled(value)}" if get_args(value) else label


def everything(markers: Iterable[str]) -> Iterator[str]:
    modules = [import_module(name) for name in MODULES]
    exports = [value for each in modules for value in (*exported(each).values(), *errors(each).values())]
    public = {value for value in exports if inspect.isclass(value)}
    known: dict[object, str] = {}
    for name in MODULES:
        yield from describe_module(name, known, public)
    client = Scripe("scripe_sk_test_x")
    for name, value in vars(Scripe).items():
        if isinstance(value, property):
            yield from describe_class(f"Scripe.{name}", getattr(client, name).__class__, public)
    yield from ("", "# scripe.testing")
    yield from sorted(f"marker {each.partition(':')[0]}" for each in markers if each.startswith("scripe_"))
    plugin = vars(import_module("scripe.testing.plugin"))
    fixtures = [name for name, value in plugin.items() if is_public(name) and hasattr(value, "__wrapped__")]
    yield from (f"fixture {name}{signature(plugin[name].__wrapped__)}" for name in sorted(fixtures))


@pytest.fixture(autouse=True)
def violations() -> list[str]:
    """Leave the emulator as it is: elsewhere, each of its requests is held against the description of the API."""
    return []


def test_the_public_names_are_those_that_are_kept(pytestconfig: pytest.Config) -> None:
    compare("public_names.txt", "\n".join(everything(pytestconfig.getini("markers"))))
