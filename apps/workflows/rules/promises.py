"""What a sales order is short of, when it can be delivered, and what it promised: declared here, used by order to cash.

Of each move that is short: the purchase that Odoo links to it, or the one that reaches it in the row of those who wait for
the product (:mod:`apps.workflows.supply_allocation`). The latest of these dates, and of the order's first open steps, is the
forecast; of an order that is short of what nothing brings there is none, though its promise may be at risk by what is known.
"""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import days, kits, playbooks, responsible, root_causes, supply_allocation, units
from apps.workflows.declare import Dependency, ExceptionType, Fact
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import money, sourcing
from apps.workflows.sql_message import joined, say

# A move that only waits for an earlier one of the same order line is told by that one. Quantities are in the product's own unit;
# ``line_wants`` is how much of the product the whole line needs, of a kit of one component.
SHORT_MOVES = f"""
SELECT m.odoo_id AS move_id, m.state, m.picking_id, m.create_date, m.product_id, m.company_id,
       COALESCE(m.warehouse_id, 0) AS warehouse_id, m.move_orig_ids, COALESCE(m.date_deadline, m.date) AS promised_at,
       {units.own("m.product_uom_qty", "m", units.MOVE)} AS wanted,
       {units.own("m.product_uom_qty - COALESCE(m.quantity, 0)", "m", units.MOVE)} AS missing,
       l.odoo_id AS line_id, l.product_id AS line_product_id, l.price_subtotal AS line_value,
       {units.own("l.product_uom_qty", "l")} AS line_ordered, {kits.wanted("l", "m.product_id")} AS line_wants,
       {kits.is_kit("l", "m.product_id")} AS is_kit
  FROM mirror_sale_order_line l
  JOIN mirror_stock_move m ON m.connection_id = l.connection_id AND m.sale_line_id = l.odoo_id AND m.deleted_at IS NULL
   AND m.state IN {supply_allocation.SHORT_STATES} AND m.product_uom_qty > COALESCE(m.quantity, 0)
 WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND COALESCE(r.delivery_status, '') <> 'full'
   AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL
   AND NOT EXISTS ({supply_allocation.EARLIER_STEP.format(move="m")})
"""

LINKED_SUPPLY = f"""
WITH RECURSIVE up(move_id, depth) AS (
  SELECT unnest(s.move_orig_ids), 1
  UNION
  SELECT unnest(o.move_orig_ids), up.depth + 1
    FROM up JOIN mirror_stock_move o ON o.connection_id = %(connection)s AND o.odoo_id = up.move_id
   WHERE up.depth < 10
)
SELECT COALESCE(pl.date_planned, o.date) AS planned_at,
       {supply_allocation.from_today("COALESCE(pl.date_planned, o.date)", "r.company_id")} AS expected_at,
       po.odoo_id AS purchase_id, po.name AS purchase_name, po.partner_id AS vendor_id, s.missing AS covered, FALSE AS is_stock
  FROM up
  JOIN mirror_stock_move o ON o.connection_id = %(connection)s AND o.odoo_id = up.move_id
   AND o.state NOT IN ('done', 'cancel') AND o.deleted_at IS NULL
  LEFT JOIN mirror_purchase_order_line pl ON pl.connection_id = o.connection_id AND pl.odoo_id = o.purchase_line_id
  LEFT JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
 WHERE s.move_orig_ids <> '{{}}'
 ORDER BY COALESCE(pl.date_planned, o.date) DESC, po.odoo_id
 LIMIT 1
"""

# What reaches short move s in the row: each supply x, with all that comes before it, and what those ahead are missing.
SAME_PRODUCT_AND_COMPANY = "{row}.product_id = s.product_id AND {row}.company_id IS NOT DISTINCT FROM s.company_id"
IN_ITS_ROW = f"""
  FROM (SELECT COALESCE(sum(d.missing), 0) AS missing
          FROM ({supply_allocation.demand("d.product_id = s.product_id AND d.company_id IS NOT DISTINCT FROM s.company_id")}) AS d
         WHERE d.warehouse_id = s.warehouse_id AND (d.promised_at, d.move_id) < (s.promised_at, s.move_id)) AS ahead
 CROSS JOIN LATERAL (
   SELECT y.*, sum(y.free) OVER (ORDER BY y.date_planned, y.line_id) AS upto
     FROM ({supply_allocation.covering(SAME_PRODUCT_AND_COMPANY)}) AS y
    WHERE y.warehouse_id = s.warehouse_id) AS x
 WHERE NOT ({supply_allocation.is_fed("s")})
   AND NOT {supply_allocation.is_made_to_order("s")} AND x.free > 0 AND x.upto > ahead.missing
   AND x.upto - x.free < ahead.missing + s.missing
"""
# The last purchase that the move needs, and how much of it all purchases together cover.
ROW_SUPPLY = f"""
SELECT CASE WHEN x.order_id IS NOT NULL THEN x.date_planned END AS planned_at, x.expected_at,
       x.order_id AS purchase_id, x.order_name AS purchase_name,
       x.vendor_id, LEAST(x.upto - ahead.missing, s.missing) AS covered, {supply_allocation.IS_STOCK.format(row="x")} AS is_stock
{IN_ITS_ROW}
 ORDER BY x.upto DESC
 LIMIT 1
"""

