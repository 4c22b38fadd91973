"""Inventory control: what is counted in stock, what it changes, and stock that is below zero.

Odoo keeps a count on the quant itself, and forgets it when it is applied or cleared: what stays is the day of the last
count (``last_count_date``). Quants that nobody counts do not belong here, nor do places that are not the company's own:
only for its own does Odoo keep a day on which to count (``inventory_date``). Stock below zero is a count that is owed.

The difference is Odoo's own, that between the count and the stock of the moment at which it was counted; what has been
moved since then changes neither. Values are at the product's standard cost, in the company's currency.
"""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import guard_requests, holders, playbooks, root_causes, supply_allocation
from apps.workflows.declare import Dependency, ExceptionType, Fact, Sample, Stage, Workflow
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import count_limit, counting, involvement, money

GOODS = Fact(
    name="goods",
    columns=[
        "label",
        "product_name",
        "location_name",
        "warehouse_name",
        "place_warehouse_id",
        "currency",
        "partner_name",
        "unit_cost",
        "unit_name",
    ],
    sql=f"""
        SELECT concat_ws(' in ', t.name, l.complete_name) AS label, t.name AS product_name, l.complete_name AS location_name,
               (SELECT w.name FROM mirror_stock_warehouse w
                 WHERE w.connection_id = r.connection_id AND w.odoo_id = l.warehouse_id) AS warehouse_name,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               l.warehouse_id AS place_warehouse_id,
               '' AS partner_name, round(COALESCE({money.in_company("standard_price", "p")}, 0), 2) AS unit_cost,
               (SELECT u.name FROM mirror_uom_uom u WHERE u.connection_id = r.connection_id AND u.odoo_id = t.uom_id) AS unit_name
          FROM (SELECT r.product_id) AS own
          LEFT JOIN mirror_product_product p ON p.connection_id = r.connection_id AND p.odoo_id = own.product_id
          LEFT JOIN mirror_product_template t ON t.connection_id = p.connection_id AND t.odoo_id = p.product_tmpl_id
          LEFT JOIN mirror_stock_location l ON l.connection_id = r.connection_id AND l.odoo_id = r.location_id
    """,
)

COUNT = Fact(
    name="count",
    columns=[
        "counted_quantity",
        "system_quantity",
        "difference_quantity",
        "difference_value",
        "missing_quantity",
        "missing_value",
        "at_stake",
        "counted_by",
        "below_zero_since",
    ],
    sql=f"""
        SELECT trim_scale(c.counted) AS counted_quantity, trim_scale(c.counted - c.difference) AS system_quantity,
               trim_scale(c.difference) AS difference_quantity,
               {money.rounded("abs(c.difference) * c.cost", "c.smallest")} AS difference_value,
               trim_scale(c.missing) AS missing_quantity,
               {money.rounded("c.missing * c.cost", "c.smallest")} AS missing_value,
               {money.rounded("GREATEST(abs(c.difference), c.missing) * c.cost", "c.smallest")} AS at_stake,
               (SELECT u.name FROM mirror_res_users u
                 WHERE u.connection_id = r.connection_id AND u.odoo_id = r.user_id) AS counted_by,
               CASE WHEN c.missing > 0 THEN COALESCE(
                 (SELECT p.since FROM workflows_position p
                   WHERE p.connection_id = r.connection_id AND p.workflow = 'inventory_control' AND p.odoo_id = r.odoo_id
                     AND p.stage = 'to_count'), r.write_date) END AS below_zero_since
          FROM (
            SELECT CASE WHEN r.inventory_quantity_set THEN r.inventory_quantity END AS counted,
                   CASE WHEN r.inventory_quantity_set THEN COALESCE(r.inventory_diff_quantity, 0) ELSE 0 END AS difference,
                   GREATEST(-COALESCE(r.quantity, 0), 0) AS missing,
                   COALESCE((SELECT {money.in_company("standard_price", "p")} FROM mirror_product_product p
                              WHERE p.connection_id = r.connection_id AND p.odoo_id = r.product_id), 0) AS cost,
                   {money.SMALLEST} AS smallest
          ) AS c
    """,
)

# What of the products and places is counted or below zero just now; what is settled keeps the value that it had.
TO_SETTLE = (
    "SELECT q.odoo_id FROM mirror_stock_quant q WHERE q.connection_id = %(connection)s AND q.deleted_at IS NULL"
    " AND (q.inventory_quantity_set OR q.quantity < 0) AND q.{which}"
)
DEPENDENCIES = [
    guard_requests.about("stock.quant"),
    guard_requests.together(
        count_limit.KIND,
        "stock.quant",
        of="stock.move",
        where="EXISTS (SELECT FROM mirror_stock_move m JOIN mirror_stock_location l ON l.connection_id = m.connection_id"
        " AND l.odoo_id IN (m.location_id, m.location_dest_id) AND l.usage = 'inventory'"
        " WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s) AND m.state = 'done')",
    ),
    Dependency(model="product.product", sql=TO_SETTLE.format(which="product_id = ANY(%(ids)s)")),
    Dependency(model="product.template", sql=TO_SETTLE.format(which=f"product_id IN ({supply_allocation.PRODUCTS_OF_TEMPLATES})")),
    Dependency(model="uom.uom", sql=TO_SETTLE.format(which=f"product_id IN ({supply_allocation.KEPT_IN_UNITS})")),
    Dependency(model="stock.location", sql=TO_SETTLE.format(which="location_id = ANY(%(ids)s)")),
    Dependency(
        model="stock.warehouse",
        sql=TO_SETTLE.format(
            which="location_id IN (SELECT l.odoo_id FROM mirror_stock_location l WHERE l.connection_id = %(connection)s"
            " AND l.warehouse_id = ANY(%(ids)s))"
        ),
    ),
    involvement.people("inventory_control", "stock.quant", "mirror_stock_quant", "user_id"),
]

