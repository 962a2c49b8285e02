"""What the docs promise, a test shows: each row of *What happens when…* links to one that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "guides" / "what-happens-when.md"
LINK = re.compile(r"\[`(test_\w+)`\]\(([^)#]+)\)")


def rows() -> list[str]:
    lines = PAGE.read_text().splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith(("| When", "|---"))]


def defined_in(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text()))
    return {each.name for each in found if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_row_links_to_a_test() -> None:
    assert len(rows()) > 50
    assert [row for row in rows() if not LINK.search(row)] == []


def test_each_link_leads_to_a_test() -> None:
    links = LINK.findall(PAGE.read_text())
    assert links
    for name, target in links:
        assert name in defined_in((PAGE.parent / target).resolve()), target
