"""Returns: goods that come back from customers, until they are credited.

A return is a transfer that brings back what another transfer took out (``return_id``). What goes back to a vendor, or from
one shelf to another, is no return of a customer's.

Whether a return is credited is in no one field of Odoo. For each line of the order, what is billed on posted invoices less
posted credit notes is set against what is delivered, from which Odoo has taken the return off: what is billed beyond it is
still to be credited, the newest return last. So a return of goods that were never billed asks for no credit, and a
draft of a credit note is none yet.
"""

from datetime import timedelta

from django.db.models import Q

from apps.workflows import asks
from apps.workflows.declare import Dependency, ExceptionType, Fact, Sample, Stage, Workflow
from apps.workflows.rules import return_limit

PARTIES = Fact(
    name="parties",
    columns=["partner_name", "currency", "order_name", "salesperson", "salesperson_login", "salesperson_email", "returned_of"],
    sql="""
        SELECT (SELECT p.name FROM mirror_res_partner p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id) AS partner_name,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               so.name AS order_name, COALESCE(u.name, '') AS salesperson,
               COALESCE(u.login, '') AS salesperson_login, COALESCE(u.email, '') AS salesperson_email,
               (SELECT p.name FROM mirror_stock_picking p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.return_id) AS returned_of
          FROM (SELECT r.sale_id) AS own
          LEFT JOIN mirror_sale_order so ON so.connection_id = r.connection_id AND so.odoo_id = own.sale_id
          LEFT JOIN mirror_res_users u ON u.connection_id = so.connection_id AND u.odoo_id = so.user_id
    """,
)

# Values are at the price that was agreed, after discount and before tax; without an order, at the list price.
GOODS = Fact(
    name="goods",
    columns=[
        "product_names", "returned_quantity", "return_value", "to_credit_quantity", "to_credit_value", "received_days",
        "next_change_at",
    ],
    sql="""
        SELECT g.product_names, g.returned_quantity, g.return_value, g.to_credit_quantity, g.to_credit_value,
               CASE WHEN r.state = 'done' THEN d.today - (r.date_done AT TIME ZONE 'UTC')::date END AS received_days,
               CASE WHEN g.to_credit_quantity > 0 THEN (d.today + 1)::timestamp AT TIME ZONE 'UTC' END AS next_change_at
          FROM (
            SELECT string_agg(DISTINCT line.product, ', ') AS product_names,
                   trim_scale(COALESCE(sum(line.quantity), 0)) AS returned_quantity,
                   round(COALESCE(sum(line.quantity * line.price), 0), 2) AS return_value,
                   trim_scale(COALESCE(sum(line.to_credit), 0)) AS to_credit_quantity,
                   round(COALESCE(sum(line.to_credit * line.price), 0), 2) AS to_credit_value
              FROM (
                SELECT t.name AS product, own.quantity,
                       COALESCE(sl.price_subtotal / NULLIF(sl.product_uom_qty, 0) / COALESCE(NULLIF(so.currency_rate, 0), 1),
                                t.list_price, 0) AS price,
                       GREATEST(LEAST(own.quantity, COALESCE(bill.beyond, 0) - later.quantity), 0) AS to_credit
                  FROM mirror_stock_move m
                 CROSS JOIN LATERAL (
                   SELECT COALESCE(CASE WHEN r.state = 'done' THEN m.quantity ELSE m.product_uom_qty END, 0) AS quantity
                 ) AS own
                  LEFT JOIN mirror_product_product p ON p.connection_id = m.connection_id AND p.odoo_id = m.product_id
                  LEFT JOIN mirror_product_template t ON t.connection_id = p.connection_id AND t.odoo_id = p.product_tmpl_id
                  LEFT JOIN mirror_sale_order_line sl
                    ON sl.connection_id = m.connection_id AND sl.odoo_id = m.sale_line_id AND sl.deleted_at IS NULL
                  LEFT JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
                  LEFT JOIN LATERAL (
                    SELECT sum(CASE WHEN am.move_type = 'out_refund' THEN -il.quantity ELSE il.quantity END)
                           - sl.qty_delivered AS beyond
                      FROM mirror_account_move_line il
                     CROSS JOIN LATERAL (
                       SELECT i.move_type
                         FROM mirror_account_move i
                        WHERE i.connection_id = il.connection_id AND i.odoo_id = il.move_id AND i.deleted_at IS NULL
                          AND i.state = 'posted' AND i.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
                       OFFSET 0) AS am  -- of a few entries, though the planner expects thousands
                     WHERE r.state = 'done' AND il.connection_id = sl.connection_id
                       AND il.sale_line_ids @> ARRAY[sl.odoo_id] AND il.deleted_at IS NULL
                  ) AS bill ON TRUE
                  LEFT JOIN LATERAL (
                    SELECT COALESCE(sum(o.quantity), 0) AS quantity
                      FROM mirror_stock_move o
                      JOIN mirror_stock_picking op
                        ON op.connection_id = o.connection_id AND op.odoo_id = o.picking_id AND op.deleted_at IS NULL
                       AND op.return_id IS NOT NULL AND op.picking_type_code = 'incoming'
                     WHERE bill.beyond > 0 AND o.connection_id = sl.connection_id AND o.sale_line_id = sl.odoo_id
                       AND o.state = 'done' AND o.deleted_at IS NULL
                       AND (op.date_done, o.odoo_id) > (r.date_done, m.odoo_id)
                  ) AS later ON TRUE
                 WHERE m.connection_id = r.connection_id AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL
                   AND (m.state <> 'cancel' OR r.state = 'cancel')
              ) AS line
          ) AS g
         CROSS JOIN (SELECT (%(now)s::timestamptz AT TIME ZONE 'UTC')::date AS today) AS d
    """,
)

