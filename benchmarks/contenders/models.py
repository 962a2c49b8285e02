"""What every contender reads: a job, as the API sends it, with the base class that the contender has for it."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace


def made_of(base, *, is_aliased=False):
    """`Envelope` for one job, `Page` for many; with attributes in snake_case where the base class can rename."""
    configured = {}
    if is_aliased:
        from pydantic import ConfigDict
        from pydantic.alias_generators import to_camel

        configured = {"model_config": ConfigDict(alias_generator=to_camel)}

    def named(name: str) -> str:
        return (
            name
            if is_aliased
            else "".join(part.title() if at else part for at, part in enumerate(name.split("_")))
        )

    def model(name, **fields):
        given = {named(field): kind for field, kind in fields.items()}
        optional = {
            field: None for field, kind in given.items() if type(None) in getattr(kind, "__args__", ())
        }
        return type(
            name, (base,), {"__annotations__": given, "__module__": __name__, **optional, **configured}
        )

    moment = datetime | None
    progress = model("Progress", progress=float, message=str | None, updated_at=moment)
    result = model("Result", source_id=str | None, post_id=str | None, document_id=str | None)
    job = model(
        "Job",
        id=str,
        type=str,
        status=str,
        project_id=str | None,
        started_at=moment,
        completed_at=moment,
        progress=progress | None,
        result=result | None,
        error_code=str | None,
        error_message=str | None,
        attempt_count=int,
        estimated_completion_ms=int | None,
        created_at=datetime,
        updated_at=moment,
    )
    envelope = model("Envelope", data=job)
    configured, is_aliased = {}, True  # the two words of a page are in snake_case as they come
    pagination = model("Pagination", next_cursor=str | None, has_more=bool)
    page = model("Page", data=list[job], pagination=pagination)
    return SimpleNamespace(Job=job, Envelope=envelope, Page=page)
