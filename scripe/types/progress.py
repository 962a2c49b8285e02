"""How far a long piece of work is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Stage: TypeAlias = Literal["uploading", "queued", "running", "done"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload, and the job that follows it, is.

    Attributes:
        stage: `uploading`, `queued`, `running` or `done`.
        fraction: How much of this stage is done, from 0 to 1; None where nobody knows.
        bytes_sent: Bytes given to the network so far.
        bytes_total: Bytes of the whole file.
        message: What the API says it is doing, for people.

    """

    stage: Stage
    fraction: float | None = None
    bytes_sent: int = 0
    bytes_total: int = 0
    message: str | None = None
