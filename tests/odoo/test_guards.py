"""What a guard lets through in a real Odoo, for whom and for how long; and what it says to whom."""

import json
import re
import urllib.request
import xmlrpc.client
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import odoorpc
import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import ended_asks, moves
from apps.core import clock
from apps.odoo.client import OdooClient
from apps.outbox import dispatch
from apps.outbox.models import Command
from tests.odoo.seen import PASSWORD, Seen, Worker, carried_out, refusal

# Committed, as the tower's processes commit it: what Odoo is told is carried out outside any transaction.
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
SELLER = ("sales_team.group_sale_salesman_all_leads",)
BUYER = ("purchase.group_purchase_user",)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def desk(odoo: OdooClient) -> int:
    values = {"name": "Tower test desk", "type": "consu", "is_storable": True, "list_price": 100.0, "standard_price": 40.0}
    return odoo.create("product.product", values)


def customer(odoo: OdooClient, limit: float, **more: Any) -> int:
    odoo.write("res.company", [company(odoo)], {"account_use_credit_limit": True})
    values = {"name": "Tower test customer", "is_company": True, "credit_limit": limit}
    return odoo.create("res.partner", values | more)


def company(odoo: OdooClient) -> int:
    return int(odoo.read("res.users", [odoo.uid], ["company_id"])[0]["company_id"])


def quoted(seller: Worker, partner: int, desk: int, quantity: float, **line: Any) -> int:
    values = {"product_id": desk, "product_uom_qty": quantity, "price_unit": 100.0, "tax_ids": [(5, 0, 0)], **line}
    return int(seller.do("sale.order", "create", {"partner_id": partner, "order_line": [(0, 0, values)]}))


def line_of(odoo: OdooClient, order: int, model: str = "sale.order.line") -> int:
    return odoo.search(model, [("order_id", "=", order)], limit=1)[0]


def changed(worker: Worker, model: str, order: int, values: dict[str, Any]) -> str:
    """Odoo's words when it refuses a change of an order; empty where it does not."""
    return refusal(worker, model, "write", order, vals=values)


def line_changed(worker: Worker, odoo: OdooClient, order: int, values: dict[str, Any], model: str = "sale.order") -> str:
    return changed(worker, model, order, {"order_line": [(1, line_of(odoo, order, f"{model}.line"), values)]})


def asked(odoo: OdooClient, record: int, kind: str = "credit_override") -> list[dict[str, Any]]:
    fields = ["x_state", "x_count", "x_amount", "x_requested_at", "x_by_customer", "x_terms"]
    return odoo.search_read("x_ct_request", [("x_res_id", "=", record), ("x_kind", "=", kind)], fields)


def state(odoo: OdooClient, order: int, model: str = "sale.order") -> str:
    return str(odoo.read(model, [order], ["state"])[0]["state"])


def pending(record: int, kind: str) -> Request:
    return Request.objects.get(odoo_id=record, kind=kind, status="pending")


def decide(seen: Seen, record: int, kind: str, by: User, *, yes: bool) -> None:
    seen.look()
    decided = moves.approve if yes else moves.reject
    decided(pending(record, kind).pk, by=by, reason="Because", now=clock.now())
    carried_out(seen)


def other_currency(odoo: OdooClient) -> int:
    own = odoo.read("res.company", [company(odoo)], ["currency_id"])[0]["currency_id"]
    found = odoo.call("res.currency", "search_read", domain=[("id", "!=", own)], fields=["name"], context={"active_test": False})
    currency = next(row["id"] for row in found if row["name"] in ("USD", "EUR"))
    odoo.write("res.currency", [currency], {"active": True})
    return int(currency)


