"""Dates that need nobody: off by default, switched on for one vendor, bounded, on the trail."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.outbox.models import Command
from apps.vendors.models import Proposal, VendorRule
from apps.vendors.proposals import rules
from apps.workflows import parameter_values
from apps.workflows.scopes import Scope
from tests.api.callers import caller
from tests.vendors.conftest import CONTACT, LINE, VENDOR, Vendor, buy
from tests.world import World, person


@pytest.fixture
def mia(world: World) -> User:
    return person("mia", Role.MANAGER, limit=10**6, team="purchasing")


def switched(world: World, by: User, *, earlier: bool = False, later: bool = False) -> VendorRule:
    return rules.switch(world.connection, 1, CONTACT, earlier=earlier, later=later, by=by, now=world.now)


def said(day: str, line: int = LINE, **more: Any) -> dict[str, Any]:
    return {f"says_{line}": "otherwise", f"day1_{line}": day, **more}


def status() -> str:
    return Proposal.objects.latest("id").status


def test_nothing_is_accepted_without_a_person_until_somebody_says_so(world: World, vendor: Vendor, mia: User) -> None:
    vendor.answers(**said("2026-11-26"))
    assert status() == "open"
    switched(world, mia)
    world.advance(minutes=1)
    vendor.answers(**said("2026-11-25"))
    assert status() == "open" and not Command.objects.exists()


def test_an_earlier_date_needs_nobody_where_that_is_switched_on(world: World, vendor: Vendor, mia: User) -> None:
    rule = switched(world, mia, earlier=True)
    assert (rule.partner_id, rule.changed_by) == (VENDOR, "Mia")
    vendor.answers(**said("2026-11-26"))
    proposal = Proposal.objects.latest("id")
    assert (proposal.status, proposal.rule, proposal.decided_by) == ("accepted", rule, "Control Tower (vendor rules)")
    assert Command.objects.filter(method="write", arguments__vals__date_planned="2026-11-26 12:00:00").count() == 1
    assert Entry.objects.get(action="proposal.accepted").actor == "system:vendor rules"
    assert Entry.objects.get(action="vendor_rule.set").data["accepts_earlier"] is True


def test_a_later_date_needs_nobody_within_the_days_and_while_nobody_waits(world: World, vendor: Vendor, mia: User) -> None:
    switched(world, mia, later=True)
    for number, (day, stands) in enumerate([("2026-12-02", "open"), ("2026-11-26", "open"), ("2026-12-01", "accepted")]):
        buy(world, 81 + number, lines=1)
        vendor.answers(81 + number, **said(day, 810 + 10 * number))
        assert status() == stands, day
    buy(world, 90, lines=1)
    world.order(42, state="sale", commitment_date="2026-12-20 12:00:00")
    world.write("sale.order.line", 420, order_id=42, product_id=30, product_uom_qty=5, qty_delivered=0, price_unit=10)
    world.write("stock.picking", 421, name="OUT", state="confirmed", sale_id=42, company_id=1, picking_type_code="outgoing")
    moved = {"product_id": 30, "product_uom_qty": 5, "quantity": 0, "company_id": 1}
    world.write("stock.move", 901, purchase_line_id=900, state="assigned", **moved)
    world.write("stock.move", 422, picking_id=421, sale_line_id=420, state="waiting", move_orig_ids=[901], **moved)
    vendor.answers(90, **said("2026-12-01", 900))
    assert status() == "open"


def test_quantities_splits_and_refusals_are_decided_by_a_person(world: World, vendor: Vendor, mia: User) -> None:
    switched(world, mia, earlier=True, later=True)
    for more in (
        {"quantity1_800": "9"},
        {"quantity2_800": "4", "day2_800": "2026-11-27"},
        {"says_801": "refused", "reason_801": "No wood"},
    ):
        world.advance(minutes=1)
        vendor.answers(**said("2026-11-26"), **more)
        assert status() == "open"


def test_a_vendor_has_no_more_accepted_a_day_than_the_parameter_says(world: World, vendor: Vendor, mia: User) -> None:
    switched(world, mia, earlier=True)
    anna = person("anna", Role.ADMIN)
    parameter_values.set_value("vendor_accepted_a_day", 1, scope=Scope(), by=anna, now=world.now)
    buy(world, 81, lines=1)
    buy(world, 82, lines=1)
    vendor.answers(**said("2026-11-26"))
    assert status() == "accepted"
    vendor.answers(81, **said("2026-11-26", 810))
    assert status() == "open"
    world.advance(hours=25)
    vendor.answers(82, **said("2026-11-26", 820))
    assert status() == "accepted"


def test_only_who_makes_policies_switches_it_on_a_page_or_over_rest(world: World, vendor: Vendor, mia: User, olga: User) -> None:
    with pytest.raises(NotAllowedError):
        switched(world, olga, earlier=True)
    vendor.answers(**said("2026-11-26"))
    proposal = Proposal.objects.get()
    browser = Client()
    browser.force_login(olga)
    assert "Accept automatically" not in browser.get(f"/proposals/{proposal.pk}/").content.decode()
    assert browser.post(f"/vendor-rules/main/1/{CONTACT}/", {"earlier": "on"}).status_code == 403
    browser.force_login(mia)
    assert "Accept automatically" in browser.get(f"/proposals/{proposal.pk}/").content.decode()
    browser.post(f"/vendor-rules/main/1/{CONTACT}/", {"earlier": "on"})
    rule = VendorRule.objects.get()
    assert (rule.accepts_earlier, rule.accepts_later) == (True, False)
    assert "Nordic Timber" in browser.get("/vendor-rules/").content.decode()

    call = caller("mia", "admin")
    told = {"connection": "main", "company": 1, "partner": VENDOR, "accepts_earlier": False, "accepts_later": True}
    made = call.post("vendor-rules/", told)
    assert made.status_code == 200 and {name: made.json()[name] for name in told} == told
    assert call.get("vendor-rules/").json()["results"] == [made.json()]
    assert call.post("vendor-rules/", {**told, "partner": 999}).status_code == 409
    assert caller("olga").post("vendor-rules/", told).status_code == 403
