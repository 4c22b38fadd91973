"""The credit note limit: what a customer may be credited, beyond what came back, before somebody has to agree.

The other half of the return authorisation (:mod:`apps.workflows.rules.return_limit`): one kind of approval with one policy, for
the goods that come back and for the money. Goods that came back were authorised as they came; what a credit note gives for
them needs nobody once more. What it gives beyond them, for goods that stay with the customer or for no goods at all, needs an
authorisation from :data:`return_limit.LIMIT` on. Each line is judged by itself: a line below zero takes nothing off the others.

A draft is asked about as soon as it is there, and again when it gives another sum; Odoo refuses to post it until the tower has
released it. The rule is written twice, as SQL over mirrored rows and as Odoo server-action code.
"""

from dataclasses import replace
from datetime import timedelta

from django.db.models import F, Q

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import guard_requests, kits, playbooks, responsible, returned, units
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.declare import ExceptionType, Fact, Guard, OdooCall
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.rules import invoice_mismatch, involvement, money, posted_entries, return_limit, typed_tax
from apps.workflows.sql_message import joined, say

KIND = return_limit.APPROVAL.name

ASKED = guard_requests.asked(KIND, "account.move", prefix="credit_note_", where="r.state = 'draft' AND r.move_type = 'out_refund'")

# Who is told what was decided.
TOLD = guard_requests.told("credit_note_", owner="r.invoice_user_id")

PRODUCTS = f"jsonb_agg(DISTINCT COALESCE(to_jsonb(t.name), {say('something else')}))"

# What came back of line sl of an order, in its product's own unit; of a kit, the sets that its components make up.
BACK_OF_LINE = f"""
    SELECT CASE WHEN bool_or(b.is_kit) THEN {kits.sets("max(b.part)", units.own("sl.product_uom_qty", "sl"))}
                ELSE sum(b.quantity) END AS quantity
      FROM (
        SELECT {kits.is_kit("sl", "o.product_id")} AS is_kit, o.quantity,
               o.quantity / NULLIF({kits.wanted("sl", "o.product_id")}, 0) AS part
          FROM (
            SELECT m.product_id, sum({units.own("m.quantity", "m", units.MOVE)}) AS quantity
              FROM mirror_stock_move m
              JOIN mirror_stock_picking p ON p.connection_id = m.connection_id AND p.odoo_id = m.picking_id
               AND p.deleted_at IS NULL AND {returned.from_customer("p")}
             WHERE m.connection_id = sl.connection_id AND m.sale_line_id = sl.odoo_id
               AND m.state = 'done' AND m.deleted_at IS NULL
             GROUP BY m.product_id
          ) AS o
      ) AS b
"""

# What of line sl of an order has gone out beyond what was billed, or else ordered: it was sent once more for what came back.
SENT_AGAIN = f"""
    GREATEST(
      COALESCE((SELECT sum({units.own("m.quantity", "m", units.MOVE)})
                  FROM mirror_stock_move m
                 WHERE m.connection_id = sl.connection_id AND m.sale_line_id = sl.odoo_id AND m.product_id = sl.product_id
                   AND m.state = 'done' AND m.deleted_at IS NULL AND {returned.place_is("customer", "location_dest_id", "m")}
                   AND NOT {returned.place_is("customer", "location_id", "m")}), 0)
      - COALESCE((SELECT sum({units.own("b.quantity", "b")})
                    FROM mirror_account_move_line b
                    JOIN mirror_account_move bill ON bill.connection_id = b.connection_id AND bill.odoo_id = b.move_id
                     AND bill.move_type = 'out_invoice' AND bill.state = 'posted' AND bill.deleted_at IS NULL
                   WHERE b.connection_id = sl.connection_id AND b.sale_line_ids @> ARRAY[sl.odoo_id] AND b.quantity > 0
                     AND b.deleted_at IS NULL), {units.own("sl.product_uom_qty", "sl")}), 0)
"""

