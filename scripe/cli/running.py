"""A command at work: what it gives back is shown, what it raises is told."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from inspect import BoundArguments

from ..errors import ScripeDeprecationWarning
from .error_output import tell
from .options import Options
from .output import ClosedOutputError, note
from .render import show
from .results import Result
from .session import Session


def run_with_session(command: Callable[..., Result], bound: BoundArguments, options: Options) -> int:
    """Run a command of the API, and give back the exit code."""
    with _told_of_warnings(options), Session(options) as session:
        try:
            return show(command(*bound.args, **bound.kwargs, session=session), options)
        except ClosedOutputError:
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - each is told, none ends in a traceback
            return tell(error, session)


@contextmanager
def _told_of_warnings(options: Options) -> Generator[None]:
    """That the API announced an end for a version is a line on stderr, without a place in our code."""

    def say(message: Warning | str, *_: object, **__: object) -> None:
        if not options.json:
            note(f"note: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", ScripeDeprecationWarning)
        warnings.showwarning = say
        yield
