"""What people do on pages, programs do by the API: jobs over many exceptions, saved views, absence, preferences, previews."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.approvals.models import Absence
from apps.audit.models import Entry
from apps.core import clock
from apps.exceptions.bulk import jobs
from apps.exceptions.models import BulkJob, ExceptionCase, SavedView, Status
from tests.api.callers import Caller, caller
from tests.world import World

Call = Callable[..., Any]

RULES = {"steps": [{"name": "Credit", "fallback": "reject", "levels": [{"ask": {"role": "manager"}, "within_minutes": 60}]}]}


@pytest.fixture
def several(world: World) -> list[int]:
    """Three exceptions, of three orders."""
    for number in (42, 43, 44):
        world.held_order(odoo_id=number)
    return list(ExceptionCase.objects.order_by("id").values_list("id", flat=True))


def test_a_job_moves_many_has_a_result_for_each_and_is_undone(several: list[int], call: Call) -> None:
    ExceptionCase.objects.filter(pk=several[0]).update(status=Status.ACKNOWLEDGED)
    begun = call("olga", "bulk-jobs/", {"move": "acknowledge", "ids": several})
    assert (begun.status_code, begun.json()["state"], begun.json()["waiting"]) == (202, "waiting", 3)
    address = f"bulk-jobs/{begun.json()['id']}/"
    jobs.work(now=clock.now())

    found = call("olga", address).json()
    assert (found["state"], found["total"], found["done"], found["refused"]) == ("done", 3, 2, 1)
    (refused,) = call("olga", f"{address}items/?outcome=refused").json()["results"]
    assert refused["exception"] == several[0] and refused["reason"]
    assert {row["outcome"] for row in call("olga", f"{address}items/").json()["results"]} == {"done", "refused"}
    assert [job["id"] for job in call("olga", "bulk-jobs/?state=done").json()["results"]] == [found["id"]]

    assert call("olga", f"{address}undo/", {}).json()["state"] == "undoing"
    jobs.work(now=clock.now())
    assert call("olga", address).json()["undone"] == 2
    assert call("olga", f"{address}undo/", {}).status_code == 409
    assert ExceptionCase.objects.filter(status=Status.OPEN).count() == 2


def test_a_job_can_be_of_all_that_a_view_holds(several: list[int], call: Call) -> None:
    begun = call("olga", "bulk-jobs/", {"move": "assign", "owner": "mia", "view": {"q": "S00043"}})
    assert begun.json()["total"] == 1
    jobs.work(now=clock.now())
    assert ExceptionCase.objects.filter(owner__username="mia").count() == 1
    nothing = call("olga", "bulk-jobs/", {"move": "assign", "owner": "mia", "view": {"q": "S99999"}})
    assert nothing.status_code == 409
    for move in ({"move": "snooze", "until": "2099-01-01T00:00:00Z"}, {"move": "resolve", "resolution": "Paid"}):
        assert call("olga", "bulk-jobs/", {**move, "view": {}}).status_code == 202
        jobs.work(now=clock.now())
    assert not ExceptionCase.objects.exclude(status=Status.RESOLVED).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"move": "acknowledge"},
        {"move": "acknowledge", "ids": [1], "view": {}},
        {"move": "acknowledge", "view": {"colour": "red"}},
        {"move": "snooze", "view": {}},
        {"move": "resolve", "view": {}},
        {"move": "assign", "view": {}},
        {"move": "explode", "ids": [1]},
        {"move": "assign", "owner": "mia", "view": {"connection": "another"}},
        {"move": "acknowledge", "ids": [-1]},
        {"move": "assign", "view": {}, "owner": "nobody of this name"},
    ],
)
def test_a_job_that_does_not_say_what_it_is_begins_nothing(several: list[int], call: Call, wrong: dict[str, Any]) -> None:
    assert call("olga", "bulk-jobs/", wrong).status_code == 400
    assert not BulkJob.objects.exists()


def test_a_job_is_begun_once_however_often_it_is_sent(several: list[int], call: Call) -> None:
    body = {"move": "acknowledge", "ids": several}
    first, again = (call("olga", "bulk-jobs/", body, Idempotency_Key="job-1") for _ in range(2))
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert BulkJob.objects.count() == 1


def test_jobs_are_ones_own_and_need_the_right_and_the_scope(several: list[int], call: Call) -> None:
    body = {"move": "acknowledge", "ids": several}
    assert call("aida", "bulk-jobs/", body).status_code == 403
    assert call("olga", "bulk-jobs/", body, scope="read").status_code == 403
    job = call("olga", "bulk-jobs/", body).json()["id"]
    for address in (f"bulk-jobs/{job}/", f"bulk-jobs/{job}/items/"):
        assert call("mia", address).status_code == 404
    assert call("mia", f"bulk-jobs/{job}/undo/", {}).status_code == 404


def test_views_are_saved_shared_with_a_team_and_taken_away(world: World, call: Call) -> None:
    own = call("olga", "views/", {"name": "Dear", "view": {"amount": "5000", "sort": "money"}})
    shared = call("olga", "views/", {"name": "Late", "view": {"due": "late"}, "team": "finance"})
    assert (own.status_code, own.json()["team"], shared.json()["team"]) == (201, None, "finance")
    assert [view["name"] for view in call("mia", "views/").json()] == ["Late"]
    assert {view["name"] for view in call("olga", "views/").json()} == {"Dear", "Late"}
    assert call("olga", "views/", {"name": "x", "view": {"colour": "red"}}).status_code == 400
    assert call("olga", "views/", {"name": "x", "view": {}, "team": "warehouse"}).status_code == 409

    assert delete(caller("mia"), f"views/{own.json()['id']}/").status_code == 404
    assert delete(caller("mia"), f"views/{shared.json()['id']}/").status_code == 204
    assert delete(caller("olga", "read"), f"views/{own.json()['id']}/").status_code == 403
    assert list(SavedView.objects.values_list("name", flat=True)) == ["Dear"]


def test_an_absence_begins_and_ends_and_never_widens_power(world: World, call: Call) -> None:
    until = (clock.now() + timedelta(days=3)).isoformat()
    assert call("adam", "absence/").status_code == 404
    begun = call("adam", "absence/", {"deputy": "mia", "until": until}, Idempotency_Key="away")
    assert (begun.status_code, begun.json()["deputy"]) == (201, "mia")
    call("adam", "absence/", {"deputy": "mia", "until": until}, Idempotency_Key="away")
    assert Absence.objects.count() == 1
    assert call("adam", "absence/").json() == begun.json()
    assert call("adam", "absence/end/", {}).status_code == 204
    assert call("adam", "absence/").status_code == 404
    assert Entry.objects.filter(action__startswith="absence.").count() == 2

    assert call("olga", "absence/", {"deputy": "mia", "until": until}).status_code == 403
    assert call("adam", "absence/", {"deputy": "olga", "until": until}).status_code == 403
    assert call("adam", "absence/", {"deputy": "adam", "until": until}).status_code == 422
    assert call("adam", "absence/", {"deputy": "mia", "until": "2020-01-01T00:00:00Z"}).status_code == 422
    assert call("adam", "absence/", {"deputy": "mia", "until": until}, scope="read").status_code == 403


def test_preferences_are_read_changed_as_a_whole_and_refused_in_words(world: World, call: Call) -> None:
    found = call("olga", "preferences/").json()
    assert found["channels"]["asked"] == {"email": True, "push": True} and found["quiet_from"] is None
    found["channels"]["exceptions"] = {"email": False, "push": True}
    found |= {"quiet_from": "22:00:00", "quiet_to": "06:30:00", "time_zone": "Europe/Berlin"}
    assert put(caller("olga"), "preferences/", found).json() == found
    assert call("olga", "preferences/").json() == found
    assert call("mia", "preferences/").json()["quiet_from"] is None

    assert put(caller("olga", "read"), "preferences/", found).status_code == 403
    assert put(caller("olga"), "preferences/", found | {"quiet_to": None}).status_code == 422
    assert put(caller("olga"), "preferences/", found | {"time_zone": "Mars/Olympus"}).status_code == 422
    assert put(caller("olga"), "preferences/", found | {"channels": {}}).status_code == 400


def test_a_policy_is_tried_before_it_counts(world: World, call: Call) -> None:
    world.held_order()
    before = call("olga", "policies/?kind=credit_override").json()
    tried = call("olga", "policies/preview/", {"kind": "credit_override", "rules": RULES}, scope="read")
    assert tried.status_code == 200, tried.content
    assert set(tried.json()) == {"sentence", "records", "asked", "bulk", "is_cut", "steps"}
    assert [step["name"] for step in tried.json()["steps"]] == ["Credit"]
    assert call("olga", "policies/?kind=credit_override").json() == before
    assert call("olga", "policies/preview/", {"kind": "credit_override", "rules": {"steps": []}}).status_code == 422
    assert call("olga", "policies/preview/", {"kind": "none", "rules": RULES}).status_code == 422


def test_all_of_it_is_in_the_openapi_document(db: None) -> None:
    paths = Client().get("/api/v1/schema/?format=json").json()["paths"]
    operations = {(path.removeprefix("/api/v1/"), verb) for path, found in paths.items() for verb in found}
    assert {
        ("bulk-jobs/", "get"),
        ("bulk-jobs/", "post"),
        ("bulk-jobs/{job_id}/", "get"),
        ("bulk-jobs/{job_id}/items/", "get"),
        ("bulk-jobs/{job_id}/undo/", "post"),
        ("views/", "get"),
        ("views/", "post"),
        ("views/{view_id}/", "delete"),
        ("absence/", "get"),
        ("absence/", "post"),
        ("absence/end/", "post"),
        ("policies/preview/", "post"),
        ("preferences/", "get"),
        ("preferences/", "put"),
    } <= operations


def put(who: Caller, address: str, body: Any) -> Any:
    return who.client.put(f"/api/v1/{address}", body, "application/json")


def delete(who: Caller, address: str) -> Any:
    return who.client.delete(f"/api/v1/{address}")
