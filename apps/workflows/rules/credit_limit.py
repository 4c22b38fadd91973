"""The credit limit: what a customer may owe, open orders included, before somebody has to agree.

The rule is written twice, because it must hold twice: as SQL over mirrored rows, where it explains and routes, and as Odoo
server-action code, where it refuses in Odoo's own transaction. Both say: what the customer owes on posted invoices, what is
on draft invoices, what is confirmed and not yet invoiced, and this order, against the credit limit that the customer's
commercial entity has in the order's company. The customer is who is billed (``partner_invoice_id``), as for Odoo's own
``credit_to_invoice``: that is who will owe. docs/exposure.md says what counts, to the last document. The sum is rounded once,
by the currency of the company; a test on the real Odoo compares the two to its last digit.

Nothing makes room for an order but money: a draft of a credit note, or another order that comes to less than nothing, does not.
"""

from dataclasses import replace
from datetime import timedelta

from django.db.models import Q

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import days, default_policies, guard_requests, playbooks, responsible, root_causes
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.declare import ApprovalKind, Dependency, ExceptionType, Fact, Guard, OdooCall
from apps.workflows.playbooks import Shows, Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import involvement, money, over_delivery

# What is billed of a confirmed order counts among the invoices: the guard says what it would leave to be owed.
EXPOSURE = "g.open_invoices + g.draft_invoices + g.open_orders + COALESCE(g.this_owed, g.this_order)"

# Only for orders that are not confirmed: OFFSET 0 keeps the planner from drawing the query into the one around it, where it
# would be worked out first and dropped by the state afterwards. What is paid and what is invoiced is not looked at, however
# much of it there is (mirror_account_move_line's index entries_owed, mirror_sale_order's sale_orders_to_invoice).
FACT = Fact(
    name="credit",
    columns=[
        "commercial_id",
        "commercial_name",
        "credit_limit",
        "open_invoices",
        "draft_invoices",
        "open_orders",
        "this_order",
        "exposure",
        "excess",
        "overdue_amount",
        "overdue_days",
        "this_total",
    ],
    sql=statements.load(
        __file__,
        "credit",
        credit_limit=money.rounded("g.credit_limit"),
        open_invoices=money.rounded("g.open_invoices"),
        draft_invoices=money.rounded("g.draft_invoices"),
        open_orders=money.rounded("g.open_orders"),
        this_order=money.rounded("g.this_order"),
        exposure=money.rounded(EXPOSURE),
        overdue=money.rounded("g.overdue"),
        limit_in_company=money.in_company("credit_limit", "cp"),
        of_nothing_ordered=over_delivery.OF_NOTHING_ORDERED,
        smallest=money.SMALLEST,
        family=money.FAMILY,
        of_order=over_delivery.OF_ORDER,
        zoned=days.zoned(),
    ),
)

ASKED = guard_requests.asked("credit_override", "sale.order", prefix="credit_", total="r.amount_total")
# Who is told what was decided.
TOLD = guard_requests.told("credit_", owner="r.user_id")

# Orders not yet confirmed of every customer that shares a commercial entity with the one that changed: what one of
# them owes counts against the limit of all.
OPEN_ORDERS_OF_PARTNERS = """
    SELECT o.odoo_id
      FROM mirror_sale_order o
      JOIN mirror_res_partner member
        ON member.connection_id = o.connection_id AND member.odoo_id IN (o.partner_id, o.partner_invoice_id)
     WHERE o.connection_id = %(connection)s AND o.state IN ('draft', 'sent') AND o.deleted_at IS NULL
       AND member.commercial_partner_id IN (
         SELECT p.commercial_partner_id FROM mirror_res_partner p
          WHERE p.connection_id = %(connection)s AND p.odoo_id IN ({partners}))
"""

# What is confirmed and not invoiced counts in what is asked about for the same customer. Deliveries and invoices write lines all
# day: what nobody has asked about is left alone.
ASKED_OF_CUSTOMERS_OF_LINES = """
    SELECT o.odoo_id
      FROM mirror_x_ct_request a
      JOIN mirror_sale_order o ON o.connection_id = a.connection_id AND o.odoo_id = a.x_res_id
      JOIN mirror_res_partner member
        ON member.connection_id = o.connection_id AND member.odoo_id IN (o.partner_id, o.partner_invoice_id)
     WHERE a.connection_id = %(connection)s AND a.x_res_model = 'sale.order' AND a.x_kind = 'credit_override'
       AND a.x_state = 'open' AND a.deleted_at IS NULL
       AND member.commercial_partner_id IN (
         SELECT p.commercial_partner_id
           FROM mirror_sale_order_line l
           JOIN mirror_sale_order s ON s.connection_id = l.connection_id AND s.odoo_id = l.order_id
           JOIN mirror_res_partner p ON p.connection_id = s.connection_id AND p.odoo_id IN (s.partner_id, s.partner_invoice_id)
          WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s))
"""

