"""What people do with orders, transfers, purchases and invoices: the business methods of Odoo's applications."""

from datetime import datetime, timedelta
from typing import Any

from sandbox import computed, writing
from sandbox.errors import UserError
from sandbox.records import Records, method

Row = dict[str, Any]
CUSTOMERS, SUPPLIERS = 2, 1
RECEIVABLE, PAYABLE, INCOME = 1, 2, 3
# Of so many moves of tracked products, the goods of one lie there without a lot.
WITHOUT_LOT = 12


@method("sale.order")
def action_confirm(orders: Records) -> bool:
    """Confirm quotations: their goods are to be delivered."""
    for order in orders:
        if order.state not in ("draft", "sent"):
            raise UserError(f"The following orders are not in a state requiring confirmation: {order.name}")
        if not order.order_line:
            raise UserError("You need at least one product line to confirm the order.")
        writing.write(order, {"state": "sale", "date_order": orders.env.cr.now[:19]})
        _deliver_later(order)
    return True


def _deliver_later(order: Records) -> None:
    env = order.env(su=True)
    kind = env["stock.picking.type"].search([("warehouse_id", "=", order.warehouse_id.id), ("code", "=", "outgoing")])[:1]
    deadline = order.commitment_date or datetime.fromisoformat(env.cr.now[:19]) + timedelta(days=3)
    lines = [line for line in order.sudo().order_line if line.product_id and line.product_uom_qty > 0]
    if not lines:
        return
    picking = env["stock.picking"].create(
        {
            "picking_type_id": kind.id,
            "partner_id": order.partner_shipping_id.id,
            "origin": order.name,
            "sale_id": order.id,
            "scheduled_date": deadline,
            "date_deadline": deadline,
            "state": "confirmed",
            "user_id": order.user_id.id,
        }
    )
    for line in lines:
        # As Odoo does unless told otherwise, goods move in their own unit, whatever they are sold or bought by.
        own = line.product_id.product_tmpl_id.uom_id
        env["stock.move"].create(
            {
                "product_id": line.product_id.id,
                "picking_id": picking.id,
                "product_uom": own.id or 1,
                "product_uom_qty": _converted(line.product_uom_qty, line.product_uom_id, own),
                "sale_line_id": line.id,
                "location_id": picking.location_id.id,
                "location_dest_id": CUSTOMERS,
                "state": "confirmed",
                "origin": order.name,
                "reference": picking.name,
                "date": deadline,
                "date_deadline": deadline,
                "warehouse_id": order.warehouse_id.id,
            }
        )
    action_assign(picking)


def _converted(quantity: float, unit: Records, to: Records) -> float:
    """``quantity`` of ``unit`` in another unit; as it stands where either is unknown."""
    if not unit.id or not to.id or unit.id == to.id:
        return quantity
    return round(quantity * unit.factor / to.factor, 2)


@method("uom.uom")
def _compute_quantity(unit: Records, qty: float, to_unit: Records, **named: Any) -> float:
    """A quantity in another unit, as Odoo converts; here to two places instead of up."""
    if not named.get("round", True):
        return qty if not unit.id or not to_unit.id or unit.id == to_unit.id else qty * unit.factor / to_unit.factor
    return _converted(qty, unit, to_unit)


@method("sale.order")
def action_cancel(orders: Records) -> bool:
    """Cancel orders and the deliveries that have not left."""
    for order in orders:
        if order.locked:
            raise UserError("You cannot cancel a locked order. Please unlock it first.")
        for picking in order.sudo().picking_ids:
            if picking.state != "done":
                _cancel_picking(picking)
        writing.write(order, {"state": "cancel"})
    return True


@method("sale.order")
def action_draft(orders: Records) -> bool:
    """Cancelled orders become quotations again."""
    for order in orders:
        if order.state in ("cancel", "sent"):
            writing.write(order, {"state": "draft"})
    return True


