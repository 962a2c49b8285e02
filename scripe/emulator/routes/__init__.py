"""The route table: one file a resource, each listed here once."""

from collections.abc import Callable

from scripe.emulator.backend import Backend
from scripe.emulator.routes import health, jobs, projects, sources, uploads, workspaces
from scripe.emulator.routing import JobWork, Resource
from scripe.emulator.state import Record, new_id
from scripe.emulator.wire import JsonObject

RESOURCES: tuple[Resource, ...] = (
    health.RESOURCE,
    workspaces.RESOURCE,
    projects.RESOURCE,
    uploads.RESOURCE,
    sources.RESOURCE,
    jobs.RESOURCE,
)
ROUTES = tuple(route for resource in RESOURCES for route in resource.routes)
KINDS = frozenset(kind for resource in RESOURCES for kind in resource.kinds)
WORK: dict[str, JobWork] = {name: work for resource in RESOURCES for name, work in resource.work.items()}


def work_of(job_type: object) -> Callable[[Backend, Record, int], JsonObject]:
    """What a job of this type does when it ends; a type that no route submits only names a result."""
    return WORK.get(str(job_type), _named_result)


def _named_result(_backend: Backend, job: Record, _moment: int) -> JsonObject:
    if job.fields["type"] == "POST_GENERATION":
        return {"postId": new_id("post")}
    return {"documentId": new_id("kb")}
