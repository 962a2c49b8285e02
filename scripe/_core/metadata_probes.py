"""Decide what the metadata of the authorization server and of the hosted MCP server show about the facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from ..errors import DiscoveryError
from ..types._base import JSON
from .diagnosis import Findings
from .diagnosis_report import describe_response
from .fact_probes import Object, Seen, observations
from .json_repair import load_json
from .oauth.discovery import WELL_KNOWN, parse_metadata
from .outcome import Outcome, RawResponse, TransportFailure

MCP_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
MCP_ORIGIN: Final = "https://mcp.scripe.io"


def _path(document: Object, name: str) -> str:
    url = document.get(name)
    return urlsplit(url).path if isinstance(url, str) else ""


def _endpoints(document: Object) -> Seen:
    paths = [_path(document, "authorization_endpoint"), _path(document, "token_endpoint")]
    return list[JSON](paths), paths == ["/oauth/authorize", "/oauth/token"]


def _has(name: str) -> Callable[[Object], Seen]:
    def probe(document: Object) -> Seen:
        return ("present" if name in document else "absent"), name in document

    return probe


def _iss(document: Object) -> Seen:
    sends = document.get("authorization_response_iss_parameter_supported") is True
    return ("present" if sends else "absent"), sends


def _introspection(document: Object) -> Seen:
    has_one = "introspection_endpoint" in document
    return ("present" if has_one else "absent"), not has_one


def _methods(document: Object) -> Seen:
    methods = document.get("token_endpoint_auth_methods_supported")
    named = [method for method in methods if isinstance(method, str)] if isinstance(methods, list) else []
    return list[JSON](named), {"client_secret_basic", "client_secret_post"} <= set(named)


def _mcp_path(document: Object) -> Seen:
    path = _path(document, "resource")
    return path or None, (path == "/mcp" if path else None)


OAUTH_PROBES: Final[Mapping[str, Callable[[Object], Seen]]] = {
    "O1": _endpoints,
    "O2": _has("scopes_supported"),
    "O9": _iss,
    "O10": _has("revocation_endpoint"),
    "O11": _introspection,
    "O14": _methods,
}
"""What the metadata of the authorization server show about each fact."""

MCP_PROBES: Final[Mapping[str, Callable[[Object], Seen]]] = {"C4": _mcp_path}
"""What the metadata of the hosted MCP server show about a fact."""


def add_oauth(findings: Findings, issuer: str, outcome: Outcome) -> None:
    """Show the metadata of the authorization server as found, and whether we would refuse them."""
    document = _document(findings, WELL_KNOWN, outcome)
    if document is None:
        findings.add("oauth", _problem(outcome), "metadata_missing")
        return
    findings.facts.extend(observations(OAUTH_PROBES, document))
    assert isinstance(outcome, RawResponse), "it holds a document"
    try:
        parse_metadata(issuer, outcome)
    except DiscoveryError as error:
        findings.add("oauth", error.message, "metadata_refused")
    else:
        findings.add("oauth", f"metadata with {', '.join(document)}")


def add_mcp(findings: Findings, outcome: Outcome) -> None:
    """Show the metadata of the hosted MCP server."""
    document = _document(findings, MCP_WELL_KNOWN, outcome)
    if document is None:
        findings.add("mcp", _problem(outcome), "mcp_missing")
        return
    findings.facts.extend(observations(MCP_PROBES, document))
    findings.add("mcp", f"metadata with {', '.join(document)}")


def _document(findings: Findings, path: str, outcome: Outcome) -> Object | None:
    if isinstance(outcome, TransportFailure):
        return None
    findings.responses.append(describe_response(path, outcome))
    try:
        document = load_json(outcome.body) if outcome.is_success else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _problem(outcome: Outcome) -> str:
    if isinstance(outcome, TransportFailure):
        return outcome.message
    return f"HTTP {outcome.status}, and no metadata"
