"""Fulfilment: from the transfer that is planned to the goods that have left, moved or come in.

Return transfers do not belong here. Whether a transfer is late follows from its deadline and the moment, so it says when
it must be looked at again (the fact ``moment``). What a transfer is worth follows from what its goods were sold or bought
for (the fact ``goods``). Odoo keeps lots and serial numbers on the lines of the moves; only the lines of products that are
tracked are looked into.

Days are days in UTC, in which the mirror keeps everything.
"""

from datetime import timedelta

from django.db.models import Q

from apps.workflows.declare import Dependency, ExceptionType, Fact, Lines, Sample, Stage, Workflow
from apps.workflows.rules import carrier_delay, sourcing, substitution

# What one unit of the move ``m`` is worth in the company's currency, taxes left out: what it was sold for, else what it
# was bought for, else what the product costs. Where order and move count in different units, a dozen and pieces, the
# line's sum is shared out over its moves.
UNIT_VALUE = """
    SELECT COALESCE(
      (SELECT CASE WHEN sl.product_uom_id IS NULL OR m.product_uom IS NULL OR sl.product_uom_id = m.product_uom
                   THEN COALESCE(sl.price_subtotal / NULLIF(sl.product_uom_qty, 0),
                                 sl.price_unit * (1 - COALESCE(sl.discount, 0) / 100))
                   ELSE sl.price_subtotal / NULLIF(
                     (SELECT sum(o.product_uom_qty) FROM mirror_stock_move o
                       WHERE o.connection_id = sl.connection_id AND o.sale_line_id = sl.odoo_id AND o.state <> 'cancel'
                         AND o.location_dest_id = m.location_dest_id AND o.deleted_at IS NULL), 0) END
              / COALESCE(NULLIF(so.currency_rate, 0), 1)
         FROM mirror_sale_order_line sl
         JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
        WHERE sl.connection_id = m.connection_id AND sl.odoo_id = m.sale_line_id),
      (SELECT CASE WHEN pl.product_uom_id IS NULL OR m.product_uom IS NULL OR pl.product_uom_id = m.product_uom
                   THEN COALESCE(pl.price_subtotal / NULLIF(pl.product_qty, 0), pl.price_unit)
                   ELSE pl.price_subtotal / NULLIF(
                     (SELECT sum(o.product_uom_qty) FROM mirror_stock_move o
                       WHERE o.connection_id = pl.connection_id AND o.purchase_line_id = pl.odoo_id AND o.state <> 'cancel'
                         AND o.location_dest_id = m.location_dest_id AND o.deleted_at IS NULL), 0) END
              / COALESCE(NULLIF(po.currency_rate, 0), 1)
         FROM mirror_purchase_order_line pl
         JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
        WHERE pl.connection_id = m.connection_id AND pl.odoo_id = m.purchase_line_id),
      (SELECT pr.standard_price FROM mirror_product_product pr
        WHERE pr.connection_id = m.connection_id AND pr.odoo_id = m.product_id),
      0) AS unit
"""

PARTIES = Fact(
    name="parties",
    columns=["currency", "partner_name", "order_name", "promised_at", "is_promised"],
    # The delivery address may be a mere address: the order names the customer.
    sql="""
        SELECT (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               (SELECT p.name FROM mirror_res_partner p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = COALESCE(so.partner_id, r.partner_id))
                 AS partner_name,
               COALESCE(so.name, NULLIF(r.origin, '')) AS order_name,
               COALESCE(so.commitment_date, r.date_deadline, r.scheduled_date) AS promised_at,
               so.commitment_date IS NOT NULL AS is_promised
          FROM (SELECT 1) AS one
          LEFT JOIN mirror_sale_order so ON so.connection_id = r.connection_id AND so.odoo_id = r.sale_id
    """,
)