# The transfers of other records at which what transfer p waits for stands now: the receipt behind a cross-dock, whatever lies
# between them.
AWAITED = """
WITH RECURSIVE up(move_id, depth) AS (
  SELECT unnest(m.move_orig_ids), 1
    FROM mirror_stock_move m
   WHERE m.connection_id = p.connection_id AND m.picking_id = p.odoo_id AND m.state NOT IN ('done', 'cancel')
     AND m.deleted_at IS NULL
  UNION
  SELECT unnest(o.move_orig_ids), up.depth + 1
    FROM up
    JOIN mirror_stock_move o ON o.connection_id = p.connection_id AND o.odoo_id = up.move_id AND o.state = 'waiting'
   WHERE up.depth < 10
)
SELECT string_agg(DISTINCT t.name, ', ' ORDER BY t.name) AS names
  FROM up
  JOIN mirror_stock_move o ON o.connection_id = p.connection_id AND o.odoo_id = up.move_id
   AND o.state NOT IN ('waiting', 'done', 'cancel') AND o.deleted_at IS NULL
  JOIN mirror_stock_picking t ON t.connection_id = o.connection_id AND t.odoo_id = o.picking_id AND t.deleted_at IS NULL
"""

# The transfers with which the order's goods still have to move, the first open step of each: a delivery that waits for its pick
# is told by the pick. A receipt is one only where it feeds the order (a return is none), and a delivery from the vendor to the
# customer is expected when the purchase is.
STEPS = """
SELECT p.odoo_id, p.name, p.state, p.picking_type_code AS kind, p.create_date, p.carrier_id, p.scheduled_date,
       p.date_deadline, COALESCE(goods.planned_at, p.scheduled_date) AS expected_at, goods.purchase_id,
       awaited.names AS awaited_names
  FROM mirror_stock_picking p
 CROSS JOIN LATERAL (
   SELECT count(*) FILTER (WHERE waits.before) AS waiting, count(*) AS moves,
          max(pl.date_planned) AS planned_at, max(pl.order_id) AS purchase_id
     FROM mirror_stock_move m
     LEFT JOIN mirror_purchase_order_line pl ON p.picking_type_code = 'dropship' AND pl.connection_id = m.connection_id
      AND pl.odoo_id = m.purchase_line_id
    CROSS JOIN LATERAL (SELECT EXISTS ({earlier}) AS before) AS waits
    WHERE m.connection_id = p.connection_id AND m.picking_id = p.odoo_id AND m.state NOT IN ('done', 'cancel')
      AND m.deleted_at IS NULL) AS goods
  LEFT JOIN LATERAL ({awaited}) AS awaited ON p.state = 'waiting'
 WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND p.connection_id = r.connection_id AND p.sale_id = r.odoo_id
   AND p.return_id IS NULL AND p.deleted_at IS NULL AND p.state NOT IN ('draft', 'done', 'cancel')
   AND (goods.moves = 0 OR goods.waiting < goods.moves)
   AND (COALESCE(p.picking_type_code, '') <> 'incoming' OR EXISTS (
         SELECT FROM mirror_stock_move own
           JOIN mirror_stock_move fed ON fed.connection_id = own.connection_id AND fed.move_orig_ids @> ARRAY[own.odoo_id]
            AND fed.sale_line_id = own.sale_line_id
          WHERE own.connection_id = p.connection_id AND own.picking_id = p.odoo_id))
""".replace("{earlier}", supply_allocation.EARLIER_STEP.format(move="m")).replace("{awaited}", AWAITED)

