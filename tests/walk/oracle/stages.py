"""What remains to be done of each record, asked of Odoo's own fields."""

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from apps.core import clock
from apps.mirror import registry as mirror
from apps.workflows import engine
from apps.workflows import registry as workflows
from apps.workflows.models import Position
from tests.walk.oracle.positions import BEFORE_DELIVERY, money, positions

if TYPE_CHECKING:
    from tests.walk.walk import Walk

UNCONFIRMED = {"quotation", "credit_review", "pricing_review", "expired"}


def orders_stand_where_odoo_says(walk: "Walk") -> list[str]:
    """Ask of each sales order what remains to be done: to confirm, to deliver, to invoice, to pay, nothing."""
    made, found = walk.ids("sale.order"), []
    if not made:
        return []
    orders = walk.rows("sale.order", [("id", "in", made)], ["name", "state", "invoice_ids"])
    lines = walk.rows(
        "sale.order.line",
        [("order_id", "in", made), ("display_type", "=", False)],
        [
            "order_id",
            "product_id",
            "qty_to_invoice",
            "move_ids",
            "product_uom_qty",
            "qty_delivered",
            "is_downpayment",
            "price_unit",
            "discount",
        ],
    )
    open_moves = {
        row["id"]
        for row in walk.rows(
            "stock.move",
            # What comes back is of the returns.
            [("sale_line_id.order_id", "in", made), ("state", "not in", ["done", "cancel"]), ("picking_id.return_id", "=", False)],
            ["state"],
        )
    }
    drafts, owed = defaultdict(bool), defaultdict(Decimal)
    invoices = {
        row["id"]: row
        for row in walk.rows(
            "account.move",
            [("id", "in", [one for order in orders for one in order["invoice_ids"]])],
            ["state", "move_type", "amount_residual"],
        )
    }
    for order in orders:
        for one in order["invoice_ids"]:
            invoice = invoices[one]
            drafts[order["id"]] |= invoice["state"] == "draft"
            if invoice["state"] == "posted" and invoice["move_type"] == "out_invoice":
                owed[order["id"]] += money(invoice["amount_residual"], 3)
    of_order: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        of_order[line["order_id"]].append(line)
    stands = positions(walk, "order_to_cash")
    for order in orders:
        number, name = order["id"], f"S{order['id']} ({order['name']})"
        stage = stands[number].stage if number in stands else "no stage"
        own = of_order[number]
        if order["state"] == "cancel":
            expected = {"cancelled"}
        elif order["state"] in ("draft", "sent"):
            expected = UNCONFIRMED
        elif any(move in open_moves for line in own for move in line["move_ids"]):
            expected = BEFORE_DELIVERY
        elif any(line["qty_to_invoice"] for line in own) or drafts[number]:
            values = [line["qty_to_invoice"] * line["price_unit"] * (100 - line["discount"]) for line in own]
            expected = {"to_invoice"}
            if not any(values) and not drafts[number]:
                # It is worth nothing, whether it goes out or comes back.
                expected = {"to_invoice", "unpaid" if owed[number] > 0 else "closed"}
            elif sum(values) < 0 or any(line["qty_to_invoice"] < 0 for line in own):
                # Less than nothing: goods that came back, a rebate that is left alone.
                expected = {"to_invoice", "to_credit"}
            elif abs(sum(values)) < 0.005 and not drafts[number]:
                expected = {"to_invoice", "unpaid" if owed[number] > 0 else "closed"}
        elif owed[number] > 0:
            expected = {"unpaid"}
        else:
            expected = {"closed"}
        # Nothing moves, and yet less was done than ordered: hours that nobody has worked, a delivery that was called off.
        if order["state"] == "sale" and any(
            line["product_uom_qty"] > line["qty_delivered"] and not line["is_downpayment"] for line in own
        ):
            expected = expected | {"to_deliver"}
            # Nobody has ordered it from the vendor yet, and so nothing moves.
            if any(line["product_id"] in (walk.business.goods.dropshipped, walk.business.goods.to_order) for line in own):
                expected = expected | BEFORE_DELIVERY
        if stage not in expected:
            found.append(f"{name} stands in {stage}; Odoo says {' or '.join(sorted(expected))}")
    return found