GOODS = Fact(
    name="goods",
    columns=["company_amount", "goods_count", "is_purchase"],
    sql=f"""
        SELECT round(COALESCE(sum(CASE WHEN m.state = 'done' THEN m.quantity ELSE m.product_uom_qty END * worth.unit), 0), 2)
                 AS company_amount,
               count(*) AS goods_count, COALESCE(bool_or(m.purchase_line_id IS NOT NULL), FALSE) AS is_purchase
          FROM mirror_stock_move m
         CROSS JOIN LATERAL ({UNIT_VALUE}) AS worth
         WHERE m.connection_id = r.connection_id AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL
           AND (m.state <> 'cancel' OR r.state = 'cancel')
    """,
)

# Three ways to come short. A transfer that could go now, or a part of which is there, lacks some of what was asked for;
# a back order brings what another transfer left behind; goods were cancelled though the order still wants them, which the
# last move that they were cancelled from answers for. From 19 on, Odoo keeps what a picker drops on the move that is done,
# as a demand beyond what was moved; before, it is a cancelled move of its own. A receipt lacks nothing: what does not come
# is the purchase's. Where the move counts in another unit than its order, the cancelled goods that are said to be missing
# are the fewest that both allow.
SHORTAGE = Fact(
    name="shortage",
    columns=[
        "short_count",
        "short_products_names",
        "shortage_names",
        "wanted_quantity",
        "available_quantity",
        "missing_quantity",
        "on_hand_quantity",
        "reserved_for_others_quantity",
        "free_elsewhere_quantity",
        "elsewhere_names",
        "missing_amount",
    ],
    sql=f"""
        SELECT count(*) AS short_count, string_agg(DISTINCT s.product, ', ') AS short_products_names,
               string_agg(DISTINCT s.why, ', ') AS shortage_names,
               trim_scale(sum(s.wanted)) AS wanted_quantity, trim_scale(sum(s.wanted - s.missing)) AS available_quantity,
               trim_scale(sum(s.missing)) AS missing_quantity, trim_scale(sum(s.on_hand)) AS on_hand_quantity,
               trim_scale(sum(s.for_others)) AS reserved_for_others_quantity,
               trim_scale(sum(s.free_elsewhere)) AS free_elsewhere_quantity,
               string_agg(DISTINCT s.product || ': ' || s.elsewhere, '; ') AS elsewhere_names,
               round(sum(s.missing * s.unit), 2) AS missing_amount
          FROM (
            SELECT m.wanted, m.missing, worth.unit, COALESCE(t.name, '') AS product,
                   stock.on_hand, GREATEST(stock.reserved - m.reserved, 0) AS for_others, stock.free_elsewhere,
                   stock.elsewhere,
                   CASE WHEN m.is_dropped THEN 'Cancelled while the order wants it'
                        WHEN r.backorder_id IS NOT NULL THEN 'Back-ordered'
                        WHEN stock.on_hand - stock.reserved >= m.missing THEN 'Fewer picked than Odoo has on hand'
                        WHEN stock.on_hand >= m.wanted THEN 'Reserved for others'
                        ELSE 'Not enough on hand' END AS why
              FROM (
                SELECT m.connection_id, m.odoo_id, m.product_id, m.product_uom, m.sale_line_id, m.purchase_line_id,
                       m.location_dest_id, FALSE AS is_dropped, m.product_uom_qty AS wanted, COALESCE(m.quantity, 0) AS reserved,
                       m.product_uom_qty - COALESCE(m.quantity, 0) AS missing
                  FROM mirror_stock_move m
                 WHERE r.state IN ('waiting', 'confirmed', 'assigned') AND r.picking_type_code <> 'incoming'
                   AND m.connection_id = r.connection_id AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL
                   AND m.state IN ('waiting', 'confirmed', 'partially_available', 'assigned')
                   AND COALESCE(m.quantity, 0) < m.product_uom_qty
                   AND (r.state = 'assigned' OR r.backorder_id IS NOT NULL OR EXISTS (
                          SELECT 1 FROM mirror_stock_move held
                           WHERE held.connection_id = r.connection_id AND held.picking_id = r.odoo_id
                             AND held.deleted_at IS NULL AND held.state <> 'cancel' AND held.quantity > 0))
                UNION ALL
                SELECT m.connection_id, m.odoo_id, m.product_id, m.product_uom, m.sale_line_id, m.purchase_line_id,
                       m.location_dest_id, TRUE, d.dropped, 0,
                       LEAST(d.dropped, sl.product_uom_qty - sl.qty_delivered - on_the_way.quantity)
                  FROM mirror_stock_move m
                 CROSS JOIN LATERAL (
                   SELECT CASE m.state WHEN 'cancel' THEN m.product_uom_qty
                                       WHEN 'done' THEN m.product_uom_qty - m.quantity END AS dropped) AS d
                  JOIN mirror_sale_order_line sl
                    ON sl.connection_id = m.connection_id AND sl.odoo_id = m.sale_line_id AND sl.deleted_at IS NULL
                   AND sl.qty_delivered < sl.product_uom_qty
                  JOIN mirror_sale_order so
                    ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id AND so.state IN ('sale', 'done')
                   AND so.deleted_at IS NULL
                 CROSS JOIN LATERAL (
                   SELECT COALESCE(sum(o.product_uom_qty) FILTER (
                            WHERE o.state NOT IN ('draft', 'done', 'cancel') AND NOT EXISTS (
                              SELECT 1 FROM mirror_stock_move onward
                               WHERE onward.connection_id = o.connection_id AND onward.sale_line_id = o.sale_line_id
                                 AND onward.move_orig_ids @> ARRAY[o.odoo_id] AND onward.state NOT IN ('done', 'cancel')
                                 AND onward.deleted_at IS NULL)), 0) AS quantity,
                          COALESCE(max(o.odoo_id) FILTER (
                            WHERE o.state = 'cancel' OR o.state = 'done' AND o.quantity < o.product_uom_qty), 0) AS last
                     FROM mirror_stock_move o
                    WHERE o.connection_id = m.connection_id AND o.sale_line_id = m.sale_line_id AND o.deleted_at IS NULL
                 ) AS on_the_way
                 WHERE r.picking_type_code = 'outgoing' AND m.connection_id = r.connection_id
                   AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL AND d.dropped > 0
                   AND m.odoo_id = on_the_way.last
                   AND sl.product_uom_qty - sl.qty_delivered > on_the_way.quantity
              ) AS m
              LEFT JOIN mirror_product_product pr ON pr.connection_id = m.connection_id AND pr.odoo_id = m.product_id
              LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
             CROSS JOIN LATERAL ({UNIT_VALUE}) AS worth
             CROSS JOIN LATERAL (
               SELECT COALESCE(sum(w.quantity) FILTER (WHERE w.is_here), 0) AS on_hand,
                      COALESCE(sum(w.reserved) FILTER (WHERE w.is_here), 0) AS reserved,
                      COALESCE(sum(w.quantity - w.reserved) FILTER (WHERE NOT w.is_here AND w.quantity > w.reserved), 0)
                        AS free_elsewhere,
                      string_agg(w.name || ' ' || trim_scale(w.quantity - w.reserved), ', ' ORDER BY w.name)
                        FILTER (WHERE NOT w.is_here AND w.quantity > w.reserved) AS elsewhere
                 FROM (
                   SELECT wh.name, sum(q.quantity) AS quantity, sum(q.reserved_quantity) AS reserved,
                          wh.odoo_id IS NOT DISTINCT FROM kind.warehouse_id AS is_here
                     FROM mirror_stock_quant q
                     JOIN mirror_stock_location l
                       ON l.connection_id = q.connection_id AND l.odoo_id = q.location_id AND l.usage = 'internal'
                     JOIN mirror_stock_warehouse wh
                       ON wh.connection_id = l.connection_id AND wh.odoo_id = l.warehouse_id
                      AND wh.company_id = r.company_id
                     LEFT JOIN mirror_stock_picking_type kind
                       ON kind.connection_id = r.connection_id AND kind.odoo_id = r.picking_type_id
                    WHERE q.connection_id = m.connection_id AND q.product_id = m.product_id AND q.deleted_at IS NULL
                    GROUP BY wh.odoo_id, wh.name, kind.warehouse_id
                 ) AS w
             ) AS stock
          ) AS s
    """,
)

