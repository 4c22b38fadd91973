"""What was delivered beyond an order, where Odoo bills what is delivered: it is owed as what was ordered is.

Of a line that has some ordered it is worth its part of the line's total. A line of which nothing was ordered (Odoo makes one for
goods that a picker adds to a transfer) has no total: it is worth its price, with what taxes add to the prices of the order's other
lines. Said twice, as SQL over mirrored rows and as Odoo server-action code.
"""

# What a line of an order comes to before its taxes, or with those that are within its price.
LIST_PRICE = "l.price_unit * (1 - COALESCE(l.discount, 0) / 100)"
# By how much taxes raise the prices of the lines ``l`` of one order; an aggregate.
TAXED = f"""COALESCE(sum(l.price_total) FILTER (WHERE {LIST_PRICE} * l.product_uom_qty > 0)
                              / sum({LIST_PRICE} * l.product_uom_qty) FILTER (WHERE {LIST_PRICE} * l.product_uom_qty > 0), 1)"""
# Which part of the prices of the lines ``l`` of one order is before tax; an aggregate.
BEFORE_TAX = TAXED.replace("l.price_total", "l.price_subtotal")

# Of the lines ``l`` of a confirmed order of which nothing was ordered: what is to be invoiced; an aggregate.
OF_NOTHING_ORDERED = f"""COALESCE(sum({LIST_PRICE} * l.qty_to_invoice)
                                 FILTER (WHERE l.product_uom_qty = 0 AND l.qty_to_invoice > 0), 0) * {TAXED}"""

# Of the order ``r``, in its currency: what was delivered beyond it, what of that is not billed, and what of the order is billed.
OF_ORDER = f"""
    SELECT COALESCE(sum(b.one * b.beyond) FILTER (WHERE b.is_ordered), 0)
             + COALESCE(sum(b.one * b.beyond) FILTER (WHERE NOT b.is_ordered), 0) * {TAXED} AS beyond,
           COALESCE(sum(b.one * b.unbilled) FILTER (WHERE b.is_ordered), 0)
             + COALESCE(sum(b.one * b.unbilled) FILTER (WHERE NOT b.is_ordered), 0) * {TAXED} AS unbilled,
           COALESCE(sum(l.price_total * LEAST(l.qty_invoiced / NULLIF(l.product_uom_qty, 0), 1))
                      FILTER (WHERE l.qty_invoiced > 0 AND l.product_uom_qty > 0), 0) AS billed
      FROM mirror_sale_order_line l
      LEFT JOIN LATERAL (
        SELECT l.product_uom_qty > 0 AS is_ordered,
               CASE WHEN l.product_uom_qty > 0 THEN l.price_total / l.product_uom_qty ELSE {LIST_PRICE} END AS one,
               l.qty_delivered - l.product_uom_qty AS beyond,
               GREATEST(l.qty_delivered - GREATEST(l.product_uom_qty, l.qty_invoiced), 0) AS unbilled
          FROM mirror_product_product pr
          JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
         WHERE l.qty_delivered > l.product_uom_qty AND l.product_uom_qty >= 0
           AND pr.connection_id = l.connection_id AND pr.odoo_id = l.product_id AND t.invoice_policy = 'delivery'
      ) AS b ON TRUE
     WHERE l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL
"""

IN_ODOO = """
def taxed_of(order):
    # By how much taxes raise the prices of the order's lines.
    price = 0.0
    total = 0.0
    for line in order.order_line:
        value = line.price_unit * (1 - (line.discount or 0.0) / 100.0) * line.product_uom_qty
        if value > 0:
            price = price + value
            total = total + line.price_total
    return total / price if price else 1.0
def beyond_of(order):
    # What was delivered beyond what was ordered, where Odoo bills what is delivered, and what is not billed of that.
    found = 0.0
    unbilled = 0.0
    for line in order.order_line:
        ordered = line.product_uom_qty
        if line.qty_delivered > ordered >= 0 and line.product_id.product_tmpl_id.invoice_policy == 'delivery':
            if ordered:
                one = line.price_total / ordered
            else:
                one = line.price_unit * (1 - (line.discount or 0.0) / 100.0) * taxed_of(order)
            found = found + one * (line.qty_delivered - ordered)
            unbilled = unbilled + one * max(line.qty_delivered - max(ordered, line.qty_invoiced), 0.0)
    return found, unbilled
"""

# The order of a line of which more was delivered than was ordered. Whoever enters hours is not stopped; what they come to counts.
SUBJECT = """
line = record.sudo()
record = env['sale.order'].sudo()
if is_change and line.qty_delivered > line.product_uom_qty >= 0 and line.product_id.product_tmpl_id.invoice_policy == 'delivery':
    if line.qty_delivered_method in ['stock_move', 'manual']:
        record = line.order_id
"""
