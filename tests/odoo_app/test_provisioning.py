"""Provisioning a real Odoo: what is made, that it works there, and that nothing of it stays behind."""

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from apps.odoo import guards, provision
from apps.odoo.blueprint import Blueprint, CustomField, CustomModel, HookRule
from apps.odoo.client import OdooClient, connect
from apps.odoo.errors import ForbiddenError, RefusedError
from apps.odoo.models import Connection
from apps.workflows import blueprint

pytestmark = pytest.mark.odoo

# Of the catalogue, what is about sales orders; and a model that this Odoo does not have.
BLUEPRINT = Blueprint(
    (
        *(item for item in blueprint.of_catalogue().items if item.model in ("sale.order", guards.ASK, guards.HEARTBEAT)),
        HookRule("no.such.model"),
    )
)
COMPARED = {
    "ir.model": ["model", "name"],
    "ir.model.fields": ["model", "name", "ttype", "help"],
    "ir.model.constraint": ["name"],
    "ir.model.relation": ["name"],
    "ir.model.access": ["name", "group_id", "perm_write"],
    "ir.model.data": ["module", "name", "model", "res_id"],
    "ir.actions.server": ["name", "state", "code", "binding_model_id"],
    "base.automation": ["name", "trigger"],
    "ir.ui.view": ["name", "arch_db", "active"],
    "ir.cron": ["cron_name", "active"],
    "ir.config_parameter": ["key", "value"],
    "res.groups": ["name"],
    "ir.default": ["field_id", "json_value"],
}


