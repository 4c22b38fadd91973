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

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import days, parameters, playbooks, root_causes
from apps.workflows.declare import Dependency, ExceptionType, Fact, Sample, Stage, Unwatched, Workflow
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import money, planned_later

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
    sql=statements.load(
        __file__,
        "load",
        ready_amount=money.rounded("ready.amount", money.SMALLEST),
        shift=SHIFT.sql,
        beyond_amount=money.rounded(BEYOND, money.SMALLEST),
        next_midnight=days.midnight("at.today + 1", at="at.zone"),
        zoned=days.zoned(),
        day_of_move=days.day("m.date", at="at.zone"),
        from_midnight=days.midnight("at.today - 14", at="at.zone"),
    ),
)

OVER = Q(hours_to_clear_quantity__gt=SHIFT.column)

WORKFLOW = Workflow(
    name="warehouse_load",
    title="Warehouse load",
    odoo_model="stock.warehouse",
    rank=35,
    is_recurring=True,
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
            root_causes=[RootCause(kind=root_causes.WAREHOUSE, record="odoo_id")],
            closed_because="Ready lines fit within a shift",
            actions=[planned_later.PICK_FIRST, planned_later.PLAN_LATER],
            playbook=[
                playbooks.owned(),
                Step(name="wait", title="See what has to leave today, and what can wait"),
                playbooks.applied("Pick first what is due first, plan the rest for later"),
                Step(name="lacked", title="Who or what was missing?", kind=StepKind.QUESTION),
            ],
        ),
    ],
    stuck_actions=[planned_later.PICK_FIRST, planned_later.PLAN_LATER],
    approvals=[],
    samples=[Sample(row={"name": "Annex"}, stage="within_capacity")],
)
