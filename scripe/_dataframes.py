"""Lists as tables for pandas and polars, neither of which is imported before it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Record = dict[str, object]


def record(model: BaseModel) -> Record:
    """The fields of a model, and those of the objects in it by dotted names, such as `result.post_id`."""
    names = dict.fromkeys(columns(type(model)))
    spread = {name.rpartition(".")[0] for name in names}
    found = ((name, value) for name, value in _flat(dict(model), "") if name not in spread)
    return {**names, **dict(found)}


def columns(kind: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The columns of a kind of model: those of the objects in it too, whether they are there or not."""
    for name, about in kind.model_fields.items():
        nested = _model_in(about.annotation)
        if nested is None:
            yield f"{prefix}{name}"
        else:
            yield from columns(nested, f"{prefix}{name}.")


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, or may hold; None for lists and all else."""
    kinds = (annotation, *get_args(annotation)) if get_origin(annotation) is not list else ()
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _flat(model: Mapping[str, object], prefix: str) -> Iterable[tuple[str, object]]:
    for name, value in model.items():
        if isinstance(value, BaseModel):
            yield from _flat(dict(value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def pandas_frame(records: Sequence[Record], kind: type[BaseModel]) -> pd.DataFrame:
    """Records as a frame of pandas."""
    import pandas as pd

    return pd.DataFrame(records, columns=_columns(records, kind))  # pyright: ignore[reportUnknownMemberType]


def polars_frame(records: Sequence[Record], kind: type[BaseModel]) -> pl.DataFrame:
    """Records as a frame of polars."""
    import polars as pl

    names = _columns(records, kind)
    known = set(columns(kind))
    rows = [{name: _uniform(each.get(name), is_known=name in known) for name in names} for each in records]
    return pl.DataFrame(rows, schema=names, infer_schema_length=None, strict=False)


def _uniform(value: object, *, is_known: bool) -> object:
    """What the API sends beside its documented fields may be of any shape, and polars wants one for each column."""
    return value if is_known or value is None or isinstance(value, str) else json.dumps(value, default=str)


def check_installed(package: str) -> None:
    """Before anything is fetched: whether the package is there.

    Raises:
        ImportError: it is not; the message names the extra that brings it.

    """
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ImportError(
            f'{package} is missing: install the extra "{package}" of scripe (it brings {package})',
            name=package,
        )


def _columns(records: Sequence[Record], kind: type[BaseModel]) -> list[str]:
    """Every column once: those of the kind, then what else the API has sent."""
    return [*dict.fromkeys([*columns(kind), *(name for each in records for name in each)])]
