"""Invoices that bill something else than was ordered and delivered: what differs, and who may have one posted all the same.

As the other limits, the rule is written twice: as SQL over mirrored rows (:data:`MATCH`) and as Odoo server-action code
(:data:`GUARD`). From :data:`LIMIT` in dispute on, Odoo refuses to post a draft, and leaves the ask for a decision behind. What
is released is this difference: an invoice that differs by more needs a new decision. One that was rejected stays held; once
nothing differs any more, Odoo lifts the hold itself as the invoice is posted, for there is nothing left to decide.
"""

from datetime import timedelta

from django.db.models import F, Q

from apps.workflows import asks, ladders
from apps.workflows.declare import ApprovalKind, ExceptionType, Fact, Guard, OdooCall
from apps.workflows.rules import invoice_resolution

# In the company's currency, before tax.
LIMIT = 100

# Below a per mille of the line, and below two cents, a difference in price is rounding. Down payments are lines of the
# order with nothing ordered and nothing delivered: nothing there to be compared. A line that bills several lines of
# orders at once has no one price to be compared with. Later invoices are counted, not asked for with EXISTS: for a first row
# alone the planner would read all entries that there are.
MATCH = Fact(
    name="match",
    columns=[
        "differing_count", "order_names", "product_names", "billed_quantity", "all_billed_quantity", "ordered_quantity",
        "delivered_quantity", "over_quantity", "billed_price", "ordered_price", "price_difference", "amount_over",
        "disputed_amount",
    ],
    sql="""
        SELECT count(*) AS differing_count, string_agg(DISTINCT d.order_name, ', ') AS order_names,
               string_agg(DISTINCT d.product, ', ') AS product_names,
               trim_scale(sum(d.quantity)) AS billed_quantity, trim_scale(sum(d.billed)) AS all_billed_quantity,
               trim_scale(sum(d.ordered)) AS ordered_quantity,
               trim_scale(sum(d.delivered)) AS delivered_quantity, trim_scale(sum(d.over)) AS over_quantity,
               round(sum(d.quantity * d.price) * d.rate, 2) AS billed_price,
               round(sum(d.quantity * d.agreed) * d.rate, 2) AS ordered_price,
               round(sum(d.price_off) * d.rate, 2) AS price_difference,
               round(sum(d.over * d.price) * d.rate, 2) AS amount_over,
               round(sum(abs(d.price_off) + d.over * abs(d.price)) * d.rate, 2) AS disputed_amount
          FROM (
            SELECT b.*, CASE WHEN abs(b.quantity * (b.price - b.agreed)) > GREATEST(0.02, abs(b.quantity * b.agreed) / 1000)
                             THEN b.quantity * (b.price - b.agreed) ELSE 0 END AS price_off
              FROM (
                SELECT il.quantity, o.order_name, o.product, o.ordered, o.delivered, o.billed,
                       CASE WHEN o.bears_excess THEN LEAST(o.excess, il.quantity) ELSE 0 END AS over,
                       o.price, COALESCE(o.agreed, o.price) AS agreed,
                       COALESCE(abs(r.amount_total_signed) / NULLIF(abs(r.amount_total), 0), 1) AS rate
                  FROM mirror_account_move_line il
                 CROSS JOIN LATERAL (
                   SELECT so.name AS order_name, sl.name AS product, sl.product_uom_qty AS ordered,
                          sl.qty_delivered AS delivered, sl.qty_invoiced AS billed,
                          e.excess,
                          il.price_unit * (1 - COALESCE(il.discount, 0) / 100) AS price,
                          CASE WHEN cardinality(il.sale_line_ids) = 1 AND so.currency_id = il.currency_id
                               THEN sl.price_unit * (1 - COALESCE(sl.discount, 0) / 100) END AS agreed,
                          e.excess > 0 AND 0 = (
                            SELECT count(*) FROM mirror_account_move_line later
                              JOIN mirror_account_move m ON m.connection_id = later.connection_id
                               AND m.odoo_id = later.move_id AND m.deleted_at IS NULL AND m.move_type = 'out_invoice'
                               AND (m.state = 'draft' OR m.state = 'posted'
                                    AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
                             WHERE later.connection_id = il.connection_id AND later.odoo_id > il.odoo_id
                               AND later.sale_line_ids @> ARRAY[sl.odoo_id] AND later.deleted_at IS NULL) AS bears_excess
                     FROM mirror_sale_order_line sl
                     JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
                    CROSS JOIN LATERAL (
                      SELECT CASE WHEN so.state = 'cancel' THEN sl.qty_invoiced
                                  ELSE COALESCE(-sl.qty_to_invoice,
                                                sl.qty_invoiced - GREATEST(sl.product_uom_qty, sl.qty_delivered)) END
                             AS excess) AS e
                    WHERE r.move_type = 'out_invoice' AND sl.connection_id = il.connection_id
                      AND sl.odoo_id = ANY(il.sale_line_ids) AND sl.deleted_at IS NULL
                      AND NOT (sl.product_uom_qty = 0 AND sl.qty_delivered = 0)
                   UNION ALL
                   SELECT po.name, pl.name, pl.product_qty, pl.qty_received, pl.qty_invoiced,
                          e.excess,
                          COALESCE(il.price_subtotal / NULLIF(il.quantity, 0), il.price_unit),
                          CASE WHEN po.currency_id = il.currency_id
                               THEN COALESCE(NULLIF(pl.price_subtotal, 0) / NULLIF(pl.product_qty, 0), pl.price_unit) END,
                          e.excess > 0 AND 0 = (
                            SELECT count(*) FROM mirror_account_move_line later
                              JOIN mirror_account_move m ON m.connection_id = later.connection_id
                               AND m.odoo_id = later.move_id AND m.deleted_at IS NULL AND m.move_type = 'in_invoice'
                               AND (m.state = 'draft' OR m.state = 'posted'
                                    AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
                             WHERE later.connection_id = il.connection_id AND later.odoo_id > il.odoo_id
                               AND later.purchase_line_id = pl.odoo_id AND later.deleted_at IS NULL)
                     FROM mirror_purchase_order_line pl
                     JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
                    CROSS JOIN LATERAL (
                      SELECT CASE WHEN po.state = 'cancel' THEN pl.qty_invoiced
                                  ELSE COALESCE(-pl.qty_to_invoice,
                                                pl.qty_invoiced - GREATEST(pl.product_qty, pl.qty_received)) END
                             AS excess) AS e
                    WHERE r.move_type = 'in_invoice' AND pl.connection_id = il.connection_id
                      AND pl.odoo_id = il.purchase_line_id AND pl.deleted_at IS NULL
                      AND NOT (pl.product_qty = 0 AND pl.qty_received = 0)
                 ) AS o
                 WHERE r.move_type IN ('out_invoice', 'in_invoice')
                   AND (r.state = 'draft' OR r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked'))
                   AND il.connection_id = r.connection_id AND il.move_id = r.odoo_id AND il.deleted_at IS NULL
                   AND COALESCE(il.display_type, '') IN ('', 'product')
              ) AS b
          ) AS d
         WHERE d.over > 0 OR d.price_off <> 0
         GROUP BY d.rate
    """,
)


