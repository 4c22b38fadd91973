"""A status is one class: its code, label, colour and icon, and nobody writes its code beside it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import models

from apps.core.looks import Look, StatusChoices
from apps.core.templatetags import show
from controltower.env import BASE_DIR

# Odoo's own fields of these names are compared with what Odoo calls them.
OF_ODOO = {"mirror", "workflows"}


def statuses() -> list[type[StatusChoices]]:
    return sorted(StatusChoices.__subclasses__(), key=str)


class Light(StatusChoices):
    RED = "red", Look("late", "circle-x"), "Stop"


def test_a_value_carries_its_code_look_and_label() -> None:
    assert (Light.RED.value, Light("red").look, Light.RED.label) == ("red", Look("late", "circle-x"), "Stop")
    assert Light.RED.look.classes == "badge tone-late" and Light.RED.look.tone_class == "tone-late"
    assert Light.choices == [("red", "Stop")]


@pytest.mark.parametrize("status", statuses())
def test_every_status_has_a_code_a_colour_and_an_icon_that_are_there(status: type[StatusChoices]) -> None:
    colours = (BASE_DIR / "static/css/badges.css").read_text()
    for one in status:
        assert re.fullmatch(r"[a-z_]*", one.value)
        assert not one.look.tone or f".tone-{one.look.tone}" in colours
        assert "<svg" in show.icon(one.look.icon)
        assert str(one.label)


def test_every_field_that_says_a_status_is_of_such_a_class() -> None:
    from django.apps import apps

    bare = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith("apps.") and model.__module__.split(".")[1] not in OF_ODOO
        for field in model._meta.fields
        if isinstance(field, models.CharField) and field.name in ("status", "state", "outcome") and not field.choices
    ]
    assert bare == []


def test_no_code_of_a_status_is_written_beside_its_class() -> None:
    found = [
        f"{path.relative_to(BASE_DIR)}:{line}"
        for path in sorted((BASE_DIR / "apps").rglob("*.py"))
        if "migrations" not in path.parts and path.relative_to(BASE_DIR).parts[1] not in OF_ODOO
        for line in _written(path)
    ]
    assert found == []


def _written(path: Path) -> Iterator[int]:
    codes = {one.value for status in statuses() for one in status}
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Compare)
            and isinstance(node.left, ast.Attribute)
            and node.left.attr in ("status", "state")
            and any(isinstance(one, ast.Constant) and one.value in codes for one in node.comparators)
        ):
            yield node.lineno
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("filter", "exclude", "update")
        ):
            for keyword in node.keywords:
                if keyword.arg in ("status", "state", "outcome") and isinstance(keyword.value, ast.Constant):
                    yield node.lineno
