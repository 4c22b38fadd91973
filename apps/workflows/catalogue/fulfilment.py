"""Fulfilment: from the transfer that is planned to the goods that have left, moved or come in.

Return transfers do not belong here. Whether a transfer is late follows from its deadline and the moment, so it says when
it must be looked at again (the fact ``moment``). What a transfer is worth follows from what its goods were sold or bought
for (the fact ``goods``). Odoo keeps lots and serial numbers on the lines of the moves; only the lines of products that are
tracked are looked into.

Days are the company's (:mod:`apps.workflows.days`).
"""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import days, playbooks, responsible, returned, root_causes, supply_allocation, units
from apps.workflows.declare import Dependency, ExceptionType, Fact, Lines, Sample, Stage, Workflow
from apps.workflows.holders import HeldBy, Holder
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import carrier_delay, lot_problems, money, pick_shortage, sourcing, substitution
from apps.workflows.rules.goods_value import UNIT_VALUE
from apps.workflows.sql_message import say

PARTIES = Fact(
    name="parties",
    columns=["currency", "partner_name", "order_name", "promised_at", "is_promised", "here_warehouse_id", "idle_warehouse_id"],
    # The delivery address may be a mere address: the order names the customer.
    sql=f"""
        SELECT (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               (SELECT p.name FROM mirror_res_partner p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = COALESCE(so.partner_id, r.partner_id))
                 AS partner_name,
               COALESCE(so.name, NULLIF(r.origin, '')) AS order_name,
               COALESCE({days.real("so.commitment_date")}, r.date_deadline, r.scheduled_date) AS promised_at,
               {days.real("so.commitment_date")} IS NOT NULL AS is_promised,
               kind.warehouse_id AS here_warehouse_id,
               CASE WHEN r.state = 'assigned' THEN kind.warehouse_id END AS idle_warehouse_id
          FROM (SELECT 1) AS one
          LEFT JOIN mirror_stock_picking_type kind
            ON kind.connection_id = r.connection_id AND kind.odoo_id = r.picking_type_id
          LEFT JOIN mirror_sale_order so ON so.connection_id = r.connection_id AND so.odoo_id = r.sale_id
    """,
)

WORTH = "COALESCE(sum(CASE WHEN m.state = 'done' THEN m.quantity ELSE m.product_uom_qty END * worth.unit), 0)"

GOODS = Fact(
    name="goods",
    columns=["company_amount", "goods_count", "is_purchase"],
    unwatched=[returned.TRANSFERS],
    sql=f"""
        SELECT {money.rounded(WORTH, money.SMALLEST)} AS company_amount,
               count(*) AS goods_count, COALESCE(bool_or(m.purchase_line_id IS NOT NULL), FALSE) AS is_purchase
          FROM mirror_stock_move m
         CROSS JOIN LATERAL ({UNIT_VALUE}) AS worth
         WHERE m.connection_id = r.connection_id AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL
           AND (m.state <> 'cancel' OR r.state = 'cancel')
    """,
)

