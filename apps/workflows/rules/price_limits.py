"""The price limits: which discount and which margin a salesperson may give away before somebody has to agree.

As the credit limit, the rule is written twice: as SQL over mirrored rows and as Odoo server-action code. Both say: a line's
discount beyond :data:`MOST_DISCOUNT` gives away what lies beyond it, an order's margin below :data:`LEAST_MARGIN` gives away
what is missing to it, and the greater of the two is what the order concedes. What was approved is that sum: an order that
concedes more later needs a new decision. Where Odoo keeps no margin (``sale_margin`` is not installed) discounts alone count.
"""

from datetime import timedelta

from django.db.models import Q

from apps.workflows import asks, ladders
from apps.workflows.declare import ApprovalKind, ExceptionType, Fact, Guard, OdooCall
from apps.workflows.say import joined, say

# Both in per cent.
MOST_DISCOUNT = 20
LEAST_MARGIN = 10

ASKED = asks.asked("pricing_exception", "sale.order", prefix="pricing_")

DISCOUNTED = say("{product} ({discount:quantity} % off)", product="l.name", discount="l.discount")
DISCOUNTED_LINES = f"""jsonb_agg({DISCOUNTED} ORDER BY l.discount DESC)
                     FILTER (WHERE l.discount > {MOST_DISCOUNT})"""

# Only for orders that are not confirmed: for the others the lines are never read.
FACT = Fact(
    name="price",
    columns=[
        "discount_given", "margin_short", "conceded", "deepest_discount_percent", "order_margin", "order_margin_percent",
        "discounted_names", "price_is_settled", "most_discount_percent", "least_margin_percent",
    ],
    sql=f"""
        SELECT f.*, GREATEST(f.discount_given, f.margin_short) AS conceded,
               GREATEST(f.discount_given, f.margin_short) <= COALESCE(r.x_ct_released_concession, 0) AS price_is_settled,
               {MOST_DISCOUNT} AS most_discount_percent, {LEAST_MARGIN} AS least_margin_percent
          FROM (
            SELECT round(COALESCE(sum(l.price_unit * l.product_uom_qty * (l.discount - {MOST_DISCOUNT}) / 100)
                                    FILTER (WHERE l.discount > {MOST_DISCOUNT}), 0) / g.rate, 2) AS discount_given,
                   CASE WHEN r.state IN ('draft', 'sent') AND r.amount_untaxed > 0 AND r.margin IS NOT NULL
                        THEN round(GREATEST(r.amount_untaxed * {LEAST_MARGIN} / 100 - r.margin, 0) / g.rate, 2)
                        ELSE 0 END AS margin_short,
                   max(l.discount) AS deepest_discount_percent,
                   round(r.margin / g.rate, 2) AS order_margin,
                   round(r.margin * 100 / NULLIF(r.amount_untaxed, 0), 1) AS order_margin_percent,
                   {joined(DISCOUNTED_LINES)} AS discounted_names
              FROM (SELECT COALESCE(NULLIF(r.currency_rate, 0), 1) AS rate) AS g
              LEFT JOIN LATERAL (
                SELECT * FROM mirror_sale_order_line o
                 WHERE r.state IN ('draft', 'sent') AND o.connection_id = r.connection_id AND o.order_id = r.odoo_id
                   AND o.deleted_at IS NULL AND o.product_id IS NOT NULL
                OFFSET 0) AS l ON TRUE
             GROUP BY g.rate
          ) AS f
    """,
)

# Who asked, and when: for the price, or for the confirmation that credit held up first.
ASKING = Fact(
    name="price_asking",
    columns=["price_cause", "price_asked_by", "price_asked_login", "price_asked_at"],
    sql="""
        SELECT COALESCE(pricing_asked.pricing_ask_cause, credit_asked.credit_ask_cause) AS price_cause,
               COALESCE(pricing_asked.pricing_asked_by, credit_asked.credit_asked_by) AS price_asked_by,
               COALESCE(pricing_asked.pricing_asked_login, credit_asked.credit_asked_login) AS price_asked_login,
               COALESCE(pricing_asked.pricing_asked_at, credit_asked.credit_asked_at) AS price_asked_at
    """,
)

# Who asked for a confirmation that credit held up, and got it, has asked for this as well.
BROKEN = Q(state__in=["draft", "sent"], price_is_settled=False) & (
    Q(pricing_ask_state="open") | Q(credit_ask_state="approved", pricing_ask_state__isnull=True)
)

