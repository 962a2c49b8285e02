"""The parts that schemas are built from."""

from collections.abc import Sequence

from .._core.canonical_json import Json, JsonObject


def reference(name: str) -> JsonObject:
    """A schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **rules: Json) -> JsonObject:
    """A string."""
    return {"type": "string", **rules, **({"description": description} if description else {})}


def word(known: Sequence[str], description: str = "") -> JsonObject:
    """A string of an answer, whose known values may become more."""
    known_values: JsonObject = {"x-known-values": [*known]}
    return text(description, **known_values)


def choice(known: Sequence[str], description: str = "", **rules: Json) -> JsonObject:
    """A string of a request: one of the known ones."""
    return text(description, enum=[*known], **rules)


def moment(description: str = "") -> JsonObject:
    """A date-time."""
    return text(description, format="date-time")


def integer(description: str = "", **rules: Json) -> JsonObject:
    """A whole number."""
    return {"type": "integer", **rules, **({"description": description} if description else {})}


def flag(description: str = "") -> JsonObject:
    """True or false."""
    return {"type": "boolean", **({"description": description} if description else {})}


def listed(items: JsonObject, **rules: Json) -> JsonObject:
    """An array."""
    return {"type": "array", "items": items, **rules}


def nullable(schema: JsonObject) -> JsonObject:
    """A schema, or null."""
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def structure(required: JsonObject, optional: JsonObject | None = None, description: str = "") -> JsonObject:
    """An object with fields that are always there, and fields that may be."""
    schema: JsonObject = {"type": "object", "properties": {**required, **(optional or {})}}
    if required:
        schema["required"] = [*required]
    return {**schema, **({"description": description} if description else {})}


def one_of(name: str, shapes: dict[str, str]) -> JsonObject:
    """One of several objects, told apart by a field; shapes are names of schemas by the field's values."""
    mapping: JsonObject = {kind: f"#/components/schemas/{shape}" for kind, shape in shapes.items()}
    return {
        "oneOf": [reference(shape) for shape in shapes.values()],
        "discriminator": {"propertyName": name, "mapping": mapping},
    }


def parameter(name: str, schema: JsonObject, description: str, *, required: bool = False) -> JsonObject:
    """A parameter of the query; an array is one comma-separated text."""
    made: JsonObject = {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": schema,
    }
    return {**made, **({"style": "form", "explode": False} if schema.get("type") == "array" else {})}
