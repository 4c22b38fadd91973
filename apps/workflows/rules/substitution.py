"""Another product for one that is short: told to Odoo on the sales order, so that delivery and invoice follow it.

What may stand in for a product: its other variants, and products of its category that cost the customer a fifth more or less
at the most, both tracked alike, and in each case as much of it free in the warehouse as is missing. The customer pays what
was agreed, in the unit agreed: the line keeps its price and discount. Odoo takes the missing quantity off the delivery and
adds the other product.
"""

from apps.workflows import units
from apps.workflows.declare import OdooCall, Remedy
from apps.workflows.sql_message import say

DEARER_OR_CHEAPER = 0.2

INSTEAD = say(
    "{quantity:quantity} {substitute} instead of {product} on {order}, {free:quantity} available",
    when={
        "other.product_tmpl_id = pr.product_tmpl_id": (
            "{quantity:quantity} {substitute} instead of {product} on {order}, {free:quantity} available (another variant)"
        ),
    },
    quantity="n.missing",
    substitute="ot.name",
    product="t.name",
    order="n.order_name",
    free="free.quantity",
)


def _instead(**more: str) -> OdooCall:
    """Take what is short off its line and add the other product.

    Args:
        more: more of the new line, and which column says whether to.
    """
    only_if = more.pop("only_if")
    line = {
        "product_id": "{substitute_id:number}",
        "product_uom_qty": "{quantity:number}",
        "price_unit": "{price:number}",
        "discount": "{discount:number}",
    }
    return OdooCall(
        title="Substitute {quantity:quantity} {substitute_name} for {product_name} on {order_name}",
        model="sale.order",
        record="order_id",
        method="write",
        only_if=only_if,
        arguments={"vals": {"order_line": [[1, "{line_id:number}", {"product_uom_qty": "{kept:number}"}], [0, 0, line | more]]}},
        require=[["state", "=", "sale"]],
        expect=[["order_line.product_id", "=", "{substitute_id:number}"]],
    )


SUBSTITUTE = Remedy(
    name="substitute",
    title="Deliver another product instead",
    columns=[
        "order_id",
        "order_name",
        "line_id",
        "kept",
        "substitute_id",
        "quantity",
        "price",
        "discount",
        "product_name",
        "substitute_name",
        "unit_id",
        "is_own_unit",
    ],
    sql=f"""
        SELECT concat(n.move_id, '-', other.odoo_id) AS option,
               {INSTEAD} AS text,
               n.order_id, n.order_name, n.line_id, trim_scale(n.ordered - n.missing_of_line) AS kept,
               other.odoo_id AS substitute_id,
               trim_scale(n.missing_of_line) AS quantity, n.price_unit AS price, COALESCE(n.discount, 0) AS discount,
               t.name AS product_name,
               ot.name AS substitute_name, CASE WHEN n.unit <> 1 THEN n.product_uom_id END AS unit_id,
               n.unit = 1 AS is_own_unit
          FROM (
            SELECT m.odoo_id AS move_id, m.product_id, m.location_id, own.missing,
                   round(own.missing / per.unit, 6) AS missing_of_line,
                   l.odoo_id AS line_id, l.product_uom_qty AS ordered, l.price_unit, l.discount, o.odoo_id AS order_id,
                   o.name AS order_name, l.product_uom_id, per.unit
              FROM mirror_stock_move m
              JOIN mirror_sale_order_line l ON l.connection_id = m.connection_id AND l.odoo_id = m.sale_line_id
               AND l.product_id = m.product_id AND l.deleted_at IS NULL
              JOIN mirror_sale_order o ON o.connection_id = l.connection_id AND o.odoo_id = l.order_id AND o.state = 'sale'
               AND o.deleted_at IS NULL AND o.locked IS NOT TRUE
             CROSS JOIN LATERAL (
               SELECT {units.own("m.product_uom_qty - COALESCE(m.quantity, 0)", "m", units.MOVE)} AS missing) AS own
             CROSS JOIN LATERAL (SELECT {units.ratio_of("l")} AS unit) AS per
             WHERE m.connection_id = %(connection)s AND m.picking_id = %(record)s AND m.deleted_at IS NULL
               AND m.state IN ('confirmed', 'partially_available', 'assigned') AND m.product_uom_qty > COALESCE(m.quantity, 0)
          ) AS n
          JOIN mirror_product_product pr ON pr.connection_id = %(connection)s AND pr.odoo_id = n.product_id
          JOIN mirror_product_template t ON t.connection_id = %(connection)s AND t.odoo_id = pr.product_tmpl_id
          JOIN mirror_product_template ot ON ot.connection_id = %(connection)s AND ot.deleted_at IS NULL AND ot.active
           AND ot.tracking IS NOT DISTINCT FROM t.tracking AND ot.uom_id IS NOT DISTINCT FROM t.uom_id
           AND (ot.odoo_id = t.odoo_id OR ot.categ_id = t.categ_id AND abs(ot.list_price - t.list_price)
                                                                        <= {DEARER_OR_CHEAPER} * t.list_price)
          JOIN mirror_product_product other ON other.connection_id = %(connection)s AND other.product_tmpl_id = ot.odoo_id
           AND other.odoo_id <> n.product_id AND other.active AND other.deleted_at IS NULL
          JOIN mirror_stock_location here ON here.connection_id = %(connection)s AND here.odoo_id = n.location_id
         CROSS JOIN LATERAL (
           SELECT COALESCE(sum(q.quantity - COALESCE(q.reserved_quantity, 0)), 0) AS quantity
             FROM mirror_stock_location place
             JOIN mirror_stock_quant q ON q.connection_id = place.connection_id AND q.location_id = place.odoo_id
              AND q.product_id = other.odoo_id AND q.deleted_at IS NULL
            WHERE place.connection_id = %(connection)s AND place.warehouse_id = here.warehouse_id AND place.usage = 'internal'
         ) AS free
         WHERE free.quantity >= n.missing AND NOT EXISTS (
           SELECT FROM mirror_sale_order_line own
            WHERE own.connection_id = %(connection)s AND own.order_id = n.order_id AND own.product_id = other.odoo_id
              AND own.deleted_at IS NULL)
         ORDER BY other.product_tmpl_id <> pr.product_tmpl_id, abs(ot.list_price - t.list_price), other.odoo_id
    """,
    calls=[
        # In the unit of the line that it takes from; the other product's own is the same as this one's.
        _instead(product_uom_id="{unit_id:number}", only_if="unit_id"),
        _instead(only_if="is_own_unit"),
        OdooCall(
            title="Add a note on {order_name}: product substituted",
            model="sale.order",
            record="order_id",
            method="message_post",
            arguments={
                "body": "{quantity} {substitute_name} instead of {product_name}, which is short, at the price agreed. "
                "By {decided_by} in Control Tower."
            },
        ),
    ],
)
