"""The past of records, told from tracked changes, and what it leaves alone."""

from datetime import datetime, timedelta
from itertools import count

import pytest

from apps.mirror.models import TrackedChange
from apps.workflows import history_import, registry
from apps.workflows.models import OLDEST_FIRST, Position, Transition
from tests.world import World

NUMBERS = count(1)


@pytest.fixture
def world(db: None) -> World:
    return World()


def tracked(
    world: World, model: str, odoo_id: int, field: str, old: str | None, new: str | None, *, at: datetime, message: int = 0
) -> None:
    number = next(NUMBERS)
    TrackedChange.objects.create(
        connection=world.connection,
        tracking_id=number,
        message_id=message or 10_000 + number,
        model=model,
        odoo_id=odoo_id,
        field=field,
        old=old,
        new=new,
        told=f"{field}: {old} → {new}",
        author="Sofia Sales",
        at=at,
    )


def tell(world: World, workflow: str = "order_to_cash", *, fields: tuple[str, ...] = ("state",)) -> int:
    found = registry.workflows()[workflow]
    ids = history_import.batch(found, connection_id=world.connection.pk, after=0)
    return history_import.build(found, connection_id=world.connection.pk, odoo_ids=ids, tracked=fields, missing=[], now=world.now)


def way(odoo_id: int) -> list[tuple[str, str, datetime]]:
    moves = Transition.objects.filter(odoo_id=odoo_id).order_by(*OLDEST_FIRST)
    return [(move.from_stage, move.to_stage, move.at) for move in moves]


def test_a_record_came_to_its_stage_when_odoo_says(world: World) -> None:
    made = world.now
    world.order(state="draft")
    # The tower's first sight is later than all that Odoo tells.
    Position.objects.all().delete()
    Transition.objects.all().delete()
    sent, stopped = made + timedelta(hours=2), made + timedelta(hours=5)
    world.advance(days=2)
    world.order(state="cancel")
    tracked(world, "sale.order", 42, "state", "draft", "sent", at=sent)
    tracked(world, "sale.order", 42, "state", "sent", "cancel", at=stopped)
    assert tell(world) == 2
    assert way(42) == [("", "quotation", made), ("quotation", "cancelled", stopped)]
    assert Position.objects.get(odoo_id=42).since == stopped
    assert tell(world) == 0
    assert len(way(42)) == 2


def test_a_deadline_moves_with_the_beginning(world: World) -> None:
    world.advance(days=3)
    world.order(state="sale", delivery_status="pending")
    before = Position.objects.get(odoo_id=42)
    confirmed = before.since - timedelta(days=1)
    tracked(world, "sale.order", 42, "state", "draft", "sale", at=confirmed)
    tell(world)
    after = Position.objects.get(odoo_id=42)
    assert after.since == confirmed
    assert after.due_at and before.due_at
    assert after.due_at - after.since == before.due_at - before.since


def test_what_no_tracked_field_decides_is_left_to_the_first_sight(world: World) -> None:
    """Of a delivered order Odoo tracked when it was confirmed, and not when it was delivered."""
    world.order(state="sale", delivery_status="full", invoice_status="no")
    seen = Position.objects.get(odoo_id=42).since
    confirmed = seen - timedelta(days=4)
    tracked(world, "sale.order", 42, "state", "draft", "sale", at=confirmed)
    tell(world)
    assert way(42)[1:] == [("quotation", "waiting_for_stock", confirmed), ("waiting_for_stock", "to_invoice", seen)]
    assert Position.objects.get(odoo_id=42).since == seen


def test_what_the_tower_saw_itself_stays(world: World) -> None:
    world.order(state="draft")
    first = world.now
    world.advance(hours=3)
    world.order(state="cancel")
    live = list(Transition.objects.exclude(from_stage="").values())
    since = Position.objects.get(odoo_id=42).since
    tracked(world, "sale.order", 42, "state", "cancel", "draft", at=first - timedelta(days=1))
    tracked(world, "sale.order", 42, "state", "draft", "cancel", at=world.now)
    tell(world)
    assert list(Transition.objects.filter(tracking_id=None).values()) == live
    assert way(42)[-1] == ("quotation", "cancelled", since)
    assert Position.objects.get(odoo_id=42).since == since
    assert ("cancelled", "quotation", first - timedelta(days=1)) in way(42)


def test_beyond_words_that_nobody_knows_nothing_is_claimed(world: World) -> None:
    world.order(state="cancel")
    seen = world.now
    tracked(world, "sale.order", 42, "state", "draft", None, at=seen - timedelta(days=3))
    tracked(world, "sale.order", 42, "state", None, "sale", at=seen - timedelta(days=2))
    tracked(world, "sale.order", 42, "state", "sale", "cancel", at=seen - timedelta(days=1))
    tell(world)
    assert way(42) == [("waiting_for_stock", "cancelled", seen - timedelta(days=1))]


def test_changes_of_one_message_are_one_step(world: World) -> None:
    world.advance(days=9)
    move = world.owes(100)
    world.write("account.move", move, payment_state="paid", amount_residual=0)
    Position.objects.filter(odoo_id=move).delete()
    Transition.objects.filter(odoo_id=move).delete()
    world.write("account.move", move, ref="seen")
    posted, paid = world.now - timedelta(days=8), world.now - timedelta(days=1)
    tracked(world, "account.move", move, "state", "draft", "posted", at=posted, message=5)
    tracked(world, "account.move", move, "payment_state", "", "not_paid", at=posted, message=5)
    tracked(world, "account.move", move, "payment_state", "not_paid", "paid", at=paid)
    tell(world, "invoicing", fields=("payment_state", "state"))
    assert [one[:2] for one in way(move)] == [("", "draft"), ("draft", "not_due"), ("not_due", "paid")]
    assert Position.objects.get(odoo_id=move).since == paid


def test_a_record_without_a_past_is_left_as_it_was_seen(world: World) -> None:
    world.order()
    before = list(Transition.objects.values())
    assert tell(world) == 0
    assert list(Transition.objects.values()) == before
