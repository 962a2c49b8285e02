"""The base class of the resources.

Resources know the sender, never the session or the transport: retries, rate limit and errors are the same for all
calls.
"""

from __future__ import annotations

from ..sender import AsyncSender


class AsyncResource:
    """A group of calls. It has no state but its sender, so a resource may be made for each use."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender
