"""Business that goes wrong, as people in Odoo meet it, through REST, to what Odoo shows once it was decided.

All of it in one module: it shares one tower a company, and a tower's guards would meddle with the tests beside it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.company import ACCOUNTANT, BUYER, Company
from tests.tower import Tower, eventually

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def alone(company: Company) -> None:
    company.send_others_home()


def asked(tower: Tower, token: str, kind: str, odoo_id: int) -> dict[str, Any]:
    """The request of that kind about that record, once it waits."""
    path = f"approvals/?status=pending&kind={kind}&odoo_id={odoo_id}"
    found = eventually(lambda: tower.api(path, token)["results"], what=f"{kind} to be asked for")
    return dict(found[0])


def decide(tower: Tower, token: str, request: dict[str, Any], answer: str, reason: str) -> None:
    decided = tower.api(f"approvals/{request['id']}/{answer}/", token, body={"reason": reason})
    assert decided["status"] in ("approved", "rejected", "pending")


def becomes(company: Company, model: str, record: int, state: str) -> None:
    eventually(
        lambda: company.read(model, record, "state")["state"] == state,
        what=f"{model} {record} to be {state}",
    )


@pytest.fixture
def approver(tower: Tower) -> str:
    return tower.token("approver")


@pytest.fixture
def operator(tower: Tower) -> str:
    return tower.token("operator")


def test_a_margin_exception_on_a_large_order_is_released_at_its_price_alone(tower: Tower, company: Company, approver: str) -> None:
    product = company.goods(price=9_000, cost=8_800)
    order = company.order(company.customer(credit_limit=0), amount=9_000, product=product)
    assert "less than 10 % needs an approval" in company.confirm(order)

    request = asked(tower, approver, "pricing_exception", order)
    context = request["context"]
    # The margin is 200 on 9,000; 10 % of it would be 900.
    assert (context["order_margin"], context["conceded"], context["order_margin_percent"]) == ("200.00", "700.00", "2.20")
    record = tower.api(f"records/sale.order/{order}/", approver)
    assert (record["stage"], record["blockers"][0]["kind"]) == ("pricing_review", "pricing_approval")
    (case,) = tower.api(f"exceptions/?type=order.price_breach&odoo_id={order}&status=open", approver)["results"]
    assert (case["type"], case["evidence"]["conceded"]) == ("order.price_breach", "700.00")

    eventually(lambda: company.read("sale.order", order, "x_ct_hold")["x_ct_hold"], what="the hold")
    decide(tower, approver, request, "approve", "Opens the account")
    becomes(company, "sale.order", order, "sale")
    assert company.read("sale.order", order, "x_ct_released_concession")["x_ct_released_concession"] == 700.0
    eventually(
        lambda: tower.api(f"exceptions/{case['id']}/", approver)["status"] == "resolved",
        what="the exception to close",
    )


def test_a_discount_that_is_refused_leaves_the_order_held_with_the_reason(tower: Tower, company: Company, approver: str) -> None:
    product = company.goods(price=1_000, cost=100)
    order = company.order(company.customer(credit_limit=0), amount=1_000, product=product, discount=45)
    assert "gives up to 45.0 % off" in company.confirm(order)
    decide(tower, approver, asked(tower, approver, "pricing_exception", order), "reject", "Thirty is the most")
    eventually(
        lambda: "The note on it says why" in (company.read("sale.order", order, "x_ct_hold_reason")["x_ct_hold_reason"] or ""),
        what="the rejection to reach Odoo",
    )
    eventually(
        lambda: "Thirty is the most" in company.confirm(order),
        what="the ask to be answered",
    )
    assert company.read("sale.order", order, "state")["state"] == "draft"


def test_an_order_over_both_limits_takes_both_decisions_and_is_confirmed_by_the_second(
    tower: Tower, company: Company, approver: str
) -> None:
    product = company.goods(price=3_000, cost=100)
    order = company.order(company.customer(credit_limit=500), amount=3_000, product=product, discount=50)
    said = company.confirm(order)
    assert "above its credit limit of 500.00" in said
    assert "gives up to 50.0 % off" in said
    decide(tower, approver, asked(tower, approver, "credit_override", order), "approve", "Good for it")
    decide(tower, approver, asked(tower, approver, "pricing_exception", order), "approve", "This once")
    becomes(company, "sale.order", order, "sale")


def test_a_purchase_beyond_the_limit_is_approved_and_ordered(tower: Tower, company: Company, approver: str) -> None:
    purchase = company.purchase(company.vendor(), company.goods(price=90, cost=60), quantity=200, price=60)
    assert "from 10000 on an order needs an approval" in company.attempt(BUYER, "purchase.order", "button_confirm", purchase)
    request = asked(tower, approver, "procurement_threshold", purchase)
    assert request["requested_by"] == company.worker(BUYER).name
    decide(tower, approver, request, "approve", "Season stock")
    becomes(company, "purchase.order", purchase, "purchase")


def test_a_purchase_that_odoo_itself_holds_is_rejected_and_cancelled(tower: Tower, company: Company, approver: str) -> None:
    (own,) = company.ask("res.company", "search", [], limit=1, order="id")
    before = company.read("res.company", own, "po_double_validation", "po_double_validation_amount")
    company.ask("res.company", "write", [own], {"po_double_validation": "two_step", "po_double_validation_amount": 1_000})
    try:
        purchase = company.purchase(company.vendor(), company.goods(price=90, cost=60), quantity=50, price=60)
        assert not company.attempt(BUYER, "purchase.order", "button_confirm", purchase)
        assert company.read("purchase.order", purchase, "state")["state"] == "to approve"
        decide(tower, approver, asked(tower, approver, "procurement_threshold", purchase), "reject", "Over budget")
        becomes(company, "purchase.order", purchase, "cancel")

        def noted() -> bool:
            domain = [("model", "=", "purchase.order"), ("res_id", "=", purchase)]
            notes = company.ask("mail.message", "search_read", domain, fields=["body"])
            return any("Over budget" in note["body"] for note in notes)

        eventually(noted, what="the note to the buyer")
    finally:
        company.ask("res.company", "write", [own], {key: value for key, value in before.items() if key != "id"})


def test_express_is_refused_with_the_reason_and_asked_for_again_brings_the_delivery_forward(
    tower: Tower, company: Company, operator: str
) -> None:
    carrier = company.carrier(cost=75)
    # Carriers change rarely: they are polled, and this test does not wait for that.
    tower.manage("sync", tower.connection)
    order = company.order(company.customer(credit_limit=0), amount=100, product=company.goods(price=100, cost=40))
    company.ask("sale.order", "write", [order], {"commitment_date": in_days(9)})
    assert not company.confirm(order)
    (transfer,) = company.ask("stock.picking", "search", [("sale_id", "=", order)])
    company.ask("stock.picking", "write", [transfer], {"scheduled_date": in_days(12)})

    def offered() -> list[dict[str, Any]]:
        found = tower.api(f"approvals/available/?model=sale.order&odoo_id={order}", operator)
        return [one for one in found if one["kind"] == "expedited_freight" and one["option"] == str(carrier)]

    (option,) = eventually(offered, what="express to be possible with the new carrier")
    assert "75.00" in option["text"]
    body = {
        "kind": "expedited_freight",
        "model": "sale.order",
        "odoo_id": order,
        "option": option["option"],
        "reason": "Their fair begins",
    }
    request = tower.api("approvals/", operator, body=body)
    assert request["context"]["freight_cost"] == "75.00"
    decide(tower, tower.token(request["approvers"][0]), request, "reject", "Too dear")
    said = [("model", "=", "sale.order"), ("res_id", "=", order), ("body", "like", "Too dear")]
    eventually(lambda: company.ask("mail.message", "search", said), what="the refusal to be noted")
    assert company.read("stock.picking", transfer, "priority")["priority"] == "0"
    # What was refused may be asked for again, with a better reason.
    request = tower.api("approvals/", operator, body=body | {"reason": "Their fair begins, and they pay half"})
    decide(tower, tower.token(request["approvers"][0]), request, "approve", "This once")
    wanted = ("1", carrier)

    def told() -> bool:
        row = company.read("stock.picking", transfer, "priority", "carrier_id", "scheduled_date")
        return (row["priority"], row["carrier_id"] and row["carrier_id"][0]) == wanted and row["scheduled_date"] < in_days(1)

    eventually(told, what="the transfer to be urgent, sooner, and by express")


def in_days(days: int) -> str:
    """So many days from now, as Odoo writes it."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d 12:00:00")