# What was promised to a customer holds to the minute, what a vendor promised for a day until that day ends. Where nothing was
# promised, Odoo's deadline and schedule are the moment at which the order was confirmed, or the transfer made: their whole day
# may be used.
MOMENT = Fact(
    name="moment",
    columns=["due_at", "is_late", "late_days", "next_change_at"],
    sql=f"""
        SELECT d.due_at, d.is_open AND d.due_at <= %(now)s AS is_late,
               CASE WHEN d.is_open THEN GREATEST(d.today - d.due_on, 0) END AS late_days,
               LEAST(CASE WHEN d.is_open AND d.due_at > %(now)s THEN d.due_at END,
                     CASE WHEN d.is_open AND d.due_at <= %(now)s THEN {days.midnight("d.today + 1", at="d.zone")} END,
                     CASE WHEN lots.lot_next_at > %(now)s THEN lots.lot_next_at END) AS next_change_at
          FROM (
            SELECT CASE WHEN t.deadline IS NOT NULL AND parties.is_promised THEN t.deadline
                        ELSE {days.midnight(days.day("COALESCE(t.deadline, t.scheduled)", at="z.zone") + " + 1", at="z.zone")}
                   END AS due_at,
                   {days.day("COALESCE(t.deadline, t.scheduled)", at="z.zone")} AS due_on,
                   z.today, z.zone, r.state IN ('waiting', 'confirmed', 'assigned') AS is_open
              FROM {days.zoned()} AS z
             CROSS JOIN LATERAL (
               SELECT {days.real("r.date_deadline")} AS deadline, {days.real("r.scheduled_date")} AS scheduled) AS t
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

# By what is open: of moves that are reserved there is no index by product.
OF_TEMPLATES = f"""
    SELECT p.odoo_id
      FROM workflows_position p
     WHERE p.connection_id = %(connection)s AND p.workflow = 'fulfilment' AND p.is_open AND EXISTS (
       SELECT FROM mirror_stock_move m
        WHERE m.connection_id = p.connection_id AND m.picking_id = p.odoo_id AND m.deleted_at IS NULL
          AND m.product_id IN ({supply_allocation.PRODUCTS_OF_TEMPLATES}))
"""
# Only what is neither sold nor bought is worth what it costs. Costs move with every receipt.
OF_COSTS = " UNION ".join(
    f"SELECT m.picking_id FROM mirror_stock_move m WHERE m.connection_id = %(connection)s AND m.product_id = ANY(%(ids)s)"
    f" AND m.state IN {states} AND m.sale_line_id IS NULL AND m.purchase_line_id IS NULL AND m.picking_id IS NOT NULL"
    for states in (supply_allocation.SHORT_STATES, "('assigned')")
)

DEPENDENCIES = [
    Dependency(model="uom.uom", sql=supply_allocation.TRANSFERS_OF_UNITS),
    Dependency(model="product.template", sql=OF_TEMPLATES),
    Dependency(model="product.product", sql=OF_COSTS),
    returned.told_by_place("fulfilment", f"NOT ({returned.goes_back('p')})"),
    # Which warehouse is here, and whether lots are asked for.
    Dependency(
        model="stock.picking.type",
        sql="SELECT p.odoo_id FROM workflows_position o JOIN mirror_stock_picking p ON p.connection_id = o.connection_id"
        " AND p.odoo_id = o.odoo_id AND p.picking_type_id = ANY(%(ids)s)"
        " WHERE o.connection_id = %(connection)s AND o.workflow = 'fulfilment' AND o.is_open",
    ),
    # The customer of an order whose goods go to another address.
    Dependency(
        model="res.partner",
        sql="SELECT p.odoo_id FROM workflows_position o JOIN mirror_stock_picking p ON p.connection_id = o.connection_id"
        " AND p.sale_id = o.odoo_id AND p.state NOT IN ('done', 'cancel') AND p.deleted_at IS NULL"
        " WHERE o.connection_id = %(connection)s AND o.workflow = 'order_to_cash' AND o.is_open AND o.partner_id = ANY(%(ids)s)",
    ),
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
    # At which rate goods are worth what they are bought for.
    Dependency(
        model="purchase.order",
        sql="SELECT DISTINCT m.picking_id FROM mirror_purchase_order_line l JOIN mirror_stock_move m"
        " ON m.connection_id = l.connection_id AND m.purchase_line_id = l.odoo_id AND m.state <> 'done'"
        " AND m.picking_id IS NOT NULL WHERE l.connection_id = %(connection)s AND l.order_id = ANY(%(ids)s)",
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

# What is to be received is the vendor's to bring, also where it goes on to the customer at once.
FROM_VENDORS = HeldBy(Holder.US, where=((Q(picking_type_code__in=["incoming", "dropship"]), Holder.VENDOR),))

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
        blocker=("stock_shortage", "the goods are not available, or are reserved for others"),
    ),
    Stage(
        name="ready",
        title="Ready",
        when=READY,
        owner="warehouse",
        # A receipt is ready from the day it is ordered on, so that only its deadline tells whether anything is wrong.
        target=timedelta(days=30),
        held_by=FROM_VENDORS,
    ),
    Stage(
        name="late",
        title="Late",
        when=LATE,
        owner="warehouse",
        target=timedelta(days=1),
        first_seen_since="due_at",
        held_by=FROM_VENDORS,
        is_step=False,
    ),
    Stage(name="done", title="Done", when=DONE, owner="warehouse", is_open=False, first_seen_since="date_done"),
    Stage(name="cancelled", title="Cancelled", when=CANCELLED, owner="warehouse", is_open=False),
]

STATE = say(
    "Draft",
    when={
        "m.state = 'waiting'": "Waiting for another operation",
        "m.state = 'confirmed'": "Waiting for stock",
        "m.state = 'partially_available'": "Partly available",
        "m.state = 'assigned'": "Ready",
        "m.state = 'done'": "Done",
        "m.state = 'cancel'": "Cancelled",
    },
)

LINES = Lines(
    title="Goods",
    columns={
        "product_name": Figure("Product", figures.text),
        "wanted_quantity": Figure("Requested", figures.quantity),
        "reserved_quantity": Figure("Reserved", figures.quantity),
        "done_quantity": Figure("Done", figures.quantity),
        "state_name": Figure("State", figures.word),
    },
    sql=f"""
        SELECT {units.product_in("COALESCE(t.name, '')", "m", units.MOVE)} AS product_name, m.product_uom_qty AS wanted_quantity,
               CASE WHEN m.state IN ('done', 'cancel') THEN 0 ELSE COALESCE(m.quantity, 0) END AS reserved_quantity,
               CASE WHEN m.state = 'done' THEN m.quantity ELSE 0 END AS done_quantity,
               {STATE} AS state_name, pr.odoo_id AS product_id
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
    belongs_sql=f"NOT ({returned.goes_back('r')})",
    look_again="next_change_at",
    promise="promised_at",
    lines=LINES,
    amount="company_amount",
    currency="currency",
    facts=[PARTIES, GOODS, pick_shortage.FACT, lot_problems.FACT, MOMENT, carrier_delay.FACT],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    parameters=[substitution.PRICE_BAND],
    exceptions=[
        pick_shortage.EXCEPTION,
        carrier_delay.EXCEPTION,
        ExceptionType(
            name="fulfilment.late_transfer",
            title="Late transfer",
            # What a vendor brings late, or delivers late to a customer, is the supplier's delay, which the purchase tells.
            when=LATE & ~Q(picking_type_code__in=["incoming", "dropship"], is_purchase=True),
            team="warehouse",
            due=timedelta(hours=8),
            amount="company_amount",
            evidence={
                "partner_name": Figure("Customer", figures.text),
                "order_name": Figure("Order", figures.text),
                "late_days": Figure("Days late", figures.days),
                "due_at": Figure("Deadline", figures.moment),
                "promised_at": Figure("Promised for", figures.moment),
                "goods_count": Figure("Lines", figures.count),
                "missing_quantity": Figure("Missing", figures.quantity),
                "company_amount": Figure("Value", figures.money),
            },
            severity=("company_amount", (1_000, 10_000, 50_000)),
            root_causes=[
                RootCause(kind=root_causes.WAREHOUSE, record="idle_warehouse_id"),
                RootCause(kind=root_causes.SALES_ORDER, record="sale_id"),
            ],
            closed_because="The transfer is done, cancelled or due later",
            actions=[
                sourcing.RESERVE_AGAIN,
                sourcing.from_another_warehouse(sourcing.NEEDED_OF_TRANSFER),
                responsible.ask(responsible.TRANSFER, "do the transfer today, or agree a new date"),
            ],
            playbook=[
                playbooks.owned(),
                Step(name="missing", title="See whether goods, people or papers are missing"),
                playbooks.applied("Do it today, or plan it anew"),
                Step(name="why", title="Why was it late?", kind=StepKind.QUESTION),
            ],
        ),
        lot_problems.EXCEPTION,
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
