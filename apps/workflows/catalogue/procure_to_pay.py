"""Procure to pay: from the request for quotation to the vendor's bill.

Whether a purchase order is late follows from the days that its lines are promised for, and the day, both the company's: what
is due today is not late before tomorrow. The order says when it must be looked at again (the fact ``receipt``). Receipts
reach an order through its lines' received quantity, which Odoo stores.
"""

from dataclasses import replace
from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import days, guard_requests, holders, playbooks, responsible, root_causes, supply_allocation, units
from apps.workflows.declare import Dependency, ExceptionType, Fact, Lines, Sample, Stage, Workflow
from apps.workflows.playbooks import Shows, Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import (
    foreign_money,
    involvement,
    money,
    outgoing_mail,
    purchase_differences,
    purchase_limit,
    receipts,
    sourcing,
    vendor_answers,
)

MONEY = Fact(
    name="money",
    columns=["company_amount", "currency", "partner_name", "vendor_id"],
    sql=f"""
        SELECT {money.rounded("r.amount_total / COALESCE(NULLIF(r.currency_rate, 0), 1)", money.SMALLEST)} AS company_amount,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               v.name AS partner_name, COALESCE(v.commercial_partner_id, r.partner_id) AS vendor_id
          FROM (SELECT 1) AS one
          LEFT JOIN mirror_res_partner v ON v.connection_id = r.connection_id AND v.odoo_id = r.partner_id
    """,
)

BUYER = Fact(
    name="buyer",
    columns=["buyer_name", "buyer_login", "buyer_email"],
    sql="""
        SELECT COALESCE(u.name, '') AS buyer_name, COALESCE(u.login, '') AS buyer_login, COALESCE(u.email, '') AS buyer_email
          FROM (SELECT 1) AS one
          LEFT JOIN mirror_res_users u ON u.connection_id = r.connection_id AND u.odoo_id = r.user_id
    """,
)

# Odoo calls an order billed as soon as its bill is drafted; nobody has looked at it before it is posted. What was ordered and
# did not come is not to be billed, though the product's policy bills what was ordered; nor is what costs nothing.
BILL = Fact(
    name="bill",
    columns=["has_draft_bill", "is_nothing_to_bill"],
    sql=f"""
        SELECT r.invoice_status = 'invoiced' AND EXISTS (
                 SELECT FROM mirror_purchase_order_line l
                   JOIN mirror_account_move_line bl ON bl.connection_id = l.connection_id AND bl.purchase_line_id = l.odoo_id
                    AND bl.parent_state = 'draft' AND bl.deleted_at IS NULL
                  WHERE l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL) AS has_draft_bill,
               r.invoice_status = 'to invoice' AND (
                 SELECT bool_or(l.qty_to_invoice <> 0) AND bool_and(
                          l.price_unit = 0 OR l.qty_to_invoice = 0
                          OR {receipts.IS_GOODS} AND l.qty_to_invoice > 0 AND l.qty_received = l.qty_invoiced)
                   FROM mirror_purchase_order_line l
                  WHERE l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL
                    AND l.product_qty > 0) AS is_nothing_to_bill
    """,
)