# What a vendor is to deliver straight to the customer, and nobody has ordered from the vendor yet.
UNORDERED = """
SELECT pl.odoo_id AS line_id, pl.order_id AS purchase_id, po.name AS purchase_name, po.partner_id AS vendor_id, po.create_date,
       pl.date_planned, pl.product_id, l.name
  FROM mirror_sale_order_line l
  JOIN mirror_purchase_order_line pl ON pl.connection_id = l.connection_id AND pl.sale_line_id = l.odoo_id
   AND pl.deleted_at IS NULL AND pl.product_qty > 0
  JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
   AND po.state IN ('draft', 'sent', 'to approve') AND po.deleted_at IS NULL
 WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id
   AND l.deleted_at IS NULL AND l.qty_delivered < l.product_uom_qty
"""

STEP = say(
    "{transfer} waits for stock",
    when={
        "x.kind = 'dropship'": "{transfer} is expected from the vendor",
        "x.state = 'assigned'": "{transfer} is ready and not done",
        "x.state = 'waiting' AND x.awaited_names IS NOT NULL": "{transfer} waits for {awaited}",
        "x.state = 'waiting'": "{transfer} waits for another operation",
    },
    transfer="x.name",
    awaited="x.awaited_names",
)

GOODS = Fact(
    name="goods",
    columns=["has_ready_delivery", "has_open_delivery", "steps_names"],
    sql=f"""
        SELECT COALESCE(bool_or(x.state = 'assigned' AND COALESCE(x.kind, '') <> 'dropship'), FALSE) AS has_ready_delivery,
               count(*) > 0 OR EXISTS ({UNORDERED}) AS has_open_delivery,
               {joined(f"jsonb_agg({STEP} ORDER BY x.expected_at, x.odoo_id)", by="; ")} AS steps_names
          FROM ({STEPS}) AS x
    """,
)

# Of a kit its own name, and in brackets the components that lack.
NAMES_OF_LINE = """CASE WHEN bool_or(p.is_kit) THEN concat(min(kt.name), ' (', string_agg(DISTINCT t.name, ', '), ')')
                          ELSE string_agg(DISTINCT t.name, ', ') END"""

LATEST = "GREATEST(g.supplied_at, wanted.expected_at, goes.scheduled_at)"

# What is short and nothing of its own feeds.
PRODUCTS_THAT_WAIT = f"""
SELECT short.product_id
  FROM mirror_sale_order_line line
  JOIN mirror_stock_move short ON short.connection_id = line.connection_id AND short.sale_line_id = line.odoo_id
   AND short.deleted_at IS NULL AND short.state IN {supply_allocation.SHORT_STATES}
 WHERE line.connection_id = %(connection)s AND {{of}}
"""
IN_ROW = "PARTITION BY product_id, company_id, warehouse_id ORDER BY"
AHEAD = f"sum(w.missing) OVER ({IN_ROW} w.promised_at, w.move_id) - w.missing"
UP_TO = f"sum(y.free) OVER ({IN_ROW} y.date_planned, y.line_id)"

# As ROW_SUPPLY, from rows that are worked out once for all orders that are looked at: with a late purchase hundreds are, that
# stand in the same row.
PLACE_IN_ROW = """
SELECT CASE WHEN x.order_id IS NOT NULL THEN x.date_planned END AS planned_at, x.expected_at,
       x.order_id AS purchase_id, x.order_name AS purchase_name, x.vendor_id, LEAST(x.upto - d.ahead, s.missing) AS covered,
       {is_stock} AS is_stock
  FROM row_of_demands d
  JOIN row_of_supplies x ON x.product_id = d.product_id AND x.company_id IS NOT DISTINCT FROM d.company_id
   AND x.warehouse_id = d.warehouse_id
 WHERE d.move_id = s.move_id AND x.free > 0 AND x.upto > d.ahead AND x.upto - x.free < d.ahead + s.missing
 ORDER BY x.upto DESC
 LIMIT 1
""".replace("{is_stock}", supply_allocation.IS_STOCK.format(row="x"))


