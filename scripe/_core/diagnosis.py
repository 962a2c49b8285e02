"""Decide what a look at the machine, the network, the API and the credential shows, and what to do about it.

A check has a *code*, one of a fixed list, and with it come its level and its next step. So a report can name both
without a word that a server, a proxy or a user wrote (`diagnosis_report.py`). What they wrote is in `text`, which is
for the screen alone.
"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from .._redaction import clip
from .._vocabulary import Scope
from ..errors import ScripeError
from ..types._base import JSON
from ..types.response_info import ResponseInfo
from ..types.workspace import CurrentWorkspace
from .fact_probes import FactObservation
from .outcome import TransportFailure

Level: TypeAlias = Literal["ok", "warning", "fault"]

CLOCK_TOLERANCE = 10.0
"""Seconds that the clock may differ from the server's `Date`: `/health` is cached for 5 seconds."""

_CERTIFICATE_ADVICE = (
    "Compare the date of this machine, which the line names, with the real one, and set it if it is wrong."
)

NEXT_STEPS: Final[Mapping[str, tuple[Level, str]]] = {
    "base_url_path": (
        "warning",
        "The address of the API ends in /v1: check SCRIPE_BASE_URL, --base-url or base_url.",
    ),
    "base_url_insecure": ("warning", "Anyone on the way can read the API key: use https."),
    "tls_keys_logged": (
        "warning",
        "Whoever can read the file in SSLKEYLOGFILE can read all that is sent: unset it.",
    ),
    "configuration": ("fault", "Correct what the line names; nothing was sent."),
    "name_not_found": (
        "fault",
        "Check the host of the base URL, the network and the DNS of this machine. In a network that has "
        "only a proxy, set "
        "HTTPS_PROXY to it.",
    ),
    "connection_refused": (
        "fault",
        "Nothing listens at this address, or a firewall is in the way. Check the base URL and its port; "
        "in a network that "
        "has only a proxy, set HTTPS_PROXY to it.",
    ),
    "connection_timeout": (
        "fault",
        "The server, or a firewall before it, does not react. Check the network; in a network that has "
        "only a proxy, set "
        "HTTPS_PROXY to it.",
    ),
    "connection_failed": ("fault", "Check the network of this machine, and the base URL."),
    "proxy_unreachable": (
        "fault",
        "The proxy cannot be reached. Check its host and port in the variable that the line names, or "
        "unset it.",
    ),
    "proxy_refused": (
        "fault",
        "The proxy does not let the connection through. Check its user name and password, and ask "
        "whoever runs it to allow "
        "the host of the API.",
    ),
    "certificate_expired": (
        "fault",
        f"The certificate is over. {_CERTIFICATE_ADVICE} If it is right, tell whoever runs the server or the proxy.",
    ),
    "certificate_not_yet_valid": ("fault", f"The certificate is not yet valid. {_CERTIFICATE_ADVICE}"),
    "certificate_unknown": (
        "fault",
        "No certificate that this machine trusts vouches for the server's. A company's proxy often "
        "signs by itself: set "
        "SSL_CERT_FILE to a file with its certificates.",
    ),
    "certificate_other_host": (
        "fault",
        "The certificate belongs to another host. Check the base URL, and whether a proxy or a sign-in "
        "page responds in its "
        "place.",
    ),
    "tls_failed": (
        "fault",
        "There is no TLS at this address, or one that this machine cannot use. Check whether the base "
        "URL begins with https "
        "or http, and its port.",
    ),
    "no_response": (
        "fault",
        "A connection was made, and no response came. Try again; if it stays so, a proxy or a firewall "
        "may be in the way.",
    ),
    "not_the_api": (
        "fault",
        "Something else than the Scripe API responds. Check the base URL; a proxy, or the sign-in page "
        "of a network, may "
        "respond in its place.",
    ),
    "api_failed": ("fault", "The API itself fails. Try again later; its status page is status.scripe.io."),
    "degraded": (
        "warning",
        "The API reports that a part of it does not work. Calls may fail for a while; its status page "
        "is status.scripe.io.",
    ),
    "rate_limited": ("fault", "The rate limit of the workspace is used up. Try again in a minute."),
    "clock_wrong": (
        "warning",
        "The clock of this machine differs from the server's. Set it: logins and ledgers count by it.",
    ),
    "no_credential": (
        "fault",
        "Set SCRIPE_API_KEY, or sign in with `scripe login`. Create an API key in the Scripe dashboard: "
        "Settings, Developer, "
        "API keys.",
    ),
    "api_key_form": (
        "warning",
        "API keys begin with scripe_sk_live_ or scripe_sk_test_. Check that the whole key was pasted, "
        "and nothing else.",
    ),
    "login_missing": ("fault", "There is no such login on this machine. Run `scripe login`."),
    "login_over": ("fault", "The login is over. Run `scripe login`."),
    "login_unreadable": ("fault", "The stored login cannot be read. Run `scripe login`."),
    "login_expired": (
        "warning",
        "The access token is over, and the next call refreshes it. Run `scripe whoami`, then `scripe "
        "doctor` again.",
    ),
    "unauthenticated": (
        "fault",
        "The API saw no credential. A proxy may have removed the Authorization header; check it, and "
        "the base URL.",
    ),
    "invalid_token": (
        "fault",
        "The API does not know this API key or token. Check that the whole key was pasted, and that it "
        "belongs to this base "
        "URL; an emulator's works nowhere else.",
    ),
    "key_revoked": (
        "fault",
        "An admin has revoked this API key, for good. Create another in the Scripe dashboard.",
    ),
    "key_expired": (
        "fault",
        "This API key has ended. Extend it, or create another in the Scripe dashboard: Settings, "
        "Developer, API keys.",
    ),
    "plan_not_eligible": (
        "fault",
        "The workspace's plan has no API access, or its subscription is not in good standing. See to it "
        "in the Scripe "
        "dashboard; the same API key works afterwards.",
    ),
    "scope_missing": (
        "fault",
        "The API key lacks a scope. Tick it in the Scripe dashboard: Settings, Developer, API keys; it "
        "works after 5 seconds.",
    ),
    "workspace_mismatch": (
        "fault",
        "The credential does not reach this workspace. Check SCRIPE_WORKSPACE_ID, --workspace-id or "
        "workspace_id, or unset it.",
    ),
    "permission_denied": (
        "fault",
        "The credential may not do this. Check the API key and the workspace in the dashboard.",
    ),
    "version_unsupported": (
        "fault",
        "The API no longer serves the version that this scripe uses. Install a newer scripe.",
    ),
    "refused": ("fault", "The API refuses a plain read. Check the base URL and the workspace."),
    "unknown_shape": (
        "warning",
        "The response has another shape than documented. Please report it with this output.",
    ),
    "no_api_access": (
        "warning",
        "The workspace reports that it has no API access. See to its plan in the Scripe dashboard.",
    ),
    "no_scopes": (
        "warning",
        "The API key has no scope. Tick those that you need in the Scripe dashboard: Settings, "
        "Developer, API keys.",
    ),
    "deprecated": (
        "warning",
        "The version of the API that this scripe uses will end. Install a newer scripe before that.",
    ),
    "ledger_missing": (
        "warning",
        "There is no such file, and the first command with it creates it. Check the path.",
    ),
    "ledger_unreadable": ("fault", "The ledger cannot be opened. Check the path, or restore a backup."),
    "ledger_unsettled": (
        "warning",
        "Of some writes nothing proves whether they were done. Look in Scripe, then use `scripe ledger "
        "settle`.",
    ),
    "metadata_missing": ("warning", "No metadata can be read there. Signing in works only with them."),
    "metadata_refused": (
        "warning",
        "scripe refuses these metadata, and no one can sign in. Please report it.",
    ),
    "mcp_missing": ("warning", "The hosted MCP server shows no metadata there. The SDK does not need it."),
}
"""The level and the next step of each code that is not `ok` or `not_seen`."""

