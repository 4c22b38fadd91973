"""The price limits: which discount and which margin a salesperson may give away before somebody has to agree.

As the credit limit, the rule is written twice: as SQL over mirrored rows and as Odoo server-action code. Both judge line by
line; no line makes good what another gives away. Sections and notes have no price, and down payments no quantity.

Discount, the greater of

- of each line, its discount beyond :data:`MOST_DISCOUNT`, times its list value;
- of the order, all discounts and whatever its negative lines take off (a price or a quantity below zero, a "discount"
  product, a reward), beyond :data:`MOST_DISCOUNT` of the list value of the lines that are sold.

Margin, where a line costs what stands on it, or what the product costs where that is more (whoever sells may write another cost
on the line), the greater of

- of each line, what it is sold for below its cost;
- of the order, what is missing to :data:`LEAST_MARGIN` of its untaxed amount. A line earns at most what it is sold for: neither
  a cost below zero nor goods that are taken back raise the margin.

The greater of discount and margin is what the order concedes. What was approved is that sum: an order that concedes more
later needs a new decision. Steps and people's limits meet what the order is worth, or what it concedes where that is more: the
less is left of a price, the more is decided about.

Where Odoo keeps no margin (``sale_margin`` is not installed) discounts alone count.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import default_policies, guard_requests, parameters, playbooks, responsible, units
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.declare import ApprovalKind, Dependency, ExceptionType, Fact, Guard, OdooCall
from apps.workflows.playbooks import Shows, Step, StepKind
from apps.workflows.rules import involvement, money
from apps.workflows.sql_message import joined, say

MOST_DISCOUNT = parameters.percent(
    name="most_discount_percent",
    title=gettext_noop("Maximum discount"),
    default=20,
    help=gettext_noop("What a line, or an order as a whole, gives off beyond this needs an approval."),
)
LEAST_MARGIN = parameters.percent(
    name="least_margin_percent",
    title=gettext_noop("Minimum margin"),
    default=10,
    help=gettext_noop("An order that earns less of its untaxed amount needs an approval."),
)

ASKED = guard_requests.asked("pricing_exception", "sale.order", prefix="pricing_", total="r.amount_total")
# Who is told what was decided.
TOLD = guard_requests.told("pricing_", owner="COALESCE(credit_told.credit_told_id, r.user_id)")

# A cost on a line that is less than the product's by no more than this is the same one, converted to other units or currencies.
AS_GOOD_AS = 1.00001

EARNED = "r.margin - t.overstated - t.understated"
GIVEN = f"GREATEST(t.beyond, t.discounts + t.taken_off - t.list_value * {MOST_DISCOUNT.sql} / 100, 0) / g.rate"
DISCOUNTED = say("{product} ({discount:quantity} % off)", product="l.name", discount="l.discount")
DISCOUNTED_LINES = f"""jsonb_agg({DISCOUNTED} ORDER BY l.discount DESC)
                     FILTER (WHERE l.list_value > 0 AND l.discount > {MOST_DISCOUNT.sql})"""

# Only for orders that are not confirmed: for the others the lines are never read.
FACT = Fact(
    name="price",
    columns=[
        "discount_given",
        "margin_short",
        "conceded",
        "deepest_discount_percent",
        "order_margin",
        "order_margin_percent",
        "discounted_names",
        "price_is_settled",
        "released_concession",
    ],
    sql=statements.load(
        __file__,
        "price",
        discount_given=money.rounded(GIVEN),
        margin_short=money.rounded(f"""GREATEST(
                          GREATEST(r.amount_untaxed, 0) * {LEAST_MARGIN.sql} / 100 - ({EARNED}), t.below_cost, 0
                        ) / g.rate"""),
        order_margin=money.rounded(f"({EARNED}) / g.rate"),
        earned=EARNED,
        smallest=money.SMALLEST,
        most_discount=MOST_DISCOUNT.sql,
        names=joined(DISCOUNTED_LINES),
        as_good_as=AS_GOOD_AS,
        cost=money.in_company("standard_price", "pr"),
        ratio=units.ratio_of("o"),
    ),
)

# Orders that wait for a decision about their price are looked at again when what they sell costs more or less.
COSTS = Dependency(
    model="product.product",
    sql="""
        SELECT DISTINCT l.order_id
          FROM mirror_x_ct_request a
          JOIN mirror_sale_order_line l ON l.connection_id = a.connection_id AND l.order_id = a.x_res_id
         WHERE a.connection_id = %(connection)s AND a.x_res_model = 'sale.order' AND a.x_kind = 'pricing_exception'
           AND a.x_state = 'open' AND a.deleted_at IS NULL AND l.product_id = ANY(%(ids)s)
    """,
)

# Who asked, and when: for the price, or for the confirmation that credit held up first.
ASKING = Fact(
    name="price_asking",
    columns=["price_cause", "price_asked_by", "price_asked_at"],
    sql="""
        SELECT COALESCE(pricing_asked.pricing_ask_cause, credit_asked.credit_ask_cause) AS price_cause,
               COALESCE(pricing_asked.pricing_asked_by, credit_asked.credit_asked_by) AS price_asked_by,
               COALESCE(pricing_asked.pricing_asked_at, credit_asked.credit_asked_at) AS price_asked_at
    """,
)

# Who asked for a confirmation that credit held up, and got it, has asked for this as well.
BROKEN = Q(state__in=["draft", "sent"]) & (
    Q(price_is_settled=False) & (Q(pricing_ask_state="open") | Q(credit_ask_state="approved", pricing_ask_state__isnull=True))
    # What the guard asks is asked, whatever the tower counts.
    | Q(pricing_is_asked=True)
)

# An order that is confirmed stays as it is until somebody has agreed to the change that Odoo refused.
# One that was confirmed in another way than by what was asked needs no decision any more.
CHANGE = Q(state__in=["sale", "done"], pricing_ask_state="open", pricing_asks_to_confirm=False)

# What is to be released: an order as it stands, or the change that was refused.
ASKED_VALUE = "pricing_asked.pricing_ask_amount / COALESCE(NULLIF(r.currency_rate, 0), 1)"

# What it was worth in the company's currency, as the guard counted it.
WORTH = "(pricing_asked.pricing_ask_terms::jsonb ->> 'worth')::numeric"

TERMS = Fact(
    name="price_release",
    columns=["price_terms", "asked_concession", "price_asked_value", "price_changer_id"],
    sql=f"""
        SELECT CASE WHEN stands.is_unconfirmed OR pricing_asked.pricing_ask_terms IS NULL THEN jsonb_build_object(
                      'partner', (SELECT p.commercial_partner_id FROM mirror_res_partner p
                                   WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id),
                      'company', r.company_id, 'currency', r.currency_id,
                      'lines', COALESCE((
                        SELECT jsonb_agg(jsonb_build_array(
                                 COALESCE(l.product_id, 0), COALESCE(l.product_uom_id, 0), l.product_uom_qty, l.price_unit,
                                 COALESCE(l.discount, 0)))
                          FROM mirror_sale_order_line l
                         WHERE l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL
                           AND l.product_uom_qty <> 0), '[]'))::text
                    ELSE pricing_asked.pricing_ask_terms END AS price_terms,
               CASE WHEN stands.is_unconfirmed THEN price.conceded ELSE pricing_asked.pricing_ask_exposure END
                 AS asked_concession,
               CASE WHEN stands.is_unconfirmed
                    THEN GREATEST(CASE WHEN pricing_asked.pricing_ask_stands
                                       THEN {money.rounded(f"GREATEST({WORTH}, {ASKED_VALUE})", money.SMALLEST)}
                                       ELSE money.company_amount END, price.conceded)
                    ELSE GREATEST({money.rounded(ASKED_VALUE, money.SMALLEST)}, pricing_asked.pricing_ask_exposure) END
                 AS price_asked_value,
               CASE WHEN NOT stands.is_unconfirmed THEN pricing_told.pricing_told_id END AS price_changer_id
          FROM (SELECT r.state IN ('draft', 'sent') AS is_unconfirmed) AS stands
         WHERE stands.is_unconfirmed OR pricing_asked.pricing_ask_state = 'open'
    """,
)

FIGURES = {
    "company_amount": Figure("This order", figures.money),
    "order_margin": Figure("Margin", figures.money),
    "order_margin_percent": Figure("Margin (%)", figures.percent),
    "least_margin_percent": Figure("Minimum margin", figures.percent),
    "deepest_discount_percent": Figure("Highest discount", figures.percent),
    "most_discount_percent": Figure("Maximum discount", figures.percent),
    "discount_given": Figure("Excess discount", figures.money),
    "margin_short": Figure("Shortfall to minimum margin", figures.money),
    "conceded": Figure("Conceded beyond policy", figures.money),
    "discounted_names": Figure("Lines beyond policy", figures.text),
    "partner_name": Figure("Customer", figures.text),
    "customer_class_names": Figure("Customer class", figures.text),
    "salesperson": Figure("Account owner", figures.text),
    "price_asked_by": Figure("Requested by", figures.text),
    "price_asked_at": Figure("Requested at", figures.moment),
}

EXCEPTION = ExceptionType(
    name="order.price_breach",
    title="Margin or discount breach",
    when=BROKEN,
    team="sales",
    due=timedelta(hours=8),
    amount="company_amount",
    evidence=FIGURES,
    severity=("conceded", (500, 2_500, 10_000)),
    playbook=[
        playbooks.owned(),
        Step(name="figures", title="Compare price, cost and discount line by line"),
        Step(name="decided", title="Have it approved, or correct the prices", kind=StepKind.ACTION, done_when=Shows.DECIDED),
    ],
    closed_because="The order is no longer held for its price",
    actions=[responsible.ask(responsible.SALES_ORDER, "correct the prices, or say why they are right")],
)

APPROVAL = ApprovalKind(
    name="pricing_exception",
    title="Pricing exception",
    requestable=("an order that is not cancelled", [["state", "!=", "cancel"]]),
    matters="Margin {order_margin_percent:quantity} %, {asked_concession:money} {currency} conceded beyond policy",
    question="Sell {record_name} ({partner_name}) {asked_concession:money} {currency} below the price limits?",
    when=BROKEN | CHANGE,
    possible=Q(state__in=["draft", "sent"]),
    cause="price_cause",
    amount="price_asked_value",
    asked_by="price_asked_by",
    involved=["pricing_asked_uid", "credit_asked_uid", *involvement.OF_ORDER],
    account_owner=("salesperson_login", "salesperson_email"),
    exception="order.price_breach",
    context={
        "price_asked_value": Figure("Subject of the decision", figures.money),
        "asked_concession": Figure("Concession", figures.money),
        **FIGURES,
    },
    bounds=["asked_concession"],
    figures=GuardFigures(
        measure="conceded",
        limit="released_concession",
        asked="pricing_ask_exposure",
        asked_limit="pricing_ask_limit",
        is_asked="pricing_is_asked",
        outdated="pricing_ask_is_outdated",
        alone="asked_concession",
    ),
    on_asked=[
        guard_requests.hold(
            "pricing_exception",
            title="Mark the order as held for its price",
            # Without figures: a customer may read the fields of their own orders over Odoo's RPC.
            reason="The order waits for a price review.",
            require=[["state", "in", ["draft", "sent"]]],
            only_if="is_unconfirmed",
        )
    ],
    on_approval=[
        guard_requests.answer("approved", prefix="pricing_"),
        # What was approved is this order at this price: one that has grown meanwhile needs a new decision.
        guard_requests.release(
            "x_ct_released_concession",
            title="Release the order with a {asked_concession:money} {currency} concession",
            amount="asked_concession",
            terms="price_terms",
            require=[["state", "!=", "cancel"], ["amount_total", "<=", "{amount_total:number}"]],
        ),
        OdooCall(
            title="Confirm the order",
            method="action_confirm",
            only_if="is_unconfirmed",
            require=[["state", "in", ["draft", "sent"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["state", "=", "sale"]],
        ),
        guard_requests.activity("Change the order: approved by {decided_by}", person="price_changer_id", name="pricing_told_name"),
        guard_requests.note("Pricing exception approved by {decided_by} in Control Tower. {reason}"),
    ],
    on_rejection=[
        guard_requests.hold(
            "pricing_exception",
            title="Keep the order held, with the reason",
            reason=guard_requests.REJECTED,
            require=[["state", "in", ["draft", "sent"]]],
            is_rejected=True,
            only_if="is_unconfirmed",
        ),
        guard_requests.answer("rejected", "{decided_by}: {reason}", prefix="pricing_"),
        guard_requests.activity("Pricing exception rejected by {decided_by}", person="pricing_told_id", name="pricing_told_name"),
        guard_requests.note("Pricing exception rejected by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[guard_requests.LIFT, guard_requests.answer("withdrawn", prefix="pricing_")],
    on_expiry=[guard_requests.answer("expired", prefix="pricing_")],
    default_policy=default_policies.policy(
        default_policies.step("Pricing", ("team", "sales"), ("role", "approver"), ("role", "manager"), minutes=480),
        default_policies.step("Sales management", ("role", "manager"), minutes=480, from_amount=25_000),
    ),
)

GUARD = Guard(
    approval="pricing_exception",
    state_value="sale",
    release=(
        "x_ct_released_concession",
        "Price released",
        "Control Tower released the order with up to this sum conceded beyond the price limits",
    ),
    # Lines that concede nothing may come and go.
    terms=f"""
