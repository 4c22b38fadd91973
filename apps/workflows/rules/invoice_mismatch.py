"""Invoices that bill something else than was ordered and delivered: what differs, and who may have one posted all the same.

As the other limits, the rule is written twice: as SQL over mirrored rows (:data:`MATCH`) and as Odoo server-action code
(:data:`GUARD`). From :data:`LIMIT` in dispute on, Odoo refuses to post a draft, and leaves the ask for a decision behind. What
is released is this difference: an invoice that differs by more needs a new decision. One that was rejected stays held; once
nothing differs any more, Odoo lifts the hold itself as the invoice is posted, for there is nothing left to decide.
"""

from datetime import timedelta

from django.db.models import F, Q
from django.utils.translation import gettext_noop

from apps.workflows import default_policies, guard_requests, parameters, units
from apps.workflows.declare import ApprovalKind, ExceptionType, Fact, Guard, GuardFigures, OdooCall
from apps.workflows.rules import invoice_resolution, involvement, money, posted_entries

HELP = gettext_noop("From this difference to order or delivery on, before tax, an invoice or bill needs a decision.")
LIMIT = parameters.limit(name="mismatch_limit", title=gettext_noop("Invoice difference limit"), default=100, help=HELP)
KIND = "invoice_mismatch"

# Below a per mille of the line, and below two cents, a difference in price is rounding. Down payments are lines of the
# order with nothing ordered and nothing delivered: nothing there to be compared. A line that bills several lines of
# orders at once has no one price to be compared with. Later invoices are counted, not asked for with EXISTS: for a first row
# alone the planner would read all entries that there are.
# Quantities are told in the product's own unit; the line's own price is held against the price agreed for the unit of the bill,
# which may be another than the order's. How many of the product's own the bill's unit holds:
OF_BILL = units.ratio("il.product_uom_id", product="{line}.product_id", connection="il.connection_id")
# What a later line of a bill bills of the same: it bears the excess before the earlier ones.
LATER = f"GREATEST({units.own("later.quantity", "later")}, 0)"

