"""Sales orders that are far from what their customer usually orders: declared here, used by order to cash.

An order is held against the newest :data:`ORDERS` confirmed orders of the customer before it, of every address that the
customer trades under: its value against theirs, and the quantity of each product, in its own unit, against the quantities in
which they had it. Sizes of orders differ by factors, not by sums, so both are compared in logarithms, and robustly: the
middle is the median, the spread the median distance from it (times 1.4826, which makes it a standard deviation where sizes
are normal). One wild order in the past moves neither. Beyond :data:`FAR` such deviations, the usual bound for this score, a
size is unusual. A customer who always orders the same has hardly any spread: it counts as no less than :data:`LEAST_SPREAD`,
so that nothing below twice the usual is named. Nothing is said where there are too few orders to compare with; what there
were is part of the evidence.

Only what is larger than usual is named: a small order puts nothing at risk. What is read is bounded by those orders, however
long the customer's history is.
"""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import units
from apps.workflows.declare import ExceptionType, Fact
from apps.workflows.rules import money
from apps.workflows.sql_message import joined, say

ORDERS = 16
FEWEST_ORDERS, FEWEST_OF_PRODUCT = 8, 5
FAR = 3.5
LEAST_SPREAD = 0.2

MEDIAN = "percentile_cont(0.5) WITHIN GROUP (ORDER BY {size})"
SPREAD = f"GREATEST(1.4826 * {MEDIAN.format(size='abs({size} - {middle})')}, {LEAST_SPREAD})"

BEYOND = say(
    "{product}: {quantity:quantity}, usually {usual:quantity} (in {times} orders)",
    product="l.name",
    quantity="l.quantity",
    usual="round(exp(u.middle)::numeric, 1)",
    times="u.times",
)

