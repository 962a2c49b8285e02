"""What one run of a command has: its options, its client, and what must be known if it ends badly."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from ..errors import InvalidArgumentError
from . import credentials
from .output import note

if TYPE_CHECKING:
    from .. import ResponseInfo, Scripe
    from .options import Options

_ONE_JOB = re.compile(r"/jobs/([^/]+)")


class Session:
    """Made for a command, and closed after it.

    Attributes:
        options: Those of every command.
        idempotency_key: Of the write that the command makes, if it makes one.
        awaited: Jobs that the command waits for.

    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.idempotency_key: str | None = None
        self.awaited: list[str] = []
        self._waits = False
        self._client: Scripe | None = None
        self._open = ExitStack()

    @property
    def client(self) -> Scripe:
        """The client, made when it is first asked for.

        Raises:
            ConfigurationError: there is no key, or an option that cannot be right.

        """
        if self._client is None:
            self._client = self._made()
        return self._client

    def _made(self) -> Scripe:
        from .. import Scripe
        from .notices import told

        options = self.options
        self._open.enter_context(told(always=options.verbose))
        return Scripe(
            credentials.api_key(options.api_key_file),
            base_url=options.base_url,
            allow_insecure=options.allow_insecure,
            workspace_id=options.workspace_id,
            timeout=options.timeout,
            total_timeout=options.deadline,
            on_response=self._heard,
            app_info="scripe-cli",
        )

    @property
    def base_url(self) -> str:
        """Where the API is."""
        from .._core.config import base_url

        return base_url(self.options.base_url)

    @property
    def where(self) -> str:
        """What says so: the option or the variable."""
        from .._core.config import BASE_URL_VARIABLE

        return BASE_URL_VARIABLE if self.options.base_url is None else "--base-url"

    @property
    def is_local(self) -> bool:
        """Whether that is this machine: then it is an emulator."""
        from .._core.config import is_loopback

        return is_loopback(urlsplit(self.base_url).hostname or "")

    def key(self, given: str | None) -> str:
        """The idempotency key of the command's write: the one given, or a new one that an error can name.

        Raises:
            ConfigurationError: the API would ignore it.

        """
        from .._core.idempotency import check_key, new_key

        try:
            self.idempotency_key = new_key() if given is None else check_key(given)
        except InvalidArgumentError:
            raise InvalidArgumentError(
                "--idempotency-key takes 1 to 64 letters, digits, underscores and hyphens."
            ) from None
        return self.idempotency_key

    def wait_for(self, *job_ids: str) -> None:
        """From now on the command waits, for these jobs or for one that the API is still to name."""
        self._waits = True
        self.awaited = list(job_ids)

    def _heard(self, response: ResponseInfo) -> None:
        one_job = _ONE_JOB.fullmatch(response.path)
        if self._waits and one_job and not self.awaited:
            self.awaited = [one_job[1]]
        if self.options.verbose:
            note(
                f"{response.method} {response.path} {response.status_code} {response.request_id or '-'} "
                f"{response.elapsed * 1000:.0f} ms"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        if self._client is not None:
            self._client.close()
