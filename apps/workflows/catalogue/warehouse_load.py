"""Warehouse load: whether a warehouse can do in one shift what stands ready to leave it.

It is about the warehouse, not about any one transfer. Where goods are picked first and shipped later, a line counts once: in
the step that is ready, since the next is not before that one is done. What it can do is measured: the lines that left it on
the days of the last two weeks on which it worked. Today counts only where there is no other day, since it is not over yet.
Both are counted by indexes that hold no more than what is ready and what is done, and a warehouse is looked at again when
one of its deliveries changes, and as a day ends.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import days, parameters
from apps.workflows.declare import Dependency, ExceptionType, Fact, Sample, Stage, Unwatched, Workflow
from apps.workflows.rules import money

SHIFT = parameters.Parameter(
    name="shift_hours",
    title=gettext_noop("Shift"),
    type=parameters.TIME,
    unit=parameters.HOURS,
    default=8,
    bounds=(1, 24),
    help=gettext_noop("What leaves a warehouse on a working day leaves it in so many hours. What takes longer is over capacity."),
)

BEYOND = "ready.amount * GREATEST(ready.lines - p.a_day, 0) / NULLIF(ready.lines, 0)"

LOAD = Fact(
    name="load",
    columns=[
        "currency",
        "partner_name",
        "ready_transfers_count",
        "ready_lines_count",
        "late_transfers_count",
        "ready_amount",
        "lines_a_day_quantity",
        "working_days",
        "hours_to_clear_quantity",
        "beyond_lines_quantity",
        "beyond_amount",
        "measured_at",
        "next_change_at",
    ],
    unwatched=[
        Unwatched(
            model="res.company",
            columns=["name"],
            because="A warehouse is evaluated anew as each of its days ends, and reads the name then.",
        ),
    ],
    # What the ready transfers are worth, fulfilment has worked out: its rank comes before this one's.
    sql=f"""
        SELECT (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               (SELECT co.name FROM mirror_res_company co
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS partner_name,
               ready.transfers AS ready_transfers_count, ready.lines AS ready_lines_count,
               ready.late AS late_transfers_count, {money.rounded("ready.amount", money.SMALLEST)} AS ready_amount,
               round(p.a_day, 1) AS lines_a_day_quantity, p.days AS working_days,
               round(ready.lines * {SHIFT.sql} / NULLIF(p.a_day, 0), 1) AS hours_to_clear_quantity,
               round(GREATEST(ready.lines - p.a_day, 0), 0) AS beyond_lines_quantity,
               {money.rounded(BEYOND, money.SMALLEST)} AS beyond_amount,
               %(now)s::timestamptz AS measured_at,
               {days.midnight("at.today + 1", at="at.zone")} AS next_change_at
          FROM {days.zoned()} AS at
         CROSS JOIN LATERAL (
            SELECT CASE WHEN count(*) FILTER (WHERE d.day < d.today) > 0
                        THEN sum(d.lines) FILTER (WHERE d.day < d.today) / count(*) FILTER (WHERE d.day < d.today)
                        ELSE sum(d.lines) END AS a_day,
                   GREATEST(count(*) FILTER (WHERE d.day < d.today), LEAST(count(*), 1)) AS days
              FROM (
                SELECT {days.day("m.date", at="at.zone")} AS day, at.today,
                       count(*) AS lines
                  FROM mirror_stock_picking_type t
                  JOIN mirror_stock_move m
                    ON m.connection_id = t.connection_id AND m.picking_type_id = t.odoo_id AND m.state = 'done'
                   AND m.date >= {days.midnight("at.today - 14", at="at.zone")}
                   AND m.deleted_at IS NULL
                 WHERE t.connection_id = r.connection_id AND t.warehouse_id = r.odoo_id AND t.code = 'outgoing'
                 GROUP BY 1
              ) AS d
          ) AS p
         CROSS JOIN LATERAL (
           SELECT count(*) AS transfers, COALESCE(sum(goods.lines), 0) AS lines,
                  count(*) FILTER (WHERE worth.stage = 'late') AS late, COALESCE(sum(worth.amount), 0) AS amount
             FROM mirror_stock_picking_type t
             JOIN mirror_stock_picking k
               ON k.connection_id = t.connection_id AND k.picking_type_id = t.odoo_id AND k.state = 'assigned'
              AND k.deleted_at IS NULL
            CROSS JOIN LATERAL (
              SELECT count(*) AS lines FROM mirror_stock_move m
               WHERE m.connection_id = k.connection_id AND m.picking_id = k.odoo_id AND m.state <> 'cancel'
                 AND m.deleted_at IS NULL) AS goods
             LEFT JOIN LATERAL (
               SELECT p.stage, p.amount FROM workflows_position p
                WHERE p.connection_id = k.connection_id AND p.workflow = 'fulfilment' AND p.odoo_id = k.odoo_id
                LIMIT 1) AS worth ON TRUE
            WHERE t.connection_id = r.connection_id AND t.warehouse_id = r.odoo_id
              AND (t.code = 'outgoing' OR t.code = 'internal' AND k.sale_id IS NOT NULL)
         ) AS ready
    """,
)

OVER = Q(hours_to_clear_quantity__gt=SHIFT.column)

WORKFLOW = Workflow(
    name="warehouse_load",
    title="Warehouse load",
    odoo_model="stock.warehouse",
    rank=35,
    look_again="next_change_at",
    amount="ready_amount",
    currency="currency",
    facts=[LOAD],
    parameters=[SHIFT],
    dependencies=[
        Dependency(
            model="stock.picking",
            sql="""
                SELECT DISTINCT t.warehouse_id
                  FROM mirror_stock_picking p
                  JOIN mirror_stock_picking_type t
                    ON t.connection_id = p.connection_id AND t.odoo_id = p.picking_type_id
                   AND (t.code = 'outgoing' OR t.code = 'internal' AND p.sale_id IS NOT NULL)
                 WHERE p.connection_id = %(connection)s AND p.odoo_id = ANY(%(ids)s)
            """,
        ),
        # A line that is added to what is ready, or done, whether or not its transfer is written.
        Dependency(
            model="stock.move",
            sql="""
                SELECT DISTINCT t.warehouse_id
                  FROM mirror_stock_move m
                  LEFT JOIN mirror_stock_picking p ON p.connection_id = m.connection_id AND p.odoo_id = m.picking_id
                  JOIN mirror_stock_picking_type t
                    ON t.connection_id = m.connection_id AND t.odoo_id = COALESCE(p.picking_type_id, m.picking_type_id)
                   AND (t.code = 'outgoing' OR t.code = 'internal' AND p.sale_id IS NOT NULL)
                 WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s)
                   AND (m.state = 'done' OR p.state = 'assigned')
            """,
        ),
        Dependency(
            model="stock.picking.type",
            sql="SELECT DISTINCT t.warehouse_id FROM mirror_stock_picking_type t WHERE t.connection_id = %(connection)s"
            " AND t.odoo_id = ANY(%(ids)s)",
        ),
    ],
    stages=[
        Stage(
            name="over_capacity",
            title="Over capacity",
            when=OVER,
            owner="warehouse",
            target=timedelta(hours=8),
            first_seen_since="measured_at",
            blocker=("warehouse_capacity", "more lines are ready than ship in a shift"),
        ),
        Stage(
            name="within_capacity",
            title="Within capacity",
            when=~OVER,
            owner="warehouse",
            is_open=False,
            first_seen_since="measured_at",
        ),
    ],
    exceptions=[
        ExceptionType(
            name="warehouse.over_capacity",
            title="Warehouse over capacity",
            when=OVER,
            team="warehouse",
            due=timedelta(hours=4),
            amount="beyond_amount",
            evidence={
                "ready_transfers_count": Figure("Deliveries ready", figures.count),
                "late_transfers_count": Figure("Of which late", figures.count),
                "ready_lines_count": Figure("Lines ready", figures.count),
                "lines_a_day_quantity": Figure("Lines shipped per working day", figures.count),
                "working_days": Figure("Sample", figures.days),
                "hours_to_clear_quantity": Figure("Hours to clear", figures.hours),
                "shift_hours": Figure("Hours of a shift", figures.hours),
                "beyond_lines_quantity": Figure("Lines over shift capacity", figures.count),
                "beyond_amount": Figure("Value over shift capacity", figures.money),
                "ready_amount": Figure("Value ready", figures.money),
            },
            severity=("beyond_amount", (1_000, 25_000, 100_000)),
            closed_because="Ready lines fit within a shift",
        ),
    ],
    approvals=[],
    samples=[Sample(row={"name": "Annex"}, stage="within_capacity")],
)
