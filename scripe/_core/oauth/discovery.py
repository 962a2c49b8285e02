"""Check the metadata of an authorization server (RFC 8414), and refuse what could send secrets elsewhere.

Whoever can change this document decides where codes, refresh tokens and client secrets are sent. So it must name
exactly the issuer it was asked for, comes over https (or from this machine), and may name only endpoints of the
issuer's own origin. The authorization endpoint may lie elsewhere: only the browser goes there, with nothing secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..._redaction import clip
from ...errors import ConfigurationError, DiscoveryError
from ...types._base import JSON
from ..config import check_type, is_loopback, parse_host, redact_user, resolve_base_url
from ..outcome import RawResponse
from ..retry import is_transient
from .response import parse_object

WELL_KNOWN = "/.well-known/oauth-authorization-server"
KEPT_SECONDS = 3600.0
"""How long metadata is used before it is fetched again."""


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """The metadata of an authorization server, as far as they were found to be safe."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    registration_endpoint: str | None = None
    revocation_endpoint: str | None = None
    scopes_supported: tuple[str, ...] | None = None
    token_auth_methods: tuple[str, ...] | None = None
    sends_iss: bool = False  # each authorization response names the issuer


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, the port also where it is the scheme's own; empty for no URL."""
    host = parse_host(url)
    parts = urlsplit(url) if host else None
    if parts is None or parts.scheme not in ("http", "https"):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{parts.port or {'https': 443, 'http': 80}[parts.scheme]}"


def short_origin(url: str) -> str:
    """Return the origin of a URL as people write it, without the port that is the scheme's own."""
    origin = origin_of(url)
    suffix = ":443" if origin.startswith("https") else ":80"
    return origin.removesuffix(suffix)


def resolve_issuer(issuer: str | None) -> str:
    """Return the issuer that was given, else the origin of the configured API."""
    return issuer if issuer is not None else short_origin(resolve_base_url(None))


def allowed_origins(issuer: str, api_url: str) -> frozenset[str]:
    """Return the origins of the APIs to which the tokens of an issuer may be sent.

    They are its own and the configured API's, which differ if the issuer was given explicitly. But an issuer on this
    machine never serves an API elsewhere, or the other way round: tokens of the emulator must not reach the live API.
    """
    own, configured = origin_of(issuer), origin_of(api_url)
    is_local = [is_loopback(parse_host(origin)) for origin in (own, configured)]
    return frozenset({own, configured}) if is_local[0] == is_local[1] else frozenset({own})


def check_issuer(issuer: str) -> str:
    """Return the issuer as it was given; raise ConfigurationError unless it can be asked safely."""
    check_type(issuer, str, "issuer", "a str", ConfigurationError)
    if not _is_secure(issuer) or urlsplit(issuer).query or urlsplit(issuer).fragment:
        raise ConfigurationError(
            f"issuer {clip(redact_user(issuer), 100)!r} is not the https URL of an authorization server. Give one such "
            "as 'https://api.scripe.io'."
        )
    if urlsplit(issuer).username is not None:
        raise ConfigurationError("issuer must not hold a user name or a password. Give the URL alone.")
    return issuer


def metadata_url(issuer: str) -> str:
    """Return the URL of the metadata of an issuer; the well-known path comes before a path of its own."""
    return short_origin(issuer) + WELL_KNOWN + urlsplit(issuer).path.rstrip("/")


def parse_metadata(issuer: str, raw: RawResponse) -> ServerMetadata:
    """Return the metadata in a response.

    Raises:
        DiscoveryError: the response holds no metadata, or metadata that must not be trusted.

    """
    document = _document(issuer, raw)
    if document.get("issuer") != issuer:
        raise DiscoveryError(
            f"{metadata_url(issuer)} names another issuer, {_quote(document.get('issuer'))}, than {issuer!r}. "
            "Give the issuer exactly as the server names it, if you trust it."
        )
    if "S256" not in _strings(document, "code_challenge_methods_supported"):
        raise DiscoveryError(
            f"{issuer} does not offer PKCE with S256 (code_challenge_methods_supported), without which a code can be "
            "stolen. Check that the issuer is right."
        )
    token_endpoint = _endpoint(issuer, document, "token_endpoint")
    authorization_endpoint = _endpoint(issuer, document, "authorization_endpoint", same_origin=False)
    if token_endpoint is None or authorization_endpoint is None:
        raise DiscoveryError(
            f"{metadata_url(issuer)} lacks authorization_endpoint or token_endpoint. Check the issuer."
        )
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=authorization_endpoint,
        token_endpoint=token_endpoint,
        registration_endpoint=_endpoint(issuer, document, "registration_endpoint"),
        revocation_endpoint=_endpoint(issuer, document, "revocation_endpoint"),
        scopes_supported=_strings(document, "scopes_supported") or None,
        token_auth_methods=_strings(document, "token_endpoint_auth_methods_supported") or None,
        sends_iss=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _document(issuer: str, raw: RawResponse) -> Mapping[str, JSON]:
    url = metadata_url(issuer)
    if 300 <= raw.status < 400:
        raise DiscoveryError(
            f"{url} redirects, which is not followed: the metadata decides where secrets are sent. Check the issuer."
        )
    if not raw.is_success:
        raise DiscoveryError(
            f"{url} responded with status {raw.status}. Check the issuer; if it is right, try again later.",
            retryable=is_transient(raw),
        )
    document = parse_object(raw)
    if document is None:
        raise DiscoveryError(f"{url} responded with something else than metadata in JSON. Check the issuer.")
    return document


def _endpoint(
    issuer: str, document: Mapping[str, JSON], name: str, *, same_origin: bool = True
) -> str | None:
    url = document.get(name)
    if url is None:
        return None
    if not isinstance(url, str) or not _is_secure(url) or urlsplit(url).fragment:
        raise DiscoveryError(
            f"{issuer} names the {name} {_quote(url)}, which is not an https URL. Nothing is sent there; tell its "
            "operator."
        )
    if same_origin and origin_of(url) != origin_of(issuer):
        raise DiscoveryError(
            f"{issuer} names the {name} {_quote(url)}, which belongs to another server. Nothing is sent there; check "
            "the issuer, or tell its operator."
        )
    return url


def _is_secure(url: str) -> bool:
    origin = origin_of(url) if url.isascii() and url.isprintable() and " " not in url else ""
    return origin.startswith("https:") or (origin != "" and is_loopback(parse_host(url)))


def _strings(document: Mapping[str, JSON], name: str) -> tuple[str, ...]:
    values = document.get(name)
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _quote(value: JSON) -> str:
    return repr(clip(value, 100)) if isinstance(value, str) else "(no text)"
