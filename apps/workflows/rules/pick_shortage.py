"""Goods that a transfer wants and does not get: declared here, used by fulfilment."""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import kits, returned, units
from apps.workflows.declare import ExceptionType, Fact, Unwatched
from apps.workflows.rules import money, sourcing, substitution
from apps.workflows.rules.goods_value import UNIT_VALUE
from apps.workflows.sql_message import joined, say

# Three ways to come short. A transfer that could go now, or a part of which is there, lacks some of what was asked for;
# a back order brings what another transfer left behind; goods were cancelled though the order still wants them, which the
# last move that they were cancelled from answers for. From 19 on, Odoo keeps what a picker drops on the move that is done,
# as a demand beyond what was moved; before, it is a cancelled move of its own. A receipt lacks nothing: what does not come
# is the purchase's. Quantities are in the product's own unit; of a kit, the component that lacks most says what is missing in
# money, since the others are worth nothing to the customer without it.
WHY = say(
    "Not enough on hand",
    when={
        "m.is_dropped": "Cancelled while the order wants it",
        "r.backorder_id IS NOT NULL": "Back-ordered",
        "stock.on_hand - stock.reserved >= m.missing": "Picked less than on hand in Odoo",
        "stock.on_hand >= m.wanted": "Reserved for others",
    },
)
DROPPED = "CASE m.state WHEN 'cancel' THEN m.product_uom_qty WHEN 'done' THEN m.product_uom_qty - m.quantity END"
IN_WAREHOUSE = say("{warehouse} {quantity:quantity}", warehouse="w.name", quantity="w.quantity - w.reserved")
IN_WAREHOUSES = f"""jsonb_agg({IN_WAREHOUSE} ORDER BY w.name)
                               FILTER (WHERE NOT w.is_here AND w.quantity > w.reserved)"""
ELSEWHERE = say("{product}: {warehouses}", product="s.product", warehouses="s.elsewhere")