FIGURES = {
    "company_amount": "This order",
    "order_margin": "Its margin",
    "order_margin_percent": "Margin",
    "least_margin_percent": "Least margin allowed",
    "deepest_discount_percent": "Deepest discount",
    "most_discount_percent": "Most discount allowed",
    "discount_given": "Given away by discounts beyond that",
    "margin_short": "Missing to the least margin",
    "conceded": "Conceded beyond policy",
    "discounted_names": "Lines beyond policy",
    "partner_name": "Customer",
    "customer_class_names": "Customer class",
    "salesperson": "Account owner",
    "price_asked_by": "Asked by",
    "price_asked_at": "Asked at",
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
    closed_because="The order no longer waits for a decision about its price",
)

APPROVAL = ApprovalKind(
    name="pricing_exception",
    title="Pricing exception",
    matters="Margin {order_margin_percent:quantity} %, {conceded:money} {currency} conceded beyond policy",
    question="May {record_name} for {partner_name} be sold {conceded:money} {currency} below the price limits?",
    when=BROKEN,
    possible=Q(state__in=["draft", "sent"]),
    cause="price_cause",
    amount="company_amount",
    asked_by="price_asked_by",
    involved=["price_asked_login", "salesperson_login", "creator_login"],
    account_owner=("salesperson_login", "salesperson_email"),
    exception="order.price_breach",
    context=FIGURES,
    on_asked=[
        asks.hold(
            "pricing_exception",
            title="Mark the order as held for its price",
            reason="The order concedes {conceded:money} {currency} beyond the price limits.",
            require=[["state", "in", ["draft", "sent"]]],
        )
    ],
    on_approval=[
        OdooCall(
            title="Release the order with {conceded:money} {currency} conceded",
            method="write",
            arguments={
                "vals": {"x_ct_hold": False, "x_ct_hold_reason": False, "x_ct_released_concession": "{conceded:number}"}
            },
            # What was approved is this order at this price: one that has grown meanwhile needs a new decision.
            require=[["state", "in", ["draft", "sent"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["x_ct_hold", "=", False], ["x_ct_released_concession", ">=", "{conceded:number}"]],
        ),
        OdooCall(
            title="Confirm the order",
            method="action_confirm",
            require=[["state", "in", ["draft", "sent"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["state", "=", "sale"]],
        ),
        asks.note("Pricing exception approved by {decided_by} in Control Tower. {reason}"),
        asks.answer("approved", prefix="pricing_"),
    ],
    on_rejection=[
        asks.hold(
            "pricing_exception",
            title="Keep the order held, with the reason",
            reason="Rejected by {decided_by}: {reason}",
            require=[["state", "in", ["draft", "sent"]]],
        ),
        asks.answer("rejected", "{decided_by}: {reason}", prefix="pricing_"),
        asks.activity("Pricing exception rejected by {decided_by}", name="salesperson"),
        asks.note("Pricing exception rejected by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[asks.LIFT, asks.answer("withdrawn", prefix="pricing_")],
    default_policy=ladders.policy(
        ladders.step("Pricing", ("team", "sales"), ("role", "approver"), ("role", "manager"), minutes=480),
        ladders.step("Sales management", ("role", "manager"), minutes=480, from_amount=25_000),
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
    condition=f"""
order = record.sudo()
rate = order.currency_rate or 1.0
company = order.company_id
amount = order.amount_total
given = 0.0
deepest = 0.0
for line in order.order_line:
    if line.product_id and line.discount > {MOST_DISCOUNT}:
        given = given + line.price_unit * line.product_uom_qty * (line.discount - {MOST_DISCOUNT}) / 100.0
        deepest = max(deepest, line.discount)
short = 0.0
if 'margin' in order._fields and order.amount_untaxed > 0:
    short = max(order.amount_untaxed * {LEAST_MARGIN} / 100.0 - order.margin, 0.0)
conceded = max(given, short) / rate
if company.currency_id.compare_amounts(conceded, order.x_ct_released_concession) > 0:
    if given >= short:
        why = '%s gives up to %.1f %% off; more than {MOST_DISCOUNT} %% needs an approval.' % (order.name, deepest)
    else:
        why = 'The margin of %s is %.1f %%; less than {LEAST_MARGIN} %% needs an approval.' % (
            order.name, order.margin * 100.0 / order.amount_untaxed)
""",
)