def understated_cost(line, unit):
    # What the line's cost lacks to that of its product, in the currency of the order.
    if 'margin' not in line._fields or not line.product_id or line.product_uom_qty <= 0:
        return 0.0
    product = line.product_id.with_company(line.order_id.company_id)
    cost = unit._compute_quantity(1.0, product.uom_id, round=False, raise_if_failure=False) * product.standard_price * (
        line.order_id.currency_rate or 1.0)
    return (cost - line.purchase_price) * line.product_uom_qty if cost > line.purchase_price * {AS_GOOD_AS} + 0.00001 else 0.0
order = record.sudo()
most_discount = {MOST_DISCOUNT.in_odoo("order.company_id")}
least_margin = {LEAST_MARGIN.in_odoo("order.company_id")}
terms = {{'partner': order.partner_id.commercial_partner_id.id, 'company': order.company_id.id, 'currency': order.currency_id.id,
         'lines': []}}
for line in order.order_line:
    unit = line['product_uom_id' if 'product_uom_id' in line._fields else 'product_uom']
    is_thin = ('margin' in line._fields
               and line.margin - understated_cost(line, unit) < line.price_subtotal * least_margin / 100.0)
    if line.product_uom_qty and (
            line.discount > most_discount or is_thin or line.price_unit * line.product_uom_qty < 0):
        terms['lines'].append([line.product_id.id or 0, unit.id or 0, line.product_uom_qty, line.price_unit, line.discount])