FACT = Fact(
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
    unwatched=[
        returned.TRANSFERS,
        Unwatched(
            model="stock.warehouse",
            columns=["company_id", "name"],
            because="Odoo refuses another company for a warehouse; its name follows with the next change of its stock.",
        ),
    ],
    sql=f"""
        SELECT count(*) AS short_count, string_agg(DISTINCT s.product, ', ') AS short_products_names,
               {joined("jsonb_agg(DISTINCT s.why)")} AS shortage_names,
               trim_scale(sum(s.wanted)) AS wanted_quantity, trim_scale(sum(s.wanted - s.missing)) AS available_quantity,
               trim_scale(sum(s.missing)) AS missing_quantity, trim_scale(sum(s.on_hand)) AS on_hand_quantity,
               trim_scale(sum(s.for_others)) AS reserved_for_others_quantity,
               trim_scale(sum(s.free_elsewhere)) AS free_elsewhere_quantity,
               {joined(f"jsonb_agg(DISTINCT {ELSEWHERE}) FILTER (WHERE s.elsewhere IS NOT NULL)", by="; ")} AS elsewhere_names,
               {money.rounded("sum(s.missing * s.unit * s.components * s.lacks_most)", money.SMALLEST)} AS missing_amount
          FROM (
            SELECT m.wanted, m.missing, worth.unit / {units.ratio_of("m", units.MOVE)} AS unit, COALESCE(t.name, '') AS product,
                   stock.on_hand, GREATEST(stock.reserved - m.reserved, 0) AS for_others, stock.free_elsewhere,
                   stock.elsewhere, m.components,
                   CASE WHEN m.components = 1 OR row_number() OVER (
                          PARTITION BY m.sale_line_id ORDER BY m.missing / NULLIF(m.line_wants, 0) DESC, m.odoo_id) = 1
                        THEN 1 ELSE 0 END AS lacks_most,
                   {WHY} AS why
              FROM (
                SELECT u.*, COALESCE(kit.components, 1) AS components, kit.line_wants
                  FROM (
                SELECT m.connection_id, m.odoo_id, m.product_id, m.product_uom, m.sale_line_id, m.purchase_line_id,
                       m.location_dest_id, FALSE AS is_dropped, {units.own("m.product_uom_qty", "m", units.MOVE)} AS wanted,
                       {units.own("COALESCE(m.quantity, 0)", "m", units.MOVE)} AS reserved,
                       {units.own("m.product_uom_qty - COALESCE(m.quantity, 0)", "m", units.MOVE)} AS missing
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
                       LEAST(d.dropped, line.undelivered - on_the_way.quantity)
                  FROM mirror_stock_move m
                 CROSS JOIN LATERAL (
                   SELECT {units.own(DROPPED, "m", units.MOVE)} AS dropped) AS d
                  JOIN mirror_sale_order_line sl
                    ON sl.connection_id = m.connection_id AND sl.odoo_id = m.sale_line_id AND sl.deleted_at IS NULL
                   AND sl.qty_delivered < sl.product_uom_qty
                  JOIN mirror_sale_order so
                    ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id AND so.state IN ('sale', 'done')
                   AND so.deleted_at IS NULL
                 CROSS JOIN LATERAL (
                   -- Of a component: its part of the sets that are not delivered.
                   SELECT {kits.wanted("sl", "m.product_id")} * (sl.product_uom_qty - sl.qty_delivered) / sl.product_uom_qty
                            AS undelivered) AS line
                 CROSS JOIN LATERAL (
                   SELECT COALESCE(sum({units.own("o.product_uom_qty", "o", units.MOVE)}) FILTER (
                            WHERE o.state NOT IN ('draft', 'done', 'cancel') AND NOT EXISTS (
                              SELECT 1 FROM mirror_stock_move onward
                               WHERE onward.connection_id = o.connection_id AND onward.sale_line_id = o.sale_line_id
                                 AND onward.move_orig_ids @> ARRAY[o.odoo_id] AND onward.state NOT IN ('done', 'cancel')
                                 AND onward.deleted_at IS NULL)), 0) AS quantity,
                          COALESCE(max(o.odoo_id) FILTER (
                            WHERE o.state = 'cancel' OR o.state = 'done' AND o.quantity < o.product_uom_qty), 0) AS last
                     FROM mirror_stock_move o
                    WHERE o.connection_id = m.connection_id AND o.sale_line_id = m.sale_line_id AND o.deleted_at IS NULL
                      AND o.product_id IS NOT DISTINCT FROM m.product_id
                 ) AS on_the_way
                 WHERE r.picking_type_code IN ('outgoing', 'internal') AND m.connection_id = r.connection_id
                   AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL AND d.dropped > 0
                   AND m.odoo_id = on_the_way.last
                   AND line.undelivered > on_the_way.quantity
                  ) AS u
                  LEFT JOIN LATERAL (
                    SELECT {kits.components("kl")} AS components, {kits.wanted("kl", "u.product_id")} AS line_wants
                      FROM mirror_sale_order_line kl
                     WHERE kl.connection_id = u.connection_id AND kl.odoo_id = u.sale_line_id
                       AND {kits.is_kit("kl", "u.product_id")}) AS kit ON TRUE
              ) AS m
              LEFT JOIN mirror_product_product pr ON pr.connection_id = m.connection_id AND pr.odoo_id = m.product_id
              LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
             CROSS JOIN LATERAL ({UNIT_VALUE}) AS worth
             CROSS JOIN LATERAL (
               SELECT COALESCE(sum(w.quantity) FILTER (WHERE w.is_here), 0) AS on_hand,
                      COALESCE(sum(w.reserved) FILTER (WHERE w.is_here), 0) AS reserved,
                      COALESCE(sum(w.quantity - w.reserved) FILTER (WHERE NOT w.is_here AND w.quantity > w.reserved), 0)
                        AS free_elsewhere,
                      {joined(IN_WAREHOUSES)} AS elsewhere
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

EXCEPTION = ExceptionType(
    name="fulfilment.pick_shortage",
    title="Pick shortage",
    when=Q(short_count__gt=0),
    team="warehouse",
    due=timedelta(hours=4),
    amount="missing_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "order_name": Figure("Order", figures.text),
        "shortage_names": Figure("Why", figures.text),
        "short_products_names": Figure("Products", figures.text),
        "short_count": Figure("Short lines", figures.count),
        "wanted_quantity": Figure("Requested", figures.quantity),
        "available_quantity": Figure("Available", figures.quantity),
        "missing_quantity": Figure("Missing", figures.quantity),
        "on_hand_quantity": Figure("On hand in this warehouse", figures.quantity),
        "reserved_for_others_quantity": Figure("Of which reserved for others", figures.quantity),
        "free_elsewhere_quantity": Figure("Available in other warehouses", figures.quantity),
        "elsewhere_names": Figure("Available in", figures.text),
        "promised_at": Figure("Promised for", figures.moment),
        "missing_amount": Figure("Value missing", figures.money),
    },
    severity=("missing_amount", (250, 2_500, 25_000)),
    closed_because="Nothing is missing, or no order needs it",
    remedies=[
        sourcing.RESERVE_AGAIN,
        sourcing.from_another_warehouse(sourcing.NEEDED_OF_TRANSFER),
        substitution.SUBSTITUTE,
        sourcing.from_another_vendor(sourcing.NEEDED_OF_TRANSFER),
    ],
)
