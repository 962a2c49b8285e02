"""Write `llms.txt`, an index of the pages for language models, and `llms-full.txt`, their text in one file.

The format is that of https://llmstxt.org: a title, a summary as a quotation, then lists of links, each with a note. The
sections are the captions of the root page's tables of contents. A note is the first sentence of a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import toctree
from sphinx.application import Sphinx
from sphinx.builders.text import TextBuilder
from sphinx.writers.text import TextTranslator

SUMMARY = (
    "Python SDK for the Scripe API v1 (https://apidocs.scripe.io/api/v1), which turns recordings, files and notes "
    "into LinkedIn posts: `Scripe` and `AsyncScripe`, with retries that make nothing twice, and a strict local "
    "emulator of the API, `scripe.emulator`, on which all examples run offline. Unofficial, on no package index, and "
    "never yet run against the live API."
)
FIRST_SENTENCE = re.compile(r".+?[.!?…](?=\s|$)", re.DOTALL)


def sections(app: Sphinx) -> Iterator[tuple[str, list[str]]]:
    """Yield the caption of each table of contents with its pages, including the pages below them."""
    for table in app.env.get_doctree(app.config.root_doc).findall(toctree):
        yield (
            table["caption"] or "Start here",
            [page for entry in table["includefiles"] for page in below(app, entry)],
        )


def below(app: Sphinx, page: str) -> Iterator[str]:
    yield page
    for child in app.env.toctree_includes.get(page, ()):
        yield from below(app, child)


def note(app: Sphinx, page: str) -> str:
    paragraph = next(iter(app.env.get_doctree(page).findall(nodes.paragraph)), None)
    text = " ".join(paragraph.astext().split()) if paragraph else ""
    sentence = FIRST_SENTENCE.match(text)
    return sentence.group() if sentence else text


def index(app: Sphinx) -> Iterator[str]:
    yield f"# {app.config.project}\n\n> {SUMMARY}\n\n"
    yield f"Version {app.config.release}. All pages as one text: [llms-full.txt](llms-full.txt).\n"
    for caption, pages in sections(app):
        yield f"\n## {caption}\n\n"
        for page in pages:
            yield f"- [{app.env.titles[page].astext()}]({page}.html): {note(app, page)}\n"


def full(app: Sphinx) -> Iterator[str]:
    text = TextBuilder(app, app.env)
    text.secnumbers = {}
    pages = [app.config.root_doc, *(page for _, listed in sections(app) for page in listed)]
    for page in pages:
        # Resolved for HTML, so that the output of code cells is included.
        document = app.env.get_and_resolve_doctree(page, app.builder)
        translator = TextTranslator(document, text)
        document.walkabout(translator)
        yield f"<!-- {page}.html -->\n\n{translator.body.strip()}\n\n"


def write(app: Sphinx, problem: Exception | None) -> None:
    if problem is None and app.builder.format == "html":
        Path(app.outdir, "llms.txt").write_text("".join(index(app)), encoding="utf-8")
        Path(app.outdir, "llms-full.txt").write_text("".join(full(app)), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
