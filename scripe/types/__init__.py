"""Models of what the API sends and accepts, one file for each resource. A file is imported when first used."""

from .. import _lazy

TYPE_CHECKING = False  # as in `scripe/__init__.py`

if TYPE_CHECKING:
    from ._base import JSON as JSON
    from ._base import JSONInput as JSONInput
    from ._base import Model as Model
    from .health import Health as Health
    from .health import HealthAuth as HealthAuth
    from .health import HealthCheck as HealthCheck
    from .health import HealthChecks as HealthChecks
    from .health import WorkspaceReference as WorkspaceReference
    from .job import Job as Job
    from .job import JobProgress as JobProgress
    from .job import JobResult as JobResult
    from .job import JobStatus as JobStatus
    from .job import JobType as JobType
    from .ledger import ItemState as ItemState
    from .ledger import LedgerItem as LedgerItem
    from .not_given import NOT_GIVEN as NOT_GIVEN
    from .not_given import NotGiven as NotGiven
    from .note import ContentType as ContentType
    from .note import Note as Note
    from .note import NoteSlot as NoteSlot
    from .page import Page as Page
    from .page import Pagination as Pagination
    from .post import Post as Post
    from .post import PostStatus as PostStatus
    from .post import WorkspacePostStatus as WorkspacePostStatus
    from .progress import Progress as Progress
    from .progress import Stage as Stage
    from .project import Project as Project
    from .project import ProjectStatus as ProjectStatus
    from .project import ProjectType as ProjectType
    from .response_info import Deprecation as Deprecation
    from .response_info import Headers as Headers
    from .response_info import RateLimit as RateLimit
    from .response_info import ResponseInfo as ResponseInfo
    from .source import Hook as Hook
    from .source import Source as Source
    from .source import SourceStatus as SourceStatus
    from .source import Topic as Topic
    from .upload import Upload as Upload
    from .webhook_endpoint import WebhookEndpoint as WebhookEndpoint
    from .webhook_endpoint import WebhookEvent as WebhookEvent
    from .workspace import CurrentWorkspace as CurrentWorkspace
    from .workspace import Plan as Plan
    from .workspace import Principal as Principal
    from .workspace import Scope as Scope
    from .workspace import Workspace as Workspace
else:
    _EXPORTS = {
        "_base": ["JSON", "JSONInput", "Model"],
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
    __all__ = sorted(name for names in _EXPORTS.values() for name in names)
    __getattr__, __dir__ = _lazy.make_lazy_exports(
        __name__, {name: f".{module}" for module, names in _EXPORTS.items() for name in names}
    )
