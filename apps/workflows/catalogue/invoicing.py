"""Invoicing: from draft to paid, for what customers owe and for what vendors are owed.

Odoo keeps invoices among all other entries; entries that are neither invoice, credit note nor receipt do not belong here.

Two things are not in any one field of Odoo. Whether an invoice is overdue follows from its due date and the day, so the
record says when it must be looked at again (the fact ``due``). Whether it bills what was agreed follows from its lines
and the order's lines that they bill (:mod:`apps.workflows.rules.invoice_differences`). How much may be billed is Odoo's own
reckoning, the order line's ``qty_to_invoice``: the quantity ordered or the quantity delivered, as the product's invoicing
policy says, less what is billed on all invoices together, credit notes taken off. Below zero, more is billed than may be,
and the newest open invoice of the line is the one that bills it. A delivery reaches the invoice through the order line's
delivered quantity, which Odoo stores.

Days are the company's (:mod:`apps.workflows.days`).
"""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import days, guard_requests, parameters, playbooks, responsible, returned, root_causes, supply_allocation
from apps.workflows.declare import Dependency, ExceptionType, Fact, Lines, Sample, Stage, Workflow
from apps.workflows.holders import HeldBy, Holder
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import credit_note_limit, dunning, invoice_mismatch, involvement, missing_invoice, money, return_limit
from apps.workflows.sql_message import say

CUSTOMER_BILLS = ["out_invoice", "out_refund", "out_receipt"]
VENDOR_BILLS = ["in_invoice", "in_refund", "in_receipt"]
SETTLED = ["paid", "in_payment", "invoicing_legacy"]

OPEN_SUM = """abs(CASE WHEN r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked')
                              THEN r.amount_residual_signed ELSE r.amount_total_signed END)"""

MONEY = Fact(
    name="money",
    columns=["label", "open_amount", "currency", "partner_name"],
    # An invoice has no number before it is posted. What is open is the whole of it while it is a draft.
    sql=f"""
        SELECT COALESCE(NULLIF(NULLIF(r.name, ''), '/'), 'Draft ' || r.odoo_id) AS label,
               {money.rounded(OPEN_SUM, money.SMALLEST)} AS open_amount,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               (SELECT p.name FROM mirror_res_partner p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id) AS partner_name
    """,
)

EXPOSED_AFTER = parameters.Parameter(
    name="overdue_exposure_days",
    title=gettext_noop("Overdue exposure after"),
    type=parameters.TIME,
    unit=parameters.DAYS,
    default=7,
    bounds=(1, 365),
    help=gettext_noop("From so many days overdue on, what a customer owes is raised, however little it is."),
)
EXPOSED_FROM = parameters.limit(
    name="overdue_exposure_from",
    title=gettext_noop("Overdue exposure from"),
    default=10_000,
    help=gettext_noop("From this sum overdue on, what a customer owes is raised on the first day."),
)

# The days late at which something changes: an invoice is overdue from the first on, an exposure once it is raised.
DUE = Fact(
    name="due",
    columns=["due_on", "overdue_since", "days_overdue", "next_change_at"],
    sql=f"""
        SELECT d.due_on, d.today, {days.midnight("d.due_on + 1", at="d.zone")} AS overdue_since,
               CASE WHEN d.is_owed THEN d.today - d.due_on END AS days_overdue,
               CASE WHEN d.is_owed THEN (
                 SELECT {days.midnight("d.due_on + step", at="d.zone")}
                   FROM unnest(ARRAY[1, ceil({EXPOSED_AFTER.sql})::int]) AS step
                  WHERE d.due_on + step > d.today
                  ORDER BY step LIMIT 1) END AS next_change_at
          FROM (
            SELECT {days.real("COALESCE(r.invoice_date_due, r.invoice_date, r.date)")} AS due_on, z.today, z.zone,
                   r.state NOT IN ('draft', 'cancel') AND COALESCE(r.payment_state, '') NOT IN (
                     'paid', 'in_payment', 'invoicing_legacy', 'reversed')
                   AND r.move_type NOT IN ('out_refund', 'in_refund') AS is_owed
              FROM {days.zoned()} AS z
          ) AS d
    """,
)

