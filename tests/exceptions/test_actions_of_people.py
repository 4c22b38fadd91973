"""Where only a person in Odoo can help: an activity for whoever is responsible, due today, with what is wrong in numbers."""

import pytest

from apps.accounts.models import Role
from apps.exceptions.cases import moves
from apps.outbox.models import Command
from tests.exceptions.actions import apply, case_of, offered
from tests.trade import company, sale
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    person("olga", Role.OPERATOR)
    made = company()
    made.write("res.users", 8, name="Willy Warehouse", login="willy", active=True, partner_id=5, company_id=1)
    made.write("res.users", 9, name="Gone", login="gone", active=False, partner_id=5, company_id=1)
    return made


def test_the_salesperson_gets_an_activity_due_today_with_the_figures(world: World) -> None:
    world.order(42, user_id=7, create_uid=8)
    evidence = {"partner_name": "Azure Interior", "compared_amount": "6200.00"}
    case = case_of(world, "order.unusual", "sale.order", 42, record_name="S00042", currency="EUR", evidence=evidence)
    task = "ask the customer whether the quantities are right"
    assert offered(world, case)["ask_responsible"] == {
        "7": f"Sofia Sales gets an activity, due today: {task}",
        "8": f"Willy Warehouse gets an activity, due today: {task}",
    }
    (activity,) = apply(world, case, "ask_responsible", "7")
    (values,) = activity.arguments["vals_list"]
    assert (activity.model, activity.method, values["user_id"], values["res_id"]) == ("mail.activity", "create", 7, 42)
    assert (values["summary"], values["date_deadline"]) == (task, "2026-11-23")
    assert "Unusual order. Customer: Azure Interior" in values["note"] and "/records/main/sale.order/42/" in values["note"]
    # Whoever is asked once is not offered again; the other still is.
    assert list(offered(world, case)["ask_responsible"]) == ["8"]
    with pytest.raises(moves.MoveRefusedError, match="Olga has already done this"):
        apply(world, case, "ask_responsible", "7")
    assert Command.objects.count() == 1


def test_nobody_who_is_gone_nor_the_tower_itself_is_asked(world: World) -> None:
    world.connection.uid = 8
    world.connection.save()
    world.order(42, user_id=9, create_uid=8)
    case = case_of(world, "order.unusual", "sale.order", 42)
    assert "ask_responsible" not in offered(world, case)


def test_a_transfer_without_somebody_of_its_own_is_the_salespersons(world: World) -> None:
    sale(world, 42)
    world.write("stock.picking", 42, user_id=False, company_id=1)
    case = case_of(world, "fulfilment.late_transfer", "stock.picking", 42)
    assert list(offered(world, case)["ask_responsible"]) == ["7"]
    world.write("stock.picking", 42, user_id=8)
    case = case_of(world, "fulfilment.late_transfer", "stock.picking", 42)
    assert list(offered(world, case)["ask_responsible"]) == ["8", "7"]


def test_the_note_holds_no_markup_of_others(world: World) -> None:
    world.order(42)
    evidence = {"partner_name": "<img src=x onerror=alert(1)>"}
    case = case_of(world, "order.unusual", "sale.order", 42, currency="EUR", evidence=evidence)
    (activity,) = apply(world, case, "ask_responsible", "7")
    note = activity.arguments["vals_list"][0]["note"]
    assert "<img" not in note and "&lt;img" in note


def test_whatever_stands_still_can_be_given_to_who_is_responsible(world: World) -> None:
    world.order(42)
    case = case_of(world, "order_to_cash.stuck", "sale.order", 42, cause="quotation")
    assert "ask_responsible" in offered(world, case)
