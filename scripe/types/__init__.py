"""Models of what the API sends and accepts, one file for each resource. A file is imported when first used."""

from .. import _lazy

TYPE_CHECKING = False  # as in `scripe/__init__.py`

__all__ = [
    "JSON",
    "NOT_GIVEN",
    "BulkFile",
    "BulkFileStatus",
    "BulkPlan",
    "BulkProgress",
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
    "JSONInput",
    "Job",
    "JobProgress",
    "JobResult",
    "JobStatus",
    "JobType",
    "LedgerItem",
    "Model",
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
]

if TYPE_CHECKING:
    from ._base import JSON, JSONInput, Model
    from .bulk import BulkFile, BulkFileStatus, BulkPlan, BulkProgress
    from .health import Health, HealthAuth, HealthCheck, HealthChecks, WorkspaceReference
    from .job import Job, JobProgress, JobResult, JobStatus, JobType
    from .ledger import ItemState, LedgerItem
    from .not_given import NOT_GIVEN, NotGiven
    from .note import ContentType, Note, NoteSlot
    from .page import Page, Pagination
    from .post import Post, PostStatus, WorkspacePostStatus
    from .progress import Progress, Stage
    from .project import Project, ProjectStatus, ProjectType
    from .response_info import Deprecation, Headers, RateLimit, ResponseInfo
    from .source import Hook, Source, SourceStatus, Topic
    from .upload import Upload
    from .webhook_endpoint import WebhookEndpoint, WebhookEvent
    from .workspace import CurrentWorkspace, Plan, Principal, Scope, Workspace
else:
    _EXPORTS = {
        "_base": ["JSON", "JSONInput", "Model"],
        "bulk": ["BulkFile", "BulkFileStatus", "BulkPlan", "BulkProgress"],
        "health": ["Health", "HealthAuth", "HealthCheck", "HealthChecks", "WorkspaceReference"],
        "job": ["Job", "JobProgress", "JobResult", "JobStatus", "JobType"],
        "ledger": ["ItemState", "LedgerItem"],
        "not_given": ["NOT_GIVEN", "NotGiven"],
        "note": ["ContentType", "Note", "NoteSlot"],
        "page": ["Page", "Pagination"],
        "post": ["Post", "PostStatus", "WorkspacePostStatus"],
        "progress": ["Progress", "Stage"],
        "project": ["Project", "ProjectStatus", "ProjectType"],
        "response_info": ["Deprecation", "Headers", "RateLimit", "ResponseInfo"],
        "source": ["Hook", "Source", "SourceStatus", "Topic"],
        "upload": ["Upload"],
        "webhook_endpoint": ["WebhookEndpoint", "WebhookEvent"],
        "workspace": ["CurrentWorkspace", "Plan", "Principal", "Scope", "Workspace"],
    }
    __getattr__, __dir__ = _lazy.make_lazy_exports(
        __name__, {name: f".{module}" for module, names in _EXPORTS.items() for name in names}
    )