# A receipt is told its lots while it is received: until a line is picked, nothing is missing. An operation that uses
# neither new lots nor existing ones asks for none. What is done and wrong is worth a month's attention.
LOTS = Fact(
    name="lots",
    columns=[
        "lot_problem_count",
        "lot_problem_names",
        "lot_products_names",
        "lot_names",
        "lot_quantity",
        "lot_amount",
        "lot_next_at",
    ],
    sql=f"""
        SELECT count(*) FILTER (WHERE p.problem IS NOT NULL) AS lot_problem_count,
               string_agg(DISTINCT p.problem, ', ') AS lot_problem_names,
               string_agg(DISTINCT p.product, ', ') FILTER (WHERE p.problem IS NOT NULL) AS lot_products_names,
               string_agg(DISTINCT p.lot, ', ') FILTER (WHERE p.problem IS NOT NULL) AS lot_names,
               trim_scale(COALESCE(sum(p.quantity) FILTER (WHERE p.problem IS NOT NULL), 0)) AS lot_quantity,
               round(COALESCE(sum(p.quantity * p.unit) FILTER (WHERE p.problem IS NOT NULL), 0), 2) AS lot_amount,
               LEAST(min(p.expiration_date) FILTER (WHERE p.expiration_date > %(now)s AND r.state = 'assigned'),
                     CASE WHEN r.state = 'done' AND bool_or(p.problem IS NOT NULL)
                          THEN r.date_done + interval '30 days' END) AS lot_next_at
          FROM (
            SELECT b.*,
                   CASE WHEN b.lot IS NULL AND b.needs_lot THEN
                          CASE b.tracking WHEN 'serial' THEN 'No serial number' ELSE 'No lot' END
                        WHEN b.tracking = 'serial' AND b.lot IS NOT NULL AND b.quantity <> 1
                        THEN 'Serial number with a quantity other than 1'
                        WHEN b.tracking = 'serial' AND b.lot IS NOT NULL AND b.times > 1 THEN 'Serial number used twice'
                        WHEN b.expiration_date <= %(now)s AND r.state = 'assigned' AND r.picking_type_code <> 'incoming'
                        THEN 'Expired' END AS problem
              FROM (
                SELECT ml.quantity, t.tracking, t.name AS product, lot.expiration_date,
                       COALESCE(lot.name, NULLIF(ml.lot_name, ''), ml.lot_id::text) AS lot,
                       (r.picking_type_code <> 'incoming' OR ml.picked OR r.state = 'done')
                       AND (COALESCE(kind.use_create_lots, TRUE) OR COALESCE(kind.use_existing_lots, TRUE)) AS needs_lot,
                       count(*) OVER (PARTITION BY ml.product_id,
                                      COALESCE(lot.name, NULLIF(ml.lot_name, ''), ml.lot_id::text)) AS times,
                       COALESCE(worth.unit, 0) AS unit
                  FROM mirror_stock_move_line ml
                  JOIN mirror_product_product pr ON pr.connection_id = ml.connection_id AND pr.odoo_id = ml.product_id
                  JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
                   AND t.tracking IN ('lot', 'serial')
                  LEFT JOIN mirror_stock_lot lot ON lot.connection_id = ml.connection_id AND lot.odoo_id = ml.lot_id
                  LEFT JOIN mirror_stock_picking_type kind
                    ON kind.connection_id = r.connection_id AND kind.odoo_id = r.picking_type_id
                  LEFT JOIN mirror_stock_move m ON m.connection_id = ml.connection_id AND m.odoo_id = ml.move_id
                  LEFT JOIN LATERAL ({UNIT_VALUE}) AS worth ON TRUE
                 WHERE (r.state = 'assigned' OR r.state = 'done' AND r.date_done > %(now)s - interval '30 days')
                   AND ml.connection_id = r.connection_id AND ml.picking_id = r.odoo_id AND ml.deleted_at IS NULL
                   AND ml.quantity > 0
              ) AS b
          ) AS p
    """,
)

