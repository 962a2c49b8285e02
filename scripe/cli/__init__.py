"""The command line: `scripe`, or `python -m scripe` (extra `cli`).

The page of all commands (`help.txt`, written by `scripts/help_page.py`) and the version are shown from here, before
anything that is slow to load is imported.
"""

from __future__ import annotations

import os
import sys

from .output import (
    CLOSED,
    ClosedOutputError,
    UnwritableOutputError,
    wait_for_room,
    write_stderr,
    write_stdout,
)

TYPE_CHECKING = False  # as in `scripe/__init__.py`

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
OTHER = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process; return the exit code (`exit_codes.py` lists them)."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = wait_for_room(sys.stdout), wait_for_room(sys.stderr)
    try:
        return _run(tokens)
    except ClosedOutputError:
        return CLOSED
    except UnwritableOutputError as error:
        write_stderr(f"error: {error}")
        return OTHER
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a bug of scripe, which is reported in one line
        return _report_bug(error, tokens)
    finally:
        sys.stdout, sys.stderr = streams


def _run(tokens: list[str]) -> int:
    if tokens in ([], ["--help"], ["-h"], ["help"]):
        write_stdout(help_page())
    elif tokens == ["--version"]:
        from .._version import __version__

        write_stdout(f"scripe {__version__}\n")
    else:
        from .dispatch import dispatch

        return dispatch(tokens)
    return 0


def _report_bug(error: Exception, tokens: Sequence[str]) -> int:
    try:
        from .error_output import report_bug
    except Exception:  # noqa: BLE001 - a module of scripe, or one that it needs, is missing or broken
        message = (
            f"{type(error).__name__}: {error}. The installation of scripe is incomplete: install it again."
        )
        write_stderr(f"error: {message}")
        return OTHER
    return report_bug(error, tokens)


def help_page() -> str:
    """Read the page of all commands."""
    with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as page:  # noqa: PTH118, PTH120, PTH123 - pathlib takes longer to load than all else here
        return page.read()
