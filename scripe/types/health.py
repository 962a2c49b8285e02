"""Health of the API and of a key. https://apidocs.scripe.io/api/v1/health"""

from __future__ import annotations

from typing import Annotated

from .. import _vocabulary
from ._base import OPEN_ENUM, Model
from .workspace import Principal


class HealthCheck(Model):
    """One dependency of the API.

    Attributes:
        ok: Whether it works.
        latency_ms: How long it took to answer, in milliseconds.
        depth: Entries waiting (of the audit buffer).
        error: What is wrong with it.

    """

    ok: bool
    latency_ms: float | None = None
    depth: int | None = None
    error: str | None = None


class HealthChecks(Model):
    """All dependencies of the API that it reports.

    Attributes:
        db: The database; without it nothing works.
        redis: The cache; without it rate limits and audit suffer.
        audit_buffer: What waits to be written to the audit log.

    """

    db: HealthCheck | None = None
    redis: HealthCheck | None = None
    audit_buffer: HealthCheck | None = None


class Health(Model):
    """The API's own report; a degraded one is an answer, not an error.

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
        """Whether the API says of itself that all is well."""
        return self.status == "ok"


class WorkspaceReference(Model):
    """A workspace by its id alone.

    Attributes:
        id: `org_…`.

    """

    id: str


class HealthAuth(Health):
    """What a valid key reaches. The API's pages disagree on this shape, so every part may be absent.

    Attributes:
        workspace: The workspace that the key belongs to.
        principal: Who the key is, with its scopes.

    """

    workspace: WorkspaceReference | None = None
    principal: Principal | None = None
