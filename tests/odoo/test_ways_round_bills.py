"""Ways round a limit by what is billed, credited or delivered in a real Odoo that its guards close."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core import clock
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, refusal
from tests.odoo.test_after_done import in_stock
from tests.odoo.test_guards import SELLER, customer, decide, desk, line_of, other_currency, pending, quoted, state
from tests.odoo.test_returns import drafted, receive, return_of, sold
from tests.odoo.test_ways_round import ACCOUNTANT, bought

__all__ = ["desk"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


class Bought:
    """Ten desks at 40 that were ordered of a vendor."""

    def __init__(self, odoo: OdooClient, accountant: Worker, desk: int, *, control: str = "purchase", **line: Any) -> None:
        self.odoo, self.accountant, self.desk = odoo, accountant, desk
        odoo.write("product.product", [desk], {"purchase_method": control})
        self.vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
        self.order = bought(accountant, self.vendor, {"product_id": desk, "product_qty": 10, "price_unit": 40} | line)
        accountant.do("purchase.order", "button_confirm", [self.order])
        (self.line,) = odoo.search("purchase.order.line", [("order_id", "=", self.order)])

    def billed(self, *lines: dict[str, Any], **more: Any) -> int:
        """A draft of a bill; a line without more is of the order."""
        common = {"product_id": self.desk, "price_unit": 40, "purchase_line_id": self.line, "tax_ids": [(5, 0, 0)]}
        values = {
            "move_type": "in_invoice",
            "partner_id": self.vendor,
            "invoice_date": str(clock.now().date()),
            "invoice_line_ids": [(0, 0, common | line) for line in lines],
            **more,
        }
        return int(self.accountant.do("account.move", "create", values))


def test_what_no_order_names_is_not_billed_beside_what_one_does(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    desks = Bought(odoo, hired(*ACCOUNTANT), desk)
    for beside, counts in (
        ({"name": "Surcharge", "product_id": False, "quantity": 1, "price_unit": 5_000}, 5_000),
        ({"name": "More of it", "quantity": 100}, 4_000),
        ({"name": "Rebate", "product_id": False, "quantity": -1, "price_unit": 150}, 150),
    ):
        bill = desks.billed({"quantity": 10}, {"purchase_line_id": False, **beside})
        said = refusal(desks.accountant, "account.move", "action_post", bill)
        assert "on lines of no order; from 100 on that needs a decision" in said
        guarded.look()
        request = pending(bill, "invoice_mismatch")
        assert (request.amount, "odoo_counted" in request.context) == (counts, False)
        desks.accountant.do("account.move", "button_cancel", [bill])
    freight = {"name": "Freight", "product_id": False, "purchase_line_id": False, "quantity": 1, "price_unit": 60}
    assert refusal(desks.accountant, "account.move", "action_post", desks.billed({"quantity": 10}, freight)) == ""


def tax(odoo: OdooClient, percent: float, how: str = "tax_excluded", use: str = "purchase") -> int:
    """A tax of the first company's, on top of the price or within it."""
    name, (own,) = f"Tower test {percent} % {how}", odoo.read("res.users", [odoo.uid], ["company_id"])
    values = {"name": name, "amount": percent, "type_tax_use": use, "price_include_override": how, "company_id": own["company_id"]}
    known = odoo.search("account.tax", [(key, "=", values[key]) for key in ("name", "type_tax_use", "company_id")])
    return known[0] if known else odoo.create("account.tax", values)


