"""The purchase limit: what a buyer may order before somebody has to agree.

Odoo has a rule of its own (two-step validation), which leaves an order in ``to approve``; such an order is asked about as it
stands. Beyond it, the tower's guard refuses any order above :data:`LIMIT`, whether or not a company uses Odoo's rule.
"""

from django.db.models import F, Q

from apps.workflows import asks, ladders
from apps.workflows.declare import ApprovalKind, Fact, Guard, OdooCall

# In the company's currency, taxes included as in the order's total.
LIMIT = 10_000

ASKED = asks.asked("procurement_threshold", "purchase.order")

# An order that Odoo itself holds was asked about when it came into that stage; a guard leaves an ask.
ASKING = Fact(
    name="asking",
    columns=["approval_cause", "approval_asked_by", "approval_asked_login", "purchase_limit", "is_unconfirmed"],
    sql=f"""
        SELECT CASE WHEN r.state = 'to approve'
                    THEN (SELECT concat('to approve@', to_char(p.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'))
                            FROM workflows_position p
                           WHERE p.connection_id = r.connection_id AND p.workflow = 'procure_to_pay'
                             AND p.odoo_id = r.odoo_id)
                    ELSE asked.ask_cause END AS approval_cause,
               CASE WHEN r.state = 'to approve' THEN buyer.buyer_name ELSE asked.asked_by END AS approval_asked_by,
               CASE WHEN r.state = 'to approve' THEN '' ELSE asked.asked_login END AS approval_asked_login,
               {LIMIT} AS purchase_limit, r.state IN ('draft', 'sent') AS is_unconfirmed
    """,
)

BROKEN = Q(state="to approve") | (
    Q(state__in=["draft", "sent"], ask_state="open", company_amount__gte=LIMIT)
    & ~Q(x_ct_released_amount__gte=F("amount_total"))
)

FIGURES = {
    "company_amount": "Value",
    "purchase_limit": "Needs an approval from",
    "partner_name": "Vendor",
    "bought_before": "Bought from this vendor in 12 months",
    "late_before_count": "Orders of this vendor late now",
    "waiting_orders_count": "Sales orders that wait for these goods",
    "expected_at": "Expected",
    "buyer_name": "Buyer",
    "approval_asked_by": "Asked by",
}

# What the one who decides wants to know of the vendor; asked for no order but those that wait for a decision.
VENDOR = Fact(
    name="vendor",
    columns=["bought_before", "late_before_count", "waiting_orders_count"],
    sql="""
        SELECT (SELECT round(COALESCE(sum(o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1)), 0), 2)
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
    name="procurement_threshold",
    title="Procurement threshold",
    matters="{company_amount:money} {currency}, needs an approval from {purchase_limit:money}",
    question="May {record_name} be ordered from {partner_name} for {company_amount:money} {currency}?",
    when=BROKEN,
    possible=Q(state__in=["draft", "sent", "to approve"]),
    cause="approval_cause",
    amount="company_amount",
    asked_by="approval_asked_by",
    involved=["approval_asked_login", "buyer_login"],
    account_owner=("buyer_login", "buyer_email"),
    exception="purchase.approval_stalled",
    context=FIGURES,
    on_asked=[
        asks.hold(
            "procurement_threshold",
            title="Mark the order as held for approval",
            reason="{company_amount:money} {currency} need an approval.",
            require=[["state", "in", ["draft", "sent", "to approve"]]],
        )
    ],
    on_approval=[
        OdooCall(
            title="Release the order up to {amount_total:money} {currency}",
            method="write",
            arguments={
                "vals": {"x_ct_hold": False, "x_ct_hold_reason": False, "x_ct_released_amount": "{amount_total:number}"}
            },
            # What was approved is this amount: an order that has grown meanwhile needs a new decision.
            require=[["state", "in", ["draft", "sent", "to approve"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["x_ct_hold", "=", False], ["x_ct_released_amount", ">=", "{amount_total:number}"]],
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
            require=[["state", "in", ["to approve"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["state", "=", "purchase"]],
        ),
        asks.note("Purchase approved by {decided_by} in Control Tower. {reason}"),
        asks.answer("approved"),
    ],
    on_rejection=[
        OdooCall(
            title="Cancel the order",
            method="button_cancel",
            require=[["state", "in", ["draft", "sent", "to approve"]]],
            expect=[["state", "=", "cancel"]],
        ),
        asks.answer("rejected", "{decided_by}: {reason}"),
        asks.LIFT,
        asks.activity("Purchase rejected by {decided_by}", name="buyer_name"),
        asks.note("Purchase rejected by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[asks.LIFT, asks.answer("withdrawn")],
    default_policy=ladders.policy(
        ladders.step("Purchasing", ("team", "purchasing"), ("role", "approver"), ("role", "manager"), minutes=480),
        ladders.step("Management", ("role", "manager"), minutes=480, from_amount=50_000),
    ),
)

GUARD = Guard(
    approval="procurement_threshold",
    state_value="purchase",
    release=("x_ct_released_amount", "Released up to", "Control Tower released the order up to this total"),
    condition=f"""
order = record.sudo()
company = order.company_id
amount = order.amount_total
value = amount / (order.currency_rate or 1.0)
released = order.currency_id.compare_amounts(order.x_ct_released_amount, amount) >= 0
if not released and company.currency_id.compare_amounts(value, {LIMIT}) >= 0:
    why = '%s is worth %.2f %s; from {LIMIT} on an order needs an approval.' % (
        order.name, value, company.currency_id.name)
""",
)