IS_COUNTED = Q(inventory_quantity_set=True)
IS_BELOW_ZERO = Q(quantity__lt=0)
IS_OWN_PLACE = Q(inventory_date__isnull=False)
BEYOND_POLICY = count_limit.BROKEN
# Odoo's "request a count" names who is to count.
TO_COUNT = ~IS_COUNTED & (IS_BELOW_ZERO | Q(user_id__isnull=False))
REJECTED = ~IS_COUNTED & ~TO_COUNT & Q(was_rejected=True)

STAGES = [
    Stage(name="to_count", title="To count", when=TO_COUNT, owner="warehouse", target=timedelta(days=2)),
    Stage(
        name="counted",
        title="Counted",
        when=IS_COUNTED & ~BEYOND_POLICY,
        owner="warehouse",
        target=timedelta(days=1),
    ),
    Stage(
        name="awaiting_approval",
        title="Awaiting approval",
        when=BEYOND_POLICY,
        owner="warehouse",
        target=timedelta(days=1),
        held_by=holders.APPROVER,
    ),
    Stage(
        name="applied",
        title="Applied",
        when=~IS_COUNTED & ~TO_COUNT & ~REJECTED,
        owner="warehouse",
        is_open=False,
        first_seen_since="last_count_date",
    ),
    Stage(name="rejected", title="Rejected", when=REJECTED, owner="warehouse", is_open=False),
]

WORKFLOW = Workflow(
    name="inventory_control",
    title="Inventory control",
    odoo_model="stock.quant",
    rank=60,
    is_recurring=True,
    belongs=IS_OWN_PLACE
    & (IS_COUNTED | IS_BELOW_ZERO | Q(user_id__isnull=False) | Q(last_count_date__isnull=False) | Q(x_ct_hold_reason__gt="")),
    label="label",
    amount="at_stake",
    currency="currency",
    parameters=[count_limit.LIMIT],
    facts=[GOODS, COUNT, count_limit.ASKED, count_limit.ASKING, count_limit.REJECTION],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    exceptions=[
        ExceptionType(
            name="inventory.negative_stock",
            title="Negative stock",
            when=IS_BELOW_ZERO,
            team="warehouse",
            due=timedelta(hours=8),
            amount="missing_value",
            evidence={
                "product_name": Figure("Product", figures.text),
                "location_name": Figure("Place", figures.text),
                "warehouse_name": Figure("Warehouse", figures.text),
                "missing_quantity": Figure("Below zero by", figures.quantity.unit_from("unit_name")),
                "unit_cost": Figure("Unit cost", figures.price),
                "missing_value": Figure("Value at standard cost", figures.money),
                "below_zero_since": Figure("Since", figures.moment),
                "last_count_date": Figure("Last counted on", figures.day),
            },
            severity=("missing_value", (250, 2_500, 25_000)),
            root_causes=[RootCause(kind=root_causes.SHORT_PRODUCT, record="product_id", place="place_warehouse_id")],
            closed_because="The stock is no longer negative",
            actions=[counting.PLAN_COUNT],
            playbook=[
                playbooks.owned(),
                Step(name="count", title="Count the shelf"),
                Step(name="took", title="Find the transfer that took what was not there"),
                playbooks.applied("Have the stock corrected"),
                Step(name="why", title="How did it come about?", kind=StepKind.QUESTION),
            ],
        ),
        count_limit.EXCEPTION,
    ],
    stuck_actions=[counting.PLAN_COUNT, counting.APPLY_COUNT, counting.CLEAR_COUNT],
    approvals=[count_limit.APPROVAL],
    guards=[count_limit.GUARD],
    form="stock.view_stock_quant_form_editable",
    # Counts are entered and applied in this list.
    listed=("stock.view_stock_quant_tree_inventory_editable", "inventory_diff_quantity"),
    # Not quantity: every transfer would tell of every product it moves. Polling finds what has fallen below zero.
    hooks={"stock.quant": ["inventory_quantity", "inventory_quantity_set", "user_id", "x_ct_hold"]},
    samples=[
        Sample(row={"quantity": -3}, stage="to_count"),
        Sample(row={"quantity": 5, "user_id": 7}, stage="to_count"),
        Sample(row={"quantity": 5, "inventory_quantity": 5, "inventory_quantity_set": True}, stage="counted"),
        Sample(
            row={"inventory_quantity": 1, "inventory_diff_quantity": -90, "inventory_quantity_set": True},
            stage="awaiting_approval",
        ),
        Sample(row={"quantity": 5, "last_count_date": "2026-11-20"}, stage="applied"),
    ],
)
