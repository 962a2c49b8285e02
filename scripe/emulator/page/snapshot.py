"""Take a snapshot of the emulator for the page: plain values, read in one transaction."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from sqlite3 import Row
from typing import TypeAlias

from ..._vocabulary import SUCCESS_STATUSES
from .._core.application import Application
from .._core.canonical_json import Json, JsonObject
from .._core.database import Record
from .._core.dates import EPOCH, format_datetime
from .._core.faults import Delay, Drop, Failure, Fault
from .._core.jobs import ACTIVE
from .._core.masking import mask_secrets
from .._core.messages import ReceivedRequest
from .._core.routes import RESOURCE_NAMES
from .._core.services import Services
from .._core.settings import SCOPES
from .._core.spending import CAPS
from .formatting import format_age, format_body, format_milliseconds, format_target, truncate

MAX_REQUESTS = 100
MAX_JOBS = 10
MAX_POSTS = 10
MAX_MESSAGE = 300
MAX_SHOWN_BODY = 1_000
MAX_KEYS = 50
MAX_WORKSPACES = 20
WARNING_SHARE = 0.8
View: TypeAlias = dict[str, object]
"""What a template shows, by the names that it uses."""


def take_snapshot(application: Application) -> View:
    """Return everything that the page shows, as it is now."""
    services, received = application.services, application.recorder.requests
    database = services.database
    with database.transaction():
        services.advance_due()
        now = services.clock.now()
        return {
            "moment": format_datetime(now),
            "time": f"{now:%Y-%m-%d %H:%M:%S}",
            "frozen": services.clock.frozen,
            "requests": request_rows(received),
            "request_count": len(received),
            "jobs": [_job_row(services, job, now) for job in database.latest("jobs", MAX_JOBS, ACTIVE)],
            "job_count": database.count("jobs"),
            "posts": [_post_row(post, now) for post in database.latest("posts", MAX_POSTS, ())],
            "post_count": database.count("posts"),
            "rate_window": f"{services.settings.rate_window:g}",
            "workspaces": [
                _workspace_row(services, row, now) for row in services.auth.list_workspaces()[:MAX_WORKSPACES]
            ],
            "records": [
                (resource.replace("_", " "), database.count(resource)) for resource in sorted(RESOURCE_NAMES)
            ],
            "faults": [describe_fault(fault) for fault in application.faults.list_pending()],
            "api_keys": api_key_rows(services, now.date()),
        }


def state_document(application: Application) -> JsonObject:
    """Return what programs can read: the time, how many requests and records there are, and the pending faults."""
    services = application.services
    with services.database.transaction():
        services.advance_due()
        return {
            "time": format_datetime(services.clock.now()),
            "frozen": services.clock.frozen,
            "requests": len(application.recorder.requests),
            "records": {resource: services.database.count(resource) for resource in sorted(RESOURCE_NAMES)},
            "faults": [describe_fault(fault) for fault in application.faults.list_pending()],
        }


def requests_document(application: Application) -> list[Json]:
    """Return the requests that programs can read, in the order in which they were answered."""
    return [
        {
            "time": format_datetime(request.received_at),
            "method": request.method,
            "path": mask_secrets(request.path),
            "status": request.status,
            "error_code": request.error_code,
            "request_id": request.request_id,
            "idempotency_key": mask_secrets(request.headers.get("idempotency-key", "")) or None,
            "replayed": request.replayed,
            "connection_dropped": request.connection_dropped,
        }
        for request in application.recorder.requests
    ]


def request_rows(received: Iterable[ReceivedRequest]) -> list[View]:
    """Return the newest requests, newest first, each with its attempt among those with the same key and path."""
    attempts: Counter[tuple[str, str, str]] = Counter()
    counted: list[tuple[ReceivedRequest, str, int]] = []
    for request in received:
        idempotency_key = request.headers.get("idempotency-key", "")
        target = (request.method, request.path, idempotency_key)
        attempts[target] += 1
        counted.append((request, idempotency_key, attempts[target] if idempotency_key else 0))
    return [_request_row(*entry) for entry in reversed(counted[-MAX_REQUESTS:])]


def _request_row(request: ReceivedRequest, idempotency_key: str, attempt: int) -> View:
    return {
        "moment": format_datetime(request.received_at),
        "time": f"{request.received_at:%H:%M:%S}",
        "method": request.method,
        "path": format_target(request),
        "status": request.status,
        "failed": request.status >= 400 or request.connection_dropped,
        "code": mask_secrets(request.error_code or ""),
        "message": truncate(mask_secrets(request.error_message or ""), MAX_MESSAGE),
        "id": request.request_id or "",
        "body": format_body(request, MAX_SHOWN_BODY),
        "idempotency_key": mask_secrets(idempotency_key),
        "short_key": truncate(mask_secrets(idempotency_key)),
        "replayed": request.replayed,
        "connection_dropped": request.connection_dropped,
        "attempt": attempt,
        "ms": format_milliseconds(request.milliseconds),
    }


def _post_row(post: Record, now: datetime) -> View:
    return {
        "id": post.id,
        "title": mask_secrets(str(post.fields["title"])),
        "status": str(post.fields["status"]),
        "scheduled_at": str(post.fields["scheduledAt"] or ""),
        "content": truncate(mask_secrets(str(post.fields["content"])), MAX_SHOWN_BODY),
        "age": _age(post, now),
    }


def _job_row(services: Services, job: Record, now: datetime) -> View:
    status = str(job.fields["status"])
    fraction, message = _progress(services, job, status)
    return {
        "id": job.id,
        "type": str(job.fields["type"]),
        "status": status,
        "active": status in ACTIVE,
        "failed": status == "FAILED",
        "fraction": fraction,
        "message": mask_secrets(message),
        "age": _age(job, now),
    }


def _progress(services: Services, job: Record, status: str) -> tuple[float | None, str]:
    """Return how far a job is, None where a bar makes no sense, and a message."""
    fields = services.jobs.to_json(job, live=True)
    progress, result = fields["progress"], fields["result"]
    if isinstance(progress, dict):
        return float(str(progress["progress"])), str(progress.get("message", ""))
    if status in SUCCESS_STATUSES:
        return 1.0, ", ".join(map(str, result.values())) if isinstance(result, dict) else ""
    if status == "FAILED":
        return None, f"{fields['errorCode']}: {fields['errorMessage']}"
    return (0.0 if status == "QUEUED" else None), ""


def _age(record: Record, now: datetime) -> str:
    return format_age(now - EPOCH - timedelta(milliseconds=record.created_at))


def _workspace_row(services: Services, row: Row, now: datetime) -> View:
    cap = CAPS.get(row["plan"])
    spent = services.spending.get_spent(row["id"], now.date().isoformat())
    usage = services.rate_limiter.usage(row["id"], now)
    return {
        "name": row["name"],
        "plan": row["plan"],
        "rate_limits": [_gauge(bucket, used, limit) for bucket, (used, limit) in usage.items()],
        "spend_cap": None if cap is None else _gauge("spend", spent, cap),
        "spent": spent,
    }


def _gauge(name: str, used: int, limit: int) -> View:
    return {"name": name, "used": used, "limit": limit, "warning_level": int(limit * WARNING_SHARE)}


def describe_fault(fault: Fault) -> str:
    """Describe a pending fault in a sentence."""
    one = fault.times == 1
    requests = "The next request" if one else f"The next {fault.times} requests"
    target = " ".join(part for part in (fault.method, fault.path) if part)
    if isinstance(fault, Failure):
        code = f" {fault.code}" if fault.code else ""
        effect = f"{'fails' if one else 'fail'} with {fault.status}{code}"
    elif isinstance(fault, Delay):
        effect = f"{'gets its response' if one else 'get their responses'} {fault.seconds:g} s late"
    elif isinstance(fault, Drop) and fault.before:
        effect = "is lost before it is done" if one else "are lost before they are done"
    else:
        effect = "loses its response" if one else "lose their responses"
    return mask_secrets(f"{requests}{f' to {target}' if target else ''} {effect}")


def api_key_rows(services: Services, today: date) -> list[View]:
    """Return the newest API keys, in the order of their creation; ids name them without giving them away."""
    return [
        {
            "id": row["id"],
            "masked": mask_secrets(row["token"]),
            "workspace": row["workspace"],
            "scopes": _describe_scopes(json.loads(row["scopes"])),
            "state": _describe_validity(row, today),
        }
        for row in services.auth.list_keys()[-MAX_KEYS:]
    ]


def _describe_scopes(scopes: list[str]) -> str:
    return "every scope" if set(scopes) >= set(SCOPES) else ", ".join(scopes) or "no scope"


def _describe_validity(row: Row, today: date) -> str:
    if row["revoked"]:
        return "revoked"
    if row["expires_on"] is None:
        return "valid"
    has_expired = today >= date.fromisoformat(row["expires_on"])
    return f"{'expired on' if has_expired else 'valid until'} {row['expires_on']}"
