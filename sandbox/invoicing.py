"""Invoices and payments."""

from datetime import date, timedelta
from typing import Any

from sandbox import drafts, writing
from sandbox.errors import UserError
from sandbox.records import Records, method

Row = dict[str, Any]
RECEIVABLE, BANK = 1, 5
SALES, BANK_JOURNAL = 1, 2
DUE_DAYS = 30
PREFIXES = {"out_invoice": "INV", "out_refund": "RINV", "in_invoice": "BILL", "in_refund": "RBILL"}


@method("sale.order")
def create_invoices(orders: Records) -> Records:
    """Draft invoices of what was delivered and is not yet invoiced, and credit notes where more was invoiced than delivered."""
    made = []
    for order in orders:
        lines = [line for line in order.order_line if line.qty_to_invoice]
        if not lines:
            raise UserError("There is nothing to invoice: deliver the goods first.")
        made.append(_draft(order, lines).id)
    return orders.env["account.move"].browse(made)


def _draft(order: Records, lines: list[Records]) -> Records:
    payer = order.partner_invoice_id.commercial_partner_id.id
    worth = sum(line.qty_to_invoice * line.price_unit * (1 - (line.discount or 0.0) / 100) for line in lines)
    sign = -1 if worth < 0 else 1
    return order.env["account.move"].create(
        {
            "move_type": "out_refund" if sign < 0 else "out_invoice",
            "partner_id": order.partner_invoice_id.id,
            "commercial_partner_id": payer,
            "invoice_user_id": order.user_id.id,
            "invoice_origin": order.name,
            "date": order.env.cr.now[:10],
            "name": "/",
            "journal_id": SALES,
            "ref": order.client_order_ref or False,
            "invoice_line_ids": [
                (
                    0,
                    0,
                    {
                        "partner_id": payer,
                        "product_id": line.product_id.id,
                        "name": line.name,
                        "quantity": sign * line.qty_to_invoice,
                        "product_uom_id": line.product_uom_id.id,
                        "price_unit": line.price_unit,
                        "discount": line.discount,
                        "sale_line_ids": [(6, 0, [line.id])],
                    },
                )
                for line in lines
            ],
        }
    )


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
        prefix = PREFIXES.get(move.move_type, "MISC")
        name = f"{prefix}/{day[:4]}/{move.id:05d}" if move.name in ("/", False) else move.name
        writing.write(move, {"state": "posted", "name": name, "date": day, "invoice_date": day, "invoice_date_due": due})
    return True


@method("account.move")
def button_draft(moves: Records) -> None:
    """Posted or cancelled entries become drafts again."""
    for move in moves:
        for line in move.line_ids:
            writing.write(line, {"parent_state": "draft"})
        writing.write(move, {"state": "draft"})
        _count_invoiced(move)


@method("account.move")
def button_cancel(moves: Records) -> None:
    """Cancel draft invoices: their lines can be invoiced again."""
    for move in moves:
        for line in move.line_ids:
            writing.write(line, {"parent_state": "cancel"})
        writing.write(move, {"state": "cancel"})
        _count_invoiced(move)


def _count_invoiced(move: Records) -> None:
    drafts.count_invoiced(move.env, drafts.sold_by(move.env, "account.move.line", move.sudo().line_ids.ids))


@method("account.move")
def register_payment(moves: Records, amount: float | None = None) -> Records:
    """Payments of invoices, reconciled at once; the payments' entries."""
    made = []
    for move in moves:
        if move.state != "posted" or not move.amount_residual:
            raise UserError("You can't register a payment because there is nothing left to pay on the selected entries.")
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
    entry = env["account.move"].create(
        {
            "move_type": "entry",
            "state": "posted",
            "partner_id": payer,
            "commercial_partner_id": payer,
            "date": today,
            "journal_id": BANK_JOURNAL,
            "ref": invoice.name,
            "amount_total": paid,
            "amount_total_signed": paid,
            "amount_residual": 0.0,
            "payment_state": False,
        }
    )
    writing.write(entry, {"name": f"PBNK1/{today[:4]}/{entry.id:05d}"})
    for account, sign in ((BANK, 1), (RECEIVABLE, -1)):
        env["account.move.line"].create(
            {
                "move_id": entry.id,
                "account_id": account,
                "partner_id": payer,
                "parent_state": "posted",
                "date": today,
                "debit": paid if sign > 0 else 0.0,
                "credit": paid if sign < 0 else 0.0,
                "balance": sign * paid,
                "amount_currency": sign * paid,
                "amount_residual": 0.0,
                "reconciled": account == RECEIVABLE,
                "display_type": "product",
                "name": f"Payment of {invoice.name}",
            }
        )
    return entry
