"""What all resources share."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel

from ..._core.request import Request
from ..sender import AsyncSender

T = TypeVar("T", bound=BaseModel)


class AsyncResource:
    """A group of calls. It holds nothing of its own."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def _send(self, request: Request[T]) -> T:
        return await self._sender.send(request)
