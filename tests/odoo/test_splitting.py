"""Orders split below the limit in a real Odoo: its guard counts together what a cumulative policy says, and asks."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from apps.accounts.models import Role, User
from apps.approvals.models import Request
from apps.approvals.policies import cumulation, policy
from apps.core import clock
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, carried_out, refusal
from tests.odoo.test_guards import BUYER, decide
from tests.world import person

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
KIND = "procurement_threshold"


@pytest.fixture
def parts(odoo: OdooClient) -> int:
    return odoo.create("product.product", {"name": "Tower test parts", "type": "consu", "is_storable": True})


def in_force(seen: Seen, mia: User, kind: str = KIND, **rule: object) -> None:
    """The policy counts together over a week, and Odoo has been told."""
    steps = [{"name": "Purchasing", "fallback": "expire", "levels": [{"ask": {"role": "manager"}, "within_minutes": 60}]}]
    seen.look()
    policy.save(kind, {"steps": steps} | rule, by=mia, now=clock.now())
    carried_out(seen)


def ordered(buyer: Worker, vendor: int, parts: int, amount: float) -> tuple[int, str]:
    """An order of that amount, and what Odoo said when it was confirmed."""
    line = {"product_id": parts, "product_qty": 1, "price_unit": amount, "tax_ids": [(5, 0, 0)]}
    order = buyer.do("purchase.order", "create", {"partner_id": vendor, "order_line": [(0, 0, line)]})
    order = order[0] if isinstance(order, list) else order
    return order, refusal(buyer, "purchase.order", "button_confirm", order)


def test_ten_orders_below_the_limit_are_asked_about_once_together_they_reach_it(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, parts: int
) -> None:
    mia.approval_limit = 12_500
    mia.save()
    person("nora", Role.MANAGER, limit=250_000)
    in_force(guarded, mia, cumulative={"over_days": 7})
    buyer, colleague = hired(*BUYER), hired(*BUYER)
    vendor, other_vendor = (odoo.create("res.partner", {"name": name, "is_company": True}) for name in ("Split & Co", "Elsewhere"))
    site = odoo.create("res.partner", {"name": "Split & Co, east", "parent_id": vendor})

    orders = [ordered(buyer, place, parts, 1_500) for place in (vendor, site, vendor, vendor, site, vendor)]
    assert [said for _, said in orders] == [""] * 6
    seventh, said = ordered(buyer, site, parts, 1_500)
    assert "1500.00 USD now; 10500.00 USD with 6 others in 7 days" in said
    assert "An approval has been asked for" in said
    # Another vendor, and another person, are another matter.
    assert ordered(buyer, other_vendor, parts, 1_500)[1] == ""
    assert ordered(colleague, vendor, parts, 1_500)[1] == ""

    guarded.look()
    request = Request.objects.get(odoo_id=seventh, kind=KIND)
    together = request.context[cumulation.TOGETHER]
    assert (request.amount, together["amount"], together["count"]) == (Decimal(1_500), "9000.00", 6)
    assert {one["odoo_id"] for one in together["records"]} == {order for order, _ in orders}
    assert "odoo_counted" not in request.context  # guard and tower count the same

    # The eighth counts the seventh, which waits; what both come to is beyond Mia's limit.
    eighth, said = ordered(buyer, vendor, parts, 2_500)
    assert "with 7 others" in said
    guarded.look()
    waiting = Request.objects.get(odoo_id=eighth, kind=KIND)
    assert waiting.context[cumulation.TOGETHER]["amount"] == "10500.00"
    asked = waiting.steps.get().assignments.filter(is_active=True).values_list("user__username", flat=True)
    assert "mia" not in asked

    carried_out(guarded)
    held = odoo.read("purchase.order", [seventh], ["x_ct_hold_reason", "x_ct_why"])[0]
    assert held["x_ct_hold_reason"] == "The order waits for an approval."
    assert "1500.00 USD now; 10500.00 USD with 6 others in 7 days" in held["x_ct_why"]
    decide(guarded, seventh, KIND, mia, yes=True)
    notes = odoo.search_read("mail.message", [("model", "=", "purchase.order"), ("res_id", "=", seventh)], ["body"])
    assert any("up to 1,500.00 USD now; 10,500.00 USD with 6 others in 7 days" in note["body"] for note in notes)
    assert odoo.read("purchase.order", [seventh], ["state"])[0]["state"] == "purchase"
    # One that is cancelled counts no longer.
    odoo.call("purchase.order", "button_cancel", [orders[0][0]])
    guarded.look()
    assert "An approval has been asked for" in refusal(buyer, "purchase.order", "button_confirm", eighth)
    guarded.look()
    waiting.refresh_from_db()
    assert waiting.context[cumulation.TOGETHER]["count"] == 6

    # A policy that sums nothing any more lets the next one through.
    in_force(guarded, mia)
    assert ordered(buyer, vendor, parts, 1_500)[1] == ""


def test_what_one_asked_for_counts_as_theirs_whoever_made_it(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, parts: int
) -> None:
    in_force(guarded, mia, cumulative={"over_days": 7})
    buyer, colleague = hired(*BUYER), hired(*BUYER)
    vendor = odoo.create("res.partner", {"name": "Handed Over & Co", "is_company": True})
    line = {"product_id": parts, "product_qty": 1, "price_unit": 12_000, "tax_ids": [(5, 0, 0)]}
    made = colleague.do("purchase.order", "create", {"partner_id": vendor, "order_line": [(0, 0, line)]})
    order = made[0] if isinstance(made, list) else made
    assert "An approval has been asked for" in refusal(buyer, "purchase.order", "button_confirm", order)
    guarded.look()
    decide(guarded, order, KIND, mia, yes=True)
    assert odoo.read("purchase.order", [order], ["state"])[0]["state"] == "purchase"

    own, said = ordered(buyer, vendor, parts, 1_500)
    assert "1500.00 USD now; 13500.00 USD with 1 other in 7 days" in said
    guarded.look()
    request = Request.objects.get(odoo_id=own, kind=KIND)
    assert (request.context[cumulation.TOGETHER]["amount"], "odoo_counted" in request.context) == ("12000.00", False)
    # Who only edits what others buy has bought nothing.
    third = hired(*BUYER)
    third.do("purchase.order", "write", [own], {"note": "Call before delivery"})
    assert ordered(third, vendor, parts, 1_500)[1] == ""


def test_what_is_asked_about_anew_counts_what_has_waited_since(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, parts: int
) -> None:
    in_force(guarded, mia, cumulative={"over_days": 7})
    buyer = hired(*BUYER)
    vendor = odoo.create("res.partner", {"name": "Taken Up Again & Co", "is_company": True})
    first, said = ordered(buyer, vendor, parts, 12_000)
    assert "An approval has been asked for" in said
    guarded.look()
    decide(guarded, first, KIND, mia, yes=True)
    buyer.do("purchase.order", "button_cancel", [first])
    buyer.do("purchase.order", "button_draft", [first])
    guarded.look()
    second, said = ordered(buyer, vendor, parts, 1_500)
    assert "13500.00 USD with 1 other" in said
    guarded.look()
    said = refusal(buyer, "purchase.order", "button_confirm", first)
    assert "12000.00 USD now; 13500.00 USD with 1 other in 7 days" in said
    guarded.look()
    request = Request.objects.get(odoo_id=first, kind=KIND, status="pending")
    together = request.context[cumulation.TOGETHER]
    assert ([one["odoo_id"] for one in together["records"]], "odoo_counted" in request.context) == ([second], False)


def test_an_order_that_is_taken_up_again_counts_once_as_it_stands_now(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, parts: int
) -> None:
    in_force(guarded, mia, cumulative={"over_days": 7})
    buyer = hired(*BUYER)
    vendor = odoo.create("res.partner", {"name": "Changed Meanwhile & Co", "is_company": True})
    waiting, said = ordered(buyer, vendor, parts, 10_500)
    assert "An approval has been asked for" in said
    guarded.look()
    order, said = ordered(buyer, vendor, parts, 12_000)
    assert "22500.00 USD with 1 other" in said
    guarded.look()
    decide(guarded, order, KIND, mia, yes=True)
    buyer.do("purchase.order", "button_cancel", [order])
    buyer.do("purchase.order", "button_draft", [order])
    line = odoo.read("purchase.order", [order], ["order_line"])[0]["order_line"][0]
    buyer.do("purchase.order.line", "write", [line], {"price_unit": 13_000})
    guarded.look()

    def counted(asked: int) -> tuple[list[tuple[int, str]], bool]:
        guarded.look()
        request = Request.objects.get(odoo_id=asked, kind=KIND, status="pending")
        others = request.context[cumulation.TOGETHER]["records"]
        return sorted((one["odoo_id"], one["amount"]) for one in others), bool(request.context.get("odoo_counted"))

    # Approved at another price: it counts as it stands, also for what was asked about before it.
    third, said = ordered(buyer, vendor, parts, 1_500)
    assert "25000.00 USD with 2 others" in said
    assert counted(third) == ([(waiting, "10500.00"), (order, "13000.00")], False)
    assert "23500.00 USD with 1 other" in refusal(buyer, "purchase.order", "button_confirm", waiting)
    assert counted(waiting) == ([(order, "13000.00")], False)
    # Asked about anew, it waits, and the yes of then is none any more.
    assert "25000.00 USD with 2 others" in refusal(buyer, "purchase.order", "button_confirm", order)
    assert counted(order) == ([(waiting, "10500.00"), (third, "1500.00")], False)
    fourth, said = ordered(buyer, vendor, parts, 1_500)
    assert "26500.00 USD with 3 others" in said
    assert counted(fourth) == ([(waiting, "10500.00"), (order, "13000.00"), (third, "1500.00")], False)


def credited(accountant: Worker, partner: int, amount: float, **more: object) -> tuple[int, str]:
    """A credit note of that amount for no goods, and what Odoo said when it was posted."""
    line = {"name": "Goodwill", "quantity": 1, "price_unit": amount, "tax_ids": [(5, 0, 0)]}
    values = {"move_type": "out_refund", "partner_id": partner, "invoice_line_ids": [(0, 0, line)], **more}
    made = int(accountant.do("account.move", "create", values))
    return made, refusal(accountant, "account.move", "action_post", made)


def test_credit_notes_below_the_limit_are_asked_about_once_together_they_reach_it(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    kind = "return_authorisation"
    in_force(guarded, mia, kind, cumulative={"over_days": 7})
    accountant, colleague = hired("account.group_account_invoice"), hired("account.group_account_invoice")
    customer, other = (odoo.create("res.partner", {"name": name, "is_company": True}) for name in ("Split & Co", "Elsewhere"))
    site = odoo.create("res.partner", {"name": "Split & Co, east", "parent_id": customer})

    first, said = credited(accountant, customer, 240)
    assert said == ""
    second, said = credited(accountant, site, 250)
    assert said == ""
    third, said = credited(accountant, customer, 10)
    assert "10.00 USD now; 500.00 USD with 2 others in 7 days" in said
    assert "An approval has been asked for" in said
    # An invoice date of long ago makes it no older.
    _, said = credited(accountant, customer, 20, invoice_date="2020-01-01")
    assert "others in 7 days" in said
    assert credited(accountant, other, 490)[1] == ""
    assert credited(colleague, customer, 490)[1] == ""

    guarded.look()
    request = Request.objects.get(odoo_id=third, kind=kind)
    together = request.context[cumulation.TOGETHER]
    assert (request.amount, together["amount"], together["count"]) == (Decimal(10), "490.00", 2)
    assert {one["odoo_id"] for one in together["records"]} == {first, second}
    assert not request.context.get("odoo_counted")
    decide(guarded, third, kind, mia, yes=True)
    assert odoo.read("account.move", [third], ["state"])[0]["state"] == "posted"
    in_force(guarded, mia, kind)


def test_returns_below_the_limit_are_asked_about_once_together_they_reach_it(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, parts: int
) -> None:
    kind = "return_authorisation"
    in_force(guarded, mia, kind, cumulative={"over_days": 7})
    picker = hired("stock.group_stock_user", "sales_team.group_sale_salesman_all_leads")
    customer = odoo.create("res.partner", {"name": "Sends back", "is_company": True})
    first, said = returned(picker, odoo, customer, parts, 4)
    assert said == ""
    second, said = returned(picker, odoo, customer, parts, 2)
    assert "200.00 USD now; 600.00 USD with 1 other in 7 days" in said
    assert returned(picker, odoo, odoo.create("res.partner", {"name": "Sends back as well"}), parts, 4)[1] == ""
    guarded.look()
    request = Request.objects.get(odoo_id=second, kind=kind)
    together = request.context[cumulation.TOGETHER]
    assert (request.amount, together["amount"], together["count"]) == (Decimal(200), "400.00", 1)
    assert [one["odoo_id"] for one in together["records"]] == [first]
    assert not request.context.get("odoo_counted")
    decide(guarded, second, kind, mia, yes=True)
    assert refusal(picker, "stock.picking", "button_validate", second) == ""
    in_force(guarded, mia, kind)


def returned(picker: Worker, odoo: OdooClient, customer: int, product: int, quantity: float) -> tuple[int, str]:
    """A return of goods at 100 each that the list price tells, and what Odoo said when it was received."""
    odoo.write("product.product", [product], {"list_price": 100.0, "standard_price": 100.0})
    kind = odoo.search_read("stock.picking.type", [("code", "=", "incoming")], ["default_location_dest_id"], limit=1, order="id")[0]
    place = odoo.search("stock.location", [("usage", "=", "customer")], limit=1)[0]
    places = {"location_id": place, "location_dest_id": kind["default_location_dest_id"]}
    move = {"product_id": product, "product_uom_qty": quantity, **places}
    values = {"partner_id": customer, "picking_type_id": kind["id"], "move_ids": [(0, 0, move)], **places}
    made = int(picker.do("stock.picking", "create", values))
    picker.do("stock.picking", "action_confirm", [made])
    odoo.write("stock.move", odoo.search("stock.move", [("picking_id", "=", made)]), {"quantity": quantity, "picked": True})
    return made, refusal(picker, "stock.picking", "button_validate", made)


def test_counts_and_scraps_below_the_limit_are_asked_about_once_together_they_reach_it(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    kind = "inventory_adjustment"
    in_force(guarded, mia, kind, cumulative={"over_days": 7})
    picker, colleague = hired("stock.group_stock_user"), hired("stock.group_stock_user")
    shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    values = {"type": "consu", "is_storable": True, "standard_price": 40.0}
    products = [odoo.create("product.product", {"name": f"Tower test part {number}", **values}) for number in range(4)]

    def count(by: Worker, product: int, quantity: float) -> tuple[int, str]:
        found = {"product_id": product, "location_id": shelf, "inventory_quantity": quantity}
        quant = by.do("stock.quant", "create", found, context={"inventory_mode": True})
        quant = quant[0] if isinstance(quant, list) else quant
        return quant, refusal(by, "stock.quant", "action_apply_inventory", quant)

    assert count(picker, products[0], 3)[1] == ""
    assert count(picker, products[1], 3)[1] == ""
    third, said = count(picker, products[2], 1)
    assert "40.00 USD now; 280.00 USD with 2 others in 7 days" in said
    assert count(colleague, products[3], 3)[1] == ""
    guarded.look()
    request = Request.objects.get(odoo_id=third, kind=kind)
    together = request.context[cumulation.TOGETHER]
    assert (request.amount, together["amount"], together["count"]) == (Decimal(40), "240.00", 2)
    assert not request.context.get("odoo_counted")
    carried_out(guarded)
    held = odoo.read("stock.quant", [third], ["x_ct_hold_reason"])[0]["x_ct_hold_reason"]
    assert "40.00 USD now; 280.00 USD with 2 others in 7 days" in held

    # A scrap is worth the same.
    scrap = picker.do("stock.scrap", "create", {"product_id": products[0], "scrap_qty": 1, "location_id": shelf})
    assert "with 3 others in 7 days" in refusal(picker, "stock.scrap", "action_validate", scrap)
    decide(guarded, third, kind, mia, yes=True)
    assert odoo.read("stock.quant", [third], ["quantity"])[0]["quantity"] == 1
    in_force(guarded, mia, kind)


def test_bills_that_differ_by_less_than_the_limit_are_asked_about_once_together_they_reach_it(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, parts: int
) -> None:
    kind = "invoice_mismatch"
    in_force(guarded, mia, kind, cumulative={"over_days": 7})
    accountant = hired("account.group_account_invoice", "purchase.group_purchase_user")
    vendor = odoo.create("res.partner", {"name": "Bills too much", "is_company": True})
    odoo.write("product.product", [parts], {"purchase_method": "purchase"})

    def billed(beyond: float) -> tuple[int, str]:
        order, _ = ordered(accountant, vendor, parts, 100)
        accountant.do("purchase.order", "action_create_invoice", [order])
        bill = odoo.search("account.move", [("line_ids.purchase_line_id.order_id", "=", order)])[0]
        line = odoo.search("account.move.line", [("move_id", "=", bill), ("display_type", "=", "product")])[0]
        vals = {"invoice_date": "2026-11-28", "invoice_line_ids": [(1, line, {"price_unit": 100 + beyond})]}
        accountant.do("account.move", "write", [bill], vals)
        return bill, refusal(accountant, "account.move", "action_post", bill)

    assert billed(0)[1] == ""
    first, said = billed(60)
    assert said == ""
    second, said = billed(50)
    assert "50.00 USD now; 110.00 USD with 1 other in 7 days" in said
    guarded.look()
    request = Request.objects.get(odoo_id=second, kind=kind)
    together = request.context[cumulation.TOGETHER]
    assert (request.amount, together["amount"], together["count"]) == (Decimal(50), "60.00", 1)
    assert [one["odoo_id"] for one in together["records"]] == [first]
    assert not request.context.get("odoo_counted")
    decide(guarded, second, kind, mia, yes=True)
    assert odoo.read("account.move", [second], ["state"])[0]["state"] == "posted"
    in_force(guarded, mia, kind)
