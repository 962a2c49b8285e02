"""Every error that this library raises, as one tree.

```text
ScripeError
├── ConfigurationError (also ValueError)     the client, the environment or an extra is set up wrongly
├── InvalidArgumentError (also ValueError)   an argument of a call is wrong; nothing was sent
│   ├── FileMissingError                     (also FileNotFoundError)
│   └── FileIsDirectoryError                 (also IsADirectoryError)
├── APIConnectionError                       no response, or half of one, came back
│   └── APITimeoutError                      it took longer than `timeout` or `total_timeout`
├── APIResponseValidationError               a 2xx whose body is not what the API promises
├── APIStatusError                           the API answered with an error, or a redirect
│   ├── InvalidRequestError                  the input is at fault
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
├── UploadError                              storage refused the bytes, or they could not be read
│   ├── UploadExpiredError
│   ├── UploadTooLargeError
│   └── UploadIntegrityError
│                                            (a file that cannot be read to its end is an UploadError
│                                            and an OSError)
├── JobError
│   ├── JobFailedError
│   ├── JobCancelledError
│   └── JobTimeoutError (also TimeoutError)
└── ClientClosedError (also RuntimeError)
```

Which code of the API becomes which class is a table in `scripe/_core/response.py`. Every error pickles,
deep-copies, and holds no secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

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
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "FileIsDirectoryError",
    "FileMissingError",
    "IdempotencyConflictError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JobTimeoutError",
    "NotCancellableError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PlanNotEligibleError",
    "RateLimitError",
    "ScopeMissingError",
    "ScripeDeprecationWarning",
    "ScripeError",
    "ServerError",
    "ServiceUnavailableError",
    "SpendCapExceededError",
    "UnprocessableEntityError",
    "UploadError",
    "UploadExpiredError",
    "UploadIntegrityError",
    "UploadTooLargeError",
    "VersionUnsupportedError",
    "WorkspaceMismatchError",
]

E = TypeVar("E", bound="ScripeError")


def _restore(error_class: type[E], arguments: tuple[object, ...], state: dict[str, object]) -> E:
    # Python refuses `error_class.__new__` where an OSError is a base, but not the first.
    new = OSError.__new__ if issubclass(error_class, OSError) else Exception.__new__
    error = new(error_class)
    error.args = arguments
    error.__dict__.update(state)
    return error


class ScripeError(Exception):
    """The root of the tree: catch it to catch everything this library raises.

    Attributes:
        message: What went wrong, for people.
        retryable: Whether the same call may well succeed later, unchanged.
        idempotency_key: The key of the write that failed, so that the caller can go on with it: the same
            call with this key makes no second record for 24 hours (with a file: while its upload link
            lives, about 15 minutes, a guess). None for reads.

    """

    def __init__(self, message: str, *, retryable: bool = False, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.idempotency_key = idempotency_key

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, self.__dict__)

    def _repr_html_(self) -> str:
        from ._html import error_card

        return error_card(type(self).__name__, self.message, vars(self))

    def _render_traceback_(self) -> list[str]:
        from ._tracebacks import format_traceback

        return format_traceback(self)


class ConfigurationError(ScripeError, ValueError):
    """The client, its environment, or an optional extra is set up wrongly; nothing was sent."""


class InvalidArgumentError(ScripeError, ValueError):
    """An argument of a call is wrong; nothing was sent."""


class FileMissingError(InvalidArgumentError, FileNotFoundError):
    """The file to upload does not exist; nothing was sent."""


class FileIsDirectoryError(InvalidArgumentError, IsADirectoryError):
    """The file to upload is a directory; nothing was sent."""


class APIConnectionError(ScripeError):
    """Nothing, or half an answer, came back."""


class APITimeoutError(APIConnectionError):
    """No response within `timeout` for one network operation, or within `total_timeout` for the whole call.

    Attributes:
        is_total: True if `total_timeout` has passed, or would have passed before anything could be sent.

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
    """A success status whose body is not what the API promises.

    Attributes:
        status_code: HTTP status.
        request_id: The API's id of the request, to quote to its support.
        body: What came: JSON if it was, else text.

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
    """The API answered with an error status, or with a redirect (none is followed).

    Attributes:
        status_code: HTTP status.
        code: The API's stable name of the error, such as `not_found`; None when the answer had none.
        request_id: The API's id of the request (`req_…`), to quote to its support.
        docs_url: Where the API says it documents this error.
        details: Extra fields that the API sent as `details`.
        meta: Extra fields that the API sent as `meta`.
        headers: The answer's headers; lookups ignore case.
        body: The answer's body: JSON if it was, else text, cut at 1 MiB; secrets are masked.
        retry_after: Seconds to wait at least before the next attempt, as the answer said; None if it did not.
        idempotent_replayed: True if the API replayed an earlier answer to this key; None where it did not say.

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
        """`details` and `meta` in one: the API uses the one for some codes and the other for others."""
        return {**self.details, **self.meta}

    def __str__(self) -> str:
        parts = [f"HTTP {self.status_code}", self.code, self.request_id and f"request {self.request_id}"]
        return f"{self.message} ({', '.join(clip(part, 100) for part in parts if part)})"


class InvalidRequestError(APIStatusError):
    """The input is at fault: sending it again unchanged cannot help."""


class BadRequestError(InvalidRequestError):
    """400: a field is missing, has the wrong type or an unknown value."""


