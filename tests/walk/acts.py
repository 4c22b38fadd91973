"""What people of a distribution business do, one act at a time.

An act draws all it needs from its own number, so the same act does the same in another walk, and a walk from which acts
were left out still makes sense: that is how a failing walk shrinks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from apps.core import clock

if TYPE_CHECKING:
    from tests.walk.walk import Walk

Performed = Callable[["Walk", Random], str]


@dataclass(frozen=True)
class Act:
    """One act of a walk: its name, and the number that its chance comes from."""

    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.name}/{self.number}"


def parse(text: str) -> list[Act]:
    """The acts that a report names: ``quote/12, confirm/7``. Raises ValueError for anything else."""
    return [Act(name, int(number)) for name, _, number in (one.strip().partition("/") for one in text.split(","))]


ACTS: dict[str, tuple[int, Performed]] = {}


def act(weight: int) -> Callable[[Performed], Performed]:
    """Declare an act that is drawn in proportion to ``weight``. It returns what was done, empty where nothing could be."""

    def declare(performed: Performed) -> Performed:
        ACTS[performed.__name__] = (weight, performed)
        return performed

    return declare


# A business begins with offers and orders: before there are any, nothing else can be done.
OPENING = ("quote", "quote", "request_quotation", "quote", "confirm", "order_goods", "quote", "confirm")


def plan(seed: int, acts: int, *, weights_of: Mapping[str, int] | None = None) -> list[Act]:
    """The acts of the walk of that seed.

    Args:
        weights_of: the acts to draw from, and their weights; all of :data:`ACTS` after an opening, where it is not given.
    """
    random = Random(seed)
    weighted = weights_of or {name: weight for name, (weight, _) in ACTS.items()}
    names, weights = list(weighted), list(weighted.values())
    drawn = [*(() if weights_of else OPENING), *(random.choices(names, weights)[0] for _ in range(acts))][:acts]
    return [Act(name, random.randrange(10**9)) for name in drawn]


def in_days(number: float) -> str:
    """So many days from now, as Odoo writes it."""
    return (clock.now() + timedelta(days=number)).strftime("%Y-%m-%d %H:%M:%S")


def some(random: Random, ids: Sequence[int]) -> int:
    """One of the newest eight of ``ids``; 0 where there is none."""
    return random.choice(sorted(ids)[-8:]) if ids else 0


# In the sandbox, whose people do business by themselves


@act(0)
def work(walk: "Walk", random: Random) -> str:
    return walk.business.step()


# Sales


def _line(walk: "Walk", random: Random, *, is_home: bool = True) -> tuple[int, int, dict[str, Any]]:
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
        "order_line": [_line(walk, random) for _ in range(random.choice([1, 1, 2, 3]))],
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
        "order_line": [_line(walk, random, is_home=False)],
    }
    order = walk.make("sales", "sale.order", values, context={"allowed_company_ids": [business.abroad, business.home]})
    return f"S{order} quoted abroad"


@act(2)
def quote_of_a_state(walk: "Walk", random: Random) -> str:
    values = {
        "partner_id": random.choice(walk.business.customers),
        "company_id": walk.business.home,
        "state": "sale",
        "order_line": [_line(walk, random)],
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
    walk.do("sales", "sale.order", "write", [order], {"order_line": [_line(walk, random)]})
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


# The warehouse


@act(14)
def move_goods(walk: "Walk", random: Random) -> str:
    """Carry out a transfer, in full or in part, with or without a back order."""
    picking = some(random, walk.transfers([("state", "in", ["assigned", "confirmed"])]))
    if not picking:
        return ""
    walk.do("picker", "stock.picking", "action_assign", [picking])
    moves = walk.rows(
        "stock.move", [("picking_id", "=", picking), ("state", "not in", ["done", "cancel"])], ["product_uom_qty", "quantity"]
    )
    context: dict[str, Any] = {"skip_backorder": True, "skip_sms": True, "skip_expired": True}
    how = random.choice(["all", "all", "all", "part", "part, no rest"])
    if how != "all":
        for one in moves:
            walk.do("picker", "stock.move", "write", [one["id"]], {"quantity": one["quantity"] // 2, "picked": True})
        if how == "part, no rest":
            context["picking_ids_not_to_backorder"] = [picking]
    walk.do("picker", "stock.picking", "button_validate", [picking], context=context)
    return f"transfer {picking}: {how}"


@act(3)
def take_back(walk: "Walk", random: Random) -> str:
    picking = some(random, walk.transfers([("state", "=", "done"), ("picking_type_code", "=", "outgoing")]))
    if not picking:
        return ""
    context = {"active_model": "stock.picking", "active_ids": [picking], "active_id": picking}
    wizard = walk.do("picker", "stock.return.picking", "create", {"picking_id": picking}, context=context)
    lines = walk.rows("stock.return.picking.line", [("wizard_id", "=", wizard)], ["move_quantity"])
    for line in lines:
        back = max(line["move_quantity"] // random.choice([1, 2]), 1)
        walk.do("picker", "stock.return.picking.line", "write", [line["id"]], {"quantity": back})
    made = walk.do("picker", "stock.return.picking", "action_create_returns", [wizard])
    walk.note("stock.picking", made["res_id"])
    return f"transfer {picking} comes back as {made['res_id']}"


@act(2)
def call_off_a_transfer(walk: "Walk", random: Random) -> str:
    picking = some(random, walk.transfers([("state", "not in", ["done", "cancel"])]))
    if not picking:
        return ""
    walk.do("picker", "stock.picking", "action_cancel", [picking])
    return f"transfer {picking} cancelled"


@act(3)
def count(walk: "Walk", random: Random) -> str:
    product = random.choice([walk.business.goods.plain, walk.business.goods.storable[1]])
    shelf = walk.shelf("one step")
    values = {"product_id": product, "location_id": shelf, "inventory_quantity": random.choice([0, 3, 20, 55, 80])}
    made = walk.do("picker", "stock.quant", "create", values, context={"inventory_mode": True})
    quant = made[0] if isinstance(made, list) else made
    walk.note("stock.quant", quant)
    walk.do("picker", "stock.quant", "action_apply_inventory", [quant])
    return f"product {product} counted: {values['inventory_quantity']}"


@act(1)
def scrap(walk: "Walk", random: Random) -> str:
    values = {"product_id": walk.business.goods.plain, "scrap_qty": random.choice([1, 10]), "location_id": walk.shelf("one step")}
    made = walk.do("picker", "stock.scrap", "create", values)
    walk.do("picker", "stock.scrap", "action_validate", [made[0] if isinstance(made, list) else made])
    return f"{values['scrap_qty']} scrapped"


# Buying


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


# Accounting


@act(7)
def bill_an_order(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "=", "sale"), ("invoice_status", "=", "to invoice")]))
    if not order:
        return ""
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    values: dict[str, Any] = {"advance_payment_method": "delivered"}
    if random.random() < 0.15:
        values = {"advance_payment_method": "percentage", "amount": 30}
    wizard = walk.do("accountant", "sale.advance.payment.inv", "create", values, context=context)
    made = walk.do(
        "accountant",
        "sale.advance.payment.inv",
        "create_invoices",
        wizard if isinstance(wizard, list) else [wizard],
        context=context,
    )
    if made.get("res_id"):
        walk.note("account.move", made["res_id"])
    return f"S{order} billed by {made.get('res_id')}"


@act(5)
def bill_a_purchase(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("purchase.order", [("state", "=", "purchase"), ("invoice_status", "=", "to invoice")]))
    if not order:
        return ""
    made = walk.do("accountant", "purchase.order", "action_create_invoice", [order])
    if made.get("res_id"):
        walk.note("account.move", made["res_id"])
        walk.do("accountant", "account.move", "write", [made["res_id"]], {"invoice_date": clock.now().date().isoformat()})
    return f"P{order} billed by {made.get('res_id')}"


@act(7)
def post(walk: "Walk", random: Random) -> str:
    move = some(random, walk.those("account.move", [("state", "=", "draft")]))
    if not move:
        return ""
    if random.random() < 0.2:
        lines = walk.rows("account.move.line", [("move_id", "=", move), ("display_type", "=", "product")], ["quantity"])
        if lines:
            line = random.choice(lines)
            walk.do("accountant", "account.move.line", "write", [line["id"]], {"quantity": line["quantity"] + 3})
    walk.do("accountant", "account.move", "action_post", [move])
    return f"invoice {move} posted"


@act(5)
def pay(walk: "Walk", random: Random) -> str:
    owed = [("state", "=", "posted"), ("payment_state", "in", ["not_paid", "partial"]), ("amount_residual", ">", 0)]
    move = some(random, walk.those("account.move", owed))
    if not move:
        return ""
    context = {"active_model": "account.move", "active_ids": [move]}
    wizard = walk.do("accountant", "account.payment.register", "create", {}, context=context)
    wizard = wizard if isinstance(wizard, list) else [wizard]
    if random.random() < 0.4:
        amount = walk.rows("account.payment.register", [("id", "in", wizard)], ["amount"], who="accountant")
        if amount:
            walk.do("accountant", "account.payment.register", "write", wizard, {"amount": amount[0]["amount"] / 2})
    walk.do("accountant", "account.payment.register", "action_create_payments", wizard)
    return f"invoice {move} paid"


@act(3)
def credit(walk: "Walk", random: Random) -> str:
    posted = [("state", "=", "posted"), ("move_type", "in", ["out_invoice", "in_invoice"])]
    move = some(random, walk.those("account.move", posted))
    if not move:
        return ""
    context = {"active_model": "account.move", "active_ids": [move]}
    wizard = walk.do(
        "accountant", "account.move.reversal", "create", {"reason": "Walk", "move_ids": [(6, 0, [move])]}, context=context
    )
    made = walk.do(
        "accountant",
        "account.move.reversal",
        random.choice(["refund_moves", "modify_moves"]),
        wizard if isinstance(wizard, list) else [wizard],
        context=context,
    )
    if made.get("res_id"):
        walk.note("account.move", made["res_id"])
    return f"invoice {move} credited by {made.get('res_id')}"


@act(2)
def reset_an_invoice(walk: "Walk", random: Random) -> str:
    move = some(random, walk.those("account.move", [("state", "=", "posted")]))
    if not move:
        return ""
    walk.do("accountant", "account.move", "button_draft", [move])
    if random.random() < 0.5:
        walk.do("accountant", "account.move", "button_cancel", [move])
    return f"invoice {move} reset"


# What is changed beside the documents


@act(1)
def change_a_limit(walk: "Walk", random: Random) -> str:
    customer, limit = random.choice(walk.business.customers[:5]), random.choice([500, 5_000, 100_000])
    walk.business.odoo.write("res.partner", [customer], {"use_partner_credit_limit": True, "credit_limit": limit})
    return f"limit of {customer}: {limit}"


@act(1)
def change_a_cost(walk: "Walk", random: Random) -> str:
    cost = random.choice([20, 60, 95, 150])
    walk.business.odoo.write("product.product", [walk.business.goods.plain], {"standard_price": cost})
    return f"the desk costs {cost}"


@act(1)
def change_a_rate(walk: "Walk", random: Random) -> str:
    business, name = walk.business, random.choice(["EUR", "JPY", "KWD"])
    rate = random.choice([0.31, 0.9, 1.1, 149.5, 161.037]) if name == "JPY" else random.choice([0.305, 0.31, 0.9, 0.97])
    today = clock.now().date().isoformat()
    found = business.one(
        "res.currency.rate",
        [("currency_id", "=", business.currency[name]), ("name", "=", today), ("company_id", "=", business.home)],
    )
    if found:
        business.odoo.write("res.currency.rate", [found], {"rate": rate})
    else:
        business.odoo.create(
            "res.currency.rate", {"currency_id": business.currency[name], "name": today, "rate": rate, "company_id": business.home}
        )
    return f"{name} at {rate}"


@act(1)
def merge_customers(walk: "Walk", random: Random) -> str:
    """Two customers become one, as Odoo's wizard does it: by SQL, without a trace in write_date."""
    business = walk.business
    gone = business.odoo.create("res.partner", {"name": f"Walk twin {random.randrange(10**6)}", "is_company": True})
    order = walk.make("sales", "sale.order", {"partner_id": gone, "company_id": business.home, "order_line": [_line(walk, random)]})
    into = random.choice(business.customers[:2])
    wizard = business.odoo.create(
        "base.partner.merge.automatic.wizard", {"dst_partner_id": into, "partner_ids": [(6, 0, [gone, into])]}
    )
    business.odoo.call("base.partner.merge.automatic.wizard", "action_merge", [wizard])
    return f"S{order}'s customer {gone} merged into {into}"