# A customer's overdue invoices are one exposure, less the credit notes that are open whatever day they bear, carried by the
# oldest invoice. Only for that one are the others summed:
# a customer with many open invoices costs by their number, not by its square.
EXPOSURE = Fact(
    name="exposure",
    columns=["carries_exposure", "overdue_total", "overdue_count", "owed_total", "commercial_name", "credit_limit"],
    sql=statements.load(
        __file__,
        "exposure",
        credit_limit=money.rounded("cp.credit_limit", money.SMALLEST),
        first_day=days.FIRST_DAY,
        overdue_total=money.rounded("sum(m.amount_residual_signed) FILTER (WHERE m.is_late)", money.SMALLEST),
        owed_total=money.rounded("sum(m.amount_residual_signed)", money.SMALLEST),
    ),
)

# What of the customers of changed invoices is overdue, wherever their company is: which of those carries the exposure, and how
# large it is.
OVERDUE_OF_PARTNERS = """
    SELECT m.odoo_id
      FROM mirror_account_move m
     WHERE m.connection_id = %(connection)s AND m.deleted_at IS NULL
       AND m.state = 'posted' AND m.payment_state IN ('not_paid', 'partial', 'blocked')
       AND m.move_type IN ('out_invoice', 'out_receipt')
       AND m.invoice_date_due <= (%(now)s::timestamptz AT TIME ZONE 'UTC')::date
       AND m.commercial_partner_id IN ({partners})
"""

# The open invoices that bill lines of orders; what is settled is not looked at again.
OPEN_BILLS = """
    SELECT m.odoo_id
      FROM mirror_account_move_line il
      JOIN mirror_account_move m ON m.connection_id = il.connection_id AND m.odoo_id = il.move_id
       AND (m.state = 'draft' OR m.state = 'posted' AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
     WHERE il.connection_id = %(connection)s AND il.deleted_at IS NULL AND {line}
"""
OF_SALE_LINES = OPEN_BILLS.format(line="il.sale_line_ids && ARRAY({lines})")
OF_PURCHASE_LINES = OPEN_BILLS.format(line="il.purchase_line_id = ANY(ARRAY({lines}))")
# Another invoice of the same order's line: only the newest of them bears what is billed too much.
SHARING_LINES = (
    OF_SALE_LINES.format(
        lines="SELECT unnest(c.sale_line_ids) FROM mirror_account_move_line c WHERE c.connection_id = %(connection)s AND {line}"
    )
    + "UNION"
    + OF_PURCHASE_LINES.format(
        lines="SELECT c.purchase_line_id FROM mirror_account_move_line c"
        " WHERE c.connection_id = %(connection)s AND c.purchase_line_id IS NOT NULL AND {line}"
    )
)

# Billed or agreed in a unit whose ratio changed, or of a product that is kept in it.
IN_UNITS = f"""(il.product_uom_id = ANY(%(ids)s) OR il.product_id IN ({supply_allocation.KEPT_IN_UNITS})
  OR EXISTS (SELECT FROM mirror_sale_order_line agreed WHERE agreed.connection_id = il.connection_id
                AND agreed.odoo_id = ANY(il.sale_line_ids) AND agreed.product_uom_id = ANY(%(ids)s))
  OR EXISTS (SELECT FROM mirror_purchase_order_line agreed WHERE agreed.connection_id = il.connection_id
                AND agreed.odoo_id = il.purchase_line_id AND agreed.product_uom_id = ANY(%(ids)s)))"""

