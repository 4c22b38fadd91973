"""A transfer is late by its deadline, and older by the day."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.exceptions.models import Severity
from apps.workflows.models import Transition
from tests.workflows.fulfilment.transfers import LATE, case_of, move, stage, standing, time_passes, told, transfer
from tests.world import World, odoo_time


def test_a_transfer_becomes_late_at_its_deadline_and_older_by_the_day(world: World) -> None:
    transfer(world, due_in=2)
    due = world.now + timedelta(days=2)
    time_passes(world, days=1, hours=23)
    assert (stage(), standing()) == ("ready", [])
    time_passes(world, hours=3)
    assert (stage(), standing()) == ("late", [LATE])
    assert Transition.objects.filter(to_stage="late").values_list("at", flat=True).get() == due
    case = case_of(LATE)
    # A step more than by its money: it was promised for the day after tomorrow.
    assert (case.team.slug, case.severity, case.amount) == ("warehouse", Severity.HIGH, Decimal("1000.00"))
    assert told(LATE, "partner_name", "order_name", "late_days", "goods_count") == {
        "partner_name": "Azure Interior",
        "order_name": "S00042",
        "late_days": 0,
        "goods_count": 1,
    }
    assert datetime.fromisoformat(case.plain_evidence["due_at"]).astimezone(UTC) == due
    assert datetime.fromisoformat(case.plain_evidence["promised_at"]).astimezone(UTC) == due + timedelta(days=2)
    time_passes(world, days=1)
    assert told(LATE, "late_days") == {"late_days": 1}
    world.write("stock.picking", 300, state="done", date_done=odoo_time(world.now))
    assert (stage(), standing()) == ("done", [])


def test_a_transfer_that_is_put_off_is_late_no_longer(world: World) -> None:
    transfer(world, due_in=-1)
    assert standing() == [LATE]
    world.write("stock.picking", 300, date_deadline=odoo_time(world.now + timedelta(days=1)))
    assert (stage(), standing()) == ("ready", [])


def test_what_nobody_was_promised_may_take_its_whole_day(world: World) -> None:
    """Odoo's deadline is then the moment at which the order was confirmed."""
    world.write("sale.order", 42, commitment_date=False)
    transfer(world, due_in=0)
    time_passes(world, hours=11)
    assert (stage(), standing()) == ("ready", [])
    time_passes(world, hours=1)
    assert (stage(), told(LATE, "late_days")) == ("late", {"late_days": 1})


def test_the_schedule_tells_where_there_is_no_deadline(world: World) -> None:
    transfer(world, date_deadline=False, scheduled_date=odoo_time(world.now - timedelta(days=3)))
    assert (stage(), told(LATE, "late_days")) == ("late", {"late_days": 3})


def test_a_late_receipt_of_a_purchase_is_the_suppliers(world: World) -> None:
    transfer(world, due_in=-1, picking_type_code="incoming", picking_type_id=3, sale_id=False)
    assert (stage(), standing()) == ("late", [LATE])
    move(world, purchase_line_id=800)
    assert (stage(), standing()) == ("late", [])
