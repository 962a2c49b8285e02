"""The docs: each promise links to a test, and every link leads somewhere, also when pages are read as files."""

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
"""Hosts that pages may link to. All other addresses must be examples."""
EXAMPLES = {
    "api.scripe.io",
    "www.linkedin.com",
    "emulator.localhost",
    "example.com",
    "localhost",
    "127.0.0.1",
    "youtu.be",
}


def table_rows() -> list[str]:
    lines = WHAT_HAPPENS_WHEN.read_text().splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith(("| When", "|---"))]


def functions_in(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_row_links_to_a_test() -> None:
    assert len(table_rows()) > 50
    assert [row for row in table_rows() if not TO_A_TEST.search(row)] == []


def test_each_link_leads_to_a_test() -> None:
    links = TO_A_TEST.findall(WHAT_HAPPENS_WHEN.read_text())
    assert links
    for name, target in links:
        assert name in functions_in((WHAT_HAPPENS_WHEN.parent / target).resolve()), target


def test_the_table_of_core_names_each_file() -> None:
    table = (ROOT / "scripe" / "_core" / "__init__.py").read_text()
    files = {path.name for path in (ROOT / "scripe" / "_core").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"^\| `(\w+\.py)` \|", table, re.MULTILINE)) == files


def test_every_contradiction_is_listed_with_what_sdk_and_emulator_do() -> None:
    page = (ROOT / "docs" / "api-facts.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if re.match(r"\| C\d", line)]
    assert [cells[0] for cells in rows] == [f"C{number}" for number in range(1, 33)]
    assert {len(cells) for cells in rows} == {5}
    sources = "".join(path.read_text() for path in (ROOT / "scripe").rglob("*.py"))
    assert set(re.findall(r"\bC\d+\b", sources)) <= {cells[0] for cells in rows}


FROM_AN_INDEX = re.compile(r"pip install [^`\n]*?(?<![/\w.])scripe\b(?!\.)")
"""Matches a command that would fetch whatever an index has under the name `scripe`."""


def test_nothing_says_to_install_scripe_from_an_index() -> None:
    """It is not on an index; a package of that name there would be somebody else's."""
    texts = [*PAGES, *(ROOT / "scripe").rglob("*.py"), *(ROOT / "examples").rglob("*.*")]
    contents = {path: path.read_text(errors="replace") for path in texts}
    assert [path for path, text in contents.items() if FROM_AN_INDEX.search(text)] == []
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
    """Return a page without its blocks of code."""
    return re.sub(r"^ *(`{3,}).*?^ *\1$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a page: their words in lower case, with hyphens between."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(path: Path) -> Iterator[str]:
    for link in map(str, LINK.findall(prose(path))):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        is_elsewhere = bool(urlsplit(link).scheme)
        if not is_elsewhere and not (target.exists() and (not anchor or anchor in anchors(target))):
            yield link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(path: Path) -> None:
    assert list(broken_links(path)) == []


def unknown_addresses(text: str) -> Iterator[str]:
    for address in map(str, URL.findall(text)):
        parts = urlsplit(address)
        host = parts.hostname or ""
        is_example = host in EXAMPLES or host.endswith(".example.com")
        if not is_example and not (host in HOSTS and parts.scheme == "https"):
            yield address


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_addresses_are_well_formed_and_known(path: Path) -> None:
    assert list(unknown_addresses(path.read_text())) == []


def test_unknown_addresses_are_reported() -> None:
    text = "<https://apidocs.scripe.io/api/v1>, http://semver.org and [x](https://elsewhere.org/a_b)"
    assert list(unknown_addresses(text)) == ["http://semver.org", "https://elsewhere.org/a_b"]


def test_broken_links_are_reported(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Its title\n[a](other.md) [b](#its-title) [c](#none) [d](page.md#its-title) [e](https://x.y)\n"
    )
    assert list(broken_links(page)) == ["other.md", "#none"]