def test_a_release_is_for_one_customer_currency_and_sum_and_ends_with_cancellation(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    partner = customer(odoo, 1_000)
    order = quoted(seller, partner, desk, 18)
    assert "above its credit limit" in refusal(seller, "sale.order", "action_confirm", order)
    decide(guarded, order, "credit_override", mia, yes=True)
    assert state(odoo, order) == "sale"

    # Cancelled and set back to draft, nothing is released any more, be it for less.
    odoo.call("sale.order", "action_cancel", [order])
    seller.do("sale.order", "action_draft", [order])
    released = ["x_ct_released_amount", "x_ct_released_amount_for"]
    assert odoo.read("sale.order", [order], released)[0] == {"id": order, released[0]: 0.0, released[1]: False}
    assert line_changed(seller, odoo, order, {"product_uom_qty": 15}) == ""
    assert "above its credit limit" in refusal(seller, "sale.order", "action_confirm", order)
    guarded.look()
    assert pending(order, "credit_override").amount == 1_500

    # A number alone is for the order as it stands; another customer, currency or a higher sum is not what it was for.
    for change in ("partner", "currency", "amount"):
        other = quoted(seller, partner, desk, 18)
        odoo.write("sale.order", [other], {"x_ct_released_amount": 1_800.0})
        if change == "partner":
            seller.do("sale.order", "write", [other], {"partner_id": customer(odoo, 1_000)})
        elif change == "currency":
            pricelist = odoo.create("product.pricelist", {"name": "Tower test", "currency_id": other_currency(odoo)})
            odoo.write("sale.order", [other], {"pricelist_id": pricelist})
            line_changed(seller, odoo, other, {"product_uom_qty": 18, "price_unit": 95.0})
        else:
            line_changed(seller, odoo, other, {"price_unit": 101.0})
        assert "above its credit limit" in refusal(seller, "sale.order", "action_confirm", other), change
        assert asked(odoo, other)[0]["x_state"] == "open", change
    fitting = quoted(seller, partner, desk, 18)
    odoo.write("sale.order", [fitting], {"x_ct_released_amount": 1_800.0})
    copy = seller.do("sale.order", "copy", [fitting])
    copy = copy[0] if isinstance(copy, list) else copy
    assert "above its credit limit" in refusal(seller, "sale.order", "action_confirm", copy)
    assert refusal(seller, "sale.order", "action_confirm", fitting) == ""


def test_a_price_that_is_approved_stays_approved_where_the_customers_limit_then_refuses(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    partner = customer(odoo, 50_000)
    order = quoted(seller, partner, desk, 18, discount=50)
    assert "needs an approval" in refusal(seller, "sale.order", "action_confirm", order)
    guarded.look()
    # The limit is lowered while the price is decided about: what follows from the yes meets the other guard.
    odoo.write("res.partner", [partner], {"credit_limit": 500})
    moves.approve(pending(order, "pricing_exception").pk, by=mia, reason="Because", now=clock.now())
    for _ in range(12):
        Command.objects.filter(status__in=dispatch.WAITING).update(not_before=clock.now())
        dispatch.run_due(clock=clock.now)
    guarded.look()
    assert [one["x_state"] for one in asked(odoo, order, "pricing_exception")] == ["approved"]
    assert [one["x_state"] for one in asked(odoo, order)] == ["open"]
    assert state(odoo, order) == "draft"
    # That is no failure: the confirmation waits for the other decision, and the first one is noted.
    assert not Command.objects.filter(status__in=["refused", "dead"])
    confirm = Command.objects.get(odoo_id=order, method="action_confirm")
    assert (confirm.status, "Credit override" in confirm.told_problem) == ("cancelled", True)
    assert Command.objects.filter(odoo_id=order, method="message_post", status="done").exists()
    # The second yes confirms it, since nobody is asked about its price any more.
    Command.objects.exclude(status="done").delete()
    decide(guarded, order, "credit_override", mia, yes=True)
    assert state(odoo, order) == "sale"


def test_a_confirmed_order_grows_only_by_an_approval(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller, partner = hired(*SELLER), customer(odoo, 1_000)
    order = quoted(seller, partner, desk, 8)
    assert refusal(seller, "sale.order", "action_confirm", order) == ""
    assert line_changed(seller, odoo, order, {"product_uom_qty": 9}) == ""
    said = line_changed(seller, odoo, order, {"product_uom_qty": 80})
    assert "8000.00" in said
    assert "An approval has been asked for" in said
    assert odoo.read("sale.order", [order], ["amount_total", "state"])[0] == {"id": order, "amount_total": 900.0, "state": "sale"}
    # The same over the line itself, and a new line.
    assert refusal(seller, "sale.order.line", "write", line_of(odoo, order), vals={"price_unit": 1_000.0})
    new = {"product_id": desk, "product_uom_qty": 90, "price_unit": 100.0}
    assert changed(seller, "sale.order", order, {"order_line": [(0, 0, new)]})
    assert line_changed(seller, odoo, order, {"product_uom_qty": 80})
    (ask,) = asked(odoo, order)
    assert (ask["x_state"], ask["x_count"], ask["x_amount"]) == ("open", 4, 8_000.0)
    guarded.look()
    request = pending(order, "credit_override")
    assert request.amount == 8_000
    decide(guarded, order, "credit_override", mia, yes=False)
    assert not odoo.read("sale.order", [order], ["x_ct_hold"])[0]["x_ct_hold"]
    assert "Because" in line_changed(seller, odoo, order, {"product_uom_qty": 80})
    guarded.look()
    assert not Request.objects.filter(odoo_id=order, status="pending").exists()
    # Less is nobody's business; something else is asked anew, and a yes is for that.
    assert line_changed(seller, odoo, order, {"product_uom_qty": 8}) == ""
    assert line_changed(seller, odoo, order, {"product_uom_qty": 40})
    decide(guarded, order, "credit_override", mia, yes=True)
    assert "above its credit limit" in line_changed(seller, odoo, order, {"product_uom_qty": 41})
    assert line_changed(seller, odoo, order, {"product_uom_qty": 40}) == ""
    assert odoo.read("sale.order", [order], ["amount_total"])[0]["amount_total"] == 4_000


def test_a_confirmed_order_gives_no_more_away_without_an_approval(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller, partner = hired(*SELLER), odoo.create("res.partner", {"name": "Tower test customer"})
    order = quoted(seller, partner, desk, 10)
    assert refusal(seller, "sale.order", "action_confirm", order) == ""
    assert line_changed(seller, odoo, order, {"discount": 15.0}) == ""
    assert "more than 20 % needs an approval" in line_changed(seller, odoo, order, {"discount": 70.0})
    # The total stays, a line gives away all the same.
    swapped = [(1, line_of(odoo, order), {"discount": 50.0, "price_unit": 170.0})]
    assert "needs an approval" in changed(seller, "sale.order", order, {"order_line": swapped})
    assert line_changed(seller, odoo, order, {"discount": 30.0})
    guarded.look()
    decide(guarded, order, "pricing_exception", mia, yes=True)
    assert line_changed(seller, odoo, order, {"discount": 31.0})
    assert line_changed(seller, odoo, order, {"discount": 30.0, "product_uom_qty": 11})
    assert line_changed(seller, odoo, order, {"discount": 30.0}) == ""
    # What delivers it sets nothing off.
    picking = odoo.search("stock.picking", [("sale_id", "=", order)])
    for one in picking:
        odoo.write("stock.move", odoo.search("stock.move", [("picking_id", "=", one)]), {"quantity": 10, "picked": True})
        odoo.call("stock.picking", "button_validate", [one], context={"skip_backorder": True})
    assert odoo.read("sale.order", [order], ["delivery_status"])[0]["delivery_status"] == "full"


def test_a_confirmed_purchase_grows_only_by_an_approval(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    buyer = hired(*BUYER)
    vendor, second = (odoo.create("res.partner", {"name": f"Tower test vendor {number}"}) for number in (1, 2))
    line = {"product_id": desk, "product_qty": 10, "price_unit": 40.0, "tax_ids": [(5, 0, 0)]}
    order = buyer.do("purchase.order", "create", {"partner_id": vendor, "order_line": [(0, 0, line)]})
    assert refusal(buyer, "purchase.order", "button_confirm", order) == ""
    assert "from 10000 on" in line_changed(buyer, odoo, order, {"product_qty": 1_000}, "purchase.order")
    assert odoo.read("purchase.order", [order], ["amount_total", "state"])[0]["amount_total"] == 400
    guarded.look()
    assert pending(order, "procurement_threshold").amount == 40_000
    decide(guarded, order, "procurement_threshold", mia, yes=True)
    assert state(odoo, order, "purchase.order") == "purchase"
    assert changed(
        buyer,
        "purchase.order",
        order,
        {
            "partner_id": second,
            "order_line": [(1, line_of(odoo, order, "purchase.order.line"), {"product_qty": 1_000})],
        },
    )
    assert line_changed(buyer, odoo, order, {"product_qty": 1_000}, "purchase.order") == ""
    assert line_changed(buyer, odoo, order, {"product_qty": 1_001}, "purchase.order")


def test_an_order_that_is_created_confirmed_is_refused_and_nobody_is_asked_about_what_is_not_there(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    seller, buyer, partner = hired(*SELLER), hired(*BUYER), customer(odoo, 1_000)
    before = odoo.search_count("x_ct_request", [])
    line = {"product_id": desk, "product_uom_qty": 80, "price_unit": 100.0}
    bought = {"product_id": desk, "product_qty": 400, "price_unit": 40.0}
    for worker, model, state, lines in ((seller, "sale.order", "sale", line), (buyer, "purchase.order", "purchase", bought)):
        with pytest.raises(Exception, match="Save it as a draft first") as refused:
            worker.do(model, "create", {"partner_id": partner, "state": state, "order_line": [(0, 0, lines)]})
        for untrue in ("An approval has been asked for", "See where it stands"):
            assert untrue not in str(refused.value)
    assert odoo.search_count("x_ct_request", []) == before


def test_an_order_that_was_cancelled_or_confirmed_in_another_way_is_asked_about_no_longer(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    seller = hired(*SELLER)
    partners = [customer(odoo, 1_000) for _ in range(2)]
    cancelled, confirmed = (quoted(seller, partner, desk, 18) for partner in partners)
    for order in (cancelled, confirmed):
        assert refusal(seller, "sale.order", "action_confirm", order)
    # Before the tower has looked: one is cancelled, for the other the limit is raised.
    odoo.call("sale.order", "action_cancel", [cancelled])
    odoo.write("res.partner", [partners[1]], {"credit_limit": 9_000})
    assert refusal(seller, "sale.order", "action_confirm", confirmed) == ""
    guarded.look()
    assert not Request.objects.filter(odoo_id__in=[cancelled, confirmed]).exists()
    later = clock.now() + timedelta(minutes=2)
    assert ended_asks.answer(guarded.connection, is_in_odoo=lambda *_: True, now=later) >= 2
    carried_out(guarded)
    assert [asked(odoo, order)[0]["x_state"] for order in (cancelled, confirmed)] == ["withdrawn"] * 2
    # Raised after that, it is asked about.
    assert line_changed(seller, odoo, confirmed, {"product_uom_qty": 180})
    guarded.look()
    assert pending(confirmed, "credit_override").amount == 18_000


def test_pressing_twice_is_one_asking_and_its_no_stays(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 1_000), desk, 18)
    assert refusal(seller, "sale.order", "action_confirm", order)
    guarded.look()
    carried_out(guarded)
    (first,) = asked(odoo, order)
    clock_moves()
    assert refusal(seller, "sale.order", "action_confirm", order)
    menu = odoo.search("ir.actions.server", [("name", "=", "Ask for approval in Control Tower: credit override")])
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    seller.do("ir.actions.server", "run", menu, context=context)
    guarded.look()
    (again,) = asked(odoo, order)
    assert (again["x_requested_at"], again["x_count"]) == (first["x_requested_at"], 3)
    decide(guarded, order, "credit_override", mia, yes=False)
    assert "Because" in refusal(seller, "sale.order", "action_confirm", order)
    carried_out(guarded)
    assert Request.objects.filter(odoo_id=order).count() == 1
    assert odoo.read("sale.order", [order], ["x_ct_hold"])[0]["x_ct_hold"] == "credit_override"
    # Asked anew by name, it is another asking.
    seller.do("ir.actions.server", "run", menu, context=context)
    guarded.look()
    assert Request.objects.filter(odoo_id=order, status="pending").count() == 1


def clock_moves() -> None:
    """Odoo keeps moments to the second."""
    began = clock.now().replace(microsecond=0)
    while clock.now().replace(microsecond=0) == began:
        pass


def test_of_a_list_that_is_confirmed_every_order_in_breach_is_asked_about(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    seller = hired(*SELLER)
    good = quoted(seller, odoo.create("res.partner", {"name": "Tower test customer"}), desk, 1)
    bad, worse = (quoted(seller, customer(odoo, 1_000), desk, 18) for _ in range(2))
    with pytest.raises(Exception, match="Nothing of what was selected has been done"):
        seller.do("sale.order", "action_confirm", [good, bad, worse])
    assert [len(asked(odoo, order)) for order in (good, bad, worse)] == [0, 1, 1]
    assert state(odoo, good) == "draft"


def test_a_customer_who_signs_reads_nothing_of_ours(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 1_000, email="customer@tower.test"), desk, 18)
    odoo.write("sale.order", [order], {"require_signature": True, "require_payment": False, "state": "sent"})
    url = odoo.call("sale.order", "get_portal_url", [order])
    token = re.search(r"access_token=([^&]+)", url).group(1)  # type: ignore[union-attr]
    message = {"jsonrpc": "2.0", "method": "call", "params": {"access_token": token, "name": "A. Customer", "signature": PIXEL}}
    call = urllib.request.Request(
        f"{odoo.connection.url}/my/orders/{order}/accept", json.dumps(message).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(call, timeout=60) as answer:
        said = answer.read().decode()
    assert "Your order needs a check by our team; we will contact you." in said
    for secret in ("limit", "1000.00", "owe", "/records/", "Control Tower"):
        assert secret not in json.loads(said)["error"]["data"]["message"]
    assert state(odoo, order) == "sent"
    (ask,) = asked(odoo, order)
    assert ask["x_by_customer"]
    guarded.look()
    assert pending(order, "credit_override").requested_by == "the customer"


def test_a_credit_note_that_is_released_is_that_one_and_no_other(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    accountant = hired("account.group_account_invoice")
    partners = [odoo.create("res.partner", {"name": f"Tower test customer {number}"}) for number in (1, 2)]
    line = {"product_id": desk, "name": "Goodwill", "quantity": 1, "price_unit": 900.0, "tax_ids": [(5, 0, 0)]}
    values = {"move_type": "out_refund", "partner_id": partners[0], "invoice_line_ids": [(0, 0, line)]}
    credit = accountant.do("account.move", "create", values)
    odoo.write("account.move", [credit], {"x_ct_released_credit": 900.0})
    assert refusal(accountant, "account.move", "action_post", credit) == ""
    # Back in draft nothing is released, be it for less; and for another customer neither.
    accountant.do("account.move", "button_draft", [credit])
    assert odoo.read("account.move", [credit], ["x_ct_released_credit"])[0]["x_ct_released_credit"] == 0
    assert "needs an authorisation" in refusal(accountant, "account.move", "action_post", credit)
    odoo.write("account.move", [credit], {"x_ct_released_credit": 900.0, "x_ct_hold": False})
    accountant.do("account.move", "write", [credit], {"partner_id": partners[1]})
    assert "needs an authorisation" in refusal(accountant, "account.move", "action_post", credit)
    accountant.do("account.move", "button_cancel", [credit])


def test_a_count_that_is_released_is_that_count(guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int) -> None:
    picker = hired("stock.group_stock_user")
    shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    values = {"product_id": desk, "location_id": shelf, "inventory_quantity": 20}
    quant = picker.do("stock.quant", "create", values, context={"inventory_mode": True})
    odoo.write("stock.quant", [quant], {"x_ct_released_value": 800.0})
    picker.do("stock.quant", "create", values | {"inventory_quantity": 19}, context={"inventory_mode": True})
    assert "needs an approval" in refusal(picker, "stock.quant", "action_apply_inventory", quant)
    odoo.write("stock.quant", [quant], {"x_ct_released_value": 760.0})
    assert refusal(picker, "stock.quant", "action_apply_inventory", quant) == ""


def test_a_portal_user_reads_nothing_of_ours_over_rpc(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    portal, seller = hired("base.group_portal"), hired(*SELLER)
    partner = odoo.read("res.users", [portal.uid], ["partner_id"])[0]["partner_id"]
    customer(odoo, 1_000)
    odoo.write("res.partner", [partner], {"credit_limit": 1_000})
    order = quoted(seller, partner, desk, 18, discount=40)
    refusal(seller, "sale.order", "action_confirm", order)
    guarded.look()
    moves.reject(pending(order, "credit_override").pk, by=mia, reason="They never pay", now=clock.now())
    carried_out(guarded)
    place = f"/records/real/sale.order/{order}/"
    held = seller.do("sale.order", "read", [order], ["x_ct_hold", "x_ct_url", "x_ct_why"])[0]
    assert held["x_ct_hold"]
    assert held["x_ct_url"].endswith(place)
    assert held["x_ct_why"] == "Mia: They never pay"
    assert "They never pay" in refusal(seller, "sale.order", "action_confirm", order)

    def by_xml(model: str, method: str, *arguments: Any, **named: Any) -> Any:
        proxy = xmlrpc.client.ServerProxy(f"{odoo.connection.url}/xmlrpc/2/object", allow_none=True)
        return proxy.execute_kw(odoo.connection.database, portal.uid, PASSWORD, model, method, list(arguments), named)

    for call in (portal.do, by_xml):
        row = call("sale.order", "read", [order], ["name", "x_ct_hold_reason", "x_ct_url", "x_ct_why"])[0]
        assert row["name"]
        assert (row["x_ct_url"], row["x_ct_why"]) == (False, False)
        talk = call("mail.message", "search_read", [["model", "=", "sale.order"], ["res_id", "=", order]], ["body"])
        everything = json.dumps([row, talk])
        for secret in ("They never pay", "Mia", "/records/", "127.0.0.1:8000"):
            assert secret not in everything, secret
        for model in ("x_ct_request", "x_ct_heartbeat", "base.automation", "ir.actions.server", "mail.activity"):
            with pytest.raises((odoorpc.error.RPCError, xmlrpc.client.Fault)):
                call(model, "search_read", [], ["id"])
        with pytest.raises((odoorpc.error.RPCError, xmlrpc.client.Fault)):
            call("sale.order", "write", [order], {"x_ct_hold": False})