# What one of the unit of line il was billed at, or else ordered at, in the currency of the credit note r.
RATE_OF = "COALESCE(abs({move}.amount_total_signed) / NULLIF(abs({move}.amount_total), 0), 1)"
AGREED_PRICE = f"""
    COALESCE(
      (SELECT max(b.price_subtotal / NULLIF({units.own("b.quantity", "b")}, 0)
                  * CASE WHEN bill.currency_id = r.currency_id THEN 1
                         ELSE {RATE_OF.format(move="bill")} / {RATE_OF.format(move="r")} END)
         FROM mirror_account_move_line b
         JOIN mirror_account_move bill ON bill.connection_id = b.connection_id AND bill.odoo_id = b.move_id
          AND bill.move_type = 'out_invoice' AND bill.state = 'posted' AND bill.deleted_at IS NULL
        WHERE b.connection_id = il.connection_id AND b.sale_line_ids && il.sale_line_ids AND b.quantity > 0
          AND b.deleted_at IS NULL),
      (SELECT max(sl.price_subtotal / NULLIF({units.own("sl.product_uom_qty", "sl")}, 0)
                  * CASE WHEN so.currency_id = r.currency_id THEN 1
                         ELSE 1 / COALESCE(NULLIF(so.currency_rate, 0), 1) / {RATE_OF.format(move="r")} END)
         FROM mirror_sale_order_line sl
         JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
        WHERE sl.connection_id = il.connection_id AND sl.odoo_id = ANY(il.sale_line_ids) AND sl.deleted_at IS NULL),
      il.price_subtotal / il.quantity / {units.ratio_of("il")}) * {units.ratio_of("il")}"""

# Whether the credit note is a draft, or posted and not yet paid out or set against an invoice.
IS_OPEN = "(r.state = 'draft' OR r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked'))"


def _credited(which: str) -> str:
    """Return SQL for what the credit notes ``r`` give, and what of it beyond what came back.

    Of each line of an order: what came back of it and was not sent again, less what other credit notes, and earlier lines of the
    same, gave for it, at the price at which it was billed.
    Without an order nothing came back. Of several that are posted, what came back covers the earliest first.

    Args:
        which: SQL over ``r`` that tells which are looked at at all.
    """
    return statements.load(
        __file__,
        "credited",
        whole=money.rounded("s.whole * s.rate", "s.smallest"),
        beyond=money.rounded("(s.beyond + typed.raised) * s.rate", "s.smallest"),
        products=joined(PRODUCTS),
        agreed_price=AGREED_PRICE,
        rate=RATE_OF.format(move="r"),
        smallest=money.SMALLEST,
        sent_again=SENT_AGAIN,
        back_of_line=BACK_OF_LINE,
        credited=units.own("o.quantity", "o"),
        ratio=units.ratio_of("il"),
        which=which,
        raised=typed_tax.RAISED,
    )


CREDITED = Fact(
    name="credited",
    columns=[
        "credited_beyond",
        "credited_for_returns",
        "credited_products_names",
        "credited_invoice",
        "credit_note_cause",
        "credit_note_asker",
        "credit_note_limit",
        "credit_note_measure",
    ],
    unwatched=[returned.PLACES, returned.TRANSFERS],
    sql=f"""
        SELECT g.beyond AS credited_beyond, g.whole - g.beyond AS credited_for_returns, g.beyond AS credit_note_measure,
               g.products AS credited_products_names, origin.name AS credited_invoice,
               CASE WHEN credit_note_asked.credit_note_ask_state = 'open' THEN credit_note_asked.credit_note_ask_cause
                    ELSE concat('credit@', g.beyond) END AS credit_note_cause,
               COALESCE(credit_note_asked.credit_note_asked_by, NULLIF(people.invoice_maker, ''), '{guard_requests.SOMEBODY}')
                 AS credit_note_asker,
               {return_limit.LIMIT.sql} AS credit_note_limit
          FROM ({_credited(IS_OPEN)}) AS g
          LEFT JOIN mirror_account_move origin
            ON origin.connection_id = r.connection_id AND origin.odoo_id = r.reversed_entry_id
         WHERE g.whole IS NOT NULL
    """,
)

# What was credited within the days of a cumulative policy, each as it stood against the notes before it: the guard counts the same.
PEERS = f"""
    SELECT r.odoo_id, r.name AS record_name, g.beyond AS amount, {posted_entries.POSTED_AT} AS at
      FROM {posted_entries.POSTED_WITHIN.format(types="'out_refund'")}
     CROSS JOIN LATERAL ({_credited("r.state = 'posted'")}) AS g
     WHERE {posted_entries.of_the_same(KIND)} AND g.beyond > 0
"""

IS_DRAFT_CREDIT = Q(state="draft", move_type="out_refund")
# What is held stays to be decided about until nothing is given beyond what came back, be it ever so little.
BROKEN = (
    IS_DRAFT_CREDIT
    & (
        Q(credited_beyond__gte=return_limit.LIMIT.column)
        # What the guard asks is asked, whatever the tower counts.
        | Q(credit_note_is_asked=True)
        | Q(x_ct_hold=KIND, credit_note_ask_state="open", credited_beyond__gt=0)
    )
    & ~Q(x_ct_released_credit__gte=F("credited_beyond"))
)