@method("sale.order")
def action_quotation_sent(orders: Records) -> None:
    """Mark quotations as sent."""
    if any(order.state != "draft" for order in orders):
        raise UserError("Only draft orders can be marked as sent directly.")
    writing.write(orders, {"state": "sent"})


@method()
def message_post(records: Records, body: str = "", subject: str | bool = False, **named: Any) -> Records:
    """Put a message into a record's chatter."""
    records.ensure_one()
    return records.env(su=True)["mail.message"].create(
        {
            "model": records._name,
            "res_id": records.id,
            "body": f"<p>{body}</p>" if body else "",
            "subject": subject,
            "author_id": records.env.user.partner_id.id,
            "message_type": named.get("message_type", "notification"),
            "attachment_ids": [(6, 0, named.get("attachment_ids", []))],
        }
    )


@method("mail.activity")
def action_feedback(activities: Records, feedback: str | bool = False, **named: Any) -> Any:
    """Mark activities as done; they leave a message behind."""
    made: Any = False
    for activity in activities:
        record = activities.env[activity.res_model].browse(activity.res_id)
        made = message_post(record, f"{activity.summary or 'Activity'} done. {feedback or ''}").id
        writing.unlink(activity)
    return made


@method("stock.picking")
def action_assign(pickings: Records) -> bool:
    """Reserve what is there."""
    for picking in pickings.sudo():
        if picking.state in ("done", "cancel"):
            continue
        for move in picking.move_ids:
            if move.state in ("done", "cancel", "assigned"):
                continue
            if picking.location_id.usage != "internal":
                writing.write(move, {"state": "assigned", "quantity": move.product_uom_qty})
                continue
            wanted = move.product_uom_qty - move.quantity
            given = _reserve(picking, move.product_id.id, wanted)
            if given:
                whole = given >= wanted
                state = "assigned" if whole else "partially_available"
                writing.write(move, {"state": state, "quantity": round(move.quantity + given, 2)})
                _take_from_lot(move, given)
        states = {move.state for move in picking.move_ids if move.state != "cancel"}
        now = "assigned" if states == {"assigned"} else "confirmed"
        if picking.state != now:
            writing.write(picking, {"state": now})
    return True


def _quant(picking: Records, product: int, place: int) -> Records:
    quants = picking.env["stock.quant"]
    found = quants.search([("product_id", "=", product), ("location_id", "=", place)], limit=1)
    return found or quants.create({"product_id": product, "location_id": place, "quantity": 0.0})


def _reserve(picking: Records, product: int, wanted: float) -> float:
    if not picking.env["product.product"].browse(product).is_storable:
        return wanted
    quant = _quant(picking, product, picking.location_id.id)
    given = max(min(wanted, quant.quantity - quant.reserved_quantity), 0.0)
    if given:
        writing.write(quant, {"reserved_quantity": round(quant.reserved_quantity + given, 2)})
    return given


def _take_from_lot(move: Records, quantity: float) -> None:
    """Say from which lot it comes. Only moves of tracked products have lines here; now and then the lot is not known."""
    if move.product_id.product_tmpl_id.tracking == "none":
        return
    lot = move.env["stock.lot"].search([("product_id", "=", move.product_id.id)], order="id", limit=1)
    move.env["stock.move.line"].create(
        {
            "move_id": move.id,
            "picking_id": move.picking_id.id,
            "product_id": move.product_id.id,
            "quantity": quantity,
            "lot_id": False if move.id % WITHOUT_LOT == 0 else lot.id,
        }
    )


def _cancel_picking(picking: Records) -> None:
    for move in picking.move_ids:
        if move.quantity and picking.location_id.usage == "internal":
            quant = _quant(picking, move.product_id.id, picking.location_id.id)
            writing.write(quant, {"reserved_quantity": round(max(quant.reserved_quantity - move.quantity, 0.0), 2)})
        writing.unlink(move.move_line_ids)
        writing.write(move, {"state": "cancel", "quantity": 0.0})
    writing.write(picking, {"state": "cancel"})


