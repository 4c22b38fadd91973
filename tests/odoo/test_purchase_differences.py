"""Receipts and prices other than ordered, opened and closed by what people do in a real Odoo."""

from decimal import Decimal

import pytest

from tests.odoo.shop import Shop

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

RECEIPT, PRICE = "purchase.receipt_differs", "purchase.price_differs"


def test_more_than_ordered_is_named_until_the_order_says_so_too(shop: Shop) -> None:
    order, line = shop.buy(10)
    shop.receive(order, 13)
    case = shop.cases("purchase.order", order)[RECEIPT]
    assert (case.plain_evidence["over_received_quantity"], case.amount) == ("3", Decimal("180.00"))
    shop.odoo.write("purchase.order.line", [line], {"product_qty": 13})
    assert RECEIPT not in shop.cases("purchase.order", order)


def test_a_receipt_closed_short_is_named_and_not_waited_for(shop: Shop) -> None:
    order, line = shop.buy(10, expected_in=-1)
    assert "purchase.supplier_delay" in shop.cases("purchase.order", order)
    shop.receive(order, 4)
    found = shop.cases("purchase.order", order)
    assert (found[RECEIPT].plain_evidence["short_received_quantity"], found[RECEIPT].amount) == ("6", Decimal("360.00"))
    assert "purchase.supplier_delay" not in found
    shop.odoo.write("purchase.order.line", [line], {"product_qty": 4})
    assert RECEIPT not in shop.cases("purchase.order", order)


def test_a_price_beyond_the_vendors_list_is_named_until_it_is_put_right(shop: Shop) -> None:
    order, line = shop.buy(10, price=75)
    case = shop.cases("purchase.order", order)[PRICE]
    told = {"price_against": "the vendor's price list", "price_expected": "60.00", "price_found": "75.00"}
    assert told.items() <= case.plain_evidence.items()
    assert case.amount == Decimal("150.00")
    shop.odoo.write("purchase.order.line", [line], {"price_unit": 60})
    assert PRICE not in shop.cases("purchase.order", order)


def test_a_bill_at_another_price_than_ordered_is_named_until_it_is_corrected(shop: Shop) -> None:
    order, line = shop.buy(10)
    shop.receive(order)
    shop.odoo.call("purchase.order", "action_create_invoice", [order])
    (billed,) = shop.odoo.search("account.move.line", [("purchase_line_id", "=", line)])
    shop.odoo.write("account.move.line", [billed], {"price_unit": 66})
    case = shop.cases("purchase.order", order)[PRICE]
    assert (case.plain_evidence["price_found"], case.plain_evidence["price_difference_percent"]) == ("66.00", "10.0")
    assert case.amount == Decimal("60.00")
    shop.odoo.write("account.move.line", [billed], {"price_unit": 60})
    assert PRICE not in shop.cases("purchase.order", order)
