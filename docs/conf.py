"""How the documentation is built: `sphinx-build -W --keep-going -b html docs docs/_build/html`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.util.inspect import TypeAliasForwardRef
from sphinx.util.typing import stringify_annotation

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # `nb_custom_formats` imports from this file
sys.path.insert(0, str(HERE.parent))

from scripe import __version__, _http, types  # noqa: E402

# At run time these two are `object`, and would be shown so.
for each in ("HTTPClient", "AsyncHTTPClient"):
    setattr(_http, each, type(each, (), {"__module__": "httpx"}))

# Autodoc writes into the annotations of classes that it describes, and pydantic reads them when it makes a
# subclass: so all models are made before it begins.
for each in dir(types):
    getattr(types, each)

project = "scripe"
release = version = __version__
html_title = f"scripe {release}"
html_theme = "furo"
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["scripe.css"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "llms_txt"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Every code cell is run, against the emulator in the same process; one that fails fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 30
nb_merge_streams = True
nb_custom_formats = {".notebook": "conf.linked_notebook"}

default_role = "code"
add_module_names = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_default_options = {"exclude-members": "model_config"}
autodoc_type_aliases = {"JSON": "JSON", "JSONInput": "JSONInput"}
TypeAliasForwardRef.__repr__ = lambda self: self.name  # type: ignore[method-assign] # how a property's is shown
toc_object_entries_show_parents = "hide"

# Every type and error that a docstring or a signature names must be one that these pages describe. What is left out:
# other people's, type variables, and names that stand for what an argument's own text describes.
nitpicky = True
nitpick_ignore_regex = [
    ("py:class", r"(collections\.abc|datetime|os|pathlib|pydantic\.types)\..+"),
    ("py:class", r"(.+\.)?T"),
    ("py:class", r"JSON|JSONInput|Json|Scope|(pandas|polars)(\..+)?\.DataFrame|p[dl]\.DataFrame"),
    ("py:class", r"httpx\.(Async)?HTTPClient"),
    ("py:class", r"scripe\._files\.(Readable|Uploaded|Wrapped)File"),
    (
        "py:class",
        r"(.+\.)?((Async)?(Callback|KeySource)|Client|ClientOptions|Server|Transport|(Tracer|Meter)Provider)",
    ),
    ("py:exc", r"S3Error|MissingExtraError"),
]


def linked_notebook(text: str) -> nbformat.NotebookNode:
    """The notebook whose path, from this folder, is all that a `.notebook` file holds."""
    return nbformat.read(HERE / text.strip(), as_version=4)


# Handlers of autodoc's events, which pass everything by position.


def without_constructor(
    _app: Sphinx,
    what: str,
    name: str,
    thing: object,
    _options: object,
    _signature: str | None,
    returns: str | None,
) -> tuple[str, str | None] | None:
    """Leave out how an object is made that only the library makes: models, errors, resources, pagers."""
    if what == "exception" or (isinstance(thing, type) and (issubclass(thing, BaseModel) or _is_inner(name))):
        return "", returns
    return None


def _is_inner(name: str) -> bool:
    return name.startswith(("scripe._sync.", "scripe._async.")) or name.endswith("Pager")


def without_inherited_of_others(
    _app: Sphinx, _what: str, _name: str, thing: object, _skip: object, _options: object
) -> bool | None:
    """Leave out what a class has from `dict` or `Mapping`: Python's own documentation has that."""
    home = getattr(thing, "__objclass__", thing)
    return True if getattr(home, "__module__", "") in ("builtins", "collections.abc") else None


def before_napoleon(
    _app: Sphinx, what: str, name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Leave out the heads of modules: pages have their own."""
    if what == "module" and name != "scripe.emulator":
        lines.clear()


def after_napoleon(
    _app: Sphinx, _what: str, _name: str, thing: object, _options: object, lines: list[str]
) -> None:
    """Name the fields of a model that its docstring leaves out."""
    if not (isinstance(thing, type) and issubclass(thing, BaseModel)):
        return
    for field, about in thing.model_fields.items():
        if field in thing.__annotations__ and not any(line.startswith(f":ivar {field}:") for line in lines):
            shown = stringify_annotation(about.annotation, "smart").replace("~", "")
            lines += [f":ivar {field}:", f":vartype {field}: {shown.replace('scripe.types.', '')}"]
    lines[:] = [line.replace("AwareDatetime | NaiveDatetime", "datetime") for line in lines]
    for prefix in ("datetime.datetime", "scripe.types.page.T"):
        lines[:] = [line.replace(prefix, prefix.rpartition(".")[2]) for line in lines]
    lines.append("")


INLINE_CODE = re.compile(r'(?<=<span class="pre">)[^<]{20,}(?=</span></code>)')


def with_places_to_break(
    _app: Sphinx, _page: str, _template: str, context: dict[str, object], _document: object
) -> None:
    """Let long names break after a dot or an underscore; else tables would be wider than the page."""
    if body := context.get("body"):
        context["body"] = INLINE_CODE.sub(
            lambda code: re.sub(r"[._](?=\w)", r"\g<0><wbr>", code[0]), str(body)
        )


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", before_napoleon, priority=400)
    app.connect("autodoc-process-docstring", after_napoleon, priority=600)
    app.connect("autodoc-process-signature", without_constructor)
    app.connect("html-page-context", with_places_to_break)
    app.connect("autodoc-skip-member", without_inherited_of_others)
