"""Python SDK for the Scripe API v1: recordings, files and notes in, LinkedIn posts out.

    from scripe import Scripe

    client = Scripe()
    source = client.sources.ingest("podcast.m4a", project_id="proj_…")

Every name is loaded when it is first used.
"""

from . import _lazy
from ._version import __version__ as __version__

TYPE_CHECKING = (
    False  # type checkers know it by its name; to import it from `typing` takes longer than all else
)

if TYPE_CHECKING:
    from . import errors as errors
    from . import types as types
    from ._async.client import AsyncScripe as AsyncScripe
    from ._async.pager import AsyncPager as AsyncPager
    from ._core.idempotency import idempotency_key as idempotency_key
    from ._core.rate_limit import RateLimiter as RateLimiter
    from ._ledger import Ledger as Ledger
    from ._sync.client import Scripe as Scripe
    from ._sync.pager import Pager as Pager
    from .errors import APIConnectionError as APIConnectionError
    from .errors import APIResponseValidationError as APIResponseValidationError
    from .errors import APIStatusError as APIStatusError
    from .errors import APITimeoutError as APITimeoutError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import BadCursorError as BadCursorError
    from .errors import BadPaginationError as BadPaginationError
    from .errors import BadRequestError as BadRequestError
    from .errors import ClientClosedError as ClientClosedError
    from .errors import ConfigurationError as ConfigurationError
    from .errors import ConflictError as ConflictError
    from .errors import FileIsDirectoryError as FileIsDirectoryError
    from .errors import FileMissingError as FileMissingError
    from .errors import IdempotencyConflictError as IdempotencyConflictError
    from .errors import InvalidArgumentError as InvalidArgumentError
    from .errors import InvalidRequestError as InvalidRequestError
    from .errors import JobCancelledError as JobCancelledError
    from .errors import JobError as JobError
    from .errors import JobFailedError as JobFailedError
    from .errors import JobTimeoutError as JobTimeoutError
    from .errors import LedgerConflictError as LedgerConflictError
    from .errors import LedgerError as LedgerError
    from .errors import NotCancellableError as NotCancellableError
    from .errors import NotFoundError as NotFoundError
    from .errors import PayloadTooLargeError as PayloadTooLargeError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import PlanNotEligibleError as PlanNotEligibleError
    from .errors import RateLimitError as RateLimitError
    from .errors import ScopeMissingError as ScopeMissingError
    from .errors import ScripeDeprecationWarning as ScripeDeprecationWarning
    from .errors import ScripeError as ScripeError
    from .errors import ServerError as ServerError
    from .errors import ServiceUnavailableError as ServiceUnavailableError
    from .errors import SpendCapExceededError as SpendCapExceededError
    from .errors import UnprocessableEntityError as UnprocessableEntityError
    from .errors import UnsettledWriteError as UnsettledWriteError
    from .errors import UploadError as UploadError
    from .errors import UploadExpiredError as UploadExpiredError
    from .errors import UploadIntegrityError as UploadIntegrityError
    from .errors import UploadTooLargeError as UploadTooLargeError
    from .errors import VersionUnsupportedError as VersionUnsupportedError
    from .errors import WorkspaceMismatchError as WorkspaceMismatchError
    from .types import JSON as JSON
    from .types import NOT_GIVEN as NOT_GIVEN
    from .types import ContentType as ContentType
    from .types import CurrentWorkspace as CurrentWorkspace
    from .types import Deprecation as Deprecation
    from .types import Headers as Headers
    from .types import Health as Health
    from .types import HealthAuth as HealthAuth
    from .types import HealthCheck as HealthCheck
    from .types import HealthChecks as HealthChecks
    from .types import Hook as Hook
    from .types import ItemState as ItemState
    from .types import Job as Job
    from .types import JobProgress as JobProgress
    from .types import JobResult as JobResult
    from .types import JobStatus as JobStatus
    from .types import JobType as JobType
    from .types import JSONInput as JSONInput
    from .types import LedgerItem as LedgerItem
    from .types import Model as Model
    from .types import Note as Note
    from .types import NoteSlot as NoteSlot
    from .types import NotGiven as NotGiven
    from .types import Page as Page
    from .types import Pagination as Pagination
    from .types import Plan as Plan
    from .types import Post as Post
    from .types import PostStatus as PostStatus
    from .types import Principal as Principal
    from .types import Progress as Progress
    from .types import Project as Project
    from .types import ProjectStatus as ProjectStatus
    from .types import ProjectType as ProjectType
    from .types import RateLimit as RateLimit
    from .types import ResponseInfo as ResponseInfo
    from .types import Scope as Scope
    from .types import Source as Source
    from .types import SourceStatus as SourceStatus
    from .types import Stage as Stage
    from .types import Topic as Topic
    from .types import Upload as Upload
    from .types import WebhookEndpoint as WebhookEndpoint
    from .types import WebhookEvent as WebhookEvent
    from .types import Workspace as Workspace
    from .types import WorkspacePostStatus as WorkspacePostStatus
    from .types import WorkspaceReference as WorkspaceReference
else:
    _HOMES = {
        "_async.client": ["AsyncScripe"],
        "_async.pager": ["AsyncPager"],
        "_core.idempotency": ["idempotency_key"],
        "_core.rate_limit": ["RateLimiter"],
        "_ledger": ["Ledger"],
        "_sync.client": ["Scripe"],
        "_sync.pager": ["Pager"],
        "errors": [
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
            "LedgerConflictError",
            "LedgerError",
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
            "UnsettledWriteError",
            "UploadError",
            "UploadExpiredError",
            "UploadIntegrityError",
            "UploadTooLargeError",
            "VersionUnsupportedError",
            "WorkspaceMismatchError",
        ],
        "types": [
            "ContentType",
            "CurrentWorkspace",
            "Deprecation",
            "Headers",
            "Health",
            "HealthAuth",
            "HealthCheck",
            "HealthChecks",
            "Hook",
            "ItemState",
            "JSON",
            "JSONInput",
            "Job",
            "JobProgress",
            "JobResult",
            "JobStatus",
            "JobType",
            "LedgerItem",
            "Model",
            "NOT_GIVEN",
            "NotGiven",
            "Note",
            "NoteSlot",
            "Page",
            "Pagination",
            "Plan",
            "Post",
            "PostStatus",
            "Principal",
            "Progress",
            "Project",
            "ProjectStatus",
            "ProjectType",
            "RateLimit",
            "ResponseInfo",
            "Scope",
            "Source",
            "SourceStatus",
            "Stage",
            "Topic",
            "Upload",
            "WebhookEndpoint",
            "WebhookEvent",
            "Workspace",
            "WorkspacePostStatus",
            "WorkspaceReference",
        ],
    }
    __all__ = ["__version__", *sorted(name for names in _HOMES.values() for name in names)]
    _load, __dir__ = _lazy.make_lazy_exports(
        __name__, {name: f".{home}" for home, names in _HOMES.items() for name in names}
    )

    def __getattr__(name):
        if name in ("errors", "types"):
            return _lazy.import_module(f".{name}", __name__)
        return _load(name)
