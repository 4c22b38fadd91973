"""Order to cash: from quotation to paid.

The credit rule is written twice, because it must hold twice: as SQL over mirrored rows, where it explains and routes, and
as Odoo server-action code, where it refuses in Odoo's own transaction. Both say: what the customer owes on posted
invoices, what is on draft invoices, what is confirmed and not yet invoiced, and this order, against the credit limit of
the customer's commercial entity. A test on the real Odoo compares the two to the cent.
"""

from datetime import timedelta

from django.db.models import Q

from apps.workflows.declare import (
    ApprovalKind,
    Dependency,
    ExceptionType,
    Fact,
    Guard,
    OdooCall,
    Sample,
    Stage,
    Workflow,
)

NOT_CONFIRMED = Q(state__in=["draft", "sent"])

MONEY = Fact(
    name="money",
    columns=["company_amount", "currency", "partner_name"],
    sql="""
        SELECT round(r.amount_total / COALESCE(NULLIF(r.currency_rate, 0), 1), 2) AS company_amount,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               (SELECT p.name FROM mirror_res_partner p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id) AS partner_name
    """,
)

ASKED = Fact(
    name="asked",
    columns=["ask_id", "ask_state", "ask_cause", "asked_at", "asked_by", "asked_login"],
    sql="""
        SELECT a.odoo_id AS ask_id, a.x_state AS ask_state, a.x_requested_at AS asked_at,
               concat(a.odoo_id, '@', to_char(a.x_requested_at, 'YYYY-MM-DD"T"HH24:MI:SS')) AS ask_cause,
               COALESCE(u.name, 'somebody in Odoo') AS asked_by, COALESCE(u.login, '') AS asked_login
          FROM mirror_x_ct_request a
          LEFT JOIN mirror_res_users u ON u.connection_id = a.connection_id AND u.odoo_id = a.x_requested_uid
         WHERE a.connection_id = r.connection_id AND a.x_res_model = 'sale.order' AND a.x_res_id = r.odoo_id
           AND a.x_kind = 'credit_override' AND a.deleted_at IS NULL
         ORDER BY a.odoo_id DESC
         LIMIT 1
    """,
)

PEOPLE = Fact(
    name="people",
    columns=["salesperson", "salesperson_login", "salesperson_email", "creator_login"],
    sql="""
        SELECT COALESCE(s.name, '') AS salesperson, COALESCE(s.login, '') AS salesperson_login,
               COALESCE(NULLIF(s.email, ''), '') AS salesperson_email, COALESCE(c.login, '') AS creator_login
          FROM (SELECT 1) AS one
          LEFT JOIN mirror_res_users s ON s.connection_id = r.connection_id AND s.odoo_id = r.user_id
          LEFT JOIN mirror_res_users c ON c.connection_id = r.connection_id AND c.odoo_id = r.create_uid
    """,
)

