"""Progress of an upload and of the job that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Stage: TypeAlias = Literal["uploading", "queued", "running", "done"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of an upload and of the job that follows it.

    Attributes:
        stage: `uploading`, `queued`, `running` or `done`.
        fraction: Completed part of this stage, from 0 to 1; None if unknown.
        bytes_sent: Bytes sent so far.
        bytes_total: Size of the file in bytes.
        message: The API's description of the current step, for people.

    """

    stage: Stage
    fraction: float | None = None
    bytes_sent: int = 0
    bytes_total: int = 0
    message: str | None = None