def _match(which: str) -> str:
    """Return SQL for what the invoices ``r`` bill that was not agreed; no row where nothing differs.

    Args:
        which: SQL over ``r`` that tells which are compared at all.
    """
    return f"""
        SELECT count(*) AS differing_count, string_agg(DISTINCT d.order_name, ', ') AS order_names,
               string_agg(DISTINCT d.product, ', ') AS product_names,
               trim_scale(sum(d.quantity * d.holds)) AS billed_quantity, trim_scale(sum(d.billed)) AS all_billed_quantity,
               trim_scale(sum(d.ordered)) AS ordered_quantity,
               trim_scale(sum(d.delivered)) AS delivered_quantity, trim_scale(round(sum(d.over * d.holds), 6)) AS over_quantity,
               {money.rounded("sum(d.quantity * d.price) * d.rate", money.SMALLEST)} AS billed_price,
               {money.rounded("sum(d.quantity * d.agreed) * d.rate", money.SMALLEST)} AS ordered_price,
               {money.rounded("sum(d.price_off) * d.rate", money.SMALLEST)} AS price_difference,
               {money.rounded("sum(d.over * d.price) * d.rate", money.SMALLEST)} AS amount_over,
               {money.rounded("sum(abs(d.price_off) + abs(d.over * d.price)) * d.rate", money.SMALLEST)} AS disputed_amount
          FROM (
            SELECT b.*, CASE WHEN abs(b.quantity * (b.price - b.agreed)) > GREATEST(0.02, abs(b.quantity * b.agreed) / 1000)
                             THEN b.quantity * (b.price - b.agreed) ELSE 0 END AS price_off
              FROM (
                SELECT il.quantity, o.order_name, o.product, o.ordered, o.delivered, o.billed,
                       CASE WHEN o.is_apart THEN il.quantity
                            ELSE GREATEST(LEAST((COALESCE(o.excess, 0) - o.later) / o.holds, il.quantity), 0) END AS over,
                       o.price, COALESCE(o.agreed, o.price) AS agreed, o.holds,
                       COALESCE(abs(r.amount_total_signed) / NULLIF(abs(r.amount_total), 0), 1) AS rate
                  FROM mirror_account_move_line il
                 CROSS JOIN LATERAL (
                   SELECT so.name AS order_name, sl.name AS product, {units.own("sl.product_uom_qty", "sl")} AS ordered,
                          {units.own("sl.qty_delivered", "sl")} AS delivered, {units.own("sl.qty_invoiced", "sl")} AS billed,
                          {units.own("e.excess", "sl")} AS excess, {OF_BILL.format(line="sl")} AS holds,
                          il.price_unit * (1 - COALESCE(il.discount, 0) / 100) AS price,
                          CASE WHEN cardinality(il.sale_line_ids) = 1 AND so.currency_id = il.currency_id
                               THEN sl.price_unit * (1 - COALESCE(sl.discount, 0) / 100) / {units.ratio_of("sl")}
                                    * {OF_BILL.format(line="sl")} END AS agreed,
                          COALESCE((
                            SELECT sum({LATER}) FROM mirror_account_move_line later
                              JOIN mirror_account_move m ON m.connection_id = later.connection_id
                               AND m.odoo_id = later.move_id AND m.deleted_at IS NULL AND m.move_type = 'out_invoice'
                               AND (m.state = 'draft' OR m.state = 'posted'
                                    AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
                             WHERE later.connection_id = il.connection_id AND later.odoo_id > il.odoo_id
                               AND later.sale_line_ids @> ARRAY[sl.odoo_id] AND later.deleted_at IS NULL), 0) AS later,
                          FALSE AS is_apart
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
                   SELECT po.name, pl.name, {units.own("pl.product_qty", "pl")}, {units.own("pl.qty_received", "pl")},
                          {units.own("pl.qty_invoiced", "pl")}, {units.own("e.excess", "pl")}, {OF_BILL.format(line="pl")},
                          COALESCE(il.price_subtotal / NULLIF(il.quantity, 0), il.price_unit),
                          CASE WHEN po.currency_id = il.currency_id
                               THEN COALESCE(NULLIF(pl.price_subtotal, 0) / NULLIF(pl.product_qty, 0), pl.price_unit)
                                    / {units.ratio_of("pl")} * {OF_BILL.format(line="pl")} END,
                          COALESCE((
                            SELECT sum({LATER}) FROM mirror_account_move_line later
                              JOIN mirror_account_move m ON m.connection_id = later.connection_id
                               AND m.odoo_id = later.move_id AND m.deleted_at IS NULL AND m.move_type = 'in_invoice'
                               AND (m.state = 'draft' OR m.state = 'posted'
                                    AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
                             WHERE later.connection_id = il.connection_id AND later.odoo_id > il.odoo_id
                               AND later.purchase_line_id = pl.odoo_id AND later.deleted_at IS NULL), 0),
                          FALSE
                     FROM mirror_purchase_order_line pl
                     JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
                    CROSS JOIN LATERAL (
                      SELECT CASE WHEN po.state = 'cancel' THEN pl.qty_invoiced
                                  ELSE GREATEST(-pl.qty_to_invoice, pl.qty_invoiced - pl.product_qty) END AS excess) AS e
                    WHERE r.move_type = 'in_invoice' AND pl.connection_id = il.connection_id
                      AND pl.odoo_id = il.purchase_line_id AND pl.deleted_at IS NULL
                      AND NOT (pl.product_qty = 0 AND pl.qty_received = 0)
                   UNION ALL
                   SELECT of_orders.names, product.name, 0, 0, {units.own("il.quantity", "il")}, 0, {units.ratio_of("il")},
                          il.price_subtotal / NULLIF(il.quantity, 0), NULL, 0, TRUE
                     FROM (SELECT COALESCE(
                             (SELECT string_agg(DISTINCT so.name, ', ')
                                FROM mirror_account_move_line beside
                                JOIN mirror_sale_order_line sl ON sl.connection_id = beside.connection_id
                                 AND sl.odoo_id = ANY(beside.sale_line_ids)
                                JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
                               WHERE r.move_type = 'out_invoice' AND beside.connection_id = il.connection_id
                                 AND beside.move_id = il.move_id AND beside.deleted_at IS NULL),
                             (SELECT string_agg(DISTINCT po.name, ', ')
                                FROM mirror_account_move_line beside
                                JOIN mirror_purchase_order_line pl ON pl.connection_id = beside.connection_id
                                 AND pl.odoo_id = beside.purchase_line_id
                                JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
                               WHERE r.move_type = 'in_invoice' AND beside.connection_id = il.connection_id
                                 AND beside.move_id = il.move_id AND beside.deleted_at IS NULL)) AS names) AS of_orders
                     LEFT JOIN LATERAL (
                       SELECT t.name FROM mirror_product_product pr
                         JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
                        WHERE pr.connection_id = il.connection_id AND pr.odoo_id = il.product_id) AS product ON TRUE
                    WHERE of_orders.names IS NOT NULL AND il.price_subtotal <> 0
                      AND CASE WHEN r.move_type = 'out_invoice' THEN COALESCE(il.sale_line_ids, '{{}}') = '{{}}'
                               ELSE il.purchase_line_id IS NULL END
                 ) AS o
                 WHERE r.move_type IN ('out_invoice', 'in_invoice')
                   AND {which} AND il.connection_id = r.connection_id AND il.move_id = r.odoo_id AND il.deleted_at IS NULL
                   AND COALESCE(il.display_type, '') IN ('', 'product')
              ) AS b
          ) AS d
         WHERE d.over <> 0 OR d.price_off <> 0
         GROUP BY d.rate
    """


