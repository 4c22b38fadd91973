"""Order to cash: from quotation to paid. What is refused on the way, and why, stands in :mod:`apps.workflows.rules`."""

from dataclasses import replace
from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import days, guard_requests, holders, returned, units
from apps.workflows.declare import Dependency, Fact, Lines, Sample, Stage, Workflow
from apps.workflows.rules import (
    blocking,
    credit_limit,
    customer_messages,
    duplicates,
    express,
    foreign_money,
    involvement,
    money,
    not_invoiced,
    price_limits,
    promises,
    quotations,
    unusual,
    what_remains,
)

NOT_CONFIRMED = Q(state__in=["draft", "sent"])

MONEY = Fact(
    name="money",
    columns=["company_amount", "currency", "partner_name"],
    sql=f"""
        SELECT {money.rounded("r.amount_total / COALESCE(NULLIF(r.currency_rate, 0), 1)", money.SMALLEST)} AS company_amount,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               (SELECT p.name FROM mirror_res_partner p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id) AS partner_name
    """,
)

PEOPLE = Fact(
    name="people",
    columns=["salesperson", "salesperson_login", "salesperson_email", "customer_class_names"],
    sql="""
        SELECT COALESCE(s.name, '') AS salesperson,
               (SELECT string_agg(t.name, ', ' ORDER BY t.name)
                  FROM mirror_res_partner p
                  JOIN mirror_res_partner cp ON cp.connection_id = p.connection_id AND cp.odoo_id = p.commercial_partner_id
                  JOIN mirror_res_partner_category t
                    ON t.connection_id = cp.connection_id AND t.odoo_id = ANY(cp.category_id) AND t.deleted_at IS NULL
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id) AS customer_class_names,
               COALESCE(s.login, '') AS salesperson_login,
               COALESCE(NULLIF(s.email, ''), '') AS salesperson_email
          FROM (SELECT 1) AS one
          LEFT JOIN mirror_res_users s ON s.connection_id = r.connection_id AND s.odoo_id = r.user_id
    """,
)

# Odoo lets a quotation run out by its day alone, and writes nothing. What is confirmed is not looked at.
VALIDITY = Fact(
    name="validity",
    columns=["expired_at", "is_expired", "expires_at"],
    sql=f"""
        SELECT e.at AS expired_at, e.at <= %(now)s AS is_expired, CASE WHEN e.at > %(now)s THEN e.at END AS expires_at
          FROM (
            SELECT {days.midnight(days.real("r.validity_date") + " + 1", at="z.zone")} AS at
              FROM {days.zoned()} AS z
             WHERE r.state IN ('draft', 'sent') AND r.validity_date IS NOT NULL
          ) AS e
    """,
)