""",
    identity=["partner_id", "company_id", "currency_id"],
    watch=["amount_total", "partner_id", "company_id", "currency_id"],
    later=["done"],
    lines=[("sale.order.line", "order_id", ("price_unit", "discount", "product_uom_qty", "product_id", "product_uom_id"))],
    condition="""
order = record.sudo()
rate = order.currency_rate or 1.0
company = order.company_id
amount = order.amount_total
beyond = 0.0
discounts = 0.0
list_value = 0.0
taken_off = 0.0
below_cost = 0.0
overstated = 0.0
understated = 0.0
deepest = 0.0
has_margin = 'margin' in order._fields
for line in order.order_line:
    value = line.price_unit * line.product_uom_qty
    if value > 0:
        list_value = list_value + value
        discounts = discounts + value * max(line.discount, 0.0) / 100.0
        deepest = max(deepest, line.discount)
        if line.discount > most_discount:
            beyond = beyond + value * (line.discount - most_discount) / 100.0
    elif value < 0:
        taken_off = taken_off + max(-value * (1.0 - line.discount / 100.0), 0.0)
    if has_margin:
        hidden = understated_cost(line, line['product_uom_id' if 'product_uom_id' in line._fields else 'product_uom'])
        understated = understated + hidden
        overstated = overstated + max(line.margin - hidden - line.price_subtotal, 0.0)
        if value >= 0:
            below_cost = below_cost + max(hidden - line.margin, 0.0)
