"""Stripe's own description of its API (OpenAPI, in the version of the SDK), and whether calls and answers are what it says."""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema_rs

from payments.peer import API_VERSION
from payments.peer.engine import _template
from payments.peer.parameters import parse

FILE = Path(__file__).resolve().parents[3] / "shared/data/stripe/openapi.spec3.json.gz"


@functools.cache
def description() -> dict[str, Any]:
    with gzip.open(FILE) as file:
        whole: dict[str, Any] = json.load(file)
    assert whole["info"]["version"] == API_VERSION
    _as_json_schema(whole["components"]["schemas"])
    for path in whole["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                _as_json_schema(operation.get("requestBody", {}))
    return whole


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """By method and path, ids written as the peer does."""
    return _operations()


@functools.cache
def _operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), _path(path)): operation
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "delete")
    }


def check_request(method: str, path: str, form: str) -> None:
    """Whether the parameters are some that Stripe knows, of the kinds that it takes."""
    given = parse(form)
    operation = operations()[method, _template(path)[0]]
    if method == "GET":
        known = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
        assert set(given) <= known, (method, path, set(given) - known)
        return
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    _validator(f"{method} {_template(path)[0]}", json.dumps(schema)).validate(_typed(given, schema))


def check_answer(method: str, path: str, status: int, body: Any) -> None:
    """Whether an answer has the shape that Stripe says."""
    responses = operations()[method, _template(path)[0]]["responses"]
    schema = responses["200" if status == 200 else "default"]["content"]["application/json"]["schema"]
    _as_json_schema(schema)
    _validator(f"{method} {_template(path)[0]} {status == 200}", json.dumps(schema)).validate(body)


@functools.cache
def _validator(name: str, schema: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(schema) | {"components": description()["components"]})


def _path(path: str) -> str:
    parts = path.strip("/").split("/")
    return "/" + "/".join(["{id}" if part.startswith("{") else part for part in parts])


def _as_json_schema(node: Any) -> None:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type."""
    if isinstance(node, list):
        for inner in node:
            _as_json_schema(inner)
    if not isinstance(node, dict):
        return
    for inner in list(node.values()):
        _as_json_schema(inner)
    if node.get("nullable") is True and "x-null" not in node:
        rest = {name: node.pop(name) for name in list(node) if name not in ("description",)}
        rest.pop("nullable")
        node |= {"anyOf": [rest, {"type": "null"}], "x-null": True}


def _typed(given: Any, schema: dict[str, Any]) -> Any:
    """Texts of a form as what the schema says that they are."""
    for choice in schema.get("anyOf", ()):
        if isinstance(given, dict) == (choice.get("type") in ("object", "array")):
            return _typed(given, choice)
    kind = schema.get("type")
    if kind == "object" and isinstance(given, dict):
        inner = schema.get("properties", {})
        others = schema.get("additionalProperties")
        more = others if isinstance(others, dict) else {}
        return {name: _typed(value, inner.get(name, more)) for name, value in given.items()}
    if kind == "array" and isinstance(given, dict):
        return [_typed(value, schema["items"]) for value in given.values()]
    if kind == "integer":
        return int(given)
    if kind == "boolean":
        return {"true": True, "false": False}[given]
    return given
