"""Invoicing: from draft to paid, for what customers owe and for what vendors are owed.

Odoo keeps invoices among all other entries; entries that are neither invoice, credit note nor receipt do not belong here.

Two things are not in any one field of Odoo. Whether an invoice is overdue follows from its due date and the day, so the
record says when it must be looked at again (the fact ``due``). Whether it bills what was agreed follows from its lines
and the order's lines that they bill (the fact ``match``). How much may be billed is Odoo's own reckoning, the order
line's ``qty_to_invoice``: the quantity ordered or the quantity delivered, as the product's invoicing policy says, less
what is billed on all invoices together, credit notes taken off. Below zero, more is billed than may be, and the newest
open invoice of the line is the one that bills it. A delivery reaches the invoice through the order line's delivered
quantity, which Odoo stores.

Days are days in UTC, in which the mirror keeps everything: the company's own midnight may be some hours away.
"""

from datetime import timedelta

from django.db.models import Q

from apps.workflows.declare import Dependency, ExceptionType, Fact, Lines, Sample, Stage, Workflow
from apps.workflows.rules import invoice_resolution

CUSTOMER_BILLS = ["out_invoice", "out_refund", "out_receipt"]
VENDOR_BILLS = ["in_invoice", "in_refund", "in_receipt"]
SETTLED = ["paid", "in_payment", "invoicing_legacy"]

MONEY = Fact(
    name="money",
    columns=["label", "open_amount", "currency", "partner_name"],
    # An invoice has no number before it is posted. What is open is the whole of it while it is a draft.
    sql="""
        SELECT COALESCE(NULLIF(NULLIF(r.name, ''), '/'), 'Draft ' || r.odoo_id) AS label,
               round(abs(CASE WHEN r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked')
                              THEN r.amount_residual_signed ELSE r.amount_total_signed END), 2) AS open_amount,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               (SELECT p.name FROM mirror_res_partner p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id) AS partner_name
    """,
)

# The days late at which something changes: an invoice is overdue from the first on, an exposure from the seventh.
DUE = Fact(
    name="due",
    columns=["due_on", "overdue_since", "days_overdue", "next_change_at"],
    sql="""
        SELECT d.due_on, (d.due_on + 1)::timestamp AT TIME ZONE 'UTC' AS overdue_since,
               CASE WHEN d.is_owed THEN d.today - d.due_on END AS days_overdue,
               CASE WHEN d.is_owed THEN (
                 SELECT (d.due_on + step)::timestamp AT TIME ZONE 'UTC'
                   FROM unnest(ARRAY[1, 7]) AS step
                  WHERE d.due_on + step > d.today
                  ORDER BY step LIMIT 1) END AS next_change_at
          FROM (
            SELECT COALESCE(r.invoice_date_due, r.invoice_date, r.date) AS due_on,
                   (%(now)s::timestamptz AT TIME ZONE 'UTC')::date AS today,
                   r.state NOT IN ('draft', 'cancel') AND COALESCE(r.payment_state, '') NOT IN (
                     'paid', 'in_payment', 'invoicing_legacy', 'reversed') AS is_owed
          ) AS d
    """,
)

