"""The built site: every call of both clients is in it, its links lead somewhere, and `llms.txt` lists its pages."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import scripe
from scripe import AsyncPager, AsyncScripe, Pager, Scripe, oauth
from scripe.emulator import OAuthControls
from tests.test_surface import RESOURCES, public

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `scripts/docs` does, running its code cells; this does not count as coverage."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", str(folder / "state")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    process = subprocess.run(
        [*command, "docs", str(folder / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert process.returncode == 0, process.stderr
    return folder / "html"


def documented_names(site: Path) -> set[str]:
    """Return the names that the site documents, from its inventory."""
    head, lines = (site / "objects.inv").read_bytes().split(b"zlib.\n", 1)
    assert head.startswith(b"# Sphinx inventory version 2")
    return {line.split(" ")[0] for line in zlib.decompress(lines).decode().splitlines()}


def full_names(resource: object) -> list[str]:
    cls = type(resource)
    return [f"{cls.__module__}.{cls.__name__}.{name}" for name in public(cls)]


def test_every_call_of_both_clients_is_in_the_reference(site: Path) -> None:
    names = documented_names(site)
    for client in (Scripe("scripe_sk_test_x"), AsyncScripe("scripe_sk_test_x")):
        wanted = [f"scripe.{type(client).__name__}.{name}" for name in public(type(client))]
        wanted += [name for resource in RESOURCES for name in full_names(getattr(client, resource))]
        assert [name for name in wanted if name not in names] == []


def test_every_name_for_oauth_is_in_the_reference(site: Path) -> None:
    names = documented_names(site)
    ours: list[str] = vars(oauth)["__getattr__"]("__all__")
    assert [name for name in ours if f"scripe.oauth.{name}" not in names] == []
    controls = [f"scripe.emulator.OAuthControls.{name}" for name in public(OAuthControls)]
    assert [name for name in controls if name not in names] == []
    members = [f"scripe.oauth.OAuthApp.{name}" for name in public(oauth.OAuthApp)]
    assert [name for name in members if name not in names] == []
    assert "scripe.testing.check_token_store" in names


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    names = documented_names(site)
    for name in [name for name in dir(scripe) if not name.startswith("_")]:
        value = getattr(scripe, name)
        if inspect.isclass(value):
            assert f"{value.__module__}.{name}" in names or f"scripe.{name}" in names, name
    for pager in (Pager, AsyncPager):
        assert [name for name in public(pager) if f"scripe.{pager.__name__}.{name}" not in names] == []


class Page(HTMLParser):
    """The links of a page, and the ids in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.ids.add(attributes.get("id") or "")
        if tag == "a" and attributes.get("href"):
            self.links.append(str(attributes["href"]))


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 20
    dead: list[str] = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = pages.get(target)
            anchor = unquote(parts.fragment)
            if not parts.scheme and not (
                target.exists() and (not anchor or not there or anchor in there.ids)
            ):
                dead.append(f"{path.relative_to(site.resolve())}: {link}")
    assert dead == []


LISTED = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<link>[^)]+)\): (?P<note>.+)$", re.MULTILINE)


def test_llms_txt_lists_every_page_in_the_form_of_llmstxt_org(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    title, quotation = [line for line in text.splitlines() if line][:2]
    assert title == "# scripe"
    assert quotation.startswith("> Python SDK for the Scripe API v1")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Start here", "Guides", "Notebooks", "Reference"]
    pages = {
        str(path.relative_to(ROOT / "docs").with_suffix(".html"))
        for pattern in ("*.md", "*.notebook")
        for path in (ROOT / "docs").rglob(pattern)
    }
    listed = LISTED.findall(text)
    assert sorted(link for _, link, _ in listed) == sorted(pages - {"index.html"})
    assert [link for _, link, note in listed if not (site / link).exists() or len(note) < 20] == []


def test_llms_full_txt_holds_every_page(site: Path) -> None:
    text = (site / "llms-full.txt").read_text(encoding="utf-8")
    links = [link for _, link, _ in LISTED.findall((site / "llms.txt").read_text(encoding="utf-8"))]
    assert re.findall(r"^<!-- (\S+) -->$", text, re.MULTILINE) == ["index.html", *links]
    assert "async generate_and_wait(" in text
    assert "client.sources.ingest(" in text
