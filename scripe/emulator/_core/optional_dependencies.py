"""What the ``emulator`` extra brings is imported late, and its absence told in one line."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec

PACKAGES = ("jinja2", "starlette", "uvicorn", "pypdf", "docx", "pptx", "openpyxl", "tinytag")


class MissingExtraError(ImportError):
    """A package of the ``emulator`` extra is not installed."""


@cache
def missing_packages() -> tuple[str, ...]:
    """The packages of the extra that are not installed; none is loaded to find out."""
    return tuple(name for name in PACKAGES if find_spec(name) is None)


@contextmanager
def require_extra() -> Generator[None]:
    """Wrap the import of an optional package.

    Raises:
        MissingExtraError: the package is not there; the message names the extra that brings it.

    """
    absent = None
    try:
        yield
    except ImportError as error:
        absent = error.name or str(error)
    if absent is not None:
        raise MissingExtraError(
            f'{absent} is missing: install the extra "emulator" of scripe (it brings {absent})', name=absent
        )
