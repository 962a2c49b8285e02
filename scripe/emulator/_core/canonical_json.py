"""Read JSON strictly, write it compactly, and fingerprint it in a canonical form."""

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
    """Return a value as compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def loads(body: bytes) -> Json:
    """Return the value of a JSON body, or raise a ValueError if it is not strict JSON in UTF-8."""
    try:
        value = cast("Json", json.loads(body.decode(), parse_constant=_reject_constant))
        dumps(value)  # half of a surrogate pair can be read, but neither stored nor sent back
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def fingerprint(value: Json) -> str:
    """Return the SHA-256 of a value's canonical JSON: keys sorted, no whitespace."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
