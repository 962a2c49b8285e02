"""What people see of each kind of thing: columns of its lists, lines and text of one alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias, cast

from .sanitize import on_one_line

if TYPE_CHECKING:
    from pydantic import BaseModel

Reading: TypeAlias = "str | Callable[[object], object]"


@dataclass(frozen=True, slots=True)
class View:
    """How one kind of thing is shown.

    Attributes:
        columns: Of its lists: a heading each, and where the cell is read.
        lines: Of one alone.
        text: Its long text, which follows the lines.
        flexible: The column that gives way where the terminal is narrow.

    """

    lines: Mapping[str, Reading]
    columns: Mapping[str, Reading]
    text: str | None = None
    flexible: str | None = None


def cells(model: BaseModel, readings: Mapping[str, Reading]) -> list[str]:
    """The texts of one thing, harmless and on one line each."""
    return [_words(_read(model, reading)) for reading in readings.values()]


def long_text(model: BaseModel, view: View) -> str:
    """The text that follows the lines; empty where there is none."""
    return "" if view.text is None else str(getattr(model, view.text) or "")


def view_of(kind: str) -> View:
    """The view of a class of `scripe.types`."""
    return VIEWS[kind]


def _read(model: object, reading: Reading) -> object:
    return reading(model) if callable(reading) else cast("object", attrgetter(reading)(model))


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return _moment(value)
        case list() | tuple():
            return ", ".join(_words(each) for each in cast("list[object]", value))
        case _:
            return on_one_line(str(value))


def _moment(instant: datetime) -> str:
    try:
        return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    except OverflowError:  # at the ends of the calendar there is a zone too few
        return str(instant)


def _inside(*path: str) -> Callable[[object], object]:
    """An attribute of a part that may be absent."""

    def read(model: object) -> object:
        for name in path:
            model = None if model is None else getattr(model, name)
        return model

    return read


_inside_slot = _inside("slot", "date")


def _slot(model: object) -> object:
    """The moment of a slot, which the API writes as a text: in minutes, as other moments."""
    text = str(_inside_slot(model) or "")
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        return text


def _features(model: object) -> object:
    features = cast("Mapping[str, bool]", attrgetter("workspace.features")(model))
    return [name for name, has in features.items() if has]


def _made(model: object) -> object:
    result = getattr(model, "result", None)
    return result and (result.source_id or result.post_id or result.document_id)


def _progress(model: object) -> object:
    progress = getattr(model, "progress", None)
    return progress and f"{progress.progress:.0%} {progress.message or ''}"


def _error(model: object) -> object:
    parts = (getattr(model, "error_code", None), getattr(model, "error_message", None))
    return ": ".join(part for part in parts if part)


def _beginning(model: object) -> object:
    return getattr(model, "title", None) or getattr(model, "content", None)


def _seconds(model: object) -> object:
    seconds = getattr(model, "duration_seconds", 0)
    return f"{seconds:g} s" if seconds else None


def _largest(model: object) -> object:
    return f"{getattr(model, 'max_size_bytes', 0):,} bytes"


VIEWS: Mapping[str, View] = {
    "CurrentWorkspace": View(
        columns={},
        lines={
            "workspace": "workspace.id",
            "name": "workspace.name",
            "plan": "workspace.plan",
            "features": _features,
            "key": _inside("principal", "id"),
            "scopes": _inside("principal", "scopes"),
        },
    ),
    "Project": View(
        columns={"id": "id", "name": "name", "type": "type", "status": "status"},
        flexible="name",
        lines={
            "id": "id",
            "name": "name",
            "type": "type",
            "status": "status",
            "url": "url",
            "created": "created_at",
        },
    ),
    "Source": View(
        columns={},
        lines={
            "id": "id",
            "name": "name",
            "status": "status",
            "project": "project_id",
            "file type": "file_type",
            "duration": _seconds,
            "created": "created_at",
            "updated": "updated_at",
        },
        text="text_preview",
    ),
    "Job": View(
        columns={"id": "id", "type": "type", "status": "status", "created": "created_at"},
        flexible="type",
        lines={
            "id": "id",
            "type": "type",
            "status": "status",
            "progress": _progress,
            "made": _made,
            "error": _error,
            "project": "project_id",
            "created": "created_at",
            "started": "started_at",
            "ended": "completed_at",
        },
    ),
    "Note": View(
        columns={"id": "id", "slot": _slot, "created": "created_at", "text": _beginning},
        flexible="text",
        lines={
            "id": "id",
            "project": "project_id",
            "folder": "folder_id",
            "slot": _slot,
            "about": _inside("slot", "content_type"),
            "created": "created_at",
            "updated": "updated_at",
        },
        text="content",
    ),
    "Post": View(
        columns={"id": "id", "status": "status", "scheduled": "scheduled_at", "text": _beginning},
        flexible="text",
        lines={
            "id": "id",
            "status": "status",
            "title": "title",
            "about": "content_type",
            "project": "project_id",
            "scheduled": "scheduled_at",
            "created": "created_at",
            "updated": "updated_at",
        },
        text="content",
    ),
    "WorkspacePostStatus": View(
        columns={"id": "id", "name": "name", "category": "category"}, flexible="name", lines={"id": "id"}
    ),
    "Upload": View(
        columns={},
        lines={
            "id": "id",
            "content type": "content_type",
            "largest file": _largest,
        },
    ),
    "WebhookEndpoint": View(
        columns={},
        lines={
            "id": "id",
            "name": "name",
            "url": "url",
            "events": "events",
            "project": "project_id",
            "active": "is_active",
            "disabled": "disabled_reason",
            "created": "created_at",
            "updated": "updated_at",
            "secret ends in": "secret_last4",
            "secret": "secret",
        },
    ),
}
