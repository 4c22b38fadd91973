"""Why the API says no: each refusal has a code that is documented, and the same rule answers pages."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rest_framework import exceptions

from apps.accounts.models import User
from apps.api import problems
from apps.approvals.models import Request
from apps.core import refusals
from apps.core.refusals import Problem
from apps.exceptions.models import ExceptionCase
from controltower.env import BASE_DIR
from tests.world import World

Call = Callable[..., Any]


def _modules() -> list[Path]:
    apps = BASE_DIR / "apps"
    return [path for path in apps.rglob("*.py") if not {"sandbox", "migrations"} & set(path.parts)]


@pytest.mark.parametrize(
    ("who", "scope", "code"),
    [
        ("adam", "admin", "over_limit"),
        ("anna", "admin", "not_asked"),
        ("olga", "admin", "role_not_allowed"),
        ("adam", "read", "scope_not_allowed"),
    ],
)
def test_a_403_says_by_its_code_which_rule_refused(world: World, call: Call, who: str, scope: str, code: str) -> None:
    world.held_order(amount=60_000)
    request = Request.objects.get()
    said = call(who, f"approvals/{request.pk}/approve/", {"expected_amount": str(request.amount)}, scope=scope).json()

    assert (said["status"], said["code"]) == (403, code)
    explained = Client().get(said["type"]).json()
    assert (explained["code"], explained["type"], explained["title"]) == (code, said["type"], said["title"])
    assert explained["remedy"] in (BASE_DIR / "docs" / "errors.md").read_text()


def test_what_http_itself_refuses_has_codes_too(world: World, call: Call) -> None:
    assert call("olga", "nothing-here/").json()["code"] == "not_found"
    assert call("olga", "exceptions/999/").json()["code"] == "not_found"
    assert call("", "exceptions/").json()["code"] == "not_authenticated"
    assert call("olga", "exceptions/?colour=red").json()["code"] == "invalid"
    world.held_order()
    address = f"exceptions/{ExceptionCase.objects.get().pk}/comment/"
    assert call("olga", address, raw="{").json()["code"] == "parse_error"
    assert call("olga", "kpis/", {}).json()["code"] == "method_not_allowed"
    assert call("olga", address, {"text": "x"}, Idempotency_Key="x" * 256).json()["code"] == "idempotency_key_too_long"


def test_every_exception_of_the_framework_has_a_documented_code() -> None:
    kinds = {kind for kind in exceptions.APIException.__subclasses__() if kind.__module__ == exceptions.__name__}
    assert {kind.default_code for kind in kinds} - set(problems.OF_HTTP) == {exceptions.PermissionDenied.default_code}


def test_codes_are_told_apart() -> None:
    codes = [*problems.OF_HTTP, *(kind.problem.code for kind in refusals.kinds())]
    assert len(codes) == len(set(codes)) > 25


@pytest.mark.parametrize(("code", "status"), [("Not a code", 409), ("server_fault", 500), ("all_well", 200)])
def test_what_is_no_refusal_cannot_be_declared(code: str, status: int) -> None:
    with pytest.raises(ValueError, match=r"refusal|code"):
        Problem(code, status, "Title", "Meaning.", "Remedy.")


def test_no_module_but_the_handler_answers_403_itself() -> None:
    found = {
        path.relative_to(BASE_DIR).as_posix()
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for one in [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(one, ast.Constant) and one.value in (403, "403.html")
    }
    declared = {f"{kind.__module__.replace('.', '/')}.py" for kind in refusals.kinds() if kind.problem.status == 403}
    assert found == declared | {"apps/api/problems.py"}


def test_a_page_and_a_script_are_refused_by_the_same_rule(world: World) -> None:
    world.held_order()
    case = ExceptionCase.objects.get()
    aida = Client(raise_request_exception=True)
    aida.force_login(User.objects.get(username="aida"))

    page = aida.get("/connections/add/")
    assert page.status_code == 403 and "Ask an integrator." in page.content.decode()
    script = aida.post("/exceptions/do/", {"move": "acknowledge", "ids": [case.pk]}, headers={"X-Act": "1"})
    assert (script.status_code, script.json()["code"]) == (403, "role_not_allowed")
    assert script.json()["detail"].endswith("Ask an operator.")
