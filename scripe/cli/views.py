"""Choose what people see of each model: the columns of its lists, the fields and the text of a single one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .._format import format_moment
from .sanitize import to_one_line

if TYPE_CHECKING:
    from pydantic import BaseModel

Getter: TypeAlias = "str | Callable[[object], object]"
"""An attribute, with dots if it is nested, or a function of the model."""


@dataclass(frozen=True, slots=True)
class View:
    """The columns, fields and text that are shown of a model."""

    fields: Mapping[str, Getter]  # the lines of a single one, by their labels
    columns: Mapping[str, Getter] = field(default_factory=dict[str, Getter])  # of a list, by their headings
    text: str | None = None  # the attribute with its long text, which follows the lines
    flexible: str | None = None  # the column that is cut if the terminal is narrow


def cells(model: BaseModel, getters: Mapping[str, Getter]) -> list[str]:
    """Format the values of one model, on one line each and without control characters."""
    return [format_value(_get(model, getter)) for getter in getters.values()]


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


def format_value(value: object) -> str:
    """Format a value on one line, without control characters."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return format_moment(value, "%Y-%m-%dT%H:%MZ")
        case list() | tuple():
            return ", ".join(format_value(item) for item in cast("list[object]", value))
        case _:
            return to_one_line(str(value))


def _slot_date(note: Any) -> object:
    """Return the moment of a slot, which the API sends as text; the text itself if it cannot be parsed."""
    text = note.slot.date if note.slot and note.slot.date else ""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        return text


def _features(current: Any) -> object:
    return [name for name, is_on in current.workspace.features.items() if is_on]


def _result_id(job: Any) -> object:
    return job.result and (job.result.source_id or job.result.post_id or job.result.document_id)


def _progress(job: Any) -> object:
    return job.progress and f"{job.progress.progress:.0%} {job.progress.message or ''}"


def _error(job: Any) -> object:
    return ": ".join(part for part in (job.error_code, job.error_message) if part)


def _title_or_content(model: Any) -> object:
    return getattr(model, "title", None) or model.content  # only posts have a title


def _duration(source: Any) -> object:
    return f"{source.duration_seconds:g} s" if source.duration_seconds else None


def _max_size(upload: Any) -> object:
    return f"{upload.max_size_bytes:,} bytes"


def _by_label(attributes: str) -> dict[str, Getter]:
    """Map labels to attributes. An attribute makes its own label, such as `created` for `created_at`."""
    return {_label(attribute): attribute for attribute in attributes.split()}


def _label(attribute: str) -> str:
    return attribute.removeprefix("is_").removesuffix("_at").removesuffix("_id").replace("_", " ")


VIEWS: Mapping[str, View] = {
    "CurrentWorkspace": View(
        {
            "workspace": "workspace.id",
            "name": "workspace.name",
            "plan": "workspace.plan",
            "features": _features,
            "key": "principal.id",
            "scopes": "principal.scopes",
        }
    ),
    "Project": View(
        _by_label("id name type status url created_at"),
        columns=_by_label("id name type status"),
        flexible="name",
    ),
    "Source": View(
        {
            **_by_label("id name status project_id file_type"),
            "duration": _duration,
            **_by_label("created_at updated_at"),
        },
        text="text_preview",
    ),
    "Job": View(
        {
            **_by_label("id type status"),
            "progress": _progress,
            "made": _result_id,
            "error": _error,
            **_by_label("project_id created_at started_at"),
            "ended": "completed_at",
        },
        columns=_by_label("id type status created_at"),
        flexible="type",
    ),
    "Note": View(
        {
            **_by_label("id project_id folder_id"),
            "slot": _slot_date,
            "about": "slot.content_type",
            **_by_label("created_at updated_at"),
        },
        columns={"id": "id", "slot": _slot_date, "created": "created_at", "text": _title_or_content},
        text="content",
        flexible="text",
    ),
    "Post": View(
        {
            **_by_label("id status title"),
            "about": "content_type",
            **_by_label("project_id scheduled_at created_at updated_at"),
        },
        columns={**_by_label("id status scheduled_at"), "text": _title_or_content},
        text="content",
        flexible="text",
    ),
    "WorkspacePostStatus": View(_by_label("id"), columns=_by_label("id name category"), flexible="name"),
    "Upload": View({**_by_label("id content_type"), "largest file": _max_size}),
    "LedgerItem": View(
        _by_label(
            "idempotency_key route method state result_id job_id code candidates generation workspace_id base_url "
            "created_at updated_at"
        ),
        columns={
            "key": "idempotency_key",
            **_by_label("route state"),
            "made": "result_id",
            "updated": "updated_at",
        },
        flexible="key",
    ),
    "WebhookEndpoint": View(
        {
            **_by_label("id name url events project_id is_active"),
            "disabled": "disabled_reason",
            **_by_label("created_at updated_at"),
            "secret ends in": "secret_last4",
            "secret": "secret",
        }
    ),
}