def test_a_bill_with_another_tax_than_its_order_is_not_posted_unasked(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    half, fifth, within = tax(odoo, 50), tax(odoo, 20), tax(odoo, 7.7, "tax_included")
    accountant = hired(*ACCOUNTANT)
    for ordered, on_bill, price, differs in (
        ([], [half], 800, 4_000),
        ([fifth], [], 800, -1_600),
        ([fifth], [fifth], 800, 0),
        ([within], [within], 123.45, 0),
        ([within, fifth], [within], 123.45, None),
    ):
        desks = Bought(odoo, accountant, desk, price_unit=price, tax_ids=[(6, 0, ordered)])
        bill = desks.billed({"quantity": 10, "price_unit": price, "tax_ids": [(6, 0, on_bill)]})
        said = refusal(accountant, "account.move", "action_post", bill)
        if differs == 0:
            assert said == ""
            guarded.look()
            assert guarded.case("invoice.differs", bill) is None
            continue
        if differs is not None:
            assert f"tax {abs(differs):.2f} USD {'above' if differs > 0 else 'below'} that of the order" in said
        guarded.look()
        request = pending(bill, "invoice_mismatch")
        assert differs is None or request.amount == abs(differs)
        assert "odoo_counted" not in request.context
        assert request.context["price_difference"] == "0.00"
        accountant.do("account.move", "button_cancel", [bill])


def test_a_customer_is_billed_the_tax_that_the_order_carries(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    fifth = tax(odoo, 20, use="sale")
    accountant, seller = hired(*ACCOUNTANT), hired(*SELLER)
    odoo.write("product.product", [desk], {"invoice_policy": "order"})
    order = quoted(seller, customer(odoo, 0), desk, 10, tax_ids=[(6, 0, [fifth])])
    assert refusal(seller, "sale.order", "action_confirm", order) == ""
    invoice = drafted(accountant, order)
    (line,) = odoo.search("account.move.line", [("move_id", "=", invoice), ("display_type", "=", "product")])
    accountant.do("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"tax_ids": [(5, 0, 0)]})]})
    assert "tax 200.00 USD below that of the order" in refusal(accountant, "account.move", "action_post", invoice)
    guarded.look()
    request = pending(invoice, "invoice_mismatch")
    assert (request.amount, "odoo_counted" in request.context) == (200, False)
    accountant.do("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"tax_ids": [(6, 0, [fifth])]})]})
    assert refusal(accountant, "account.move", "action_post", invoice) == ""


def test_a_customer_is_given_no_rebate_on_the_invoice_unasked(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    accountant, seller = hired(*ACCOUNTANT), hired(*SELLER)
    odoo.write("product.product", [desk], {"invoice_policy": "order"})
    order = quoted(seller, customer(odoo, 0), desk, 10)
    assert refusal(seller, "sale.order", "action_confirm", order) == ""
    invoice = drafted(accountant, order)
    rebate = {"name": "Goodwill", "quantity": 1, "price_unit": -600, "tax_ids": [(5, 0, 0)]}
    accountant.do("account.move", "write", [invoice], {"invoice_line_ids": [(0, 0, rebate)]})
    assert "-600.00 USD on lines of no order" in refusal(accountant, "account.move", "action_post", invoice)
    guarded.look()
    assert pending(invoice, "invoice_mismatch").amount == 600
    accountant.do("account.move", "button_cancel", [invoice])


def test_no_later_line_bears_all_that_an_earlier_one_bills_too_much(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    accountant = hired(*ACCOUNTANT)
    together = Bought(odoo, accountant, desk)
    both = together.billed({"quantity": 70}, {"quantity": 1})
    apart = Bought(odoo, accountant, desk)
    first, second = apart.billed({"quantity": 70}), apart.billed({"quantity": 1})
    assert "61 billed beyond what may be" in refusal(accountant, "account.move", "action_post", both)
    assert "60 billed beyond what may be" in refusal(accountant, "account.move", "action_post", first)
    assert refusal(accountant, "account.move", "action_post", second) == ""
    guarded.look()
    for bill, amount in ((both, 2_440), (first, 2_400)):
        request = pending(bill, "invoice_mismatch")
        assert (request.amount, "odoo_counted" in request.context) == (amount, False)
        accountant.do("account.move", "button_cancel", [bill])


def test_what_was_received_beyond_the_order_is_not_billed_unasked(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    picker = hired("stock.group_stock_user")
    desks = Bought(odoo, hired(*ACCOUNTANT), desk, control="receive")
    (receipt,) = odoo.search("stock.picking", [("purchase_id", "=", desks.order)])
    picker.do("stock.move", "write", odoo.search("stock.move", [("picking_id", "=", receipt)]), {"quantity": 400, "picked": True})
    receive(picker, receipt)
    bill = desks.billed({"quantity": 400})
    assert "390 billed beyond what may be" in refusal(desks.accountant, "account.move", "action_post", bill)
    guarded.look()
    request = pending(bill, "invoice_mismatch")
    assert (request.amount, "odoo_counted" in request.context) == (15_600, False)
    # What was ordered may be billed, and the order may be raised: the limit of purchases then says by whom.
    (line,) = odoo.search("account.move.line", [("move_id", "=", bill), ("display_type", "=", "product")])
    desks.accountant.do("account.move", "write", [bill], {"invoice_line_ids": [(1, line, {"quantity": 10})]})
    assert refusal(desks.accountant, "account.move", "action_post", bill) == ""
    raised = {"order_line": [(1, desks.line, {"product_qty": 400})]}
    assert "is worth 16000.00" in refusal(desks.accountant, "purchase.order", "write", desks.order, vals=raised)


def test_what_came_back_is_credited_once(guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker]) -> None:
    picker, accountant = hired("stock.group_stock_user"), hired(*ACCOUNTANT)
    desks = sold(odoo, picker, accountant, 6, price=200)
    receive(picker, return_of(picker, desks.delivery, 2))
    credit = drafted(accountant, desks.order)
    own = [("move_id", "=", credit), ("display_type", "=", "product")]
    (line,) = odoo.search_read("account.move.line", own, ["sale_line_ids", "product_id"])
    again = {
        "product_id": line["product_id"],
        "quantity": 2,
        "price_unit": 200,
        "tax_ids": [(5, 0, 0)],
        "sale_line_ids": [(6, 0, line["sale_line_ids"])],
    }
    accountant.do("account.move", "write", [credit], {"invoice_line_ids": [(0, 0, again), (0, 0, again)]})
    assert "credited 800.00 USD beyond what came back" in refusal(accountant, "account.move", "action_post", credit)
    guarded.look()
    request = pending(credit, "return_authorisation")
    assert (request.amount, "odoo_counted" in request.context) == (800, False)
    accountant.do("account.move", "button_cancel", [credit])


def test_what_was_delivered_beyond_the_order_is_owed_as_well(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    seller, picker = hired(*SELLER), hired("stock.group_stock_manager")
    odoo.write("product.product", [desk], {"invoice_policy": "delivery"})
    in_stock(picker, odoo, desk, 100)
    partner = customer(odoo, 0)
    order = quoted(seller, partner, desk, 8)
    assert refusal(seller, "sale.order", "action_confirm", order) == ""
    (delivery,) = odoo.search("stock.picking", [("sale_id", "=", order)])
    picker.do("stock.move", "write", odoo.search("stock.move", [("picking_id", "=", delivery)]), {"quantity": 20, "picked": True})
    receive(picker, delivery)
    assert odoo.read("sale.order.line", [line_of(odoo, order)], ["qty_delivered"])[0]["qty_delivered"] == 20
    owed = odoo.read("res.partner", [partner], ["credit_to_invoice"])[0]["credit_to_invoice"]
    assert owed == 2_000
    odoo.write("res.partner", [partner], {"credit_limit": 1_000})
    small = quoted(seller, partner, desk, 1)
    assert "to 2100.00 USD, above its credit limit" in refusal(seller, "sale.order", "action_confirm", small)
    guarded.look()
    request = pending(small, "credit_override")
    assert (request.context["exposure"], "odoo_counted" in request.context) == ("2100.00", False)


def test_what_was_sent_again_for_what_came_back_is_not_credited_as_well(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker]
) -> None:
    picker, accountant = hired("stock.group_stock_user"), hired(*ACCOUNTANT)
    desks = sold(odoo, picker, accountant, 6, price=200)
    back = return_of(picker, desks.delivery, 2)
    receive(picker, back)
    receive(picker, return_of(picker, back, 2))
    receive(picker, return_of(picker, desks.delivery, 2))
    # Two of the four that came back have gone out once more: two are to be credited.
    (line,) = odoo.search("sale.order.line", [("order_id", "=", desks.order)])
    assert odoo.read("sale.order.line", [line], ["qty_delivered"])[0]["qty_delivered"] == 4
    credit = drafted(accountant, desks.order)
    (own,) = odoo.search("account.move.line", [("move_id", "=", credit), ("display_type", "=", "product")])
    accountant.do("account.move", "write", [credit], {"invoice_line_ids": [(1, own, {"quantity": 5})]})
    assert "credited 600.00 USD beyond what came back" in refusal(accountant, "account.move", "action_post", credit)
    guarded.look()
    request = pending(credit, "return_authorisation")
    assert (request.amount, "odoo_counted" in request.context) == (600, False)
    accountant.do("account.move", "write", [credit], {"invoice_line_ids": [(1, own, {"quantity": 2})]})
    assert refusal(accountant, "account.move", "action_post", credit) == ""


def raise_tax(worker: Worker, odoo: OdooClient, move: int, by: float) -> None:
    """Write another tax on the draft, as whoever edits its total does."""
    (line,) = odoo.search_read("account.move.line", [("move_id", "=", move), ("display_type", "=", "tax")], ["amount_currency"])
    raised = line["amount_currency"] + (by if line["amount_currency"] > 0 else -by)
    worker.do("account.move", "write", [move], {"line_ids": [(1, line["id"], {"amount_currency": raised})]})


def test_a_tax_that_is_raised_by_hand_on_a_bill_is_asked_about(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    accountant, fifth = hired(*ACCOUNTANT), tax(odoo, 20)
    desks = Bought(odoo, accountant, desk, tax_ids=[(6, 0, [fifth])])
    rates = {"currency_id": other_currency(odoo)}
    for more, by, counts in (({}, 500, 500), (rates, 500, None), ({}, -50, 0), ({}, 0.02, 0)):
        bill = desks.billed({"quantity": 10, "tax_ids": [(6, 0, [fifth])]}, **more)
        total = odoo.read("account.move", [bill], ["amount_total"])[0]["amount_total"]
        raise_tax(accountant, odoo, bill, by)
        row = odoo.read("account.move", [bill], ["amount_total", "amount_total_signed"])[0]
        assert round(row["amount_total"] - total, 2) == by
        said = refusal(accountant, "account.move", "action_post", bill)
        guarded.look()
        if counts == 0:
            assert (said, guarded.case("invoice.differs", bill)) == ("", None)
            accountant.do("account.move", "button_draft", [bill])
        else:
            counted = counts or round(by * abs(row["amount_total_signed"] / row["amount_total"]), 2)
            assert f"tax {counted:.2f} USD above what its lines come to" in said
            request = pending(bill, "invoice_mismatch")
            assert (float(request.amount), "odoo_counted" in request.context) == (counted, False)
            assert float(request.context["tax_by_hand"]) == counted
        accountant.do("account.move", "button_cancel", [bill])


def test_a_tax_that_is_raised_by_hand_on_a_credit_note_is_authorised(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker]
) -> None:
    picker, accountant = hired("stock.group_stock_user"), hired(*ACCOUNTANT)
    desks = sold(odoo, picker, accountant, 4)
    receive(picker, return_of(picker, desks.delivery, 4))
    credit = drafted(accountant, desks.order)
    (line,) = odoo.search("account.move.line", [("move_id", "=", credit), ("display_type", "=", "product")])
    fifth = tax(odoo, 20, use="sale")
    accountant.do("account.move", "write", [credit], {"invoice_line_ids": [(1, line, {"tax_ids": [(6, 0, [fifth])]})]})
    raise_tax(accountant, odoo, credit, 900)
    assert "credited 900.00 USD beyond what came back" in refusal(accountant, "account.move", "action_post", credit)
    guarded.look()
    request = pending(credit, "return_authorisation")
    assert (request.amount, "odoo_counted" in request.context) == (900, False)


def test_a_bill_of_another_vendor_than_ordered_of_is_asked_about(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    accountant = hired(*ACCOUNTANT)
    desks = Bought(odoo, accountant, desk)
    office = odoo.create("res.partner", {"name": "Tower test office", "parent_id": desks.vendor, "type": "invoice"})
    other = odoo.create("res.partner", {"name": "Tower test stranger"})
    own = desks.billed({"quantity": 4}, partner_id=office)
    assert refusal(accountant, "account.move", "action_post", own) == ""
    bill = desks.billed({"quantity": 6}, partner_id=other)
    said = refusal(accountant, "account.move", "action_post", bill)
    assert "differs from the order or the delivery by 240.00 USD: 240.00 USD ordered of Tower test vendor;" in said
    guarded.look()
    request = pending(bill, "invoice_mismatch")
    assert (request.amount, "odoo_counted" in request.context) == (240, False)
    assert request.context["other_partner_names"] == "Tower test vendor"
    # A yes is for this vendor's bill alone.
    decide(guarded, bill, "invoice_mismatch", mia, yes=True)
    assert state(odoo, bill, "account.move") == "posted"
    assert guarded.case("invoice.differs", bill) is None


def test_an_invoice_is_for_who_ordered(guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int) -> None:
    accountant, seller = hired(*ACCOUNTANT), hired(*SELLER)
    odoo.write("product.product", [desk], {"invoice_policy": "order"})
    order = quoted(seller, customer(odoo, 0), desk, 10)
    assert refusal(seller, "sale.order", "action_confirm", order) == ""
    invoice = drafted(accountant, order)
    accountant.do("account.move", "write", [invoice], {"partner_id": customer(odoo, 0, name="Tower test stranger")})
    said = refusal(accountant, "account.move", "action_post", invoice)
    assert "1000.00 USD ordered by Tower test customer;" in said
    guarded.look()
    request = pending(invoice, "invoice_mismatch")
    assert (request.amount, "odoo_counted" in request.context) == (1_000, False)