def case_of(tower: Tower, token: str, kind: str, odoo_id: int) -> dict[str, Any]:
    """The open exception of that type about that record, once it is there."""
    path = f"exceptions/?type={kind}&odoo_id={odoo_id}"

    def look() -> list[dict[str, Any]]:
        return [case for case in tower.api(path, token)["results"] if case["status"] != "resolved"]

    return eventually(look, what=f"{kind} to open")[0]


def options(tower: Tower, token: str, case: dict[str, Any], remedy: str) -> list[dict[str, Any]]:
    """What the remedy offers, once it offers something."""

    def look() -> list[dict[str, Any]]:
        return [one for one in tower.api(f"exceptions/{case['id']}/actions/", token) if one["action"] == remedy]

    return eventually(look, what=f"{remedy} to be offered")


def take(tower: Tower, token: str, case: dict[str, Any], option: dict[str, Any]) -> None:
    body = {"action": option["action"], "option": option["option"]}
    assert tower.api(f"exceptions/{case['id']}/apply/", token, body=body)["status"] == "acknowledged"


def sells(company: Company, vendor: int, product: int) -> None:
    """The vendor has a price for the product."""
    template = company.read("product.product", product, "product_tmpl_id")["product_tmpl_id"][0]
    company.make("product.supplierinfo", {"partner_id": vendor, "product_tmpl_id": template, "price": 45, "delay": 4})