FACT = Fact(
    name="unusual",
    columns=[
        "compared_count",
        "compared_amount",
        "usual_amount",
        "value_times_quantity",
        "value_deviations_quantity",
        "unusual_lines_count",
        "unusual_lines_names",
        "beyond_usual_amount",
        "is_unusual",
    ],
    sql=f"""
        WITH past AS MATERIALIZED (
          SELECT h.odoo_id, ln(h.value)::float8 AS size
            FROM mirror_res_partner own
            JOIN mirror_res_partner member
              ON member.connection_id = own.connection_id AND member.commercial_partner_id = own.commercial_partner_id
           CROSS JOIN LATERAL (
             SELECT o.odoo_id, o.create_date, o.amount_untaxed / COALESCE(NULLIF(o.currency_rate, 0), 1) AS value
               FROM mirror_sale_order o
              WHERE o.connection_id = member.connection_id AND o.partner_id = member.odoo_id AND o.state = 'sale'
                AND o.create_date <= r.create_date AND o.company_id IS NOT DISTINCT FROM r.company_id AND o.amount_untaxed > 0
                AND o.odoo_id < r.odoo_id AND o.deleted_at IS NULL
              ORDER BY o.create_date DESC
              LIMIT {ORDERS}) AS h
           WHERE own.connection_id = r.connection_id AND own.odoo_id = r.partner_id
           ORDER BY h.create_date DESC, h.odoo_id DESC
           LIMIT {ORDERS}
        ), typical AS (
          SELECT count(*) AS compared, {MEDIAN.format(size="size")} AS middle FROM past
        ), value AS (
          SELECT t.compared, t.middle, {SPREAD.format(size="p.size", middle="t.middle")} AS spread
            FROM typical t
            JOIN past p ON TRUE
           GROUP BY t.compared, t.middle
        ), line AS (
          SELECT l.product_id, min(l.name) AS name, sum({units.own("l.product_uom_qty", "l")}) AS quantity,
                 sum(l.price_subtotal) AS subtotal
            FROM mirror_sale_order_line l
           WHERE l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.product_id IS NOT NULL
             AND l.product_uom_qty > 0 AND l.deleted_at IS NULL
           GROUP BY l.product_id
        ), had AS (
          SELECT l.product_id, ln(sum({units.own("l.product_uom_qty", "l")}))::float8 AS size
            FROM past
            JOIN mirror_sale_order_line l ON l.connection_id = r.connection_id AND l.order_id = past.odoo_id
             AND l.product_uom_qty > 0 AND l.deleted_at IS NULL
           WHERE l.product_id IN (SELECT product_id FROM line)
           GROUP BY past.odoo_id, l.product_id
        ), usual AS (
          SELECT product_id, count(*) AS times, {MEDIAN.format(size="size")} AS middle
            FROM had
           GROUP BY product_id
          HAVING count(*) >= {FEWEST_OF_PRODUCT}
        ), usually AS (
          SELECT u.*, {SPREAD.format(size="h.size", middle="u.middle")} AS spread
            FROM usual u
            JOIN had h ON h.product_id = u.product_id
           GROUP BY u.product_id, u.times, u.middle
        ), lines AS (
          SELECT count(*) AS many, sum(l.subtotal * (1 - exp(u.middle)::numeric / l.quantity)) AS beyond,
                 {joined(f"jsonb_agg({BEYOND} ORDER BY l.subtotal DESC)", by="; ")} AS names
            FROM line l
            JOIN usually u ON u.product_id = l.product_id
           WHERE ln(l.quantity)::float8 > u.middle + {FAR} * u.spread
        )
        SELECT f.compared AS compared_count, {money.rounded("f.amount", money.SMALLEST)} AS compared_amount,
               f.usual AS usual_amount,
               CASE WHEN f.is_large THEN round(f.amount / f.usual, 1) END AS value_times_quantity,
               CASE WHEN f.is_large THEN round(f.deviations::numeric, 1) END AS value_deviations_quantity,
               f.many AS unusual_lines_count, f.names AS unusual_lines_names,
               {money.rounded("CASE WHEN f.is_large THEN f.amount - f.usual ELSE f.beyond / f.rate END", money.SMALLEST)}
                 AS beyond_usual_amount,
               f.is_large OR f.many > 0 AS is_unusual
          FROM (
            SELECT v.compared, {money.rounded("exp(v.middle)::numeric", money.SMALLEST)} AS usual, x.amount, x.rate, lines.*,
                   (ln(x.amount)::float8 - v.middle) / v.spread AS deviations,
                   v.compared >= {FEWEST_ORDERS} AND ln(x.amount)::float8 > v.middle + {FAR} * v.spread AS is_large
              FROM value v
             CROSS JOIN lines
             CROSS JOIN (SELECT r.amount_untaxed / COALESCE(NULLIF(r.currency_rate, 0), 1) AS amount,
                                COALESCE(NULLIF(r.currency_rate, 0), 1) AS rate) AS x
          ) AS f
         WHERE r.state IN ('draft', 'sent', 'sale') AND COALESCE(r.delivery_status, '') <> 'full' AND r.amount_untaxed > 0
    """,
)

EXCEPTION = ExceptionType(
    name="order.unusual",
    title="Unusual order",
    when=Q(is_unusual=True),
    team="sales",
    due=timedelta(hours=8),
    amount="beyond_usual_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "compared_amount": Figure("This order, before tax", figures.money),
        "usual_amount": Figure("Usual order, before tax", figures.money),
        "value_times_quantity": Figure("Multiple of usual", figures.count),
        "value_deviations_quantity": Figure("Deviations from usual orders", figures.count),
        "unusual_lines_names": Figure("Unusual quantities", figures.text),
        "beyond_usual_amount": Figure("Excess value", figures.money),
        "compared_count": Figure("Comparison orders", figures.count),
        "salesperson": Figure("Account owner", figures.text),
    },
    severity=("beyond_usual_amount", (2_500, 10_000, 50_000)),
    closed_because="The order is no longer unusual, or is delivered or cancelled",
)