FIGURES = {
    "order_names": "Order",
    "product_names": "Product",
    "differing_count": "Lines that differ",
    "billed_quantity": "Billed here",
    "all_billed_quantity": "Billed in all",
    "ordered_quantity": "Ordered",
    "delivered_quantity": "Delivered",
    "over_quantity": "Billed beyond what may be",
    "amount_over": "Value of that quantity",
    "billed_price": "Value at the price billed",
    "ordered_price": "Value at the price ordered",
    "price_difference": "Difference in price",
    "disputed_amount": "In dispute",
}

ASKED = asks.asked("invoice_mismatch", "account.move", prefix="invoice_", where="r.state = 'draft'")

# Of drafts alone: nothing else is decided about.
PEOPLE = Fact(
    name="people",
    columns=[
        "invoice_owner", "invoice_owner_login", "invoice_owner_email", "invoice_maker", "invoice_maker_login", "mismatch_limit",
    ],
    sql=f"""
        SELECT COALESCE(o.name, '') AS invoice_owner, COALESCE(o.login, '') AS invoice_owner_login,
               COALESCE(o.email, '') AS invoice_owner_email, COALESCE(m.name, '') AS invoice_maker,
               COALESCE(m.login, '') AS invoice_maker_login,
               {LIMIT} AS mismatch_limit
          FROM (SELECT r.invoice_user_id, r.create_uid WHERE r.state = 'draft') AS own
          LEFT JOIN mirror_res_users o ON o.connection_id = r.connection_id AND o.odoo_id = own.invoice_user_id
          LEFT JOIN mirror_res_users m ON m.connection_id = r.connection_id AND m.odoo_id = own.create_uid
    """,
)

