"""Ways to settle stock that is below zero, or a count that waits: plan a count, apply one, or forget one."""

from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.sql_message import company_day, say

# A count is planned in the mode in which Odoo's own list of counts is edited; without it, quants are not written by people.
INVENTORY_MODE = {"inventory_mode": True}

PLAN_COUNT = SuggestedAction(
    name="plan_count",
    title="Plan a count",
    columns=["count_on", "planned_on", "product_name", "location_name"],
    sql=f"""
        SELECT to_char(d.today, 'YYYY-MM-DD') AS option,
               {
        say(
            "Count {product} in {place} today, planned for {planned:day} so far",
            when={"r.inventory_date IS NULL": "Count {product} in {place} today"},
            product="t.name",
            place="l.complete_name",
            planned="r.inventory_date",
        )
    } AS text,
               to_char(d.today, 'YYYY-MM-DD') AS count_on, to_char(r.inventory_date, 'YYYY-MM-DD') AS planned_on,
               t.name AS product_name, l.complete_name AS location_name
          FROM mirror_stock_quant r
          JOIN mirror_product_product p ON p.connection_id = r.connection_id AND p.odoo_id = r.product_id
          JOIN mirror_product_template t ON t.connection_id = p.connection_id AND t.odoo_id = p.product_tmpl_id
          JOIN mirror_stock_location l ON l.connection_id = r.connection_id AND l.odoo_id = r.location_id
         CROSS JOIN LATERAL (SELECT {company_day("%(now)s::timestamptz", "r.company_id")} AS today) AS d
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL
           AND r.inventory_quantity_set IS NOT TRUE AND (r.inventory_date IS NULL OR r.inventory_date > d.today)
    """,
    calls=[
        OdooCall(
            title="Plan a count of {product_name} in {location_name} for {count_on:day}",
            method="write",
            arguments={"vals": {"inventory_date": "{count_on}"}, "context": INVENTORY_MODE},
            require=[["inventory_quantity_set", "=", False]],
            expect=[["inventory_date", "<=", "{count_on}"]],
        )
    ],
    undo=[
        OdooCall(
            title="Plan the count of {product_name} for {planned_on:day} again",
            method="write",
            only_if="planned_on",
            arguments={"vals": {"inventory_date": "{planned_on}"}, "context": INVENTORY_MODE},
            require=[["inventory_quantity_set", "=", False], ["inventory_date", "=", "{count_on}"]],
            expect=[["inventory_date", "=", "{planned_on}"]],
        )
    ],
)

# What is counted stands for what it says as it is applied: another count is another decision.
THIS_COUNT = [["inventory_quantity_set", "=", True], ["inventory_quantity", "=", "{counted:number}"]]

COUNTED = """
          FROM mirror_stock_quant r
          JOIN mirror_product_product p ON p.connection_id = r.connection_id AND p.odoo_id = r.product_id
          JOIN mirror_product_template t ON t.connection_id = p.connection_id AND t.odoo_id = p.product_tmpl_id
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL AND r.inventory_quantity_set
"""

# Of goods that came or went since they were counted Odoo does not apply the count, but asks: they are counted again.
APPLY_COUNT = SuggestedAction(
    name="apply_count",
    title="Apply the count",
    asks="{counted:quantity} {product_name} were counted: the stock changes by {difference:quantity}, which Odoo cannot undo",
    columns=["counted", "difference", "product_name"],
    sql=f"""
        SELECT trim_scale(r.inventory_quantity)::text AS option,
               {
        say(
            "Set the stock of {product} to {counted:quantity}, a change of {difference:quantity}",
            product="t.name",
            counted="r.inventory_quantity",
            difference="COALESCE(r.inventory_diff_quantity, 0)",
        )
    } AS text,
               trim_scale(r.inventory_quantity) AS counted, trim_scale(COALESCE(r.inventory_diff_quantity, 0)) AS difference,
               t.name AS product_name
        {COUNTED} AND COALESCE(r.x_ct_hold, '') = ''
           AND abs(r.inventory_quantity - COALESCE(r.inventory_diff_quantity, 0) - r.quantity) < 0.000001
    """,
    calls=[
        OdooCall(
            title="Apply the count of {product_name}: {counted:quantity}",
            method="action_apply_inventory",
            require=THIS_COUNT,
            expect=[["inventory_quantity_set", "=", False]],
        )
    ],
)

FORGET = say("Forget that {counted:quantity} {product} were counted", counted="r.inventory_quantity", product="t.name")

CLEAR_COUNT = SuggestedAction(
    name="clear_count",
    title="Clear the count, to count again",
    columns=["counted", "product_name"],
    sql=f"""
        SELECT trim_scale(r.inventory_quantity)::text AS option,
               {FORGET} AS text,
               trim_scale(r.inventory_quantity) AS counted, t.name AS product_name
        {COUNTED}
    """,
    calls=[
        OdooCall(
            title="Clear the count of {product_name}: {counted:quantity}",
            method="action_clear_inventory_quantity",
            require=THIS_COUNT,
            expect=[["inventory_quantity_set", "=", False]],
        )
    ],
)
