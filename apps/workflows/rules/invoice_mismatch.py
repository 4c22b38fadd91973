"""Invoices that bill something else than was ordered and delivered: what differs, and who may have one posted all the same.

As the other limits, the rule is written twice: as SQL over mirrored rows (:data:`MATCH`) and as Odoo server-action code
(:data:`GUARD`). From :data:`LIMIT` in dispute on, Odoo refuses to post a draft, and leaves the ask for a decision behind. What
is released is this difference: an invoice that differs by more needs a new decision. One that was rejected stays held; once
nothing differs any more, Odoo lifts the hold itself as the invoice is posted, for there is nothing left to decide.
"""

from datetime import timedelta

from django.db.models import F, Q
from django.utils.translation import gettext_noop

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import default_policies, guard_requests, parameters, playbooks, responsible
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.declare import ApprovalKind, ExceptionType, Fact, Guard, OdooCall
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.rules import invoice_differences, invoice_resolution, involvement, posted_entries

LIMIT = parameters.limit(
    name="mismatch_limit",
    title=gettext_noop("Invoice difference limit"),
    default=100,
    help=gettext_noop(
        "From this difference to order or delivery on (prices before tax, and the tax), an invoice or bill needs a decision."
    ),
)
KIND = "invoice_mismatch"


MATCH = Fact(
    name="match",
    columns=[
        "differing_count",
        "order_names",
        "product_names",
        "billed_quantity",
        "all_billed_quantity",
        "ordered_quantity",
        "delivered_quantity",
        "over_quantity",
        "billed_price",
        "ordered_price",
        "price_difference",
        "billed_tax",
        "ordered_tax",
        "tax_difference",
        "tax_by_hand",
        "other_partner_names",
        "amount_over",
        "disputed_amount",
    ],
    sql=invoice_differences.match(
        "(r.state = 'draft' OR r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked'))"
    ),
)

# What was posted in dispute within the days of a cumulative policy, paid or not: the guard counts the same.
PEERS = f"""
    SELECT r.odoo_id, r.name AS record_name, m.disputed_amount AS amount, {posted_entries.POSTED_AT} AS at
      FROM {posted_entries.POSTED_WITHIN.format(types="'out_invoice', 'in_invoice'")}
     CROSS JOIN LATERAL ({invoice_differences.match("r.state = 'posted'")}) AS m
     WHERE {posted_entries.of_the_same(KIND)} AND m.disputed_amount > 0
"""


FIGURES = {
    "order_names": Figure("Order", figures.text),
    "product_names": Figure("Product", figures.text),
    "differing_count": Figure("Differing lines", figures.count),
    "billed_quantity": Figure("On this bill", figures.quantity),
    "all_billed_quantity": Figure("Billed in total", figures.quantity),
    "ordered_quantity": Figure("Ordered", figures.quantity),
    "delivered_quantity": Figure("Delivered", figures.quantity),
    "over_quantity": Figure("Billed over the allowed amount", figures.quantity),
    "amount_over": Figure("Value of that quantity", figures.money),
    "billed_price": Figure("Value at the price billed", figures.money),
    "ordered_price": Figure("Value at the price ordered", figures.money),
    "price_difference": Figure("Difference in price", figures.money),
    "billed_tax": Figure("Tax billed", figures.money),
    "ordered_tax": Figure("Tax as ordered", figures.money),
    "tax_difference": Figure("Difference in tax", figures.money),
    "tax_by_hand": Figure("Tax raised by hand", figures.money),
    "other_partner_names": Figure("Ordered with another partner", figures.text),
    "disputed_amount": Figure("In dispute", figures.money),
}

ASKED = guard_requests.asked(KIND, "account.move", prefix="invoice_", where="r.state = 'draft'")

# Who is told what was decided.
TOLD = guard_requests.told("invoice_", owner="r.invoice_user_id")

# Of drafts alone: nothing else is decided about.
PEOPLE = Fact(
    name="people",
    columns=[
        "invoice_owner",
        "invoice_owner_login",
        "invoice_owner_email",
        "invoice_maker",
        "mismatch_measure",
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
    playbook=[
        playbooks.owned(),
        Step(name="compare", title="Compare order, delivery and invoice line by line"),
        playbooks.applied("Correct the invoice, or have the difference approved"),
        Step(name="tell", title="Tell the partner what was corrected", kind=StepKind.MESSAGE),
    ],
    closed_because="The invoice agrees with the order and the delivery, was approved as it is, or is settled",
    actions=[
        invoice_resolution.CORRECT,
        invoice_resolution.CLAIM,
        responsible.ask(responsible.INVOICE, "settle with the partner what differs, or correct the invoice"),
    ],
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
        "partner_name": Figure("Partner", figures.text),
        **FIGURES,
        "mismatch_limit": Figure("Approval required from", figures.money),
        "open_amount": Figure("The whole invoice", figures.money),
        "invoice_owner": Figure("Account owner", figures.text),
        "invoice_asked_by": Figure("Requested by", figures.text),
    },
    figures=GuardFigures(
        measure="mismatch_measure",
        alone="disputed_amount",
        limit="mismatch_limit",
        asked="invoice_ask_exposure",
        asked_limit="invoice_ask_limit",
        is_asked="invoice_is_asked",
        from_limit=True,
        is_cumulative=True,
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
        guard_requests.activity(
            "Put the invoice right: rejected by {decided_by}", person="invoice_told_id", name="invoice_told_name"
        ),
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

# The hold is lifted as Odoo itself (user 1), which may write the tower's fields.
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
{invoice_differences.IN_ODOO.strip()}
move = record.sudo()
record = env['account.move'].sudo()
if move.move_type in ['out_invoice', 'in_invoice']:
    record = move
    off, too_many, disputed, apart, by_tax, by_hand, elsewhere, elsewhere_names = difference_of(env, move)
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
        places = money.decimal_places
        parts = []
        if off:
            parts.append('%.*f %s %s the price agreed' % (places, abs(off), money.name, 'above' if off > 0 else 'below'))
        if too_many:
            parts.append('%.10g billed beyond what may be' % too_many)
        if by_tax:
            parts.append('tax %.*f %s %s that of the order' % (
                places, abs(by_tax), money.name, 'above' if by_tax > 0 else 'below'))
        if by_hand:
            parts.append('tax %.*f %s above what its lines come to' % (places, by_hand, money.name))
        if elsewhere:
            parts.append('%.*f %s ordered %s %s' % (
                places, elsewhere, money.name, 'of' if record.move_type == 'in_invoice' else 'by', ', '.join(elsewhere_names)))
        if apart:
            parts.append('%.*f %s on lines of no order' % (places, apart, money.name))
        if parts:
            why = why + ': ' + ', '.join(parts)
        why = why + '; from %.10g on %s.' % (limit, 'together that needs a decision' if named else 'that needs a decision')
""",
)
