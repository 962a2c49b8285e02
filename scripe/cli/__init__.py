"""The command line: `scripe`, or `python -m scripe` (extra `cli`).

What needs no command is answered here, before anything that takes long to load is loaded: the page of all commands,
kept as `help.txt` and written by `scripts/help_page.py`, and the version.
"""

from __future__ import annotations

import os
import sys

from .output import CLOSED, ClosedOutputError, UnwritableOutputError, emit, note, wait_for_room

TYPE_CHECKING = False  # as in `scripe/__init__.py`

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
OTHER = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        arguments: What follows the program's name; those of the process if left out.

    Returns:
        The exit code: 0 if it worked; `scripe/cli/exit_codes.py` has the others.

    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = wait_for_room(sys.stdout), wait_for_room(sys.stderr)
    try:
        return _answered(tokens)
    except ClosedOutputError:
        return CLOSED
    except UnwritableOutputError as error:
        note(f"error: {error}")
        return OTHER
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: whatever has not been foreseen
        return _report(error, tokens)
    finally:
        sys.stdout, sys.stderr = streams


def _answered(tokens: list[str]) -> int:
    if tokens in ([], ["--help"], ["-h"], ["help"]):
        emit(help_page())
    elif tokens == ["--version"]:
        emit(_version())
    else:
        from .dispatch import run

        return run(tokens)
    return 0


def _report(error: Exception, tokens: Sequence[str]) -> int:
    try:
        from .error_output import report_fault
    except Exception:  # noqa: BLE001 - a part of scripe, or of what it needs, is missing or broken
        note(f"error: {type(error).__name__}: {error}. scripe is not installed as a whole: install it again.")
        return OTHER
    return report_fault(error, tokens)


def help_page() -> str:
    """All commands on one page."""
    with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as page:  # noqa: PTH118, PTH120, PTH123 - pathlib takes longer to load than all else here
        return page.read()


def _version() -> str:
    from .._version import __version__

    return f"scripe {__version__}\n"