def _promise(of: str) -> str:
    """SQL of what order r promises and when that can be kept.

    Args:
        of: SQL condition over the lines ``line`` of all orders that are looked at in one statement.
    """
    products = PRODUCTS_THAT_WAIT.format(of=of)
    return statements.load(
        __file__,
        "promise",
        weight=money.rounded("f.undelivered_amount * (1 + f.promise_late_days / 7.0)", money.SMALLEST),
        short_moves=SHORT_MOVES,
        linked_supply=LINKED_SUPPLY,
        row_supply=PLACE_IN_ROW,
        demands=f"SELECT w.*, {AHEAD} AS ahead FROM ({supply_allocation.demand(f'd.product_id IN ({products})')}) AS w",
        supplies=f"SELECT y.*, {UP_TO} AS upto FROM ({supply_allocation.covering(f'{{row}}.product_id IN ({products})')}) AS y",
        sets_missing=kits.sets("max(p.share)", "min(p.ordered)"),
        sets_uncovered=kits.sets("max(p.uncovered_share)", "min(p.ordered)"),
        names_of_line=NAMES_OF_LINE,
        short_amount=money.rounded("n.short_value / COALESCE(NULLIF(r.currency_rate, 0), 1)", money.SMALLEST),
        forecast_day=days.day("t.known_at", at=days.zone()),
        promised_day=days.day("r.commitment_date", at=days.zone()),
        undelivered_amount=money.rounded("open.value / COALESCE(NULLIF(r.currency_rate, 0), 1)", money.SMALLEST),
        purchases_expected_at=supply_allocation.from_today("max(u.date_planned)", "r.company_id"),
        unordered=UNORDERED,
        steps=STEPS,
        forecast_at=supply_allocation.from_today(LATEST, "r.company_id"),
    )


PROMISE = Fact(
    name="promise",
    columns=[
        "short_lines_count",
        "short_quantity",
        "short_amount",
        "short_products_names",
        "uncovered_quantity",
        "has_shortage",
        "next_supply",
        "next_supply_at",
        "forecast_at",
        "promise_late_days",
        "undelivered_amount",
        "promise_weight",
        "caused_by",
        "is_promise_at_risk",
        "promise_look_at",
        "supplied_at",
        "late_purchase_ids",
        "uncovered_product_ids",
        "uncovered_warehouse_id",
        "ready_warehouse_id",
    ],
    unwatched=[supply_allocation.TYPES, supply_allocation.BETWEEN_WAREHOUSES, supply_allocation.STOCK_OF_WAREHOUSES],
    sql=_promise("line.order_id = ANY(%(ids)s)"),
)

# The same of one order, with the moment and the order's number alone.
OF_ONE = _promise("line.order_id = r.odoo_id")

# What is bought for a certain order.
OF_PURCHASE_LINES = """
 UNION
SELECT l.order_id
  FROM mirror_purchase_order_line pl
  JOIN mirror_sale_order_line l ON l.connection_id = pl.connection_id AND l.odoo_id = pl.sale_line_id
 WHERE pl.connection_id = %(connection)s AND {which} = ANY(%(ids)s)
"""

PRODUCTS_OF_VENDORS = """
  SELECT pl.product_id
    FROM workflows_position v
    JOIN mirror_purchase_order_line pl ON pl.connection_id = v.connection_id AND pl.order_id = v.odoo_id
     AND pl.qty_received < pl.product_qty AND pl.deleted_at IS NULL
   WHERE v.connection_id = %(connection)s AND v.workflow = 'procure_to_pay' AND v.is_open AND v.partner_id = ANY(%(ids)s)
"""

DEPENDENCIES = [
    Dependency(model="stock.quant", sql=supply_allocation.sales_of(supply_allocation.PRODUCTS_OF_QUANTS)),
    Dependency(model="uom.uom", sql=supply_allocation.sales_of(supply_allocation.PRODUCTS_OF_UNITS)),
    Dependency(model="product.template", sql=supply_allocation.sales_of(supply_allocation.PRODUCTS_OF_TEMPLATES)),
    # Orders name the vendor that is to bring what they wait for.
    Dependency(
        model="res.partner",
        sql=supply_allocation.sales_of(PRODUCTS_OF_VENDORS)
        + """
         UNION
        SELECT l.order_id
          FROM workflows_position v
          JOIN mirror_purchase_order_line pl ON pl.connection_id = v.connection_id AND pl.order_id = v.odoo_id
          JOIN mirror_sale_order_line l ON l.connection_id = pl.connection_id AND l.odoo_id = pl.sale_line_id
         WHERE v.connection_id = %(connection)s AND v.workflow = 'procure_to_pay' AND v.is_open AND v.partner_id = ANY(%(ids)s)
        """,
    ),
    Dependency(
        model="stock.move",
        sql="SELECT DISTINCT l.order_id FROM mirror_stock_move m JOIN mirror_sale_order_line l"
        " ON l.connection_id = m.connection_id AND l.odoo_id = m.sale_line_id"
        " WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s) UNION "
        + supply_allocation.sales_of(supply_allocation.PRODUCTS_OF_MOVES),
    ),
    Dependency(
        model="purchase.order.line",
        sql=supply_allocation.sales_of(supply_allocation.PRODUCTS_OF_PURCHASE_LINES) + OF_PURCHASE_LINES.format(which="pl.odoo_id"),
    ),
    Dependency(
        model="purchase.order",
        sql=supply_allocation.sales_of(supply_allocation.PRODUCTS_OF_PURCHASES) + OF_PURCHASE_LINES.format(which="pl.order_id"),
    ),
]