def drafted(company: Company, vendor: int) -> dict[str, Any]:
    """The request for quotation to the vendor, once it stands in Odoo."""

    def look() -> list[dict[str, Any]]:
        domain = [("partner_id", "=", vendor), ("state", "=", "draft")]
        return list(company.ask("purchase.order", "search_read", domain, fields=["origin", "order_line"]))

    (draft,) = eventually(look, what="the request for quotation to be drafted")
    company.made.append(("purchase.order", draft["id"]))
    return draft


def test_a_supplier_delay_names_the_orders_at_risk_and_is_answered_by_a_promise_and_another_vendor(
    tower: Tower, company: Company, operator: str
) -> None:
    product = company.goods(price=100, cost=40)
    order = company.order(company.customer(credit_limit=0), amount=100, product=product)
    company.ask("sale.order", "write", [order], {"commitment_date": in_days(5)})
    assert not company.confirm(order)
    purchase = company.purchase(company.vendor(), product, quantity=10, price=40)
    assert not company.attempt(BUYER, "purchase.order", "button_confirm", purchase)
    lines = company.ask("purchase.order.line", "search", [("order_id", "=", purchase)])
    company.worker(BUYER).call("purchase.order.line", "write", lines, {"date_planned": in_days(25)})

    case = case_of(tower, operator, "purchase.supplier_delay", purchase)
    record = tower.api(f"records/purchase.order/{purchase}/", operator)
    assert record["workflow"] == "procure_to_pay"

    # The order is read by itself, and may come after the purchase that it waits for.
    def at_risk() -> list[int]:
        waiting = tower.api(f"records/purchase.order/{purchase}/", operator)["impact"]["orders"]
        return [one["odoo_id"] for one in waiting if one["is_at_risk"]]

    assert eventually(at_risk, what="the order at risk to be named") == [order]

    other = company.vendor()
    sells(company, other, product)
    (elsewhere,) = options(tower, operator, case, "buy_elsewhere")
    take(tower, operator, case, elsewhere)
    assert drafted(company, other)["order_line"]

    (promise,) = options(tower, operator, case, "promise_later")
    take(tower, operator, case, promise)
    eventually(
        lambda: company.read("sale.order", order, "commitment_date")["commitment_date"][:10] == in_days(25)[:10],
        what="the promise to move in Odoo",
    )
    # Nobody was promised it for earlier any more.
    eventually(
        lambda: tower.api(f"exceptions/{case['id']}/", operator)["status"] == "resolved",
        what="the exception to close by itself",
    )


def test_goods_that_are_short_are_ordered_from_a_vendor_that_has_a_price_for_them(
    tower: Tower, company: Company, operator: str
) -> None:
    product = company.goods(price=100, cost=40)
    vendor = company.vendor()
    sells(company, vendor, product)
    order = company.order(company.customer(credit_limit=0), amount=100, product=product)
    assert not company.confirm(order)

    case = case_of(tower, operator, "order.stock_shortage", order)
    (elsewhere,) = options(tower, operator, case, "buy_elsewhere")
    assert "at 45.00" in elsewhere["text"]
    take(tower, operator, case, elsewhere)

    draft = drafted(company, vendor)
    assert draft["origin"] == company.read("sale.order", order, "name")["name"]
    (line,) = company.ask("purchase.order.line", "read", draft["order_line"], fields=["product_id", "product_qty", "price_unit"])
    assert (line["product_id"][0], line["product_qty"], line["price_unit"]) == (product, 1.0, 45.0)
    shown = tower.api(f"exceptions/{case['id']}/actions/", operator)
    assert not [one for one in shown if one["action"] == "buy_elsewhere"]


def closes(tower: Tower, token: str, case: dict[str, Any]) -> None:
    eventually(
        lambda: tower.api(f"exceptions/{case['id']}/", token)["status"] == "resolved",
        what="the exception to close by itself",
    )


