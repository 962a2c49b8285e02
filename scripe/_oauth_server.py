"""Send to an authorization server."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlencode

from ._concurrency import real_seconds
from ._core.config import Options, Secret
from ._core.oauth.discovery import (
    KEPT_SECONDS,
    ServerMetadata,
    check_issuer,
    metadata_url,
    parse_metadata,
)
from ._core.outcome import Outcome, TransportFailure
from ._http import CommonHeaders, HTTPTransport, PreparedRequest, SendOptions, default_backend_name
from .errors import APIConnectionError, APITimeoutError


class AuthorizationServer:
    """Sends to one authorization server.

    Each request has a connection of its own, since hours lie between them: nothing has to be closed, and a forked
    process inherits nothing.
    """

    def __init__(self, issuer: str, timeout: float = 20.0, now: Callable[[], float] = time.time) -> None:
        self.issuer: str = check_issuer(issuer)
        self.timeout: float = timeout
        self.now: Callable[[], float] = now
        self._metadata: tuple[ServerMetadata, float] | None = None

    def discover(self, *, again: bool = False, timeout: float | None = None) -> ServerMetadata:
        """Return the server's metadata, fetched within the last hour; `again` fetches it in any case.

        Raises:
            DiscoveryError: it cannot be read, or must not be trusted.
            APIConnectionError: no response arrived.

        """
        if self._metadata is not None and not again and real_seconds() - self._metadata[1] < KEPT_SECONDS:
            return self._metadata[0]
        url = metadata_url(self.issuer)
        outcome = self.send("GET", url, timeout=timeout)
        if isinstance(outcome, TransportFailure):
            raise connection_error(url, outcome)
        metadata = parse_metadata(self.issuer, outcome)
        self._metadata = metadata, real_seconds()
        return metadata

    def send_form(
        self,
        url: str,
        form: Secret[dict[str, str]],
        client: Secret[tuple[dict[str, str], dict[str, str]]],
        timeout: float | None = None,
    ) -> Outcome:
        """Send a form once, with the headers and fields that identify the application."""
        body = Secret(urlencode({**form.reveal(), **client.reveal()[1]}).encode())
        headers = Secret({"Content-Type": "application/x-www-form-urlencoded", **client.reveal()[0]})
        return self.send("POST", url, body, headers, timeout)

    def send(
        self,
        method: str,
        url: str,
        body: Secret[bytes] | None = None,
        headers: Secret[dict[str, str]] | None = None,
        timeout: float | None = None,
    ) -> Outcome:
        """Send a request once, and wait at most `timeout` seconds; redirects are not followed."""
        end = real_seconds() + (timeout or self.timeout)
        target = Options(base_url=url.partition("?")[0], allow_insecure=True)
        names = ("Accept", "Accept-Encoding", "User-Agent")
        usual = {"Host": target.host, **{name: target.headers[name] for name in names}}
        common = CommonHeaders(url, usual if headers is None else {**usual, **headers.reveal()})
        request = PreparedRequest(method, Secret(url), common, None if body is None else body.reveal())
        options = SendOptions(timeout or self.timeout, lambda: max(0.0, end - real_seconds()))
        transport = HTTPTransport(default_backend_name())
        try:
            return transport.send(request, options)
        finally:
            transport.close()


def connection_error(url: str, failure: TransportFailure) -> APIConnectionError:
    """Return the error for an authorization server that did not respond."""
    error_class = APITimeoutError if failure.is_timeout else APIConnectionError
    return error_class(
        f"No response from the authorization server at {url.partition('?')[0]}: {failure.message}. Check the network, "
        "and try again.",
        retryable=True,
    )
