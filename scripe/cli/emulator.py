"""`scripe emulator`: the command line of `scripe.emulator` has it all, and gets all words as they are."""

from __future__ import annotations

from collections.abc import Sequence

from .exit_codes import OTHER, USAGE
from .output import note


def run_emulator(arguments: Sequence[str]) -> int:
    """Serve until interrupted; give back the exit code."""
    try:
        from ..emulator.__main__ import run

        run(arguments, program="scripe emulator")
    except ImportError as error:
        note(f"error: {error}")
        return USAGE
    except OSError as error:
        note(f"error: The emulator cannot start: {error.strerror or error}.")
        return OTHER
    except SystemExit as end:  # argparse has said why
        return int(end.code or 0)
    return 0
