"""Lists as tables for pandas and polars, neither of which is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Record = dict[str, object]


def record(model: BaseModel) -> Record:
    """The fields of a model, and those of the objects in it by dotted names, such as `result.post_id`."""
    return dict(_flat(model, ""))


def _flat(model: BaseModel, prefix: str) -> Iterable[tuple[str, object]]:
    for name, value in model:
        if isinstance(value, BaseModel):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def pandas_frame(records: Sequence[Record], kind: type[BaseModel]) -> pd.DataFrame:
    """Records as a frame of pandas."""
    import pandas as pd

    return pd.DataFrame(records, columns=_columns(records, kind))  # pyright: ignore[reportUnknownMemberType]


def polars_frame(records: Sequence[Record], kind: type[BaseModel]) -> pl.DataFrame:
    """Records as a frame of polars."""
    import polars as pl

    if not records:
        return pl.DataFrame(schema=dict.fromkeys(_columns(records, kind), pl.Null))
    return pl.DataFrame(records, infer_schema_length=None).select(_columns(records, kind))


def check_installed(package: str) -> None:
    """Before anything is fetched: whether the package is there.

    Raises:
        ImportError: it is not; the message is the command that installs it.

    """
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ImportError(f'{package} is missing: pip install "scripe[{package}]"', name=package)


def _columns(records: Sequence[Record], kind: type[BaseModel]) -> list[str]:
    """Every column once, in the order of the fields; an empty list has the columns of its kind too.

    An object that only some items have is spread over dotted columns, and has none of its own.
    """
    if not records:
        return [*kind.model_fields]
    names = dict.fromkeys(name for each in records for name in each)
    spread = {name.rpartition(".")[0] for name in names}
    return [name for name in names if name not in spread]