@method("stock.picking", "stock.move")
def action_cancel_transfer(pickings: Records) -> bool:
    """Cancel transfers."""
    for picking in pickings.sudo():
        _cancel_picking(picking)
    return True


@method("stock.picking")
def button_validate(pickings: Records) -> bool:
    """Carry transfers out. What was not reserved stays behind in a back order, unless the context drops it."""
    for picking in pickings.sudo():
        if picking.state == "done":
            continue
        if picking.state == "cancel":
            raise UserError("You cannot validate a cancelled transfer.")
        if not any(move.quantity for move in picking.move_ids):
            raise UserError("You cannot validate a transfer if no quantities are reserved.")
        _validate(picking)
    return True


def _validate(picking: Records) -> None:
    now, left = picking.env.cr.now[:19], []
    outgoing = picking.location_id.usage == "internal"
    later = picking.with_context(settles_later=True)
    # What is dropped stays on the move, as a demand beyond what was moved.
    is_dropped = bool(picking.env.context.get("cancel_backorder"))
    for move in picking.move_ids:
        if move.state == "cancel":
            continue
        rest = round(move.product_uom_qty - move.quantity, 2)
        if rest > 0:
            left.append((move, rest))
        if not move.quantity:
            if is_dropped:
                writing.write(move, {"state": "cancel"})
            continue
        place = picking.location_id.id if outgoing else picking.location_dest_id.id
        quant = _quant(picking, move.product_id.id, place)
        sign = -1 if outgoing else 1
        values = {"quantity": round(quant.quantity + sign * move.quantity, 2)}
        if outgoing:
            values["reserved_quantity"] = round(max(quant.reserved_quantity - move.quantity, 0.0), 2)
        writing.write(quant, values)
        values = {"state": "done", "picked": True, "date": now}
        if rest > 0 and not is_dropped:
            values["product_uom_qty"] = move.quantity
        writing.write(move, values)
    if left and not is_dropped:
        _backorder(picking, left)
    writing.write(later, {"state": "done", "date_done": now})
    for move in picking.move_ids:
        if move.state != "done":
            continue
        if move.sale_line_id:
            line = move.sale_line_id
            moved = _converted(move.quantity, move.product_uom, line.product_uom_id)
            writing.write(line, {"qty_delivered": round(line.qty_delivered + moved, 2)})
        if move.purchase_line_id:
            line = move.purchase_line_id
            moved = _converted(move.quantity, move.product_uom, line.product_uom_id)
            writing.write(line, {"qty_received": round(line.qty_received + moved, 2)})
    if picking.sale_id:
        computed.settle(picking.env, "sale.order", [picking.sale_id.id], {"state"})
    for waiting in {one.picking_id.id for move in picking.move_ids for one in move.move_dest_ids if one.state != "done"}:
        if waiting:
            action_assign(picking.browse(waiting))
    if not outgoing:
        _assign_waiting(picking)


def _assign_waiting(receipt: Records) -> None:
    """What came in goes to those who wait for it, the longest first."""
    waiting = receipt.env["stock.move"].search(
        [
            ("product_id", "in", receipt.move_ids.mapped("product_id").ids),
            ("state", "in", ["confirmed", "partially_available"]),
            ("location_id", "=", receipt.location_dest_id.id),
        ],
        order="id",
    )
    for picking in dict.fromkeys(waiting.mapped("picking_id").ids):
        action_assign(receipt.browse(picking))