# What was promised to a customer, or by a vendor, holds to the minute. Where nothing was promised, Odoo's deadline and
# schedule are the moment at which the order was confirmed, or the transfer made: their whole day may be used.
MOMENT = Fact(
    name="moment",
    columns=["due_at", "is_late", "late_days", "next_change_at"],
    sql="""
        SELECT d.due_at, d.is_open AND d.due_at <= %(now)s AS is_late,
               CASE WHEN d.is_open THEN GREATEST(d.today - d.due_on, 0) END AS late_days,
               LEAST(CASE WHEN d.is_open AND d.due_at > %(now)s THEN d.due_at END,
                     CASE WHEN d.is_open AND d.due_at <= %(now)s THEN (d.today + 1)::timestamp AT TIME ZONE 'UTC' END,
                     CASE WHEN lots.lot_next_at > %(now)s THEN lots.lot_next_at END) AS next_change_at
          FROM (
            SELECT CASE WHEN r.date_deadline IS NOT NULL AND (parties.is_promised OR r.picking_type_code = 'incoming')
                        THEN r.date_deadline
                        ELSE ((COALESCE(r.date_deadline, r.scheduled_date) AT TIME ZONE 'UTC')::date + 1)::timestamp
                               AT TIME ZONE 'UTC' END AS due_at,
                   (COALESCE(r.date_deadline, r.scheduled_date) AT TIME ZONE 'UTC')::date AS due_on,
                   (%(now)s::timestamptz AT TIME ZONE 'UTC')::date AS today,
                   r.state IN ('waiting', 'confirmed', 'assigned') AS is_open
          ) AS d
    """,
)

