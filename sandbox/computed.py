"""Values that follow from others: totals, statuses, names of new records."""

from collections.abc import Callable, Iterable
from typing import Any

from sandbox import drafts
from sandbox.drafts import TAX
from sandbox.engine import Engine
from sandbox.records import Env

Row = dict[str, Any]
SEQUENCES = {"sale.order": "S{:05d}", "purchase.order": "P{:05d}"}
DONE = 4
# Of lines: whose totals hang on them, by which field, and how that one calls them.
PARENTS = {
    "sale.order.line": ("sale.order", "order_id", "order_line"),
    "purchase.order.line": ("purchase.order", "order_id", "order_line"),
    "account.move.line": ("account.move", "move_id", "invoice_line_ids"),
}


def before_create(env: Env, model: str, values: Row) -> Row:
    """``values`` with what Odoo fills in for a new record."""
    company, values = env.engine, dict(values)
    table = company.store.table(model)
    if model in SEQUENCES and values.get("name") in (None, False, "New"):
        values["name"] = SEQUENCES[model].format(table.next_id)
    if model == "sale.order" and values.get("partner_id"):
        partner = values["partner_id"]
        for name in ("partner_invoice_id", "partner_shipping_id"):
            values.setdefault(name, partner)
        values.setdefault("user_id", company.value("res.partner", partner, "user_id") or env.uid)
    elif model == "sale.order.line" and values.get("product_id"):
        product = values["product_id"]
        values.setdefault("name", company.name("product.product", product))
        values.setdefault("price_unit", company.value("product.product", product, "list_price"))
    elif model == "purchase.order.line" and values.get("product_id"):
        product, order = values["product_id"], values["order_id"]
        values.setdefault("name", company.name("product.product", product))
        values.setdefault("price_unit", company.value("product.product", product, "standard_price"))
        values.setdefault("date_planned", company.value("purchase.order", order, "date_planned"))
    elif model == "stock.picking" and values.get("picking_type_id") and not values.get("name"):
        kind = company.store.table("stock.picking.type").rows[values["picking_type_id"]]
        warehouse = company.store.table("stock.warehouse").rows[kind["warehouse_id"]]
        values["name"] = f"{warehouse['code']}/{kind['sequence_code']}/{table.next_id:05d}"
        values.setdefault("location_id", kind["default_location_src_id"])
        values.setdefault("location_dest_id", kind["default_location_dest_id"])
    elif model == "account.move" and values.get("partner_id"):
        values.setdefault("commercial_partner_id", company.value("res.partner", values["partner_id"], "commercial_partner_id"))
        values.setdefault("invoice_user_id", env.uid)
    elif model == "account.move.line" and values.get("display_type") == "product":
        move = company.store.table("account.move").get(values["move_id"]) or {}
        values.setdefault("parent_state", move.get("state"))
        values.setdefault("partner_id", move.get("commercial_partner_id"))
        values.setdefault("date", move.get("date"))
        if product := values.get("product_id"):
            values.setdefault("name", company.name("product.product", product))
            values.setdefault("price_unit", company.value("product.product", product, "list_price"))
    elif model == "helpdesk.ticket":
        values.setdefault("number", f"HT{table.next_id:05d}")
    elif model == "res.partner":
        parent = values.get("parent_id")
        values["commercial_partner_id"] = table.next_id
        if parent and not values.get("is_company"):
            values["commercial_partner_id"] = company.value("res.partner", parent, "commercial_partner_id")
    elif model in ("ir.model.fields", "ir.model.access", "ir.cron", "ir.actions.server", "ir.ui.view"):
        values = _before_settings(env, model, values)
    elif model == "mail.activity" and values.get("res_model_id"):
        values["res_model"] = company.store.table("ir.model").rows[values["res_model_id"]]["model"]
        values["res_name"] = company.name(values["res_model"], values.get("res_id") or 0)
    elif model == "res.users" and not values.get("partner_id"):
        partner = env(su=True)["res.partner"].create({"name": values.get("name") or values.get("login")})
        values["partner_id"] = partner.id
    return values


