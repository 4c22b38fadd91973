"""What purchasing does: request, order, change, reorder."""

from random import Random
from typing import TYPE_CHECKING, Any

from tests.walk.acts.drawing import act, in_days, some

if TYPE_CHECKING:
    from tests.walk.walk import Walk


def _purchase_line(walk: "Walk", random: Random) -> tuple[int, int, dict[str, Any]]:
    goods = walk.business.goods
    line: dict[str, Any] = {
        "product_id": random.choice(goods.storable),
        "product_qty": random.choice([1, 10, 30, 200]),
        "price_unit": random.choice([1, 59.99, 60, 75, 333.333]),
        "date_planned": in_days(random.choice([-1, 0, 2, 9])),
    }
    if random.random() < 0.3:
        line |= {"product_id": goods.plain, "product_uom_id": walk.business.dozen, "product_qty": 2, "price_unit": 700}
    return (0, 0, line)


@act(6)
def request_quotation(walk: "Walk", random: Random) -> str:
    values: dict[str, Any] = {
        "partner_id": random.choice(walk.business.vendors),
        "company_id": walk.business.home,
        "order_line": [_purchase_line(walk, random) for _ in range(random.choice([1, 2]))],
    }
    if random.random() < 0.25:
        values["currency_id"] = walk.business.currency[random.choice(["EUR", "JPY", "KWD"])]
    order = walk.make("buyer", "purchase.order", values)
    return f"P{order} requested"


@act(1)
def request_quotation_abroad(walk: "Walk", random: Random) -> str:
    business = walk.business
    values = {
        "partner_id": random.choice(business.vendors),
        "company_id": business.abroad,
        "order_line": [_purchase_line(walk, random)],
    }
    order = walk.make("buyer", "purchase.order", values, context={"allowed_company_ids": [business.abroad, business.home]})
    return f"P{order} requested abroad"


@act(2)
def reorder(walk: "Walk", random: Random) -> str:
    """A reordering rule finds that there is too little, and drafts a purchase."""
    business = walk.business
    product = random.choice(list(business.goods.storable[:2]))
    found = business.one("stock.warehouse.orderpoint", [("product_id", "=", product), ("location_id", "=", walk.shelf("one step"))])
    values = {"product_min_qty": random.choice([10, 80]), "product_max_qty": random.choice([100, 250])}
    if found:
        walk.do("keeper", "stock.warehouse.orderpoint", "write", [found], values)
    else:
        values |= {
            "product_id": product,
            "location_id": walk.shelf("one step"),
            "warehouse_id": business.warehouse["one step"],
            "route_id": business.buy,
            "trigger": "manual",
        }
        made = walk.do("keeper", "stock.warehouse.orderpoint", "create", values)
        found = made[0] if isinstance(made, list) else made
    walk.do("keeper", "stock.warehouse.orderpoint", "action_replenish", [found])
    return f"product {product} reordered: {values['product_min_qty']} to {values['product_max_qty']}"


@act(6)
def order_goods(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("purchase.order", [("state", "in", ["draft", "sent", "to approve"])]))
    if not order:
        return ""
    walk.do("buyer", "purchase.order", "button_confirm", [order])
    return f"P{order} ordered"


@act(4)
def change_a_purchase(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("purchase.order", [("state", "in", ["draft", "sent", "purchase"])]))
    lines = walk.rows(
        "purchase.order.line", [("order_id", "=", order), ("display_type", "=", False)], ["product_qty", "price_unit"]
    )
    if not order or not lines:
        return ""
    line = random.choice(lines)
    values = random.choice(
        [
            {"product_qty": line["product_qty"] * random.choice([2, 10])},
            {"price_unit": line["price_unit"] * random.choice([0.5, 20])},
            {"date_planned": in_days(random.choice([-2, 1, 30]))},
        ]
    )
    walk.do("buyer", "purchase.order.line", "write", [line["id"]], values)
    return f"P{order} line {line['id']}: {values}"


@act(1)
def buy_elsewhere(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("purchase.order", [("state", "in", ["draft", "sent"])]))
    if not order:
        return ""
    walk.do("buyer", "purchase.order", "write", [order], {"partner_id": random.choice(walk.business.vendors)})
    return f"P{order} from another vendor"


@act(2)
def cancel_a_purchase(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("purchase.order", [("state", "!=", "cancel")]))
    if not order:
        return ""
    walk.do("buyer", "purchase.order", "button_cancel", [order])
    if random.random() < 0.5:
        walk.do("buyer", "purchase.order", "button_draft", [order])
    return f"P{order} cancelled"
