"""Days are the company's: what is overdue, late or expired follows its own midnight, wherever the tower stands."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection as database

from apps.accounts.models import Role
from apps.odoo import zones
from apps.pipeline import change_processing, parameter_changes
from apps.workflows.models import Position
from tests.world import World, odoo_time, person

SAN_FRANCISCO, AUCKLAND, NEW_YORK = "America/Los_Angeles", "Pacific/Auckland", "America/New_York"


def lives_in(world: World, zone: str) -> None:
    world.write("res.partner", 1, name="Nordlicht", commercial_partner_id=1, active=True, tz=zone)


def at(world: World, *moment: int) -> datetime:
    world.now = datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]
    return world.now


def position(workflow: str) -> Position:
    return Position.objects.get(workflow=workflow)


def look_again(world: World) -> None:
    change_processing.reevaluate_due(now=world.now)


def invoice(world: World, due: str) -> Position:
    world.write(
        "account.move",
        60,
        state="posted",
        move_type="out_invoice",
        payment_state="not_paid",
        name="INV/1",
        company_id=1,
        partner_id=50,
        commercial_partner_id=50,
        amount_residual=10,
        amount_residual_signed=10,
        amount_total_signed=10,
        invoice_date=due,
        invoice_date_due=due,
    )
    return position("invoicing")


def buys(world: World, planned: str, **more: Any) -> Position:
    world.write(
        "purchase.order.line",
        430,
        order_id=43,
        product_qty=10,
        qty_received=0,
        price_unit=1,
        price_subtotal=10,
        company_id=1,
        date_planned=planned,
    )
    world.write(
        "purchase.order",
        43,
        name="P00043",
        state="purchase",
        partner_id=50,
        company_id=1,
        currency_id=1,
        currency_rate=1.0,
        amount_total=10,
        invoice_status="no",
        acknowledged=True,
        date_approve="2026-11-01 12:00:00",
        **more,
    )
    return position("procure_to_pay")


@pytest.mark.parametrize(
    ("zone", "before", "after", "midnight"),
    [
        # Due on 23 November: overdue as the company's 24th begins.
        (SAN_FRANCISCO, (2026, 11, 24, 7, 59), (2026, 11, 24, 8, 0), (2026, 11, 24, 8, 0)),
        (AUCKLAND, (2026, 11, 23, 10, 59), (2026, 11, 23, 11, 0), (2026, 11, 23, 11, 0)),
        (NEW_YORK, (2026, 11, 24, 4, 59), (2026, 11, 24, 5, 0), (2026, 11, 24, 5, 0)),
        ("UTC", (2026, 11, 23, 23, 59), (2026, 11, 24, 0, 0), (2026, 11, 24, 0, 0)),
    ],
)
def test_an_invoice_is_overdue_after_the_companys_own_midnight(
    world: World, zone: str, before: tuple[int, ...], after: tuple[int, ...], midnight: tuple[int, ...]
) -> None:
    lives_in(world, zone)
    at(world, *before)
    found = invoice(world, "2026-11-23")
    assert (found.stage, found.look_again_at) == ("not_due", datetime(*midnight, tzinfo=UTC))  # type: ignore[arg-type, misc]
    at(world, *after)
    look_again(world)
    assert position("invoicing").stage == "overdue"


@pytest.mark.parametrize(
    ("day", "midnight"),
    # The clocks go back on 1 November and forward on 8 March: the day has 25 hours, and 23.
    [("2026-11-01", (2026, 11, 2, 5, 0)), ("2026-10-31", (2026, 11, 1, 4, 0)), ("2026-03-08", (2026, 3, 9, 4, 0))],
)
def test_a_day_ends_with_the_wall_clock_also_where_the_clocks_change(world: World, day: str, midnight: tuple[int, ...]) -> None:
    lives_in(world, NEW_YORK)
    year, month, number = map(int, day.split("-"))
    at(world, year, month, number, 12)
    assert invoice(world, day).look_again_at == datetime(*midnight, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize("zone", [SAN_FRANCISCO, AUCKLAND, NEW_YORK, "UTC"])
def test_a_purchase_due_today_is_not_late_today(world: World, zone: str) -> None:
    """Planned for noon of the company's 23 November; late as its 24th begins."""
    from zoneinfo import ZoneInfo

    here = ZoneInfo(zone)
    lives_in(world, zone)
    planned = datetime(2026, 11, 23, 12, tzinfo=here)
    world.now = datetime(2026, 11, 23, 23, 59, tzinfo=here).astimezone(UTC)
    assert buys(world, odoo_time(planned)).stage == "on_time"
    world.now = datetime(2026, 11, 24, tzinfo=here).astimezone(UTC)
    look_again(world)
    found = position("procure_to_pay")
    assert (found.stage, found.since) == ("late", world.now)