def test_an_invoice_that_bills_more_than_was_shipped_and_agreed_is_held_until_it_is_put_right(
    tower: Tower, company: Company, approver: str
) -> None:
    product = company.goods(price=1_000, cost=400, is_storable=False)
    order = company.order(company.customer(credit_limit=0), amount=1_000, product=product)
    assert not company.confirm(order)
    company.carry_out("sale.order", order)
    invoice, line = company.draft_invoice(order)
    accountant = company.worker(ACCOUNTANT)
    accountant.call("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"quantity": 2, "price_unit": 1_050})]})
    said = company.attempt(ACCOUNTANT, "account.move", "action_post", invoice)
    assert "100.00 EUR above" in said or "100.00 USD above" in said
    assert "1 billed beyond what may be" in said

    # Shipment, order and price are held against each other, and finance has it.
    # What of an order's line is billed changes without a word of Odoo's: it is polled, and this test does not wait for that.
    tower.manage("sync", tower.connection)
    names = ("ordered_quantity", "delivered_quantity", "billed_quantity", "over_quantity", "price_difference", "disputed_amount")

    def compared() -> dict[str, Any] | None:
        found = case_of(tower, approver, "invoice.differs", invoice)
        return found if [found["evidence"][name] for name in names] == ["1", "1", "2", "1", "100.00", "1150.00"] else None

    case = eventually(compared, what="shipment, order and price to be compared")
    assert case
    assert case["team"] == "finance"
    request = asked(tower, approver, "invoice_mismatch", invoice)
    assert request["requested_by"] == accountant.name
    decide(tower, approver, request, "reject", "Bill what was shipped")
    eventually(
        lambda: "Bill what was shipped" in (company.read("account.move", invoice, "x_ct_hold_reason")["x_ct_hold_reason"] or ""),
        what="the reason to reach Odoo",
    )
    domain = [("res_model", "=", "account.move"), ("res_id", "=", invoice), ("summary", "like", "Put the invoice right")]
    eventually(lambda: company.ask("mail.activity", "search", domain), what="its owner to be asked")
    assert "Bill what was shipped" in company.attempt(ACCOUNTANT, "account.move", "action_post", invoice)

    accountant.call("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"quantity": 1, "price_unit": 1_000})]})
    assert not company.attempt(ACCOUNTANT, "account.move", "action_post", invoice)
    assert not company.read("account.move", invoice, "x_ct_hold")["x_ct_hold"]
    tower.manage("sync", tower.connection)
    closes(tower, approver, case)


def test_a_bill_above_the_price_ordered_is_posted_once_finance_agrees(tower: Tower, company: Company, approver: str) -> None:
    vendor, product = company.vendor(), company.goods(price=90, cost=60)
    purchase = company.purchase(vendor, product, quantity=10, price=60)
    assert not company.attempt(BUYER, "purchase.order", "button_confirm", purchase)
    company.carry_out("purchase.order", purchase)
    (ordered,) = company.ask("purchase.order.line", "search", [("order_id", "=", purchase)])
    bill = company.draft("in_invoice", vendor, product_id=product, quantity=10, price_unit=75, purchase_line_id=ordered)
    assert "150.00" in company.attempt(ACCOUNTANT, "account.move", "action_post", bill)
    case = case_of(tower, approver, "invoice.differs", bill)
    assert (case["evidence"]["billed_price"], case["evidence"]["ordered_price"]) == ("750.00", "600.00")
    decide(tower, approver, asked(tower, approver, "invoice_mismatch", bill), "approve", "Steel is dearer now")
    becomes(company, "account.move", bill, "posted")
    closes(tower, approver, case)


def test_a_credit_for_nothing_that_came_back_is_posted_or_cancelled_as_it_is_decided(
    tower: Tower, company: Company, approver: str
) -> None:
    customer = company.customer(credit_limit=0)
    agreed, refused = (company.draft("out_refund", customer, name="Goodwill", quantity=1, price_unit=one) for one in (640, 900))
    # The one is tried at once, the other only drafted: both are asked about.
    assert "640.00" in company.attempt(ACCOUNTANT, "account.move", "action_post", agreed)
    decide(tower, approver, asked(tower, approver, "return_authorisation", agreed), "approve", "Broken on the way")
    decide(tower, approver, asked(tower, approver, "return_authorisation", refused), "reject", "Nothing came back")
    becomes(company, "account.move", agreed, "posted")
    becomes(company, "account.move", refused, "cancel")
    held = company.read("account.move", refused, "x_ct_hold", "x_ct_hold_reason")
    assert held["x_ct_hold"] == "return_authorisation"
    assert "Nothing came back" in held["x_ct_hold_reason"]