# Below a per mille of the line, and below two cents, a difference in price is rounding. Down payments are lines of the
# order with nothing ordered and nothing delivered: nothing there to be compared. A line that bills several lines of
# orders at once has no one price to be compared with.
MATCH = Fact(
    name="match",
    columns=[
        "differing_count", "order_names", "product_names", "billed_quantity", "all_billed_quantity", "ordered_quantity",
        "delivered_quantity", "over_quantity", "billed_price", "ordered_price", "price_difference", "amount_over",
        "disputed_amount",
    ],
    sql="""
        SELECT count(*) AS differing_count, string_agg(DISTINCT d.order_name, ', ') AS order_names,
               string_agg(DISTINCT d.product, ', ') AS product_names,
               trim_scale(sum(d.quantity)) AS billed_quantity, trim_scale(sum(d.billed)) AS all_billed_quantity,
               trim_scale(sum(d.ordered)) AS ordered_quantity,
               trim_scale(sum(d.delivered)) AS delivered_quantity, trim_scale(sum(d.over)) AS over_quantity,
               round(sum(d.quantity * d.price) * d.rate, 2) AS billed_price,
               round(sum(d.quantity * d.agreed) * d.rate, 2) AS ordered_price,
               round(sum(d.price_off) * d.rate, 2) AS price_difference,
               round(sum(d.over * d.price) * d.rate, 2) AS amount_over,
               round(sum(abs(d.price_off) + d.over * abs(d.price)) * d.rate, 2) AS disputed_amount
          FROM (
            SELECT b.*, CASE WHEN abs(b.quantity * (b.price - b.agreed)) > GREATEST(0.02, abs(b.quantity * b.agreed) / 1000)
                             THEN b.quantity * (b.price - b.agreed) ELSE 0 END AS price_off
              FROM (
                SELECT il.quantity, o.order_name, o.product, o.ordered, o.delivered, o.billed,
                       CASE WHEN o.bears_excess THEN LEAST(o.excess, il.quantity) ELSE 0 END AS over,
                       o.price, COALESCE(o.agreed, o.price) AS agreed,
                       COALESCE(abs(r.amount_total_signed) / NULLIF(abs(r.amount_total), 0), 1) AS rate
                  FROM mirror_account_move_line il
                 CROSS JOIN LATERAL (
                   SELECT so.name AS order_name, sl.name AS product, sl.product_uom_qty AS ordered,
                          sl.qty_delivered AS delivered, sl.qty_invoiced AS billed,
                          e.excess,
                          il.price_unit * (1 - COALESCE(il.discount, 0) / 100) AS price,
                          CASE WHEN cardinality(il.sale_line_ids) = 1 AND so.currency_id = il.currency_id
                               THEN sl.price_unit * (1 - COALESCE(sl.discount, 0) / 100) END AS agreed,
                          e.excess > 0 AND NOT EXISTS (
                            SELECT 1 FROM mirror_account_move_line later
                              JOIN mirror_account_move m ON m.connection_id = later.connection_id
                               AND m.odoo_id = later.move_id AND m.deleted_at IS NULL AND m.move_type = 'out_invoice'
                               AND (m.state = 'draft' OR m.state = 'posted'
                                    AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
                             WHERE later.connection_id = il.connection_id AND later.odoo_id > il.odoo_id
                               AND later.sale_line_ids @> ARRAY[sl.odoo_id] AND later.deleted_at IS NULL) AS bears_excess
                     FROM mirror_sale_order_line sl
                     JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
                    CROSS JOIN LATERAL (
                      SELECT CASE WHEN so.state = 'cancel' THEN sl.qty_invoiced
                                  ELSE COALESCE(-sl.qty_to_invoice,
                                                sl.qty_invoiced - GREATEST(sl.product_uom_qty, sl.qty_delivered)) END
                             AS excess) AS e
                    WHERE r.move_type = 'out_invoice' AND sl.connection_id = il.connection_id
                      AND sl.odoo_id = ANY(il.sale_line_ids) AND sl.deleted_at IS NULL
                      AND NOT (sl.product_uom_qty = 0 AND sl.qty_delivered = 0)
                   UNION ALL
                   SELECT po.name, pl.name, pl.product_qty, pl.qty_received, pl.qty_invoiced,
                          e.excess,
                          COALESCE(il.price_subtotal / NULLIF(il.quantity, 0), il.price_unit),
                          CASE WHEN po.currency_id = il.currency_id
                               THEN COALESCE(NULLIF(pl.price_subtotal, 0) / NULLIF(pl.product_qty, 0), pl.price_unit) END,
                          e.excess > 0 AND NOT EXISTS (
                            SELECT 1 FROM mirror_account_move_line later
                              JOIN mirror_account_move m ON m.connection_id = later.connection_id
                               AND m.odoo_id = later.move_id AND m.deleted_at IS NULL AND m.move_type = 'in_invoice'
                               AND (m.state = 'draft' OR m.state = 'posted'
                                    AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
                             WHERE later.connection_id = il.connection_id AND later.odoo_id > il.odoo_id
                               AND later.purchase_line_id = pl.odoo_id AND later.deleted_at IS NULL)
                     FROM mirror_purchase_order_line pl
                     JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
                    CROSS JOIN LATERAL (
                      SELECT CASE WHEN po.state = 'cancel' THEN pl.qty_invoiced
                                  ELSE COALESCE(-pl.qty_to_invoice,
                                                pl.qty_invoiced - GREATEST(pl.product_qty, pl.qty_received)) END
                             AS excess) AS e
                    WHERE r.move_type = 'in_invoice' AND pl.connection_id = il.connection_id
                      AND pl.odoo_id = il.purchase_line_id AND pl.deleted_at IS NULL
                      AND NOT (pl.product_qty = 0 AND pl.qty_received = 0)
                 ) AS o
                 WHERE r.move_type IN ('out_invoice', 'in_invoice')
                   AND (r.state = 'draft' OR r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked'))
                   AND il.connection_id = r.connection_id AND il.move_id = r.odoo_id AND il.deleted_at IS NULL
                   AND COALESCE(il.display_type, '') IN ('', 'product')
              ) AS b
          ) AS d
         WHERE d.over > 0 OR d.price_off <> 0
         GROUP BY d.rate
    """,
)

