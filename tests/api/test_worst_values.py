"""Every address that takes a body, with the worst value in each of its fields: refused in words, never broken."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.throttling import UserRateThrottle

from tests.api.callers import caller
from tests.world import World

DEEP: Any = "bottom"
for _ in range(150):
    DEEP = [DEEP]

# As they are sent, since some are no value that Python would write.
WORST = {
    "long text": json.dumps("x" * 100_000),
    "NUL": '"a\\u0000b"',
    "half a surrogate": '"a\\ud800b"',
    "other half": '"\\udfff"',
    "huge number": str(10**40),
    "beyond a double": "1e400",
    "beyond bigint": str(2**63),
    "below bigint": str(-(2**63) - 1),
    "fraction": "0.1234567890123456789",
    "NaN": "NaN",
    "infinite text": '"Infinity"',
    "true": "true",
    "null": "null",
    "object": '{"a": {"b": [1]}}',
    "list": '[1, "two", null, [3]]',
    "deep": json.dumps(DEEP),
    "long list": json.dumps(["x"] * 5_000),
    "same twice": '["x", "x"]',
    "keys with NUL": '{"a\\u0000": 1}',
    "far date": '"9999-12-31T23:59:59.999999Z"',
    "no date": '"0000-00-00"',
    "empty": '""',
    "spaces": '"   "',
}
SAMPLES = {
    "integer": "1",
    "number": "1",
    "boolean": "true",
    "array": "[]",
    "object": "{}",
    "string": '"x"',
    "date-time": '"2026-12-01T08:00:00Z"',
    "date": '"2026-12-01"',
    "uri": '"https://example.com/hook"',
}


def operations() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Method, address and a likely body, field by field, of whatever takes one."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    shapes = schema["components"]["schemas"]

    def flat(shape: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in shape:
            shape = shapes[shape["$ref"].split("/")[-1]]
        parts = [flat(part) for key in ("allOf", "oneOf", "anyOf") for part in shape.get(key, [])]
        found = {key: value for part in parts for key, value in part.items()} | shape
        found["properties"] = {name: value for part in [*parts, shape] for name, value in part.get("properties", {}).items()}
        return found

    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method not in ("post", "put", "patch"):
                continue
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            fields = {}
            for name, shape in flat(content.get("schema", {}))["properties"].items():
                one = flat(shape)
                if not one.get("readOnly"):
                    kinds = [one.get("format"), *([one["type"]] if isinstance(one.get("type"), str) else one.get("type", []))]
                    likely = next((SAMPLES[kind] for kind in kinds if kind in SAMPLES), '"x"')
                    fields[name] = json.dumps(one["enum"][0]) if one.get("enum") else likely
            yield method, re.sub(r"{(\w+)}", lambda found: "1" if found[1].endswith("id") else "x", path), fields


def bodies(fields: dict[str, str]) -> Iterator[tuple[str, str]]:
    for (told, worst), field in itertools.product(WORST.items(), fields):
        others = {**fields, field: worst}
        yield f"{told} in {field}", "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in others.items()) + "}"
    for told, worst in WORST.items():
        yield f"{told} as the body", worst
    yield "no JSON", "{"
    yield "deep beyond reading", "[" * 100_000


@pytest.mark.filterwarnings("ignore")
def test_no_worst_value_in_any_field_breaks_an_address(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None})
    world.held_order()
    client: Client = caller("anna", "admin").client
    client.raise_request_exception = False
    broken, tried = [], 0
    for method, path, fields in operations():
        for told, body in bodies(fields):
            tried += 1
            answer = client.generic(method.upper(), path, body, "application/json")
            if answer.status_code >= 500:
                broken.append(f"{method} {path}: {told}: {answer.status_code}")
            elif answer.status_code >= 400 and answer["Content-Type"] != "application/problem+json":
                broken.append(f"{method} {path}: {told}: {answer.status_code} is no problem document")
    assert broken == []
    assert tried > 500
