"""Dead letters are read, mended with the original kept, and replayed, one or many, on the page and over the API."""

import json
from datetime import datetime

import pytest
from django.test import Client

from apps.accounts import people
from apps.accounts.models import Scope, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.intake import claim, moves, refresh_requests
from apps.intake.models import EVENT, Delivery, Mended, Tally
from apps.odoo.models import Connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def letters(connection: Connection, now: datetime) -> list[Delivery]:
    """Three dead letters of a model that nobody mirrors."""
    refresh_requests.add(connection_id=connection.pk, model="sale.ordre", odoo_ids=[1, 2, 3], source="odoo", now=now)
    Delivery.objects.update(body='{"_model": "sale.ordre", "_id": 1}')
    (part,) = claim.take(limit=10, now=now)
    claim.dead_letter(part, problem="sale.ordre is not mirrored.", now=now)
    return list(Delivery.objects.order_by("id"))


def test_a_mended_letter_says_the_new_thing_and_keeps_the_old(
    letters: list[Delivery], ivan_integrator: User, now: datetime
) -> None:
    moves.edit_payload(letters[0].pk, body='{"_model": "sale.order", "_id": 9}', by=ivan_integrator, now=now)

    mended, kept = Delivery.objects.get(pk=letters[0].pk), Mended.objects.get()
    assert (mended.model, mended.odoo_id, mended.status) == ("sale.order", 9, "dead")
    assert (kept.body, kept.model, kept.by) == ('{"_model": "sale.ordre", "_id": 1}', "sale.ordre", "Ivan Integrator")
    entry = Entry.objects.get(action="delivery.mended")
    assert (entry.subject, entry.data["is"]) == (f"delivery:{mended.pk}", {"model": "sale.order", "odoo_id": 9})


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"_model": "sale.order"}', '{"_model": "sale.order", "_id": -1}', '{"a": "\\u0000"}']
)
def test_what_the_source_could_not_have_sent_is_no_mending(
    letters: list[Delivery], ivan_integrator: User, now: datetime, body: str
) -> None:
    with pytest.raises(moves.PayloadEditError):
        moves.edit_payload(letters[0].pk, body=body, by=ivan_integrator, now=now)
    assert not Mended.objects.exists()


def test_an_outside_event_may_say_anything_that_is_an_object(letters: list[Delivery], ivan_integrator: User, now: datetime) -> None:
    Delivery.objects.filter(pk=letters[0].pk).update(model=EVENT, odoo_id=0)

    moves.edit_payload(letters[0].pk, body='{"tracking": "X1"}', by=ivan_integrator, now=now)

    assert Delivery.objects.values_list("model", "odoo_id", "body").get(pk=letters[0].pk) == (EVENT, 0, '{"tracking": "X1"}')


def test_only_an_integrator_mends_and_only_what_is_dead(
    letters: list[Delivery], ivan_integrator: User, olga_operator: User, now: datetime
) -> None:
    with pytest.raises(NotAllowedError):
        moves.edit_payload(letters[0].pk, body='{"_model": "sale.order", "_id": 9}', by=olga_operator, now=now)
    moves.replay([letters[0].pk], by=ivan_integrator, now=now)
    with pytest.raises(moves.PayloadEditError):
        moves.edit_payload(letters[0].pk, body='{"_model": "sale.order", "_id": 9}', by=ivan_integrator, now=now)


def test_on_the_page_they_are_read_mended_and_replayed(client: Client, letters: list[Delivery], ivan_integrator: User) -> None:
    client.force_login(ivan_integrator)
    first, second, third = letters

    assert client.get("/health/deliveries/").content.decode().count("sale.ordre is not mirrored.") == 3
    assert "sale.ordre" in client.get(f"/health/deliveries/{first.pk}/").content.decode()
    refused = client.post(f"/health/deliveries/{first.pk}/edit/", {"body": "{oops", "replay": "1"})
    assert refused.status_code == 422 and "{oops" in refused.content.decode()
    client.post(f"/health/deliveries/{first.pk}/edit/", {"body": '{"_model": "sale.order", "_id": 9}', "replay": "1"})
    client.post("/health/deliveries/replay/", {"id": [second.pk]})

    assert list(Delivery.objects.order_by("id").values_list("status", flat=True)) == ["pending", "pending", "dead"]
    assert "Previous content" in client.get(f"/health/deliveries/{first.pk}/").content.decode()
    client.post("/health/deliveries/replay/", {"all": "1"})
    third.refresh_from_db()
    assert third.status == "pending"


def test_over_the_api_they_are_read_mended_and_replayed(
    client: Client, letters: list[Delivery], ivan_integrator: User, now: datetime
) -> None:
    token = people.create_token(ivan_integrator, scope=Scope.WRITE, now=now)
    headers, url = {"Authorization": f"Bearer {token}"}, f"/api/v1/deliveries/{letters[0].pk}/"

    assert json.loads(client.get(url, headers=headers).json()["body"])["_model"] == "sale.ordre"
    answer = client.post(f"{url}edit/", {"body": "[]"}, "application/json", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (422, "The body is not a JSON object.")
    answer = client.post(f"{url}edit/", {"body": '{"_model": "sale.order", "_id": 9}'}, "application/json", headers=headers)
    assert (answer.status_code, answer.json()["model"], answer.json()["mends"][0]["model"]) == (200, "sale.order", "sale.ordre")
    ids = [letter.pk for letter in letters]
    answer = client.post("/api/v1/deliveries/replay/", {"ids": ids}, "application/json", headers=headers)
    assert answer.json() == {"replayed": 3}
    assert Delivery.objects.filter(status="pending").count() == 3


def test_what_became_of_deliveries_is_counted_by_source(
    connection: Connection, letters: list[Delivery], ivan_integrator: User, now: datetime
) -> None:
    moves.replay([letters[0].pk], by=ivan_integrator, now=now)
    (part,) = claim.take(limit=10, now=now)
    claim.fail(part, problem="Once more.", now=now)
    Delivery.objects.update(status="pending", not_before=now)
    (part,) = claim.take(limit=10, now=now)
    claim.complete(part, now=now.replace(second=2))

    counted = {(row.what, row.bucket): row.count for row in Tally.objects.all()}
    assert counted == {("received", 0): 3, ("dead", 0): 3, ("replayed", 0): 1, ("failed", 0): 1, ("done", 4): 3}
    assert Tally.objects.get(what="done").seconds == pytest.approx(6)
