"""The purchase limit: what a buyer may order before somebody has to agree.

Odoo has a rule of its own (two-step validation), which leaves an order in ``to approve``; such an order is asked about as it
stands. Beyond it, the tower's guard refuses any order above :data:`LIMIT`, whether or not a company uses Odoo's rule.

What is judged is what is bought: the sum of the lines above zero, taxes included. A line below zero, a rebate or goods that go
back, takes nothing off it, so that no line hides another. Where the policy is cumulative, what was bought of the vendor, or by the
person, within its days counts with it, so that no order hides another either.
"""

from django.db.models import F, Q
from django.utils.translation import gettext_noop

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import default_policies, guard_requests, parameters
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.declare import ApprovalKind, Fact, Guard, OdooCall
from apps.workflows.rules import involvement, money

LIMIT = parameters.limit(
    name="purchase_limit",
    title=gettext_noop("Purchase limit"),
    default=10_000,
    help=gettext_noop("From this order value on, taxes included, a purchase needs an approval."),
)
KIND = "procurement_threshold"

# In the order's currency and in the company's, for orders that wait for a decision; of the others the total tells.
BOUGHT = Fact(
    name="bought",
    columns=["bought_amount", "bought_value"],
    sql=f"""
        SELECT b.amount AS bought_amount,
               {money.rounded("b.amount / COALESCE(NULLIF(r.currency_rate, 0), 1)", "b.smallest")} AS bought_value
          FROM (
            SELECT GREATEST(r.amount_total, (
                     SELECT sum(l.price_total) FROM mirror_purchase_order_line l
                      WHERE r.state IN ('draft', 'sent', 'to approve') AND l.connection_id = r.connection_id
                        AND l.order_id = r.odoo_id AND l.price_total > 0 AND l.deleted_at IS NULL)) AS amount,
                   {money.SMALLEST} AS smallest
            OFFSET 0
          ) AS b
    """,
)

ASKED = guard_requests.asked(KIND, "purchase.order", total="r.amount_total")
# Who is told what was decided.
TOLD = guard_requests.told("", owner="r.user_id")

# What it was worth in the company's currency, as the guard counted it.
WORTH = "(asked.ask_terms::jsonb ->> 'value')::numeric"
ASKED_VALUE = "asked.ask_amount / COALESCE(NULLIF(r.currency_rate, 0), 1)"

# An order that Odoo itself holds was asked about when it came into that stage; a guard leaves an ask.
ASKING = Fact(
    name="asking",
    columns=[
        "approval_cause",
        "approval_asked_by",
        "approval_asked_uid",
        "is_unconfirmed",
        "is_undecided",
        "asked_amount",
        "asked_value",
        "purchase_terms",
        "changer_id",
        "guard_asks",
    ],
    sql=f"""
        SELECT CASE WHEN r.state = 'to approve'
                    THEN {guard_requests.comes_to_wait("to approve", "procure_to_pay")}
                    ELSE asked.ask_cause END AS approval_cause,
               CASE WHEN r.state = 'to approve' THEN buyer.buyer_name ELSE asked.asked_by END AS approval_asked_by,
               asked.asked_uid AS approval_asked_uid,
               stands.is_unconfirmed, stands.is_undecided,
               CASE WHEN stands.is_undecided AND asked.ask_stands IS NOT TRUE THEN bought.bought_amount
                    ELSE asked.ask_amount END AS asked_amount,
               CASE WHEN stands.is_undecided AND asked.ask_stands IS NOT TRUE THEN bought.bought_value
                    WHEN stands.is_undecided THEN GREATEST({WORTH}, {money.rounded(ASKED_VALUE, money.SMALLEST)})
                    ELSE COALESCE({WORTH}, {money.rounded(ASKED_VALUE, money.SMALLEST)})
                    END AS asked_value,
               CASE WHEN stands.is_undecided OR asked.ask_terms IS NULL THEN (jsonb_build_object(
                      'partner', (SELECT p.commercial_partner_id FROM mirror_res_partner p
                                   WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id),
                      'company', r.company_id, 'currency', r.currency_id)
                      || CASE WHEN asked.ask_stands THEN jsonb_build_object('value', {WORTH}) ELSE '{{}}' END)::text
                    ELSE asked.ask_terms END AS purchase_terms,
               CASE WHEN NOT stands.is_undecided THEN told.told_id END AS changer_id,
               asked.is_asked AND stands.is_unconfirmed AS guard_asks
          FROM (SELECT r.state IN ('draft', 'sent') AS is_unconfirmed,
                       r.state IN ('draft', 'sent', 'to approve') AS is_undecided) AS stands
    """,
)

