"""Orders that should not stand as they do: entered twice, or a quotation that nobody answers."""

import pytest

from apps.accounts.models import Role
from apps.exceptions.cases import applying, moves
from apps.outbox.models import Command
from tests.exceptions.actions import apply, case_of, offered
from tests.trade import company
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    person("olga", Role.OPERATOR)
    return company()


def twice(world: World) -> None:
    world.order(41, amount=1_000, state="sale", client_order_ref="PO 7")
    world.order(42, amount=1_000, state="draft", client_order_ref="PO 7")


def test_either_of_two_orders_is_cancelled_with_a_note_on_both(world: World) -> None:
    twice(world)
    case = case_of(world, "order.possible_duplicate", "sale.order", 42, cause="41")
    assert offered(world, case)["cancel_duplicate"] == {
        "42-draft-1000": "Cancel S00042 of Azure Interior (1,000.00 EUR), keep S00041",
        "41-sale-1000": "Cancel S00041 of Azure Interior (1,000.00 EUR), keep S00042",
    }
    with pytest.raises(applying.ConfirmationNeededError, match="S00042 is cancelled, S00041 stays"):
        apply(world, case, "cancel_duplicate", "42-draft-1000", is_confirmed=False)
    cancel, note, other = apply(world, case, "cancel_duplicate", "42-draft-1000")
    assert (cancel.model, cancel.odoo_id, cancel.method) == ("sale.order", 42, "action_cancel")
    assert cancel.precondition == [["state", "=", "draft"], ["amount_total", "=", 1000.0]]
    assert (note.odoo_id, other.odoo_id) == (42, 41)
    assert "S00041 stays" in note.arguments["body"] and "S00042 was the same order" in other.arguments["body"]


def test_what_has_left_or_was_invoiced_is_not_cancelled(world: World) -> None:
    twice(world)
    case = case_of(world, "order.possible_duplicate", "sale.order", 42, cause="41")
    world.write("stock.picking", 41, name="WH/OUT/00041", state="done", sale_id=41, picking_type_code="outgoing")
    assert list(offered(world, case)["cancel_duplicate"]) == ["42-draft-1000"]
    world.write("sale.order.line", 420, order_id=42, product_id=30, product_uom_qty=1, qty_invoiced=1)
    assert "cancel_duplicate" not in offered(world, case)


def test_what_changed_since_it_was_shown_is_not_cancelled(world: World) -> None:
    twice(world)
    case = case_of(world, "order.possible_duplicate", "sale.order", 42, cause="41")
    world.order(42, amount=1_200, state="draft")
    with pytest.raises(moves.MoveRefusedError, match="no longer available"):
        apply(world, case, "cancel_duplicate", "42-draft-1000")
    assert not Command.objects.exists()


def test_an_order_of_another_company_is_none_of_the_two(world: World) -> None:
    twice(world)
    world.order(41, amount=1_000, state="sale", company_id=2)
    case = case_of(world, "order.possible_duplicate", "sale.order", 42, cause="41")
    assert "cancel_duplicate" not in offered(world, case)


def test_a_quotation_that_nobody_answers_is_renewed_or_cancelled(world: World) -> None:
    world.order(42, amount=1_000, state="sent", validity_date="2026-11-20")
    case = case_of(world, "order_to_cash.stuck", "sale.order", 42, cause="quotation")
    found = offered(world, case)
    assert found["renew_quotation"] == {"2026-12-23": "S00042 holds until 2026-12-23, instead of 2026-11-20"}
    assert found["cancel_quotation"] == {"sent-1000": "Cancel S00042 of Azure Interior (1,000.00 EUR)"}
    renew, _ = apply(world, case, "renew_quotation")
    assert (renew.arguments, renew.precondition) == ({"vals": {"validity_date": "2026-12-23"}}, [["state", "=", "sent"]])
    cancel, note = apply(world, case, "cancel_quotation")
    assert (cancel.method, cancel.postcondition, note.method) == ("action_cancel", [["state", "=", "cancel"]], "message_post")


def test_a_confirmed_order_is_no_quotation_any_more(world: World) -> None:
    world.order(42, state="sale")
    case = case_of(world, "order_to_cash.stuck", "sale.order", 42, cause="to_deliver")
    assert {"renew_quotation", "cancel_quotation"} & offered(world, case).keys() == set()
