"""Invoices of the world, what they bill, and where they stand."""

from typing import Any

from apps.exceptions.models import ExceptionCase, Status
from apps.pipeline import change_processing
from apps.workflows.models import Position
from tests.world import World

EXPOSURE = "invoice.overdue_exposure"


def invoice(world: World, odoo_id: int = 600, *, amount: float = 100, due: str = "2026-12-23", **more: Any) -> int:
    """A posted customer invoice that nobody has paid; credit notes count against what is owed."""
    move_type = more.get("move_type", "out_invoice")
    sign = -1 if move_type in ("out_refund", "in_invoice") else 1
    values = {
        "name": f"INV/{odoo_id}",
        "state": "posted",
        "move_type": move_type,
        "payment_state": "not_paid",
        "partner_id": 50,
        "commercial_partner_id": 50,
        "company_id": 1,
        "currency_id": 1,
        "invoice_date": "2026-11-01",
        "invoice_date_due": due,
        "amount_total": amount,
        "amount_total_signed": sign * amount,
        "amount_residual": amount,
        "amount_residual_signed": sign * amount,
    }
    world.write("account.move", odoo_id, **values | more)
    return odoo_id


def pay(world: World, odoo_id: int) -> None:
    """The invoice is paid in full."""
    world.write("account.move", odoo_id, payment_state="paid", amount_residual=0, amount_residual_signed=0)


def stage_of(odoo_id: int = 600) -> str:
    return Position.objects.get(workflow="invoicing", odoo_id=odoo_id).stage


def until(world: World, **delta: float) -> int:
    """Let time pass, and do what is done as it passes; how many invoices were looked at again."""
    return change_processing.reevaluate_due(now=world.advance(**delta))


def open_cases(kind: str) -> list[ExceptionCase]:
    return list(ExceptionCase.objects.filter(type=kind).exclude(status=Status.RESOLVED).order_by("odoo_id"))


def credited(world: World, *, total: float, odoo_id: int = 600, **more: Any) -> None:
    """A credit note of one line, that names neither invoice nor order unless ``more`` does."""
    line = {
        "move_id": odoo_id,
        "display_type": "product",
        "quantity": 1,
        "price_unit": total,
        "price_subtotal": total,
        "name": "Goodwill",
        "parent_state": "posted",
        "currency_id": 1,
    }
    world.write("account.move.line", odoo_id * 10, **line | more.pop("line", {}))
    invoice(world, odoo_id, move_type="out_refund", amount=total, **more)


def sold(world: World, *, ordered: float, delivered: float, billed: float, price: float = 10, **more: Any) -> None:
    """An order's line, to be billed by what is delivered."""
    world.order(42, state="sale", amount=ordered * price)
    values = {"qty_to_invoice": delivered - billed, "price_unit": price, "name": "Desk", "product_id": 30} | more
    world.write(
        "sale.order.line", 4200, order_id=42, product_uom_qty=ordered, qty_delivered=delivered, qty_invoiced=billed, **values
    )


def billing(world: World, line_id: int = 6000, *, move: int = 600, quantity: float, price: float = 10, **more: Any) -> None:
    """An invoice's line for the order's line."""
    values = {"sale_line_ids": [4200], "display_type": "product", "currency_id": 1, "partner_id": 50} | more
    world.write(
        "account.move.line", line_id, move_id=move, quantity=quantity, price_unit=price, price_subtotal=quantity * price, **values
    )
