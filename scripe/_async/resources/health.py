"""Health checks of the API and of the API key.

The API's pages show these responses without the `data` envelope that others have, and disagree on the fields of
`/health/auth` (C22 in docs/api-facts.md). So the envelope is optional here, and so are the fields.
"""

from __future__ import annotations

from ..._core.request import Request
from ...types.health import Health, HealthAuth
from ._base import AsyncResource


class AsyncHealthResource(AsyncResource):
    """Health checks of the API and of the API key. https://apidocs.scripe.io/api/v1/health"""

    async def check(self) -> Health:
        """Fetch the API's report on its own health; no API key is sent.

        A degraded API responds with 503 and a report. That is returned, too, not raised: see `Health.is_ok`.
        """
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
        """Fetch the workspace and the scopes of the API key.

        Raises:
            AuthenticationError: the API key is unknown, revoked or expired.

        """
        return await self._sender.send(Request("GET", "/health/auth", HealthAuth, envelope="either"))