# Posted where no guard was, or by somebody whom it let pass: seen until it is settled. A draft is asked about.
FOR_NOTHING = ExceptionType(
    name="invoice.credit_for_nothing",
    title="Credit exceeds return",
    when=Q(state="posted", move_type="out_refund", payment_state__in=["not_paid", "partial", "blocked"])
    & Q(credited_beyond__gte=return_limit.LIMIT.column)
    & ~Q(x_ct_released_credit__gte=F("credited_beyond")),
    team="finance",
    due=timedelta(hours=16),
    amount="credited_beyond",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "credited_invoice": Figure("Invoice", figures.text),
        "credited_products_names": Figure("Credited for", figures.text),
        "credited_beyond": Figure("Exceeds the returned quantity", figures.money),
        "credited_for_returns": Figure("For the returned quantity", figures.money),
        "credit_note_limit": Figure("Authorisation required from", figures.money),
        "invoice_owner": Figure("Account owner", figures.text),
    },
    severity=("credited_beyond", (1_000, 5_000, 25_000)),
    closed_because="The credit note was settled, reversed or authorised, or the goods were returned",
    actions=[responsible.ask(responsible.INVOICE, "say what the customer was credited for, or reverse the credit note")],
    playbook=[
        playbooks.owned(),
        Step(name="compare", title="Compare the credit note with what came back"),
        playbooks.applied("Have it corrected or withdrawn"),
        Step(name="why", title="What was it credited for?", kind=StepKind.QUESTION),
    ],
)

# What was authorised is this credit note: one that has grown meanwhile needs a new decision.
THIS_DRAFT = [["state", "=", "draft"], ["amount_total", "<=", "{amount_total:number}"]]