# The returns that bring back what lines of orders sold.
OF_LINES = """
    SELECT m.picking_id
      FROM mirror_stock_move m
      JOIN mirror_stock_picking p ON p.connection_id = m.connection_id AND p.odoo_id = m.picking_id
       AND p.return_id IS NOT NULL AND p.picking_type_code = 'incoming' AND p.deleted_at IS NULL
     WHERE m.connection_id = %(connection)s AND m.sale_line_id = ANY(ARRAY({lines})) AND m.deleted_at IS NULL
"""

DEPENDENCIES = [
    asks.about("stock.picking"),
    Dependency(
        model="stock.move",
        sql="SELECT p.odoo_id FROM mirror_stock_move m JOIN mirror_stock_picking p ON p.connection_id = m.connection_id"
        " AND p.odoo_id = m.picking_id AND p.return_id IS NOT NULL AND p.picking_type_code = 'incoming'"
        " WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s)",
    ),
    # Another return of the same lines: only the newest waits for what is not credited.
    Dependency(
        model="stock.picking",
        sql=OF_LINES.format(
            lines="SELECT c.sale_line_id FROM mirror_stock_move c JOIN mirror_stock_picking cp"
            " ON cp.connection_id = c.connection_id AND cp.odoo_id = c.picking_id AND cp.return_id IS NOT NULL"
            " WHERE c.connection_id = %(connection)s AND c.picking_id = ANY(%(ids)s) AND c.sale_line_id IS NOT NULL"
        ),
    ),
    Dependency(model="sale.order.line", sql=OF_LINES.format(lines="SELECT unnest(%(ids)s::bigint[])")),
    Dependency(
        model="account.move",
        sql=OF_LINES.format(
            lines="SELECT unnest(il.sale_line_ids) FROM mirror_account_move_line il"
            " WHERE il.connection_id = %(connection)s AND il.move_id = ANY(%(ids)s)"
        ),
    ),
    Dependency(
        model="account.move.line",
        sql=OF_LINES.format(
            lines="SELECT unnest(il.sale_line_ids) FROM mirror_account_move_line il"
            " WHERE il.connection_id = %(connection)s AND il.odoo_id = ANY(%(ids)s)"
        ),
    ),
]

