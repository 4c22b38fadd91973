"""Draft invoices and credit notes: what follows from their lines, and what lines of orders count as invoiced."""

from collections.abc import Iterable
from typing import Any

from sandbox.records import Env

Row = dict[str, Any]
TAX = 0.15
RECEIVABLE, PAYABLE, INCOME, EXPENSE = 1, 2, 3, 4
# What is owed by a customer counts up, what is owed to one or to a vendor down.
SIGNS = {"out_invoice": 1, "out_receipt": 1, "out_refund": -1, "in_invoice": -1, "in_receipt": -1, "in_refund": 1}
DRAWN_FROM = {"quantity", "price_unit", "discount", "sale_line_ids", "product_id", "move_id"}


def line_changed(env: Env, odoo_id: int, names: set[str], is_new: bool) -> None:
    """A line of a draft was written: the whole of it is drawn up again."""
    line = env.engine.store.table("account.move.line").get(odoo_id)
    if line and line.get("display_type") == "product" and (is_new or names & DRAWN_FROM):
        draw_up(env, line["move_id"])


def move_changed(env: Env, odoo_id: int, names: set[str], is_new: bool) -> None:
    """An invoice was written with its lines."""
    if "invoice_line_ids" in names:
        draw_up(env, odoo_id)


def draw_up(env: Env, move_id: int) -> None:
    """Sums, taxes and what is owed of a draft, from its lines; and what of the orders is invoiced by that."""
    store, su = env.engine.store, env(su=True)
    move = store.table("account.move").get(move_id) or {}
    sign = SIGNS.get(move.get("move_type") or "")
    if move.get("state") != "draft" or sign is None:
        return
    rows = _lines_of(env, move_id)
    for_customers = str(move["move_type"]).startswith("out_")
    untaxed = tax = 0.0
    sold: set[int] = set()
    for row in [row for row in rows if row.get("display_type") == "product"]:
        share = 1 - (row.get("discount") or 0.0) / 100
        subtotal = round((row.get("quantity") or 0.0) * (row.get("price_unit") or 0.0) * share, 2)
        untaxed, tax = untaxed + subtotal, tax + round(subtotal * TAX, 2)
        sold.update(row.get("sale_line_ids") or ())
        _put(
            su,
            row,
            {
                "account_id": row.get("account_id") or (INCOME if for_customers else EXPENSE),
                "price_subtotal": subtotal,
                "price_total": round(subtotal * (1 + TAX), 2),
                **_booked(-sign * subtotal),
            },
        )
    untaxed, tax = round(untaxed, 2), round(tax, 2)
    total = round(untaxed + tax, 2)
    payer, day = move.get("commercial_partner_id"), move.get("date")
    new = {"move_id": move_id, "partner_id": payer, "parent_state": "draft", "date": day}
    kinds = {
        "tax": {"account_id": INCOME if for_customers else EXPENSE, "name": "15%", **_booked(-sign * tax)},
        "payment_term": {
            "account_id": RECEIVABLE if for_customers else PAYABLE,
            "name": move.get("invoice_origin") or "",
            "amount_residual": sign * total,
            **_booked(sign * total),
        },
    }
    for kind, values in kinds.items():
        standing = next((row for row in rows if row.get("display_type") == kind), None)
        if standing:
            _put(su, standing, values)
        else:
            su["account.move.line"].create({**new, "display_type": kind, **values})
    su["account.move"].browse(move_id)._derive(
        {
            "amount_untaxed": untaxed,
            "amount_tax": tax,
            "amount_total": total,
            "amount_residual": total,
            "amount_total_signed": sign * total,
            "amount_residual_signed": sign * total,
        }
    )
    count_invoiced(env, sold)


def count_invoiced(env: Env, sale_lines: Iterable[int]) -> None:
    """What of the orders' lines is invoiced: as in Odoo, what stands on a draft counts, and credit notes count against it."""
    lines, moves = env.engine.store.table("account.move.line"), env.engine.store.table("account.move")
    sales = env.engine.store.table("sale.order.line")
    for sale_line in sale_lines:
        # The invoices of a long history are kept nowhere.
        if sales.history and sale_line <= sales.history.last:
            continue
        quantity = 0.0
        for one in lines.indexes["sale_line_ids"].get(sale_line, ()):
            move = moves.get(lines.rows[one]["move_id"]) or {}
            if move.get("state") != "cancel":
                quantity += (lines.rows[one].get("quantity") or 0.0) * SIGNS.get(move.get("move_type") or "", 0)
        env(su=True)["sale.order.line"].browse(sale_line)._derive({"qty_invoiced": round(quantity, 2)})


def sold_by(env: Env, model: str, ids: Iterable[int]) -> set[int]:
    """The lines of orders that the invoice lines ``ids`` bill; none where ``model`` is another."""
    if model != "account.move.line":
        return set()
    table = env.engine.store.table(model)
    return {sold for one in ids for sold in (table.get(one) or {}).get("sale_line_ids") or ()}


def _lines_of(env: Env, move_id: int) -> list[Row]:
    table = env.engine.store.table("account.move.line")
    return [table.rows[one] for one in sorted(table.indexes["move_id"].get(move_id, ()))]


def _booked(balance: float) -> Row:
    balance = round(balance, 2)
    return {"debit": max(balance, 0.0), "credit": max(-balance, 0.0), "balance": balance, "amount_currency": balance}


def _put(env: Env, row: Row, values: Row) -> None:
    env["account.move.line"].browse(row["id"])._derive(values)
