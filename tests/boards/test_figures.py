"""Every figure on a board equals what one would count by hand."""

import random
import statistics
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.accounts.access import EVERYTHING
from apps.boards.boards import queries
from apps.odoo.models import Connection
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.world import NOW, World

WORKFLOW = "order_to_cash"


def position(
    connection: Connection,
    odoo_id: int,
    stage: str,
    *,
    hours: float,
    amount: int = 100,
    late: bool = False,
    currency: str = "EUR",
    is_open: bool = True,
) -> Position:
    since = NOW - timedelta(hours=hours)
    return Position(
        connection=connection,
        workflow=WORKFLOW,
        model="sale.order",
        odoo_id=odoo_id,
        name=f"S{odoo_id:05}",
        stage=stage,
        since=since,
        due_at=NOW + timedelta(hours=-1 if late else 1),
        is_open=is_open,
        amount=amount,
        currency=currency,
    )


def board() -> dict[str, queries.StageFigures]:
    return {stage.stage: stage for stage in queries.board(registry.workflows()[WORKFLOW], now=NOW, access_scope=EVERYTHING).stages}


def test_a_board_equals_a_recomputation_from_the_rows_behind_it(world: World) -> None:
    dice = random.Random(5)
    stages = registry.workflows()[WORKFLOW].stages
    rows = [
        position(
            world.connection,
            1000 + number,
            dice.choice(stages).name,
            hours=dice.uniform(0, 200),
            amount=dice.randint(1, 9_999),
            late=dice.random() < 0.3,
        )
        for number in range(300)
    ]
    for row in rows:
        row.is_open = next(stage.is_open for stage in stages if stage.name == row.stage)
    Position.objects.bulk_create(rows)
    moves = [
        Transition(
            connection=world.connection,
            workflow=WORKFLOW,
            model="sale.order",
            odoo_id=number,
            from_stage="quotation",
            to_stage=dice.choice(stages).name,
            at=NOW - timedelta(hours=dice.uniform(0, 48)),
            seen_at=NOW,
        )
        for number in range(400)
    ]
    Transition.objects.bulk_create(moves)
    figures = board()
    for stage in stages:
        here = [row for row in rows if row.stage == stage.name]
        shown = figures[stage.name]
        recent = [move for move in moves if move.at > NOW - timedelta(hours=24)]
        assert shown.arrived_24h == sum(1 for move in recent if move.to_stage == stage.name)
        assert shown.departed_24h == sum(1 for move in recent if move.from_stage == stage.name)
        if not stage.is_open:
            assert shown.count is None
            continue
        ages = [(NOW - row.since).total_seconds() for row in here]
        assert shown.count == len(here)
        assert shown.amount == sum(Decimal(row.amount) for row in here)
        assert shown.median_age_seconds == pytest.approx(statistics.median(ages), abs=1)
        assert shown.oldest_age_seconds == pytest.approx(max(ages), abs=1)
        assert shown.over_target == sum(1 for row in here if row.due_at < NOW)


def test_money_of_two_currencies_is_never_added(world: World) -> None:
    Position.objects.bulk_create(
        [
            position(world.connection, 1, "quotation", hours=1, amount=500),
            position(world.connection, 2, "quotation", hours=1, amount=700, currency="USD"),
        ]
    )
    quotation = board()["quotation"]
    assert (quotation.amount, quotation.currency, quotation.other_amounts) == (700, "USD", {"EUR": 500})


def test_the_stage_that_holds_most_late_money_is_named_as_the_bottleneck(world: World) -> None:
    Position.objects.bulk_create(
        [
            position(world.connection, 1, "credit_review", hours=9, amount=900, late=True),
            position(world.connection, 2, "quotation", hours=9, amount=100, late=True),
            position(world.connection, 3, "quotation", hours=9, amount=5_000),
        ]
    )
    found = queries.board(registry.workflows()[WORKFLOW], now=NOW, access_scope=EVERYTHING)
    assert found.worst == "credit_review"
    assert found.bottleneck.startswith("Credit review holds 90 % of the value over target: 1 of 1")