MATCH = Fact(
    name="match",
    columns=[
        "differing_count", "order_names", "product_names", "billed_quantity", "all_billed_quantity", "ordered_quantity",
        "delivered_quantity", "over_quantity", "billed_price", "ordered_price", "price_difference", "amount_over",
        "disputed_amount",
    ],
    sql=_match("(r.state = 'draft' OR r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked'))"),
)

# What was posted in dispute within the days of a cumulative policy, paid or not: the guard counts the same.
PEERS = f"""
    SELECT r.odoo_id, r.name AS record_name, m.disputed_amount AS amount, {posted_entries.POSTED_AT} AS at
      FROM {posted_entries.POSTED_WITHIN.format(types="'out_invoice', 'in_invoice'")}
     CROSS JOIN LATERAL ({_match("r.state = 'posted'")}) AS m
     WHERE {posted_entries.of_the_same(KIND)} AND m.disputed_amount > 0
"""


FIGURES = {
    "order_names": "Order",
    "product_names": "Product",
    "differing_count": "Differing lines",
    "billed_quantity": "On this bill",
    "all_billed_quantity": "Billed in total",
    "ordered_quantity": "Ordered",
    "delivered_quantity": "Delivered",
    "over_quantity": "Billed over the allowed amount",
    "amount_over": "Value of that quantity",
    "billed_price": "Value at the price billed",
    "ordered_price": "Value at the price ordered",
    "price_difference": "Difference in price",
    "disputed_amount": "In dispute",
}

ASKED = guard_requests.asked(KIND, "account.move", prefix="invoice_", where="r.state = 'draft'")

# Of drafts alone: nothing else is decided about.
PEOPLE = Fact(
    name="people",
    columns=[
        "invoice_owner", "invoice_owner_login", "invoice_owner_email", "invoice_maker", "mismatch_measure",
    ],
    sql="""
        SELECT COALESCE(o.name, '') AS invoice_owner, COALESCE(o.login, '') AS invoice_owner_login,
               COALESCE(o.email, '') AS invoice_owner_email, COALESCE(m.name, '') AS invoice_maker,
               COALESCE(match.disputed_amount, 0) AS mismatch_measure
          FROM (SELECT r.invoice_user_id, r.create_uid WHERE r.state = 'draft') AS own
          LEFT JOIN mirror_res_users o ON o.connection_id = r.connection_id AND o.odoo_id = own.invoice_user_id
          LEFT JOIN mirror_res_users m ON m.connection_id = r.connection_id AND m.odoo_id = own.create_uid
    """,
)

