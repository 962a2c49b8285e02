"""What all resources share."""

from __future__ import annotations

from ..sender import AsyncSender


class AsyncResource:
    """A group of calls. It holds nothing of its own."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender
