"""Sign URLs with AWS Signature Version 4 in their query, as presigned links are."""

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
    """A pair of S3 keys, and their region."""

    access_key: str
    secret_key: str
    region: str = "us-east-1"

    def scope(self, moment: datetime) -> str:
        """Return the credential scope of a day."""
        return f"{moment:%Y%m%d}/{self.region}/s3/aws4_request"

    def sign(self, text: str, moment: datetime) -> str:
        """Return the signature of a string to sign."""
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
    """Return a URL that allows one method on one path, which is percent-encoded.

    `headers` are those that the request must have, by lower-case names, `host` among them; `lifetime` is in seconds.
    """
    query = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{credentials.scope(moment)}",
        "X-Amz-Date": moment.strftime(MOMENT),
        "X-Amz-Expires": str(lifetime),
        "X-Amz-SignedHeaders": ";".join(sorted(headers)),
    }
    signature = sign_request(credentials, method, path, query, headers, moment)
    return f"{origin}{path}?{canonical_query(query)}&X-Amz-Signature={signature}"


def sign_request(
    credentials: Credentials,
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    moment: datetime,
) -> str:
    """Return the signature of a request, from its query without the signature and the signed header fields."""
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
    """Return a query sorted and percent-encoded as signatures need it."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(text, safe='-_.~')}" for name, text in sorted(query.items())
    )


def parse_moment(text: str) -> datetime:
    """Return the moment of an `X-Amz-Date`, or raise a ValueError if it has another form."""
    return datetime.strptime(text, MOMENT).replace(tzinfo=UTC)


def _digest(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
