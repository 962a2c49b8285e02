"""All errors that this library raises, as one tree.

```text
ScripeError
├── ConfigurationError (also ValueError)     the client, the environment or an extra is not set up correctly
├── InvalidArgumentError (also ValueError)   an argument of a call is invalid; nothing was sent
│   ├── FileMissingError                     (also FileNotFoundError)
│   ├── FileIsDirectoryError                 (also IsADirectoryError)
│   └── LedgerConflictError                  the ledger knows the idempotency key with other arguments
├── APIConnectionError                       no response arrived, or only a part of one
│   └── APITimeoutError                      it took longer than `timeout` or `total_timeout`
├── APIResponseValidationError               a 2xx whose body is not what the API documents
├── APIStatusError                           the API responded with an error, or a redirect
│   ├── InvalidRequestError                  the request is invalid
│   │   ├── BadRequestError                  400
│   │   │   ├── BadCursorError
│   │   │   ├── BadPaginationError
│   │   │   └── VersionUnsupportedError
│   │   ├── PayloadTooLargeError             413
│   │   └── UnprocessableEntityError         422
│   ├── AuthenticationError                  401
│   ├── SpendCapExceededError                402
│   ├── PermissionDeniedError                403
│   │   ├── ScopeMissingError
│   │   ├── PlanNotEligibleError
│   │   └── WorkspaceMismatchError
│   ├── NotFoundError                        404
│   ├── ConflictError                        409
│   │   ├── IdempotencyConflictError
│   │   └── NotCancellableError
│   ├── RateLimitError                       429
│   └── ServerError                          5xx
│       └── ServiceUnavailableError          503
├── UploadError                              storage rejected the file, or it could not be read
│   ├── UploadExpiredError
│   ├── UploadTooLargeError
│   └── UploadIntegrityError
│                                            (a file that cannot be read to its end is an UploadError
│                                            and an OSError)
├── JobError
│   ├── JobFailedError
│   ├── JobCancelledError
│   └── JobTimeoutError (also TimeoutError)
├── FilesFailedError                         files of a bulk run are not done
├── LedgerError                              the ledger's file cannot be used
├── UnsettledWriteError                      nothing can prove whether a write was done
├── OAuthError                               the authorization server refused, or a login cannot be used
│   ├── DiscoveryError                       its metadata cannot be read, or must not be trusted
│   ├── RegistrationError                    it does not register the application, or no longer knows it
│   ├── CallbackError                        a callback that does not belong to this request
│   ├── ExchangeLostError                    no response to the exchange of a code, which works once
│   ├── ConsentDeniedError                   the user, or the server, denied access
│   ├── LoginTimeoutError (also TimeoutError)
│   ├── ConsentRequiredError                 the login is over: ask the user again
│   └── TokenStoreError                      logins cannot be read, locked or saved
└── ClientClosedError (also RuntimeError)
```

A table in `scripe/_core/response.py` maps the error codes of the API to classes. Every error can be pickled and
deep-copied, and contains no API key and no signature of an upload link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from ._lazy import stand_ins
from ._redaction import clip

if TYPE_CHECKING:
    from .types import JSON, Job, RateLimit, Scope
else:
    globals().update(stand_ins(dict.fromkeys(("JSON", "Job", "RateLimit", "Scope"), "scripe.types")))

__all__ = [
    "APIConnectionError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadCursorError",
    "BadPaginationError",
    "BadRequestError",
    "CallbackError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConsentDeniedError",
    "ConsentRequiredError",
    "DiscoveryError",
    "ExchangeLostError",
    "FileIsDirectoryError",
    "FileMissingError",
    "FilesFailedError",
    "IdempotencyConflictError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JobTimeoutError",
    "LedgerConflictError",
    "LedgerError",
    "LoginTimeoutError",
    "NotCancellableError",
    "NotFoundError",
    "OAuthError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PlanNotEligibleError",
    "RateLimitError",
    "RegistrationError",
    "ScopeMissingError",
    "ScripeDeprecationWarning",
    "ScripeError",
    "ServerError",
    "ServiceUnavailableError",
    "SpendCapExceededError",
    "TokenStoreError",
    "TokenStoreWarning",
    "UnprocessableEntityError",
    "UnsettledWriteError",
    "UploadError",
    "UploadExpiredError",
    "UploadIntegrityError",
    "UploadTooLargeError",
    "VersionUnsupportedError",
    "WorkspaceMismatchError",
]

E = TypeVar("E", bound="ScripeError")

ConsentReason: TypeAlias = Literal["missing", "revoked", "expired", "response_lost"]


def _restore(error_class: type[E], arguments: tuple[object, ...], state: dict[str, object]) -> E:
    # Unpickling calls this, not the class: its arguments are keywords, and pickle passes only `args`. Python does not
    # allow `error_class.__new__` where OSError is a base class, but not the first one.
    new = OSError.__new__ if issubclass(error_class, OSError) else Exception.__new__
    error = new(error_class)
    error.args = arguments
    error.__dict__.update(state)
    return error


class ScripeError(Exception):
    """The base class of all errors: catch it to catch everything that this library raises.

    Attributes:
        message: A description of what happened, for people.
        retryable: True if the same call may succeed later, unchanged.
        idempotency_key: The idempotency key of the write that failed; None for reads. The same call with this key
            creates no second record within 24 hours (for a file: until its upload link expires, after about 15
            minutes, a guess). With a ledger, it creates none at any time.
        may_have_arrived: True if a write was sent, and no response proves that nothing was done.

    """

    def __init__(self, message: str, *, retryable: bool = False, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.idempotency_key = idempotency_key
        self.may_have_arrived = False

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, self.__dict__)

    def _repr_html_(self) -> str:
        from ._html import error_card

        return error_card(type(self).__name__, self.message, vars(self))

    def _render_traceback_(self) -> list[str]:
        from ._tracebacks import format_traceback

        return format_traceback(self)


class ConfigurationError(ScripeError, ValueError):
    """The client, its environment or an optional extra is not set up correctly; nothing was sent."""


class InvalidArgumentError(ScripeError, ValueError):
    """An argument of a call is invalid; nothing was sent."""


class FileMissingError(InvalidArgumentError, FileNotFoundError):
    """The file to upload does not exist; nothing was sent."""


class FileIsDirectoryError(InvalidArgumentError, IsADirectoryError):
    """The file to upload is a directory; nothing was sent."""


class LedgerConflictError(InvalidArgumentError):
    """The ledger knows the idempotency key with other arguments; nothing was sent. Another key makes another thing."""


class APIConnectionError(ScripeError):
    """No response arrived, or only a part of one. A write may have been executed all the same."""


class APITimeoutError(APIConnectionError):
    """No response within `timeout` for one network operation, or within `total_timeout` for the whole call.

    Attributes:
        is_total: True if `total_timeout` has passed, or would pass before anything could be sent; False for `timeout`.

    """

    def __init__(
        self,
        message: str,
        *,
        is_total: bool = False,
        retryable: bool = False,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message, retryable=retryable, idempotency_key=idempotency_key)
        self.is_total = is_total


class APIResponseValidationError(ScripeError):
    """The response has a success status, but its body is not what the API documents.

    Attributes:
        status_code: HTTP status.
        request_id: The API's id of the request (`req_…`), to quote to its support.
        body: Body of the response: JSON where it is JSON, else text.

    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        request_id: str | None = None,
        body: JSON = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message, idempotency_key=idempotency_key)
        self.status_code = status_code
        self.request_id = request_id
        self.body = body


