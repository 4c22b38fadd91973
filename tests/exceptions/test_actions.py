"""Suggested actions of an exception: offered from what the mirror shows, applied once, told to Odoo."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.events.models import OutsideEvent
from apps.exceptions.cases import actions, applying, moves
from apps.exceptions.models import ExceptionCase, Status
from apps.exceptions.queue import screens
from apps.mirror.models.account_move import AccountMove
from apps.mirror.models.sale_order import SaleOrder
from apps.outbox.models import Command
from tests.trade import DESK, days, larger_company, purchase, sale
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    """Ten desks that a customer waits for and a vendor is late with; two warehouses, and a second vendor."""
    person("olga", Role.OPERATOR)
    person("aida", Role.AUDITOR)
    return larger_company()


def late_purchase(world: World) -> ExceptionCase:
    sale(world, 42, quantity=10, promised_in=3, fed_by=[800])
    purchase(world, quantity=20, expected_in=8)
    world.write("stock.move", 800, location_dest_id=8)
    return ExceptionCase.objects.get(type="purchase.supplier_delay")


def short_transfer(world: World) -> ExceptionCase:
    sale(world, 42, quantity=10, reserved=1)
    world.write("stock.move", 42, location_id=8)
    world.write("stock.picking", 42, picking_type_id=1, state="assigned", company_id=1, partner_id=50)
    return ExceptionCase.objects.get(type="fulfilment.pick_shortage")


def stock(world: World, place: int, quantity: float, reserved: float = 0) -> None:
    world.write(
        "stock.quant", place, product_id=DESK, location_id=place, company_id=1, quantity=quantity, reserved_quantity=reserved
    )


def price(world: World, vendor: int, **values: Any) -> None:
    world.write(
        "product.supplierinfo",
        vendor,
        **{"partner_id": vendor, "product_tmpl_id": DESK * 10, "price": 45, "delay": 7, "currency_id": 1} | values,
    )


def offered(world: World, case: ExceptionCase) -> dict[str, list[str]]:
    found = actions.offered(case, now=world.now)
    return {offer.action.name: [option.text for option in offer.options] for offer in found}


def apply(world: World, case: ExceptionCase, action: str, option: str, by: str = "olga", **more: Any) -> None:
    applying.apply(case.pk, action=action, option=option, by=User.objects.get(username=by), now=world.now, **more)


def test_a_late_purchase_offers_a_new_promise_stock_elsewhere_and_other_vendors(world: World) -> None:
    case = late_purchase(world)
    stock(world, 9, 15, reserved=3)
    price(world, 60, price=40)
    price(world, 61)
    assert offered(world, case) == {
        "promise_later": [f"S00042, Azure Interior: {days(world, 8)[:10]} instead of {days(world, 3)[:10]}"],
        "move_stock": ["12 Oak desk from Annex/Stock, 12 available"],
        "buy_elsewhere": ["20 Oak desk from Fjord Furniture at 45.00 EUR, 7 days to deliver"],
    }


def test_a_new_promise_is_written_to_the_sales_order_with_the_reason(world: World) -> None:
    case = late_purchase(world)
    apply(world, case, "promise_later", "42")
    write, note = Command.objects.filter(decision=f"exception:{case.pk}:promise_later:42").order_by("sequence")
    assert (write.model, write.odoo_id, write.arguments["vals"]) == ("sale.order", 42, {"commitment_date": days(world, 8)})
    assert (note.model, note.odoo_id, note.method) == ("sale.order", 42, "message_post")
    assert "P00080 is late. By Olga in Control Tower" in note.arguments["body"]
    case.refresh_from_db()
    assert case.status == Status.ACKNOWLEDGED


def test_a_request_for_quotation_is_drafted_for_the_other_vendor(world: World) -> None:
    case = late_purchase(world)
    price(world, 61, min_qty=25)
    apply(world, case, "buy_elsewhere", f"{DESK}-61")
    draft, note = Command.objects.filter(decision__startswith=f"exception:{case.pk}").order_by("sequence")
    (values,) = draft.arguments["vals_list"]
    assert (draft.model, draft.method, values["partner_id"], values["origin"]) == ("purchase.order", "create", 61, "P00080")
    (line,) = values["order_line"]
    assert line[2] == {"product_id": DESK, "product_qty": 25, "price_unit": 45, "date_planned": days(world, 7)}
    assert str(draft.pk) in values["note"]
    assert note.model == "purchase.order"
    # The vendor has no unit of his own for it: Odoo decides. Nobody's order it was, and terms come with the vendor.
    assert values["currency_id"] == 1 and "user_id" not in values
    assert values["{entered}"] == ["purchase.order", "partner_id", ["payment_term_id", "fiscal_position_id", "user_id"]]


def test_what_is_short_is_taken_from_another_warehouse(world: World) -> None:
    case = short_transfer(world)
    stock(world, 9, 6)
    assert offered(world, case)["move_stock"] == ["6 Oak desk from Annex/Stock, 6 available"]
    apply(world, case, "move_stock", f"{DESK}-9")
    draft = Command.objects.get(method="create")
    (values,) = draft.arguments["vals_list"]
    assert (draft.model, values["picking_type_id"], values["location_id"], values["location_dest_id"]) == (
        "stock.picking",
        12,
        9,
        8,
    )
    assert values["move_ids"][0][2] == {"product_id": DESK, "product_uom_qty": 6, "location_id": 9, "location_dest_id": 8}


def test_what_came_in_meanwhile_is_reserved(world: World) -> None:
    case = short_transfer(world)
    stock(world, 8, 4)
    assert "reserve_again" not in offered(world, case)
    stock(world, 8, 10)
    assert offered(world, case)["reserve_again"] == ["The missing quantity on one line is now available in the warehouse"]
    assert "move_stock" not in offered(world, case)
    apply(world, case, "reserve_again", "now")
    assert Command.objects.get(method="action_assign").odoo_id == 42


def test_what_odoo_would_not_reserve_is_not_offered(world: World) -> None:
    case = short_transfer(world)
    # In quarantine, in the annex as well: in the warehouse, and beside its stock.
    for place, warehouse in ((6, 1), (7, 2)):
        world.write("stock.location", place, name="Quarantine", usage="internal", warehouse_id=warehouse, company_id=1)
        stock(world, place, 20)
    assert not {"reserve_again", "move_stock", "substitute"} & set(offered(world, case))
    # On a shelf of the stock, unless it is to be removed.
    world.write("stock.location", 6, location_id=8)
    assert "reserve_again" in offered(world, case)
    world.write("stock.quant", 6, removal_date=days(world, -1))
    assert "reserve_again" not in offered(world, case)
    world.write("stock.quant", 6, removal_date=days(world, 1))
    assert "reserve_again" in offered(world, case)
    # Another lot below zero takes nothing of it; what it was itself taken from has no more.
    for lot, there in ((1, 10), (2, -4)):
        world.write("stock.quant", 60 + lot, product_id=DESK, location_id=8, lot_id=lot, company_id=1, quantity=there)
    world.write("stock.quant", 6, quantity=0)
    assert "reserve_again" in offered(world, case)
    world.write("stock.quant", 62, lot_id=1)
    assert "reserve_again" not in offered(world, case)


@pytest.mark.parametrize("waits", [{"state": "waiting"}, {"move_orig_ids": [800]}], ids=["made to order", "chained"])
def test_what_is_brought_for_an_order_alone_is_not_taken_from_stock(world: World, waits: dict[str, Any]) -> None:
    purchase(world, expected_in=3)
    case = short_transfer(world)
    for place in (8, 9):
        stock(world, place, 20)
    assert "reserve_again" in offered(world, case)
    world.write("stock.move", 42, **waits)
    assert not {"reserve_again", "move_stock"} & set(offered(world, case))


def test_what_goes_straight_to_the_customer_is_not_moved_from_a_warehouse(world: World) -> None:
    case = late_purchase(world)
    stock(world, 9, 15)
    assert "move_stock" in offered(world, case)
    world.write("stock.location", 15, name="Customers", usage="customer")
    world.write("stock.move", 800, location_dest_id=15)
    assert "move_stock" not in offered(world, case)
    # What comes in at the input is brought to the stock itself: orders are delivered from there.
    world.write("stock.location", 16, name="Input", usage="internal", warehouse_id=1, company_id=1)
    world.write("stock.move", 800, location_dest_id=16)
    apply(world, case, "move_stock", f"{DESK}-9")
    (values,) = Command.objects.get(method="create").arguments["vals_list"]
    assert (values["location_id"], values["location_dest_id"]) == (9, 8)


def test_each_action_is_applied_once_and_only_while_it_is_there(world: World) -> None:
    case = late_purchase(world)
    apply(world, case, "promise_later", "42")
    assert "promise_later" not in offered(world, case)
    before = Command.objects.count()
    with pytest.raises(moves.MoveRefusedError, match="Olga has already done this"):
        apply(world, case, "promise_later", "42")
    with pytest.raises(moves.MoveRefusedError, match="no longer available"):
        apply(world, case, "move_stock", "30-9")
    with pytest.raises(moves.MoveRefusedError, match="has no suggested action"):
        apply(world, case, "burn_it", "1")
    with pytest.raises(NotAllowedError):
        apply(world, case, "promise_later", "42", by="aida")
    assert Command.objects.count() == before


def test_the_page_offers_the_actions_and_shows_what_becomes_of_the_one_applied(world: World, client: Client) -> None:
    case = late_purchase(world)
    client.force_login(User.objects.get(username="olga"))
    page = client.get(f"/exceptions/{case.pk}/").content.decode()
    assert "Change the delivery date" in page
    done = client.post(f"/exceptions/{case.pk}/apply/", {"action": "promise_later", "option": "42"}, follow=True)
    assert "Set the delivery date of S00042 to" in done.content.decode()
    again = client.post(f"/exceptions/{case.pk}/apply/", {"action": "promise_later", "option": "42"})
    assert (again.status_code, "Olga has already done this" in again.content.decode()) == (409, True)
    client.force_login(User.objects.get(username="aida"))
    assert ">Apply<" not in client.get(f"/exceptions/{case.pk}/").content.decode()


def test_a_disputed_invoice_is_opened_again_or_settled_by_whoever_looks_after_it(world: World) -> None:
    world.write(
        "account.move",
        600,
        name="INV/600",
        state="posted",
        move_type="out_invoice",
        payment_state="not_paid",
        partner_id=50,
        invoice_user_id=7,
        company_id=1,
    )
    case = ExceptionCase.objects.create(
        connection=world.connection,
        type="invoice.differs",
        workflow="invoicing",
        model="account.move",
        odoo_id=600,
        record_name="INV/600",
        severity=2,
        team=late_purchase(world).team,
        opened_at=world.now,
        updated_at=world.now,
    )
    assert offered(world, case) == {
        "correct": ["Odoo resets it to draft, to be corrected and posted"],
        "claim": ["Sofia Sales gets an activity: give the customer a credit note"],
        "ask_responsible": [
            "Sofia Sales gets an activity, due today: settle with the partner what differs, or correct the invoice"
        ],
    }
    AccountMove.objects.filter(odoo_id=600).update(state="draft")
    assert offered(world, case)["claim"] == ["Sofia Sales gets an activity: correct the invoice before it is posted"]
    AccountMove.objects.filter(odoo_id=600).update(state="posted")
    apply(world, case, "claim", "600")
    activity = Command.objects.get(model="mail.activity")
    assert activity.arguments["vals_list"][0]["summary"] == "give the customer a credit note"
    apply(world, case, "correct", "draft")
    assert Command.objects.get(method="button_draft").precondition == [["state", "=", "posted"], ["payment_state", "=", "not_paid"]]


def test_another_product_is_delivered_instead_at_the_price_agreed(world: World) -> None:
    case = short_transfer(world)
    world.write("product.template", 300, name="Oak desk", categ_id=5, list_price=100, tracking="none", active=True)
    world.write("product.product", 30, product_tmpl_id=300, active=True)
    for product, template, name, category, price, free in (
        (32, 320, "Beech desk", 5, 110, 20),
        (33, 330, "Gold desk", 5, 900, 20),
        (34, 340, "Elm desk", 5, 100, 3),
        (35, 350, "Chair", 6, 100, 20),
    ):
        world.write("product.template", template, name=name, categ_id=category, list_price=price, tracking="none", active=True)
        world.write("product.product", product, product_tmpl_id=template, active=True)
        world.write("stock.quant", 900 + product, product_id=product, location_id=8, company_id=1, quantity=free)
    world.write("sale.order.line", 420, price_unit=100, discount=5)
    assert offered(world, case)["substitute"] == ["9 Beech desk instead of Oak desk on S00042, 20 available"]
    with pytest.raises(applying.ConfirmationNeededError, match="Azure Interior agrees to get 9 Beech desk instead of Oak desk"):
        apply(world, case, "substitute", "42-32")
    assert not Command.objects.exists() and not Entry.objects.filter(action="exception.applied").exists()
    apply(world, case, "substitute", "42-32", is_confirmed=True)
    write, note = Command.objects.filter(decision=f"exception:{case.pk}:substitute:42-32").order_by("sequence")
    assert [term[:2] for term in write.precondition] == [["state", "="], ["amount_total", "="]]
    assert (write.model, write.odoo_id, write.method) == ("sale.order", 42, "write")
    assert write.arguments["vals"]["order_line"] == [
        [1, 420, {"product_uom_qty": 1}],
        [0, 0, {"product_id": 32, "product_uom_qty": 9, "price_unit": 100, "discount": 5}],
    ]
    assert "9 Beech desk instead of Oak desk" in note.arguments["body"]


def test_what_is_on_the_order_already_stands_in_for_nothing(world: World) -> None:
    case = short_transfer(world)
    world.write("product.template", 300, name="Oak desk", tracking="none", active=True)
    world.write("product.product", 30, product_tmpl_id=300, active=True)
    world.write("product.product", 32, product_tmpl_id=300, active=True)
    world.write("stock.quant", 932, product_id=32, location_id=8, company_id=1, quantity=20)
    assert "(another variant)" in offered(world, case)["substitute"][0]
    world.write("sale.order.line", 421, order_id=42, product_id=32, product_uom_qty=1, company_id=1)
    assert "substitute" not in offered(world, case)


def test_a_date_that_the_vendor_said_is_planned_by_with_its_receipt(world: World) -> None:
    purchase(world, expected_in=5)
    OutsideEvent.objects.create(
        connection=world.connection,
        source="supplier_portal",
        message="m1",
        position=0,
        kind="eta_changed",
        reference="P00080",
        model="purchase.order",
        odoo_id=80,
        status="matched",
        occurred_at=world.now,
        received_at=world.now,
        expected_at=world.now + timedelta(days=12),
    )
    purchase(world, expected_in=5, origin="as told", write_date=days(world, 0.01))
    case = ExceptionCase.objects.get(type="purchase.supplier_delay")
    new, old = days(world, 12), days(world, 5)
    assert offered(world, case)["reschedule"] == [f"Furniture: {new[:10]} instead of {old[:10]}, reported by supplier_portal"]
    apply(world, case, "reschedule", f"800@{new[:10]}")
    line, receipt, note = Command.objects.filter(decision__startswith=f"exception:{case.pk}:reschedule").order_by("sequence")
    assert (line.model, line.odoo_id, line.arguments["vals"]) == ("purchase.order.line", 800, {"date_planned": new})
    assert (receipt.model, receipt.odoo_id, receipt.arguments["vals"]) == ("stock.move", 800, {"date": new})
    assert note.model == "purchase.order"


def test_the_timeline_says_in_numbers_what_was_done_and_what_became_of_it(world: World) -> None:
    case = late_purchase(world)
    said = offered(world, case)["promise_later"][0]
    apply(world, case, "promise_later", "42")
    entry = Entry.objects.get(action="exception.applied")
    assert entry.data["said"] == f"Change the delivery date: {said}"
    applied = next(one for one in screens.timeline_of(case) if one.icon == "wand-sparkles")
    assert applied.what == f"applied Change the delivery date: {said}"
    assert applied.quote.startswith("Amount at risk before: ") and f"{case.amount:,.2f}" in applied.quote
    write, note = actions.commands_of(case)
    Command.objects.filter(pk=write.pk).update(status="done", done_at=world.now)
    Command.objects.filter(pk=note.pk).update(status="refused", done_at=world.now, problem="No")
    told = [(one.who, one.what, one.quote) for one in screens.timeline_of(case) if one.who == "Odoo"]
    assert ("Odoo", f"confirmed: {write.told}", "") in told
    assert ("Odoo", f"refused: {note.told}", "No") in told


def test_what_was_applied_is_undone_before_it_is_sent_and_offered_again(world: World) -> None:
    person("oskar", Role.OPERATOR)
    case, until = late_purchase(world), timedelta(seconds=6)
    apply(world, case, "promise_later", "42", undo_for=until)
    assert {command.not_before for command in actions.commands_of(case)} == {world.now + until}
    olga, oskar = User.objects.get(username="olga"), User.objects.get(username="oskar")
    assert [one.option for one in actions.undoable(case, by=olga, now=world.now)] == ["42"]
    assert actions.undoable(case, by=oskar, now=world.now) == []
    undo = {"action": "promise_later", "option": "42", "now": world.now}
    with pytest.raises(moves.MoveRefusedError, match="Only who applied it"):
        applying.undo_apply(case.pk, by=oskar, **undo)
    applying.undo_apply(case.pk, by=olga, **undo)
    assert set(Command.objects.values_list("status", "is_undone")) == {("cancelled", True)}
    assert "promise_later" in offered(world, case)
    with pytest.raises(moves.MoveRefusedError, match="Too late to undo"):
        applying.undo_apply(case.pk, by=olga, **undo)
    world.advance(seconds=1)
    apply(world, case, "promise_later", "42")
    Command.objects.filter(is_undone=None, method="write").update(sent_at=world.now)
    with pytest.raises(moves.MoveRefusedError, match="Too late to undo"):
        applying.undo_apply(case.pk, by=olga, **undo | {"now": world.now})


def test_the_page_applies_with_a_way_back(world: World, client: Client) -> None:
    case = late_purchase(world)
    client.force_login(User.objects.get(username="olga"))
    chosen = {"action": "promise_later", "option": "42"}
    done = client.post(f"/exceptions/{case.pk}/apply/", chosen, headers={"X-Act": "1"}).json()
    assert done["undo"] == f"/exceptions/{case.pk}/undo-apply/?action=promise_later&option=42"
    assert "Not yet sent to Odoo" in client.get(f"/exceptions/{case.pk}/").content.decode()
    back = client.post(done["undo"], headers={"X-Act": "1"}).json()
    assert back["said"] == "P00080: undone."
    assert set(Command.objects.values_list("status", flat=True)) == {"cancelled"}


def carried_out(decision: str, at: Any) -> None:
    assert Command.objects.filter(decision=decision).update(status="done", sent_at=at, done_at=at)


def test_what_odoo_has_carried_out_is_put_back_as_it_was(world: World) -> None:
    case, olga = late_purchase(world), User.objects.get(username="olga")
    apply(world, case, "promise_later", "42")
    undo = {"action": "promise_later", "option": "42", "by": olga, "now": world.now}
    Command.objects.filter(method="write").update(sent_at=world.now)
    with pytest.raises(moves.MoveRefusedError, match="Too late to undo"):
        applying.undo_apply(case.pk, **undo)
    carried_out(f"exception:{case.pk}:promise_later:42", world.now)
    assert [(one.option, one.is_sent) for one in actions.undoable(case, by=olga, now=world.now)] == [("42", True)]
    applying.undo_apply(case.pk, **undo)
    back = Command.objects.get(decision=f"exception:{case.pk}:undo:promise_later:42")
    assert (back.model, back.odoo_id, back.arguments["vals"]) == ("sale.order", 42, {"commitment_date": days(world, 3)})
    assert back.precondition == [["commitment_date", "=", days(world, 8)]]
    with pytest.raises(moves.MoveRefusedError, match="Too late to undo"):
        applying.undo_apply(case.pk, **undo)
    assert Command.objects.filter(decision__contains=":undo:").count() == 1


def test_a_day_later_nothing_is_put_back_any_more(world: World) -> None:
    case, olga = late_purchase(world), User.objects.get(username="olga")
    apply(world, case, "promise_later", "42")
    carried_out(f"exception:{case.pk}:promise_later:42", world.now)
    world.advance(hours=25)
    assert actions.undoable(case, by=olga, now=world.now) == []
    with pytest.raises(moves.MoveRefusedError, match="Too late to undo"):
        applying.undo_apply(case.pk, action="promise_later", option="42", by=olga, now=world.now)


def test_orders_of_companies_out_of_sight_are_neither_named_nor_changed_but_counted(world: World, client: Client) -> None:
    case, olga = late_purchase(world), User.objects.get(username="olga")
    SaleOrder.objects.filter(odoo_id=42).update(company_id=2)
    olga.sees = [f"{world.connection.pk}:1"]
    olga.save()
    found = {offer.action.name: offer for offer in actions.offered(case, now=world.now, by=olga)}

    assert (found["promise_later"].options, found["promise_later"].hidden) == ([], 1)
    with pytest.raises(moves.MoveRefusedError, match="no longer available"):
        apply(world, case, "promise_later", "42")
    assert not Command.objects.exists()
    client.force_login(olga)
    page = client.get(f"/exceptions/{case.pk}/").content.decode()
    assert "and 1 order of other companies" in page and "S00042" not in page
    olga.sees = None
    olga.save()
    apply(world, case, "promise_later", "42")
    assert [command.odoo_id for command in actions.commands_of(case)] == [42, 42]