# Only for orders that are not confirmed: the planner evaluates nothing for the others, however many there are.
CREDIT = Fact(
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
                   COALESCE((now() AT TIME ZONE 'UTC')::date - owed.oldest_due, 0) AS overdue_days,
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
                         AND o.state = 'sale' AND o.invoice_status <> 'invoiced'
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
                       sum(l.amount_residual) FILTER (WHERE l.date_maturity < (now() AT TIME ZONE 'UTC')::date) AS overdue,
                       min(l.date_maturity) FILTER (
                         WHERE l.date_maturity < (now() AT TIME ZONE 'UTC')::date AND l.amount_residual > 0) AS oldest_due
                  FROM mirror_account_move_line l
                  JOIN mirror_account_account a
                    ON a.connection_id = l.connection_id AND a.odoo_id = l.account_id
                   AND a.account_type = 'asset_receivable'
                 WHERE l.connection_id = r.connection_id AND l.partner_id = cp.odoo_id AND l.company_id = r.company_id
                   AND l.parent_state = 'posted' AND l.reconciled IS NOT TRUE AND l.deleted_at IS NULL
              ) AS owed ON TRUE
             WHERE r.state IN ('draft', 'sent') AND p.connection_id = r.connection_id AND p.odoo_id = r.partner_id
          ) AS f
    """,
)

GOODS = Fact(
    name="goods",
    columns=["has_ready_delivery", "has_open_delivery"],
    sql="""
        SELECT COALESCE(bool_or(p.state = 'assigned'), FALSE) AS has_ready_delivery,
               COALESCE(bool_or(p.state IN ('waiting', 'confirmed', 'assigned')), FALSE) AS has_open_delivery
          FROM mirror_stock_picking p
         WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND p.connection_id = r.connection_id AND p.sale_id = r.odoo_id
           AND p.picking_type_code = 'outgoing' AND p.deleted_at IS NULL
    """,
)

PAID = Fact(
    name="paid",
    columns=["unpaid"],
    sql="""
        SELECT COALESCE(sum(abs(m.amount_residual)), 0) AS unpaid
          FROM mirror_account_move m
         WHERE r.invoice_status = 'invoiced' AND m.connection_id = r.connection_id AND m.state = 'posted'
           AND m.move_type IN ('out_invoice', 'out_refund') AND m.deleted_at IS NULL
           AND m.odoo_id IN (
             SELECT il.move_id
               FROM mirror_sale_order_line sl
               JOIN mirror_account_move_line il
                 ON il.connection_id = sl.connection_id AND il.sale_line_ids @> ARRAY[sl.odoo_id]
              WHERE sl.connection_id = r.connection_id AND sl.order_id = r.odoo_id AND il.deleted_at IS NULL)
    """,
)

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

DEPENDENCIES = [
    Dependency(
        model="sale.order",
        sql=OPEN_ORDERS_OF_PARTNERS.format(
            partners="SELECT s.partner_id FROM mirror_sale_order s"
            " WHERE s.connection_id = %(connection)s AND s.odoo_id = ANY(%(ids)s)"
        ),
    ),
    Dependency(
        model="sale.order.line",
        sql="SELECT DISTINCT l.order_id FROM mirror_sale_order_line l"
        " WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s)",
    ),
    Dependency(
        model="x_ct_request",
        sql="SELECT DISTINCT a.x_res_id::bigint FROM mirror_x_ct_request a WHERE a.connection_id = %(connection)s"
        " AND a.odoo_id = ANY(%(ids)s) AND a.x_res_model = 'sale.order'",
    ),
    Dependency(model="res.partner", sql=OPEN_ORDERS_OF_PARTNERS.format(partners="SELECT unnest(%(ids)s::bigint[])")),
    Dependency(
        model="account.move",
        sql=OPEN_ORDERS_OF_PARTNERS.format(
            partners="SELECT m.commercial_partner_id FROM mirror_account_move m"
            " WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s)"
        )
        + """
        UNION
        SELECT sl.order_id
          FROM mirror_account_move_line il
          JOIN mirror_sale_order_line sl ON sl.connection_id = il.connection_id AND sl.odoo_id = ANY(il.sale_line_ids)
         WHERE il.connection_id = %(connection)s AND il.move_id = ANY(%(ids)s) AND il.sale_line_ids <> '{}'
        """,
    ),
    Dependency(
        model="account.move.line",
        sql=OPEN_ORDERS_OF_PARTNERS.format(
            partners="SELECT l.partner_id FROM mirror_account_move_line l"
            " WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s)"
        )
        + """
        UNION
        SELECT sl.order_id
          FROM mirror_account_move_line il
          JOIN mirror_sale_order_line sl ON sl.connection_id = il.connection_id AND sl.odoo_id = ANY(il.sale_line_ids)
         WHERE il.connection_id = %(connection)s AND il.odoo_id = ANY(%(ids)s)
        """,
    ),
    Dependency(
        model="stock.picking",
        sql="SELECT DISTINCT p.sale_id FROM mirror_stock_picking p WHERE p.connection_id = %(connection)s"
        " AND p.odoo_id = ANY(%(ids)s) AND p.sale_id IS NOT NULL",
    ),
]

ON_HOLD = NOT_CONFIRMED & Q(ask_state="open", excess__gt=0, credit_limit__gt=0)
IN_CREDIT_REVIEW = ON_HOLD | (NOT_CONFIRMED & Q(x_ct_hold="credit_override"))
IN_PRICING_REVIEW = NOT_CONFIRMED & Q(x_ct_hold="pricing_exception") & ~IN_CREDIT_REVIEW
CONFIRMED = ~NOT_CONFIRMED & ~Q(state="cancel")
PARTLY_DELIVERED = CONFIRMED & Q(delivery_status__in=["partial", "started"])
# Odoo before 16 has no delivery_status: there the open deliveries themselves tell.
UNDELIVERED = CONFIRMED & ~PARTLY_DELIVERED & (
    Q(delivery_status="pending") | (~Q(delivery_status="full") & Q(has_open_delivery=True))
)
DELIVERED = CONFIRMED & ~PARTLY_DELIVERED & ~UNDELIVERED

STAGES = [
    Stage(
        name="quotation",
        title="Quotation",
        when=NOT_CONFIRMED & ~IN_CREDIT_REVIEW & ~IN_PRICING_REVIEW,
        owner="sales",
        target=timedelta(days=7),
        first_seen_since="create_date",
    ),
    Stage(
        name="credit_review",
        title="Credit review",
        when=IN_CREDIT_REVIEW,
        owner="finance",
        target=timedelta(hours=4),
        first_seen_since="asked_at",
        blocker=("credit_hold", "the customer is over the credit limit"),
    ),
    Stage(
        name="pricing_review",
        title="Pricing review",
        when=IN_PRICING_REVIEW,
        owner="sales",
        target=timedelta(hours=8),
        blocker=("pricing_approval", "the price has to be approved"),
    ),
    Stage(
        name="waiting_for_stock",
        title="Confirmed, waiting for stock",
        when=UNDELIVERED & ~Q(has_ready_delivery=True),
        owner="purchasing",
        target=timedelta(days=5),
        first_seen_since="date_order",
    ),
    Stage(
        name="ready_to_pick",
        title="Ready to pick",
        when=UNDELIVERED & Q(has_ready_delivery=True),
        owner="warehouse",
        target=timedelta(days=1),
    ),
    Stage(
        name="partly_delivered",
        title="Partly delivered",
        when=PARTLY_DELIVERED,
        owner="warehouse",
        target=timedelta(days=3),
    ),
    Stage(
        name="to_invoice",
        title="Delivered, to invoice",
        when=DELIVERED & ~Q(invoice_status="invoiced"),
        owner="finance",
        target=timedelta(days=2),
    ),
    Stage(
        name="unpaid",
        title="Invoiced, unpaid",
        when=DELIVERED & Q(invoice_status="invoiced", unpaid__gt=0),
        owner="finance",
        target=timedelta(days=30),
    ),
    Stage(
        name="closed",
        title="Closed",
        when=DELIVERED & Q(invoice_status="invoiced") & ~Q(unpaid__gt=0),
        owner="sales",
        is_open=False,
    ),
    Stage(name="cancelled", title="Cancelled", when=Q(state="cancel"), owner="sales", is_open=False),
]

CREDIT_FIGURES = {
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
    "salesperson": "Account owner",
    "asked_by": "Asked by",
    "asked_at": "Asked at",
}

HOLD = OdooCall(
    title="Mark the order as held for credit review",
    method="write",
    arguments={
        "vals": {
            "x_ct_hold": "credit_override",
            "x_ct_hold_reason": (
                "{commercial_name} would owe {exposure:money} {currency}; the limit is {credit_limit:money} {currency}."
            ),
            "x_ct_url": "{record_url}",
        }
    },
    require=[["state", "in", ["draft", "sent"]]],
    expect=[["x_ct_hold", "=", "credit_override"]],
)
LIFT = OdooCall(
    title="Lift the hold",
    method="write",
    arguments={"vals": {"x_ct_hold": False, "x_ct_hold_reason": False}},
    require=[],
    expect=[["x_ct_hold", "=", False]],
)


def _answer(state: str, reason: str) -> OdooCall:
    return OdooCall(
        title=f"Note the answer on what was asked: {state}",
        model="x_ct_request",
        record="ask_id",
        method="write",
        arguments={"vals": {"x_state": state, "x_reason": reason}},
        expect=[["x_state", "=", state]],
    )


CREDIT_OVERRIDE = ApprovalKind(
    name="credit_override",
    title="Credit override",
    question="May {record_name} for {commercial_name} be confirmed over the credit limit?",
    when=ON_HOLD,
    possible=NOT_CONFIRMED,
    cause="ask_cause",
    amount="this_order",
    asked_by="asked_by",
    involved=["asked_login", "salesperson_login", "creator_login"],
    account_owner=("salesperson_login", "salesperson_email"),
    exception="order.credit_hold",
    context=CREDIT_FIGURES,
    on_asked=[HOLD],
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
            require=[["state", "in", ["draft", "sent"]], ["amount_total", "<=", "{amount_total:number}"]],
            expect=[["state", "=", "sale"]],
        ),
        OdooCall(
            title="Note the decision in the order's chatter",
            method="message_post",
            arguments={"body": "Credit override approved by {decided_by} in Control Tower. {reason}"},
        ),
        _answer("approved", "{reason}"),
    ],
    on_rejection=[
        OdooCall(
            title="Keep the order held, with the reason",
            method="write",
            arguments={
                "vals": {
                    "x_ct_hold": "credit_override",
                    "x_ct_hold_reason": "Rejected by {decided_by}: {reason}",
                    "x_ct_url": "{record_url}",
                }
            },
            require=[["state", "in", ["draft", "sent"]]],
            expect=[["x_ct_hold", "=", "credit_override"], ["x_ct_hold_reason", "=", "Rejected by {decided_by}: {reason}"]],
        ),
        _answer("rejected", "{decided_by}: {reason}"),
        OdooCall(
            title="Give {salesperson} an activity with the reason",
            method="create",
            model="mail.activity",
            arguments={
                "vals_list": [
                    {
                        "res_model_id": "{model:ref}",
                        "res_id": "{odoo_id:number}",
                        "user_id": "{salesperson_id:number}",
                        "summary": "Credit override rejected by {decided_by}",
                        "note": "{reason}",
                    }
                ]
            },
        ),
        OdooCall(
            title="Note the decision in the order's chatter",
            method="message_post",
            arguments={"body": "Credit override rejected by {decided_by} in Control Tower. {reason}"},
        ),
    ],
    on_withdrawal=[LIFT, _answer("withdrawn", "{reason}")],
    default_policy={
        "steps": [
            {
                "name": "Credit control",
                "levels": [
                    {"ask": {"role": "approver"}, "within_minutes": 240, "remind_after_minutes": 120},
                    {"ask": {"role": "manager"}, "within_minutes": 240, "remind_after_minutes": 120},
                ],
                "fallback": "expire",
            }
        ]
    },
)

# Runs inside Odoo, elevated: a salesperson may not read receivables.
GUARD = Guard(
    approval="credit_override",
    state_value="sale",
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
if order.x_ct_hold:
    kind = order.x_ct_hold
    why = order.x_ct_hold_reason or '%s is held for a decision.' % order.name
elif limit > 0 and not released and company.currency_id.compare_amounts(exposure, limit) > 0:
    why = 'Confirming %s would take %s to %.2f %s, above its credit limit of %.2f %s.' % (
        order.name, customer.name, exposure, company.currency_id.name, limit, company.currency_id.name)
""",
)