@pytest.fixture
def tower(real: Callable[..., Connection], httpserver: HTTPServer, settings: Any) -> Iterator[Connection]:
    """A connection whose webhooks come to ``httpserver``; provisioned by the test, bare again after it."""
    settings.INTAKE_URL = f"http://127.0.0.1:{httpserver.port}"
    settings.PUBLIC_URL = "http://tower.example"
    httpserver.expect_request("/hooks/odoo/first/").respond_with_data("", status=202)
    connection = real(transport="jsonrpc", hook_secret="first")
    with Path("/tmp/odoo-provision.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        provision.remove(connection)
        try:
            yield connection
        finally:
            provision.remove(connection)


def standing(client: OdooClient) -> dict[str, dict[int, Any]]:
    return {
        model: {row["id"]: row for row in client.search_read(model, [], fields, order="id")} for model, fields in COMPARED.items()
    }


def test_a_plan_changes_nothing_nor_does_a_second_run_and_removal_leaves_odoo_as_it_was(tower: Connection) -> None:
    whole = Blueprint((*blueprint.of_catalogue().items, HookRule("no.such.model")))
    client = connect(tower)
    before = standing(client)

    planned = provision.plan(tower, whole)
    assert standing(client) == before
    assert {step.action for step in planned} == {"create", "skip"}
    assert [str(step) for step in provision.apply(tower, whole)] == [str(step) for step in planned]
    rules = [row["name"] for row in standing(client)["base.automation"].values()]
    assert "Control Tower: check 1 of order to cash" in rules
    assert [str(step) for step in provision.apply(tower, whole) if step.action not in ("keep", "skip")] == []
    assert provision.plan_removal(tower)

    provision.remove(tower)
    after = standing(client)
    for model in COMPARED:
        assert after[model] == before[model], model
    assert provision.plan_removal(tower) == []


def test_a_second_apply_changes_nothing_and_a_new_secret_only_the_addresses(tower: Connection) -> None:
    provision.apply(tower, BLUEPRINT)
    assert {step.action for step in provision.apply(tower, BLUEPRINT)} == {"keep", "skip"}

    tower.hook_secret = "second"
    changed = [step for step in provision.apply(tower, BLUEPRINT) if step.action not in ("keep", "skip")]
    assert len(changed) == 4
    assert all(step.action == "update" and "(webhook_url)" in step.words for step in changed)
    assert {step.action for step in provision.plan(tower, BLUEPRINT)} == {"keep", "skip"}


def test_what_an_older_blueprint_left_is_removed_and_what_a_person_deleted_is_made_again(tower: Connection) -> None:
    model = "x_ct_trial"
    fields = [CustomField(model, "x_one", "char", "One"), CustomField(model, "x_two", "char", "Two")]
    provision.apply(tower, Blueprint((CustomModel(model, "Trial", fields), HookRule(model))))
    client = connect(tower)
    client.unlink("base.automation", client.search("base.automation", [("name", "like", "Control Tower: tell of x_ct_trial")]))

    steps = provision.apply(tower, Blueprint((CustomModel(model, "Trial", fields[:1]), HookRule(model))))
    assert sorted(step.key for step in steps if step.action == "remove") == ["field_x_ct_trial_x_two"]
    assert "rule_hook_x_ct_trial_on_create_or_write" in [step.key for step in steps if step.action == "create"]
    assert "x_two" not in client.fields_get(model)
    assert {step.action for step in provision.plan(tower, Blueprint((CustomModel(model, "Trial", fields[:1]), HookRule(model))))} == {"keep"}  # fmt: skip  # noqa: E501


def test_a_thing_that_was_made_but_not_yet_marked_is_adopted(tower: Connection) -> None:
    provision.apply(tower, BLUEPRINT)
    client = connect(tower)
    marks = client.search("ir.model.data", [("module", "=", provision.MARK)])
    client.unlink("ir.model.data", marks)
    assert {step.action for step in provision.apply(tower, BLUEPRINT)} == {"keep", "skip"}
    assert client.search_count("ir.model.data", [("module", "=", provision.MARK)]) == len(marks)


@pytest.fixture
def business(tower: Connection) -> Iterator[dict[str, Any]]:
    """A customer with a limit of 1,000, a salesperson with no other right, and orders of any amount."""
    provision.apply(tower, BLUEPRINT)
    client = connect(tower)
    group = client.search_read("ir.model.data", [("module", "=", "sales_team"), ("name", "=", "group_sale_salesman_all_leads")], ["res_id"])[0]["res_id"]  # fmt: skip  # noqa: E501
    internal = client.search_read("ir.model.data", [("module", "=", "base"), ("name", "=", "group_user")], ["res_id"])[0]["res_id"]  # fmt: skip  # noqa: E501
    stamp = str(time.time_ns())
    user = client.create(
        "res.users",
        {"name": "Sally", "login": f"sally{stamp}", "password": "sally", "group_ids": [(6, 0, [group, internal])]},
    )
    partner = client.create("res.partner", {"name": "Carl's Cans", "is_company": True, "credit_limit": 1000.0})
    product = client.create("product.product", {"name": "Can", "type": "service", "taxes_id": [(5, 0, 0)]})
    orders: list[int] = []

    def order(amount: float) -> int:
        line = {"product_id": product, "product_uom_qty": 1, "price_unit": amount, "tax_ids": [(5, 0, 0)]}
        orders.append(client.create("sale.order", {"partner_id": partner, "order_line": [(0, 0, line)]}))
        return orders[-1]

    seller = Connection(
        name="main", url=tower.url, database=tower.database, login=f"sally{stamp}", api_key="sally", transport="jsonrpc"
    )
    yield {"client": client, "seller": connect(seller), "order": order, "partner": partner, "user": user}
    provision.remove(tower)  # the guard would hold the clean-up up
    orders = client.search("sale.order", [("partner_id", "=", partner)])
    client.call("sale.order", "action_cancel", orders)
    client.unlink("sale.order", orders)
    client.unlink("product.template", client.search("product.template", [("product_variant_ids", "in", [product])]))
    own = client.read("res.users", [user], ["partner_id"])[0]["partner_id"]
    client.unlink("res.users", [user])
    client.unlink("res.partner", [partner, own])


def asks(client: OdooClient, order: int) -> list[dict[str, Any]]:
    fields = ["x_kind", "x_state", "x_count", "x_amount", "x_exposure", "x_limit", "x_requested_uid", "x_reason"]
    return client.search_read(guards.ASK, [("x_res_model", "=", "sale.order"), ("x_res_id", "=", order)], fields)


def posted(httpserver: HTTPServer, model: str) -> list[dict[str, Any]]:
    bodies = [json.loads(request.get_data()) for request, _ in httpserver.log if request.path == "/hooks/odoo/first/"]
    return [body for body in bodies if body["_model"] == model]


def test_a_salesperson_is_refused_over_the_limit_and_let_through_once_released(
    business: dict[str, Any], httpserver: HTTPServer
) -> None:
    client, seller = business["client"], business["seller"]
    assert not client.call("res.users", "has_group", [business["user"]], group_ext_id="account.group_account_readonly")

    small = business["order"](400.0)
    seller.call("sale.order", "action_confirm", [small])
    assert asks(client, small) == []

    big = business["order"](700.0)
    with pytest.raises(RefusedError) as refused:
        seller.call("sale.order", "action_confirm", [big])
    assert "to 1100.00" in refused.value.message
    assert f"http://tower.example/records/main/sale.order/{big}/" in refused.value.message
    assert client.read("sale.order", [big], ["state"])[0]["state"] == "draft"
    (ask,) = asks(client, big)
    wanted = {"x_kind": "credit_override", "x_state": "open", "x_count": 1, "x_amount": 700.0, "x_limit": 1000.0}
    assert wanted.items() <= ask.items()
    assert (ask["x_exposure"], ask["x_requested_uid"]) == (1100.0, business["user"])
    # Odoo waits a second for an answer, so that what an earlier act told may still arrive after it.
    (told,) = {body["_id"]: body for body in posted(httpserver, guards.ASK) if body["_id"] == ask["id"]}.values()
    assert told["write_date"]

    with pytest.raises(RefusedError):
        seller.call("sale.order", "action_confirm", [big])
    assert asks(client, big)[0]["x_count"] == 2

    client.write("sale.order", [big], {"x_ct_released_amount": 700.0})
    seller.call("sale.order", "action_confirm", [big])
    assert client.read("sale.order", [big], ["state"])[0]["state"] == "sale"


def test_a_rejection_stands_for_that_amount_and_another_amount_is_asked_anew(business: dict[str, Any]) -> None:
    client, seller = business["client"], business["seller"]
    order = business["order"](2000.0)
    with pytest.raises(RefusedError):
        seller.call("sale.order", "action_confirm", [order])
    client.write(guards.ASK, [asks(client, order)[0]["id"]], {"x_state": "rejected", "x_reason": "Pay first."})

    with pytest.raises(RefusedError, match="Pay first"):
        seller.call("sale.order", "action_confirm", [order])
    assert (asks(client, order)[0]["x_state"], asks(client, order)[0]["x_count"]) == ("rejected", 2)

    line = client.search("sale.order.line", [("order_id", "=", order)])
    client.write("sale.order.line", line, {"price_unit": 1500.0})
    with pytest.raises(RefusedError, match="has been asked for"):
        seller.call("sale.order", "action_confirm", [order])
    (ask,) = asks(client, order)
    assert (ask["x_state"], ask["x_count"], ask["x_amount"], ask["x_reason"]) == ("open", 3, 1500.0, False)


def test_a_held_order_is_refused_whatever_its_amount(business: dict[str, Any]) -> None:
    client, seller = business["client"], business["seller"]
    order = business["order"](1.0)
    client.write("sale.order", [order], {"x_ct_hold": "pricing_exception", "x_ct_hold_reason": "The discount is 40 %."})
    with pytest.raises(RefusedError, match="The discount is 40 %"):
        seller.call("sale.order", "action_confirm", [order])
    assert asks(client, order)[0]["x_kind"] == "pricing_exception"
    client.write("sale.order", [order], {"x_ct_hold": False})
    seller.call("sale.order", "action_confirm", [order])


def test_a_salesperson_cannot_release_an_order_and_may_ask_for_approval(business: dict[str, Any]) -> None:
    client, seller = business["client"], business["seller"]
    order = business["order"](5000.0)
    with pytest.raises(RefusedError, match="Only Control Tower"):
        seller.write("sale.order", [order], {"x_ct_released_amount": 9999.0})
    client.write("sale.order", [order], {"x_ct_hold": "pricing_exception"})
    with pytest.raises(RefusedError, match="Only Control Tower"):
        seller.write("sale.order", [order], {"x_ct_hold": False})
    with pytest.raises(RefusedError, match="Only Control Tower"):
        seller.create("sale.order", {"partner_id": business["partner"], "x_ct_released_amount": 9999.0})
    assert seller.create("sale.order", {"partner_id": business["partner"]})
    with pytest.raises(ForbiddenError):
        seller.search_read(guards.ASK, [], ["x_state"])
    copied = client.call("sale.order", "copy", [order])
    copied = copied[0] if isinstance(copied, list) else copied
    assert client.read("sale.order", [copied], ["x_ct_released_amount"])[0]["x_ct_released_amount"] == 0.0
    client.unlink("sale.order", [copied])

    (action,) = client.search("ir.actions.server", [("name", "=", "Ask for approval in Control Tower: credit override")])
    seller.call(
        "ir.actions.server",
        "run",
        [action],
        context={"active_model": "sale.order", "active_id": order, "active_ids": [order]},
    )
    (ask,) = asks(client, order)
    assert (ask["x_state"], ask["x_amount"], ask["x_requested_uid"]) == ("open", 5000.0, business["user"])
    # Nothing is asked about what the approval is not for, and the menu says so.
    cancelled = business["order"](7000.0)
    client.call("sale.order", "action_cancel", [cancelled])
    context = {"active_model": "sale.order", "active_id": order, "active_ids": [order, cancelled]}
    answered = seller.call("ir.actions.server", "run", [action], context=context)["params"]
    assert (answered["type"], "1 of those selected are left out" in answered["message"]) == ("warning", True)
    context = {"active_model": "sale.order", "active_id": cancelled, "active_ids": [cancelled]}
    answered = seller.call("ir.actions.server", "run", [action], context=context)["params"]
    assert answered["message"] == "Nothing has been asked for: this approval is for an order that is not cancelled."
    assert asks(client, cancelled) == []


def test_the_heartbeat_arrives(tower: Connection, httpserver: HTTPServer) -> None:
    provision.apply(tower, BLUEPRINT)
    client = connect(tower)
    (cron,) = client.search("ir.cron", [("cron_name", "=", "Control Tower: heartbeat")])
    client.call("ir.cron", "method_direct_trigger", [cron])
    assert posted(httpserver, guards.HEARTBEAT)


def test_the_form_with_the_banner_can_be_shown(tower: Connection) -> None:
    provision.apply(tower, BLUEPRINT)
    views = connect(tower).call("sale.order", "get_views", views=[(False, "form")])
    assert "Waits for a decision in Control Tower" in views["views"]["form"]["arch"]
