"""How people see that something long moves on: what the calls that wait are given for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from .session import Session


class Shown(TypedDict):
    """Arguments of `sources.ingest`, `uploads.upload_file`, `knowledge.ingest`, `jobs.wait` and their kin."""


def shown(session: Session) -> Shown:
    """Nothing but what the calls do by themselves, for a session with or without `--no-progress`."""
    del session
    return Shown()