IS_DRAFT = Q(state="draft")
# What was agreed to is no dispute any more.
DIFFERS = Q(differing_count__gt=0) & ~Q(x_ct_released_difference__gte=F("disputed_amount"))
IS_HELD = Q(x_ct_hold=KIND)
# What is held stays to be decided about until nothing differs any more, be it ever so little.
BROKEN = IS_DRAFT & (
    DIFFERS & Q(invoice_ask_state="open") & (Q(disputed_amount__gte=LIMIT.column) | IS_HELD)
    # What the guard asks is asked, whatever the tower counts.
    | Q(invoice_is_asked=True)
)
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

TERMS_SQL = """
    jsonb_build_object(
      'partner', r.commercial_partner_id, 'company', r.company_id, 'currency', r.currency_id, 'type', r.move_type,
      'lines', COALESCE((
        SELECT jsonb_agg(jsonb_build_array(
                 format('%%s at %%s less %%s', COALESCE(l.product_id, 0), round(l.price_unit, 6),
                        round(COALESCE(l.discount, 0), 6)),
                 0, l.quantity, 0, 0))
          FROM mirror_account_move_line l
         WHERE l.connection_id = r.connection_id AND l.move_id = r.odoo_id AND l.deleted_at IS NULL
           AND l.display_type = 'product'), '[]'))::text
"""
# What a release names; only drafts are released.
RELEASE_TERMS = Fact(
    name="release_terms",
    columns=["move_terms"],
    sql=f"SELECT {TERMS_SQL} AS move_terms WHERE r.state = 'draft'",
)

# What was decided about is this invoice: one that has grown meanwhile needs a new decision.
THIS_DRAFT = [["state", "=", "draft"], ["amount_total", "<=", "{amount_total:number}"]]

