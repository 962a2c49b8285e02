"""What the docs promise, a test shows; and what they link to is there, also when read as files, as on GitHub."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[1]
WHAT_HAPPENS_WHEN = ROOT / "docs" / "guides" / "what-happens-when.md"
TO_A_TEST = re.compile(r"\[`(test_\w+)`\]\(([^)#]+)\)")

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
URL = re.compile(r"https?://[^\s`<>\"')\]|,;]+")
HOSTS = {"apidocs.scripe.io", "rich.readthedocs.io", "semver.org"}
"""Hosts that pages may send their readers to. All else is an example of an address."""
EXAMPLES = {
    "api.scripe.io",
    "www.linkedin.com",
    "emulator.localhost",
    "example.com",
    "localhost",
    "127.0.0.1",
    "youtu.be",
}


def rows() -> list[str]:
    lines = WHAT_HAPPENS_WHEN.read_text().splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith(("| When", "|---"))]


def defined_in(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text()))
    return {each.name for each in found if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_row_links_to_a_test() -> None:
    assert len(rows()) > 50
    assert [row for row in rows() if not TO_A_TEST.search(row)] == []


def test_each_link_leads_to_a_test() -> None:
    links = TO_A_TEST.findall(WHAT_HAPPENS_WHEN.read_text())
    assert links
    for name, target in links:
        assert name in defined_in((WHAT_HAPPENS_WHEN.parent / target).resolve()), target


def test_the_table_of_core_names_each_file() -> None:
    table = (ROOT / "scripe" / "_core" / "__init__.py").read_text()
    files = {path.name for path in (ROOT / "scripe" / "_core").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"^\| `(\w+\.py)` \|", table, re.MULTILINE)) == files


def test_every_contradiction_is_told_with_what_the_sdk_and_the_emulator_do() -> None:
    page = (ROOT / "docs" / "api-facts.md").read_text()
    told = [line.strip("| ").split(" | ") for line in page.splitlines() if re.match(r"\| C\d", line)]
    assert [cells[0] for cells in told] == [f"C{number}" for number in range(1, 33)]
    assert {len(cells) for cells in told} == {4}
    sources = "".join(path.read_text() for path in (ROOT / "scripe").rglob("*.py"))
    assert set(re.findall(r"\bC\d+\b", sources)) <= {cells[0] for cells in told}


FROM_AN_INDEX = re.compile(r"pip install [^`\n]*?(?<![/\w.])scripe\b(?!\.)")
"""A command that would fetch whatever an index has under the name `scripe`."""


def test_nothing_says_to_install_scripe_from_an_index() -> None:
    """It is on none: one day somebody else's package may be."""
    texts = [*PAGES, *(ROOT / "scripe").rglob("*.py"), *(ROOT / "examples").rglob("*.*")]
    shown = {path: path.read_text(errors="replace") for path in texts}
    assert [path for path, text in shown.items() if FROM_AN_INDEX.search(text)] == []
    for command in ('pip install "scripe[testing]"', "pip install scripe", "pip install -U scripe"):
        assert FROM_AN_INDEX.search(command)
    assert not FROM_AN_INDEX.search('pip install "/path/to/clone[testing]"` of scripe')


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_first_page_states_the_status(page: str) -> None:
    head = " ".join((ROOT / page).read_text().split("\n##")[0].split())
    assert "**Status: unofficial, version 0.1, never yet run against the live API.**" in head
    assert "api-facts.md)" in head


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_first_program_of_the_first_page_makes_a_post(page: str) -> None:
    program = (ROOT / page).read_text().split("```python\n")[1].partition("```")[0]
    assert program.count("\n") <= 8
    assert "generate_and_wait(" in program
    assert "print(post.content)" in program


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *(`{3,}).*?^ *\1$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """What the headings of a page can be linked by: their words in lower case, with hyphens between."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(path: Path) -> Iterator[str]:
    for link in map(str, LINK.findall(prose(path))):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        is_elsewhere = bool(urlsplit(link).scheme)
        if not is_elsewhere and not (target.exists() and (not anchor or anchor in anchors(target))):
            yield link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(path: Path) -> None:
    assert list(broken(path)) == []


def strange(text: str) -> Iterator[str]:
    for address in map(str, URL.findall(text)):
        parts = urlsplit(address)
        host = parts.hostname or ""
        is_example = host in EXAMPLES or host.endswith(".example.com")
        if not is_example and not (host in HOSTS and parts.scheme == "https"):
            yield address


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_addresses_are_well_formed_and_known(path: Path) -> None:
    assert list(strange(path.read_text())) == []


def test_strange_addresses_are_found() -> None:
    text = "<https://apidocs.scripe.io/api/v1>, http://semver.org and [x](https://elsewhere.org/a_b)"
    assert list(strange(text)) == ["http://semver.org", "https://elsewhere.org/a_b"]


def test_links_are_found_broken(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Its title\n[a](other.md) [b](#its-title) [c](#none) [d](page.md#its-title) [e](https://x.y)\n"
    )
    assert list(broken(page)) == ["other.md", "#none"]