# What kind of account it is says whether its entries are owed: orders that wait for a decision about credit rest on that.
ACCOUNTS = Dependency(
    model="account.account",
    sql="""
        SELECT a.x_res_id::bigint
          FROM mirror_x_ct_request a
         WHERE a.connection_id = %(connection)s AND a.x_res_model = 'sale.order' AND a.x_kind = 'credit_override'
           AND a.x_state = 'open' AND a.deleted_at IS NULL AND cardinality(%(ids)s::bigint[]) > 0
    """,
)

# What the guard asks is asked, whatever the tower counts. An ask without figures rests on the tower's own.
BROKEN = Q(state__in=["draft", "sent"], credit_ask_state="open") & (Q(credit_is_asked=True) | Q(excess__gt=0, credit_limit__gt=0))
# An order that is confirmed stays as it is until somebody has agreed to the change that Odoo refused.
# One that was confirmed in another way than by what was asked needs no decision any more.
CHANGE = Q(state__in=["sale", "done"], credit_ask_state="open", credit_asks_to_confirm=False)

# What is to be released: an order as it stands, or the change that was refused. After price_limits.FACT, which it names.
TERMS = Fact(
    name="credit_release",
    columns=["credit_asked_amount", "credit_terms", "is_unconfirmed", "confirms_for_credit", "changer_id"],
    sql="""
        SELECT CASE WHEN stands.is_unconfirmed THEN credit.this_total ELSE credit_asked.credit_ask_amount END
                 AS credit_asked_amount,
               CASE WHEN stands.is_unconfirmed OR credit_asked.credit_ask_terms IS NULL THEN (jsonb_build_object(
                      'partner', (SELECT p.commercial_partner_id FROM mirror_res_partner p
                                   WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id),
                      'company', r.company_id, 'currency', r.currency_id) || COALESCE((
                      SELECT jsonb_build_object('billed', b.commercial_partner_id)
                        FROM mirror_res_partner b
                        JOIN mirror_res_partner p ON p.connection_id = r.connection_id AND p.odoo_id = r.partner_id
                       WHERE b.connection_id = r.connection_id AND b.odoo_id = r.partner_invoice_id
                         AND b.commercial_partner_id <> p.commercial_partner_id), '{}')
                      || CASE WHEN credit_asked.credit_ask_stands
                              THEN jsonb_build_object('value', (credit_asked.credit_ask_terms::jsonb ->> 'value')::numeric)
                              ELSE '{}' END)::text
                    ELSE credit_asked.credit_ask_terms END AS credit_terms,
               stands.is_unconfirmed, stands.is_unconfirmed AND price.price_is_settled AS confirms_for_credit,
               CASE WHEN NOT stands.is_unconfirmed THEN credit_told.credit_told_id END AS changer_id
          FROM (SELECT r.state IN ('draft', 'sent') AS is_unconfirmed) AS stands
    """,
)

FIGURES = {
    "credit_limit": Figure("Credit limit", figures.money),
    "open_invoices": Figure("Open invoices", figures.money),
    "draft_invoices": Figure("Draft invoices", figures.money),
    "open_orders": Figure("Confirmed, not yet invoiced", figures.money),
    "this_order": Figure("This order", figures.money),
    "exposure": Figure("Exposure with this order", figures.money),
    "excess": Figure("Over the limit by", figures.money),
    "overdue_amount": Figure("Overdue", figures.money),
    "overdue_days": Figure("Days overdue, oldest", figures.days),
    "commercial_name": Figure("Customer", figures.text),
    "customer_class_names": Figure("Customer class", figures.text),
    "salesperson": Figure("Account owner", figures.text),
    "credit_asked_by": Figure("Requested by", figures.text),
    "credit_asked_at": Figure("Requested at", figures.moment),
}