OF_LINES = "SELECT o.order_id FROM mirror_sale_order_line o WHERE o.connection_id = %(connection)s AND o.odoo_id IN ({lines})"
DEPENDENCIES = [
    Dependency(
        model="sale.order",
        sql=credit_limit.OPEN_ORDERS_OF_PARTNERS.format(
            partners="SELECT unnest(ARRAY[s.partner_id, s.partner_invoice_id]) FROM mirror_sale_order s"
            " WHERE s.connection_id = %(connection)s AND s.odoo_id = ANY(%(ids)s)"
        ),
    ),
    Dependency(
        model="sale.order.line",
        sql="SELECT DISTINCT l.order_id FROM mirror_sale_order_line l"
        " WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s) UNION " + credit_limit.ASKED_OF_CUSTOMERS_OF_LINES,
    ),
    guard_requests.about("sale.order"),
    price_limits.COSTS,
    involvement.people("order_to_cash", "sale.order", "mirror_sale_order", "user_id"),
    credit_limit.ACCOUNTS,
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
        UNION
        """
        + OF_LINES.format(lines=returned.LINES_REVERSED.format(notes="SELECT unnest(%(ids)s::bigint[])")),
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
        UNION
        """
        + OF_LINES.format(lines=returned.LINES_REVERSED.format(notes=returned.NOTES_OF_LINES)),
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
QUOTED = NOT_CONFIRMED & ~IN_CREDIT_REVIEW & ~IN_PRICING_REVIEW
EXPIRED = Q(is_expired=True)
CONFIRMED = ~NOT_CONFIRMED & ~Q(state="cancel")
# "Started" is a pick that is done: nothing has left yet.
PARTLY_DELIVERED = CONFIRMED & Q(delivery_status="partial") & ~Q(only_return_is_open=True)
# Odoo before 16 has no delivery_status: there the open deliveries themselves tell.
# An open return is a delivery that has begun, to Odoo, where all that had left has come back.
UNDELIVERED = (
    CONFIRMED
    & ~PARTLY_DELIVERED
    & (
        (Q(delivery_status__in=["pending", "started"]) & ~Q(only_return_is_open=True))
        | (~Q(delivery_status="full") & Q(has_open_delivery=True))
    )
)
NOTHING_ON_ITS_WAY = CONFIRMED & ~PARTLY_DELIVERED & ~UNDELIVERED
# Odoo calls an order invoiced as soon as its invoice is drafted; the customer owes nothing before it is posted.
TO_INVOICE = NOTHING_ON_ITS_WAY & (
    Q(has_draft_invoice=True)
    | (Q(invoice_status="to invoice") & ~Q(to_bill_value__lte=0))
    | (Q(has_unknown_lines=True) & ~Q(invoice_status="invoiced"))
)
TO_CREDIT = NOTHING_ON_ITS_WAY & ~TO_INVOICE & Q(is_to_credit=True)
TO_DELIVER = NOTHING_ON_ITS_WAY & ~TO_INVOICE & ~TO_CREDIT & Q(awaits_delivery=True)
DONE = NOTHING_ON_ITS_WAY & ~TO_INVOICE & ~TO_CREDIT & ~TO_DELIVER

STAGES = [
    Stage(
        name="quotation",
        title="Quotation",
        when=QUOTED & ~EXPIRED,
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
        held_by=holders.APPROVER,
    ),
    Stage(
        name="pricing_review",
        title="Pricing review",
        when=IN_PRICING_REVIEW,
        owner="sales",
        target=timedelta(hours=8),
        blocker=("pricing_approval", "the price requires approval"),
        stuck_from=None,
        held_by=holders.APPROVER,
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
    # Services that are still to be rendered, and goods whose delivery was cancelled while their order was not.
    Stage(
        name="to_deliver",
        title="Confirmed, no delivery planned",
        when=TO_DELIVER,
        owner="sales",
        target=timedelta(days=14),
        first_seen_since="date_order",
    ),
    Stage(
        name="to_invoice",
        title="Delivered, to invoice",
        when=TO_INVOICE,
        owner="finance",
        target=not_invoiced.GRACE,
        # Delivered and not invoiced is an exception type of its own.
        stuck_from=None,
    ),
    Stage(
        name="to_credit",
        title="Billed, to credit",
        when=TO_CREDIT,
        owner="finance",
        target=timedelta(days=3),
        # Where goods came back, the return tells as soon as it is received.
        stuck_from=None,
    ),
    Stage(
        name="unpaid",
        title="Invoiced, unpaid",
        when=DONE & Q(unpaid__gt=0),
        owner="finance",
        target=timedelta(days=30),
        # The invoice tells, when it is overdue.
        stuck_from=None,
        held_by=holders.CUSTOMER,
    ),
    Stage(
        name="closed",
        title="Closed",
        when=DONE & ~Q(unpaid__gt=0),
        owner="sales",
        is_open=False,
    ),
    Stage(
        name="expired",
        title="Quotation expired",
        when=QUOTED & EXPIRED,
        owner="sales",
        target=timedelta(days=14),
        first_seen_since="expired_at",
        stuck_from=10_000,
        is_step=False,
    ),
    Stage(name="cancelled", title="Cancelled", when=Q(state="cancel"), owner="sales", is_open=False),
]

LINES = Lines(
    title="Order lines",
    columns={
        "product_name": Figure("Product", figures.text),
        "ordered_quantity": Figure("Quantity", figures.quantity),
        "delivered_quantity": Figure("Delivered", figures.quantity),
        "invoiced_quantity": Figure("Invoiced", figures.quantity),
        "price": Figure("Price", figures.price),
        "discount_percent": Figure("Discount", figures.percent),
        "subtotal": Figure("Sum before tax", figures.money),
    },
    sql=f"""
        SELECT {units.product_in("l.name", "l")} AS product_name,
               l.product_uom_qty AS ordered_quantity, l.qty_delivered AS delivered_quantity,
               l.qty_invoiced AS invoiced_quantity, l.price_unit AS price, l.discount AS discount_percent,
               l.price_subtotal AS subtotal, l.product_id
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
        MONEY,
        foreign_money.FACT,
        PEOPLE,
        credit_limit.ASKED,
        credit_limit.TOLD,
        credit_limit.FACT,
        price_limits.ASKED,
        price_limits.TOLD,
        price_limits.ASKING,
        price_limits.FACT,
        price_limits.TERMS,
        credit_limit.TERMS,
        promises.GOODS,
        what_remains.PAID,
        what_remains.REMAINS,
        promises.PROMISE,
        express.ASKED,
        express.FACT,
        duplicates.DUPLICATE,
        unusual.FACT,
        not_invoiced.FACT,
        VALIDITY,
        not_invoiced.LOOK,
        involvement.OF_SALE_LINES,
    ],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    parameters=[
        price_limits.MOST_DISCOUNT,
        price_limits.LEAST_MARGIN,
        duplicates.HOURS,
        duplicates.REFERENCE_DAYS,
        unusual.FAR,
        *customer_messages.PARAMETERS,
    ],
    exceptions=[
        credit_limit.EXCEPTION,
        replace(price_limits.EXCEPTION, when=PRICE_BROKEN),
        promises.STOCK_SHORTAGE,
        promises.PROMISE_AT_RISK,
        duplicates.POSSIBLE_DUPLICATE,
        unusual.EXCEPTION,
        replace(not_invoiced.EXCEPTION, when=TO_INVOICE & not_invoiced.EXCEPTION.when),
    ],
    stuck_actions=[quotations.RENEW_QUOTATION, quotations.CANCEL_QUOTATION],
    approvals=[
        replace(kind, context={**kind.context, "foreign_name": foreign_money.FIGURE})
        for kind in (
            credit_limit.APPROVAL,
            replace(price_limits.APPROVAL, when=PRICE_BROKEN | price_limits.CHANGE),
            express.APPROVAL,
        )
    ],
    guards=[credit_limit.GUARD, price_limits.GUARD, credit_limit.DELIVERY_GUARD],
    form="sale.view_order_form",
    portal="sale.sale_order_portal_template",
    hooks={
        "sale.order": [
            "state",
            "amount_total",
            "partner_id",
            "partner_invoice_id",
            "invoice_status",
            "delivery_status",
            "x_ct_hold",
            "commitment_date",
            "client_order_ref",
            "validity_date",
        ],
        "stock.picking": ["state", "scheduled_date"],
        "account.move": ["state", "payment_state", "amount_residual"],
        "purchase.order": ["state", "date_planned"],
        "res.partner": ["credit_limit", "commercial_partner_id", "name"],
    },
    samples=[
        Sample(row={"state": "draft"}, stage="quotation"),
        Sample(row={"state": "sent"}, stage="quotation"),
        Sample(row={"state": "sent", "validity_date": "2026-11-22"}, stage="expired"),
        Sample(row={"state": "sent", "validity_date": "2026-11-23"}, stage="quotation"),
        Sample(row={"state": "draft", "x_ct_hold": "credit_override"}, stage="credit_review"),
        Sample(row={"state": "draft", "x_ct_hold": "pricing_exception"}, stage="pricing_review"),
        Sample(row={"state": "sale", "delivery_status": "pending", "invoice_status": "no"}, stage="waiting_for_stock"),
        Sample(row={"state": "sale", "delivery_status": "partial", "invoice_status": "no"}, stage="partly_delivered"),
        Sample(row={"state": "sale", "delivery_status": "full", "invoice_status": "to invoice"}, stage="to_invoice"),
        Sample(row={"state": "sale", "delivery_status": "full", "invoice_status": "invoiced"}, stage="closed"),
        Sample(row={"state": "sale", "delivery_status": "full", "invoice_status": "no", "amount_total": 0}, stage="closed"),
        Sample(row={"state": "cancel"}, stage="cancelled"),
    ],
)