BROKEN = Q(state="to approve") | (
    Q(state__in=["draft", "sent"], ask_state="open")
    # What the guard asks is asked, whatever the tower counts.
    & (Q(guard_asks=True) | Q(bought_value__gte=LIMIT.column) & ~Q(x_ct_released_amount__gte=F("bought_amount")))
)
# An order that is confirmed stays as it is until somebody has agreed to the change that Odoo refused.
# One that was confirmed in another way than by what was asked needs no decision any more.
CHANGE = Q(state__in=["purchase", "done"], ask_state="open", asks_to_confirm=False)

# What was bought within the days of a cumulative policy, or waits for Odoo's own approval since before: the guard counts the same.
PEERS = statements.load(
    __file__,
    "purchase_peers",
    amount=money.rounded("b.amount / COALESCE(NULLIF(r.currency_rate, 0), 1)", "b.smallest"),
    was_asked=guard_requests.was_asked(KIND, "purchase.order"),
    smallest=money.SMALLEST,
    asked_by_the_same=guard_requests.asked_by_the_same(KIND, "purchase.order"),
)

FIGURES = {
    "asked_value": Figure("Value", figures.money),
    "company_amount": Figure("Current value", figures.money),
    "purchase_limit": Figure("Approval required from", figures.money),
    "partner_name": Figure("Vendor", figures.text),
    "bought_before": Figure("Bought from this vendor in 12 months", figures.money),
    "late_before_count": Figure("Orders of this vendor late now", figures.count),
    "waiting_orders_count": Figure("Sales orders waiting for these goods", figures.count),
    "expected_at": Figure("Expected", figures.moment),
    "buyer_name": Figure("Buyer", figures.text),
    "approval_asked_by": Figure("Requested by", figures.text),
}

# What the one who decides wants to know of the vendor; asked for no order but those that wait for a decision.
VENDOR = Fact(
    name="vendor",
    columns=["bought_before", "late_before_count", "waiting_orders_count"],
    sql=f"""
        SELECT (SELECT {money.rounded("COALESCE(sum(o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1)), 0)", money.SMALLEST)}
                  FROM mirror_purchase_order o
                 WHERE r.state IN ('draft', 'sent', 'to approve') AND o.connection_id = r.connection_id
                   AND o.partner_id = r.partner_id AND o.state IN ('purchase', 'done') AND o.deleted_at IS NULL
                   AND o.date_approve > %(now)s::timestamptz - interval '365 days') AS bought_before,
               (SELECT count(*)
                  FROM workflows_position p
                 WHERE r.state IN ('draft', 'sent', 'to approve') AND p.connection_id = r.connection_id
                   AND p.workflow = 'procure_to_pay' AND p.stage = 'late' AND p.is_open AND p.partner_id = r.partner_id)
                 AS late_before_count,
               (SELECT count(DISTINCT sl.order_id)
                  FROM mirror_purchase_order_line pl
                  JOIN mirror_stock_move m
                    ON m.connection_id = pl.connection_id AND m.product_id = pl.product_id AND m.deleted_at IS NULL
                   AND m.state IN ('waiting', 'confirmed', 'partially_available') AND m.sale_line_id IS NOT NULL
                  JOIN mirror_sale_order_line sl
                    ON sl.connection_id = m.connection_id AND sl.odoo_id = m.sale_line_id
                 WHERE r.state IN ('draft', 'sent', 'to approve') AND pl.connection_id = r.connection_id
                   AND pl.order_id = r.odoo_id AND pl.deleted_at IS NULL) AS waiting_orders_count
    """,
)

