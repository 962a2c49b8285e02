"""JSON as it travels: parsed strictly, written compactly, and made canonical for comparison."""

import hashlib
import json
from typing import TYPE_CHECKING, NoReturn, TypeAlias, cast

from typing_extensions import TypeAliasType

if TYPE_CHECKING:
    Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
else:
    Json = TypeAliasType("Json", "bool | int | float | str | list[Json] | dict[str, Json] | None")
JsonObject: TypeAlias = dict[str, Json]


def dumps(value: Json) -> bytes:
    """A value as compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def loads(body: bytes) -> Json:
    """The value in a JSON body.

    Raises:
        ValueError: the body is no JSON in UTF-8, or holds what JSON has no form for.

    """
    try:
        value = cast("Json", json.loads(body.decode(), parse_constant=_refuse))
        dumps(value)  # half a surrogate pair can be parsed, but neither stored nor sent back
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def fingerprint(value: Json) -> str:
    """The SHA-256 of a value's canonical JSON: object keys sorted, no insignificant whitespace."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
