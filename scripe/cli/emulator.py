"""`scripe emulator`: the command line of `scripe.emulator` has it all, and gets all words as they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .exit_codes import OTHER, USAGE
from .output import given_up, note


def run_emulator(arguments: Sequence[str]) -> int:
    """Serve until interrupted; give back the exit code."""
    if sys.stdout is None:  # closed before the program began
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process lives
    from ..emulator.__main__ import CANNOT_START, describe_failure, run

    try:
        run(arguments, program="scripe emulator")
    except BrokenPipeError as error:
        raise given_up(error) from None
    except ImportError as error:
        note(f"error: {error}")
        return USAGE
    except CANNOT_START as error:
        note(f"error: {describe_failure(error)}")
        return OTHER
    except SystemExit as end:  # argparse has said why
        return int(end.code or 0)
    return 0