def _before_settings(env: Env, model: str, values: Row) -> Row:
    company, values = env.engine, {**values}
    if model == "ir.model.fields" and values.get("model_id"):
        values["model"] = company.store.table("ir.model").rows[values["model_id"]]["model"]
        values.setdefault("field_description", values.get("name"))
    if model in ("ir.cron", "ir.actions.server", "ir.ui.view"):
        for name in ("code", "arch_base"):
            if isinstance(values.get(name), str):
                values[name] = values[name].strip()
    if model == "ir.cron":
        values["cron_name"] = values.get("name") or values.get("cron_name")
        action: Row = {key: values[key] for key in ("name", "model_id", "state", "code") if key in values}
        made = env["ir.actions.server"].create({**action, "usage": "ir_cron"})
        values["ir_actions_server_id"] = made.id
        values.setdefault("nextcall", env.cr.now[:19])
    return values


def before_write(env: Env, model: str, values: Row) -> Row:
    """``values`` as they are to be written."""
    if model in ("ir.cron", "ir.actions.server", "ir.ui.view"):
        return {
            name: value.strip() if name in ("code", "arch_base") and isinstance(value, str) else value
            for name, value in values.items()
        }
    if model == "helpdesk.ticket" and values.get("stage_id"):
        return {**values, "closed_date": env.cr.now[:19] if values["stage_id"] == DONE else False}
    return values


def settle(env: Env, model: str, ids: list[int], names: set[str], *, is_new: bool = False) -> None:
    """Set everything that follows from ``names`` of the records ``ids`` having changed."""
    if env.context.get("settles_later"):
        return
    rule = RULES.get(model)
    if rule:
        for odoo_id in ids:
            rule(env, odoo_id, names, is_new)


def parents(env: Env, model: str, ids: Iterable[int]) -> list[tuple[str, int]]:
    """The orders and invoices whose totals hang on the lines ``ids``."""
    if model not in PARENTS:
        return []
    parent, field, _ = PARENTS[model]
    return [(parent, one) for one in {env.engine.value(model, odoo_id, field) for odoo_id in ids} if one]


def _derive(env: Env, model: str, odoo_id: int, values: Row, *, quietly: bool = False) -> None:
    if not quietly:
        env[model].browse(odoo_id)._derive(values)
        return
    row = env.engine.store.table(model).get(odoo_id)
    if row is not None and any(row.get(name) != value for name, value in values.items()):
        env.cr.put(model, odoo_id, {**row, **values})


def _sale_line(env: Env, odoo_id: int, names: set[str], is_new: bool) -> None:
    table = env.engine.store.table("sale.order.line")
    row = table.get(odoo_id)
    if row is None:
        return
    order = env.engine.store.table("sale.order").get(row["order_id"]) or {}
    quantity, price = row.get("product_uom_qty") or 0.0, row.get("price_unit") or 0.0
    subtotal = round(quantity * price * (1 - (row.get("discount") or 0.0) / 100), 2)
    tax = round(subtotal * TAX, 2)
    delivered, invoiced = row.get("qty_delivered") or 0.0, row.get("qty_invoiced") or 0.0
    confirmed = order.get("state") == "sale"
    share = subtotal / quantity if quantity else 0.0
    product = row.get("product_id")
    cost = (env.engine.value("product.product", product, "standard_price") or 0.0) if product else 0.0
    template = (env.engine.value("product.product", product, "product_tmpl_id") or 0) if product else 0
    is_service = bool(template) and env.engine.value("product.template", template, "type") == "service"
    by_order = bool(template) and env.engine.value("product.template", template, "invoice_policy") == "order"
    _derive(
        env,
        "sale.order.line",
        odoo_id,
        {
            "qty_delivered_method": "manual" if is_service or not product else "stock_move",
            "purchase_price": cost,
            "margin": round(subtotal - cost * quantity, 2),
            "price_subtotal": subtotal,
            "price_tax": tax,
            "price_total": round(subtotal + tax, 2),
            "qty_delivered": delivered,
            "qty_invoiced": invoiced,
            "qty_to_invoice": (quantity if by_order else delivered) - invoiced
            if confirmed and not row.get("display_type")
            else 0.0,
            "untaxed_amount_invoiced": round(invoiced * share, 2),
            "untaxed_amount_to_invoice": round(max(delivered - invoiced, 0.0) * share, 2) if confirmed else 0.0,
            "state": order.get("state"),
            "company_id": order.get("company_id"),
            "currency_id": order.get("currency_id"),
        },
        quietly=is_new,
    )
    # An order that is being created settles once, after its last line.
    if order and "amount_total" in order:
        _sale_order(env, row["order_id"], {"order_line"}, False)


