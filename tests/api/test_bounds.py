"""Whatever people or programs send has a bound: found by walking over all that is accepted, not by hand."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

import apps
from apps.accounts.models import User
from tests.world import World

# Text that names a row is looked up by it, and found or not found; what is bounded by its own check says where.
LOOKED_UP = {"deputy", "to", "connection", "team", "owner", "people", "endpoints"}
CHECKED = {
    "rules": "approvals.policy.check_shape",
    "view": "texts of 300 characters; the whole address by exceptions.saved",
    "channels": "notifications.preferences: known kinds and ways alone",
    "types": "known types alone",
}


def sent() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every property of every request body: where it is sent, its name, its schema."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    shapes = schema["components"]["schemas"]

    def walk(place: str, name: str, shape: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        while "$ref" in shape:
            shape = shapes[shape["$ref"].split("/")[-1]]
        for key in ("allOf", "oneOf", "anyOf"):
            for part in shape.get(key, []):
                yield from walk(place, name, part)
        for inner, found in shape.get("properties", {}).items():
            if not found.get("readOnly"):
                yield from walk(place, inner, found)
        if shape.get("type") == "array":
            yield from walk(place, name, shape["items"])
        yield place, name, shape

    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                yield from walk(f"{method.upper()} {path}", "", body["schema"])


def test_every_field_that_programs_send_has_a_bound() -> None:
    unbounded = []
    for place, name, shape in sent():
        if name in LOOKED_UP or name in CHECKED:
            continue
        kind, form = shape.get("type"), shape.get("format")
        if kind == "string" and "enum" not in shape and form not in ("date-time", "date", "time", "uuid", "decimal"):
            if "maxLength" not in shape:
                unbounded.append(f"{place} {name}: text")
        elif kind in ("integer", "number") and not {"minimum", "maximum"} <= shape.keys():
            unbounded.append(f"{place} {name}: number")
        elif kind == "array" and "maxItems" not in shape:
            unbounded.append(f"{place} {name}: list")
        elif kind == "object" and shape.get("additionalProperties"):
            unbounded.append(f"{place} {name}: object")
    assert unbounded == []


def test_every_text_and_number_of_every_form_has_a_bound() -> None:
    for module in pkgutil.walk_packages(apps.__path__, "apps."):
        if module.name.endswith((".forms", ".views", ".screens")):
            importlib.import_module(module.name)

    def all_of(base: type) -> Iterator[Any]:
        for one in base.__subclasses__():
            yield one
            yield from all_of(one)

    unbounded = []
    for form in {one for one in all_of(forms.BaseForm) if one.__module__.startswith("apps.")}:
        for name, field in form.base_fields.items():
            # The number of a row is bounded by its column, which Django's own validators of the row look at.
            is_of_row = issubclass(form, forms.ModelForm)
            is_open_number = isinstance(field, forms.IntegerField) and not is_of_row and None in (field.max_value, field.min_value)
            if is_open_number or (isinstance(field, forms.CharField) and field.max_length is None):
                unbounded.append(f"{form.__name__}.{name}")
    assert unbounded == []


@pytest.mark.parametrize("field", ["reason", "decision", "token"])
def test_a_form_with_a_nul_is_refused_by_the_name_of_its_field(db: None, client: Client, field: str) -> None:
    world = World()
    person = User.objects.create_user("anna", role="admin")
    client.force_login(person)
    world.held_order()
    answer = client.post("/approvals/1/decide/", {field: "a\0b"})
    assert answer.status_code == 400
    assert f"The field {field} contains" in answer.content.decode()
