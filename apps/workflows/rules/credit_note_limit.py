"""The credit note limit: what a customer may be credited, beyond what came back, before somebody has to agree.

The other half of the return authorisation (:mod:`apps.workflows.rules.return_limit`): one kind of approval with one policy, for
the goods that come back and for the money. Goods that came back were authorised as they came; what a credit note gives for
them needs nobody once more. What it gives beyond them, for goods that stay with the customer or for no goods at all, needs an
authorisation from :data:`return_limit.LIMIT` on.

A draft is asked about as soon as it is there, and again when it gives another sum; Odoo refuses to post it until the tower has
released it. The rule is written twice, as SQL over mirrored rows and as Odoo server-action code.
"""

from dataclasses import replace

from django.db.models import F, Q

from apps.workflows import asks
from apps.workflows.declare import Fact, Guard, OdooCall
from apps.workflows.rules import return_limit
from apps.workflows.say import joined, say

KIND = return_limit.APPROVAL.name

ASKED = asks.asked(
    KIND, "account.move", prefix="credit_note_", where="r.state = 'draft' AND r.move_type = 'out_refund'"
)

PRODUCTS = f"jsonb_agg(DISTINCT COALESCE(to_jsonb(t.name), {say("something else")}))"

# Of each line of an order: what came back of it, less what other credit notes gave for it. Without an order nothing came back.
CREDITED = Fact(
    name="credited",
    columns=[
        "credited_beyond", "credited_for_returns", "credited_products_names", "credited_invoice", "credit_note_cause",
        "credit_note_asker", "credit_note_limit",
    ],
    sql=f"""
        SELECT round(g.beyond * g.rate, 2) AS credited_beyond, round((g.whole - g.beyond) * g.rate, 2) AS credited_for_returns,
               g.products AS credited_products_names, origin.name AS credited_invoice,
               CASE WHEN credit_note_asked.credit_note_ask_state = 'open' THEN credit_note_asked.credit_note_ask_cause
                    ELSE concat('credit@', round(g.beyond * g.rate, 2)) END AS credit_note_cause,
               COALESCE(credit_note_asked.credit_note_asked_by, NULLIF(people.invoice_maker, ''), '{asks.SOMEBODY}')
                 AS credit_note_asker,
               {return_limit.LIMIT} AS credit_note_limit
          FROM (
            SELECT {joined(PRODUCTS)} AS products, sum(il.price_subtotal) AS whole,
                   sum(CASE WHEN il.quantity = 0 THEN il.price_subtotal
                            ELSE il.price_subtotal / il.quantity * (il.quantity - LEAST(il.quantity, back.quantity)) END)
                     AS beyond,
                   COALESCE(abs(r.amount_total_signed) / NULLIF(abs(r.amount_total), 0), 1) AS rate
              FROM mirror_account_move_line il
              LEFT JOIN mirror_product_product pr ON pr.connection_id = il.connection_id AND pr.odoo_id = il.product_id
              LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
             CROSS JOIN LATERAL (
               SELECT GREATEST(
                 COALESCE((SELECT sum(m.quantity)
                             FROM mirror_stock_move m
                             JOIN mirror_stock_picking p ON p.connection_id = m.connection_id AND p.odoo_id = m.picking_id
                              AND p.return_id IS NOT NULL AND p.picking_type_code = 'incoming' AND p.deleted_at IS NULL
                            WHERE m.connection_id = il.connection_id AND m.sale_line_id = ANY(il.sale_line_ids)
                              AND m.state = 'done' AND m.deleted_at IS NULL), 0)
                 - COALESCE((SELECT sum(o.quantity)
                               FROM mirror_account_move_line o
                               JOIN mirror_account_move n ON n.connection_id = o.connection_id AND n.odoo_id = o.move_id
                                AND n.move_type = 'out_refund' AND n.state = 'posted' AND n.deleted_at IS NULL
                              WHERE o.connection_id = il.connection_id AND o.sale_line_ids && il.sale_line_ids
                                AND o.move_id <> il.move_id AND o.deleted_at IS NULL), 0), 0) AS quantity
             ) AS back
             WHERE r.move_type = 'out_refund' AND r.state = 'draft' AND il.connection_id = r.connection_id
               AND il.move_id = r.odoo_id AND il.deleted_at IS NULL AND COALESCE(il.display_type, '') IN ('', 'product')
          ) AS g
          LEFT JOIN mirror_account_move origin
            ON origin.connection_id = r.connection_id AND origin.odoo_id = r.reversed_entry_id
         WHERE g.whole IS NOT NULL
    """,
)

IS_DRAFT_CREDIT = Q(state="draft", move_type="out_refund")
# What is held stays to be decided about until nothing is given beyond what came back, be it ever so little.
BROKEN = (
    IS_DRAFT_CREDIT
    & (
        Q(credited_beyond__gte=return_limit.LIMIT)
        | Q(x_ct_hold=KIND, credit_note_ask_state="open", credited_beyond__gt=0)
    )
    & ~Q(x_ct_released_credit__gte=F("credited_beyond"))
)

# What was authorised is this credit note: one that has grown meanwhile needs a new decision.
THIS_DRAFT = [["state", "=", "draft"], ["amount_total", "<=", "{amount_total:number}"]]