@act(1)
def archive_a_customer(walk: "Walk", random: Random) -> str:
    """The customer's contact is archived, or comes back: its orders go on."""
    contact = walk.business.customers[-1]
    active = walk.business.odoo.search_count("res.partner", [("id", "=", contact)]) == 0
    walk.business.odoo.write("res.partner", [contact], {"active": active})
    return f"contact {contact} is {'active' if active else 'archived'}"


@act(1)
def archive_goods(walk: "Walk", random: Random) -> str:
    """What is no longer sold is archived while it is on order, or sold again."""
    product = walk.business.goods.dropshipped
    active = walk.business.odoo.search_count("product.product", [("id", "=", product)]) == 0
    walk.business.odoo.write("product.product", [product], {"active": active})
    return f"product {product} is {'active' if active else 'archived'}"


@act(1)
def move_to_another_zone(walk: "Walk", random: Random) -> str:
    """The company's people live in another time zone from now on."""
    business = walk.business
    partner = business.odoo.read("res.company", [business.home], ["partner_id"])[0]["partner_id"]
    zone = random.choice(["Pacific/Auckland", "America/Los_Angeles", "Europe/Berlin", "UTC"])
    business.odoo.write("res.partner", [partner], {"tz": zone})
    return f"the company is in {zone}"


# Decisions in the tower


@act(16)
def decide(walk: "Walk", random: Random) -> str:
    return walk.tower.decide(random)


@act(2)
def undo(walk: "Walk", random: Random) -> str:
    return walk.tower.undo(random)


@act(2)
def delegate(walk: "Walk", random: Random) -> str:
    return walk.tower.delegate(random)


@act(1)
def leave(walk: "Walk", random: Random) -> str:
    return walk.tower.leave(random)


@act(1)
def be_away(walk: "Walk", random: Random) -> str:
    return walk.tower.be_away(random)
