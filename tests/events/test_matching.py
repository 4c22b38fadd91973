"""Events find the record that they are about, at once, later, or with a person's help."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.events import moves
from apps.events.models import OutsideEvent, Status
from apps.intake.models import Delivery
from apps.mirror.models.stock_picking import Picking
from apps.odoo.models import Connection
from apps.pipeline import external_events, first_sync
from tests.api.callers import caller
from tests.events.conftest import Tell, said, scan
from tests.world import World, person


def transfer(world: World, odoo_id: int = 7, **values: Any) -> None:
    facts = {"name": f"WH/OUT/{odoo_id:05}", "state": "assigned", "company_id": 1, "carrier_tracking_ref": "1Z999"}
    world.write("stock.picking", odoo_id, **facts | values)


def matched() -> list[tuple[str, int | None]]:
    return list(OutsideEvent.objects.order_by("id").values_list("status", "odoo_id"))


def test_a_tracking_number_finds_its_transfer(world: World, tell: Tell) -> None:
    transfer(world)
    tell("carrier", scan("DELAYED", "1Z999", estimated_delivery="2026-11-27T12:00:00Z"))
    assert matched() == [("matched", 7)]
    assert Delivery.objects.get().status == "done"


@pytest.mark.parametrize("reference", ["P00080", "SO-88121"])
def test_a_purchase_order_is_found_by_our_name_and_by_the_vendors(reference: str, world: World, tell: Tell) -> None:
    world.write("purchase.order", 80, name="P00080", partner_ref="SO-88121", state="purchase", company_id=1)
    tell("portal", said("acknowledged", reference))
    assert matched() == [("matched", 80)]


@pytest.mark.parametrize("reference", ["BZ-118", "S00042"])
def test_a_sales_order_is_found_by_the_customers_reference_and_by_ours(reference: str, world: World, tell: Tell) -> None:
    world.order(42, client_order_ref="BZ-118")
    tell("bazaar", {"changes": [{"order_number": reference, "change": "cancelled", "changed_at": "2026-11-23T09:00:00Z"}]})
    assert matched() == [("matched", 42)]


def test_of_several_the_one_that_has_not_ended_is_meant(world: World, tell: Tell) -> None:
    transfer(world, 6, state="done")
    transfer(world, 7)
    tell("carrier", scan("DELAYED", "1Z999"))
    assert matched() == [("matched", 7)]


def test_where_several_may_be_meant_a_person_decides(world: World, tell: Tell) -> None:
    transfer(world, 6)
    transfer(world, 7)
    tell("carrier", scan("DELAYED", "1Z999"))
    assert matched() == [("unmatched", None)]
    assert OutsideEvent.objects.get().problem == "Several records have this reference."
    transfer(world, 6, state="cancel")
    assert matched() == [("matched", 7)]


def test_an_event_waits_for_the_record_that_brings_its_reference(world: World, tell: Tell) -> None:
    tell("carrier", scan("DELAYED", "1Z999"))
    transfer(world, 6, carrier_tracking_ref="another")
    assert matched() == [("unmatched", None)]
    transfer(world, 7, carrier_tracking_ref=False)
    transfer(world, 7, carrier_tracking_ref="1Z999")
    assert matched() == [("matched", 7)]
    assert not OutsideEvent.objects.filter(is_absorbed=False).exists()


def test_what_arrived_before_the_first_read_finds_its_record_after_it(world: World, tell: Tell) -> None:
    tell("carrier", scan("DELAYED", "1Z999"))
    transfer(world)
    (event,) = OutsideEvent.objects.all()
    OutsideEvent.objects.all().delete()
    event.pk, event.status, event.odoo_id = None, Status.UNMATCHED, None
    event.save()
    first_sync.evaluate_all(world.connection, clock=lambda: world.now)
    assert matched() == [("matched", 7)]


def test_another_connections_record_is_never_meant(world: World, tell: Tell) -> None:
    other = Connection.objects.create(name="other", url="http://other.test", hook_secret="the-others-secret")
    transfer(world)
    Picking.objects.update(connection=other)
    tell("carrier", scan("DELAYED", "1Z999"))
    assert matched() == [("unmatched", None)]


def test_a_message_that_is_replayed_tells_nothing_twice(world: World, tell: Tell) -> None:
    tell("carrier", scan("DELAYED", "1Z999"), key="one")
    Delivery.objects.update(status="pending")
    tell("carrier", scan("PICKED_UP", "1Z999"), key="two")
    assert OutsideEvent.objects.count() == 2


def test_a_message_that_cannot_be_read_is_a_dead_letter_and_stops_no_other(world: World, tell: Tell) -> None:
    transfer(world)
    Delivery.objects.create(
        source="carrier",
        connection=world.connection,
        key="bad",
        model="event",
        odoo_id=0,
        body='{"event": {"code": "TELEPORTED"}}',
        received_at=world.now,
        not_before=world.now,
    )
    tell("carrier", scan("DELAYED", "1Z999"), key="good")
    assert dict(Delivery.objects.values_list("key", "status")) == {"bad": "dead", "good": "done"}
    assert "TELEPORTED" in Delivery.objects.get(key="bad").problem
    assert matched() == [("matched", 7)]


def test_a_person_says_which_record_and_it_holds_for_what_comes_later(world: World, tell: Tell) -> None:
    olga = person("olga", Role.OPERATOR)
    transfer(world, carrier_tracking_ref=False)
    tell("carrier", scan("DELAYED", "1Z-unknown"))
    tell("carrier", scan("PICKED_UP", "1Z-unknown"))
    event = OutsideEvent.objects.earliest("id")

    moves.match(event.pk, record="WH/OUT/00007", by=olga, now=world.now)
    external_events.apply_matched(now=world.now)
    tell("carrier", scan("DELIVERED", "1Z-unknown"))

    assert matched() == [("matched", 7)] * 3
    assert not OutsideEvent.objects.filter(is_absorbed=False).exists()
    entry = Entry.objects.get(action="event.matched")
    assert (entry.subject, entry.data["record"], entry.data["events"]) == (f"event:{event.pk}", "WH/OUT/00007", 2)
    with pytest.raises(moves.EventRefusedError, match="matched already"):
        moves.dismiss(event.pk, by=olga, now=world.now)


def test_an_auditor_only_reads(world: World, tell: Tell) -> None:
    tell("carrier", scan("DELAYED", "1Z-unknown"))
    with pytest.raises(NotAllowedError):
        moves.dismiss(OutsideEvent.objects.get().pk, by=person("aida", Role.AUDITOR), now=world.now)
    assert matched() == [("unmatched", None)]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_page_shows_what_waits_and_takes_the_record(world: World, tell: Tell) -> None:
    client = signed_in(person("olga", Role.OPERATOR))
    transfer(world, carrier_tracking_ref=False)
    tell("carrier", scan("DELAYED", "1Z-unknown", description="Hub closed"))
    event = OutsideEvent.objects.get()
    page = client.get("/events/").content.decode()
    assert "1Z-unknown" in page and "Hub closed" in page and "No record has this reference yet." in page

    refused = client.post(f"/events/{event.pk}/match/", {"record": "WH/OUT/99999"}, follow=True).content.decode()
    assert "There is no stock.picking called WH/OUT/99999" in refused
    page = client.post(f"/events/{event.pk}/match/", {"record": "WH/OUT/00007"}, follow=True).content.decode()

    assert "All events are matched." in page and "/records/main/stock.picking/7/" in page
    assert matched() == [("matched", 7)]
    assert "/events/" in client.get("/health/").content.decode()


def test_the_page_dismisses_and_refuses_who_only_reads(world: World, tell: Tell) -> None:
    tell("carrier", scan("DELAYED", "1Z-unknown"))
    event = OutsideEvent.objects.get()
    auditor = signed_in(person("aida", Role.AUDITOR))
    assert "Match</button>" not in auditor.get("/events/").content.decode()
    assert auditor.post(f"/events/{event.pk}/dismiss/").status_code == 403
    assert signed_in(person("olga", Role.OPERATOR)).post(f"/events/{event.pk}/dismiss/").status_code == 302
    assert matched() == [("dismissed", None)]


def test_the_api_lists_matches_and_dismisses(world: World, tell: Tell) -> None:
    person("olga", Role.OPERATOR)
    transfer(world, carrier_tracking_ref=False)
    for reference in ("1Z-one", "1Z-two"):
        tell("carrier", scan("DELAYED", reference, estimated_delivery="2026-11-27"))
    client = caller("olga", "write")
    two, one = client.get("events/", status="unmatched").json()["results"]
    assert (one["reference"], one["expected_at"], one["odoo_id"]) == ("1Z-one", "2026-11-27T00:00:00Z", None)

    assert client.post(f"events/{one['id']}/match/", {"record": "7"}).json()["odoo_id"] == 7
    assert client.post(f"events/{one['id']}/match/", {"record": "7"}).status_code == 409
    assert client.post(f"events/{two['id']}/dismiss/", {}).json()["status"] == "dismissed"
    assert client.get("events/", status="unmatched").json()["results"] == []
