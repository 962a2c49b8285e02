"""The base class of the models: frozen, snake_case for the API's camelCase, unknown fields kept.

Within a version, the API may add fields and enum values at any time (docs/api-facts.md): so no model rejects either.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, TypeAlias, TypeVar, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    NaiveDatetime,
    PlainSerializer,
)
from pydantic.alias_generators import to_camel
from pydantic_core.core_schema import str_schema
from typing_extensions import TypeAliasType

from .response_info import ResponseInfo

# At run time the aliases are objects: with strings, an annotation such as `BaseModel | JSON` would raise.
if TYPE_CHECKING:
    JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
    JSONInput: TypeAlias = "Mapping[str, JSONInput] | Sequence[JSONInput] | str | int | float | bool | None"
else:
    JSON = TypeAliasType("JSON", "dict[str, JSON] | list[JSON] | str | int | float | bool | None")
    JSONInput = TypeAliasType(
        "JSONInput", "Mapping[str, JSONInput] | Sequence[JSONInput] | str | int | float | bool | None"
    )
"""JSON is any value that JSON can represent, JSONInput any value that can be sent as JSON."""


def format_instant(moment: datetime) -> str:
    """Format a datetime as the API does: in UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


# Timestamps without an offset are UTC. The first member of the union validates usual values without any Python code.
Instant: TypeAlias = Annotated[
    AwareDatetime | Annotated[NaiveDatetime, AfterValidator(_in_utc)],
    Field(union_mode="left_to_right"),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
]

# For fields of `Literal[…] | str`: editors complete the known values, and any string is valid. Without this, pydantic
# compares each value with all known ones before it accepts it as a string.
OPEN_ENUM = GetPydanticSchema(lambda _, __: str_schema())


class Model(BaseModel):
    """Base of every object that the API sends.

    `model_dump(by_alias=True, mode="json", exclude_unset=True)` gives the API's JSON back.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True, protected_namespaces=()
    )

    # A slot, not a private attribute of pydantic: two equal objects from two responses must compare equal.
    __slots__ = ("_last_response",)

    def _repr_html_(self) -> str:
        from .._html import model_card

        return model_card(self)

    @property
    def last_response(self) -> ResponseInfo:
        """Status, request id, rate limit and timing of the response that this object was parsed from.

        Raises:
            AttributeError: the object is a part of another one, or does not come from a response.

        """
        response = self._response()
        if response is None:
            raise AttributeError(
                f"This {type(self).__name__} has no last_response: it is a part of another object, or was not "
                "returned by a call. Use the object that the call returned."
            )
        return response

    def _response(self) -> ResponseInfo | None:
        try:
            return cast("ResponseInfo", object.__getattribute__(self, "_last_response"))
        except AttributeError:
            return None

    def __copy__(self) -> Self:
        return self._with_response_of(super().__copy__())

    def __deepcopy__(self, memo: dict[int, object] | None = None) -> Self:
        return self._with_response_of(super().__deepcopy__(memo))

    def _with_response_of(self, copy: Self) -> Self:
        response = self._response()
        return copy if response is None else set_response(copy, response)

    def __getstate__(self) -> dict[object, object]:
        return {**super().__getstate__(), "_last_response": self._response()}

    def __setstate__(self, state: dict[object, object]) -> None:
        response = cast("ResponseInfo | None", state.pop("_last_response", None))
        super().__setstate__(state)
        if response is not None:
            set_response(self, response)


if "IPython" in sys.modules:
    from .._html import show_lists_as_tables

    show_lists_as_tables(Model)

M = TypeVar("M", bound=BaseModel)

# The slot's own setter, since pydantic refuses to set attributes of frozen models.
_set_last_response = cast("Callable[[Model, ResponseInfo], None]", vars(Model)["_last_response"].__set__)


def set_response(model: M, response: ResponseInfo) -> M:
    """Store the response that a model was parsed from; a model of the caller's own has no slot for it."""
    if isinstance(model, Model):
        _set_last_response(model, response)
    return model


def set_response_on_items(models: Sequence[BaseModel], response: ResponseInfo) -> None:
    """Store the response on each item of a page.

    All items have one class, so only the first one is checked: checking each would double the time.
    """
    if models and isinstance(models[0], Model):
        for model in cast("Sequence[Model]", models):
            _set_last_response(model, response)