EXCEPTION = ExceptionType(
    name="order.credit_hold",
    title="Credit hold",
    when=BROKEN,
    team="finance",
    due=timedelta(hours=4),
    amount="this_order",
    evidence=FIGURES,
    severity=("this_order", (2_000, 10_000, 50_000)),
    root_causes=[RootCause(kind=root_causes.CUSTOMER_CREDIT, record="commercial_id")],
    playbook=[
        playbooks.owned(),
        Step(name="overdue", title="Look at what is overdue, and since when"),
        Step(
            name="ask",
            title="Request a release above the limit, or agree on a payment with the customer",
            kind=StepKind.ACTION,
            done_when=Shows.ASKED,
        ),
        Step(name="decided", title="See what was decided", done_when=Shows.DECIDED),
        Step(name="why", title="Why did the customer get beyond the limit?", kind=StepKind.QUESTION),
    ],
    closed_because="The order is no longer held for credit",
    actions=[responsible.ask(responsible.SALES_ORDER, "have the customer pay what is overdue, or reduce the order to the limit")],
)

APPROVAL = ApprovalKind(
    name="credit_override",
    title="Credit override",
    requestable=("an order that is not cancelled", [["state", "!=", "cancel"]]),
    matters="Exposure {exposure:money} {currency} against a limit of {credit_limit:money}",
    question="Release {record_name} ({commercial_name}) above its credit limit?",
    when=BROKEN | CHANGE,
    possible=Q(state__in=["draft", "sent"]),
    cause="credit_ask_cause",
    amount="this_order",
    asked_by="credit_asked_by",
    involved=["credit_asked_uid", *involvement.OF_ORDER],
    account_owner=("salesperson_login", "salesperson_email"),
    exception="order.credit_hold",
    context=FIGURES,
    bounds=["excess"],
    figures=GuardFigures(
        measure="exposure",
        limit="credit_limit",
        excess="excess",
        asked="credit_ask_exposure",
        asked_limit="credit_ask_limit",
        is_asked="credit_is_asked",
        no_limit_is_none=True,
        outdated="credit_ask_is_outdated",
    ),
    on_asked=[
        guard_requests.hold(
            "credit_override",
            title="Mark the order as held for credit review",
            # Without figures: a customer may read the fields of their own orders over Odoo's RPC.
            reason="The order waits for a credit review.",
            require=[["state", "in", ["draft", "sent"]]],
            only_if="is_unconfirmed",
        )
    ],
    on_approval=[
        guard_requests.answer("approved", prefix="credit_"),
        guard_requests.release(
            "x_ct_released_amount",
            title="Release the order up to {this_order:money} {currency}",
            amount="credit_asked_amount",
            terms="credit_terms",
            # What was approved is this amount: an order that has grown meanwhile needs a new decision.
            require=[["state", "!=", "cancel"], ["amount_total", "<=", "{credit_asked_amount:number}"]],
        ),
        OdooCall(
            title="Confirm the order",
            method="action_confirm",
            # Otherwise the decision about the price comes next, and confirms it.
            only_if="confirms_for_credit",
            require=[["state", "in", ["draft", "sent"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["state", "=", "sale"]],
        ),
        guard_requests.activity("Change the order: approved by {decided_by}", person="changer_id", name="credit_told_name"),
        guard_requests.note(
            "Credit override approved by {decided_by} in Control Tower, up to {this_order:money} {currency}. {reason}"
        ),
    ],
    on_rejection=[
        guard_requests.hold(
            "credit_override",
            title="Keep the order held, with the reason",
            reason=guard_requests.REJECTED,
            require=[["state", "in", ["draft", "sent"]]],
            is_rejected=True,
            only_if="is_unconfirmed",
        ),
        guard_requests.answer("rejected", "{decided_by}: {reason}", prefix="credit_"),
        guard_requests.activity("Credit override rejected by {decided_by}", person="credit_told_id", name="credit_told_name"),
        guard_requests.note("Credit override rejected by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[guard_requests.LIFT, guard_requests.answer("withdrawn", prefix="credit_")],
    on_expiry=[guard_requests.answer("expired", prefix="credit_")],
    default_policy=default_policies.policy(
        default_policies.step("Credit control", ("role", "approver"), ("role", "manager"), minutes=240),
    ),
)

# Runs inside Odoo, elevated: a salesperson may not read receivables.
GUARD = Guard(
    approval="credit_override",
    state_value="sale",
    release=("x_ct_released_amount", "Released up to", "Control Tower released the order up to this total"),
    terms=f"""
{over_delivery.IN_ODOO.strip()}
order = record.sudo()
terms = {{'partner': order.partner_id.commercial_partner_id.id, 'company': order.company_id.id, 'currency': order.currency_id.id}}
beyond, unbilled = beyond_of(order)
if order.partner_invoice_id.commercial_partner_id != order.partner_id.commercial_partner_id:
    terms['billed'] = order.partner_invoice_id.commercial_partner_id.id
if is_change:
    terms['value'] = order.company_id.currency_id.round(round((order.amount_total + beyond) / (order.currency_rate or 1.0), 8))
""",
    identity=["partner_id", "partner_invoice_id", "company_id", "currency_id"],
    watch=["amount_total", "partner_id", "partner_invoice_id", "company_id", "currency_id", "currency_rate"],
    later=["done"],
    condition="""
order = record.sudo().with_company(record.company_id)
company = order.company_id
# Who is billed is who will owe.
customer = (order.partner_invoice_id or order.partner_id).commercial_partner_id.with_company(company)
amount = order.amount_total + beyond
limit = customer.credit_limit
# Odoo's own credit counts the debts to all companies below the root; what is not invoiced yet counts as far.
family = [company.id]
if 'root_id' in company._fields:
    family = env['res.company'].sudo().with_context(active_test=False).search([('id', 'child_of', company.root_id.id)]).ids
own = order.amount_total + unbilled
# What is invoiced of it stands in the customer's debts, or among the drafts, already.
for line in order.order_line:
    if line.qty_invoiced > 0 and line.product_uom_qty > 0:
        own = own - line.price_total * min(line.qty_invoiced / line.product_uom_qty, 1.0)
owed = max(own, 0.0) / (order.currency_rate or 1.0)
besides = {'owed': owed}
if not is_change:
    besides['value'] = amount / (order.currency_rate or 1.0)
exposure = customer.credit + owed
for draft in env['account.move'].sudo().search([
        ('commercial_partner_id', '=', customer.id), ('company_id', 'in', family), ('state', '=', 'draft'),
        ('move_type', '=', 'out_invoice')]):
    exposure = exposure + max(draft.amount_total_signed, 0.0)
for other in env['sale.order'].sudo().search([
        ('partner_invoice_id.commercial_partner_id', '=', customer.id), ('company_id', 'in', family), ('state', '=', 'sale'),
        ('invoice_status', '!=', 'invoiced'), ('id', '!=', order.id)]):
    still = 0.0
    for line in other.order_line:
        rest = line.product_uom_qty - line.qty_invoiced
        if line.product_uom_qty > 0:
            # What was delivered beyond what was ordered is to be invoiced as well.
            rest = max(rest, line.qty_to_invoice)
        if line.product_uom_qty and rest / line.product_uom_qty > 0:
            still = still + line.price_total * rest / line.product_uom_qty
        elif not line.product_uom_qty and line.qty_to_invoice > 0:
            still = still + line.price_unit * (1 - (line.discount or 0.0) / 100.0) * taxed_of(other) * line.qty_to_invoice
        if 'is_downpayment' in line._fields and line.is_downpayment:
            for billed in line.invoice_lines:
                if billed.move_id.state in ['draft', 'posted']:
                    still = still - billed.price_total * (-1.0 if billed.move_id.move_type == 'out_refund' else 1.0)
    exposure = exposure + max(still, 0.0) / (other.currency_rate or 1.0)
exposure = company.currency_id.round(round(exposure, 8))
measure = exposure
released = order.currency_id.compare_amounts(released_up_to, amount) >= 0
if limit > 0 and not released and company.currency_id.compare_amounts(exposure, limit) > 0:
    places = company.currency_id.decimal_places
    why = '%s %s would take %s to %.*f %s, above its credit limit of %.*f %s.' % (
        'Delivering more than was ordered on' if beyond and is_change else 'Confirming', order.name,
        customer.name, places, exposure, company.currency_id.name, places, limit, company.currency_id.name)
    if 'account_use_credit_limit' in company._fields and not company.account_use_credit_limit:
        why = why + ' (Odoo does not warn of it in %s, where its own credit limit switch is off; the limit holds.)' % company.name
if limit > 0 and not why:
    one_at_a_time(env, 'res_partner', [customer.id])
""",
)

# What is delivered changes no total of the order: a line of which more was delivered than was ordered has its order judged, once
# the transaction has written all of it, and for credit alone.
DELIVERY_GUARD = replace(
    GUARD, model="sale.order.line", watch=["qty_delivered"], subject=over_delivery.SUBJECT, is_judged_last=True
)
