"""What holds a sales order up beside its stage: other records, each with since when, and what the order itself lacks."""

from apps.core import statements
from apps.workflows import supply_allocation
from apps.workflows.declare import BlockerRule
from apps.workflows.rules import carrier_delay, promises
from apps.workflows.sql_message import company_day, joined, say, those

# What the order is short of, each with the purchase that is to bring it, where there is one.
SHORT = f"""
  FROM mirror_sale_order r
 CROSS JOIN LATERAL ({promises.SHORT_MOVES}) AS s
  LEFT JOIN LATERAL (({promises.LINKED_SUPPLY}) UNION ALL ({promises.ROW_SUPPLY})) AS c ON TRUE
  LEFT JOIN mirror_product_product pr ON pr.connection_id = r.connection_id AND pr.odoo_id = s.product_id
  LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s
"""

MISSING = say(
    "{product}: {missing:quantity} of {wanted:quantity} missing",
    when={
        "x.is_stock": "{product}: {missing:quantity} of {wanted:quantity} not reserved, free in the warehouse",
        "x.covered = 0": "{product}: {missing:quantity} of {wanted:quantity} missing, none on order",
        "x.covered < x.missing": (
            "{product}: {missing:quantity} of {wanted:quantity} missing, {uncovered:quantity} of which not on order"
        ),
    },
    product="x.product",
    missing="x.missing",
    wanted="x.wanted",
    uncovered="x.missing - x.covered",
)

STOCK_SHORTAGE = BlockerRule(
    kind="stock_shortage",
    sql=f"""
        SELECT x.create_date AS since, CASE WHEN p.odoo_id IS NULL THEN 'stock.move' ELSE 'stock.picking' END AS model,
               COALESCE(p.odoo_id, x.move_id) AS odoo_id, COALESCE(p.name, x.product) AS name,
               {MISSING} AS text
          FROM (SELECT s.*, COALESCE(t.name, '#' || s.product_id) AS product, COALESCE(c.covered, 0) AS covered,
                       COALESCE(c.is_stock AND c.covered >= s.missing, FALSE) AS is_stock {SHORT}) AS x
          LEFT JOIN mirror_stock_picking p ON p.connection_id = %(connection)s AND p.odoo_id = x.picking_id
        UNION ALL
        SELECT u.create_date, 'purchase.order', u.purchase_id, u.purchase_name,
               {
        say("{product} is expected from the vendor, but {purchase} is not confirmed", product="u.name", purchase="u.purchase_name")
    }
          FROM mirror_sale_order r
         CROSS JOIN LATERAL ({promises.UNORDERED}) AS u
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s
    """,
)

BROUGHT_LATE = say(
    "{vendor} delivers {quantity:quantity} {product} on {day:day}, too late",
    when={"x.planned_at <= %(now)s": "{vendor} was due to deliver {quantity:quantity} {product} by {day:day}"},
    vendor=f"COALESCE(to_jsonb(v.name), {say('The vendor')})",
    quantity="x.covered",
    product="x.product",
    day=company_day("x.planned_at", "x.company_id"),
)

# Overdue, or expected after the day that the customer was promised: that holds the order up since both of them stand.
SUPPLIER_DELAY = BlockerRule(
    kind="supplier_delay",
    sql=statements.load(
        __file__,
        "supplier_delay",
        brought_late=BROUGHT_LATE,
        supplies_late=say("{what} (the purchase order that supplies this order)", what=BROUGHT_LATE),
        short=SHORT,
        is_fed=supply_allocation.is_fed("s"),
        delivers_late=say(
            "{vendor} delivers {transfer} on {day:day}, too late",
            when={"x.expected_at <= %(now)s": "{vendor} was due to deliver {transfer} by {day:day}"},
            vendor=f"COALESCE(to_jsonb(v.name), {say('The vendor')})",
            transfer="x.name",
            day=company_day("x.expected_at", "r.company_id"),
        ),
        steps=promises.STEPS,
    ),
)