def _sale_order(env: Env, odoo_id: int, names: set[str], is_new: bool) -> None:
    if names and not names & {"order_line", "state", "partner_id", "company_id"} and not is_new:
        return
    row = env.engine.store.table("sale.order").get(odoo_id)
    if row is None:
        return
    lines = [
        env.engine.store.table("sale.order.line").get(one) or {} for one in env.engine.value("sale.order", odoo_id, "order_line")
    ]
    if "state" in names:
        for line in lines:
            if line.get("state") != row["state"]:
                _derive(env(context={**env.context, "settles_later": True}), "sale.order.line", line["id"], {"state": row["state"]})
        lines = [env.engine.store.table("sale.order.line").get(line["id"]) or {} for line in lines]
    untaxed = round(sum(line.get("price_subtotal") or 0.0 for line in lines), 2)
    tax = round(sum(line.get("price_tax") or 0.0 for line in lines), 2)
    margin = round(sum(line.get("margin") or 0.0 for line in lines if line.get("product_id")), 2)
    values = {
        "amount_untaxed": untaxed,
        "amount_tax": tax,
        "amount_total": round(untaxed + tax, 2),
        "margin": margin,
        "margin_percent": round(margin / untaxed, 6) if untaxed else 0.0,
        "invoice_status": _invoice_status(row.get("state"), lines),
        "delivery_status": _delivery_status(env, row, lines),
    }
    _derive(env, "sale.order", odoo_id, values, quietly=is_new)


def _invoice_status(state: Any, lines: list[Row]) -> str:
    """What Odoo calls the order: as its lines stand, without down payments, headings and notes."""
    if state != "sale":
        return "no"
    said = {_line_invoice_status(line) for line in lines if not line.get("is_downpayment") and not line.get("display_type")}
    if "to invoice" in said:
        return "to invoice"
    if said and said <= {"invoiced"}:
        return "invoiced"
    return "upselling" if said and said <= {"invoiced", "upselling"} else "no"


def _line_invoice_status(line: Row) -> str:
    ordered, delivered, invoiced, open_quantity = (
        line.get(name) or 0.0 for name in ("product_uom_qty", "qty_delivered", "qty_invoiced", "qty_to_invoice")
    )
    if abs(open_quantity) > 0.000001:
        return "to invoice"
    # Billed by what was ordered, as nothing is left to bill of more than that.
    if delivered > ordered >= 0 and invoiced <= ordered:
        return "upselling"
    return "invoiced" if invoiced >= ordered else "no"


def _delivery_status(env: Env, row: Row, lines: list[Row]) -> Any:
    if row.get("state") != "sale":
        return False
    pickings = [
        env.engine.store.table("stock.picking").get(one) or {} for one in env.engine.value("sale.order", row["id"], "picking_ids")
    ]
    pickings = [picking for picking in pickings if picking.get("state") != "cancel"]
    if not pickings:
        return False
    if all(picking.get("state") == "done" for picking in pickings):
        return "full"
    if any(line.get("qty_delivered") for line in lines):
        return "partial"
    return "started" if any(picking.get("state") == "done" for picking in pickings) else "pending"


def _purchase_line(env: Env, odoo_id: int, names: set[str], is_new: bool) -> None:
    row = env.engine.store.table("purchase.order.line").get(odoo_id)
    if row is None:
        return
    subtotal = round((row.get("product_qty") or 0.0) * (row.get("price_unit") or 0.0), 2)
    tax = round(subtotal * TAX, 2)
    order = env.engine.store.table("purchase.order").get(row["order_id"]) or {}
    to_bill = (row.get("qty_received") or 0.0) - (row.get("qty_invoiced") or 0.0)
    template = env.engine.value("product.product", row["product_id"], "product_tmpl_id") if row.get("product_id") else 0
    is_service = bool(template) and env.engine.value("product.template", template, "type") == "service"
    values = {
        "qty_received_method": "manual" if is_service else "stock_moves",
        "price_subtotal": subtotal,
        "price_tax": tax,
        "price_total": round(subtotal + tax, 2),
        "qty_to_invoice": to_bill if order.get("state") == "purchase" else 0.0,
    }
    _derive(env, "purchase.order.line", odoo_id, values, quietly=is_new)
    if "amount_total" in order:
        _purchase_order(env, row["order_id"], {"order_line"}, False)