class APIStatusError(ScripeError):
    """The API responded with an error status, or with a redirect (redirects are not followed).

    Attributes:
        status_code: HTTP status.
        code: The API's stable name of the error, such as `not_found`; None if the response has none.
        request_id: The API's id of the request (`req_…`), to quote to its support.
        docs_url: URL of the API's page about this error.
        details: Extra fields that the API sent as `details`.
        meta: Extra fields that the API sent as `meta`.
        headers: Headers of the response; lookups ignore case.
        body: Body of the response: JSON where it is JSON, else text, cut at 1 MiB; secrets are redacted.
        retry_after: Seconds to wait before the next attempt, from `Retry-After`; None if the response has none.
        idempotent_replayed: True if the API replayed its earlier response to this idempotency key; None if it did not
            say.

    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str | None = None,
        request_id: str | None = None,
        docs_url: str | None = None,
        details: Mapping[str, JSON] | None = None,
        meta: Mapping[str, JSON] | None = None,
        headers: Mapping[str, str] | None = None,
        body: JSON = None,
        retryable: bool = False,
        retry_after: float | None = None,
        idempotent_replayed: bool | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message, retryable=retryable, idempotency_key=idempotency_key)
        self.status_code = status_code
        self.retry_after = retry_after
        self.idempotent_replayed = idempotent_replayed
        self.code = code
        self.request_id = request_id
        self.docs_url = docs_url
        self.details: Mapping[str, JSON] = details or {}
        self.meta: Mapping[str, JSON] = meta or {}
        self.headers: Mapping[str, str] = headers or {}
        self.body = body

    @property
    def extra(self) -> dict[str, JSON]:
        """`details` and `meta` in one mapping: the API uses one of them for some codes, and the other for others."""
        return {**self.details, **self.meta}

    def __str__(self) -> str:
        parts = [f"HTTP {self.status_code}", self.code, self.request_id and f"request {self.request_id}"]
        return f"{self.message} ({', '.join(clip(part, 100) for part in parts if part)})"


class InvalidRequestError(APIStatusError):
    """The request is invalid: sending it again unchanged does not help."""


class BadRequestError(InvalidRequestError):
    """400: a field is missing, or has a wrong type or an unknown value."""


class BadCursorError(BadRequestError):
    """400 `bad_cursor`: the page cursor is malformed or stale, or belongs to other filters."""


class BadPaginationError(BadRequestError):
    """400 `bad_pagination`: the page size is out of range."""


class VersionUnsupportedError(BadRequestError):
    """400 `version_unsupported`: the API does not serve this version, or no longer."""

    @property
    def accepted(self) -> list[str]:
        """Versions that the API accepts, as `YYYY-MM-DD`."""
        return _to_strings(self.extra.get("accepted"))


class PayloadTooLargeError(InvalidRequestError):
    """413: the body, or a field of it, is larger than the endpoint accepts."""


class UnprocessableEntityError(InvalidRequestError):
    """422: the request is well-formed, but breaks a rule of the API, such as a date in the past."""


class AuthenticationError(APIStatusError):
    """401: the API key is missing, unknown, revoked or expired; `code` says which."""


class SpendCapExceededError(APIStatusError):
    """402: the workspace's daily spend cap for AI work is reached; no job was created.

    Call again after `resets_at`, with another idempotency key: for the same key, the API may repeat this response for
    24 hours (a guess). With a ledger, `Scripe(ledger=…)`, call again with the same one.
    """

    @property
    def spent_cents(self) -> int | None:
        """Cents spent today."""
        return _to_int(self.extra.get("spentCents"))

    @property
    def cap_cents(self) -> int | None:
        """The daily spend cap, in cents."""
        return _to_int(self.extra.get("capCents"))

    @property
    def estimate_cents(self) -> int | None:
        """Estimated cost of the rejected job, in cents."""
        return _to_int(self.extra.get("estimateCents"))

    @property
    def resets_at(self) -> datetime | None:
        """Time of the next reset: midnight UTC after the day that the API named; None if it named none."""
        from datetime import UTC, date, time, timedelta

        try:
            day = date.fromisoformat(str(self.extra.get("bucketDate"))) + timedelta(days=1)
        except (ValueError, OverflowError):
            return None
        return datetime.combine(day, time(), UTC)


class PermissionDeniedError(APIStatusError):
    """403: the API key is valid, but does not permit this call."""


class ScopeMissingError(PermissionDeniedError):
    """403 `scope_missing`: the API key lacks a scope; an admin can add it in the dashboard."""

    @property
    def required(self) -> list[Scope]:
        """Scopes of which any one is enough; empty if only the message names them."""
        return _to_strings(self.extra.get("required"))


class PlanNotEligibleError(PermissionDeniedError):
    """403 `plan_not_eligible`: the plan has no API access, or the subscription is not in good standing."""


class WorkspaceMismatchError(PermissionDeniedError):
    """403 `workspace_mismatch`: the token does not cover this workspace."""


class NotFoundError(APIStatusError):
    """404: the id is unknown, or belongs to another workspace (the API does not distinguish these)."""


class ConflictError(APIStatusError):
    """409: the call conflicts with the current state, such as scheduling a post while LinkedIn is not connected."""


class IdempotencyConflictError(ConflictError):
    """409 `idempotency_key_conflict`: the idempotency key was used within 24 hours with another body.

    The same file counts as another body once the upload link of the first call has expired (`Upload.expires_at`, about
    15 minutes, a guess). With a ledger, `Scripe(ledger=…)`, the same call returns what was made instead.
    """

    def __str__(self) -> str:
        return (
            f"{super().__str__()}. An idempotency key belongs to one body for 24 hours. A file that is sent again "
            "after its upload link has expired (about 15 minutes) is another body: look for the first job in "
            "jobs.list() before you use another key. With a ledger, Scripe(ledger=…), a key lasts for good."
        )


class NotCancellableError(ConflictError):
    """409 `not_cancellable`: the job is no longer queued."""


class RateLimitError(APIStatusError):
    """429: the workspace's rate limit is reached.

    Attributes:
        rate_limit: The rate limit, as reported by the headers of the response.

    """

    rate_limit: RateLimit | None = None


class ServerError(APIStatusError):
    """5xx: the API, or a proxy in front of it, failed."""


class ServiceUnavailableError(ServerError):
    """503: the API is temporarily unavailable."""


class UploadError(ScripeError):
    """Storage rejected the file, or stored other bytes than were sent.

    Attributes:
        status_code: HTTP status of storage's response; None if nothing was sent.
        storage_code: Storage's error code, such as `AccessDenied`.
        storage_message: Storage's error message.

    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        storage_code: str | None = None,
        storage_message: str | None = None,
        retryable: bool = False,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message, retryable=retryable, idempotency_key=idempotency_key)
        self.status_code = status_code
        self.storage_code = storage_code
        self.storage_message = storage_message