CHECK_NAMES: Final = (
    "scripe",
    "python",
    "engine",
    "extras",
    "environment",
    "configuration",
    "base url",
    "proxy",
    "name look-up",
    "connection",
    "tls",
    "health",
    "clock",
    "credential",
    "access",
    "workspace",
    "scopes",
    "rate limit",
    "api version",
    "ledger",
    "oauth",
    "mcp",
)

EXTRAS: Final = {
    "cli": "cyclopts",
    "emulator": "starlette",
    "httpx2": "httpx2",
    "oauth": "platformdirs",
    "otel": "opentelemetry",
    "pandas": "pandas",
    "polars": "polars",
    "progress": "rich",
    "sql": "sqlalchemy",
}
"""Each extra, and a module that it brings."""

VARIABLES: Final = (
    "SCRIPE_API_KEY",
    "SCRIPE_BASE_URL",
    "SCRIPE_HTTP",
    "SCRIPE_LOG",
    "SCRIPE_PROFILE",
    "SCRIPE_WORKSPACE_ID",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSLKEYLOGFILE",
)
"""The environment variables that count. Their values are never shown."""

USES: Final[Mapping[Scope, str]] = {
    "notes:read": "read notes and sources",
    "notes:write": "create notes",
    "posts:read": "read posts",
    "posts:write": "create, change and generate posts",
    "sources:write": "create sources",
    "knowledge:write": "add to the knowledge base",
    "webhooks:manage": "manage webhook endpoints",
}