def _purchase_order(env: Env, odoo_id: int, names: set[str], is_new: bool) -> None:
    row = env.engine.store.table("purchase.order").get(odoo_id)
    if row is None:
        return
    lines = [
        env.engine.store.table("purchase.order.line").get(one) or {}
        for one in env.engine.value("purchase.order", odoo_id, "order_line")
    ]
    untaxed = round(sum(line.get("price_subtotal") or 0.0 for line in lines), 2)
    tax = round(sum(line.get("price_tax") or 0.0 for line in lines), 2)
    received, whole = (
        any(line.get("qty_received") for line in lines),
        all((line.get("qty_received") or 0) >= (line.get("product_qty") or 0) for line in lines),
    )
    status: Any = False
    if row.get("state") == "purchase":
        status = "full" if lines and whole else "partial" if received else "pending"
    billed = row.get("state") == "purchase" and received
    values = {
        "amount_untaxed": untaxed,
        "amount_tax": tax,
        "amount_total": round(untaxed + tax, 2),
        "receipt_status": status,
        "invoice_status": "to invoice" if billed else "no",
    }
    _derive(env, "purchase.order", odoo_id, values, quietly=is_new)


def _picking(env: Env, odoo_id: int, names: set[str], is_new: bool) -> None:
    row = env.engine.store.table("stock.picking").get(odoo_id)
    if row and row.get("sale_id") and ("state" in names or is_new):
        _sale_order(env, row["sale_id"], {"order_line"}, False)


def _quant(env: Env, odoo_id: int, names: set[str], is_new: bool) -> None:
    """A quantity that was written is a count. As in Odoo, what is moved afterwards leaves the difference as it was."""
    row = env.engine.store.table("stock.quant").get(odoo_id)
    counts = "inventory_quantity" in names and "inventory_quantity_set" not in names
    if row is None or not counts or (is_new and not row["inventory_quantity"]):
        return
    difference = round(row["inventory_quantity"] - row["quantity"], 2)
    _derive(env, "stock.quant", odoo_id, {"inventory_quantity_set": True, "inventory_diff_quantity": difference}, quietly=is_new)


RULES: dict[str, Callable[[Env, int, set[str], bool], None]] = {
    "sale.order": _sale_order,
    "sale.order.line": _sale_line,
    "purchase.order": _purchase_order,
    "purchase.order.line": _purchase_line,
    "stock.picking": _picking,
    "stock.quant": _quant,
    "account.move": drafts.move_changed,
    "account.move.line": drafts.line_changed,
}


def value(company: Engine, model: str, odoo_id: int, name: str) -> Any:
    """A field that is computed when it is read."""
    match model, name:
        case "res.partner", "credit":
            return round(sum(row.get("amount_residual") or 0.0 for row in receivables(company, odoo_id)), 2)
        case "res.partner", "use_partner_credit_limit":
            return bool(company.store.table("res.partner").rows.get(odoo_id, {}).get("credit_limit"))
        case "product.product", "qty_available":
            quants = company.store.table("stock.quant")
            on_hand = (quants.rows[one] for one in quants.indexes["product_id"].get(odoo_id, ()))
            inside = company.internal_locations()
            return sum(row["quantity"] for row in on_hand if row["location_id"] in inside)
        case "account.move", "invoice_line_ids":
            lines = company.store.table("account.move.line")
            ids = sorted(lines.indexes["move_id"].get(odoo_id, ()))
            return [one for one in ids if lines.rows[one].get("display_type") == "product"]
        case "sale.order", "invoice_ids":
            lines = company.store.table("account.move.line")
            own = company.value("sale.order", odoo_id, "order_line")
            return sorted({lines.rows[one]["move_id"] for line in own for one in lines.indexes["sale_line_ids"].get(line, ())})
        case "purchase.order", "picking_ids":
            moves = company.store.table("stock.move")
            own = company.value("purchase.order", odoo_id, "order_line")
            found = (moves.rows[one]["picking_id"] for line in own for one in moves.indexes["purchase_line_id"].get(line, ()))
            return sorted({one for one in found if one})
    raise KeyError(f"{model}.{name}")


def receivables(company: Engine, partner: int) -> list[Row]:
    """What a customer owes: the open receivable lines of posted entries of the customer and its addresses."""
    lines = company.store.table("account.move.line")
    found = (lines.rows[one] for one in lines.indexes["partner_id"].get(partner, ()))
    return [
        row
        for row in found
        if row.get("parent_state") == "posted"
        and not row.get("reconciled")
        and company.value("account.account", row["account_id"], "account_type") == "asset_receivable"
    ]
