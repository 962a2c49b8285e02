"""Answers that come twice.

HTTP/1.1 has no number that ties an answer to its request: what a broken proxy sends twice is taken for the answer to
the next request on that connection. The API gives each answer an `X-Request-Id`; one that came before is an echo,
unless it is a replay, which may tell of its first time.

A server that gives the same id to all its answers (a test's, say) is not doubted for long: once a call that was sent
again because of an echo meets another, ids say nothing here.
"""

from __future__ import annotations

import threading

from ..types.response_info import Headers

REMEMBERED = 512
"""Ids that are kept: more than the calls that are under way at once."""


class Echoes:
    """The ids of the latest answers; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, None] = {}
        self._ids_say_nothing = False

    def is_echo(self, headers: Headers, *, was_doubted: bool) -> bool:
        """Whether this answer came before; `was_doubted` if the call met an echo already."""
        request_id = headers.get("x-request-id")
        is_replay = headers.get("idempotent-replayed", "").strip().lower() == "true"
        if not request_id or is_replay or self._ids_say_nothing:
            return False
        with self._lock:
            came_before = request_id in self._seen
            self._seen[request_id] = None
            if len(self._seen) > REMEMBERED:
                del self._seen[next(iter(self._seen))]
        self._ids_say_nothing = came_before and was_doubted
        return came_before and not was_doubted