REFUSED = Q(state="cancel")
RECEIVED = Q(state="done")
OPEN = ~REFUSED & ~RECEIVED
NEEDS_AUTHORISATION = return_limit.BROKEN
IS_DRAFT = Q(state="draft")
TO_CREDIT = RECEIVED & Q(to_credit_quantity__gt=0)

STAGES = [
    Stage(
        name="requested",
        title="Requested",
        when=OPEN & IS_DRAFT & ~NEEDS_AUTHORISATION,
        owner="service",
        target=timedelta(days=2),
        first_seen_since="create_date",
    ),
    Stage(
        name="awaiting_authorisation",
        title="Awaiting authorisation",
        when=NEEDS_AUTHORISATION,
        owner="service",
        target=timedelta(days=1),
        first_seen_since="create_date",
    ),
    Stage(
        name="awaiting_goods",
        title="Awaiting goods",
        when=OPEN & ~IS_DRAFT & ~NEEDS_AUTHORISATION,
        owner="warehouse",
        target=timedelta(days=14),
        first_seen_since="create_date",
    ),
    Stage(
        name="to_credit",
        title="Received, to credit",
        when=TO_CREDIT,
        owner="finance",
        target=timedelta(days=3),
        first_seen_since="date_done",
    ),
    Stage(
        name="credited",
        title="Credited",
        when=RECEIVED & ~TO_CREDIT,
        owner="finance",
        is_open=False,
        first_seen_since="date_done",
    ),
    Stage(name="refused", title="Refused", when=REFUSED, owner="service", is_open=False),
]

RETURN_FIGURES = {
    "partner_name": "Customer",
    "order_name": "Order",
    "returned_of": "Delivered by",
    "salesperson": "Salesperson",
    "product_names": "Products",
    "returned_quantity": "Returned",
    "return_value": "Value of the return",
}

WORKFLOW = Workflow(
    name="returns",
    title="Returns",
    odoo_model="stock.picking",
    rank=50,
    belongs=Q(return_id__isnull=False, picking_type_code="incoming"),
    amount="return_value",
    currency="currency",
    look_again="next_change_at",
    facts=[PARTIES, GOODS, return_limit.ASKED, return_limit.ASKING],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    exceptions=[
        ExceptionType(
            name="returns.authorisation_pending",
            title="Return waits for authorisation",
            when=NEEDS_AUTHORISATION,
            team="service",
            due=timedelta(hours=8),
            amount="return_value",
            evidence=RETURN_FIGURES,
            severity=("return_value", (1_000, 5_000, 25_000)),
            closed_because="The return was authorised, received or refused",
        ),
        ExceptionType(
            name="returns.not_credited",
            title="Received and not credited",
            when=TO_CREDIT,
            team="finance",
            due=timedelta(hours=16),
            amount="to_credit_value",
            evidence={
                **RETURN_FIGURES,
                "to_credit_quantity": "Not credited",
                "to_credit_value": "Value not credited",
                "date_done": "Received at",
                "received_days": "Days since",
            },
            severity=("to_credit_value", (500, 5_000, 25_000)),
            closed_because="What came back is credited",
        ),
    ],
    approvals=[return_limit.APPROVAL],
    guards=[return_limit.GUARD],
    form="stock.view_picking_form",
    hooks={"stock.picking": ["state", "return_id", "x_ct_hold"], "account.move": ["state"]},
    samples=[
        Sample(row={"state": "draft"}, stage="requested"),
        Sample(row={"state": "confirmed"}, stage="awaiting_goods"),
        Sample(row={"state": "assigned"}, stage="awaiting_goods"),
        Sample(row={"state": "done"}, stage="credited"),
        Sample(row={"state": "cancel"}, stage="refused"),
    ],
)
