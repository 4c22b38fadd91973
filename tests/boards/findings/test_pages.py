"""The findings as people and programs read them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import EVERYTHING
from apps.accounts.models import User
from apps.boards.findings import catalogue, summing
from apps.core import clock
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.api.callers import caller
from tests.boards.findings.ways import NAME, went
from tests.world import World

pytestmark = pytest.mark.django_db
BACK = ((1, "waiting_for_stock"), (2, "ready_to_pick"), (4, "waiting_for_stock"), (6, "ready_to_pick"))
NOTHING = """facts AS (
  SELECT p.connection_id, p.workflow, p.model, p.odoo_id, ARRAY[''] AS part, p.since AS at, 1 AS times, 0 AS seconds,
         FALSE AS is_by_clock
    FROM slept, workflows_position p
), sample AS (SELECT * FROM facts)"""
FLOW, LIST = f"/boards/{NAME}/findings/", f"/findings/rework/{NAME}/"


@pytest.fixture
def lately(world: World) -> World:
    """Sixty orders that went to and fro yesterday."""
    for number in range(1, 61):
        went(world, number, *BACK, amount=number * 100, **({} if number % 2 else {"company_id": 2, "currency": "CHF"}))
    late = clock.now() - timedelta(hours=1) - max(Transition.objects.values_list("at", flat=True))
    for one in Transition.objects.all():
        one.at += late
        one.save()
    return world


def test_the_flow_tells_what_was_found_in_sentences_that_lead_to_the_records(client: Client, lately: World, mia: User) -> None:
    client.force_login(mia)
    assert f'data-src="{FLOW}?days=84"' in client.get(f"/boards/{NAME}/flow/?days=84").content.decode()
    page = client.get(f"{FLOW}?days=7").content.decode()

    assert "60 records went back from Ready to pick to Confirmed, waiting for stock" in page
    assert "60 records went to and fro between Confirmed, waiting for stock and Ready to pick" in page
    assert 'value="90000"' in page and 'value="93000"' in page
    assert f'href="{LIST}?days=7&amp;part=ready_to_pick~waiting_for_stock"' in page
    assert "100 % of the records that moved (60)" in page


def test_the_records_come_page_by_page_and_lead_to_their_timelines(client: Client, lately: World, mia: User) -> None:
    client.force_login(mia)
    first = client.get(f"{LIST}?days=7&part=ready_to_pick~waiting_for_stock").content.decode()
    assert first.index("/records/main/sale.order/60/") < first.index("/records/main/sale.order/59/")
    assert "/records/main/sale.order/10/" not in first and "offset=50" in first
    second = client.get(f"{LIST}?days=7&offset=50").content.decode()
    assert "/records/main/sale.order/10/" in second and "offset=100" not in second
    assert client.get("/records/main/sale.order/60/").status_code == 200
    assert "No such record" in client.get(f"{LIST}?part=closed").content.decode()


def listed(client: Client, address: str) -> str:
    """What an open page fetches by that address."""
    return " ".join(client.get(address, headers={"X-Fragment": "1"}).content.decode().split())


def test_the_page_stands_before_anything_was_looked_for(client: Client, lately: World, mia: User) -> None:
    client.force_login(mia)
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/findings/?days=7&workflow=order_to_cash").content.decode()

    assert not [one for one in asked.captured_queries if "workflows_transition" in one["sql"]]
    assert 'data-load data-src="/findings/?days=7&amp;workflow=order_to_cash"' in page and "records went back" not in page
    assert "The findings could not be worked out." in page.partition("<template data-failed>")[2].partition("</template>")[0]
    assert "60 records went back" in listed(client, "/findings/?days=7&workflow=order_to_cash")


def test_all_workflows_stand_on_one_page_and_as_a_sheet(client: Client, lately: World, mia: User) -> None:
    client.force_login(mia)
    assert "Rework · Order to cash" in listed(client, "/findings/")
    assert "Rework" not in listed(client, "/findings/?workflow=returns")
    answer = client.get("/findings/?format=csv")
    sheet = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "Rework,Order to cash,,60,60," in sheet and "90000 EUR" in sheet


def test_where_nothing_moved_it_says_so(client: Client, world: World, mia: User) -> None:
    client.force_login(mia)
    assert "No record moved in these days." in client.get(FLOW).content.decode()
    assert "No record moved in these days." in listed(client, "/findings/")


def test_what_was_looked_for_and_not_found_is_told_with_its_sample(client: Client, world: World, mia: User) -> None:
    world.now = clock.now()
    world.order(42, state="draft")
    client.force_login(mia)
    page = client.get(FLOW).content.decode()
    assert "Nothing found" in page and "Rework (records that moved: 1)" in " ".join(page.split())


@pytest.mark.parametrize(
    "address", ["/findings/?days=3", "/findings/?workflow=nothing", f"{LIST}?offset=x", f"{LIST}?part=%00", f"{FLOW}?other=1"]
)
def test_what_no_page_knows_is_refused(client: Client, world: World, mia: User, address: str) -> None:
    client.force_login(mia)
    assert client.get(address).status_code == 400


def test_there_is_no_page_of_a_finding_or_workflow_that_there_is_not(client: Client, world: World, mia: User) -> None:
    client.force_login(mia)
    for address in (f"/findings/nothing/{NAME}/", "/findings/rework/nothing/", "/boards/nothing/findings/"):
        assert client.get(address).status_code == 404


def test_programs_read_the_same(lately: World, mia: User) -> None:
    api = caller("mia", "read")
    told = api.get("findings/", workflow=NAME).json()["results"]
    rework = next(one for one in told if one["finding"] == "rework")
    assert (rework["count"], rework["sample"], rework["times"], rework["is_by_clock"]) == (60, 60, 60, True)
    assert {one["currency"]: one["amount"] for one in rework["amounts"]} == {"EUR": "90000.00", "CHF": "93000.00"}
    assert rework["parts"][0]["text"] == "60 records went back from Ready to pick to Confirmed, waiting for stock"
    asked = {"workflow": NAME, "part": rework["parts"][0]["part"]}
    first = api.get("findings/rework/records/", **asked).json()
    second = api.get("findings/rework/records/", **asked, offset=first["next_offset"]).json()
    assert len(first["results"]) == 50 and second["next_offset"] is None
    ids = [one["odoo_id"] for one in first["results"] + second["results"]]
    assert ids == list(range(60, 0, -1))
    assert api.get("findings/", connection="main", company=2).json()["results"][0]["count"] == 30


def test_who_sees_one_company_is_told_of_it_alone(lately: World, mia: User) -> None:
    mia.sees = [f"{lately.connection.pk}:2"]
    mia.save()
    told = caller("mia", "read").get("findings/").json()["results"]
    assert {one["sample"] for one in told} == {30}
    assert {money["currency"] for one in told for money in one["amounts"]} == {"CHF"}


@pytest.mark.parametrize(
    "asked",
    [{"days": 7}, {"workflow": "nothing"}, {"since": "soon"}, {"company": 2}, {"since": "2026-11-02", "until": "2026-11-01"}],
)
def test_what_the_api_does_not_know_is_refused(world: World, mia: User, asked: dict[str, Any]) -> None:
    api = caller("mia", "read")
    assert api.get("findings/", **asked).status_code == 400
    assert api.get("findings/rework/records/").status_code == 400
    assert api.get("findings/rework/records/", workflow=NAME, offset="x").status_code == 400
    assert api.get("findings/nothing/records/", workflow=NAME).status_code == 404


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One finding whose statement takes for ever, and a database that lets none run for longer than a second."""
    stuck = replace(catalogue.FINDINGS[0], found="slept AS MATERIALIZED (SELECT pg_sleep(3600)), " + NOTHING)
    monkeypatch.setattr(catalogue, "FINDINGS", (stuck,))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '1s'")
        yield
        cursor.execute("RESET statement_timeout")


@pytest.mark.django_db(transaction=True)
def test_what_takes_too_long_says_what_to_do(client: Client, world: World, mia: User, endless: None) -> None:
    answer = caller("mia", "read").get("findings/")
    assert (answer.status_code, answer.json()["code"]) == (422, "too_much_to_find")
    client.force_login(mia)
    for address in ("/findings/?format=csv", LIST):
        page = client.get(address)
        assert page.status_code == 422 and "Choose fewer days" in page.content.decode()


def test_the_cost_does_not_grow_with_the_records(lately: World, django_assert_num_queries: Callable[[int], Any]) -> None:
    now = clock.now()
    with django_assert_num_queries(1 + len(catalogue.FINDINGS)):
        summing.sums(since=now - timedelta(days=7), until=now, access_scope=EVERYTHING, workflows=registry.workflows().values())
    assert Position.objects.count() == 60