# What is late here is late for those who wait for it. The money at risk is their revenue, or the value that is still to
# come where that is more.
AT_RISK = Fact(
    name="at_risk",
    columns=["orders_at_risk_count", "customers_at_risk_count", "revenue_at_risk", "at_stake_amount", "look_again_at"],
    unwatched=[
        supply_allocation.TYPES,
        supply_allocation.PUT_AWAY,
        supply_allocation.BETWEEN_WAREHOUSES,
        supply_allocation.STOCK_OF_WAREHOUSES,
    ],
    sql=f"""
        SELECT w.orders_at_risk_count, w.customers_at_risk_count, w.revenue_at_risk,
               GREATEST(receipt.missing_amount, w.revenue_at_risk) AS at_stake_amount,
               LEAST(receipt.next_change_at, CASE WHEN receipt.late_lines_count > 0 THEN w.next_at_risk_at END) AS look_again_at
          FROM (
            SELECT count(*) FILTER (WHERE o.is_at_risk) AS orders_at_risk_count,
                   count(DISTINCT COALESCE(
                     (SELECT p.commercial_partner_id FROM mirror_res_partner p
                       WHERE p.connection_id = %(connection)s AND p.odoo_id = o.partner_id), o.partner_id))
                     FILTER (WHERE o.is_at_risk) AS customers_at_risk_count,
                   COALESCE(sum(o.revenue) FILTER (WHERE o.is_at_risk), 0) AS revenue_at_risk,
                   ((min(o.promised_at) FILTER (WHERE NOT o.is_at_risk) AT TIME ZONE receipt.zone)::date + 1)::timestamp
                     AT TIME ZONE receipt.zone AS next_at_risk_at
              FROM ({supply_allocation.waiting_for_purchases("r.odoo_id")}) AS o
          ) AS w
    """,
)

# What the vendor said outside of Odoo, newest first; an older message never wins. A date counts by its day, and is a delay
# where it is later than the first promised day of what is still to come: an order whose lines were planned anew is none.
SUPPLIER = Fact(
    name="supplier",
    columns=["has_answered", "is_put_off", "said_expected_at", "said_late_days", "said_by", "said_at", "said_text"],
    sql=f"""
        SELECT EXISTS (SELECT FROM events_event a
                        WHERE a.connection_id = r.connection_id AND a.model = 'purchase.order' AND a.odoo_id = r.odoo_id
                          AND a.status = 'matched' AND a.kind = 'order_acknowledged') AS has_answered,
               COALESCE(d.later_days > 0, FALSE) AS is_put_off,
               CASE WHEN d.later_days > 0 THEN e.expected_at END AS said_expected_at,
               CASE WHEN d.later_days > 0 THEN d.later_days END AS said_late_days,
               CASE WHEN d.later_days > 0 THEN e.source END AS said_by,
               CASE WHEN d.later_days > 0 THEN e.occurred_at END AS said_at,
               CASE WHEN d.later_days > 0 THEN NULLIF(e.text, '') END AS said_text
          FROM (SELECT min({days.real("l.date_planned")}) AS promised_at
                  FROM mirror_purchase_order_line l
                 WHERE r.state IN ('purchase', 'done') AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id
                   AND l.deleted_at IS NULL AND l.product_qty > 0 AND l.qty_received < l.product_qty) AS p
          LEFT JOIN LATERAL (
            SELECT * FROM events_event s
             WHERE s.connection_id = r.connection_id AND s.model = 'purchase.order' AND s.odoo_id = r.odoo_id
               AND s.status = 'matched' AND s.kind IN ('eta_changed', 'order_acknowledged') AND s.expected_at IS NOT NULL
             ORDER BY s.occurred_at DESC, s.id DESC
             LIMIT 1) AS e ON TRUE
         CROSS JOIN LATERAL (
            SELECT {days.day("e.expected_at", at="z.zone")} - {days.day("p.promised_at", at="z.zone")} AS later_days
              FROM {days.zoned()} AS z) AS d
    """,
)

