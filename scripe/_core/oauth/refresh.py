"""Decide how often a refresh token is sent, and whether it may be spent.

A refresh token that was sent may be spent although no response says so. It is sent again at once all the same: the old
token is all there is, and a server that forgives a repetition does so only for some seconds. What must not be lost is
that it may be spent: that tells a login that somebody revoked from one whose new tokens never arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ..outcome import Outcome, TransportFailure
from ..retry import is_transient

MAX_ATTEMPTS: Final = 4
ATTEMPT_SECONDS: Final = 5.0
REFRESH_SECONDS: Final = 20.0
"""How long all attempts together may take; a lock that falls by itself does so after 30 seconds."""
LOCK_SECONDS: Final = 45.0
"""How long a refresh waits for that of another process; a dead one's lock falls after 30 seconds."""
PAUSE_AFTER_FAILURE: Final = 10.0
"""How long a token that still lives is used without another try, after a refresh failed."""
PAUSE_AFTER_REJECTION: Final = 60.0
"""How long no refresh follows after the API rejected a token that a refresh had just brought."""

NextStep: TypeAlias = Literal["send", "discover", "stop"]


@dataclass(slots=True)
class RefreshAttempts:
    """The attempts of one refresh.

    Attributes:
        ends_at: When the last one must be over.
        may_be_spent: True if the refresh token may be spent although nobody has its successor.

    """

    ends_at: float
    may_be_spent: bool
    count: int = 0
    has_discovered: bool = False

    def record(self, outcome: Outcome, now: float) -> NextStep:
        """Record an outcome; return what comes next: send again, discover the endpoint again first, or stop."""
        self.count += 1
        self.may_be_spent = self.may_be_spent or not _proves_unspent(outcome)
        is_over = self.count >= MAX_ATTEMPTS or self.ends_at - now < ATTEMPT_SECONDS
        if isinstance(outcome, TransportFailure) or is_transient(outcome):
            return "stop" if is_over else "send"
        if outcome.status not in (404, 405) or self.has_discovered or is_over:
            return "stop"
        self.has_discovered = True
        return "discover"

    def timeout(self, now: float) -> float:
        """Return the seconds that the next attempt may take."""
        return min(ATTEMPT_SECONDS, self.ends_at - now)


def _proves_unspent(outcome: Outcome) -> bool:
    """Return True if the refresh token did not arrive, or was refused. A success spends it, with tokens or without."""
    if isinstance(outcome, TransportFailure):
        return outcome.reason == "not_sent"
    return 300 <= outcome.status < 500 and outcome.status != 408
