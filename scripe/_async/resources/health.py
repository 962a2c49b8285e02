"""Health of the API and of the key."""

from __future__ import annotations

from ..._core.request import Request
from ...types.health import Health, HealthAuth
from ._base import AsyncResource


class AsyncHealthResource(AsyncResource):
    """Whether the API, and the key, work. https://apidocs.scripe.io/api/v1/health"""

    async def check(self) -> Health:
        """The API's report on itself, sent without the key; a degraded one (503) is an answer, not an error."""
        degraded = frozenset({503})
        return await self._sender.send(
            Request(
                "GET",
                "/health",
                Health,
                envelope="either",
                extra_success_statuses=degraded,
                authenticated=False,
            )
        )

    async def auth(self) -> HealthAuth:
        """What the key reaches.

        Raises:
            AuthenticationError: the key is unknown, revoked or expired.

        """
        return await self._sender.send(Request("GET", "/health/auth", HealthAuth, envelope="either"))
