"""Answers that come twice.

HTTP/1.1 has no number that ties an answer to its request: what a broken proxy sends twice is taken for the answer to
the next request on that connection. The API gives each answer an `X-Request-Id`; one that came before is an echo, and
the call that met it is sent again on another connection.

What may not be sent again is not doubted: its own answer would be lost. But that one may then come next on the same
connection, and nobody has seen its id: so such a call asks for a connection that ends with it.

An id is doubted once: an echo dies with its connection. So what comes again after that is meant so. A replay may tell
the id of its first time, and again with each rerun; it is told apart from that first time. And a server that gives the
same id to all its answers (a test's, say) is not doubted any further: its ids say nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TypeVar

from pydantic import BaseModel

from ..types.response_info import Headers
from .request import Request

T = TypeVar("T", bound=BaseModel)

REMEMBERED = 512
"""Ids that are kept: more than the calls that are under way at once."""


class Echoes:
    """The ids of the latest answers; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._was_doubted: OrderedDict[tuple[str, bool], bool] = OrderedDict()
        self._ids_say_nothing = False

    def is_doubted(self, request: Request[T], headers: Headers) -> bool:
        """Whether this answer is an echo that a call of the API must not take for its own.

        `/health`, which goes without the key, is never looked up: a cache at the edge answers it for 5 seconds, maybe
        with the id that it had there. The id of an answer that is not doubted is noted all the same.
        """
        return request.needs_key and self.is_echo(headers) and request.repeatable

    def is_echo(self, headers: Headers) -> bool:
        """Whether this answer came before, and so belongs to another request."""
        named = headers.lowered
        request_id = named.get("x-request-id")
        if not request_id or self._ids_say_nothing:
            return False
        is_replay = named.get("idempotent-replayed", "").strip().lower() == "true"
        with self._lock:
            return self._came_before((request_id, is_replay))

    def _came_before(self, answer: tuple[str, bool]) -> bool:
        was_doubted = self._was_doubted.get(answer)
        self._was_doubted[answer] = was_doubted is not None
        if len(self._was_doubted) > REMEMBERED:
            self._was_doubted.popitem(last=False)
        self._ids_say_nothing = was_doubted is True and not answer[1]
        return was_doubted is False
