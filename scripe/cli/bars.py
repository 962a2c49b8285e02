"""How people see that something long moves on: what the calls that wait are given for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from .session import Session


class Shown(TypedDict):
    """Arguments of `sources.ingest`, `uploads.upload_file`, `knowledge.ingest`, `jobs.wait` and their kin."""

    show_progress: bool


def shown(session: Session) -> Shown:
    """Bars on standard error, unless nobody wants them: with `--json` that is for errors alone."""
    return Shown(show_progress=not session.options.no_progress and not session.options.json)
