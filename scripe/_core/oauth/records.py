"""Write what a token store keeps, and read it again: the fields of a dataclass, and the name of their format."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar, cast

from pydantic import TypeAdapter

from ...errors import TokenStoreError
from .token_store import TokenRecord, make_record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def encode_record(value: DataclassInstance, name: str) -> TokenRecord:
    """Return a record of the fields of a dataclass; `name` is that of their format."""
    return make_record(json.dumps({"format": name, **asdict(value)}))


def decode_record(record: TokenRecord, name: str, cls: type[T]) -> T:
    """Return what `encode_record` wrote. Fields that a later version added are ignored.

    Raises:
        TokenStoreError: the record has another format, or is damaged.

    """
    # The error is raised outside of `except`: that of pydantic quotes the tokens, and would be its context.
    with suppress(ValueError):
        document: object = json.loads(record.content)
        if isinstance(document, dict) and cast("dict[str, object]", document).get("format") == name:
            return TypeAdapter(cls).validate_json(record.content)
    raise TokenStoreError(
        "The token store holds a record that this version of scripe cannot read. Sign in again to replace it."
    )