def flow(world: World, stage: str, *, arrived: int = 0, departed: int = 0) -> None:
    """So many records came into a stage, and left it, within the last hours."""
    ways = [("draft", stage)] * arrived + [(stage, "done")] * departed
    Transition.objects.bulk_create(
        Transition(
            connection=world.connection,
            workflow=WORKFLOW,
            model="sale.order",
            odoo_id=900 + number,
            from_stage=came_from,
            to_stage=went_to,
            at=NOW - timedelta(hours=3),
            seen_at=NOW,
        )
        for number, (came_from, went_to) in enumerate(ways)
    )


@pytest.mark.parametrize(
    ("filling", "draining", "worst"),
    [
        (0, 0, "credit_review"),
        (3, 0, "quotation"),
        (0, 3, "quotation"),
        (1, 0, "credit_review"),
        (0, 9, "quotation"),
    ],
)
def test_a_stage_that_fills_up_comes_before_one_that_drains(world: World, filling: int, draining: int, worst: str) -> None:
    # 1,000 and 800 late; a record is worth 100 in either.
    Position.objects.bulk_create(
        [position(world.connection, number, "credit_review", hours=9, amount=100, late=True) for number in range(1, 11)]
        + [position(world.connection, number, "quotation", hours=9, amount=100, late=True) for number in range(11, 19)]
    )
    flow(world, "quotation", arrived=filling)
    flow(world, "credit_review", departed=draining)

    assert queries.board(registry.workflows()[WORKFLOW], now=NOW, access_scope=EVERYTHING).worst == worst


def test_where_all_drain_the_most_late_money_counts(world: World) -> None:
    Position.objects.bulk_create(
        [
            position(world.connection, 1, "credit_review", hours=9, amount=900, late=True),
            position(world.connection, 2, "quotation", hours=9, amount=100, late=True),
        ]
    )
    flow(world, "quotation", departed=4)
    flow(world, "credit_review", departed=9)

    assert queries.board(registry.workflows()[WORKFLOW], now=NOW, access_scope=EVERYTHING).worst == "credit_review"


def test_where_nothing_is_late_the_board_says_so(world: World) -> None:
    Position.objects.bulk_create([position(world.connection, 1, "quotation", hours=1)])
    found = queries.board(registry.workflows()[WORKFLOW], now=NOW, access_scope=EVERYTHING)
    assert found.is_clear
    assert "within its stage's target" in found.bottleneck


def test_what_moves_inside_the_workflow_neither_arrives_nor_departs(world: World) -> None:
    Transition.objects.bulk_create(
        [
            Transition(
                connection=world.connection,
                workflow=WORKFLOW,
                model="sale.order",
                odoo_id=1,
                from_stage=start,
                to_stage=end,
                at=NOW - timedelta(minutes=30),
                seen_at=NOW,
            )
            for start, end in [("", "quotation"), ("quotation", "credit_review"), ("unpaid", "closed")]
        ]
    )
    hours = queries.flow_by_hour(registry.workflows()[WORKFLOW], now=NOW, access_scope=EVERYTHING)
    assert (sum(row.arrived for row in hours), sum(row.departed for row in hours)) == (1, 1)
    assert len(hours) == 24


def test_paging_through_a_stage_shows_every_record_once(world: World) -> None:
    Position.objects.bulk_create(
        position(world.connection, number, "quotation", hours=5 if number % 3 else 7) for number in range(1, 121)
    )
    seen: list[int] = []
    after = ""
    while rows := list(
        queries.positions_in(registry.workflows()[WORKFLOW], "quotation", access_scope=EVERYTHING, after=after, now=NOW)
    ):
        shown = rows[: queries.PAGE]
        seen += [row.odoo_id for row in shown]
        if len(rows) <= queries.PAGE:
            break
        after = f"{shown[-1].since.isoformat()}~{shown[-1].id}"
    assert len(seen) == len(set(seen)) == 120