CODES_OF_ERRORS = (
    "unauthenticated",
    "key_revoked",
    "key_expired",
    "plan_not_eligible",
    "scope_missing",
    "workspace_mismatch",
    "version_unsupported",
)


@dataclass(frozen=True, slots=True)
class DiagnosisCheck:
    """One thing that was looked at.

    Attributes:
        name: What was looked at, such as `proxy`.
        code: What was seen: `ok`, `not_seen`, or the name of a problem, such as `certificate_expired`.
        text: What was seen, for people.
        values: What was seen, for programs.

    """

    name: str
    code: str
    text: str
    values: Mapping[str, JSON] = field(default_factory=dict[str, JSON])

    @property
    def level(self) -> Level:
        """`ok`, `warning` or `fault`."""
        return NEXT_STEPS[self.code][0] if self.code in NEXT_STEPS else "ok"

    @property
    def next_step(self) -> str | None:
        """The advice; None if nothing has to be done."""
        return NEXT_STEPS[self.code][1] if self.code in NEXT_STEPS else None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The outcome of a look at this machine, the network, the API and the credential.

    Attributes:
        checks: What was looked at, in this order. A fault is the last of them.
        error: What a call would raise because of the fault; None if there is none.
        facts: How the API behaves, where the documentation says nothing or two things; empty unless it was asked for.
        responses: The responses of the API, as far as they may be shown to anybody.

    """

    checks: tuple[DiagnosisCheck, ...]
    error: ScripeError | None = None
    facts: tuple[FactObservation, ...] = ()
    responses: tuple[dict[str, JSON], ...] = ()

    @property
    def fault(self) -> DiagnosisCheck | None:
        """The check that failed; None if none did."""
        return next((check for check in self.checks if check.level == "fault"), None)

    @property
    def warnings(self) -> tuple[DiagnosisCheck, ...]:
        """The checks that showed something to look after, which is no fault."""
        return tuple(check for check in self.checks if check.level == "warning")

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    for check in diagnosis.checks:
        yield f"{check.level:8} {check.name:13} {check.text}"
        if check.next_step is not None:
            yield f"{'':22} {check.next_step}"
    for fact in diagnosis.facts:
        yield str(fact)


class Findings:
    """The checks so far; one that is a fault ends the look."""

    def __init__(self) -> None:
        self.checks: list[DiagnosisCheck] = []
        self.error: ScripeError | None = None
        self.responses: list[dict[str, JSON]] = []
        self.facts: list[FactObservation] = []

    def add(self, name: str, text: str, code: str = "ok", **values: JSON) -> bool:
        """Add a check, and return whether the look may go on."""
        check = DiagnosisCheck(name, code, clip(" ".join(text.split()), 400), values)
        self.checks.append(check)
        return check.level != "fault"

    def fail(self, name: str, code: str, error: ScripeError, text: str | None = None, **values: JSON) -> bool:
        """Add a check that an error ended; return whether the look may go on."""
        self.error = error
        return self.add(name, error.message if text is None else text, code, **values)

    def result(self) -> Diagnosis:
        """Return the diagnosis."""
        return Diagnosis(tuple(self.checks), self.error, tuple(self.facts), tuple(self.responses))


@dataclass(slots=True)
class ConnectionSeen:
    """A new connection, as the engine reported it.

    Attributes:
        connect_seconds: Until the TCP connection stood; None if it never did.
        tls_seconds: Until TLS was agreed; None if it never was.
        failed_step: What failed; None if nothing did, or something else.
        is_refused: True if nothing listens at the address.
        verify_code: OpenSSL's number of what is wrong with the certificate.
        certificate_end: When the certificate of the server ends.
        tls_version: Such as `TLSv1.3`.

    """

    connect_seconds: float | None = None
    tls_seconds: float | None = None
    failed_step: Literal["connect", "tls"] | None = None
    is_refused: bool = False
    verify_code: int | None = None
    certificate_end: datetime | None = None
    tls_version: str | None = None


_CERTIFICATE_CODES: Mapping[int, str] = {
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    62: "certificate_other_host",
    64: "certificate_other_host",  # of an address
}


def failure_code(failure: TransportFailure, seen: ConnectionSeen, *, behind_proxy: bool) -> tuple[str, str]:
    """Return the check and the code of a request that got no response."""
    if seen.verify_code is not None:
        return "tls", _CERTIFICATE_CODES.get(seen.verify_code, "certificate_unknown")
    if seen.failed_step == "tls":
        return "tls", "tls_failed"
    if behind_proxy and failure.reason == "not_sent":
        return "proxy", "proxy_unreachable" if seen.failed_step == "connect" else "proxy_refused"
    if failure.reason == "response_lost":
        return "health", "no_response"
    if failure.is_timeout:
        return "connection", "connection_timeout"
    return "connection", "connection_refused" if seen.is_refused else "connection_failed"


def certificate_end(certificate: Mapping[str, object] | None) -> datetime | None:
    """Return when a certificate ends, as `getpeercert` shows it."""
    text = (certificate or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if isinstance(text, str) else None


def add_clock(findings: Findings, response: ResponseInfo, wall_time: float) -> bool:
    """Compare the clock of this machine with the `Date` of a response."""
    if response.date is None:
        return findings.add("clock", "not seen: the response has no Date", "not_seen")
    offset = wall_time - response.date.timestamp()
    text = (
        f"{format_moment(wall_time)}, {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} the server"
    )
    code = "ok" if abs(offset) < CLOCK_TOLERANCE else "clock_wrong"
    return findings.add("clock", text, code, clock_offset_seconds=round(offset))


def add_api_key_form(findings: Findings, api_key: str) -> bool:
    """Look at the form of an API key, of which nothing is shown."""
    kind = next((kind for kind in ("live", "test") if api_key.startswith(f"scripe_sk_{kind}_")), None)
    if kind is None:
        return findings.add("credential", "API key of another form than documented", "api_key_form")
    return findings.add("credential", f"API key of the kind {kind}", live=kind == "live")


def error_code(error: ScripeError) -> str:
    """Return the code of an error that the API responded with."""
    code, status = getattr(error, "code", None), getattr(error, "status_code", 0)
    if code in CODES_OF_ERRORS:
        return str(code)
    if code is None and status < 500 and status != 429:
        return "not_the_api"
    by_status = {401: "invalid_token", 403: "permission_denied", 429: "rate_limited"}
    return by_status.get(status, "api_failed" if status >= 500 else "refused")


def add_workspace(findings: Findings, current: CurrentWorkspace) -> bool:
    """Show the workspace, its plan and its access to the API."""
    workspace = current.workspace
    name = f"{workspace.name} " if workspace.name else ""
    has_access = workspace.features.get("apiAccess")
    text = f"{name}({workspace.id}), plan {workspace.plan or 'not named'}"
    values: dict[str, JSON] = {"plan": workspace.plan, "apiAccess": has_access}
    return findings.add("workspace", text, "no_api_access" if has_access is False else "ok", **values)


def add_scopes(findings: Findings, scopes: Sequence[str] | None) -> bool:
    """Show the scopes, and what the SDK cannot do with these."""
    if scopes is None:
        return findings.add("scopes", "not seen: the API names none", "not_seen")
    missing = [use for scope, use in USES.items() if scope not in scopes]
    cannot = f"; cannot {', '.join(missing)}" if missing else ""
    text = f"{', '.join(scopes) or 'none'}{cannot}"
    return findings.add("scopes", text, "ok" if scopes else "no_scopes", scopes=list(scopes))


def add_rate_limit(findings: Findings, response: ResponseInfo) -> bool:
    """Show the rate limit that a response reports."""
    rate_limit = response.rate_limit
    if rate_limit is None:
        return findings.add("rate limit", "not seen: the response has no headers of it", "not_seen")
    parts: dict[str, int | float | None] = {
        "limit": rate_limit.limit,
        "remaining": rate_limit.remaining,
        "reset_after": rate_limit.reset_after,
    }
    text = ", ".join(f"{name.replace('_', ' ')} {part:g}" for name, part in parts.items() if part is not None)
    return findings.add("rate limit", text, "ok", **parts)


def add_deprecation(findings: Findings, response: ResponseInfo, version: str) -> bool:
    """Show the version of the API, and whether it will end."""
    notice = response.deprecation
    if notice is None:
        return findings.add("api version", version)
    ends = f" ends on {notice.sunset}" if notice.sunset else " will end"
    text = f"{version}{ends}; replacement {notice.replacement or 'not named'}"
    return findings.add("api version", text, "deprecated")


def format_moment(seconds: float) -> str:
    """Return a time of day of this machine, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def format_milliseconds(seconds: float | None) -> str:
    """Return a duration for people."""
    return "not seen" if seconds is None else f"{seconds * 1000:.0f} ms"