given = max(beyond, discounts + taken_off - list_value * most_discount / 100.0, 0.0)
short = 0.0
earned = 0.0
if has_margin:
    earned = order.margin - overstated - understated
    short = max(max(order.amount_untaxed, 0.0) * least_margin / 100.0 - earned, below_cost, 0.0)
conceded = company.currency_id.round(round(max(given, short) / rate, 8))
exposure = conceded
measure = conceded
besides = {'worth': amount / rate}
if company.currency_id.compare_amounts(conceded, released_up_to) > 0:
    if given >= short and given > beyond:
        why = '%s gives up to %.1f %% off, negative lines included; more than %.10g %% needs an approval.' % (
            order.name, max(deepest, (discounts + taken_off) * 100.0 / list_value if list_value else 100.0), most_discount)
    elif given >= short:
        why = '%s gives up to %.1f %% off; more than %.10g %% needs an approval.' % (order.name, deepest, most_discount)
    elif below_cost >= short:
        why = '%s is sold %.*f %s below cost; that needs an approval, whatever its other lines earn.' % (
            order.name, company.currency_id.decimal_places, below_cost / rate, company.currency_id.name)
    else:
        why = 'The margin of %s is %.1f %%; less than %.10g %% needs an approval.' % (
            order.name, earned * 100.0 / order.amount_untaxed if order.amount_untaxed else 0.0, least_margin)
""",
)
