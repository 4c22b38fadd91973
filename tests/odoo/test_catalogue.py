"""Exception types that no other proof here opens: each opened and closed by what people and time do to a real Odoo."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.events.models import OutsideEvent
from apps.exceptions.models import ExceptionCase
from apps.exceptions.models import Status as Standing
from apps.pipeline import change_processing
from apps.workflows import severity_boost
from tests.odoo.shop import Shop

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def stands(shop: Shop, model: str, record: int, *, days: float) -> set[str]:
    """What is open about the record so many days from now, if nothing more happens in Odoo until then."""
    shop.look()
    change_processing.reevaluate_due(now=clock.now() + timedelta(days=days))
    found = ExceptionCase.objects.filter(model=model, odoo_id=record).exclude(status=Standing.RESOLVED)
    return set(found.values_list("type", flat=True))


def test_a_vendor_who_does_not_answer_is_named_after_two_days_until_he_does(shop: Shop) -> None:
    order, _ = shop.buy(10, expected_in=9)
    assert "purchase.unacknowledged" not in shop.cases("purchase.order", order)
    assert "purchase.unacknowledged" in stands(shop, "purchase.order", order, days=2.1)
    shop.odoo.write("purchase.order", [order], {"acknowledged": True})
    assert "purchase.unacknowledged" not in stands(shop, "purchase.order", order, days=2.1)


def test_an_approval_that_nobody_gives_is_named_after_a_day_until_it_is_given(shop: Shop) -> None:
    line = {"product_id": shop.product, "product_qty": 4, "price_unit": 60}
    order = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, line)]})
    shop.odoo.write("purchase.order", [order], {"state": "to approve"})
    assert "purchase.approval_stalled" not in shop.cases("purchase.order", order)
    assert "purchase.approval_stalled" in stands(shop, "purchase.order", order, days=1.1)
    shop.odoo.call("purchase.order", "button_approve", [order])
    assert "purchase.approval_stalled" not in stands(shop, "purchase.order", order, days=1.1)


def test_what_a_carrier_says_of_a_shipment_holds_until_it_says_otherwise(shop: Shop) -> None:
    order = shop.sell(2, promised_in=3)
    (transfer,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.look()

    def says(kind: str, **more: Any) -> None:
        number = OutsideEvent.objects.count()
        OutsideEvent.objects.create(
            connection=shop.connection,
            source="carrier",
            message=f"m{number}",
            position=0,
            kind=kind,
            reference="T1",
            model="stock.picking",
            odoo_id=transfer,
            status="matched",
            occurred_at=clock.now() + timedelta(seconds=number),
            received_at=clock.now(),
            **more,
        )
        shop.odoo.write("stock.picking", [transfer], {"note": f"said {number}", "priority": str(number % 2)})

    says("shipment_delayed", expected_at=clock.now() + timedelta(days=9))
    assert shop.cases("stock.picking", transfer)["fulfilment.carrier_delay"].plain_evidence["carrier_late_days"] == 6
    says("shipment_delivered")
    assert "fulfilment.carrier_delay" not in shop.cases("stock.picking", transfer)


def test_an_order_far_beyond_the_usual_is_named_until_it_is_put_right(shop: Shop) -> None:
    for quantity in (9, 10, 11, 10, 12, 9, 10, 8):
        shop.sell(quantity)
    line = {"product_id": shop.product, "product_uom_qty": 300, "price_unit": 100, "tax_ids": [(5, 0, 0)]}
    order = shop.make("sale.order", {"partner_id": shop.customer, "order_line": [(0, 0, line)]})
    case = shop.cases("sale.order", order)["order.unusual"]
    assert (case.evidence["compared_count"], case.evidence["usual_amount"], case.evidence["value_times_quantity"]) == (
        8,
        "1000.00",
        "30.0",
    )
    (line_id,) = shop.odoo.search("sale.order.line", [("order_id", "=", order)])
    shop.odoo.write("sale.order.line", [line_id], {"product_uom_qty": 10})
    assert "order.unusual" not in shop.cases("sale.order", order)


def test_a_key_customer_weighs_a_step_more(shop: Shop) -> None:
    # Demo data has the tag.
    known = shop.odoo.search("res.partner.category", [("name", "=", "VIP")])
    tag = known[0] if known else shop.make("res.partner.category", {"name": "VIP"})
    order = shop.sell(10, promised_in=9)
    before = shop.cases("sale.order", order)["order.stock_shortage"].severity
    shop.odoo.write("res.partner", [shop.customer], {"category_id": [(4, tag)]})
    shop.odoo.write("sale.order", [order], {"client_order_ref": "looked at again"})
    case = shop.cases("sale.order", order)["order.stock_shortage"]
    assert (case.severity, case.plain_evidence[severity_boost.REASONS]) == (before + 1, "VIP")
