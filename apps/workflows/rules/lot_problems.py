"""Lots and serial numbers that are missing, used twice or expired: declared here, used by fulfilment."""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import playbooks, reservable, responsible, returned, root_causes, units
from apps.workflows.declare import ExceptionType, Fact, OdooCall, SuggestedAction
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import money
from apps.workflows.rules.goods_value import UNIT_VALUE
from apps.workflows.sql_message import joined, say

# A receipt is told its lots while it is received: until a line is picked, nothing is missing. An operation that uses
# neither new lots nor existing ones asks for none. What is done and wrong is worth a month's attention.
FACT = Fact(
    name="lots",
    columns=[
        "lot_problem_count",
        "lot_problem_names",
        "lot_products_names",
        "lot_names",
        "lot_quantity",
        "lot_amount",
        "lot_next_at",
    ],
    unwatched=[returned.TRANSFERS],
    sql=statements.load(
        __file__,
        "lots",
        problems=joined("jsonb_agg(DISTINCT p.problem) FILTER (WHERE p.problem IS NOT NULL)"),
        amount=money.rounded("COALESCE(sum(p.quantity * p.unit) FILTER (WHERE p.problem IS NOT NULL), 0)", money.SMALLEST),
        no_lot=say("No lot", when={"b.tracking = 'serial'": "No serial number"}),
        not_one=say("Serial number with a quantity other than 1"),
        used_twice=say("Serial number used twice"),
        expired=say("Expired"),
        quantity=units.own("ml.quantity", "ml"),
        ratio=units.ratio_of("m", units.MOVE),
        unit_value=UNIT_VALUE,
    ),
)

ASSIGN = SuggestedAction(
    name="assign_lot",
    title="Take it from a lot that is there",
    columns=["line_id", "lot_id", "lot_name", "product_name", "quantity", "place_id", "from_id"],
    sql=statements.load(
        __file__,
        "free_lots",
        text=say(
            "{quantity:quantity} {product} of {lot} in {place}, {free:quantity} available",
            quantity="line.quantity",
            product="t.name",
            lot="lot.name",
            place="COALESCE(stock.complete_name, '')",
            free="stock.free",
        ),
        quantity=units.own("ml.quantity", "ml"),
        is_within=reservable.is_within("place", "r.location_id"),
        is_fresh=reservable.FRESH,
    ),
    calls=[
        OdooCall(
            title="Take {quantity:quantity} {product_name} of {lot_name}",
            model="stock.move.line",
            record="line_id",
            method="write",
            # With its place: Odoo would take the lot from where the line stands, below zero there.
            arguments={"vals": {"lot_id": "{lot_id:number}", "location_id": "{place_id:number}"}},
            require=[["lot_id", "=", False], ["state", "not in", ["done", "cancel"]]],
            expect=[["lot_id", "=", "{lot_id:number}"], ["location_id", "=", "{place_id:number}"]],
        )
    ],
    undo=[
        OdooCall(
            title="Take {product_name} of {lot_name} no longer",
            model="stock.move.line",
            record="line_id",
            method="write",
            arguments={"vals": {"lot_id": False, "location_id": "{from_id:number}"}},
            require=[["lot_id", "=", "{lot_id:number}"], ["state", "not in", ["done", "cancel"]]],
            expect=[["lot_id", "=", False]],
        )
    ],
)

EXCEPTION = ExceptionType(
    name="fulfilment.lot_problem",
    title="Lot or serial problem",
    when=Q(lot_problem_count__gt=0),
    team="warehouse",
    due=timedelta(hours=4),
    amount="lot_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "order_name": Figure("Order", figures.text),
        "lot_problem_names": Figure("Problem", figures.word),
        "lot_products_names": Figure("Products", figures.text),
        "lot_names": Figure("Lots and serial numbers", figures.text),
        "lot_problem_count": Figure("Lines concerned", figures.count),
        "lot_quantity": Figure("Quantity concerned", figures.quantity),
        "lot_amount": Figure("Value concerned", figures.money),
    },
    severity=("lot_amount", (500, 5_000, 50_000)),
    root_causes=[RootCause(kind=root_causes.SALES_ORDER, record="sale_id")],
    closed_because="Every line has a valid lot or serial number, or is no longer to be delivered",
    actions=[ASSIGN, responsible.ask(responsible.TRANSFER, "enter or correct the lots and serial numbers")],
    playbook=[
        playbooks.owned(),
        Step(name="lot", title="Find the lot on the shelf, and read its number and date"),
        playbooks.applied("Assign a lot that lies free"),
        Step(name="why", title="Why was the lot missing?", kind=StepKind.QUESTION),
    ],
)
