"""Choose what people see of each model: the columns of its lists, the fields and the text of a single one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias, cast

from .._format import format_moment
from .sanitize import to_one_line

if TYPE_CHECKING:
    from pydantic import BaseModel

Getter: TypeAlias = "str | Callable[[object], object]"
"""An attribute, with dots if it is nested, or a function of the model."""


@dataclass(frozen=True, slots=True)
class View:
    """The columns, fields and text that are shown of a model.

    Attributes:
        fields: The lines of a single one, by their labels.
        columns: The columns of a list, by their headings.
        text: The attribute with its long text, which follows the lines.
        flexible: The column that is cut if the terminal is narrow.

    """

    fields: Mapping[str, Getter]
    columns: Mapping[str, Getter] = field(default_factory=dict[str, Getter])
    text: str | None = None
    flexible: str | None = None


def cells(model: BaseModel, getters: Mapping[str, Getter]) -> list[str]:
    """Format the values of one model, on one line each and without control characters."""
    return [_format(_get(model, getter)) for getter in getters.values()]


def long_text(model: BaseModel, view: View) -> str:
    """Return the text that follows the fields; empty if there is none."""
    return "" if view.text is None else str(getattr(model, view.text) or "")


def _get(model: object, getter: Getter) -> object:
    """Return a value; None if an object on the way to it is absent."""
    if callable(getter):
        return getter(model)
    for name in getter.split("."):
        model = None if model is None else getattr(model, name)
    return model


def _format(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return format_moment(value, "%Y-%m-%dT%H:%MZ")
        case list() | tuple():
            return ", ".join(_format(item) for item in cast("list[object]", value))
        case _:
            return to_one_line(str(value))


def _slot_date(model: object) -> object:
    """Return the moment of a slot, which the API sends as text; the text itself if it cannot be parsed."""
    text = str(_get(model, "slot.date") or "")
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        return text


def _features(model: object) -> object:
    features = cast("Mapping[str, bool]", _get(model, "workspace.features"))
    return [name for name, is_on in features.items() if is_on]


def _result_id(model: object) -> object:
    result = getattr(model, "result", None)
    return result and (result.source_id or result.post_id or result.document_id)


def _progress(model: object) -> object:
    progress = getattr(model, "progress", None)
    return progress and f"{progress.progress:.0%} {progress.message or ''}"


def _error(model: object) -> object:
    parts = (getattr(model, "error_code", None), getattr(model, "error_message", None))
    return ": ".join(part for part in parts if part)


def _title_or_content(model: object) -> object:
    return getattr(model, "title", None) or getattr(model, "content", None)


def _seconds(model: object) -> object:
    seconds = getattr(model, "duration_seconds", 0)
    return f"{seconds:g} s" if seconds else None


def _max_size(model: object) -> object:
    return f"{getattr(model, 'max_size_bytes', 0):,} bytes"


def _by_label(*items: str | tuple[str, Getter]) -> dict[str, Getter]:
    """Map labels to getters. An attribute makes its own label, such as `created` for `created_at`."""
    return dict((_label(item), item) if isinstance(item, str) else item for item in items)


def _label(attribute: str) -> str:
    return attribute.removeprefix("is_").removesuffix("_at").removesuffix("_id").replace("_", " ")


VIEWS: Mapping[str, View] = {
    "CurrentWorkspace": View(
        fields=_by_label(
            ("workspace", "workspace.id"),
            ("name", "workspace.name"),
            ("plan", "workspace.plan"),
            ("features", _features),
            ("key", "principal.id"),
            ("scopes", "principal.scopes"),
        )
    ),
    "Project": View(
        fields=_by_label("id", "name", "type", "status", "url", "created_at"),
        columns=_by_label("id", "name", "type", "status"),
        flexible="name",
    ),
    "Source": View(
        fields=_by_label(
            "id",
            "name",
            "status",
            "project_id",
            "file_type",
            ("duration", _seconds),
            "created_at",
            "updated_at",
        ),
        text="text_preview",
    ),
    "Job": View(
        fields=_by_label(
            "id",
            "type",
            "status",
            ("progress", _progress),
            ("made", _result_id),
            ("error", _error),
            "project_id",
            "created_at",
            "started_at",
            ("ended", "completed_at"),
        ),
        columns=_by_label("id", "type", "status", "created_at"),
        flexible="type",
    ),
    "Note": View(
        fields=_by_label(
            "id",
            "project_id",
            "folder_id",
            ("slot", _slot_date),
            ("about", "slot.content_type"),
            "created_at",
            "updated_at",
        ),
        columns=_by_label("id", ("slot", _slot_date), "created_at", ("text", _title_or_content)),
        text="content",
        flexible="text",
    ),
    "Post": View(
        fields=_by_label(
            "id",
            "status",
            "title",
            ("about", "content_type"),
            "project_id",
            "scheduled_at",
            "created_at",
            "updated_at",
        ),
        columns=_by_label("id", "status", "scheduled_at", ("text", _title_or_content)),
        text="content",
        flexible="text",
    ),
    "WorkspacePostStatus": View(
        fields=_by_label("id"), columns=_by_label("id", "name", "category"), flexible="name"
    ),
    "Upload": View(fields=_by_label("id", "content_type", ("largest file", _max_size))),
    "WebhookEndpoint": View(
        fields=_by_label(
            "id",
            "name",
            "url",
            "events",
            "project_id",
            "is_active",
            ("disabled", "disabled_reason"),
            "created_at",
            "updated_at",
            ("secret ends in", "secret_last4"),
            "secret",
        )
    ),
}
