"""What sales do: quote, change, confirm, cancel."""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from tests.walk.acts.drawing import act, in_days, some

if TYPE_CHECKING:
    from tests.walk.walk import Walk


def order_line(walk: "Walk", random: Random, *, is_home: bool = True) -> tuple[int, int, dict[str, Any]]:
    """One line of an order, as Odoo takes it."""
    goods = walk.business.goods
    product = random.choice(goods.sold())
    line: dict[str, Any] = {"product_id": product, "product_uom_qty": random.choice([1, 2, 3, 5, 12, 40])}
    if product == goods.plain and random.random() < 0.3:
        line |= {"product_uom_id": walk.business.dozen, "product_uom_qty": random.choice([1, 2, 3])}
    if random.random() < 0.25:
        line["discount"] = random.choice([5, 19.9, 20, 25, 60, 100])
    if random.random() < 0.15:
        line["price_unit"] = random.choice([0, 0.333, 57.142, 99.99, 1000])
    if random.random() < 0.07:
        line |= {"product_id": goods.service, "product_uom_qty": 1, "price_unit": -random.choice([10, 100, 500])}
    if is_home and random.random() < 0.3:
        line["tax_ids"] = [(6, 0, [random.choice(walk.business.taxes)])]
    return (0, 0, line)


@act(12)
def quote(walk: "Walk", random: Random) -> str:
    business = walk.business
    warehouse = random.choice(["one step", "one step", "two steps", "three steps"])
    values: dict[str, Any] = {
        "partner_id": random.choice(business.customers),
        "company_id": business.home,
        "warehouse_id": business.warehouse[warehouse],
        "order_line": [order_line(walk, random) for _ in range(random.choice([1, 1, 2, 3]))],
    }
    if random.random() < 0.5:
        values["commitment_date"] = in_days(random.choice([-1, 0, 1, 4, 12]))
    if random.random() < 0.2:
        values["client_order_ref"] = f"PO {random.choice([1, 2, 3])}"
    if random.random() < 0.1:
        values["order_line"].append((0, 0, {"display_type": "line_note", "name": "Handle with care"}))
    order = walk.make("sales", "sale.order", values)
    return f"S{order} quoted, {warehouse}"


@act(2)
def quote_abroad(walk: "Walk", random: Random) -> str:
    business = walk.business
    values = {
        "partner_id": random.choice(business.customers),
        "company_id": business.abroad,
        "warehouse_id": business.warehouse["abroad"],
        "order_line": [order_line(walk, random, is_home=False)],
    }
    order = walk.make("sales", "sale.order", values, context={"allowed_company_ids": [business.abroad, business.home]})
    return f"S{order} quoted abroad"


@act(2)
def quote_in_a_branch(walk: "Walk", random: Random) -> str:
    """A branch sells from a warehouse of its own; what its customers owe, they owe the whole company."""
    business = walk.business
    values = {
        "partner_id": random.choice(business.customers),
        "company_id": business.branch,
        "warehouse_id": business.warehouse["branch"],
        "order_line": [order_line(walk, random, is_home=False)],
    }
    order = walk.make("sales", "sale.order", values, context={"allowed_company_ids": [business.branch, business.home]})
    return f"S{order} quoted in a branch"


@act(2)
def quote_of_a_state(walk: "Walk", random: Random) -> str:
    values = {
        "partner_id": random.choice(walk.business.customers),
        "company_id": walk.business.home,
        "state": "sale",
        "order_line": [order_line(walk, random)],
    }
    order = walk.make("sales", "sale.order", values)
    return f"S{order} created in state sale"


@act(14)
def confirm(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "in", ["draft", "sent"])]))
    if not order:
        return ""
    walk.do("sales", "sale.order", "action_confirm", [order])
    return f"S{order} confirmed"


def _order_line(walk: "Walk", random: Random, states: Sequence[str]) -> tuple[int, dict[str, Any]]:
    order = some(random, walk.those("sale.order", [("state", "in", list(states))]))
    lines = walk.rows("sale.order.line", [("order_id", "=", order), ("display_type", "=", False)], ["product_uom_qty", "discount"])
    return (order, random.choice(lines)) if order and lines else (0, {})


@act(5)
def change_a_quantity(walk: "Walk", random: Random) -> str:
    order, line = _order_line(walk, random, ["draft", "sent", "sale"])
    if not order:
        return ""
    quantity = line["product_uom_qty"] * random.choice([0.5, 2, 10])
    walk.do("sales", "sale.order.line", "write", [line["id"]], {"product_uom_qty": quantity})
    return f"S{order} line {line['id']} to {quantity}"


@act(4)
def discount_a_line(walk: "Walk", random: Random) -> str:
    order, line = _order_line(walk, random, ["draft", "sent", "sale"])
    if not order:
        return ""
    discount = random.choice([0, 10, 20, 30, 70])
    walk.do("sales", "sale.order.line", "write", [line["id"]], {"discount": discount})
    return f"S{order} line {line['id']} discounted {discount} %"


@act(3)
def add_a_line(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "in", ["draft", "sale"])]))
    if not order:
        return ""
    walk.do("sales", "sale.order", "write", [order], {"order_line": [order_line(walk, random)]})
    return f"S{order} has another line"


@act(2)
def sell_to_another(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "in", ["draft", "sent"])]))
    if not order:
        return ""
    customer = random.choice(walk.business.customers)
    walk.do("sales", "sale.order", "write", [order], {"partner_id": customer})
    return f"S{order} to {customer}"


@act(2)
def price_in_another_currency(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "in", ["draft", "sent"])]))
    if not order:
        return ""
    name = random.choice(list(walk.business.pricelist))
    walk.do("sales", "sale.order", "write", [order], {"pricelist_id": walk.business.pricelist[name]})
    if random.random() < 0.5:
        walk.do("sales", "sale.order", "action_update_prices", [order])
    return f"S{order} in {name}"


@act(2)
def promise(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "=", "sale")]))
    if not order:
        return ""
    days = random.choice([-3, 0, 2, 20])
    walk.do("sales", "sale.order", "write", [order], {"commitment_date": in_days(days)})
    return f"S{order} promised in {days} days"


@act(3)
def cancel(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "!=", "cancel")]))
    if not order:
        return ""
    walk.do("sales", "sale.order", "action_cancel", [order])
    return f"S{order} cancelled"


@act(3)
def take_up_again(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "=", "cancel")]))
    if not order:
        return ""
    walk.do("sales", "sale.order", "action_draft", [order])
    return f"S{order} is a draft again"


@act(2)
def copy(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", []))
    if not order:
        return ""
    made = walk.do("sales", "sale.order", "copy", [order])
    walk.note("sale.order", made[0] if isinstance(made, list) else made)
    return f"S{order} copied"


@act(3)
def sign(walk: "Walk", random: Random) -> str:
    """A customer signs a quotation in the portal, which confirms it where nothing speaks against it."""
    business = walk.business
    order = some(random, walk.those("sale.order", [("state", "in", ["draft", "sent"]), ("partner_id", "=", business.portal)]))
    if not order:
        return ""
    walk.do("sales", "sale.order", "write", [order], {"require_signature": True, "require_payment": False, "state": "sent"})
    url = business.odoo.call("sale.order", "get_portal_url", [order])
    token = url.partition("access_token=")[2].partition("&")[0]
    said = business.sign(order, token)
    walk.read_by_customers.append((order, said))
    return f"S{order} signed: {said[:80]}"
