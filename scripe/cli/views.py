"""Choose what people see of each model: the columns of its lists, the fields and the text of a single one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias, cast

from .sanitize import to_one_line

if TYPE_CHECKING:
    from pydantic import BaseModel

Getter: TypeAlias = "str | Callable[[object], object]"


@dataclass(frozen=True, slots=True)
class View:
    """How a model is shown.

    Attributes:
        fields: The lines of a single one, by their labels.
        columns: The columns of a list, by their headings.
        text: The attribute with its long text, which follows the lines.
        flexible: The column that is cut if the terminal is narrow.

    """

    fields: Mapping[str, Getter]
    columns: Mapping[str, Getter]
    text: str | None = None
    flexible: str | None = None


def cells(model: BaseModel, getters: Mapping[str, Getter]) -> list[str]:
    """Format the values of one model, on one line each and without control characters."""
    return [_format(_get(model, getter)) for getter in getters.values()]


def long_text(model: BaseModel, view: View) -> str:
    """Return the text that follows the fields; empty if there is none."""
    return "" if view.text is None else str(getattr(model, view.text) or "")


def _get(model: object, getter: Getter) -> object:
    return getter(model) if callable(getter) else cast("object", attrgetter(getter)(model))


def _format(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return _format_moment(value)
        case list() | tuple():
            return ", ".join(_format(item) for item in cast("list[object]", value))
        case _:
            return to_one_line(str(value))


def _format_moment(moment: datetime) -> str:
    try:
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    except OverflowError:  # year 1 or 9999: the moment in UTC is outside the calendar
        return str(moment)


def _optional(*path: str) -> Callable[[object], object]:
    """Make a getter of an attribute of an object that may be absent."""

    def get(model: object) -> object:
        for name in path:
            model = None if model is None else getattr(model, name)
        return model

    return get


def _slot_date(model: object) -> object:
    """Return the moment of a slot, which the API sends as text; the text itself if it cannot be parsed."""
    text = str(_optional("slot", "date")(model) or "")
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        return text


def _features(model: object) -> object:
    features = cast("Mapping[str, bool]", attrgetter("workspace.features")(model))
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


def _labelled(*attributes: str, **getters: Getter) -> dict[str, Getter]:
    """Map labels to getters: an attribute is its own label; `_` in the name of an argument stands for a blank."""
    own = {attribute: attribute for attribute in attributes}
    return own | {label.replace("_", " "): getter for label, getter in getters.items()}


VIEWS: Mapping[str, View] = {
    "CurrentWorkspace": View(
        fields=_labelled(
            workspace="workspace.id",
            name="workspace.name",
            plan="workspace.plan",
            features=_features,
            key=_optional("principal", "id"),
            scopes=_optional("principal", "scopes"),
        ),
        columns={},
    ),
    "Project": View(
        fields=_labelled("id", "name", "type", "status", "url", created="created_at"),
        columns=_labelled("id", "name", "type", "status"),
        flexible="name",
    ),
    "Source": View(
        fields=_labelled(
            "id",
            "name",
            "status",
            project="project_id",
            file_type="file_type",
            duration=_seconds,
            created="created_at",
            updated="updated_at",
        ),
        columns={},
        text="text_preview",
    ),
    "Job": View(
        fields=_labelled(
            "id",
            "type",
            "status",
            progress=_progress,
            made=_result_id,
            error=_error,
            project="project_id",
            created="created_at",
            started="started_at",
            ended="completed_at",
        ),
        columns=_labelled("id", "type", "status", created="created_at"),
        flexible="type",
    ),
    "Note": View(
        fields=_labelled(
            "id",
            project="project_id",
            folder="folder_id",
            slot=_slot_date,
            about=_optional("slot", "content_type"),
            created="created_at",
            updated="updated_at",
        ),
        columns=_labelled("id", slot=_slot_date, created="created_at", text=_title_or_content),
        text="content",
        flexible="text",
    ),
    "Post": View(
        fields=_labelled(
            "id",
            "status",
            "title",
            about="content_type",
            project="project_id",
            scheduled="scheduled_at",
            created="created_at",
            updated="updated_at",
        ),
        columns=_labelled("id", "status", scheduled="scheduled_at", text=_title_or_content),
        text="content",
        flexible="text",
    ),
    "WorkspacePostStatus": View(
        fields={"id": "id"}, columns=_labelled("id", "name", "category"), flexible="name"
    ),
    "Upload": View(fields=_labelled("id", content_type="content_type", largest_file=_max_size), columns={}),
    "WebhookEndpoint": View(
        fields=_labelled(
            "id",
            "name",
            "url",
            "events",
            project="project_id",
            active="is_active",
            disabled="disabled_reason",
            created="created_at",
            updated="updated_at",
            secret_ends_in="secret_last4",  # noqa: S106 - names of fields
            secret="secret",  # noqa: S106
        ),
        columns={},
    ),
}