class UploadExpiredError(UploadError):
    """The upload link has expired or was used before: create a new one with `uploads.create`."""


class UploadTooLargeError(UploadError):
    """The file is larger than the upload link allows."""


class UploadIntegrityError(UploadError):
    """Storage has other bytes than the file, or the file changed while it was sent."""


class FileUnreadableError(UploadError, OSError):
    """The file could not be read to its end; nothing was created from it."""


class JobError(ScripeError):
    """A job failed, was cancelled, or did not finish in time."""


class JobFailedError(JobError):
    """The job failed; `job.error_code` and `job.error_message` say why."""

    def __init__(self, message: str, *, job: Job, idempotency_key: str | None = None) -> None:
        super().__init__(message, idempotency_key=idempotency_key)
        self.job = job


class JobCancelledError(JobError):
    """The job was cancelled while it was queued."""

    def __init__(self, message: str, *, job: Job, idempotency_key: str | None = None) -> None:
        super().__init__(message, idempotency_key=idempotency_key)
        self.job = job


class JobTimeoutError(JobError, TimeoutError):
    """A job did not finish within the `timeout` of the wait; it continues on the server.

    Attributes:
        jobs: The jobs of the wait as last fetched, in the order given; a job that was never fetched is left out.

    """

    def __init__(self, message: str, *, jobs: Sequence[Job], idempotency_key: str | None = None) -> None:
        super().__init__(message, retryable=True, idempotency_key=idempotency_key)
        self.jobs: list[Job] = list(jobs)


