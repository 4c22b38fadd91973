"""Parameters over REST: read in a scope, set by who may, tried before they count."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import time_machine

from apps.accounts.models import User
from apps.exceptions import integration
from apps.workflows.models import ParameterValue
from tests.world import NOW, World

Call = Callable[..., Any]


def test_a_value_is_set_read_and_reset_in_its_scope(world: World, call: Call) -> None:
    here = "parameters/purchase_limit/?connection=main&company=1"
    assert call("olga", here, scope="read").json()["value"] == "10000"
    body = {"name": "purchase_limit", "value": "5000", "connection": "main", "company": 1, "note": "new"}
    made = call("mia", "parameters/", body)
    assert (made.status_code, made.json()["value"], made.json()["own"], made.json()["version"]) == (201, "5000", "5000", 1)
    found = call("olga", here).json()
    assert (found["value"], found["inherited"], found["is_in_guard"], found["least"]) == ("5000", "10000", True, "0")
    (version,) = found["versions"]
    assert (version["set_by"], version["note"], version["company"], version["set_at"][-1]) == ("mia", "new", 1, "Z")
    assert call("olga", "parameters/purchase_limit/?connection=main").json()["value"] == "10000"
    gone = call("mia", "parameters/", {"name": "purchase_limit", "value": None, "connection": "main", "company": 1})
    assert (gone.json()["value"], gone.json()["own"], gone.json()["version"]) == ("10000", None, 2)


def test_all_are_listed_and_narrowed_to_a_workflow(world: World, call: Call) -> None:
    every = call("olga", "parameters/").json()
    assert (every["next"], every["previous"]) == (None, None)
    assert {"purchase_limit", "most_discount_percent", "returns.to_receive.target"} & {one["name"] for one in every["results"]}
    of_service = call("olga", "parameters/?workflow=service").json()["results"]
    assert of_service and all("service" in one["workflows"] for one in of_service)
    of_incidents = call("olga", "parameters/?workflow=integration").json()["results"]
    assert {one["name"] for one in of_incidents} == {f"{name}.due" for name in integration.TYPES}
    assert {(one["unit"], *one["workflows"]) for one in of_incidents} == {("working hours", "integration")}


def test_the_sla_of_an_incident_is_set_like_any_other(world: World, call: Call) -> None:
    made = call("mia", "parameters/", {"name": "integration.sync_lag.due", "value": "2.5", "connection": "main"})
    assert (made.status_code, made.json()["value"], made.json()["default"]) == (201, "2.5", "1")


def test_what_cannot_be_is_a_problem(world: World, call: Call) -> None:
    for body, status in [
        ({"name": "purchase_limit", "value": "much"}, 422),
        ({"name": "nothing", "value": "1"}, 422),
        ({"name": "purchase_limit", "value": "-1"}, 422),
        ({"name": "purchase_limit"}, 400),
        ({"name": "purchase_limit", "value": "1", "connection": "other"}, 400),
        ({"name": "purchase_limit", "value": "1", "company": 1}, 400),
        ({"name": "purchase_limit", "value": "1", "version": 7}, 422),
    ]:
        answer = call("mia", "parameters/", body)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), body
    assert call("mia", "parameters/?stage=x").status_code == 400
    assert call("mia", "parameters/?workflow=x").status_code == 400
    assert call("mia", "parameters/nothing/").status_code == 404
    assert not ParameterValue.objects.exists()


def test_it_needs_the_admin_scope_a_policy_makers_role_and_the_place_in_sight(world: World, call: Call) -> None:
    body = {"name": "purchase_limit", "value": "5000"}
    assert call("mia", "parameters/", body, scope="write").status_code == 403
    assert call("olga", "parameters/", body).status_code == 403
    User.objects.filter(username="mia").update(sees=[f"{world.connection.pk}:1"])
    assert call("mia", "parameters/", body).status_code == 403
    assert call("mia", "parameters/", {**body, "connection": "main", "company": 2}).status_code == 400
    assert call("mia", "parameters/", {**body, "connection": "main", "company": 1}).status_code == 201


@time_machine.travel(NOW + timedelta(days=2))  # Some weeks later it is over the target of today too.
def test_a_preview_changes_nothing(world: World, call: Call) -> None:
    world.order(42, amount=2_000)
    shown = call("mia", "parameters/preview/", {"name": "order_to_cash.quotation.target", "value": "1"}, scope="read")
    assert (shown.status_code, shown.json()["records"]) == (200, 1)
    assert shown.json()["sentence"] == "Of 1 open records: 1 record would be over its target."
    assert not ParameterValue.objects.exists()
    assert call("olga", "parameters/preview/", {"name": "purchase_limit", "value": "1"}).status_code == 200
