"""Read the files of the package that are not Python: the description of the API, and those of the page."""

from importlib.resources import files

DESCRIPTION = "openapi.json"
"""The API in OpenAPI 3.1, kept by hand and formatted by `scripts/openapi.py`."""


class MissingFileError(OSError):
    """A file of the package is missing; the message names it."""


def read_data_file(path: str) -> bytes:
    """Return the bytes of a file below `scripe/emulator`, in a folder or in an archive, or raise a MissingFileError."""
    try:
        return files("scripe.emulator").joinpath(path).read_bytes()
    except (OSError, KeyError):
        raise MissingFileError(
            f"scripe/emulator/{path} is missing from this program; pack the data files of scripe too."
        ) from None