class BadCursorError(BadRequestError):
    """400 `bad_cursor`: the page cursor is undecodable, stale, or belongs to other filters."""


class BadPaginationError(BadRequestError):
    """400 `bad_pagination`: the page size is out of range."""


class VersionUnsupportedError(BadRequestError):
    """400 `version_unsupported`: the API no longer, or not yet, serves this version."""

    @property
    def accepted(self) -> list[str]:
        """The versions that the API would accept, as `YYYY-MM-DD`."""
        return _to_strings(self.extra.get("accepted"))


class PayloadTooLargeError(InvalidRequestError):
    """413: the body, or one field of it, is larger than the endpoint takes."""


class UnprocessableEntityError(InvalidRequestError):
    """422: well-formed, but against a rule of the API."""


class AuthenticationError(APIStatusError):
    """401: no key, or one that is unknown, revoked or expired; `code` says which."""


class SpendCapExceededError(APIStatusError):
    """402: the workspace's daily cap for AI work is reached; no job was made.

    Call again after `resets_at`, with another idempotency key: under the same key the API may repeat this
    response for 24 hours (a guess).
    """

    @property
    def spent_cents(self) -> int | None:
        """What was spent today, in cents."""
        return _to_int(self.extra.get("spentCents"))

    @property
    def cap_cents(self) -> int | None:
        """The daily cap, in cents."""
        return _to_int(self.extra.get("capCents"))

    @property
    def estimate_cents(self) -> int | None:
        """What the refused job was estimated to cost, in cents."""
        return _to_int(self.extra.get("estimateCents"))

    @property
    def resets_at(self) -> datetime | None:
        """When the cap starts afresh, midnight UTC after the day that the API named; None if it named none."""
        from datetime import UTC, date, time, timedelta

        try:
            day = date.fromisoformat(str(self.extra.get("bucketDate"))) + timedelta(days=1)
        except (ValueError, OverflowError):
            return None
        return datetime.combine(day, time(), UTC)


class PermissionDeniedError(APIStatusError):
    """403: the key is good, but not for this."""


class ScopeMissingError(PermissionDeniedError):
    """403 `scope_missing`: the key lacks a scope; scopes are ticked in the dashboard."""

    @property
    def required(self) -> list[Scope]:
        """Scopes of which any one would do; empty when only the message names them."""
        return _to_strings(self.extra.get("required"))


class PlanNotEligibleError(PermissionDeniedError):
    """403 `plan_not_eligible`: the plan has no API access, or the subscription is not in good standing."""


class WorkspaceMismatchError(PermissionDeniedError):
    """403 `workspace_mismatch`: the token does not cover this workspace."""


class NotFoundError(APIStatusError):
    """404: the id is unknown, or belongs to another workspace (the API does not tell these apart)."""


class ConflictError(APIStatusError):
    """409: the state of things forbids it."""


class IdempotencyConflictError(ConflictError):
    """409 `idempotency_key_conflict`: the key was used within 24 hours with another body.

    A file counts as another body once the upload link of its first run has expired, after about 15 minutes
    (a guess; `Upload.expires_at` says it).
    """

    def __str__(self) -> str:
        return (
            f"{super().__str__()}. A key stands for one body for 24 hours. A file that is sent again after its upload "
            "link has expired (about 15 minutes) is another body: look in jobs.list() for the first job before you "
            "use another key."
        )


class NotCancellableError(ConflictError):
    """409 `not_cancellable`: the job is no longer queued."""


class RateLimitError(APIStatusError):
    """429: the workspace's rate limit is reached.

    Attributes:
        rate_limit: What the answer's headers said of the rate limit.

    """

    rate_limit: RateLimit | None = None


class ServerError(APIStatusError):
    """5xx: the fault is the API's, or of something before it."""


class ServiceUnavailableError(ServerError):
    """503: the API is not healthy at the moment."""


class UploadError(ScripeError):
    """Storage refused the bytes, or they did not arrive as they were sent.

    Attributes:
        status_code: HTTP status of storage; None when nothing was sent.
        storage_code: Storage's own code, such as `AccessDenied`.
        storage_message: Storage's own words.

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
    """The upload link is past its time or was used before: mint a new one with `uploads.create`."""


class UploadTooLargeError(UploadError):
    """The file is larger than the upload link allows."""


class UploadIntegrityError(UploadError):
    """The bytes that were stored, or could be read, are not those that were meant to be sent."""


class FileUnreadableError(UploadError, OSError):
    """The disk, or the file object, failed while the file was read; nothing was made of it."""


class JobError(ScripeError):
    """A job did not end well, or not in time."""


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
    """The wait was over before the job was; the job goes on.

    Attributes:
        jobs: All jobs of the wait as last seen, in the order given; one never seen is left out.

    """

    def __init__(self, message: str, *, jobs: Sequence[Job], idempotency_key: str | None = None) -> None:
        super().__init__(message, retryable=True, idempotency_key=idempotency_key)
        self.jobs: list[Job] = list(jobs)


class ClientClosedError(ScripeError, RuntimeError):
    """The client was used after it, or the client it was copied from, was closed."""


class ScripeDeprecationWarning(FutureWarning):
    """The API announced an end for the version in use; shown once per process.

    Attributes:
        idempotency_key: Where a filter for warnings raises it, the key of the write that was sent; None for a read.

    """

    idempotency_key: str | None = None


def _to_strings(value: JSON) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _to_int(value: JSON) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