DEPENDENCIES = [
    Dependency(model="uom.uom", sql=OPEN_BILLS.format(line=IN_UNITS)),
    # By what is open, not by all lines that there are of the product.
    Dependency(
        model="product.template",
        sql=f"""
            SELECT p.odoo_id
              FROM workflows_position p
             WHERE p.connection_id = %(connection)s AND p.workflow = 'invoicing' AND p.is_open AND EXISTS (
               SELECT FROM mirror_account_move_line il
                WHERE il.connection_id = p.connection_id AND il.move_id = p.odoo_id AND il.deleted_at IS NULL
                  AND il.product_id IN ({supply_allocation.PRODUCTS_OF_TEMPLATES}))
        """,
    ),
    involvement.people("invoicing", "account.move", "mirror_account_move", "invoice_user_id", "create_uid"),
    # The customer that bears the exposure may be another than the one that is billed.
    Dependency(
        model="res.partner",
        sql=OVERDUE_OF_PARTNERS.format(partners="SELECT unnest(%(ids)s::bigint[])"),
    ),
    guard_requests.about("account.move"),
    guard_requests.together(credit_note_limit.KIND, "account.move"),
    guard_requests.together(invoice_mismatch.KIND, "account.move"),
    Dependency(
        model="account.move",
        sql=OVERDUE_OF_PARTNERS.format(
            partners="SELECT c.commercial_partner_id FROM mirror_account_move c WHERE c.connection_id = %(connection)s"
            " AND c.odoo_id = ANY(%(ids)s) AND c.move_type IN ('out_invoice', 'out_refund', 'out_receipt')"
        )
        + "UNION"
        + SHARING_LINES.format(line="c.move_id = ANY(%(ids)s)"),
    ),
    Dependency(
        model="account.move.line",
        sql="SELECT DISTINCT l.move_id FROM mirror_account_move_line l"
        " WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s)"
        " AND (l.sale_line_ids <> '{}' OR l.purchase_line_id IS NOT NULL OR l.parent_state = 'draft') UNION "
        + SHARING_LINES.format(line="c.odoo_id = ANY(%(ids)s)"),
    ),
    # What came back may be credited: what of a draft goes beyond it is another sum then.
    Dependency(
        model="stock.move",
        sql=OF_SALE_LINES.format(
            lines="SELECT c.sale_line_id FROM mirror_stock_move c JOIN mirror_stock_picking cp"
            f" ON cp.connection_id = c.connection_id AND cp.odoo_id = c.picking_id AND {returned.from_customer('cp')}"
            " WHERE c.connection_id = %(connection)s AND c.odoo_id = ANY(%(ids)s) AND c.sale_line_id IS NOT NULL"
        ),
    ),
    Dependency(model="sale.order.line", sql=OF_SALE_LINES.format(lines="SELECT unnest(%(ids)s::bigint[])")),
    Dependency(
        model="sale.order",
        sql=OF_SALE_LINES.format(
            lines="SELECT l.odoo_id FROM mirror_sale_order_line l"
            " WHERE l.connection_id = %(connection)s AND l.order_id = ANY(%(ids)s)"
        ),
    ),
    Dependency(model="purchase.order.line", sql=OF_PURCHASE_LINES.format(lines="SELECT unnest(%(ids)s::bigint[])")),
    Dependency(
        model="purchase.order",
        sql=OF_PURCHASE_LINES.format(
            lines="SELECT l.odoo_id FROM mirror_purchase_order_line l"
            " WHERE l.connection_id = %(connection)s AND l.order_id = ANY(%(ids)s)"
        ),
    ),
]