DEPENDENCIES = [
    Dependency(model="uom.uom", sql=supply_allocation.purchases_of(supply_allocation.PRODUCTS_OF_UNITS)),
    Dependency(model="product.template", sql=supply_allocation.purchases_of(supply_allocation.PRODUCTS_OF_TEMPLATES)),
    guard_requests.about("purchase.order"),
    guard_requests.together(purchase_limit.KIND, "purchase.order"),
    involvement.people("procure_to_pay", "purchase.order", "mirror_purchase_order", "user_id"),
    Dependency(
        model="purchase.order.line",
        sql="SELECT DISTINCT l.order_id FROM mirror_purchase_order_line l"
        " WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s) UNION "
        + supply_allocation.purchases_of(supply_allocation.PRODUCTS_OF_PURCHASE_LINES),
    ),
    Dependency(model="purchase.order", sql=supply_allocation.purchases_of(supply_allocation.PRODUCTS_OF_PURCHASES)),
    Dependency(
        model="stock.move",
        sql="SELECT DISTINCT l.order_id FROM mirror_stock_move m JOIN mirror_purchase_order_line l"
        " ON l.connection_id = m.connection_id AND l.odoo_id = m.purchase_line_id"
        " WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s) UNION "
        + supply_allocation.purchases_of(supply_allocation.PRODUCTS_OF_MOVES),
    ),
    Dependency(model="sale.order", sql=supply_allocation.purchases_of(supply_allocation.PRODUCTS_OF_SALES)),
    Dependency(model="stock.quant", sql=supply_allocation.purchases_of(supply_allocation.PRODUCTS_OF_QUANTS)),
    Dependency(model="sale.order.line", sql=supply_allocation.purchases_of(supply_allocation.PRODUCTS_OF_SALE_LINES)),
    *purchase_differences.DEPENDENCIES,
]

NOT_ORDERED = Q(state__in=["draft", "sent"])
TO_APPROVE = Q(state="to approve") | purchase_limit.BROKEN | (NOT_ORDERED & Q(x_ct_hold="procurement_threshold"))
REQUEST = NOT_ORDERED & ~TO_APPROVE
CANCELLED = Q(state="cancel")
ORDERED = ~NOT_ORDERED & ~TO_APPROVE & ~CANCELLED
RECEIVED = ORDERED & Q(is_received=True)
PARTLY = ORDERED & ~RECEIVED & Q(has_received=True)
UNTOUCHED = ORDERED & ~RECEIVED & ~PARTLY
TO_BILL = RECEIVED & ((Q(invoice_status="to invoice") & ~Q(is_nothing_to_bill=True)) | Q(has_draft_bill=True))
LATE = UNTOUCHED & Q(is_late=True)
# Odoo before 19 does not keep whether the vendor has answered: there nobody is taken to owe an answer.
UNACKNOWLEDGED = UNTOUCHED & ~LATE & Q(acknowledged=False) & ~Q(has_answered=True)

STAGES = [
    Stage(
        name="request",
        title="Request for quotation",
        when=REQUEST,
        owner="purchasing",
        target=timedelta(days=7),
        first_seen_since="create_date",
    ),
    Stage(
        name="awaiting_approval",
        title="Awaiting approval",
        when=TO_APPROVE,
        owner="purchasing",
        target=timedelta(days=1),
        stuck_from=None,
        held_by=holders.APPROVER,
    ),
    Stage(
        name="unacknowledged",
        title="Ordered, unacknowledged",
        when=UNACKNOWLEDGED,
        owner="purchasing",
        target=timedelta(days=2),
        first_seen_since="date_approve",
        stuck_from=None,
        held_by=holders.VENDOR,
    ),
    Stage(
        name="on_time",
        title="Ordered, on time",
        when=UNTOUCHED & ~LATE & ~UNACKNOWLEDGED,
        owner="purchasing",
        # Longer than any usual lead time: what is promised for later than that is worth a look.
        target=timedelta(days=60),
        first_seen_since="date_approve",
        stuck_from=None,
        held_by=holders.VENDOR,
    ),
    Stage(
        name="late",
        title="Ordered, late",
        when=LATE,
        owner="purchasing",
        target=timedelta(days=1),
        first_seen_since="late_since",
        stuck_from=None,
        held_by=holders.VENDOR,
        is_step=False,
    ),
    Stage(
        name="partly_received",
        title="Partly received",
        when=PARTLY,
        owner="warehouse",
        target=timedelta(days=7),
        held_by=holders.VENDOR,
    ),
    Stage(
        name="to_bill",
        title="Received, to bill",
        when=TO_BILL,
        owner="finance",
        target=timedelta(days=14),
    ),
    Stage(
        name="closed",
        title="Closed",
        when=RECEIVED & ~TO_BILL,
        owner="purchasing",
        is_open=False,
    ),
    Stage(name="cancelled", title="Cancelled", when=CANCELLED, owner="purchasing", is_open=False),
]

