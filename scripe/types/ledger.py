"""Items of a ledger, as `Ledger.find` and `Ledger.items` return them."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ._base import Instant, Model

ItemState: TypeAlias = Literal[
    "planned", "stored", "sending", "submitted", "done", "refused", "failed", "cancelled", "unknown"
]


class LedgerItem(Model):
    """An idempotency key, as a ledger knows it.

    Attributes:
        idempotency_key: The key.
        route: The route that it was used on, such as `POST /sources`.
        method: The method that used it, such as `sources.ingest`.
        state: `planned`, `stored`, `sending`, `submitted`, `done`, `refused`, `failed`, `cancelled` or `unknown`.
        result_id: Id of the thing that was made, once it is known.
        job_id: Id of its latest job.
        code: Error code of a refusal or of a failed job.
        generation: 0 while the key itself goes over the wire; one more for each time that it was replaced.
        candidates: Ids of what may have been made, if the state is `unknown`.
        base_url: Base URL of the API that it was sent to; empty if a person brought it in.
        workspace_id: `org_…`, its workspace; empty if a person brought it in.
        created_at: Time at which it was first written.
        updated_at: Time of its last change.

    """

    idempotency_key: str
    route: str
    method: str
    state: ItemState
    result_id: str | None
    job_id: str | None
    code: str | None
    generation: int
    candidates: tuple[str, ...]
    base_url: str
    workspace_id: str
    created_at: Instant
    updated_at: Instant
