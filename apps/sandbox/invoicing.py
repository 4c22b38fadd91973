"""Invoices and payments."""

from datetime import date, timedelta
from typing import Any

from apps.sandbox import computed, writing
from apps.sandbox.errors import UserError
from apps.sandbox.records import Records, method

Row = dict[str, Any]
RECEIVABLE, INCOME, BANK = 1, 3, 5
SALES, BANK_JOURNAL = 1, 2
DUE_DAYS = 30


@method("sale.order")
def create_invoices(orders: Records) -> Records:
    """Draft invoices of what was delivered and is not yet invoiced."""
    made = []
    for order in orders:
        lines = [line for line in order.order_line if line.qty_to_invoice > 0]
        if not lines:
            raise UserError("There is nothing to invoice: deliver the goods first.")
        made.append(_draft(order, lines).id)
    return orders.env["account.move"].browse(made)


def _draft(order: Records, lines: list[Records]) -> Records:
    env, today = order.env, order.env.cr.now[:10]
    payer = order.partner_invoice_id.commercial_partner_id.id
    move = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": order.partner_invoice_id.id,
            "commercial_partner_id": payer,
            "invoice_user_id": order.user_id.id,
            "invoice_origin": order.name,
            "date": today,
            "name": "/",
            "journal_id": SALES,
            "ref": order.client_order_ref or False,
        }
    )
    untaxed = 0.0
    for line in lines:
        share = line.qty_to_invoice / line.product_uom_qty
        subtotal = round(line.price_subtotal * share, 2)
        untaxed += subtotal
        env["account.move.line"].create({
            "move_id": move.id, "account_id": INCOME, "partner_id": payer, "product_id": line.product_id.id,
            "name": line.name, "display_type": "product", "parent_state": "draft", "quantity": line.qty_to_invoice,
            "price_unit": line.price_unit, "discount": line.discount, "price_subtotal": subtotal, "credit": subtotal,
            "price_total": round(subtotal * (1 + computed.TAX), 2), "balance": -subtotal, "amount_currency": -subtotal,
            "date": today, "sale_line_ids": [(6, 0, [line.id])],
        })  # fmt: skip
    untaxed = round(untaxed, 2)
    tax = round(sum(round(line.price_tax * line.qty_to_invoice / line.product_uom_qty, 2) for line in lines), 2)
    total = round(untaxed + tax, 2)
    env["account.move.line"].create({
        "move_id": move.id, "account_id": INCOME, "partner_id": payer, "display_type": "tax", "parent_state": "draft",
        "credit": tax, "balance": -tax, "amount_currency": -tax, "date": today, "name": "15%",
    })  # fmt: skip
    env["account.move.line"].create({
        "move_id": move.id, "account_id": RECEIVABLE, "partner_id": payer, "display_type": "payment_term",
        "parent_state": "draft", "debit": total, "balance": total, "amount_currency": total, "amount_residual": total,
        "date": today, "name": order.name,
    })  # fmt: skip
    writing.write(move, {
        "amount_untaxed": untaxed, "amount_tax": tax, "amount_total": total, "amount_residual": total,
        "amount_total_signed": total, "amount_residual_signed": total,
    })  # fmt: skip
    # As in Odoo, what stands on a draft counts as invoiced.
    for line in lines:
        writing.write(line.sudo(), {"qty_invoiced": round(line.qty_invoiced + line.qty_to_invoice, 2)})
    return move


@method("account.move")
def action_post(moves: Records) -> bool:
    """Post entries."""
    for move in moves:
        if move.state != "draft":
            raise UserError(f"The entry {move.name} (id {move.id}) must be in draft.")
        day = (move.invoice_date or date.fromisoformat(moves.env.cr.now[:10])).isoformat()
        due = move.invoice_date_due or date.fromisoformat(day) + timedelta(days=DUE_DAYS)
        for line in move.line_ids:
            values: Row = {"parent_state": "posted", "date": day}
            if line.display_type == "payment_term":
                values["date_maturity"] = due
            writing.write(line, values)
        name = f"INV/{day[:4]}/{move.id:05d}" if move.name in ("/", False) else move.name
        writing.write(
            move, {"state": "posted", "name": name, "date": day, "invoice_date": day, "invoice_date_due": due}
        )
    return True


@method("account.move")
def button_draft(moves: Records) -> None:
    """Posted or cancelled entries become drafts again."""
    for move in moves:
        for line in move.line_ids:
            writing.write(line, {"parent_state": "draft"})
        writing.write(move, {"state": "draft"})


@method("account.move")
def button_cancel(moves: Records) -> None:
    """Cancel draft invoices: their lines can be invoiced again."""
    for move in moves:
        for line in move.line_ids:
            for sold in line.sale_line_ids:
                writing.write(sold.sudo(), {"qty_invoiced": round(max(sold.qty_invoiced - line.quantity, 0.0), 2)})
            writing.write(line, {"parent_state": "cancel"})
        writing.write(move, {"state": "cancel"})


@method("account.move")
def register_payment(moves: Records, amount: float | None = None) -> Records:
    """Payments of invoices, reconciled at once; the payments' entries."""
    made = []
    for move in moves:
        if move.state != "posted" or not move.amount_residual:
            raise UserError(
                "You can't register a payment because there is nothing left to pay on the selected entries."
            )
        paid = round(min(amount or move.amount_residual, move.amount_residual), 2)
        made.append(_payment(move, paid).id)
        left = round(move.amount_residual - paid, 2)
        for line in move.line_ids:
            if line.account_id.account_type == "asset_receivable":
                writing.write(line, {"amount_residual": left, "reconciled": left == 0})
        state = "paid" if left == 0 else "partial"
        writing.write(move, {"amount_residual": left, "amount_residual_signed": left, "payment_state": state})
    return moves.browse(made)


def _payment(invoice: Records, paid: float) -> Records:
    env, today = invoice.env, invoice.env.cr.now[:10]
    payer = invoice.commercial_partner_id.id
    entry = env["account.move"].create({
        "move_type": "entry", "state": "posted", "partner_id": payer, "commercial_partner_id": payer, "date": today,
        "journal_id": BANK_JOURNAL, "ref": invoice.name, "amount_total": paid, "amount_total_signed": paid,
        "amount_residual": 0.0, "payment_state": False,
    })  # fmt: skip
    writing.write(entry, {"name": f"PBNK1/{today[:4]}/{entry.id:05d}"})
    for account, sign in ((BANK, 1), (RECEIVABLE, -1)):
        env["account.move.line"].create({
            "move_id": entry.id, "account_id": account, "partner_id": payer, "parent_state": "posted", "date": today,
            "debit": paid if sign > 0 else 0.0, "credit": paid if sign < 0 else 0.0, "balance": sign * paid,
            "amount_currency": sign * paid, "amount_residual": 0.0, "reconciled": account == RECEIVABLE,
            "display_type": "product", "name": f"Payment of {invoice.name}",
        })  # fmt: skip
    return entry