# The transfers that lines of a sales order concern: those not done yet, and where something was dropped.
OF_SALE_LINES = """
    SELECT DISTINCT m.picking_id
      FROM mirror_stock_move m
     WHERE m.connection_id = %(connection)s AND (m.state <> 'done' OR m.quantity < m.product_uom_qty)
       AND m.picking_id IS NOT NULL AND m.sale_line_id IN ({lines})
"""

DEPENDENCIES = [
    # What of a product lies where and for whom is told of the transfers that are short of it, and of no others.
    Dependency(
        model="stock.quant",
        sql="""
            SELECT DISTINCT m.picking_id
              FROM mirror_stock_move m
             WHERE m.connection_id = %(connection)s AND m.state IN ('waiting', 'confirmed', 'partially_available')
               AND m.product_id IN (SELECT q.product_id FROM mirror_stock_quant q
                                     WHERE q.connection_id = %(connection)s AND q.odoo_id = ANY(%(ids)s))
               AND EXISTS (SELECT 1 FROM mirror_stock_picking p
                            WHERE p.connection_id = m.connection_id AND p.odoo_id = m.picking_id
                              AND (p.state = 'assigned' OR p.backorder_id IS NOT NULL))
        """,
    ),
    Dependency(
        model="stock.move",
        sql="SELECT DISTINCT m.picking_id FROM mirror_stock_move m WHERE m.connection_id = %(connection)s"
        " AND m.odoo_id = ANY(%(ids)s) AND m.picking_id IS NOT NULL UNION "
        + OF_SALE_LINES.format(
            lines="SELECT c.sale_line_id FROM mirror_stock_move c WHERE c.connection_id = %(connection)s"
            " AND c.odoo_id = ANY(%(ids)s)"
        )
        + " AND m.state IN ('done', 'cancel')",
    ),
    Dependency(
        model="stock.move.line",
        sql="SELECT DISTINCT l.picking_id FROM mirror_stock_move_line l WHERE l.connection_id = %(connection)s"
        " AND l.odoo_id = ANY(%(ids)s) AND l.picking_id IS NOT NULL",
    ),
    Dependency(
        model="stock.lot",
        sql="SELECT DISTINCT l.picking_id FROM mirror_stock_move_line l WHERE l.connection_id = %(connection)s"
        " AND l.lot_id = ANY(%(ids)s) AND l.state NOT IN ('done', 'cancel') AND l.picking_id IS NOT NULL",
    ),
    Dependency(model="sale.order.line", sql=OF_SALE_LINES.format(lines="SELECT unnest(%(ids)s::bigint[])")),
    Dependency(
        model="sale.order",
        sql="SELECT p.odoo_id FROM mirror_stock_picking p WHERE p.connection_id = %(connection)s"
        " AND p.sale_id = ANY(%(ids)s) AND p.state <> 'done' UNION "
        + OF_SALE_LINES.format(
            lines="SELECT l.odoo_id FROM mirror_sale_order_line l WHERE l.connection_id = %(connection)s"
            " AND l.order_id = ANY(%(ids)s)"
        ),
    ),
    Dependency(
        model="purchase.order.line",
        sql="SELECT DISTINCT m.picking_id FROM mirror_stock_move m WHERE m.connection_id = %(connection)s"
        " AND m.purchase_line_id = ANY(%(ids)s) AND m.state <> 'done' AND m.picking_id IS NOT NULL",
    ),
]