# What comes too late holds an order up longest; what nobody has ordered comes next.
ROOT_CAUSES = [
    RootCause(kind=root_causes.PURCHASE_ORDER, record="late_purchase_ids"),
    RootCause(kind=root_causes.SHORT_PRODUCT, record="uncovered_product_ids", place="uncovered_warehouse_id"),
]

STOCK_SHORTAGE = ExceptionType(
    name="order.stock_shortage",
    title="Stock shortage",
    when=Q(has_shortage=True),
    team="purchasing",
    due=timedelta(hours=8),
    amount="short_amount",
    evidence={
        "short_products_names": Figure("Products", figures.text),
        "short_quantity": Figure("Missing", figures.quantity),
        "uncovered_quantity": Figure("Of which not on order", figures.quantity),
        "next_supply": Figure("Next supply", figures.text),
        "next_supply_at": Figure("Next supply expected", figures.moment),
        "commitment_date": Figure("Promised", figures.moment),
        "short_lines_count": Figure("Short lines", figures.count),
        "short_amount": Figure("Missing value", figures.money),
    },
    severity=("short_amount", (1_000, 10_000, 50_000)),
    playbook=[
        playbooks.owned(),
        Step(name="elsewhere", title="Look for free stock elsewhere, and for incoming goods"),
        playbooks.applied("Transfer, substitute or buy what is missing"),
        Step(name="tell", title="Tell the customer, where the promise cannot be kept", kind=StepKind.MESSAGE),
    ],
    closed_because="The missing goods are available, or arrive in time",
    root_causes=[*ROOT_CAUSES, RootCause(kind=root_causes.SALES_ORDER, record="odoo_id")],
    actions=[
        sourcing.from_another_warehouse(sourcing.STOCK_FOR_ORDER),
        sourcing.from_another_vendor(sourcing.NEEDED_OF_ORDER),
        responsible.ask(responsible.SALES_ORDER, "agree with the customer on a part, another product or a later date"),
    ],
)

PROMISE_WHAT_CAN_BE_KEPT = sourcing.promise_later(
    f"""
        SELECT r.odoo_id, r.name, p.name AS customer, r.commitment_date AS promised_at, f.forecast_at AS expected_at
          FROM mirror_sale_order r
         CROSS JOIN LATERAL ({OF_ONE}) AS f
          LEFT JOIN mirror_res_partner p ON p.connection_id = r.connection_id AND p.odoo_id = r.partner_id
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND f.forecast_at > r.commitment_date
    """,
    because="it cannot be delivered before",
)

# Later by a week counts double, by two weeks three times.
PROMISE_AT_RISK = ExceptionType(
    name="order.promise_at_risk",
    title="Promise at risk",
    when=Q(is_promise_at_risk=True),
    team="sales",
    due=timedelta(hours=8),
    amount="undelivered_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "commitment_date": Figure("Promised", figures.moment),
        "forecast_at": Figure("Forecast", figures.moment),
        "promise_late_days": Figure("Days late", figures.days),
        "undelivered_amount": Figure("Revenue at risk", figures.money),
        "caused_by": Figure("Caused by", figures.text),
        "steps_names": Figure("Held by", figures.text),
        "short_products_names": Figure("Missing products", figures.text),
        "short_quantity": Figure("Missing", figures.quantity),
        "salesperson": Figure("Account owner", figures.text),
    },
    severity=("promise_weight", (1_000, 10_000, 50_000)),
    playbook=[
        playbooks.owned(),
        Step(name="cause", title="Find what holds it up: Blocked by, Dependencies"),
        playbooks.applied("Bring it forward, or set a new promise"),
        Step(name="tell", title="Tell the customer what to expect", kind=StepKind.MESSAGE),
    ],
    closed_because="The order is delivered, or expected by the date promised",
    root_causes=[
        *ROOT_CAUSES,
        RootCause(kind=root_causes.WAREHOUSE, record="ready_warehouse_id"),
        RootCause(kind=root_causes.SALES_ORDER, record="odoo_id"),
    ],
    actions=[
        PROMISE_WHAT_CAN_BE_KEPT,
        responsible.ask(responsible.SALES_ORDER, "bring the delivery forward, or agree a new date with the customer"),
    ],
)
