"""Files of the package that are not Python: the description of the API, and what the page is made of."""

from importlib.resources import files

DESCRIPTION = "openapi.json"
"""The API in OpenAPI 3.1, kept by hand and formatted by `scripts/openapi.py`."""


class MissingFileError(OSError):
    """A file of the package is not there; the message names it."""


def read_data_file(path: str) -> bytes:
    """Return what a file below this folder holds; the package may be a folder or an archive.

    Raises:
        MissingFileError: it is not there.

    """
    try:
        return files("scripe.emulator").joinpath(path).read_bytes()
    except (OSError, KeyError):
        raise MissingFileError(
            f"scripe/emulator/{path} is missing from this program; pack the data files of scripe too."
        ) from None
