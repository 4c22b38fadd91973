"""A vendor's answer meets an order that has changed in a real Odoo since: nothing is written that nobody has seen."""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.core import clock
from apps.outbox import dispatch
from apps.vendors.models import Proposal
from apps.vendors.proposals import following, moves
from tests.odoo.shop import Shop, in_days
from tests.odoo.test_vendor_answers import accept, answers, day, olga, order_lines, receipts

__all__ = ["answers", "olga"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def received_in_part(shop: Shop, order: int, line: int) -> None:
    (picking,) = shop.odoo.search("stock.picking", [("purchase_id", "=", order)])
    shop.odoo.write("stock.move", shop.odoo.search("stock.move", [("picking_id", "=", picking)]), {"quantity": 4, "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [picking], context={"skip_backorder": True})


def cancelled(shop: Shop, order: int, line: int) -> None:
    shop.odoo.call("purchase.order", "button_cancel", [order])


@pytest.mark.parametrize("change", [received_in_part, cancelled])
@pytest.mark.parametrize(
    "said",
    [
        {"says": "refused", "reason": "Out of range"},
        {"says": "otherwise", "quantity1": 7, "day1": day(9)},
        {"says": "otherwise", "day1": day(9)},
    ],
)
def test_what_the_tower_has_not_seen_yet_is_not_written_over(
    shop: Shop,
    olga: User,
    answers: Callable[..., Proposal],
    change: Callable[[Shop, int, int], None],
    said: dict[str, object],
) -> None:
    order, line = shop.buy(12, expected_in=3)
    proposal = answers(order, **{f"{name}_{line}": value for name, value in said.items()})
    change(shop, order, line)
    before = order_lines(shop, order)
    moves.accept(proposal.pk, by=olga, now=clock.now(), seen=proposal.version)
    dispatch.run_due(clock=clock.now)
    following.settle(now=clock.now())
    proposal.refresh_from_db()
    assert proposal.status == "open" and "changed in Odoo since the decision" in (proposal.told_problem or "")
    assert order_lines(shop, order) == before


def test_dozens_are_split_in_dozens(shop: Shop, olga: User, answers: Callable[..., Proposal]) -> None:
    (dozen,) = shop.odoo.search("uom.uom", [("name", "=", "Dozens")])
    values = {"product_id": shop.product, "product_qty": 6, "product_uom_id": dozen, "price_unit": 600, "date_planned": in_days(3)}
    order = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, values)]})
    shop.odoo.call("purchase.order", "button_confirm", [order])
    (line,) = shop.odoo.search("purchase.order.line", [("order_id", "=", order)])
    fields = {"says": "otherwise", "quantity1": 3, "day1": day(3), "quantity2": 2, "day2": day(8), "quantity3": 1, "day3": day(15)}
    accept(shop, answers(order, **{f"{name}_{line}": value for name, value in fields.items()}), olga)
    rows = shop.odoo.search_read(
        "purchase.order.line", [("order_id", "=", order)], ["product_qty", "product_uom_id", "price_unit"], order="id"
    )
    assert [(row["product_qty"], row["product_uom_id"], row["price_unit"]) for row in rows] == [
        (3, dozen, 600),
        (2, dozen, 600),
        (1, dozen, 600),
    ]
    assert [when for _, when, _ in receipts(shop, order)] == [day(3), day(8), day(15)]


def test_a_split_purchase_still_feeds_the_order_that_it_was_made_for(
    shop: Shop, olga: User, answers: Callable[..., Proposal]
) -> None:
    routes = shop.odoo.search("stock.route", ["|", ("active", "=", True), ("active", "=", False), ("name", "ilike", "MTO")])
    shop.odoo.write("stock.route", routes, {"active": True})
    buy = shop.odoo.search("stock.route", [("name", "=", "Buy")])
    shop.odoo.write("product.product", [shop.product], {"route_ids": [(6, 0, [*routes, *buy])]})
    sale = shop.sell(12)
    (line,) = shop.odoo.search_read("purchase.order.line", [("product_id", "=", shop.product)], ["order_id"])
    order = line["order_id"]
    shop.odoo.write("purchase.order.line", [line["id"]], {"date_planned": in_days(3)})
    shop.odoo.call("purchase.order", "button_confirm", [order])
    fields = {"says": "otherwise", "quantity1": 5, "day1": day(3), "quantity2": 4, "day2": day(8), "quantity3": 3, "day3": day(15)}
    accept(shop, answers(order, **{f"{name}_{line['id']}": value for name, value in fields.items()}), olga)
    for picking in shop.odoo.search("stock.picking", [("purchase_id", "=", order), ("state", "not in", ["done", "cancel"])]):
        for move in shop.odoo.search_read("stock.move", [("picking_id", "=", picking)], ["product_uom_qty"]):
            shop.odoo.write("stock.move", [move["id"]], {"quantity": move["product_uom_qty"], "picked": True})
        shop.odoo.call("stock.picking", "button_validate", [picking])
    deliveries = shop.odoo.search_read("stock.move", [("sale_line_id.order_id", "=", sale)], ["quantity", "state"])
    assert [(move["quantity"], move["state"]) for move in deliveries] == [(12, "assigned")]
