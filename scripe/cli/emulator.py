"""Run `scripe emulator`, which passes all words on to the command line of `scripe.emulator`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .exit_codes import OTHER, USAGE
from .output import output_error, write_stderr


def run_emulator(arguments: Sequence[str]) -> int:
    """Serve until interrupted; return the exit code."""
    if sys.stdout is None:  # closed before the program began
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - used until the process ends
    from ..emulator.__main__ import CANNOT_START, describe_failure, run_program

    try:
        run_program(arguments, program="scripe emulator")
    except BrokenPipeError as error:
        raise output_error(error) from None
    except ImportError as error:
        write_stderr(f"error: {error}")
        return USAGE
    except CANNOT_START as error:
        write_stderr(f"error: {describe_failure(error)}")
        return OTHER
    except SystemExit as end:  # argparse has written the reason
        return int(end.code or 0)
    return 0
