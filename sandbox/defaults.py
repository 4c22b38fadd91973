"""What a new record begins with, where nobody says otherwise."""

from typing import Any

from sandbox.records import Env

Row = dict[str, Any]


def defaults(env: Env, model: str) -> Row:
    """What a new record of ``model`` begins with."""
    now = env.cr.now[:19]
    common: dict[str, Row] = {
        "sale.order": {
            "state": "draft",
            "company_id": 1,
            "currency_id": 1,
            "currency_rate": 1.0,
            "date_order": now,
            "team_id": 1,
            "warehouse_id": 1,
            "invoice_status": "no",
            "locked": False,
            "name": False,
            "commitment_date": False,
        },
        "sale.order.line": {"product_uom_id": 1, "product_uom_qty": 1.0, "sequence": 10, "discount": 0.0, "display_type": False},
        "purchase.order": {
            "state": "draft",
            "company_id": 1,
            "currency_id": 1,
            "currency_rate": 1.0,
            "date_order": now,
            "date_planned": now,
            "user_id": env.uid,
            "invoice_status": "no",
            "name": False,
            "picking_type_id": 1,
        },
        "purchase.order.line": {
            "product_uom_id": 1,
            "product_qty": 1.0,
            "sequence": 10,
            "qty_received": 0.0,
            "qty_invoiced": 0.0,
            "company_id": 1,
            "display_type": False,
        },
        "stock.picking": {"state": "draft", "company_id": 1, "priority": "0", "scheduled_date": now},
        "product.supplierinfo": {"product_uom_id": 1},
        "stock.move.line": {"product_uom_id": 1},
        "stock.move": {"state": "draft", "company_id": 1, "product_uom": 1, "quantity": 0.0, "picked": False, "date": now},
        "account.move": {
            "state": "draft",
            "company_id": 1,
            "currency_id": 1,
            "move_type": "entry",
            "date": now[:10],
            "payment_state": "not_paid",
            "journal_id": 1,
            "name": "/",
        },
        "account.move.line": {
            "company_id": 1,
            "currency_id": 1,
            "debit": 0.0,
            "credit": 0.0,
            "balance": 0.0,
            "reconciled": False,
            "display_type": "product",
            "quantity": 1.0,
            "discount": 0.0,
        },
        "res.partner": {"active": True, "is_company": False, "credit_limit": 0.0, "company_id": False},
        "res.users": {"active": True, "company_id": 1, "share": False, "lang": "en_US"},
        "product.template": {
            "active": True,
            "uom_id": 1,
            "type": "consu",
            "tracking": "none",
            "sale_ok": True,
            "purchase_ok": True,
            "list_price": 1.0,
        },
        "product.product": {"active": True, "standard_price": 0.0},
        "delivery.carrier": {"active": True, "delivery_type": "fixed", "fixed_price": 0.0},
        "stock.quant": {
            "company_id": 1,
            "quantity": 0.0,
            "reserved_quantity": 0.0,
            "inventory_quantity": 0.0,
            "inventory_diff_quantity": 0.0,
            "inventory_quantity_set": False,
            "inventory_date": f"{now[:4]}-12-31",
        },
        "helpdesk.ticket": {"stage_id": 1, "priority": "1", "company_id": 1, "active": True},
        "mail.activity": {"active": True, "user_id": env.uid, "activity_type_id": 4, "date_deadline": now[:10]},
        "mail.message": {"message_type": "comment", "date": now, "author_id": False},
        "base.automation": {"active": True},
        "ir.model": {"state": "manual", "transient": False},
        "ir.model.fields": {"state": "manual", "copied": True, "store": True, "ttype": "char"},
        "ir.model.access": {"active": True},
        "ir.actions.server": {
            "state": "object_write",
            "usage": "ir_actions_server",
            "binding_view_types": "list,form",
            "sequence": 5,
            "binding_type": "action",
            "name": "Server Action",
        },
        "ir.ui.view": {"active": True, "priority": 16, "mode": "primary", "type": "form"},
        "ir.cron": {
            "active": True,
            "interval_number": 1,
            "interval_type": "months",
            "user_id": env.uid,
            "priority": 5,
            "state": "code",
        },
    }
    return common.get(model, {})
