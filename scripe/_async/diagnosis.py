"""Look at the machine, the network, the API and the credential, in this order, until something fails.

`_core/diagnosis.py` decides what each response means. Every request is sent once, without retries and without the rate
limiter, over a new connection of the client's own configuration: one that is already open would show nothing.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from importlib.util import find_spec
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from .._concurrency import async_run_blocking, real_seconds
from .._core import diagnosis as decide
from .._core import response as responses
from .._core.config import BASE_URL, NO_API_KEY, Secret, is_loopback, parse_host, redact_user
from .._core.diagnosis import EXTRAS, VARIABLES, ConnectionSeen, Diagnosis, Findings
from .._core.diagnosis_report import describe_response
from .._core.fact_probes import PAUSE, READS, Answers, FactRead, judge
from .._core.metadata_probes import MCP_ORIGIN, MCP_WELL_KNOWN, add_mcp, add_oauth
from .._core.oauth.discovery import WELL_KNOWN, short_origin
from .._core.outcome import Outcome, TransportFailure
from .._core.rate_limit import WINDOW
from .._core.request import Request, build_path
from .._http import (
    AsyncHTTPTransport,
    CommonHeaders,
    PreparedRequest,
    SendOptions,
    proxy_of,
    route_to,
)
from .._http.connection_trace import ConnectionTrace
from .._http.name_lookup import look_up
from .._redaction import redact_api_key
from .._version import __version__
from ..errors import (
    APIResponseValidationError,
    APIStatusError,
    ConfigurationError,
    ConsentRequiredError,
    ScripeError,
    TokenStoreError,
)
from ..types.health import Health, HealthAuth
from ..types.response_info import ResponseInfo
from ..types.workspace import CurrentWorkspace
from .credential import AsyncAPIKeyCredential, AsyncLoginCredential, is_stored_login
from .sender import AsyncSender

T = TypeVar("T", bound=BaseModel)

MAX_SECONDS = 10.0
"""Longest wait for one step of a request, so that a dead proxy is named soon."""


class AsyncDoctor:
    """Looks once, and keeps what it saw."""

    def __init__(
        self,
        sender: AsyncSender,
        problem: ConfigurationError | None = None,
        *,
        is_ledger_missing: bool = False,
    ) -> None:
        self._sender = sender
        self._options = sender.options
        self._timeout = min(MAX_SECONDS, sender.options.timeout or MAX_SECONDS)
        self._problem = problem  # why there is no credential
        self._is_ledger_missing = is_ledger_missing
        self._findings = Findings()
        self._transport: AsyncHTTPTransport | None = None
        self._api_key: Secret[str] = NO_API_KEY
        self._last: ResponseInfo | None = None

    async def examine(self, *, facts: bool = False, oauth: bool = False, mcp: bool = False) -> Diagnosis:
        """Look at everything, until a fault ends it; if nothing does, also at the facts."""
        self._sender.session.check_usable()
        add_machine(self._findings)
        try:
            is_well = await self._examine_address() and await self._examine_health()
            if is_well:
                await self._examine_metadata(oauth=oauth, mcp=mcp)
                is_well = await self._examine_api()
            if is_well and facts:
                self._findings.facts.extend(judge(await self._fetch_facts()))
        finally:
            if self._transport is not None:
                await self._transport.close()
        return self._findings.result()

    async def _examine_address(self) -> bool:
        """Look at the base URL and the way to it, without sending anything."""
        findings, url = self._findings, self._options.base_url
        session = self._sender.session
        if session.opens_connections:
            try:
                self._transport = session.open_separate_transport()
            except ConfigurationError as error:
                return findings.fail("engine", "configuration", error)
            name = self._transport.backend_name
            findings.add("engine", f"{name} {version(name)}", versions={name: version(name)})
        else:
            findings.add("engine", "an http_client of yours", "not_seen")
        is_own = is_loopback(parse_host(url))
        code = "base_url_insecure" if url.startswith("http:") and not is_own else "ok"
        code = code if url.endswith("/v1") else "base_url_path"
        findings.add("base url", redact_user(url), code, live=url == BASE_URL, this_machine=is_own)
        return await self._examine_route()

    async def _examine_route(self) -> bool:
        findings, parts = self._findings, urlsplit(self._options.base_url)
        if not self._sender.session.opens_connections:
            return findings.add("connection", "not seen: it is made by an http_client of yours", "not_seen")
        proxy = proxy_of(route_to(f"{parts.scheme}://{parts.netloc}"))
        if proxy is not None:
            address, variable = proxy
            host = parse_host(address.reveal() or "")
            return findings.add("proxy", f"{host or 'not a URL'} ({variable})", proxy=True)
        findings.add("proxy", "none", proxy=False)
        started, host, port = real_seconds(), parts.hostname or "", parts.port or parts.scheme
        try:
            addresses = await async_run_blocking(look_up, host, port, self._timeout)
        except OSError as error:
            problem = responses.failure_error(
                _HEALTH, TransportFailure("not_sent", is_timeout=False, message=str(error)), 1
            )
            text = f"{host} is not found: {error.strerror}"
            return findings.fail("name look-up", "name_not_found", problem, text)
        seconds = real_seconds() - started
        noun = "address" if addresses == 1 else "addresses"
        text = f"{addresses} {noun} in {decide.format_milliseconds(seconds)}"
        return findings.add("name look-up", text, milliseconds=round(seconds * 1000))

    async def _examine_api(self) -> bool:
        """Look at the credential, and send the reads that need it."""
        if not await self._examine_credential() or self._api_key is NO_API_KEY:
            return False
        reached = await self._fetch("access", _ACCESS)
        if reached is None:
            return False
        self._findings.add("access", "the API accepts the credential")
        current = await self._fetch("workspace", _WORKSPACE)
        if current is None:
            return False
        decide.add_workspace(self._findings, current)
        principal = current.principal or reached.principal
        decide.add_scopes(self._findings, None if principal is None else principal.scopes)
        assert self._last is not None, "there was a response"
        decide.add_rate_limit(self._findings, self._last)
        decide.add_deprecation(self._findings, self._last, self._options.api_version)
        return await self._examine_ledger()

    async def _examine_health(self) -> bool:
        trace = ConnectionTrace()
        try:
            outcome = await self.send(_HEALTH, trace)
        except ConfigurationError as error:  # of the proxy or of the certificates
            return self._findings.fail("configuration", "configuration", error)
        is_direct = all(check.name != "proxy" or not check.values["proxy"] for check in self._findings.checks)
        if isinstance(outcome, TransportFailure):
            return self._add_failure(outcome, trace.seen, behind_proxy=not is_direct)
        if self._sender.session.opens_connections:
            self._add_connection(trace.seen, is_direct=is_direct)
        try:
            health = responses.parse_model(_HEALTH, outcome, self._info(_HEALTH, outcome), NO_API_KEY)
        except ScripeError as error:
            return self._add_error("health", error)
        if health.status is None:
            missing = ScripeError("GET /health responded without a status. Check the base URL.")
            return self._findings.fail("health", "not_the_api", missing)
        code = "ok" if health.is_ok else "degraded"
        self._findings.add("health", f"{health.status} in {outcome.elapsed * 1000:.0f} ms", code)
        return decide.add_clock(
            self._findings, self._info(_HEALTH, outcome), self._sender.session.clock.wall_time()
        )

    def _add_failure(self, failure: TransportFailure, seen: ConnectionSeen, *, behind_proxy: bool) -> bool:
        name, code = decide.failure_code(failure, seen, behind_proxy=behind_proxy)
        error = responses.failure_error(_HEALTH, failure, 1)
        now = decide.format_moment(self._sender.session.clock.wall_time())
        dated = f"; the date of this machine is {now}" if seen.verify_code is not None else ""
        proxy = next((check.text for check in self._findings.checks if check.name == "proxy"), "")
        through = f"{proxy}: " if name == "proxy" else ""
        return self._findings.fail(name, code, error, f"{through}{failure.message}{dated}")

    def _add_connection(self, seen: ConnectionSeen, *, is_direct: bool) -> None:
        findings, is_tls = self._findings, self._options.base_url.startswith("https:")
        if is_direct:
            findings.add(
                "connection",
                f"made in {decide.format_milliseconds(seen.connect_seconds)}",
                milliseconds=round((seen.connect_seconds or 0) * 1000),
            )
        else:
            findings.add("connection", "not seen: the proxy makes it", "not_seen")
        if is_tls:
            end = seen.certificate_end
            text = f"{seen.tls_version} in {decide.format_milliseconds(seen.tls_seconds)}"
            findings.add("tls", f"{text}, certificate valid until {end:%Y-%m-%d}" if end else text)

    async def _examine_credential(self) -> bool:
        findings, credential = self._findings, self._sender.credential
        if self._problem is not None:
            return findings.fail("credential", "no_credential", self._problem)
        if isinstance(credential, AsyncLoginCredential) and is_stored_login(credential.auth):
            return await self._examine_login(credential)
        try:
            self._api_key = credential.api_key or await credential.get(self._sender.remaining())
        except ScripeError as error:
            return findings.fail("credential", "configuration", error)
        if isinstance(credential, AsyncAPIKeyCredential):
            return decide.add_api_key_form(findings, self._api_key.reveal())
        return findings.add("credential", "access token of an auth of yours")

    async def _examine_login(self, credential: AsyncLoginCredential) -> bool:
        """Look at the stored login, which is not refreshed."""
        from .._oauth_refresh import load_login

        findings, auth = self._findings, credential.auth
        assert is_stored_login(auth), "the caller has checked it"
        try:
            login = await async_run_blocking(load_login, auth)
        except TokenStoreError as error:
            return findings.fail("credential", "login_unreadable", error)
        if login is None or login.ended is not None:
            code = "login_missing" if login is None else "login_over"
            reason = "missing" if login is None or login.ended is None else login.ended
            over = ConsentRequiredError(
                f"The login {auth.name!r} is {reason.replace('_', ' ')}.", name=auth.name, reason=reason
            )
            return findings.fail("credential", code, over)
        if not login.is_alive(self._sender.session.clock.wall_time()):
            return findings.add(
                "credential", f"login {auth.name!r}: its access token is over", "login_expired"
            )
        self._api_key = Secret(login.access_token)
        return findings.add("credential", f"login {auth.name!r}")

    async def _examine_ledger(self) -> bool:
        ledger = self._sender.ledger
        if self._is_ledger_missing:
            self._findings.add("ledger", "there is no such file", "ledger_missing")
        if ledger is None:
            return True
        try:
            unsettled = await async_run_blocking(lambda: len(list(ledger.items(state="unknown"))))
        except ScripeError as error:
            return self._findings.fail("ledger", "ledger_unreadable", error)
        text = (
            f"{unsettled} writes wait for a decision" if unsettled else "open, nothing waits for a decision"
        )
        return self._findings.add("ledger", text, "ledger_unsettled" if unsettled else "ok")

    async def _fetch(self, name: str, request: Request[T]) -> T | None:
        """Send a read with the credential, and return its model; add the fault and return None if it fails."""
        outcome = await self.send(request)
        if isinstance(outcome, TransportFailure):
            self._add_failure(outcome, ConnectionSeen(), behind_proxy=False)
            return None
        try:
            return responses.parse_model(request, outcome, self._info(request, outcome), self._api_key)
        except ScripeError as error:
            self._add_error(name, error)
            return None

    def _add_error(self, name: str, error: ScripeError) -> bool:
        if (
            isinstance(error, APIResponseValidationError)
            and isinstance(error.body, dict)
            and name != "health"
        ):
            self._findings.add(name, error.message, "unknown_shape")
            return False
        code = decide.error_code(error) if isinstance(error, APIStatusError) else "not_the_api"
        return self._findings.fail(name, code, error, str(error))

    def _info(self, request: Request[T], outcome: Outcome) -> ResponseInfo:
        assert not isinstance(outcome, TransportFailure), "the caller has checked it"
        self._last = responses.build_response_info(request, outcome, 1, self._api_key)
        return self._last

    async def _examine_metadata(self, *, oauth: bool, mcp: bool) -> None:
        """Look at metadata that anybody may read; no credential is sent for them."""
        issuer = short_origin(self._options.base_url)
        if not self._sender.session.opens_connections:
            for name in ("oauth",) * oauth + ("mcp",) * mcp:
                self._findings.add(name, "not seen: requests go through an http_client of yours", "not_seen")
            return
        if oauth:
            add_oauth(self._findings, issuer, await self._fetch_openly(issuer, WELL_KNOWN))
        if mcp:
            add_mcp(self._findings, await self._fetch_openly(MCP_ORIGIN, MCP_WELL_KNOWN))

    async def _fetch_openly(self, origin: str, path: str) -> Outcome:
        """Fetch what anybody may read, over a connection of its own."""
        from .._oauth_server import (
            AuthorizationServer,  # it belongs to logins, which most clients do not have
        )

        try:
            server = AuthorizationServer(origin, MAX_SECONDS)
        except ConfigurationError as error:  # plain http to another machine
            return TransportFailure("not_sent", is_timeout=False, message=error.message)
        return await async_run_blocking(server.send, "GET", origin + path)

    async def _fetch_facts(self) -> Answers:
        """Send the reads that show facts, one a second; stop after a 429, or if little of the rate limit remains."""
        answers, clock, has_waited = Answers(), self._sender.session.clock, False
        for read in READS:
            found = None if read.id_from is None else answers.find_id(read.id_from)
            if read.id_from is not None and found is None:
                continue
            await clock.sleep(PAUSE)
            outcome = await self.send(_to_request(read, found or ""), version=read.version)
            if isinstance(outcome, TransportFailure):
                continue
            if outcome.status == 429:
                break
            answers.raw[read.name] = outcome
            if not answers.is_scarce(read.name):
                continue
            if has_waited:
                break
            has_waited = True
            await clock.sleep(WINDOW)
        return answers

    async def send(
        self, request: Request[T], trace: ConnectionTrace | None = None, *, version: str | None = ""
    ) -> Outcome:
        """Send a request once; with another version of the API than the client's, or with none."""
        options = self._options
        usual = options.headers
        if version != "":
            usual.pop("Scripe-Api-Version", None)
            usual |= {} if version is None else {"Scripe-Api-Version": version}
        authorization = {"Authorization": f"Bearer {self._api_key.reveal()}"} if request.authenticated else {}
        headers = CommonHeaders(options.base_url, {"Host": options.host, **usual, **authorization})
        prepared = PreparedRequest(request.method, Secret(options.base_url + request.target), headers)
        transport = self._transport or self._sender.session.transport()
        outcome = await transport.send(prepared, SendOptions(self._timeout, trace=trace))
        if isinstance(outcome, TransportFailure):
            message = redact_api_key(outcome.message, self._api_key.reveal())
            return TransportFailure(outcome.reason, outcome.is_timeout, message)
        self._findings.responses.append(describe_response(request.template or "", outcome))
        return outcome