IS_DRAFT = Q(state="draft")
# What was agreed to is no dispute any more.
DIFFERS = Q(differing_count__gt=0) & ~Q(x_ct_released_difference__gte=F("disputed_amount"))
IS_HELD = Q(x_ct_hold="invoice_mismatch")
# What is held stays to be decided about until nothing differs any more, be it ever so little.
BROKEN = IS_DRAFT & DIFFERS & Q(invoice_ask_state="open") & (Q(disputed_amount__gte=LIMIT) | IS_HELD)
# Refused in Odoo, and not yet released or put right.
HELD = BROKEN | (IS_DRAFT & DIFFERS & IS_HELD)

EXCEPTION = ExceptionType(
    name="invoice.differs",
    title="Invoice differs from order or delivery",
    # Only drafts and what is owed are held against their orders.
    when=DIFFERS,
    team="finance",
    due=timedelta(hours=8),
    amount="disputed_amount",
    evidence=FIGURES,
    severity=("disputed_amount", (250, 2_500, 25_000)),
    closed_because="The invoice agrees with the order and the delivery, was approved as it is, or is settled",
    remedies=[invoice_resolution.CORRECT, invoice_resolution.CLAIM],
)

# What was decided about is this invoice: one that has grown meanwhile needs a new decision.
THIS_DRAFT = [["state", "=", "draft"], ["amount_total", "<=", "{amount_total:number}"]]