APPROVAL = replace(
    return_limit.APPROVAL,
    menu="credit note",
    requestable=("a draft credit note", [["state", "=", "draft"], ["move_type", "=", "out_refund"]]),
    matters="{credited_beyond:money} {currency} for {credited_products_names}, more than was returned",
    question="Credit {partner_name} {credited_beyond:money} {currency} more than was returned?",
    when=BROKEN,
    possible=IS_DRAFT_CREDIT & Q(credited_beyond__gt=0),
    cause="credit_note_cause",
    amount="credited_beyond",
    asked_by="credit_note_asker",
    involved=["credit_note_asked_uid", *involvement.OF_INVOICE],
    account_owner=("invoice_owner_login", "invoice_owner_email"),
    exception="",
    context={
        "partner_name": Figure("Customer", figures.text),
        "credited_invoice": Figure("Invoice", figures.text),
        "credited_products_names": Figure("Credited for", figures.text),
        "credited_beyond": Figure("Exceeds the returned quantity", figures.money),
        "credited_for_returns": Figure("For the returned quantity", figures.money),
        "open_amount": Figure("The whole credit note", figures.money),
        "credit_note_limit": Figure("Authorisation required from", figures.money),
        "invoice_owner": Figure("Account owner", figures.text),
        "credit_note_asker": Figure("Requested by", figures.text),
    },
    figures=GuardFigures(
        measure="credit_note_measure",
        alone="credited_beyond",
        limit="credit_note_limit",
        asked="credit_note_ask_exposure",
        asked_limit="credit_note_ask_limit",
        is_asked="credit_note_is_asked",
        from_limit=True,
        is_cumulative=True,
        outdated="credit_note_ask_is_outdated",
    ),
    peers=PEERS,
    on_asked=[
        guard_requests.hold(
            KIND,
            title="Mark the credit note as held for authorisation",
            reason="{counted_in_words} are credited beyond what came back, which needs an authorisation.",
            require=[["state", "=", "draft"]],
        )
    ],
    on_approval=[
        guard_requests.answer("approved", prefix="credit_note_"),
        guard_requests.release(
            "x_ct_released_credit",
            title="Release the credit note with {credited_beyond:money} {currency} more than was returned",
            amount="credited_beyond",
            terms="move_terms",
            require=THIS_DRAFT,
        ),
        OdooCall(title="Post the credit note", method="action_post", require=THIS_DRAFT, expect=[["state", "=", "posted"]]),
        guard_requests.note(
            "Credit authorised by {decided_by} in Control Tower, beyond what came back: {counted_in_words}. {reason}"
        ),
    ],
    # Cancelled, and held with the reason: set back to draft, it still may not be posted.
    on_rejection=[
        guard_requests.hold(
            KIND,
            title="Keep the credit note held, with the reason",
            reason="Rejected by {decided_by}: {reason}",
            require=[["state", "=", "draft"]],
            is_rejected=True,
        ),
        OdooCall(
            title="Cancel the credit note",
            method="button_cancel",
            require=[["state", "=", "draft"]],
            expect=[["state", "=", "cancel"]],
        ),
        guard_requests.answer("rejected", "{decided_by}: {reason}", prefix="credit_note_"),
        guard_requests.activity("Credit note refused by {decided_by}", person="credit_note_told_id", name="credit_note_told_name"),
        guard_requests.note("Credit refused by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[guard_requests.LIFT, guard_requests.answer("withdrawn", prefix="credit_note_")],
    on_expiry=[guard_requests.answer("expired", prefix="credit_note_")],
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
    terms=invoice_mismatch.TERMS,
    identity=invoice_mismatch.IDENTITY,
    subject=f"""
{kits.IN_ODOO.strip()}
{typed_tax.IN_ODOO.strip()}
def agreed_price(env, move, line, sold, rate):
    # What one of the line's unit was billed at, or else ordered at, in the currency of the credit note.
    found = False
    for other in env['account.move.line'].sudo().search([
        ('sale_line_ids', 'in', sold), ('move_id.move_type', '=', 'out_invoice'), ('move_id.state', '=', 'posted'),
        ('quantity', '>', 0)]):
        quantity = other.quantity
        if other.product_uom_id and other.product_id:
            quantity = other.product_uom_id._compute_quantity(
                quantity, other.product_id.uom_id, round=False, raise_if_failure=False)
        one = other.price_subtotal / quantity
        invoice = other.move_id
        if invoice.currency_id != move.currency_id:
            one = one * (abs(invoice.amount_total_signed / invoice.amount_total) if invoice.amount_total else 1.0) / rate
        found = one if found is False else max(found, one)
    if found is False:
        for ordered in env['sale.order.line'].sudo().browse(sold):
            unit = ordered['product_uom_id' if 'product_uom_id' in ordered._fields else 'product_uom']
            quantity = ordered.product_uom_qty
            if unit and ordered.product_id:
                quantity = unit._compute_quantity(quantity, ordered.product_id.uom_id, round=False, raise_if_failure=False)
            if quantity:
                one = ordered.price_subtotal / quantity
                if ordered.order_id.currency_id != move.currency_id:
                    one = one / (ordered.order_id.currency_rate or 1.0) / rate
                found = one if found is False else max(found, one)
    if found is False:
        return line.price_subtotal / line.quantity
    if line.product_uom_id and line.product_id:
        return found * line.product_uom_id._compute_quantity(
            1.0, line.product_id.uom_id, round=False, raise_if_failure=False)
    return found
def sent_again(env, ordered, moves):
    # What of an order's line has gone out beyond what was billed, or else ordered: it was sent once more for what came back.
    out = 0.0
    for moved in moves.search([
            ('sale_line_id', '=', ordered.id), ('product_id', '=', ordered.product_id.id), ('state', '=', 'done'),
            ('location_dest_id.usage', '=', 'customer'), ('location_id.usage', '!=', 'customer')]):
        out = out + moved.product_uom._compute_quantity(
            moved.quantity, moved.product_id.uom_id, round=False, raise_if_failure=False)
    if not out:
        return 0.0
    billed = False
    for other in env['account.move.line'].sudo().search([
            ('sale_line_ids', 'in', ordered.ids), ('move_id.move_type', '=', 'out_invoice'), ('move_id.state', '=', 'posted'),
            ('quantity', '>', 0)]):
        quantity = other.quantity
        if other.product_uom_id and other.product_id:
            quantity = other.product_uom_id._compute_quantity(
                quantity, other.product_id.uom_id, round=False, raise_if_failure=False)
        billed = (billed or 0.0) + quantity
    if billed is False:
        unit = ordered['product_uom_id' if 'product_uom_id' in ordered._fields else 'product_uom']
        billed = unit._compute_quantity(ordered.product_uom_qty, ordered.product_id.uom_id, round=False, raise_if_failure=False)
    return max(out - billed, 0.0)
def credited_beyond(env, move, is_before):
    # What a credit note gives beyond what came back, less what other credit notes, or those before it, gave for the same.
    beyond = 0.0
    rate = abs(move.amount_total_signed / move.amount_total) if move.amount_total else 1.0
    moves = env['stock.move'].sudo() if 'stock.move' in env else False
    for line in move.invoice_line_ids:
        if line.display_type != 'product':
            continue
        covered = 0.0
        sold = line.sale_line_ids.ids if 'sale_line_ids' in line._fields else []
        if sold and line.quantity > 0:
            back = 0.0
            kits = {{}}
            if moves is not False and 'sale_line_id' in moves._fields:
                for moved in moves.search([
                    ('sale_line_id', 'in', sold), ('state', '=', 'done'),
                    '|', '&', ('picking_id.location_id.usage', '=', 'customer'),
                    ('picking_id.location_dest_id.usage', '!=', 'customer'),
                    '&', '&', ('picking_id.picking_type_id.code', '=', 'incoming'), ('picking_id.return_id', '!=', False),
                    ('picking_id.location_id.usage', '!=', 'supplier')]):
                    quantity = moved.product_uom._compute_quantity(
                        moved.quantity, moved.product_id.uom_id, round=False, raise_if_failure=False)
                    item = (moved.sale_line_id.id, moved.product_id.id)
                    if moved.sale_line_id.product_id and moved.sale_line_id.product_id != moved.product_id:
                        kits[item] = kits.get(item, 0.0) + quantity
                    else:
                        back = back + quantity
                sets_of = sets_of_kits(env, kits)
                for sold_id in sets_of:
                    back = back + sets_of[sold_id][0]
                for ordered in env['sale.order.line'].sudo().browse(sold):
                    back = back - sent_again(env, ordered, moves)
            for other in env['account.move.line'].sudo().search([
                ('sale_line_ids', 'in', sold), ('move_id', '!=', move.id), ('move_id.move_type', '=', 'out_refund'),
                ('move_id.state', '=', 'posted')] + ([('move_id', '<', move.id)] if is_before else [])):
                back = back - (other.product_uom_id._compute_quantity(
                    other.quantity, other.product_id.uom_id, round=False, raise_if_failure=False)
                    if other.product_uom_id and other.product_id else other.quantity)
            for earlier in move.invoice_line_ids:
                if earlier.id < line.id and earlier.sale_line_ids & line.sale_line_ids:
                    back = back - max(earlier.product_uom_id._compute_quantity(
                        earlier.quantity, earlier.product_id.uom_id, round=False, raise_if_failure=False)
                        if earlier.product_uom_id and earlier.product_id else earlier.quantity, 0.0)
            if line.product_uom_id and line.product_id:
                back = line.product_id.uom_id._compute_quantity(
                    back, line.product_uom_id, round=False, raise_if_failure=False)
            price = min(line.price_subtotal / line.quantity, agreed_price(env, move, line, sold, rate))
            covered = min(max(back, 0.0), line.quantity) * price
        beyond = beyond + max((line.price_subtotal - covered) * rate, 0.0)
    return move.company_id.currency_id.round(round(beyond + tax_by_hand(move) * rate, 8))
move = record.sudo()
record = env['account.move'].sudo()
if move.move_type == 'out_refund':
    record = move
    beyond = credited_beyond(env, move, False)
    if move.x_ct_hold == '{KIND}' and move.company_id.currency_id.compare_amounts(beyond, 0.0) <= 0:
        move.with_user(1).write({{'x_ct_hold': False, 'x_ct_hold_reason': False}})
""",
    condition=f"""
{posted_entries.IN_ODOO.strip()}
if record:
    money = record.company_id.currency_id
    released = money.compare_amounts(released_up_to, beyond) >= 0
    others = 0.0
    named = []
    rule = cumulative_rule(env, '{KIND}', record.company_id) if beyond > 0 and not released else False
    if rule:
        for other in entries_together(env, '{KIND}', record, ['out_refund'], rule, 'x_ct_released_credit'):
            whole = credited_beyond(env, other, True)
            if whole > 0:
                others = others + whole
                named.append(other.name or 'Draft %s' % other.id)
    exposure = money.round(round(beyond + others, 8))
    measure = exposure
    limit = {return_limit.LIMIT.in_odoo("record.company_id")}
    if not released and money.compare_amounts(exposure, limit) >= 0:
        why = '%s would be credited %s beyond what came back; from %.10g on %s.' % (
            record.partner_id.name, in_words(money, beyond, exposure, named, rule), limit,
            'together that needs an authorisation' if named else 'that needs an authorisation')
""",
)