DRAFT = Q(state="draft")
CANCELLED = Q(state="cancel")
POSTED = ~DRAFT & ~CANCELLED
PAID = POSTED & Q(payment_state__in=SETTLED)
REVERSED = POSTED & Q(payment_state="reversed")
OWED = POSTED & ~PAID & ~REVERSED
# Odoo's own word for an invoice that somebody has set aside is "blocked".
DISPUTED = invoice_mismatch.HELD | (OWED & (invoice_mismatch.DIFFERS | Q(payment_state="blocked")))
# A credit note waits to be paid out or set against an invoice; no day makes it late, nor its customer.
IS_CREDIT = Q(move_type__in=["out_refund", "in_refund"])
TO_SETTLE = OWED & ~DISPUTED & IS_CREDIT
OVERDUE = OWED & ~DISPUTED & ~TO_SETTLE & Q(days_overdue__gte=1)

# A customer's invoice is the customer's to pay, a vendor's bill ours.
OWED_BY = HeldBy(Holder.US, where=((Q(move_type__in=CUSTOMER_BILLS), Holder.CUSTOMER),))

STAGES = [
    Stage(
        name="draft",
        title="Draft",
        when=DRAFT & ~DISPUTED,
        owner="finance",
        target=timedelta(days=2),
        first_seen_since="create_date",
    ),
    Stage(
        name="disputed",
        title="Disputed",
        when=DISPUTED,
        owner="finance",
        target=timedelta(days=3),
        blocker=("invoice_dispute", "it differs from the order or the delivery, or is blocked in Odoo"),
    ),
    Stage(
        name="not_due",
        title="Posted, not due",
        when=OWED & ~DISPUTED & ~TO_SETTLE & ~OVERDUE,
        owner="finance",
        # Longer than any usual payment term: beyond it, it is the due date that nobody has looked at.
        target=timedelta(days=90),
        first_seen_since="invoice_date",
        stuck_from=None,
        held_by=OWED_BY,
    ),
    Stage(
        name="overdue",
        title="Overdue",
        when=OVERDUE,
        owner="finance",
        target=timedelta(days=7),
        first_seen_since="overdue_since",
        # Overdue exposure tells of it, customer by customer.
        stuck_from=None,
        held_by=OWED_BY,
        is_step=False,
    ),
    Stage(
        name="to_settle",
        title="Credit note, to settle",
        when=TO_SETTLE,
        owner="finance",
        target=timedelta(days=30),
        first_seen_since="invoice_date",
    ),
    Stage(name="paid", title="Paid", when=PAID, owner="finance", is_open=False),
    Stage(name="reversed", title="Reversed", when=REVERSED, owner="finance", is_open=False),
    Stage(name="cancelled", title="Cancelled", when=CANCELLED, owner="finance", is_open=False),
]

EXPOSURE_FIGURES = {
    "commercial_name": Figure("Customer", figures.text),
    "overdue_total": Figure("Overdue, all invoices", figures.money),
    "overdue_count": Figure("Invoices overdue", figures.count),
    "due_on": Figure("Oldest was due on", figures.day),
    "owed_total": Figure("Total owed", figures.money),
    "credit_limit": Figure("Credit limit", figures.money),
}

LINES = Lines(
    title="Invoice lines",
    columns={
        "product_name": Figure("Product", figures.text),
        "billed_quantity": Figure("Quantity", figures.quantity),
        "price": Figure("Price", figures.price),
        "discount_percent": Figure("Discount", figures.percent),
        "subtotal": Figure("Sum before tax", figures.money),
    },
    sql=f"""
        SELECT COALESCE(to_jsonb(t.name), {say("Other")}) AS product_name, l.quantity AS billed_quantity, l.price_unit AS price,
               l.discount AS discount_percent, l.price_subtotal AS subtotal, pr.odoo_id AS product_id
          FROM mirror_account_move_line l
          LEFT JOIN mirror_product_product pr ON pr.connection_id = l.connection_id AND pr.odoo_id = l.product_id
          LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
         WHERE l.connection_id = %(connection)s AND l.move_id = %(record)s AND l.deleted_at IS NULL
           AND l.display_type = 'product'
         ORDER BY l.odoo_id
    """,
)