APPROVAL = replace(
    return_limit.APPROVAL,
    matters="{credited_beyond:money} {currency} for {credited_products_names}, beyond what came back",
    question="May {partner_name} be credited {credited_beyond:money} {currency} beyond what came back?",
    when=BROKEN,
    possible=IS_DRAFT_CREDIT & Q(credited_beyond__gt=0),
    cause="credit_note_cause",
    amount="credited_beyond",
    asked_by="credit_note_asker",
    involved=["credit_note_asked_login", "invoice_owner_login", "invoice_maker_login"],
    account_owner=("invoice_owner_login", "invoice_owner_email"),
    exception="",
    context={
        "partner_name": "Customer",
        "credited_invoice": "Invoice",
        "credited_products_names": "Credited for",
        "credited_beyond": "Beyond what came back",
        "credited_for_returns": "For what came back",
        "open_amount": "The whole credit note",
        "credit_note_limit": "Needs an authorisation from",
        "invoice_owner": "Looked after by",
        "credit_note_asker": "Asked by",
    },
    on_asked=[
        asks.hold(
            KIND,
            title="Mark the credit note as held for authorisation",
            reason="{credited_beyond:money} {currency} are credited beyond what came back, which needs an authorisation.",
            require=[["state", "=", "draft"]],
        )
    ],
    on_approval=[
        OdooCall(
            title="Release the credit note with {credited_beyond:money} {currency} beyond what came back",
            method="write",
            arguments={
                "vals": {"x_ct_hold": False, "x_ct_hold_reason": False, "x_ct_released_credit": "{credited_beyond:number}"}
            },
            require=THIS_DRAFT,
            expect=[["x_ct_hold", "=", False], ["x_ct_released_credit", ">=", "{credited_beyond:number}"]],
        ),
        OdooCall(title="Post the credit note", method="action_post", require=THIS_DRAFT, expect=[["state", "=", "posted"]]),
        asks.note("Credit authorised by {decided_by} in Control Tower. {reason}"),
        asks.answer("approved", prefix="credit_note_"),
    ],
    # Cancelled, and held with the reason: set back to draft, it still may not be posted.
    on_rejection=[
        asks.hold(
            KIND,
            title="Keep the credit note held, with the reason",
            reason="Rejected by {decided_by}: {reason}",
            require=[["state", "=", "draft"]],
        ),
        OdooCall(
            title="Cancel the credit note",
            method="button_cancel",
            require=[["state", "=", "draft"]],
            expect=[["state", "=", "cancel"]],
        ),
        asks.answer("rejected", "{decided_by}: {reason}", prefix="credit_note_"),
        asks.activity("Credit note refused by {decided_by}", person="invoice_user_id", name="invoice_owner"),
        asks.note("Credit refused by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[asks.LIFT, asks.answer("withdrawn", prefix="credit_note_")],
)

# The figures of CREDITED, line by line. The hold is lifted as Odoo itself (user 1), which may write the tower's fields.
GUARD = Guard(
    approval=KIND,
    state_value="posted",
    release=(
        "x_ct_released_credit",
        "Credit released",
        "Control Tower authorised a credit note that gives up to this sum beyond what came back",
    ),
    subject=f"""
move = record.sudo()
record = env['account.move'].sudo()
beyond = 0.0
if move.move_type == 'out_refund':
    record = move
    rate = abs(move.amount_total_signed / move.amount_total) if move.amount_total else 1.0
    moves = env['stock.move'].sudo() if 'stock.move' in env else False
    for line in move.invoice_line_ids:
        if line.display_type != 'product':
            continue
        kept = 1.0
        sold = line.sale_line_ids.ids if 'sale_line_ids' in line._fields else []
        if sold and line.quantity:
            back = 0.0
            if moves is not False and 'sale_line_id' in moves._fields:
                for moved in moves.search([
                    ('sale_line_id', 'in', sold), ('state', '=', 'done'), ('picking_id.return_id', '!=', False),
                    ('picking_id.picking_type_id.code', '=', 'incoming')]):
                    back = back + moved.quantity
            for other in env['account.move.line'].sudo().search([
                ('sale_line_ids', 'in', sold), ('move_id', '!=', move.id), ('move_id.move_type', '=', 'out_refund'),
                ('move_id.state', '=', 'posted')]):
                back = back - other.quantity
            kept = 1.0 - min(max(back, 0.0), line.quantity) / line.quantity
        beyond = beyond + line.price_subtotal * kept * rate
    if move.x_ct_hold == '{KIND}' and move.company_id.currency_id.compare_amounts(beyond, 0.0) <= 0:
        move.with_user(1).write({{'x_ct_hold': False, 'x_ct_hold_reason': False}})
""",
    condition=f"""
if record:
    money = record.company_id.currency_id
    exposure = beyond
    limit = {return_limit.LIMIT}.0
    if money.compare_amounts(beyond, {return_limit.LIMIT}) >= 0 and money.compare_amounts(record.x_ct_released_credit, beyond) < 0:
        why = '%s would be credited %.2f %s beyond what came back; from {return_limit.LIMIT} on that needs an authorisation.' % (
            record.partner_id.name, beyond, money.name)
""",
)