# A customer's overdue invoices are one exposure, carried by the oldest of them. Only for that one are the others summed:
# a customer with many open invoices costs by their number, not by its square.
EXPOSURE = Fact(
    name="exposure",
    columns=["carries_exposure", "overdue_total", "overdue_count", "owed_total", "commercial_name", "credit_limit"],
    sql="""
        SELECT carrier.is_oldest AS carries_exposure, owed.overdue_total, owed.overdue_count, owed.owed_total,
               cp.name AS commercial_name, round(cp.credit_limit, 2) AS credit_limit
          FROM (
            SELECT COALESCE(
                     r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked')
                     AND r.move_type IN ('out_invoice', 'out_receipt')
                     AND r.invoice_date_due < (%(now)s::timestamptz AT TIME ZONE 'UTC')::date, FALSE)
                   AND NOT EXISTS (
                     SELECT 1 FROM mirror_account_move m
                      WHERE m.connection_id = r.connection_id AND m.commercial_partner_id = r.commercial_partner_id
                        AND m.state = 'posted' AND m.payment_state IN ('not_paid', 'partial', 'blocked')
                        AND (m.invoice_date_due, m.odoo_id) < (r.invoice_date_due, r.odoo_id)
                        AND m.move_type IN ('out_invoice', 'out_receipt') AND m.company_id = r.company_id
                        AND m.deleted_at IS NULL) AS is_oldest
            OFFSET 0
          ) AS carrier
         CROSS JOIN LATERAL (
           SELECT round(sum(m.amount_residual_signed) FILTER (WHERE m.is_late), 2) AS overdue_total,
                  count(*) FILTER (WHERE m.is_late AND m.move_type <> 'out_refund') AS overdue_count,
                  round(sum(m.amount_residual_signed), 2) AS owed_total
             FROM (
               SELECT m.move_type, m.amount_residual_signed,
                      m.invoice_date_due < (%(now)s::timestamptz AT TIME ZONE 'UTC')::date AS is_late
                 FROM mirror_account_move m
                WHERE carrier.is_oldest AND m.connection_id = r.connection_id
                  AND m.commercial_partner_id = r.commercial_partner_id AND m.company_id = r.company_id
                  AND m.state = 'posted' AND m.payment_state IN ('not_paid', 'partial', 'blocked')
                  AND m.move_type IN ('out_invoice', 'out_refund', 'out_receipt') AND m.deleted_at IS NULL
             ) AS m
         ) AS owed
          LEFT JOIN mirror_res_partner cp ON cp.connection_id = r.connection_id AND cp.odoo_id = r.commercial_partner_id
    """,
)

