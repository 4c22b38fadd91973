"""Order to cash: from quotation to paid. What is refused on the way, and why, stands in :mod:`apps.workflows.rules`."""

from dataclasses import replace
from datetime import timedelta

from django.db.models import Q

from apps.workflows import asks
from apps.workflows.declare import Dependency, Fact, Lines, Sample, Stage, Workflow
from apps.workflows.rules import (
    blocking,
    credit_limit,
    duplicates,
    express,
    not_invoiced,
    price_limits,
    promises,
    unusual,
)  # fmt: skip

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

PEOPLE = Fact(
    name="people",
    columns=["salesperson", "salesperson_login", "salesperson_email", "creator_login", "customer_class_names"],
    sql="""
        SELECT COALESCE(s.name, '') AS salesperson,
               (SELECT string_agg(t.name, ', ' ORDER BY t.name)
                  FROM mirror_res_partner p
                  JOIN mirror_res_partner cp ON cp.connection_id = p.connection_id AND cp.odoo_id = p.commercial_partner_id
                  JOIN mirror_res_partner_category t
                    ON t.connection_id = cp.connection_id AND t.odoo_id = ANY(cp.category_id) AND t.deleted_at IS NULL
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id) AS customer_class_names,
               COALESCE(s.login, '') AS salesperson_login,
               COALESCE(NULLIF(s.email, ''), '') AS salesperson_email, COALESCE(c.login, '') AS creator_login
          FROM (SELECT 1) AS one
          LEFT JOIN mirror_res_users s ON s.connection_id = r.connection_id AND s.odoo_id = r.user_id
          LEFT JOIN mirror_res_users c ON c.connection_id = r.connection_id AND c.odoo_id = r.create_uid
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

# Each step by itself (OFFSET 0): of a line's id among the ids of an entry the planner expects thousands, and would rather read
# all invoices there are.
PAID = Fact(
    name="paid",
    columns=["unpaid", "has_draft_invoice"],
    sql="""
        SELECT COALESCE(sum(abs(m.amount_residual)) FILTER (WHERE m.state = 'posted'), 0) AS unpaid,
               COALESCE(bool_or(m.state = 'draft'), FALSE) AS has_draft_invoice
          FROM (
            SELECT DISTINCT il.move_id
              FROM mirror_sale_order_line sl
             CROSS JOIN LATERAL (
               SELECT e.move_id
                 FROM mirror_account_move_line e
                WHERE e.connection_id = sl.connection_id AND e.sale_line_ids @> ARRAY[sl.odoo_id] AND e.deleted_at IS NULL
               OFFSET 0) AS il
             WHERE r.invoice_status = 'invoiced' AND sl.connection_id = r.connection_id AND sl.order_id = r.odoo_id) AS billed
         CROSS JOIN LATERAL (
           SELECT i.amount_residual, i.state
             FROM mirror_account_move i
            WHERE i.connection_id = r.connection_id AND i.odoo_id = billed.move_id AND i.state IN ('draft', 'posted')
              AND i.move_type IN ('out_invoice', 'out_refund') AND i.deleted_at IS NULL
           OFFSET 0) AS m
    """,
)

DEPENDENCIES = [
    Dependency(
        model="sale.order",
        sql=credit_limit.OPEN_ORDERS_OF_PARTNERS.format(
            partners="SELECT s.partner_id FROM mirror_sale_order s"
            " WHERE s.connection_id = %(connection)s AND s.odoo_id = ANY(%(ids)s)"
        ),
    ),
    Dependency(
        model="sale.order.line",
        sql="SELECT DISTINCT l.order_id FROM mirror_sale_order_line l"
        " WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s)",
    ),
    asks.about("sale.order"),
    Dependency(model="res.partner", sql=credit_limit.OPEN_ORDERS_OF_PARTNERS.format(partners="SELECT unnest(%(ids)s::bigint[])")),
    Dependency(
        model="account.move",
        sql=credit_limit.OPEN_ORDERS_OF_PARTNERS.format(
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
        sql=credit_limit.OPEN_ORDERS_OF_PARTNERS.format(
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
    *promises.DEPENDENCIES,
    duplicates.DEPENDENCY,
]

IN_CREDIT_REVIEW = credit_limit.BROKEN | (NOT_CONFIRMED & Q(x_ct_hold="credit_override"))
# One after the other: nobody haggles about the price for a customer who may not buy.
PRICE_BROKEN = price_limits.BROKEN & ~IN_CREDIT_REVIEW
IN_PRICING_REVIEW = PRICE_BROKEN | (NOT_CONFIRMED & Q(x_ct_hold="pricing_exception") & ~IN_CREDIT_REVIEW)
CONFIRMED = ~NOT_CONFIRMED & ~Q(state="cancel")
PARTLY_DELIVERED = CONFIRMED & Q(delivery_status__in=["partial", "started"])
# Odoo before 16 has no delivery_status: there the open deliveries themselves tell.
UNDELIVERED = CONFIRMED & ~PARTLY_DELIVERED & (
    Q(delivery_status="pending") | (~Q(delivery_status="full") & Q(has_open_delivery=True))
)
DELIVERED = CONFIRMED & ~PARTLY_DELIVERED & ~UNDELIVERED
# Odoo calls an order invoiced as soon as its invoice is drafted; the customer owes nothing before it is posted.
INVOICED = DELIVERED & Q(invoice_status="invoiced") & ~Q(has_draft_invoice=True)
TO_INVOICE = DELIVERED & ~INVOICED

STAGES = [
    Stage(
        name="quotation",
        title="Quotation",
        when=NOT_CONFIRMED & ~IN_CREDIT_REVIEW & ~IN_PRICING_REVIEW,
        owner="sales",
        target=timedelta(days=7),
        first_seen_since="create_date",
        # Offers grow old by the dozen; the large ones are worth a call.
        stuck_from=10_000,
    ),
    Stage(
        name="credit_review",
        title="Credit review",
        when=IN_CREDIT_REVIEW,
        owner="finance",
        target=timedelta(hours=4),
        first_seen_since="credit_asked_at",
        blocker=("credit_hold", "the customer is over the credit limit"),
        stuck_from=None,
    ),
    Stage(
        name="pricing_review",
        title="Pricing review",
        when=IN_PRICING_REVIEW,
        owner="sales",
        target=timedelta(hours=8),
        blocker=("pricing_approval", "the price has to be approved"),
        stuck_from=None,
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
        when=TO_INVOICE,
        owner="finance",
        target=timedelta(days=not_invoiced.GRACE_DAYS),
        # Delivered and not invoiced is an exception type of its own.
        stuck_from=None,
    ),
    Stage(
        name="unpaid",
        title="Invoiced, unpaid",
        when=INVOICED & Q(unpaid__gt=0),
        owner="finance",
        target=timedelta(days=30),
        # The invoice tells, when it is overdue.
        stuck_from=None,
    ),
    Stage(
        name="closed",
        title="Closed",
        when=INVOICED & ~Q(unpaid__gt=0),
        owner="sales",
        is_open=False,
    ),
    Stage(name="cancelled", title="Cancelled", when=Q(state="cancel"), owner="sales", is_open=False),
]

LINES = Lines(
    title="Order lines",
    columns={
        "product_name": "Product",
        "ordered_quantity": "Quantity",
        "delivered_quantity": "Delivered",
        "invoiced_quantity": "Invoiced",
        "price": "Price",
        "discount_percent": "Discount",
        "total": "Sum",
    },
    sql="""
        SELECT l.name AS product_name, l.product_uom_qty AS ordered_quantity, l.qty_delivered AS delivered_quantity,
               l.qty_invoiced AS invoiced_quantity, l.price_unit AS price, l.discount AS discount_percent,
               l.price_total AS total
          FROM mirror_sale_order_line l
         WHERE l.connection_id = %(connection)s AND l.order_id = %(record)s AND l.deleted_at IS NULL
           AND l.product_id IS NOT NULL
         ORDER BY l.odoo_id
    """,
)

WORKFLOW = Workflow(
    name="order_to_cash",
    title="Order to cash",
    odoo_model="sale.order",
    rank=10,
    look_again="next_look_at",
    promise="commitment_date",
    lines=LINES,
    blockers=blocking.OF_SALES_ORDERS,
    amount="company_amount",
    currency="currency",
    facts=[
        MONEY, PEOPLE, credit_limit.ASKED, credit_limit.FACT, price_limits.ASKED, price_limits.ASKING, price_limits.FACT,
        GOODS, PAID, promises.PROMISE, express.ASKED, express.FACT, duplicates.DUPLICATE, unusual.FACT,
        not_invoiced.FACT, not_invoiced.LOOK,
    ],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    exceptions=[
        credit_limit.EXCEPTION, replace(price_limits.EXCEPTION, when=PRICE_BROKEN), promises.STOCK_SHORTAGE,
        promises.PROMISE_AT_RISK, duplicates.POSSIBLE_DUPLICATE, unusual.EXCEPTION,
        replace(not_invoiced.EXCEPTION, when=TO_INVOICE & not_invoiced.EXCEPTION.when),
    ],
    approvals=[credit_limit.APPROVAL, replace(price_limits.APPROVAL, when=PRICE_BROKEN), express.APPROVAL],
    guards=[credit_limit.GUARD, price_limits.GUARD],
    form="sale.view_order_form",
    hooks={
        "sale.order": [
            "state", "amount_total", "partner_id", "invoice_status", "delivery_status", "x_ct_hold", "commitment_date",
            "client_order_ref",
        ],
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
