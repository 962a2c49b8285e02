"""Make flat records and data frames of lists. pandas and polars are imported when they are asked for."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Record = dict[str, object]


def flatten(model: BaseModel) -> Record:
    """Return the fields of a model; those of nested models have dotted names, such as `result.post_id`."""
    names = dict.fromkeys(_columns_of(type(model)))
    parents = {name.rpartition(".")[0] for name in names}
    values = ((name, value) for name, value in _flat_items(dict(model), "") if name not in parents)
    return {**names, **dict(values)}


def pandas_frame(records: Sequence[Record], cls: type[BaseModel]) -> pd.DataFrame:
    """Make a data frame of pandas."""
    import pandas as pd

    return pd.DataFrame(records, columns=_all_columns(records, cls))  # pyright: ignore[reportUnknownMemberType]


def polars_frame(records: Sequence[Record], cls: type[BaseModel]) -> pl.DataFrame:
    """Make a data frame of polars."""
    import polars as pl

    columns = _all_columns(records, cls)
    documented = set(_columns_of(cls))
    rows = [
        {name: record.get(name) if name in documented else _to_text(record.get(name)) for name in columns}
        for record in records
    ]
    return pl.DataFrame(rows, schema=columns, infer_schema_length=None, strict=False)


def _to_text(value: object) -> object:
    """Encode the value of an undocumented field, which may be of any type: a column of polars has one."""
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str)


def check_installed(package: str) -> None:
    """Raise ImportError, before anything is fetched, if a package is not installed."""
    if importlib.util.find_spec(package) is None:
        raise ImportError(
            f'{package} is not installed. Install scripe with the extra "{package}", which adds {package}.',
            name=package,
        )


def _all_columns(records: Sequence[Record], cls: type[BaseModel]) -> list[str]:
    """Return the documented columns, then those that the API has sent beside them."""
    return [*dict.fromkeys([*_columns_of(cls), *(name for record in records for name in record)])]


def _columns_of(cls: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Return the columns of a model, with those of nested models even if they are absent."""
    for name, field in cls.model_fields.items():
        nested = _model_in(field.annotation)
        if nested is None:
            yield f"{prefix}{name}"
        else:
            yield from _columns_of(nested, f"{prefix}{name}.")


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model class in a field's annotation; None for lists and other types."""
    classes = (annotation, *get_args(annotation)) if get_origin(annotation) is not list else ()
    return next((cls for cls in classes if isinstance(cls, type) and issubclass(cls, BaseModel)), None)


def _flat_items(model: Mapping[str, object], prefix: str) -> Iterable[tuple[str, object]]:
    for name, value in model.items():
        if isinstance(value, BaseModel):
            yield from _flat_items(dict(value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