@pytest.mark.parametrize("never", ["9999-12-31 23:59:59", "9999-12-31 00:00:00", "2099-12-31 12:00:00", "1900-01-01 00:00:00"])
def test_a_date_that_means_never_is_no_date(world: World, never: str) -> None:
    lives_in(world, AUCKLAND)
    assert buys(world, never).stage == "on_time"
    assert buys(world, never).look_again_at is None or buys(world, never).look_again_at.year < 2099
    found = invoice(world, never[:10])
    assert (found.stage, found.look_again_at) == ("not_due", None)
    world.order(42, state="sale", delivery_status="pending", commitment_date=never, validity_date=never[:10])
    world.write(
        "stock.picking",
        77,
        name="WH/OUT/77",
        sale_id=42,
        state="assigned",
        picking_type_code="outgoing",
        company_id=1,
        date_deadline=never,
        scheduled_date=never,
    )
    assert position("order_to_cash").stage == "ready_to_pick"
    assert position("fulfilment").stage == "ready"
    at(world, 2026, 12, 24, 12)
    look_again(world)
    assert position("invoicing").stage == "not_due"


def test_a_quotation_expires_with_the_companys_day_and_is_renewed(world: World) -> None:
    lives_in(world, SAN_FRANCISCO)
    at(world, 2026, 11, 24, 7)
    world.order(42, validity_date="2026-11-23")
    assert position("order_to_cash").stage == "quotation"
    at(world, 2026, 11, 24, 8)
    look_again(world)
    found = position("order_to_cash")
    assert (found.stage, found.since) == ("expired", world.now)
    world.advance(hours=1)
    world.order(42, validity_date="2026-12-31")
    assert position("order_to_cash").stage == "quotation"


def test_the_zone_is_the_settings_else_the_companys_else_its_calendars(world: World) -> None:
    def zone(company: int | None = 1) -> str:
        with database.cursor() as cursor:
            cursor.execute("SELECT company_zone(%s, %s)", [world.connection.pk, company])
            return cursor.fetchone()[0]

    assert zone() == zone(None) == zone(99) == "UTC"
    world.write("resource.calendar", 3, name="40 hours", tz="Europe/Brussels")
    world.write("res.company", 1, resource_calendar_id=3)
    assert (zone(), zone(None)) == ("Europe/Brussels", "Europe/Brussels")
    lives_in(world, "Mars/Olympus")
    assert zone() == "Europe/Brussels"
    lives_in(world, NEW_YORK)
    assert zone() == NEW_YORK
    world.connection.time_zone = AUCKLAND
    world.connection.save()
    assert zone() == AUCKLAND


@pytest.mark.parametrize(
    ("model", "odoo_id", "values"),
    [
        ("res.partner", 1, {"tz": AUCKLAND}),
        ("resource.calendar", 9, {"name": "Shifts", "tz": AUCKLAND}),
        ("res.company", 1, {"resource_calendar_id": 9}),
    ],
)
def test_another_zone_of_a_company_is_seen_on_what_is_open_at_once(
    world: World, model: str, odoo_id: int, values: dict[str, Any]
) -> None:
    lives_in(world, "UTC" if model == "res.partner" else "")
    world.write("resource.calendar", 9, name="Shifts", tz="UTC" if model == "resource.calendar" else AUCKLAND)
    world.write("res.company", 1, resource_calendar_id=9 if model == "resource.calendar" else False)
    at(world, 2026, 11, 23, 12)
    assert invoice(world, "2026-11-23").stage == "not_due"
    world.write(model, odoo_id, **values)
    look_again(world)
    assert position("invoicing").stage == "overdue"


def test_another_zone_of_a_connection_is_seen_on_what_is_open_at_once(world: World) -> None:
    lives_in(world, "UTC")
    at(world, 2026, 11, 23, 12)
    assert invoice(world, "2026-11-23").stage == "not_due"
    zones.set_time_zone(world.connection, AUCKLAND, by=person("ivan", Role.INTEGRATOR), now=world.now)
    parameter_changes.apply_due(now=world.now)
    look_again(world)
    assert position("invoicing").stage == "overdue"
    world.connection.refresh_from_db()
    assert world.connection.zone_set_at is None