APPROVAL = ApprovalKind(
    name=KIND,
    title="Invoice mismatch",
    requestable=("a draft invoice or bill", [["state", "=", "draft"], ["move_type", "in", ["out_invoice", "in_invoice"]]]),
    matters="{disputed_amount:money} {currency} in dispute on {order_names}",
    question="Post {record_name} with {disputed_amount:money} {currency} in dispute?",
    when=BROKEN,
    possible=IS_DRAFT & DIFFERS,
    cause="invoice_ask_cause",
    amount="disputed_amount",
    asked_by="invoice_asked_by",
    involved=["invoice_asked_uid", *involvement.OF_INVOICE],
    account_owner=("invoice_owner_login", "invoice_owner_email"),
    exception="invoice.differs",
    context={
        "partner_name": "Partner",
        **FIGURES,
        "mismatch_limit": "Approval required from",
        "open_amount": "The whole invoice",
        "invoice_owner": "Account owner",
        "invoice_asked_by": "Requested by",
    },
    figures=GuardFigures(
        measure="mismatch_measure", alone="disputed_amount", limit="mismatch_limit", asked="invoice_ask_exposure",
        asked_limit="invoice_ask_limit", is_asked="invoice_is_asked", from_limit=True, is_cumulative=True,
        outdated="invoice_ask_is_outdated",
    ),
    peers=PEERS,
    on_asked=[
        guard_requests.hold(
            KIND,
            title="Mark the invoice as held for its difference",
            reason="{counted_in_words} of it differ from the order or the delivery ({order_names}).",
            require=[["state", "=", "draft"]],
        )
    ],
    on_approval=[
        guard_requests.answer("approved", prefix="invoice_"),
        guard_requests.release(
            "x_ct_released_difference",
            title="Release the invoice with {disputed_amount:money} {currency} in dispute",
            amount="disputed_amount",
            terms="move_terms",
            require=THIS_DRAFT,
        ),
        OdooCall(title="Post the invoice", method="action_post", require=THIS_DRAFT, expect=[["state", "=", "posted"]]),
        guard_requests.note("Posted with what differs, as approved by {decided_by} in Control Tower: {counted_in_words}. {reason}"),
    ],
    on_rejection=[
        guard_requests.hold(
            KIND,
            title="Keep the invoice held, with the reason",
            reason="Rejected by {decided_by}: {reason}",
            require=[["state", "=", "draft"]],
            is_rejected=True,
        ),
        guard_requests.answer("rejected", "{decided_by}: {reason}", prefix="invoice_"),
        guard_requests.activity("Put the invoice right: rejected by {decided_by}", person="invoice_user_id", name="invoice_owner"),
        guard_requests.note("Not to be posted as it is: rejected by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[guard_requests.LIFT, guard_requests.answer("withdrawn", prefix="invoice_")],
    on_expiry=[guard_requests.answer("expired", prefix="invoice_")],
    default_policy=default_policies.policy(
        default_policies.step("Finance", ("team", "finance"), ("role", "approver"), ("role", "manager"), minutes=480),
        default_policies.step("Management", ("role", "manager"), minutes=480, from_amount=10_000),
    ),
)

# What the release of an invoice or a credit note names: a price that is above what was seen would be another invoice as well as
# one below it, so it is part of the line's identity.
TERMS = """
terms = {'partner': record.commercial_partner_id.id, 'company': record.company_id.id, 'currency': record.currency_id.id,
         'type': record.move_type, 'lines': []}
for line in record.invoice_line_ids:
    if line.display_type == 'product':
        terms['lines'].append([
            '%s at %.6f less %.6f' % (line.product_id.id or 0, line.price_unit, line.discount), 0, line.quantity, 0.0, 0.0])
"""
IDENTITY = ["partner_id", "company_id", "currency_id", "move_type"]

# The figures of MATCH, line by line. The hold is lifted as Odoo itself (user 1), which may write the tower's fields.
GUARD = Guard(
    approval=KIND,
    state_value="posted",
    release=(
        "x_ct_released_difference",
        "Difference released",
        "Control Tower released the invoice with up to this sum in dispute",
    ),
    terms=TERMS,
    identity=IDENTITY,
    subject=f"""
def difference_of(env, move):
    # What of an invoice was not agreed: by price, in quantity, the sum in dispute, and what of it is on lines of no order.
    off = 0.0
    too_many = 0.0
    disputed = 0.0
    apart = 0.0
    is_sale = move.move_type == 'out_invoice'
    link = 'sale_line_ids' if is_sale else 'purchase_line_id'
    rate = abs(move.amount_total_signed / move.amount_total) if move.amount_total else 1.0
    lines = move.invoice_line_ids
    if link not in lines._fields:
        lines = lines[:0]
    is_of_order = False
    for line in lines:
        if line.display_type == 'product' and line[link]:
            is_of_order = True
    for line in lines:
        if line.display_type != 'product':
            continue
        if is_of_order and not line[link]:
            # Beside what an order names, nobody has agreed to it.
            apart = apart + line.price_subtotal * rate
            disputed = disputed + abs(line.price_subtotal) * rate
        for agreed in line[link]:
            ordered = agreed.product_uom_qty if is_sale else agreed.product_qty
            if not ordered and not (agreed.qty_delivered if is_sale else agreed.qty_received):
                continue
            # How many of the bill's units one of the order's holds.
            holds = 1.0
            if line.product_uom_id and agreed.product_id:
                unit = agreed['product_uom_id' if 'product_uom_id' in agreed._fields else 'product_uom']
                holds = unit._compute_quantity(1.0, line.product_uom_id, round=False, raise_if_failure=False) or 1.0
            same_currency = agreed.order_id.currency_id == line.currency_id
            if is_sale:
                price = line.price_unit * (1 - line.discount / 100.0)
                right = agreed.price_unit * (1 - agreed.discount / 100.0) / holds
                if len(line[link]) > 1 or not same_currency:
                    right = price
            else:
                price = line.price_subtotal / line.quantity if line.quantity else line.price_unit
                right = agreed.price_subtotal / agreed.product_qty if agreed.product_qty else 0.0
                right = (right or agreed.price_unit) / holds if same_currency else price
            by_price = line.quantity * (price - right)
            if abs(by_price) > max(0.02, abs(line.quantity * right) / 1000.0):
                off = off + by_price * rate
                disputed = disputed + abs(by_price) * rate
            excess = -agreed.qty_to_invoice
            if agreed.order_id.state == 'cancel':
                excess = agreed.qty_invoiced
            elif not is_sale:
                # More than ordered is not agreed to by being received.
                excess = max(excess, agreed.qty_invoiced - agreed.product_qty)
            excess = excess * holds
            if excess > 0:
                # What is billed later bears it first.
                for later in env['account.move.line'].sudo().search([
                        (link, '=' if not is_sale else 'in', agreed.id if not is_sale else agreed.ids), ('id', '>', line.id),
                        ('move_id.move_type', '=', move.move_type),
                        '|', ('move_id.state', '=', 'draft'), '&', ('move_id.state', '=', 'posted'),
                        ('move_id.payment_state', 'in', ['not_paid', 'partial', 'blocked'])]):
                    billed = later.quantity
                    if later.product_uom_id and line.product_uom_id:
                        billed = later.product_uom_id._compute_quantity(
                            billed, line.product_uom_id, round=False, raise_if_failure=False)
                    excess = excess - max(billed, 0.0)
            excess = min(excess, line.quantity)
            if excess > 0:
                too_many = too_many + excess
                disputed = disputed + excess * abs(price) * rate
    return off, too_many, move.company_id.currency_id.round(round(disputed, 8)), apart
move = record.sudo()
record = env['account.move'].sudo()
if move.move_type in ['out_invoice', 'in_invoice']:
    record = move
    off, too_many, disputed, apart = difference_of(env, move)
    if not disputed and move.x_ct_hold == '{KIND}':
        move.with_user(1).write({{'x_ct_hold': False, 'x_ct_hold_reason': False}})
""",
    condition=f"""
{posted_entries.IN_ODOO.strip()}
if record:
    money = record.company_id.currency_id
    released = money.compare_amounts(released_up_to, disputed) >= 0
    others = 0.0
    named = []
    rule = False if released else cumulative_rule(env, '{KIND}', record.company_id)
    if rule:
        for other in entries_together(env, '{KIND}', record, ['out_invoice', 'in_invoice'], rule, 'x_ct_released_difference'):
            whole = difference_of(env, other)[2]
            if whole:
                others = others + whole
                named.append(other.name or 'Draft %s' % other.id)
    exposure = money.round(round(disputed + others, 8))
    measure = exposure
    limit = {LIMIT.in_odoo("record.company_id")}
    if not released and money.compare_amounts(exposure, limit) >= 0:
        why = '%s of %s for %s differs from the order or the delivery by %s' % (
            'The bill' if record.move_type == 'in_invoice' else 'The invoice', record.partner_id.name,
            record.invoice_origin or 'an order', in_words(money, disputed, exposure, named, rule))
        if off:
            why = why + ': %.*f %s %s the price agreed' % (
                money.decimal_places, abs(off), money.name, 'above' if off > 0 else 'below')
        if too_many:
            why = why + '%s %.10g billed beyond what may be' % (',' if off else ':', too_many)
        if apart:
            why = why + '%s %.*f %s on lines of no order' % (
                ',' if off or too_many else ':', money.decimal_places, apart, money.name)
        why = why + '; from %.10g on %s.' % (limit, 'together that needs a decision' if named else 'that needs a decision')
""",
)
