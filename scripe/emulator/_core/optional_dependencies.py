"""Import the packages of the `emulator` extra, and report a missing one in one line."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec

PACKAGES = ("jinja2", "starlette", "uvicorn", "pypdf", "docx", "pptx", "openpyxl", "tinytag")


class MissingExtraError(ImportError):
    """A package of the `emulator` extra is not installed."""


@cache
def find_missing_packages() -> tuple[str, ...]:
    """Return the packages of the extra that are not installed, without loading any."""
    return tuple(name for name in PACKAGES if find_spec(name) is None)


@contextmanager
def require_extra() -> Generator[None]:
    """Raise a MissingExtraError, which names the extra, if an import in the `with` block fails."""
    try:
        yield
    except ImportError as error:
        missing = error.name or str(error)
    else:
        return
    raise MissingExtraError(
        f'{missing} is not installed. Install scripe with the extra "emulator", which adds {missing}.',
        name=missing,
    )