APPROVAL = ApprovalKind(
    name=KIND,
    title="Procurement threshold",
    requestable=("an order that is not cancelled", [["state", "!=", "cancel"]]),
    matters="{asked_value:money} {currency}, approval required from {purchase_limit:money}",
    question="Order {record_name} from {partner_name} for {asked_value:money} {currency}?",
    when=BROKEN | CHANGE,
    possible=Q(state__in=["draft", "sent", "to approve"]),
    cause="approval_cause",
    amount="asked_value",
    asked_by="approval_asked_by",
    involved=["approval_asked_uid", *involvement.OF_ORDER],
    account_owner=("buyer_login", "buyer_email"),
    exception="purchase.approval_stalled",
    context=FIGURES,
    figures=GuardFigures(
        measure="bought_value",
        limit="purchase_limit",
        asked="ask_exposure",
        asked_limit="ask_limit",
        is_asked="guard_asks",
        from_limit=True,
        is_cumulative=True,
        outdated="ask_is_outdated",
    ),
    peers=PEERS,
    on_asked=[
        guard_requests.hold(
            KIND,
            title="Mark the order as held for approval",
            # Without figures: a vendor may read the fields of their orders over Odoo's RPC.
            reason="The order waits for an approval.",
            require=[["state", "in", ["draft", "sent", "to approve"]]],
            only_if="is_undecided",
        )
    ],
    on_approval=[
        guard_requests.answer("approved"),
        guard_requests.release(
            "x_ct_released_amount",
            title="Release the order up to {asked_value:money} {currency}",
            amount="asked_amount",
            terms="purchase_terms",
            # What was approved is this amount: an order that has grown meanwhile needs a new decision.
            require=[["state", "!=", "cancel"], ["amount_total", "<=", "{asked_amount:number}"]],
        ),
        OdooCall(
            title="Confirm the order",
            method="button_confirm",
            only_if="is_unconfirmed",
            require=[["state", "in", ["draft", "sent"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["state", "in", ["purchase", "to approve"]]],
        ),
        OdooCall(
            title="Approve the order",
            method="button_approve",
            only_if="is_undecided",
            require=[["state", "in", ["to approve"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["state", "=", "purchase"]],
        ),
        guard_requests.activity("Change the order: approved by {decided_by}", person="changer_id", name="told_name"),
        guard_requests.note("Purchase approved by {decided_by} in Control Tower, up to {counted_in_words}. {reason}"),
    ],
    on_rejection=[
        OdooCall(
            title="Cancel the order",
            method="button_cancel",
            only_if="is_undecided",
            require=[["state", "in", ["draft", "sent", "to approve"]]],
            expect=[["state", "=", "cancel"]],
        ),
        guard_requests.answer("rejected", "{decided_by}: {reason}"),
        guard_requests.LIFT,
        guard_requests.activity("Purchase rejected by {decided_by}", person="told_id", name="told_name"),
        guard_requests.note("Purchase rejected by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[guard_requests.LIFT, guard_requests.answer("withdrawn")],
    on_expiry=[guard_requests.answer("expired")],
    default_policy=default_policies.policy(
        default_policies.step("Purchasing", ("team", "purchasing"), ("role", "approver"), ("role", "manager"), minutes=480),
        default_policies.step("Management", ("role", "manager"), minutes=480, from_amount=50_000),
    ),
)

GUARD = Guard(
    approval=KIND,
    state_value="purchase",
    release=("x_ct_released_amount", "Released up to", "Control Tower released the order up to this total"),
    terms="""
order = record.sudo()
terms = {'partner': order.partner_id.commercial_partner_id.id, 'company': order.company_id.id, 'currency': order.currency_id.id}
bought = order.currency_id.round(sum([max(line.price_total, 0.0) for line in order.order_line]))
terms['value'] = order.company_id.currency_id.round(round(max(order.amount_total, bought) / (order.currency_rate or 1.0), 8))
""",
    identity=["partner_id", "company_id", "currency_id"],
    watch=["amount_total", "partner_id", "company_id", "currency_id", "currency_rate"],
    later=["done"],
    # Goods and a rebate of the same sum leave the total as it is.
    lines=[
        (
            "purchase.order.line",
            "order_id",
            ("price_unit", "discount", "product_qty", "product_id", "product_uom_id", "tax_ids"),
        ),
    ],
    condition=f"""
order = record.sudo()
company = order.company_id
bought = 0.0
for line in order.order_line:
    bought = bought + max(line.price_total, 0.0)
amount = max(order.amount_total, order.currency_id.round(bought))
value = company.currency_id.round(round(amount / (order.currency_rate or 1.0), 8))
released = order.currency_id.compare_amounts(released_up_to, amount) >= 0
others = 0.0
named = []
rule = False if released else cumulative_rule(env, '{KIND}', company)
if rule:
    for other in env['purchase.order'].sudo().search([
            ('id', '!=', order.id), ('company_id', '=', company.id), '|', '|',
            '&', ('state', 'in', ['purchase', 'done']),
            '|', ('date_approve', '>=', rule['since']), ('create_date', '>=', rule['since']),
            '&', ('state', '=', 'to approve'), ('id', '<', order.id),
            # What was raised within the days counts as well, however long ago it was confirmed.
            '&', ('state', '!=', 'cancel'), ('id', 'in', asked_before(env, '{KIND}', order, rule['since']))]
            + of_the_same(env, '{KIND}', 'purchase.order', rule,
                          [('partner_id.commercial_partner_id', '=', order.partner_id.commercial_partner_id.id)],
                          ['user_id', 'create_uid'], [env.uid, order.user_id.id, order.create_uid.id])):
        whole = max(other.amount_total, other.currency_id.round(sum([max(line.price_total, 0.0) for line in other.order_line])))
        others = others + company.currency_id.round(round(whole / (other.currency_rate or 1.0), 8))
        named.append(other.name)
exposure = company.currency_id.round(round(value + others, 8))
measure = exposure
limit = {LIMIT.in_odoo("company")}
if not released and company.currency_id.compare_amounts(exposure, limit) >= 0:
    why = '%s is worth %s; from %.10g on %s.' % (
        order.name, in_words(company.currency_id, value, exposure, named, rule), limit,
        'together they need an approval' if named else 'an order needs an approval')
""",
)
