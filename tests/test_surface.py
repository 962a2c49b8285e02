"""The public surface: the two clients differ in nothing but `async`, and everything public is documented."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import typing
from pathlib import Path

import pandas as pd
import pytest

import scripe
from scripe import AsyncPager, AsyncScripe, Pager, Scripe
from scripe.emulator import Emulator

RESOURCES = [
    "health",
    "jobs",
    "knowledge",
    "notes",
    "post_statuses",
    "posts",
    "projects",
    "sources",
    "uploads",
    "webhook_endpoints",
    "workspaces",
]


def public(kind: type) -> dict[str, object]:
    return {name: value for name, value in inspect.getmembers(kind) if not name.startswith("_")}


def pairs() -> list[tuple[type, type]]:
    sync, asynchronous = Scripe("scripe_sk_test_x"), AsyncScripe("scripe_sk_test_x")
    resources: list[tuple[type, type]] = [
        (type(getattr(sync, name)), type(getattr(asynchronous, name))) for name in RESOURCES
    ]
    return [(Scripe, AsyncScripe), (Pager, AsyncPager), *resources]


def plain(signature: inspect.Signature) -> str:
    text = str(signature).replace("AsyncIterator", "Iterator").replace("AsyncPager", "Pager")
    return re.sub(r"Async(\w)", r"\1", text)


@pytest.mark.parametrize(("sync", "asynchronous"), pairs())
def test_both_clients_have_the_same_names_and_signatures(sync: type, asynchronous: type) -> None:
    ours, theirs = public(sync), public(asynchronous)
    assert list(ours) == list(theirs)
    for name, member in ours.items():
        if inspect.isfunction(member):
            twin = theirs[name]
            assert inspect.isfunction(twin)
            assert plain(inspect.signature(member)) == plain(inspect.signature(twin))


@pytest.mark.parametrize(("sync", "asynchronous"), pairs())
def test_everything_public_is_documented(sync: type, asynchronous: type) -> None:
    for kind in (sync, asynchronous):
        assert kind.__doc__
        for name, member in public(kind).items():
            assert inspect.getdoc(member), f"{kind.__name__}.{name}"


def annotated() -> dict[str, object]:
    """All that is public and has annotations: classes, their functions, and what their properties call."""
    clients = [kind for pair in pairs() for kind in pair]
    exported = [
        getattr(module, name) for module in (scripe, scripe.errors, scripe.types) for name in dir(module)
    ]
    classes = {kind for kind in (*clients, *exported, Emulator) if inspect.isclass(kind)}
    members = [
        (f"{kind.__module__}.{kind.__qualname__}.{name}", inspect.getattr_static(kind, name))
        for kind in classes
        for name in dir(kind)
        if not name.startswith("__") or name == "__init__"
    ]
    functions = [
        (label, member.fget if isinstance(member, property) else member) for label, member in members
    ]
    ours = [
        (label, member)
        for label, member in functions
        if inspect.isfunction(member) and member.__module__.startswith("scripe")
    ]
    return {**dict(ours), **{f"{kind.__module__}.{kind.__qualname__}": kind for kind in classes}}


ANNOTATED = annotated()


@pytest.mark.parametrize("name", sorted(ANNOTATED))
def test_every_annotation_can_be_resolved(name: str) -> None:
    """Frameworks ask for them, such as FastAPI of a dependency."""
    typing.get_type_hints(ANNOTATED[name])


def test_what_an_annotation_names_is_what_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    projects = inspect.getattr_static(Scripe, "projects")
    assert isinstance(projects, property)
    assert typing.get_type_hints(projects.fget)["return"] is type(Scripe("scripe_sk_test_x").projects)
    assert typing.get_type_hints(ANNOTATED["scripe.Pager.to_pandas"])["return"] is pd.DataFrame
    monkeypatch.setitem(sys.modules, "polars", None)
    assert typing.get_type_hints(ANNOTATED["scripe.Pager.to_polars"])["return"] is object


def test_models_errors_and_the_emulator_are_documented() -> None:
    for name in dir(scripe):
        value = getattr(scripe, name)
        if inspect.isclass(value) and not name.startswith("_"):
            assert value.__doc__, name
    for name, member in public(Emulator).items():
        assert inspect.getdoc(member), name


def test_no_docstring_of_the_sync_client_speaks_of_awaiting() -> None:
    for sync, _ in pairs():
        for member in public(sync).values():
            text = inspect.getdoc(member) or ""
            assert not re.search(r"\bawait|async", text), text


QUESTION_WORDS = ("What", "Whether", "Where", "Who", "Whom", "How", "Why")


def documented() -> dict[str, str]:
    """Name each function and class of the package with its docstring."""
    package = Path(scripe.__file__).parent
    docstrings: dict[str, str] = {}
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{path.relative_to(package)}:{node.lineno} {node.name}"
                docstrings[name] = ast.get_docstring(node) or ""
    return docstrings


def test_no_docstring_begins_with_a_question_word() -> None:
    assert [name for name, text in documented().items() if text.startswith(QUESTION_WORDS)] == []
