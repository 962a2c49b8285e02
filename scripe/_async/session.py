"""What a client and all its copies share: connections, the key, the budget of requests, the line of polls."""

from __future__ import annotations

import os
import threading
from typing import cast

from .._concurrency import AsyncCallback, AsyncClock, AsyncKeySource, async_call, async_home
from .._engine import AsyncEngine, AsyncHTTPClient, default_family
from .._rules import config
from .._rules.config import Secret
from .._rules.echo import Echoes
from .._rules.polling import Pacer
from .._rules.rate_limit import RateLimiter
from ..errors import ClientClosedError, ConfigurationError
from ..types.response_info import ResponseInfo


class AsyncSession:
    def __init__(
        self,
        given: Secret[str | AsyncKeySource | None],
        limiter: RateLimiter | None,
        http_client: AsyncHTTPClient | None,
        on_response: AsyncCallback[ResponseInfo] | None,
    ) -> None:
        self.limiter = limiter
        self.on_response = on_response
        self.clock: AsyncClock = AsyncClock()
        self.pacer: Pacer = Pacer()
        self.echoes: Echoes = Echoes()
        self._key_source = cast("AsyncKeySource | None", config.key_source(given))
        self._key = None if self._key_source else config.api_key(given)
        self._is_closed = False
        self._lock = threading.Lock()
        self._http_client = http_client
        self._family = None if http_client else default_family()
        self._engine: AsyncEngine | None = None
        self._process = os.getpid()
        self._home: object = None
        if http_client is not None:
            self._engine = AsyncEngine(http_client)

    @property
    def http_client(self) -> AsyncHTTPClient | None:
        """The caller's own, if any."""
        return self._http_client

    def engine(self) -> AsyncEngine:
        """The open connections, opened when first needed, and anew in a forked process."""
        if self._is_closed:
            raise ClientClosedError("This client was closed; make a new one, or close it later.")
        if self._process != os.getpid():
            self._leave_to_parent()
        self._check_loop()
        engine = self._engine
        if engine is None:
            with self._lock:
                self._engine = engine = self._engine or AsyncEngine(family=self._family)
        return engine

    async def key(self) -> Secret[str]:
        key = self._key
        if key is None and self._key_source is not None:
            self._key = key = config.api_key(Secret(await async_call(self._key_source)))
        return key or Secret("")

    async def renew_key(self, refused: Secret[str]) -> bool:
        """Ask the caller's function for another key, unless that was done meanwhile; False if there is none."""
        if self._key_source is None:
            return False
        if self._key is not None and self._key.reveal() == refused.reveal():
            self._key = None
        await self.key()
        return True

    async def close(self) -> None:
        self._is_closed = True
        engine, self._engine = self._engine, None
        if engine is not None and self._process == os.getpid():
            await engine.close()

    def _leave_to_parent(self) -> None:
        """Connections made before a fork are the parent's: two processes on one would mix their answers."""
        self._process = os.getpid()
        self._lock = threading.Lock()
        self.pacer = Pacer()
        if self.limiter is not None:
            self.limiter.forget()  # calls that other threads had in flight do not come back here
        if self._http_client is None:
            _left_open.append(self._engine)
            self._engine = None

    def _check_loop(self) -> None:
        here = async_home()
        if self._home is None:
            self._home = here
        if self._home is not here:
            raise ConfigurationError(
                "This client was first used in another event loop, where its connections live: "
                "make one AsyncScripe for each event loop (each asyncio.run)."
            )


_left_open: list[AsyncEngine | None] = []