class LedgerError(ScripeError):
    """The ledger's file cannot be read, written or locked, or is not a ledger."""


class FilesFailedError(ScripeError):
    """Files of a bulk run were refused or failed; the message names the first of them."""


class UnsettledWriteError(ScripeError):
    """A write was sent long ago, and nothing can prove whether it was done; it is not sent again by itself.

    Attributes:
        candidates: Ids of jobs or things that it may have made; empty if none could be found.

    """

    def __init__(
        self,
        message: str,
        *,
        candidates: Sequence[str] = (),
        retryable: bool = False,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message, retryable=retryable, idempotency_key=idempotency_key)
        self.candidates: tuple[str, ...] = tuple(candidates)


class OAuthError(ScripeError):
    """The authorization server refused a request, or a login cannot be used.

    Attributes:
        error: The server's error code, such as `invalid_grant`; None if no response holds one.
        description: The server's own words on it; None without any.

    """

    def __init__(
        self,
        message: str,
        *,
        error: str | None = None,
        description: str | None = None,
        retryable: bool = False,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message, retryable=retryable, idempotency_key=idempotency_key)
        self.error = error
        self.description = description


class DiscoveryError(OAuthError):
    """The metadata of the authorization server cannot be read, or must not be trusted."""


class RegistrationError(OAuthError):
    """The authorization server does not register the application, or does not know its client id."""


class CallbackError(OAuthError):
    """A callback does not belong to the request that this browser began; nothing was exchanged or stored."""


class ExchangeLostError(OAuthError):
    """No response to the exchange of a code arrived. A code works once: send the browser to a new request."""


class ConsentDeniedError(OAuthError):
    """The user denied access, or the authorization server refused to ask."""


class LoginTimeoutError(OAuthError, TimeoutError):
    """Nobody finished signing in before the timeout."""


class ConsentRequiredError(OAuthError):
    """A login is over: the user has to allow access again. Any call of the API with a login may raise this.

    Attributes:
        reason: `missing` if there is no login, `revoked`, `expired`, or `response_lost` if the response with new tokens
            never arrived, so that the old ones are used up.
        name: The name of the login in its token store.

    """

    def __init__(
        self,
        message: str,
        *,
        reason: ConsentReason,
        name: str,
        error: str | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message, error=error, description=description, idempotency_key=idempotency_key)
        self.reason: ConsentReason = reason
        self.name = name


class TokenStoreError(OAuthError):
    """A token store cannot be read, locked or written, or belongs to another user."""


class TokenStoreWarning(UserWarning):
    """Tokens could not be saved, and are kept in memory until a later use saves them; or others could read them."""


class ClientClosedError(ScripeError, RuntimeError):
    """The client was used after `close`, its own or that of the client that it is a copy of."""


class ScripeDeprecationWarning(FutureWarning):
    """The API has announced the end of the API version in use. The warning is shown once per process.

    Attributes:
        idempotency_key: If a warning filter raises this as an error: the idempotency key of the write that was sent;
            None for a read.

    """

    idempotency_key: str | None = None


def _to_strings(value: JSON) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _to_int(value: JSON) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