def _backorder(picking: Records, left: list[tuple[Records, float]]) -> None:
    again = picking.create(
        {
            "picking_type_id": picking.picking_type_id.id,
            "partner_id": picking.partner_id.id,
            "origin": picking.origin,
            "sale_id": picking.sale_id.id,
            "scheduled_date": picking.scheduled_date,
            "state": "confirmed",
            "backorder_id": picking.id,
            "date_deadline": picking.date_deadline,
            "location_id": picking.location_id.id,
            "location_dest_id": picking.location_dest_id.id,
            "user_id": picking.user_id.id,
        }
    )
    for move, rest in left:
        if not move.quantity:
            writing.write(move, {"picking_id": again.id, "reference": again.name})
            continue
        move.create(
            {
                "product_id": move.product_id.id,
                "product_uom_qty": rest,
                "product_uom": move.product_uom.id,
                "picking_id": again.id,
                "reference": again.name,
                "sale_line_id": move.sale_line_id.id,
                "purchase_line_id": move.purchase_line_id.id,
                "state": "confirmed",
                "location_id": move.location_id.id,
                "location_dest_id": move.location_dest_id.id,
                "origin": move.origin,
                "date_deadline": move.date_deadline,
                "warehouse_id": move.warehouse_id.id,
                "move_orig_ids": [(6, 0, move.move_orig_ids.ids)],
            }
        )
    action_assign(again)


@method("purchase.order")
def button_confirm(orders: Records) -> bool:
    """Confirm purchase orders, or leave them to be approved where the company has two-step validation."""
    for order in orders:
        if order.state not in ("draft", "sent"):
            continue
        if _approval_allowed(order):
            button_approve(order)
        else:
            writing.write(order, {"state": "to approve"})
    return True


@method("purchase.order")
def button_approve(orders: Records, force: bool = False) -> bool:
    """Order the goods: they are to be received. Those that the person may not approve stay as they are."""
    for order in orders:
        if _approval_allowed(order):
            writing.write(order, {"state": "purchase", "date_approve": orders.env.cr.now[:19]})
            _expect_receipt(order)
    return True


def _approval_allowed(order: Records) -> bool:
    company = order.sudo().company_id
    return (
        company.po_double_validation != "two_step"
        or order.amount_total < (company.po_double_validation_amount or 0.0)
        or any(order.env.user.has_group(group) for group in ("purchase.group_purchase_manager", "base.group_system"))
    )


@method("purchase.order")
def onchange(orders: Records, values: Row, field_names: list[str], fields_spec: Row) -> Row:
    """What the form fills in: nothing, for the stand-in's vendors have no terms and no buyers of their own."""
    return {"value": {}}


def _expect_receipt(order: Records) -> None:
    env = order.env(su=True)
    picking = env["stock.picking"].create(
        {
            "picking_type_id": order.picking_type_id.id,
            "partner_id": order.partner_id.id,
            "origin": order.name,
            "state": "assigned",
            "scheduled_date": order.date_planned,
            "date_deadline": order.date_planned,
        }
    )
    for line in order.sudo().order_line:
        own = line.product_id.product_tmpl_id.uom_id
        quantity = _converted(line.product_qty, line.product_uom_id, own)
        env["stock.move"].create(
            {
                "product_id": line.product_id.id,
                "product_uom_qty": quantity,
                "product_uom": own.id or 1,
                "picking_id": picking.id,
                "purchase_line_id": line.id,
                "location_id": SUPPLIERS,
                "location_dest_id": picking.location_dest_id.id,
                "state": "assigned",
                "quantity": quantity,
                "origin": order.name,
                "reference": picking.name,
                "date": line.date_planned,
                "date_deadline": line.date_planned,
            }
        )
    order._derive({"receipt_status": "pending"})


@method("purchase.order")
def button_cancel(orders: Records) -> bool:
    """Cancel purchase orders and what has not been received of them."""
    for order in orders:
        for picking in order.sudo().picking_ids:
            if picking.state != "done":
                _cancel_picking(picking)
        writing.write(order, {"state": "cancel"})
    return True


@method("purchase.order")
def button_draft(orders: Records) -> bool:
    """Cancelled purchase orders become requests again."""
    writing.write(orders, {"state": "draft"})
    return True