WORKFLOW = Workflow(
    name="order_to_cash",
    title="Order to cash",
    odoo_model="sale.order",
    rank=10,
    amount="company_amount",
    currency="currency",
    facts=[MONEY, ASKED, PEOPLE, CREDIT, GOODS, PAID],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    exceptions=[
        ExceptionType(
            name="order.credit_hold",
            title="Credit hold",
            when=ON_HOLD,
            team="finance",
            due=timedelta(hours=4),
            amount="this_order",
            evidence=CREDIT_FIGURES,
            severity=("this_order", (2_000, 10_000, 50_000)),
            closed_because="The order is no longer held for credit",
        )
    ],
    approvals=[CREDIT_OVERRIDE],
    guards=[GUARD],
    hooks={
        "sale.order": ["state", "amount_total", "partner_id", "invoice_status", "delivery_status", "x_ct_hold"],
        "stock.picking": ["state", "scheduled_date"],
        "account.move": ["state", "payment_state", "amount_residual"],
        "purchase.order": ["state", "date_planned"],
        "res.partner": ["credit_limit", "commercial_partner_id", "name"],
    },
    samples=[
        Sample(row={"state": "draft"}, stage="quotation"),
        Sample(row={"state": "sent"}, stage="quotation"),
        Sample(row={"state": "draft", "x_ct_hold": "credit_override"}, stage="credit_review"),
        Sample(row={"state": "draft", "x_ct_hold": "pricing_exception"}, stage="pricing_review"),
        Sample(row={"state": "sale", "delivery_status": "pending", "invoice_status": "no"}, stage="waiting_for_stock"),
        Sample(row={"state": "sale", "delivery_status": "partial", "invoice_status": "no"}, stage="partly_delivered"),
        Sample(row={"state": "sale", "delivery_status": "full", "invoice_status": "to invoice"}, stage="to_invoice"),
        Sample(row={"state": "sale", "delivery_status": "full", "invoice_status": "invoiced"}, stage="closed"),
        Sample(row={"state": "cancel"}, stage="cancelled"),
    ],
)
