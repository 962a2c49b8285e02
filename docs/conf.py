"""Configure the build of the documentation: `sphinx-build -W --keep-going -b html docs docs/_build/html`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FunctionType

import nbformat
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.util.inspect import TypeAliasForwardRef
from sphinx.util.typing import stringify_annotation

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # `nb_custom_formats` imports from this file
sys.path.insert(0, str(HERE.parent))

import scripe  # noqa: E402
from scripe import __version__, _http, oauth, types  # noqa: E402

# At run time these two are `object`, and would be documented as that.
for name in ("HTTPClient", "AsyncHTTPClient"):
    setattr(_http, name, type(name, (), {"__module__": "httpx"}))

# Autodoc changes the annotations of the classes that it describes, and pydantic reads them when it makes a subclass.
# So all models are made before autodoc begins.
for name in dir(types):
    getattr(types, name)

# Public classes name the package as their module. Autodoc needs the module that defines them, which their methods know.
for value in [getattr(package, name) for package in (scripe, oauth) for name in dir(package)]:
    if isinstance(value, type) and value.__module__ in ("scripe", "scripe.oauth"):
        value.__module__ = next(
            part.__module__ for part in vars(value).values() if isinstance(part, FunctionType)
        )

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

# Every code cell is run, against the emulator in the same process; a cell that fails fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 30
nb_merge_streams = True
nb_custom_formats = {".notebook": "conf.read_linked_notebook"}

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

# Every type and error that a docstring or a signature names must be described on these pages. Exceptions: types of
# other packages, type variables, and names of types that the text of an argument describes.
nitpicky = True
nitpick_ignore_regex = [
    ("py:class", r"(collections\.abc|contextlib|datetime|os|pathlib|pydantic\.types|sqlalchemy)\..+"),
    ("py:class", r"(.+\.)?T"),
    ("py:class", r"JSON|JSONInput|Json|Scope|(pandas|polars)(\..+)?\.DataFrame|p[dl]\.DataFrame"),
    ("py:class", r"httpx\.(Async)?HTTPClient"),
    ("py:class", r"scripe\._files\.(Readable|Uploaded|Wrapped)File"),
    (
        "py:class",
        r"(.+\.)?((Async)?(Auth|Callback|KeySource)|Client|ClientOptions|Server|InProcessTransport|(Tracer|Meter)Provider)",
    ),
    ("py:exc", r"S3Error|MissingExtraError"),
]


def read_linked_notebook(text: str) -> nbformat.NotebookNode:
    """Read the notebook whose path, relative to this folder, is the content of a `.notebook` file."""
    return nbformat.read(HERE / text.strip(), as_version=4)


# Handlers of autodoc's events, which pass all arguments by position.


def omit_constructor(
    _app: Sphinx,
    what: str,
    name: str,
    thing: object,
    _options: object,
    _signature: str | None,
    returns: str | None,
) -> tuple[str, str | None] | None:
    """Omit the constructors of objects that only the library makes: models, errors, resources, pagers."""
    if what == "exception" or (isinstance(thing, type) and (issubclass(thing, BaseModel) or _is_inner(name))):
        return "", returns
    return None


RETURNED = ("AuthorizationRequest", "Credentials", "Login", "Registration", "Revocation")


def _is_inner(name: str) -> bool:
    return name.startswith(("scripe._sync.", "scripe._async.")) or name.endswith(("Pager", *RETURNED))


def omit_inherited_members(
    _app: Sphinx, _what: str, _name: str, thing: object, _skip: object, _options: object
) -> bool | None:
    """Omit what a class inherits from `dict` or `Mapping`: Python's own documentation has that."""
    defining_class = getattr(thing, "__objclass__", thing)
    return True if getattr(defining_class, "__module__", "") in ("builtins", "collections.abc") else None


def omit_module_docstring(
    _app: Sphinx, what: str, name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Omit the docstrings of modules: the pages have their own introductions."""
    if what == "module" and name != "scripe.emulator":
        lines.clear()


COLON = "\ue000"


def hide_colon(
    _app: Sphinx, what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Keep napoleon from reading the first line of an attribute, such as "Webhook endpoints: …", as its type."""
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(": ", f"{COLON} ")


def restore_colon(
    _app: Sphinx, _what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Put back the colon that `hide_colon` has replaced."""
    lines[:] = [line.replace(COLON, ":") for line in lines]


def add_missing_fields(
    _app: Sphinx, _what: str, _name: str, thing: object, _options: object, lines: list[str]
) -> None:
    """Add the fields of a model that its docstring omits."""
    if not (isinstance(thing, type) and issubclass(thing, BaseModel)):
        return
    for field, info in thing.model_fields.items():
        if field in thing.__annotations__ and not any(line.startswith(f":ivar {field}:") for line in lines):
            annotation = stringify_annotation(info.annotation, "smart").replace("~", "")
            lines += [f":ivar {field}:", f":vartype {field}: {annotation.replace('scripe.types.', '')}"]
    lines[:] = [line.replace("AwareDatetime | NaiveDatetime", "datetime") for line in lines]
    for prefix in ("datetime.datetime", "scripe.types.page.T"):
        lines[:] = [line.replace(prefix, prefix.rpartition(".")[2]) for line in lines]
    lines.append("")


INLINE_CODE = re.compile(r'(?<=<span class="pre">)[^<]{20,}(?=</span></code>)')


def add_line_breaks(
    _app: Sphinx, _page: str, _template: str, context: dict[str, object], _document: object
) -> None:
    """Let long names break after a dot or an underscore: otherwise tables would be wider than the page."""
    if body := context.get("body"):
        context["body"] = INLINE_CODE.sub(
            lambda code: re.sub(r"[._](?=\w)", r"\g<0><wbr>", code[0]), str(body)
        )


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", omit_module_docstring, priority=400)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)
    app.connect("autodoc-process-docstring", restore_colon, priority=600)
    app.connect("autodoc-process-docstring", add_missing_fields, priority=600)
    app.connect("autodoc-process-signature", omit_constructor)
    app.connect("html-page-context", add_line_breaks)
    app.connect("autodoc-skip-member", omit_inherited_members)
