"""The credit limit: what a customer may owe, open orders included, before somebody has to agree.

The rule is written twice, because it must hold twice: as SQL over mirrored rows, where it explains and routes, and as Odoo
server-action code, where it refuses in Odoo's own transaction. Both say: what the customer owes on posted invoices, what is
on draft invoices, what is confirmed and not yet invoiced, and this order, against the credit limit of the customer's
commercial entity. A test on the real Odoo compares the two to the cent.
"""

from datetime import timedelta

from django.db.models import Q

from apps.workflows import asks, ladders
from apps.workflows.declare import ApprovalKind, ExceptionType, Fact, Guard, OdooCall

# Only for orders that are not confirmed: OFFSET 0 keeps the planner from drawing the query into the one around it, where it
# would be worked out first and dropped by the state afterwards. What is paid and what is invoiced is not looked at, however
# much of it there is (mirror_account_move_line's index entries_owed, mirror_sale_order's sale_orders_to_invoice).
FACT = Fact(
    name="credit",
    columns=[
        "commercial_id", "commercial_name", "credit_limit", "open_invoices", "draft_invoices", "open_orders",
        "this_order", "exposure", "excess", "overdue_amount", "overdue_days",
    ],
    sql="""
        SELECT f.*, f.open_invoices + f.draft_invoices + f.open_orders + f.this_order AS exposure,
               f.open_invoices + f.draft_invoices + f.open_orders + f.this_order - f.credit_limit AS excess
          FROM (
            SELECT cp.odoo_id AS commercial_id, cp.name AS commercial_name,
                   round(cp.credit_limit, 2) AS credit_limit,
                   round(COALESCE(owed.residual, 0), 2) AS open_invoices,
                   round(COALESCE(owed.overdue, 0), 2) AS overdue_amount,
                   COALESCE((%(now)s::timestamptz AT TIME ZONE 'UTC')::date - owed.oldest_due, 0) AS overdue_days,
                   round(COALESCE(
                     (SELECT sum(m.amount_total_signed) FROM mirror_account_move m
                       WHERE m.connection_id = r.connection_id AND m.commercial_partner_id = cp.odoo_id
                         AND m.company_id = r.company_id AND m.state = 'draft'
                         AND m.move_type IN ('out_invoice', 'out_refund') AND m.deleted_at IS NULL), 0), 2)
                     AS draft_invoices,
                   round(COALESCE(
                     (SELECT sum(l.price_total * (l.product_uom_qty - l.qty_invoiced) / l.product_uom_qty
                                 / COALESCE(NULLIF(o.currency_rate, 0), 1))
                        FROM mirror_res_partner member
                        JOIN mirror_sale_order o
                          ON o.connection_id = member.connection_id AND o.partner_id = member.odoo_id
                         AND o.state = 'sale' AND o.invoice_status IN ('no', 'to invoice', 'upselling')
                         AND o.company_id = r.company_id AND o.odoo_id <> r.odoo_id AND o.deleted_at IS NULL
                        JOIN mirror_sale_order_line l
                          ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
                         AND l.product_uom_qty > l.qty_invoiced AND l.product_uom_qty > 0
                       WHERE member.connection_id = r.connection_id AND member.commercial_partner_id = cp.odoo_id), 0), 2)
                     AS open_orders,
                   round(r.amount_total / COALESCE(NULLIF(r.currency_rate, 0), 1), 2) AS this_order
              FROM mirror_res_partner p
              JOIN mirror_res_partner cp ON cp.connection_id = p.connection_id AND cp.odoo_id = p.commercial_partner_id
              LEFT JOIN LATERAL (
                SELECT sum(l.amount_residual) AS residual,
                       sum(l.amount_residual) FILTER (WHERE l.date_maturity < at.today) AS overdue,
                       min(l.date_maturity) FILTER (WHERE l.date_maturity < at.today AND l.amount_residual > 0) AS oldest_due
                  FROM (SELECT (%(now)s::timestamptz AT TIME ZONE 'UTC')::date AS today) AS at
                 CROSS JOIN mirror_account_move_line l
                  JOIN mirror_account_account a
                    ON a.connection_id = l.connection_id AND a.odoo_id = l.account_id
                   AND a.account_type = 'asset_receivable'
                 WHERE l.connection_id = r.connection_id AND l.partner_id = cp.odoo_id AND l.company_id = r.company_id
                   AND l.parent_state = 'posted' AND l.reconciled IS NOT TRUE AND l.deleted_at IS NULL
                   AND (l.amount_residual > 0 OR l.amount_residual < 0)
              ) AS owed ON TRUE
             WHERE r.state IN ('draft', 'sent') AND p.connection_id = r.connection_id AND p.odoo_id = r.partner_id
            OFFSET 0
          ) AS f
    """,
)

ASKED = asks.asked("credit_override", "sale.order", prefix="credit_")

