"""``python -m scripe.emulator``: the emulator on a port until Ctrl-C, or an end from outside."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from scripe.emulator import Emulator
from scripe.emulator.openapi import document_text
from scripe.emulator.settings import PLANS

FOREVER = threading.Event()
PROGRAM = "python -m scripe.emulator"


def run(arguments: Sequence[str] | None = None, *, program: str = PROGRAM) -> None:
    """Serve as the main thing that a process does: SIGTERM ends it as Ctrl-C does.

    Args:
        arguments: the command line's, unless given.
        program: what the help calls it.

    """
    for each in (signal.SIGINT, signal.SIGTERM):  # also where a shell has started it with both ignored
        signal.signal(each, signal.default_int_handler)
    main(arguments, program=program)


def main(
    arguments: Sequence[str] | None = None,
    *,
    wait: Callable[[], object] = FOREVER.wait,
    program: str = PROGRAM,
) -> None:
    """Serve until interrupted, or print the API's description.

    Args:
        arguments: the command line's, unless given.
        wait: returns, or raises KeyboardInterrupt, when it is time to stop.
        program: what the help calls it.

    """
    options = _parser(program).parse_args(arguments)
    if options.openapi:
        sys.stdout.write(document_text())
        return
    with (
        Emulator(_database(options.data), speed=options.speed, deliver=options.deliver) as emulator,
        emulator.serve(options.port, options.host) as server,
    ):
        if options.plan:
            emulator.set_plan(options.plan)
        with suppress(KeyboardInterrupt):
            sys.stdout.write(f"SCRIPE_BASE_URL={server.base_url}\nSCRIPE_API_KEY={server.api_key}\n")
            sys.stdout.write(f"# To watch it: {server.page_url}\n")
            sys.stdout.flush()
            wait()


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(program, description="A local Scripe API.")
    parser.add_argument("--port", type=int, default=8787, help="the port to listen on (8787)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--data", type=Path, help="a folder that keeps everything for the next start")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than usual jobs move (1)")
    parser.add_argument("--plan", choices=PLANS, help="the workspace's plan (BUSINESS)")
    parser.add_argument(
        "--deliver", action="store_true", help="send events to webhook endpoints on this machine"
    )
    parser.add_argument(
        "--openapi", action="store_true", help="print the API's description in OpenAPI, and end"
    )
    return parser


def _database(folder: Path | None) -> str | Path:
    if folder is None:
        return ":memory:"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "emulator.sqlite3"


if __name__ == "__main__":
    run()