# What of the customers of changed invoices is overdue: which of those carries the exposure, and how large it is.
OVERDUE_OF_PARTNERS = """
    SELECT m.odoo_id
      FROM mirror_account_move m
     WHERE m.connection_id = %(connection)s AND m.deleted_at IS NULL
       AND m.state = 'posted' AND m.payment_state IN ('not_paid', 'partial', 'blocked')
       AND m.move_type IN ('out_invoice', 'out_receipt')
       AND m.invoice_date_due < (%(now)s::timestamptz AT TIME ZONE 'UTC')::date
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
        lines="SELECT unnest(c.sale_line_ids) FROM mirror_account_move_line c"
        " WHERE c.connection_id = %(connection)s AND {line}"
    )
    + "UNION"
    + OF_PURCHASE_LINES.format(
        lines="SELECT c.purchase_line_id FROM mirror_account_move_line c"
        " WHERE c.connection_id = %(connection)s AND c.purchase_line_id IS NOT NULL AND {line}"
    )
)

DEPENDENCIES = [
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
        " AND (l.sale_line_ids <> '{}' OR l.purchase_line_id IS NOT NULL) UNION "
        + SHARING_LINES.format(line="c.odoo_id = ANY(%(ids)s)"),
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
DIFFERS = Q(differing_count__gt=0)
# Odoo's own word for an invoice that somebody has set aside is "blocked".
DISPUTED = OWED & (DIFFERS | Q(payment_state="blocked"))
OVERDUE = OWED & ~DISPUTED & Q(days_overdue__gte=1)

STAGES = [
    Stage(
        name="draft",
        title="Draft",
        when=DRAFT,
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
        when=OWED & ~DISPUTED & ~OVERDUE,
        owner="finance",
        # Longer than any usual payment term: beyond it, it is the due date that nobody has looked at.
        target=timedelta(days=90),
        first_seen_since="invoice_date",
        stuck_from=None,
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
    ),
    Stage(name="paid", title="Paid", when=PAID, owner="finance", is_open=False),
    Stage(name="reversed", title="Reversed", when=REVERSED, owner="finance", is_open=False),
    Stage(name="cancelled", title="Cancelled", when=CANCELLED, owner="finance", is_open=False),
]

DIFFERS_FIGURES = {
    "order_names": "Order",
    "product_names": "Product",
    "differing_count": "Lines that differ",
    "billed_quantity": "Billed here",
    "all_billed_quantity": "Billed in all",
    "ordered_quantity": "Ordered",
    "delivered_quantity": "Delivered",
    "over_quantity": "Billed beyond what may be",
    "amount_over": "Value of that quantity",
    "billed_price": "Value at the price billed",
    "ordered_price": "Value at the price ordered",
    "price_difference": "Difference in price",
    "disputed_amount": "In dispute",
}

EXPOSURE_FIGURES = {
    "commercial_name": "Customer",
    "overdue_total": "Overdue, all invoices",
    "overdue_count": "Invoices overdue",
    "due_on": "Oldest was due on",
    "owed_total": "Owed in all",
    "credit_limit": "Credit limit",
}

LINES = Lines(
    title="Invoice lines",
    columns={
        "product_name": "Product",
        "billed_quantity": "Quantity",
        "price": "Price",
        "discount_percent": "Discount",
        "subtotal": "Sum before tax",
    },
    sql="""
        SELECT COALESCE(t.name, 'Other') AS product_name, l.quantity AS billed_quantity, l.price_unit AS price,
               l.discount AS discount_percent, l.price_subtotal AS subtotal
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
    facts=[MONEY, DUE, MATCH, EXPOSURE],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    exceptions=[
        ExceptionType(
            name="invoice.differs",
            title="Invoice differs from order or delivery",
            when=(DRAFT | OWED) & DIFFERS,
            team="finance",
            due=timedelta(hours=8),
            amount="disputed_amount",
            evidence=DIFFERS_FIGURES,
            severity=("disputed_amount", (250, 2_500, 25_000)),
            closed_because="The invoice agrees with the order and the delivery, or is settled",
            remedies=[invoice_resolution.CORRECT, invoice_resolution.CLAIM],
        ),
        ExceptionType(
            name="invoice.overdue_exposure",
            title="Overdue exposure",
            when=Q(carries_exposure=True, overdue_total__gt=0) & (Q(days_overdue__gte=7) | Q(overdue_total__gte=10_000)),
            team="finance",
            due=timedelta(hours=16),
            amount="overdue_total",
            evidence=EXPOSURE_FIGURES,
            severity=("overdue_total", (1_000, 10_000, 50_000)),
            closed_because="The invoice is no longer the customer's oldest overdue one",
        ),
    ],
    approvals=[],
    hooks={"account.move": ["state", "payment_state", "amount_residual", "invoice_date_due"]},
    samples=[
        Sample(row={"state": "draft"}, stage="draft"),
        Sample(row={"state": "posted", "payment_state": "blocked"}, stage="disputed"),
        Sample(row={"state": "posted", "payment_state": "not_paid"}, stage="not_due"),
        Sample(row={"state": "posted", "payment_state": "not_paid", "invoice_date_due": "2026-11-23"}, stage="not_due"),
        Sample(row={"state": "posted", "payment_state": "not_paid", "invoice_date_due": "2026-11-22"}, stage="overdue"),
        Sample(row={"state": "posted", "payment_state": "partial", "invoice_date_due": "2026-11-01"}, stage="overdue"),
        Sample(row={"state": "posted", "payment_state": "in_payment"}, stage="paid"),
        Sample(row={"state": "posted", "payment_state": "paid"}, stage="paid"),
        Sample(row={"state": "posted", "payment_state": "reversed"}, stage="reversed"),
        Sample(row={"state": "cancel"}, stage="cancelled"),
    ],
)
