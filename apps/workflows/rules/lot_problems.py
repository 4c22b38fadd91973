"""Lots and serial numbers that are missing, used twice or expired: declared here, used by fulfilment."""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import returned, units
from apps.workflows.declare import ExceptionType, Fact
from apps.workflows.rules import money
from apps.workflows.rules.goods_value import UNIT_VALUE
from apps.workflows.sql_message import joined, say

# A receipt is told its lots while it is received: until a line is picked, nothing is missing. An operation that uses
# neither new lots nor existing ones asks for none. What is done and wrong is worth a month's attention.
FACT = Fact(
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
    unwatched=[returned.TRANSFERS],
    sql=f"""
        SELECT count(*) FILTER (WHERE p.problem IS NOT NULL) AS lot_problem_count,
               {joined("jsonb_agg(DISTINCT p.problem) FILTER (WHERE p.problem IS NOT NULL)")} AS lot_problem_names,
               string_agg(DISTINCT p.product, ', ') FILTER (WHERE p.problem IS NOT NULL) AS lot_products_names,
               string_agg(DISTINCT p.lot, ', ') FILTER (WHERE p.problem IS NOT NULL) AS lot_names,
               trim_scale(COALESCE(sum(p.quantity) FILTER (WHERE p.problem IS NOT NULL), 0)) AS lot_quantity,
               {money.rounded("COALESCE(sum(p.quantity * p.unit) FILTER (WHERE p.problem IS NOT NULL), 0)", money.SMALLEST)}
                 AS lot_amount,
               LEAST(min(p.expiration_date) FILTER (WHERE p.expiration_date > %(now)s AND r.state = 'assigned'),
                     CASE WHEN r.state = 'done' AND bool_or(p.problem IS NOT NULL)
                          THEN r.date_done + interval '30 days' END) AS lot_next_at
          FROM (
            SELECT b.*,
                   CASE WHEN b.lot IS NULL AND b.needs_lot THEN
                          {say("No lot", when={"b.tracking = 'serial'": "No serial number"})}
                        WHEN b.tracking = 'serial' AND b.lot IS NOT NULL AND b.quantity <> 1
                        THEN {say("Serial number with a quantity other than 1")}
                        WHEN b.tracking = 'serial' AND b.lot IS NOT NULL AND b.times > 1
                        THEN {say("Serial number used twice")}
                        WHEN b.expiration_date <= %(now)s AND r.state = 'assigned' AND r.picking_type_code <> 'incoming'
                        THEN {say("Expired")} END AS problem
              FROM (
                SELECT {units.own("ml.quantity", "ml")} AS quantity, t.tracking, t.name AS product, lot.expiration_date,
                       COALESCE(lot.name, NULLIF(ml.lot_name, ''), ml.lot_id::text) AS lot,
                       (r.picking_type_code <> 'incoming' OR ml.picked OR r.state = 'done')
                       AND (COALESCE(kind.use_create_lots, TRUE) OR COALESCE(kind.use_existing_lots, TRUE)) AS needs_lot,
                       count(*) OVER (PARTITION BY ml.product_id,
                                      COALESCE(lot.name, NULLIF(ml.lot_name, ''), ml.lot_id::text)) AS times,
                       COALESCE(worth.unit / {units.ratio_of("m", units.MOVE)}, 0) AS unit
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

EXCEPTION = ExceptionType(
    name="fulfilment.lot_problem",
    title="Lot or serial problem",
    when=Q(lot_problem_count__gt=0),
    team="warehouse",
    due=timedelta(hours=4),
    amount="lot_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "order_name": Figure("Order", figures.text),
        "lot_problem_names": Figure("Problem", figures.text),
        "lot_products_names": Figure("Products", figures.text),
        "lot_names": Figure("Lots and serial numbers", figures.text),
        "lot_problem_count": Figure("Lines concerned", figures.count),
        "lot_quantity": Figure("Quantity concerned", figures.quantity),
        "lot_amount": Figure("Value concerned", figures.money),
    },
    severity=("lot_amount", (500, 5_000, 50_000)),
    closed_because="Every line has a valid lot or serial number, or is no longer to be delivered",
)
