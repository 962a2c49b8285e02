"""AWS Signature Version 4 in the query of a URL, the form that presigned links have."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
MOMENT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A pair of S3 keys, and where they count."""

    access_key: str
    secret_key: str
    region: str = "us-east-1"

    def scope(self, moment: datetime) -> str:
        """The credential scope of a day."""
        return f"{moment:%Y%m%d}/{self.region}/s3/aws4_request"

    def sign(self, text: str, moment: datetime) -> str:
        """The signature of a string to sign."""
        key = f"AWS4{self.secret_key}".encode()
        for part in self.scope(moment).split("/"):
            key = _digest(key, part)
        return _digest(key, text).hex()


def presign(
    credentials: Credentials,
    method: str,
    origin: str,
    path: str,
    *,
    headers: Mapping[str, str],
    moment: datetime,
    lifetime: int,
) -> str:
    """A URL that allows one method on one path.

    Args:
        credentials: who allows it.
        method: the HTTP method.
        origin: scheme, host and port.
        path: the path, percent-encoded.
        headers: the header fields that the request must carry, ``host`` among them, in lower case.
        moment: when the link begins to count, in UTC.
        lifetime: seconds until it ends.

    """
    query = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{credentials.scope(moment)}",
        "X-Amz-Date": moment.strftime(MOMENT),
        "X-Amz-Expires": str(lifetime),
        "X-Amz-SignedHeaders": ";".join(sorted(headers)),
    }
    signature = signature_of(credentials, method, path, query, headers, moment)
    return f"{origin}{path}?{canonical_query(query)}&X-Amz-Signature={signature}"


def signature_of(
    credentials: Credentials,
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    moment: datetime,
) -> str:
    """The signature of a request: its query without the signature, and the header fields that are signed."""
    names = sorted(headers)
    canonical = "\n".join(
        [
            method,
            path,
            canonical_query(query),
            *(f"{name}:{' '.join(headers[name].split())}" for name in names),
            "",
            ";".join(names),
            UNSIGNED,
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([ALGORITHM, moment.strftime(MOMENT), credentials.scope(moment), digest])
    return credentials.sign(text, moment)


def canonical_query(query: Mapping[str, str]) -> str:
    """A query sorted and percent-encoded as the signature wants it."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(text, safe='-_.~')}" for name, text in sorted(query.items())
    )


def parse_moment(text: str) -> datetime:
    """The moment in an ``X-Amz-Date``.

    Raises:
        ValueError: it has another form.

    """
    return datetime.strptime(text, MOMENT).replace(tzinfo=UTC)


def _digest(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
