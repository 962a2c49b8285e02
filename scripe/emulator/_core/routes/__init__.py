"""The route table: one file a resource, each listed here once."""

from ..routing import JobWork, Resource
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
KINDS = frozenset(kind for resource in RESOURCES for kind in resource.kinds)
WORK: dict[str, JobWork] = {name: work for resource in RESOURCES for name, work in resource.work.items()}
