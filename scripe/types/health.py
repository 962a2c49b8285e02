"""Health of the API and of an API key. https://apidocs.scripe.io/api/v1/health"""

from __future__ import annotations

from typing import Annotated

from .. import _vocabulary
from ._base import OPEN_ENUM, Model
from .workspace import Principal


class HealthCheck(Model):
    """One dependency of the API.

    Attributes:
        ok: True if it works.
        latency_ms: Its response time, in milliseconds.
        depth: Number of entries waiting (audit buffer only).
        error: A description of the problem, if there is one.

    """

    ok: bool
    latency_ms: float | None = None
    depth: int | None = None
    error: str | None = None


class HealthChecks(Model):
    """The dependencies of the API.

    Attributes:
        db: The database, which everything needs.
        redis: The cache, which rate limits and the audit log need.
        audit_buffer: The entries that wait to be written to the audit log.

    """

    db: HealthCheck | None = None
    redis: HealthCheck | None = None
    audit_buffer: HealthCheck | None = None


class Health(Model):
    """The API's report on its own health.

    Attributes:
        status: `ok` or `degraded`.
        version: The API version that this instance serves by default.
        checks: Its dependencies.

    """

    status: Annotated[_vocabulary.HealthStatus | str, OPEN_ENUM] | None = None
    version: str | None = None
    checks: HealthChecks | None = None

    @property
    def is_ok(self) -> bool:
        """True if the API reports that it is healthy."""
        return self.status == "ok"


class WorkspaceReference(Model):
    """A workspace, by its id only.

    Attributes:
        id: `org_…`.

    """

    id: str


class HealthAuth(Health):
    """The reach of a valid API key. The API's pages disagree on these fields, so each may be absent.

    Attributes:
        workspace: The workspace of the API key.
        principal: The API key itself, with its scopes.

    """

    workspace: WorkspaceReference | None = None
    principal: Principal | None = None