WORKFLOW = Workflow(
    name="invoicing",
    title="Invoicing",
    odoo_model="account.move",
    rank=40,
    belongs=Q(move_type__in=[*CUSTOMER_BILLS, *VENDOR_BILLS]),
    label="label",
    look_again="next_change_at",
    lines=LINES,
    amount="open_amount",
    currency="currency",
    facts=[
        MONEY,
        DUE,
        invoice_mismatch.MATCH,
        invoice_mismatch.ASKED,
        invoice_mismatch.TOLD,
        invoice_mismatch.PEOPLE,
        invoice_mismatch.RELEASE_TERMS,
        credit_note_limit.ASKED,
        credit_note_limit.TOLD,
        credit_note_limit.CREDITED,
        EXPOSURE,
    ],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    parameters=[invoice_mismatch.LIMIT, return_limit.LIMIT, EXPOSED_AFTER, EXPOSED_FROM],
    exceptions=[
        invoice_mismatch.EXCEPTION,
        ExceptionType(
            name="invoice.overdue_exposure",
            title="Overdue exposure",
            when=Q(carries_exposure=True, overdue_total__gt=0)
            & (Q(days_overdue__gte=EXPOSED_AFTER.column) | Q(overdue_total__gte=EXPOSED_FROM.column)),
            team="finance",
            due=timedelta(hours=16),
            amount="overdue_total",
            evidence=EXPOSURE_FIGURES,
            severity=("overdue_total", (1_000, 10_000, 50_000)),
            root_causes=[RootCause(kind=root_causes.CUSTOMER_CREDIT, record="commercial_partner_id")],
            playbook=[
                playbooks.owned(),
                Step(name="disputed", title="See whether the customer disputes any of it"),
                Step(name="remind", title="Remind the customer", kind=StepKind.MESSAGE),
                Step(name="promised", title="When does the customer pay?", kind=StepKind.QUESTION),
            ],
            closed_because="The invoice is no longer the customer's oldest overdue one",
            actions=[
                dunning.REMIND,
                responsible.ask(responsible.INVOICE, "call the customer about what is overdue"),
            ],
        ),
        credit_note_limit.FOR_NOTHING,
    ],
    stuck_actions=[missing_invoice.POST_DRAFT],
    approvals=[invoice_mismatch.APPROVAL, credit_note_limit.APPROVAL],
    guards=[invoice_mismatch.GUARD, credit_note_limit.GUARD],
    form="account.view_move_form",
    hooks={"account.move": ["state", "payment_state", "amount_residual", "invoice_date_due", "x_ct_hold"]},
    samples=[
        Sample(row={"state": "draft"}, stage="draft"),
        Sample(row={"state": "posted", "payment_state": "blocked"}, stage="disputed"),
        Sample(row={"state": "posted", "payment_state": "not_paid"}, stage="not_due"),
        Sample(row={"state": "posted", "payment_state": "not_paid", "invoice_date_due": "2026-11-23"}, stage="not_due"),
        Sample(row={"state": "posted", "payment_state": "not_paid", "invoice_date_due": "2026-11-22"}, stage="overdue"),
        Sample(row={"state": "posted", "payment_state": "partial", "invoice_date_due": "2026-11-01"}, stage="overdue"),
        Sample(
            row={"state": "posted", "payment_state": "not_paid", "move_type": "out_refund", "invoice_date_due": "2026-11-01"},
            stage="to_settle",
        ),
        Sample(row={"state": "posted", "payment_state": "partial", "move_type": "in_refund"}, stage="to_settle"),
        Sample(row={"state": "posted", "payment_state": "paid", "move_type": "out_refund"}, stage="paid"),
        Sample(row={"state": "posted", "payment_state": "in_payment"}, stage="paid"),
        Sample(row={"state": "posted", "payment_state": "paid"}, stage="paid"),
        Sample(row={"state": "posted", "payment_state": "reversed"}, stage="reversed"),
        Sample(row={"state": "cancel"}, stage="cancelled"),
    ],
)