DRAFT = Q(state="draft")
DONE = Q(state="done")
CANCELLED = Q(state="cancel")
OPEN = ~DRAFT & ~DONE & ~CANCELLED
LATE = OPEN & Q(is_late=True)
ON_TIME = OPEN & ~LATE
WAITING_OPERATION = ON_TIME & Q(state="waiting")
READY = ON_TIME & Q(state="assigned")

STAGES = [
    Stage(
        name="draft",
        title="Draft",
        when=DRAFT,
        owner="warehouse",
        target=timedelta(days=2),
        first_seen_since="create_date",
    ),
    Stage(
        name="waiting_operation",
        title="Waiting for another operation",
        when=WAITING_OPERATION,
        owner="warehouse",
        target=timedelta(days=5),
        first_seen_since="create_date",
    ),
    Stage(
        name="waiting_stock",
        title="Waiting for stock",
        when=ON_TIME & ~WAITING_OPERATION & ~READY,
        owner="purchasing",
        target=timedelta(days=5),
        first_seen_since="create_date",
        blocker=("stock_shortage", "the goods are not there, or are reserved for others"),
    ),
    Stage(
        name="ready",
        title="Ready",
        when=READY,
        owner="warehouse",
        # A receipt is ready from the day it is ordered on, so that only its deadline tells whether anything is wrong.
        target=timedelta(days=30),
    ),
    Stage(
        name="late",
        title="Late",
        when=LATE,
        owner="warehouse",
        target=timedelta(days=1),
        first_seen_since="due_at",
    ),
    Stage(name="done", title="Done", when=DONE, owner="warehouse", is_open=False, first_seen_since="date_done"),
    Stage(name="cancelled", title="Cancelled", when=CANCELLED, owner="warehouse", is_open=False),
]

LINES = Lines(
    title="Goods",
    columns={
        "product_name": "Product",
        "wanted_quantity": "Wanted",
        "reserved_quantity": "Reserved",
        "done_quantity": "Done",
        "state_name": "State",
    },
    sql="""
        SELECT COALESCE(t.name, '') AS product_name, m.product_uom_qty AS wanted_quantity,
               CASE WHEN m.state IN ('done', 'cancel') THEN 0 ELSE COALESCE(m.quantity, 0) END AS reserved_quantity,
               CASE WHEN m.state = 'done' THEN m.quantity ELSE 0 END AS done_quantity,
               CASE m.state WHEN 'draft' THEN 'Draft' WHEN 'waiting' THEN 'Waiting for another operation'
                            WHEN 'confirmed' THEN 'Waiting for stock' WHEN 'partially_available' THEN 'Partly there'
                            WHEN 'assigned' THEN 'Ready' WHEN 'done' THEN 'Done' WHEN 'cancel' THEN 'Cancelled' END
                 AS state_name
          FROM mirror_stock_move m
          LEFT JOIN mirror_product_product pr ON pr.connection_id = m.connection_id AND pr.odoo_id = m.product_id
          LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
         WHERE m.connection_id = %(connection)s AND m.picking_id = %(record)s AND m.deleted_at IS NULL
         ORDER BY m.odoo_id
    """,
)