APPROVAL = ApprovalKind(
    name="invoice_mismatch",
    title="Invoice mismatch",
    matters="{disputed_amount:money} {currency} in dispute on {order_names}",
    question="May {record_name} be posted though {disputed_amount:money} {currency} of it differ from order or delivery?",
    when=BROKEN,
    possible=IS_DRAFT & DIFFERS,
    cause="invoice_ask_cause",
    amount="disputed_amount",
    asked_by="invoice_asked_by",
    involved=["invoice_asked_login", "invoice_owner_login", "invoice_maker_login"],
    account_owner=("invoice_owner_login", "invoice_owner_email"),
    exception="invoice.differs",
    context={
        "partner_name": "Partner",
        **FIGURES,
        "mismatch_limit": "Needs a decision from",
        "open_amount": "The whole invoice",
        "invoice_owner": "Looked after by",
        "invoice_asked_by": "Asked by",
    },
    on_asked=[
        asks.hold(
            "invoice_mismatch",
            title="Mark the invoice as held for its difference",
            reason="{disputed_amount:money} {currency} of it differ from the order or the delivery ({order_names}).",
            require=[["state", "=", "draft"]],
        )
    ],
    on_approval=[
        OdooCall(
            title="Release the invoice with {disputed_amount:money} {currency} in dispute",
            method="write",
            arguments={
                "vals": {
                    "x_ct_hold": False, "x_ct_hold_reason": False, "x_ct_released_difference": "{disputed_amount:number}",
                }
            },
            require=THIS_DRAFT,
            expect=[["x_ct_hold", "=", False], ["x_ct_released_difference", ">=", "{disputed_amount:number}"]],
        ),
        OdooCall(title="Post the invoice", method="action_post", require=THIS_DRAFT, expect=[["state", "=", "posted"]]),
        asks.note("Posted with what differs, as approved by {decided_by} in Control Tower. {reason}"),
        asks.answer("approved", prefix="invoice_"),
    ],
    on_rejection=[
        asks.hold(
            "invoice_mismatch",
            title="Keep the invoice held, with the reason",
            reason="Rejected by {decided_by}: {reason}",
            require=[["state", "=", "draft"]],
        ),
        asks.answer("rejected", "{decided_by}: {reason}", prefix="invoice_"),
        asks.activity("Put the invoice right: rejected by {decided_by}", person="invoice_user_id", name="invoice_owner"),
        asks.note("Not to be posted as it is: rejected by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[asks.LIFT, asks.answer("withdrawn", prefix="invoice_")],
    default_policy=ladders.policy(
        ladders.step("Finance", ("team", "finance"), ("role", "approver"), ("role", "manager"), minutes=480),
        ladders.step("Management", ("role", "manager"), minutes=480, from_amount=10_000),
    ),
)

# The figures of MATCH, line by line. The hold is lifted as Odoo itself (user 1), which may write the tower's fields.
GUARD = Guard(
    approval="invoice_mismatch",
    state_value="posted",
    release=(
        "x_ct_released_difference",
        "Difference released",
        "Control Tower released the invoice with up to this sum in dispute",
    ),
    subject="""
move = record.sudo()
record = env['account.move'].sudo()
off = 0.0
too_many = 0.0
disputed = 0.0
if move.move_type in ['out_invoice', 'in_invoice']:
    record = move
    is_sale = move.move_type == 'out_invoice'
    link = 'sale_line_ids' if is_sale else 'purchase_line_id'
    rate = abs(move.amount_total_signed / move.amount_total) if move.amount_total else 1.0
    lines = move.invoice_line_ids
    if link not in lines._fields:
        lines = lines[:0]
    for line in lines:
        if line.display_type != 'product':
            continue
        for agreed in line[link]:
            ordered = agreed.product_uom_qty if is_sale else agreed.product_qty
            if not ordered and not (agreed.qty_delivered if is_sale else agreed.qty_received):
                continue
            same_currency = agreed.order_id.currency_id == line.currency_id
            if is_sale:
                price = line.price_unit * (1 - line.discount / 100.0)
                right = agreed.price_unit * (1 - agreed.discount / 100.0)
                if len(line[link]) > 1 or not same_currency:
                    right = price
            else:
                price = line.price_subtotal / line.quantity if line.quantity else line.price_unit
                right = agreed.price_subtotal / agreed.product_qty if agreed.product_qty else 0.0
                right = (right or agreed.price_unit) if same_currency else price
            by_price = line.quantity * (price - right)
            if abs(by_price) > max(0.02, abs(line.quantity * right) / 1000.0):
                off = off + by_price * rate
                disputed = disputed + abs(by_price) * rate
            excess = agreed.qty_invoiced if agreed.order_id.state == 'cancel' else -agreed.qty_to_invoice
            if excess > 0:
                later = env['account.move.line'].sudo().search([
                    (link, '=' if not is_sale else 'in', agreed.id if not is_sale else agreed.ids), ('id', '>', line.id),
                    ('move_id.move_type', '=', move.move_type),
                    '|', ('move_id.state', '=', 'draft'), '&', ('move_id.state', '=', 'posted'),
                    ('move_id.payment_state', 'in', ['not_paid', 'partial', 'blocked'])], limit=1)
                if not later:
                    excess = min(excess, line.quantity)
                    too_many = too_many + excess
                    disputed = disputed + excess * abs(price) * rate
    if not disputed and move.x_ct_hold == 'invoice_mismatch':
        move.with_user(1).write({'x_ct_hold': False, 'x_ct_hold_reason': False})
""",
    condition=f"""
if record:
    money = record.company_id.currency_id
    exposure = disputed
    limit = {LIMIT}.0
    if money.compare_amounts(disputed, {LIMIT}) >= 0 and money.compare_amounts(record.x_ct_released_difference, disputed) < 0:
        why = 'Of this invoice of %s for %s, %.2f %s differ from the order or the delivery' % (
            record.partner_id.name, record.invoice_origin or 'an order', disputed, money.name)
        if off:
            why = why + ', %.2f %s %s the price agreed' % (abs(off), money.name, 'above' if off > 0 else 'below')
        if too_many:
            why = why + ', %.2f billed beyond what may be' % too_many
        why = why + '; from {LIMIT} on that needs a decision.'
""",
)
