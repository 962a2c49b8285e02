"""Check the traffic of an emulator against its OpenAPI description.

    violations = watch(emulator)
    ...
    assert violations == []

Every response is checked, and every request that got a 2xx. The description leaves room for fields that may be added
later; here a body or query may only have fields that it names.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import pytest

from scripe.emulator import Emulator, Headers, Request, Response
from scripe.emulator._core.data_files import DESCRIPTION, read_data_file

Schema = dict[str, Any]
formats = jsonschema.FormatChecker(())


@formats.checks("date", ValueError)
def is_date(value: object) -> bool:
    return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value


@formats.checks("date-time", ValueError)
def is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return bool(re.match(r".{10}T..:..:..", value)) and datetime.fromisoformat(value).tzinfo is not None


def check_new_items(validator: Any, items: Schema, instance: Any, schema: Schema) -> Iterator[Any]:
    """Check each item of a list once: a page that is read again and again holds mostly what it held before."""
    if not validator.is_type(instance, "array"):
        return
    for index, item in enumerate(instance):
        seen = (id(items), json.dumps(item))
        if seen in _well:
            continue
        errors = list(validator.descend(item, items, path=index))
        yield from errors
        if not errors:
            _well.add(seen)


_well: set[tuple[int, str]] = set()
extend: Any = cast("Any", jsonschema).validators.extend
PageValidator = extend(jsonschema.Draft202012Validator, {"items": check_new_items})


@dataclass(frozen=True)
class Operation:
    label: str
    path: re.Pattern[str]
    method: str
    fields: Schema


class Contract:
    """Checks requests and responses against a description."""

    def __init__(self, described: Schema) -> None:
        self._document = described
        self._components = _closed(described["components"])
        self._validators: dict[int, Any] = {}
        self._operations = [
            Operation(
                f"{method.upper()} {path}", re.compile(re.sub(r"\{\w+\}", "([^/]+)", path)), method, fields
            )
            for path, methods in described["paths"].items()
            for method, fields in methods.items()
        ]
        self._operations.sort(key=lambda operation: operation.label.count("{"))

    def check(self, request: Request, response: Response) -> list[str]:
        """Describe what is wrong with a request and its response."""
        operation = self._operation(request)
        if operation is None:
            return (
                [] if response.status in (404, 405) else [f"{request.method} {request.path}: not described"]
            )
        problems = [*self._check_response(operation, response)]
        if response.status < 300:
            problems += self._check_request(operation, request)
        return [f"{operation.label}: {problem}" for problem in problems]

    def check_request(self, request: Request) -> list[str]:
        """Describe what is wrong with a request; nothing if its path is not described."""
        operation = self._operation(request)
        return (
            [f"{operation.label}: {problem}" for problem in self._check_request(operation, request)]
            if operation
            else []
        )

    def _operation(self, request: Request) -> Operation | None:
        matches = [operation for operation in self._operations if operation.path.fullmatch(request.path)]
        if matches and "{" not in matches[0].label:
            matches = [operation for operation in matches if "{" not in operation.label]
        return next((one for one in matches if one.method == request.method.lower()), None)

    def _check_request(self, operation: Operation, request: Request) -> Iterator[str]:
        parameters = [self._resolve(one) for one in operation.fields["parameters"]]
        query = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        for name in query.keys() - {one["name"] for one in parameters if one["in"] == "query"}:
            yield f"query {name} is not described"
        for parameter in parameters:
            yield from self._check_parameter(parameter, query, request.headers)
        match = operation.path.fullmatch(request.path)
        if match and "" in [unquote(part) for part in match.groups()]:
            yield "a part of the path is empty"
        yield from self._check_body(operation, request)

    def _check_parameter(
        self, parameter: Schema, query: Mapping[str, list[str]], headers: Mapping[str, str]
    ) -> Iterator[str]:
        name, location = parameter["name"], parameter["in"]
        values = query.get(name, []) if location == "query" else [headers[name]] if name in headers else []
        if len(values) > 1 or (location != "path" and parameter.get("required") and not values):
            yield f"{location} {name} is given {len(values)} times"
        for text in values:
            yield from self._violations(parameter["schema"], _value(parameter["schema"], text), name)

    def _check_body(self, operation: Operation, request: Request) -> Iterator[str]:
        body = operation.fields.get("requestBody")
        if body is None:
            return
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            yield "the request is no application/json"
        sent = json.loads(request.body.read())
        yield from self._violations(body["content"]["application/json"]["schema"], sent, "request")

    def _check_response(self, operation: Operation, response: Response) -> Iterator[str]:
        described = operation.fields["responses"].get(str(response.status))
        if described is None:
            yield f"the status {response.status} is not described"
            return
        described = self._resolve(described)
        headers = Headers(response.headers.items())
        for name, reference in described["headers"].items():
            yield from self._check_header(name, self._resolve(reference), headers)
        schema = described["content"]["application/json"]["schema"]
        yield from self._violations(schema, json.loads(response.body), f"response {response.status}")

    def _check_header(self, name: str, header: Schema, headers: Mapping[str, str]) -> Iterator[str]:
        if name in headers:
            yield from self._violations(header["schema"], _value(header["schema"], headers[name]), name)
        elif header.get("required"):
            yield f"the header {name} is missing"

    def _violations(self, schema: Schema, value: Any, place: str) -> Iterator[str]:
        for error in self._validator(schema).iter_errors(value):
            yield f"{place}{error.json_path[1:]}: {error.message[:300]}"

    def _validator(self, schema: Schema) -> Any:
        if id(schema) not in self._validators:
            whole = {**_closed(schema), "components": self._components}
            self._validators[id(schema)] = PageValidator(whole, format_checker=formats)
        return self._validators[id(schema)]

    def _resolve(self, node: Schema) -> Schema:
        target: Any = self._document
        for name in node.get("$ref", "").split("/")[1:]:
            target = target[name]
        return target if "$ref" in node else node


def watch(emulator: Emulator, violations: list[str] | None = None) -> list[str]:
    """Return a list that fills with the violations of an emulator's requests and responses from now on."""
    violations = [] if violations is None else violations

    def judge(request: Request, response: Response) -> None:
        if request.in_api:
            violations.extend(CONTRACT.check(request, response))

    emulator.add_observer(judge)
    return violations


def watch_all(patch: pytest.MonkeyPatch) -> list[str]:
    """Do the same for every emulator made from now on, as long as the patch lasts."""
    violations: list[str] = []
    make = Emulator.__init__

    def init(self: Emulator, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        watch(self, violations)

    patch.setattr(Emulator, "__init__", init)
    return violations


def _value(schema: Schema, text: str) -> object:
    if schema.get("type") == "array":
        return text.split(",") if text else []
    if schema.get("type") == "integer":
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else text
    return text


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(one) for one in cast("Iterable[Any]", node)]
    if not isinstance(node, dict):
        return node
    fields = cast("Schema", node)
    inner = {name: _closed(one) for name, one in fields.items()}
    if fields.get("type") == "object" and "properties" in fields:
        inner.setdefault("additionalProperties", False)
    return inner


DESCRIBED: Schema = json.loads(read_data_file(DESCRIPTION))
CONTRACT = Contract(DESCRIBED)