def delivered_is_what_odoo_says(walk: "Walk") -> list[str]:
    """An order that Odoo calls fully delivered waits for no goods; one that Odoo calls pending is not closed.

    Where all that was delivered has come back, Odoo takes another open return for a delivery that has begun.
    """
    found, stands = [], positions(walk, "order_to_cash")
    made = [("id", "in", walk.ids("sale.order")), ("state", "=", "sale"), ("delivery_status", "!=", False)]
    rows = walk.rows("sale.order", made, ["name", "delivery_status"])
    of_them = [("sale_id", "in", [row["id"] for row in rows]), ("state", "not in", ["done", "cancel"]), ("return_id", "=", False)]
    to_go = {row["sale_id"] for row in walk.rows("stock.picking", of_them, ["sale_id"])}
    for row in rows:
        stage = stands[row["id"]].stage if row["id"] in stands else "no stage"
        if row["delivery_status"] == "full" and stage in BEFORE_DELIVERY:
            found.append(f"S{row['id']} stands in {stage}; Odoo says that its delivery is {row['delivery_status']}")
        is_to_go = row["delivery_status"] in ("pending", "started") and row["id"] in to_go
        if is_to_go and stage in ("closed", "unpaid", "to_invoice"):
            found.append(f"S{row['id']} stands in {stage}; Odoo says that its delivery is {row['delivery_status']}")
    return found


def invoices_stand_where_odoo_says(walk: "Walk") -> list[str]:
    """Drafts are drafts, what is paid is paid, what was cancelled is cancelled."""
    found = []
    stands = positions(walk, "invoicing")
    fields = ["state", "payment_state", "amount_residual", "name", "move_type"]
    for row in walk.rows("account.move", [("id", "in", walk.ids("account.move"))], fields):
        stage = stands[row["id"]].stage if row["id"] in stands else "no stage"
        if row["state"] == "draft":
            expected = {"draft", "disputed", "awaiting_authorisation", "requested", "held"}
        elif row["state"] == "cancel":
            expected = {"cancelled"}
        elif row["payment_state"] == "reversed":
            expected = {"reversed", "paid"}
        elif row["payment_state"] in ("paid", "in_payment"):
            expected = {"paid", "reversed", "disputed"}
        else:
            is_credit = row["move_type"] in ("out_refund", "in_refund")
            expected = {"to_settle", "disputed"} if is_credit else {"not_due", "overdue", "disputed", "posted"}
        if stage not in expected:
            found.append(f"invoice {row['name'] or row['id']} stands in {stage}; Odoo says {row['state']}, {row['payment_state']}")
    return found


def transfers_stand_where_odoo_says(walk: "Walk") -> list[str]:
    """The stage of a transfer is its state, or late."""
    found = []
    expected = {
        "draft": {"draft"},
        "waiting": {"waiting_operation", "late"},
        "confirmed": {"waiting_stock", "late"},
        "assigned": {"ready", "late"},
        "done": {"done"},
        "cancel": {"cancelled"},
    }
    stands = positions(walk, "fulfilment")
    # What comes back is of the returns.
    for row in walk.rows("stock.picking", [("id", "in", walk.transfers([])), ("return_id", "=", False)], ["state", "name"]):
        stage = stands[row["id"]].stage if row["id"] in stands else "no stage"
        if stage not in expected[row["state"]]:
            found.append(f"{row['name']} stands in {stage}; Odoo says {row['state']}")
    return found


def every_record_stands_somewhere(walk: "Walk") -> list[str]:
    """Each mirrored record of a workflow that belongs to it has one position."""
    found = []
    for workflow in workflows.workflows().values():
        rows = mirror.models()[workflow.odoo_model].objects.filter(connection=walk.tower.connection, deleted_at=None)
        here = engine.look(
            workflow, connection_id=walk.tower.connection.pk, odoo_ids=list(rows.values_list("odoo_id", flat=True)), now=clock.now()
        )
        placed = Position.objects.filter(connection=walk.tower.connection, workflow=workflow.name)
        lost = set(here) - set(placed.values_list("odoo_id", flat=True))
        if lost:
            found.append(f"{workflow.name}: {sorted(lost)[:5]} stand nowhere")
    return found