# Orders not yet confirmed of every customer that shares a commercial entity with the one that changed: what one of
# them owes counts against the limit of all.
OPEN_ORDERS_OF_PARTNERS = """
    SELECT o.odoo_id
      FROM mirror_sale_order o
     WHERE o.connection_id = %(connection)s AND o.state IN ('draft', 'sent') AND o.deleted_at IS NULL
       AND o.partner_id IN (
         SELECT member.odoo_id
           FROM mirror_res_partner member
          WHERE member.connection_id = %(connection)s
            AND member.commercial_partner_id IN (
              SELECT p.commercial_partner_id FROM mirror_res_partner p
               WHERE p.connection_id = %(connection)s AND p.odoo_id IN ({partners})))
"""

BROKEN = Q(state__in=["draft", "sent"], credit_ask_state="open", excess__gt=0, credit_limit__gt=0)

FIGURES = {
    "credit_limit": "Credit limit",
    "open_invoices": "Open invoices",
    "draft_invoices": "Draft invoices",
    "open_orders": "Confirmed, not yet invoiced",
    "this_order": "This order",
    "exposure": "Exposure with this order",
    "excess": "Over the limit by",
    "overdue_amount": "Overdue",
    "overdue_days": "Days overdue, oldest",
    "commercial_name": "Customer",
    "customer_class_names": "Customer class",
    "salesperson": "Account owner",
    "credit_asked_by": "Asked by",
    "credit_asked_at": "Asked at",
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
    closed_because="The order is no longer held for credit",
)

APPROVAL = ApprovalKind(
    name="credit_override",
    title="Credit override",
    matters="Exposure {exposure:money} {currency} against a limit of {credit_limit:money}",
    question="May {record_name} for {commercial_name} be confirmed over the credit limit?",
    when=BROKEN,
    possible=Q(state__in=["draft", "sent"]),
    cause="credit_ask_cause",
    amount="this_order",
    asked_by="credit_asked_by",
    involved=["credit_asked_login", "salesperson_login", "creator_login"],
    account_owner=("salesperson_login", "salesperson_email"),
    exception="order.credit_hold",
    context=FIGURES,
    on_asked=[
        asks.hold(
            "credit_override",
            title="Mark the order as held for credit review",
            reason="{commercial_name} would owe {exposure:money} {currency}; the limit is {credit_limit:money} {currency}.",
            require=[["state", "in", ["draft", "sent"]]],
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
            require=[["state", "in", ["draft", "sent"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["x_ct_hold", "=", False], ["x_ct_released_amount", ">=", "{amount_total:number}"]],
        ),
        OdooCall(
            title="Confirm the order",
            method="action_confirm",
            # Otherwise the decision about the price comes next, and confirms it.
            only_if="price_is_settled",
            require=[["state", "in", ["draft", "sent"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["state", "=", "sale"]],
        ),
        asks.note("Credit override approved by {decided_by} in Control Tower. {reason}"),
        asks.answer("approved", prefix="credit_"),
    ],
    on_rejection=[
        asks.hold(
            "credit_override",
            title="Keep the order held, with the reason",
            reason="Rejected by {decided_by}: {reason}",
            require=[["state", "in", ["draft", "sent"]]],
        ),
        asks.answer("rejected", "{decided_by}: {reason}", prefix="credit_"),
        asks.activity("Credit override rejected by {decided_by}", name="salesperson"),
        asks.note("Credit override rejected by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[asks.LIFT, asks.answer("withdrawn", prefix="credit_")],
    default_policy=ladders.policy(
        ladders.step("Credit control", ("role", "approver"), ("role", "manager"), minutes=240),
    ),
)

# Runs inside Odoo, elevated: a salesperson may not read receivables.
GUARD = Guard(
    approval="credit_override",
    state_value="sale",
    release=("x_ct_released_amount", "Released up to", "Control Tower released the order up to this total"),
    condition="""
order = record.sudo().with_company(record.company_id)
company = order.company_id
customer = order.partner_id.commercial_partner_id.with_company(company)
rate = order.currency_rate or 1.0
amount = order.amount_total
limit = customer.credit_limit
exposure = customer.credit + amount / rate
drafts = env['account.move'].sudo().search([
    ('commercial_partner_id', '=', customer.id), ('company_id', '=', company.id), ('state', '=', 'draft'),
    ('move_type', 'in', ['out_invoice', 'out_refund'])])
for draft in drafts:
    exposure = exposure + draft.amount_total_signed
others = env['sale.order.line'].sudo().search([
    ('order_id.partner_id.commercial_partner_id', '=', customer.id), ('order_id.company_id', '=', company.id),
    ('order_id.state', '=', 'sale'), ('order_id.invoice_status', '!=', 'invoiced'), ('order_id', '!=', order.id)])
for line in others:
    if line.product_uom_qty > line.qty_invoiced and line.product_uom_qty > 0:
        open_share = (line.product_uom_qty - line.qty_invoiced) / line.product_uom_qty
        exposure = exposure + line.price_total * open_share / (line.order_id.currency_rate or 1.0)
released = order.currency_id.compare_amounts(order.x_ct_released_amount, amount) >= 0
if limit > 0 and not released and company.currency_id.compare_amounts(exposure, limit) > 0:
    why = 'Confirming %s would take %s to %.2f %s, above its credit limit of %.2f %s.' % (
        order.name, customer.name, exposure, company.currency_id.name, limit, company.currency_id.name)
""",
)