_HEALTH = Request(
    "GET",
    "/health",
    Health,
    envelope="either",
    extra_success_statuses=frozenset({503}),
    authenticated=False,
)
_ACCESS = Request("GET", "/health/auth", HealthAuth, envelope="either")
_WORKSPACE = Request("GET", "/workspaces/me", CurrentWorkspace, envelope="either")


def _to_request(read: FactRead, found: str) -> Request[BaseModel]:
    """Return the request of a read, with the id that it needs."""
    path = build_path(read.path, *([found] if "{}" in read.path else []))
    params = {name: found if text == "{}" else text for name, text in (read.params or {}).items()}
    return Request(
        "GET", path, BaseModel, params=params, envelope="either", authenticated=read.name != "health"
    )


def add_machine(findings: Findings) -> None:
    """Add what is installed, and which environment variables count."""
    findings.add("scripe", __version__, versions={"scripe": __version__})
    system = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    findings.add("python", system, versions={"python": platform.python_version()})
    extras = [name for name, module in EXTRAS.items() if find_spec(module) is not None]
    findings.add("extras", ", ".join(extras) or "none", extras=list(extras))
    names = [name for name in VARIABLES if os.environ.get(name)]
    code = "tls_keys_logged" if "SSLKEYLOGFILE" in names else "ok"
    findings.add(
        "environment", ", ".join(names) or "no variable that counts is set", code, variables=list(names)
    )