# A promise that has passed with a step ready and not done: that step holds the order up, whichever of the chain it is.
STEP_NOT_DONE = BlockerRule(
    kind="open_step",
    sql=f"""
        SELECT r.commitment_date AS since, 'stock.picking' AS model, x.odoo_id, x.name, {promises.STEP} AS text
          FROM mirror_sale_order r
         CROSS JOIN LATERAL ({promises.STEPS}) AS x
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.commitment_date <= %(now)s
           AND x.state = 'assigned' AND COALESCE(x.kind, '') <> 'dropship'
    """,
)

# Goods stand ready, and the warehouse has more to hand out than a shift carries.
WAREHOUSE_CAPACITY = BlockerRule(
    kind="warehouse_capacity",
    sql=f"""
        SELECT w.since, w.model, w.odoo_id, w.name,
               {say("{warehouse} has more lines ready than it ships in a shift", warehouse="w.name")} AS text
          FROM mirror_sale_order r
          JOIN workflows_position w ON w.connection_id = r.connection_id AND w.model = 'stock.warehouse'
           AND w.odoo_id = r.warehouse_id AND w.stage = 'over_capacity'
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND EXISTS (
           SELECT FROM mirror_stock_picking p
            WHERE p.connection_id = r.connection_id AND p.sale_id = r.odoo_id AND p.state = 'assigned'
              AND p.picking_type_code IN ('outgoing', 'internal') AND p.deleted_at IS NULL)
    """,
)

DISPUTED = say(
    "{invoice} is disputed; {amount:money} {currency} of it is open", invoice="p.name", amount="p.amount", currency="p.currency"
)

INVOICE_DISPUTE = BlockerRule(
    kind="invoice_dispute",
    sql=f"""
        SELECT DISTINCT p.since, p.model, p.odoo_id, p.name, {DISPUTED} AS text
          FROM mirror_sale_order_line l
          JOIN mirror_account_move_line il
            ON il.connection_id = l.connection_id AND il.sale_line_ids @> ARRAY[l.odoo_id] AND il.deleted_at IS NULL
          JOIN workflows_position p
            ON p.connection_id = il.connection_id AND p.model = 'account.move' AND p.odoo_id = il.move_id
           AND p.stage = 'disputed'
         WHERE l.connection_id = %(connection)s AND l.order_id = %(record)s AND l.deleted_at IS NULL
    """,
)

# What nobody can deliver without. An address that was read before its fields were mirrored has none of them, not even "".
LACKS = those(
    f"CASE WHEN a.street = '' THEN {say('no street')} END",
    f"CASE WHEN a.city = '' THEN {say('no city')} END",
    f"CASE WHEN a.country_id IS NULL THEN {say('no country')} END",
)
NAMELESS = f"jsonb_agg(COALESCE(to_jsonb(NULLIF(l.name, '')), {say('a line without text')}) ORDER BY l.sequence)"

MISSING_DATA = BlockerRule(
    kind="missing_data",
    sql=f"""
        SELECT r.create_date AS since, 'res.partner' AS model, a.odoo_id, a.name,
               {say("The delivery address {name} has {missing}", name="a.name", missing=joined(LACKS))} AS text
          FROM mirror_sale_order r
          JOIN mirror_res_partner a ON a.connection_id = r.connection_id
           AND a.odoo_id = COALESCE(r.partner_shipping_id, r.partner_id)
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND COALESCE(r.delivery_status, '') <> 'full'
           AND (a.street = '' OR a.city = '' OR (a.city IS NOT NULL AND a.country_id IS NULL))
        UNION ALL
        SELECT r.create_date, 'sale.order', r.odoo_id, r.name,
               {say("No product on: {lines}", lines=joined(NAMELESS, by="; "))}
          FROM mirror_sale_order r
          JOIN mirror_sale_order_line l ON l.connection_id = r.connection_id AND l.order_id = r.odoo_id
           AND l.deleted_at IS NULL AND l.product_id IS NULL AND COALESCE(l.display_type, '') = '' AND l.product_uom_qty > 0
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND COALESCE(r.delivery_status, '') <> 'full'
         GROUP BY r.create_date, r.odoo_id, r.name
    """,
)

OF_SALES_ORDERS = [
    STOCK_SHORTAGE,
    SUPPLIER_DELAY,
    STEP_NOT_DONE,
    WAREHOUSE_CAPACITY,
    carrier_delay.OF_ORDER,
    INVOICE_DISPUTE,
    MISSING_DATA,
]