WORKFLOW = Workflow(
    name="fulfilment",
    title="Fulfilment",
    odoo_model="stock.picking",
    rank=30,
    belongs=Q(return_id__isnull=True),
    look_again="next_change_at",
    promise="promised_at",
    lines=LINES,
    amount="company_amount",
    currency="currency",
    facts=[PARTIES, GOODS, SHORTAGE, LOTS, MOMENT, carrier_delay.FACT],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    exceptions=[
        ExceptionType(
            name="fulfilment.pick_shortage",
            title="Pick shortage",
            when=Q(short_count__gt=0),
            team="warehouse",
            due=timedelta(hours=4),
            amount="missing_amount",
            evidence={
                "partner_name": "Customer",
                "order_name": "Order",
                "shortage_names": "Why",
                "short_products_names": "Products",
                "short_count": "Lines that are short",
                "wanted_quantity": "Wanted",
                "available_quantity": "Available for it",
                "missing_quantity": "Missing",
                "on_hand_quantity": "On hand in this warehouse",
                "reserved_for_others_quantity": "Of it reserved for others",
                "free_elsewhere_quantity": "Free in other warehouses",
                "elsewhere_names": "Free where",
                "promised_at": "Promised for",
                "missing_amount": "Value missing",
            },
            severity=("missing_amount", (250, 2_500, 25_000)),
            closed_because="Nothing is missing any more, or nobody waits for it",
            remedies=[
                sourcing.RESERVE_AGAIN,
                sourcing.from_another_warehouse(sourcing.NEEDED_OF_TRANSFER),
                substitution.SUBSTITUTE,
                sourcing.from_another_vendor(sourcing.NEEDED_OF_TRANSFER),
            ],
        ),
        carrier_delay.EXCEPTION,
        ExceptionType(
            name="fulfilment.late_transfer",
            title="Late transfer",
            # A late receipt of a purchase is the supplier's delay, which the purchase tells.
            when=LATE & ~Q(picking_type_code="incoming", is_purchase=True),
            team="warehouse",
            due=timedelta(hours=8),
            amount="company_amount",
            evidence={
                "partner_name": "Customer",
                "order_name": "Order",
                "late_days": "Days late",
                "due_at": "Was to be done by",
                "promised_at": "Promised for",
                "goods_count": "Lines",
                "missing_quantity": "Missing",
                "company_amount": "Value",
            },
            severity=("company_amount", (1_000, 10_000, 50_000)),
            closed_because="The transfer is done, cancelled or due later",
        ),
        ExceptionType(
            name="fulfilment.lot_problem",
            title="Lot or serial problem",
            when=Q(lot_problem_count__gt=0),
            team="warehouse",
            due=timedelta(hours=4),
            amount="lot_amount",
            evidence={
                "partner_name": "Customer",
                "order_name": "Order",
                "lot_problem_names": "What is wrong",
                "lot_products_names": "Products",
                "lot_names": "Lots and serial numbers",
                "lot_problem_count": "Lines concerned",
                "lot_quantity": "Quantity concerned",
                "lot_amount": "Value concerned",
            },
            severity=("lot_amount", (500, 5_000, 50_000)),
            closed_because="Every line has a lot or serial number that may be used, or is no longer to go",
        ),
    ],
    approvals=[],
    hooks={"stock.picking": ["state", "scheduled_date", "date_deadline"]},
    samples=[
        Sample(row={"state": "draft"}, stage="draft"),
        Sample(row={"state": "waiting", "date_deadline": "2026-12-24 12:00:00"}, stage="waiting_operation"),
        Sample(row={"state": "confirmed", "date_deadline": "2026-12-24 12:00:00"}, stage="waiting_stock"),
        Sample(row={"state": "confirmed"}, stage="waiting_stock"),
        Sample(row={"state": "assigned", "scheduled_date": "2026-12-24 12:00:00"}, stage="ready"),
        Sample(row={"state": "assigned", "date_deadline": "2026-11-20 12:00:00"}, stage="late"),
        Sample(row={"state": "waiting", "scheduled_date": "2026-11-20 12:00:00"}, stage="late"),
        Sample(row={"state": "done", "date_deadline": "2026-11-20 12:00:00"}, stage="done"),
        Sample(row={"state": "cancel"}, stage="cancelled"),
    ],
)
