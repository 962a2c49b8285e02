"""Run `python -m scripe.emulator`: serve the emulator until Ctrl-C or SIGTERM."""

import argparse
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .._core.config import is_loopback
from . import Emulator
from ._core.data_files import DESCRIPTION, read_data_file
from ._core.optional_dependencies import MissingExtraError
from ._core.settings import PLANS

if TYPE_CHECKING:
    from . import Server

FOREVER = threading.Event()
CANNOT_START = (OSError, sqlite3.Error)
"""Raised by a port, a folder or a database that cannot be opened."""
PROGRAM = "python -m scripe.emulator"


def run_program(arguments: Sequence[str] | None = None, *, program: str = PROGRAM) -> None:
    """Serve until Ctrl-C or SIGTERM, as the only task of this process.

    Args:
        arguments: Those of the command line unless given.
        program: The name of the command in its help.

    """
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has started it with both ignored
        signal.signal(number, signal.default_int_handler)
    main(arguments, program=program)


def main(
    arguments: Sequence[str] | None = None,
    *,
    wait: Callable[[], object] = FOREVER.wait,
    program: str = PROGRAM,
) -> None:
    """Serve until interrupted, or print the API's description.

    Args:
        arguments: Those of the command line unless given.
        wait: Returns, or raises KeyboardInterrupt, when it is time to stop.
        program: The name of the command in its help.

    """
    options = _parser(program).parse_args(arguments)
    if options.openapi:
        sys.stdout.buffer.write(read_data_file(DESCRIPTION))
        return
    with (
        Emulator(
            _database(options.data),
            job_speed=options.speed,
            shared_limit=options.shared_limit,
            rate_window=options.rate_window,
            job_retention=options.job_retention,
            cors_origins=tuple(options.cors_origin),
        ) as emulator,
        emulator.serve(options.port, options.host) as server,
    ):
        if options.plan:
            emulator.set_plan(options.plan)
        with suppress(KeyboardInterrupt):
            sys.stdout.write(f"export SCRIPE_BASE_URL={quote(server.base_url)}\n")
            sys.stdout.write(f"export SCRIPE_API_KEY={server.api_key}\n")
            sys.stdout.write(f"# Watch it in a browser: {server.page_url}\n")
            sys.stdout.write(_remote_hint(options.host, server))
            sys.stdout.flush()
            wait()


def _remote_hint(host: str, server: "Server") -> str:
    """Say what clients need if the emulator listens on an address other than the loopback."""
    if is_loopback(host):
        return ""
    needs = "pass --allow-insecure to scripe, or allow_insecure=True in Python, since it is plain http"
    url = urlsplit(server.base_url)
    if is_loopback(url.hostname or ""):
        return (
            f"# From other machines use http://ADDRESS:{url.port}/v1 with an address of this one; {needs}.\n"
        )
    return f"# For this address {needs}.\n"


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(program, description="Run a Scripe API on this machine, for tests.")
    parser.add_argument(
        "--port", type=_port, default=8787, help="the port to listen on; 0 for any free one (8787)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--data", type=Path, help="keep all data in this folder (none is kept)")
    parser.add_argument(
        "--speed", type=_speed, default=1.0, help="make jobs this many times faster; 0 stops them (1)"
    )
    parser.add_argument("--plan", choices=PLANS, help="the workspace's plan (BUSINESS)")
    parser.add_argument(
        "--shared-limit",
        type=_limit,
        help="allow this many requests of all kinds together (each kind has a limit of its own)",
    )
    parser.add_argument(
        "--rate-window", type=_positive, default=60.0, help="count requests for this many seconds (60)"
    )
    parser.add_argument(
        "--job-retention", type=_positive, help="show jobs for this many days after their creation (forever)"
    )
    parser.add_argument(
        "--cors-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let web pages of this origin call the API, * for all; may be repeated",
    )
    parser.add_argument("--openapi", action="store_true", help="print the OpenAPI description and exit")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(
            f"{text} is not a port; give a number up to 65535, or 0 for any free one"
        )
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _speed(text: str) -> float:
    speed = _number(text)
    if not 0 <= speed < float("inf"):
        raise argparse.ArgumentTypeError(
            f"{text} is not a speed; give a number such as 10, or 0 for jobs that do not move"
        )
    return speed


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text} is not a limit; give a whole number of requests, 1 or more")
    return int(text)


def _positive(text: str) -> float:
    number = _number(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a span of time; give a number above 0")
    return number


def _database(folder: Path | None) -> str | Path:
    if folder is None:
        return ":memory:"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "emulator.sqlite3"


def describe_failure(error: OSError | sqlite3.Error) -> str:
    """Say in a sentence why the emulator cannot start, with the file that caused it."""
    reason = getattr(error, "strerror", None) or str(error)
    file = getattr(error, "filename", None)
    return f"The emulator cannot start: {reason}{f': {file}' if file else ''}."


def _main() -> None:
    try:
        run_program()
    except MissingExtraError as error:
        sys.exit(str(error))
    except CANNOT_START as error:
        sys.exit(describe_failure(error))


if __name__ == "__main__":
    _main()