LINES = Lines(
    title="Order lines",
    columns={
        "product_name": Figure("Product", figures.text),
        "ordered_quantity": Figure("Ordered", figures.quantity),
        "received_quantity": Figure("Received", figures.quantity),
        "billed_quantity": Figure("Billed", figures.quantity),
        "expected_at": Figure("Expected", figures.moment),
        "price": Figure("Price", figures.price),
        "subtotal": Figure("Sum before tax", figures.money),
    },
    sql=f"""
        SELECT {units.product_in("l.name", "l")} AS product_name,
               l.product_qty AS ordered_quantity, l.qty_received AS received_quantity,
               l.qty_invoiced AS billed_quantity, l.date_planned AS expected_at, l.price_unit AS price,
               l.price_subtotal AS subtotal, l.product_id
          FROM mirror_purchase_order_line l
         WHERE l.connection_id = %(connection)s AND l.order_id = %(record)s AND l.deleted_at IS NULL
           AND l.product_id IS NOT NULL
         ORDER BY l.odoo_id
    """,
)

WORKFLOW = Workflow(
    name="procure_to_pay",
    title="Procure to pay",
    odoo_model="purchase.order",
    rank=20,
    look_again="look_again_at",
    promise="expected_at",
    lines=LINES,
    amount="company_amount",
    currency="currency",
    facts=[
        MONEY,
        foreign_money.FACT,
        BUYER,
        receipts.RECEIPT,
        BILL,
        purchase_limit.BOUGHT,
        purchase_limit.ASKED,
        purchase_limit.TOLD,
        purchase_limit.ASKING,
        purchase_limit.VENDOR,
        AT_RISK,
        SUPPLIER,
        purchase_differences.QUANTITIES,
        purchase_differences.PRICES,
        involvement.OF_PURCHASE_LINES,
    ],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    parameters=[
        purchase_limit.LIMIT,
        purchase_differences.TOLERANCE,
        purchase_differences.LEAST_DIFFERENCE,
        *vendor_answers.PARAMETERS,
        *outgoing_mail.PARAMETERS,
    ],
    exceptions=[
        ExceptionType(
            name="purchase.supplier_delay",
            title="Supplier delay",
            # Late by its own date, promised for later than customers were promised what it brings, or put off by the vendor.
            when=ORDERED & (Q(late_lines_count__gt=0) | Q(orders_at_risk_count__gt=0) | Q(is_put_off=True)),
            team="purchasing",
            due=timedelta(hours=8),
            amount="at_stake_amount",
            evidence={
                "partner_name": Figure("Vendor", figures.text),
                "buyer_name": Figure("Buyer", figures.text),
                "expected_at": Figure("Promised for", figures.moment),
                "said_expected_at": Figure("New expected date", figures.moment),
                "said_late_days": Figure("Days later", figures.days),
                "said_by": Figure("Reported by", figures.text),
                "said_at": Figure("Reported at", figures.moment),
                "said_text": Figure("Original text", figures.text),
                "late_days": Figure("Days late", figures.days),
                "orders_at_risk_count": Figure("Sales orders at risk", figures.count),
                "customers_at_risk_count": Figure("Customers", figures.count),
                "revenue_at_risk": Figure("Revenue at risk", figures.money),
                "late_lines_count": Figure("Late lines", figures.count),
                "late_products_names": Figure("Products", figures.text),
                "missing_quantity": Figure("Outstanding", figures.quantity),
                "missing_amount": Figure("Outstanding value", figures.money),
            },
            severity=("at_stake_amount", (1_000, 10_000, 50_000)),
            root_causes=[RootCause(kind=root_causes.PURCHASE_ORDER, record="odoo_id")],
            playbook=[
                playbooks.owned(),
                Step(name="waiting", title="Look at which orders wait for it"),
                Step(name="ask", title="Ask the vendor for a firm date", kind=StepKind.MESSAGE),
                playbooks.applied("Buy elsewhere, or move the promises"),
                Step(name="reason", title="What did the vendor give as the reason?", kind=StepKind.QUESTION),
            ],
            closed_because="The order is no longer late",
            actions=[
                sourcing.PROMISE_LATER,
                sourcing.RESCHEDULE,
                sourcing.from_another_warehouse(sourcing.NEEDED_OF_PURCHASE),
                sourcing.from_another_vendor(sourcing.NEEDED_OF_PURCHASE),
                responsible.ask(responsible.PURCHASE_ORDER, "get a firm date from the vendor"),
            ],
        ),
        ExceptionType(
            name="purchase.unacknowledged",
            title="No supplier response",
            when=UNACKNOWLEDGED & Q(is_unanswered=True),
            team="purchasing",
            due=timedelta(hours=16),
            amount="company_amount",
            evidence={
                "partner_name": Figure("Vendor", figures.text),
                "buyer_name": Figure("Buyer", figures.text),
                "unanswered_days": Figure("Days since ordered", figures.days),
                "expected_at": Figure("Expected", figures.moment),
                "company_amount": Figure("Value", figures.money),
            },
            severity=("company_amount", (5_000, 25_000, 100_000)),
            root_causes=[RootCause(kind=root_causes.SILENT_VENDOR, record="vendor_id")],
            playbook=[
                playbooks.owned(),
                Step(name="remind", title="Write to the vendor, with the link to answer", kind=StepKind.MESSAGE),
                Step(name="confirmed", title="The vendor has confirmed", done_when=Shows.MOVED),
            ],
            closed_because="The vendor has responded, or the order is late or received",
            actions=[responsible.ask(responsible.PURCHASE_ORDER, "have the vendor confirm the order")],
        ),
        ExceptionType(
            name="purchase.approval_stalled",
            title="Purchase approval stalled",
            when=TO_APPROVE & Q(is_stalled=True),
            team="purchasing",
            due=timedelta(hours=4),
            amount="company_amount",
            evidence={
                "partner_name": Figure("Vendor", figures.text),
                "buyer_name": Figure("Buyer", figures.text),
                "stalled_days": Figure("Days without change", figures.days),
                "company_amount": Figure("Value", figures.money),
            },
            severity=("company_amount", (5_000, 25_000, 100_000)),
            closed_because="The order was approved, changed or cancelled",
            actions=[responsible.ask(responsible.PURCHASE_ORDER, "have the order approved, or cancel it")],
            playbook=[
                playbooks.owned(),
                Step(name="whom", title="See with whom it waits, and whether they are away"),
                Step(name="remind", title="Remind them, or have somebody else asked", kind=StepKind.MESSAGE),
                Step(name="moved", title="It is approved or rejected", done_when=Shows.MOVED),
            ],
        ),
        purchase_differences.RECEIPT_DIFFERS,
        purchase_differences.PRICE_DIFFERS,
    ],
    approvals=[
        replace(
            purchase_limit.APPROVAL,
            context={**purchase_limit.APPROVAL.context, "foreign_name": foreign_money.FIGURE},
        )
    ],
    guards=[purchase_limit.GUARD],
    form="purchase.purchase_order_form",
    hooks={"purchase.order": ["state", "date_planned", "acknowledged", "receipt_status", "invoice_status", "x_ct_hold"]},
    samples=[
        Sample(row={"state": "draft"}, stage="request"),
        Sample(row={"state": "sent"}, stage="request"),
        Sample(row={"state": "to approve"}, stage="awaiting_approval"),
        Sample(row={"state": "purchase", "invoice_status": "to invoice"}, stage="to_bill"),
        Sample(row={"state": "purchase", "invoice_status": "invoiced"}, stage="closed"),
        Sample(row={"state": "cancel"}, stage="cancelled"),
    ],
)
