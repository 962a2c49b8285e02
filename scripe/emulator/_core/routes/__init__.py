"""The route table: one file a resource, each listed here once."""

from ..routing import Resource
from ..services import JobHandler
from . import (
    generations,
    health,
    jobs,
    knowledge,
    notes,
    post_statuses,
    posts,
    projects,
    sources,
    uploads,
    webhooks,
    workspaces,
)

RESOURCES: tuple[Resource, ...] = (
    health.RESOURCE,
    workspaces.RESOURCE,
    projects.RESOURCE,
    notes.RESOURCE,
    posts.RESOURCE,
    post_statuses.RESOURCE,
    generations.RESOURCE,
    uploads.RESOURCE,
    sources.RESOURCE,
    knowledge.RESOURCE,
    jobs.RESOURCE,
    webhooks.RESOURCE,
)
ROUTES = tuple(route for resource in RESOURCES for route in resource.routes)
RESOURCE_NAMES = frozenset(name for resource in RESOURCES for name in resource.names)
JOB_HANDLERS: dict[str, JobHandler] = {
    name: job_handlers for resource in RESOURCES for name, job_handlers in resource.job_handlers.items()
}
