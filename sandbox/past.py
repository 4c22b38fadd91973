"""Three months of business, lived through with the company's own methods at the dates when it happened."""

import random
from datetime import datetime, timedelta
from typing import Any

from sandbox.errors import UserError
from sandbox.records import Env, Records

DAYS = 90
SELLERS, BUYER, ACCOUNTANT = (6, 7), 8, 9
# How far an order of that age has come, as weights: beyond these ages orders are mostly closed.
STAGES = ("quotation", "sent", "confirmed", "delivered", "invoiced", "paid", "cancelled")
BY_AGE = (
    (5, (34, 16, 34, 10, 3, 1, 2)),
    (20, (10, 8, 16, 14, 32, 16, 4)),
    (45, (3, 2, 4, 4, 24, 57, 6)),
    (10_000, (1, 0, 1, 1, 8, 83, 6)),
)


def live(env: Env, chance: random.Random, *, orders: int, until: datetime) -> None:
    """Make ``orders`` sales orders, oldest first, and the purchases that feed them."""
    customers = env["res.partner"].search([("customer_rank", ">", 0)], order="id").ids
    products = env["product.product"].search([], order="id").ids
    ages = sorted((DAYS * chance.random() ** 1.6 for _ in range(orders)), reverse=True)
    every = max(orders // 25, 1)
    for number, age in enumerate(ages):
        at = until - timedelta(days=age)
        _one(env, chance, customers, products, at, until)
        if number % every == 0:
            _buy(env, chance, products, at, until)
        _catch_up(env, chance, at)


def _at(env: Env, moment: datetime, uid: int) -> Env:
    env.cr.now = moment.isoformat(" ", "microseconds")
    return env(user=uid, su=True)


def order_lines(chance: random.Random, products: list[int]) -> list[Any]:
    """Lines of a new order."""
    return [
        (0, 0, {"product_id": product, "product_uom_qty": float(chance.choice((1, 2, 2, 4, 5, 6, 10, 12)))})
        for product in chance.sample(products, chance.randint(1, 4))
    ]


def _one(env: Env, chance: random.Random, customers: list[int], products: list[int], at: datetime, until: datetime) -> None:
    age = (until - at).total_seconds() / 86400
    weights = next(weights for limit, weights in BY_AGE if age < limit)
    goal = chance.choices(STAGES, weights=weights)[0]
    customer, seller = chance.choice(customers), SELLERS[chance.randrange(2)]
    sales = _at(env, at, seller)
    order = sales["sale.order"].create(
        {
            "partner_id": customer,
            "user_id": seller,
            "order_line": order_lines(chance, products),
            "client_order_ref": f"PO-{chance.randint(1000, 9999)}",
            "date_order": at,
            "warehouse_id": chance.choice((1, 1, 1, 2)),
        }
    )
    if goal == "quotation":
        return

    def later(hours: float) -> Env:
        nonlocal at
        at = min(at + timedelta(hours=hours * chance.uniform(0.5, 1.5)), until - timedelta(seconds=chance.randint(1, 600)))
        return _at(env, at, seller)

    order = order.with_env(later(5))
    if goal in ("sent", "cancelled"):
        order.action_quotation_sent()
        if goal == "cancelled":
            order.with_env(later(60)).action_cancel()
        return
    order.action_confirm()
    if goal == "confirmed":
        return
    picking = order.picking_ids[:1]
    if not any(move.quantity for move in picking.move_ids):
        return
    picking = picking.with_env(later(40))
    if chance.random() < 0.06:
        _some_only(picking)
    picking.button_validate()
    if goal == "delivered" or order.delivery_status != "full":
        return
    invoice = order.with_env(later(24)).create_invoices()
    if chance.random() < 0.06:
        return
    invoice.action_post()
    if goal == "paid":
        invoice.with_env(later(24 * 25)).register_payment()


def _catch_up(env: Env, chance: random.Random, at: datetime) -> None:
    """What is ready and should have left leaves sooner or later, back orders too."""
    before = (at - timedelta(days=1)).isoformat(" ", "seconds")
    due = [("state", "=", "assigned"), ("sale_id", "!=", False), ("scheduled_date", "<", before)]
    for picking in _at(env, at, BUYER)["stock.picking"].search(due, order="id"):
        if chance.random() < 0.04:
            picking.button_validate()


def _some_only(picking: Records) -> None:
    """Fewer were found in the warehouse than were reserved."""
    for move in picking.move_ids:
        if move.quantity >= 2:
            move.write({"quantity": float(int(move.quantity // 2))})


def _buy(env: Env, chance: random.Random, products: list[int], at: datetime, until: datetime) -> None:
    buying = _at(env, at, BUYER)
    planned = at + timedelta(days=chance.randint(5, 25))
    order = purchase(buying, chance, products, planned)
    order.button_confirm()
    answer(order)
    picking = order.picking_ids[:1]
    # One in five comes late, or not at all.
    arrives = planned + timedelta(days=chance.choice((-1, 0, 0, 1, 30)))
    if arrives < until:
        try:
            picking.with_env(_at(env, arrives, BUYER)).button_validate()
        except UserError:
            return
    else:
        link_waiting(picking)


def purchase(buying: Env, chance: random.Random, products: list[int], planned: datetime) -> Records:
    """A new purchase order, of what deliveries wait for where there is such a thing."""
    suppliers = buying["res.partner"].search([("supplier_rank", ">", 0)], order="id").ids
    waiting = buying["stock.move"].search(
        [("state", "in", ["confirmed", "partially_available"]), ("sale_line_id", "!=", False)], order="id"
    )
    short = list(dict.fromkeys(waiting.mapped("product_id").ids))[:4]
    chosen = short or chance.sample(products, 3)
    lines = [(0, 0, {"product_id": one, "product_qty": float(chance.choice((20, 40, 60)))}) for one in chosen]
    # Every third is for the second warehouse.
    receipts = buying["stock.picking.type"].search([("code", "=", "incoming")], order="id").ids
    before = max(buying["purchase.order"].search([], order="id").ids, default=0)
    return buying["purchase.order"].create(
        {
            "partner_id": chance.choice(suppliers),
            "date_planned": planned,
            "order_line": lines,
            "partner_ref": f"SO-{chance.randint(100, 999)}",
            "picking_type_id": receipts[1 if before % 3 == 2 and len(receipts) > 1 else 0],
        }
    )


def answer(order: Records) -> None:
    """The vendor says that the order has arrived; one in six never does."""
    order.write({"acknowledged": order.id % 6 != 0})


def link_waiting(receipt: Records) -> None:
    """Let the deliveries that lack a product wait for its receipt."""
    for move in receipt.move_ids:
        waiting = receipt.env["stock.move"].search(
            [
                ("product_id", "=", move.product_id.id),
                ("state", "in", ["confirmed", "partially_available"]),
                ("sale_line_id", "!=", False),
            ],
            order="id",
        )
        for one in waiting:
            if not one.move_orig_ids:
                one.write({"move_orig_ids": [(4, move.id)]})
