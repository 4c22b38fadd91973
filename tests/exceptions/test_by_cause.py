"""The queue by cause: one line a cause, with what is open of it, and one click to each exception by itself."""

from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts import access
from apps.accounts.models import Role, Team, User
from apps.exceptions.bulk import jobs
from apps.exceptions.choices import JobState
from apps.exceptions.models import BulkJob, CauseGroup, ExceptionCase, Status
from apps.exceptions.queue import listing
from apps.exceptions.queue.by_cause import GroupRow
from apps.exceptions.queue.filters import Known
from apps.exceptions.queue.orders import ORDERS
from tests.api.callers import caller
from tests.trade import LAMP, days, larger_company, purchase, sale
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    person("paula", Role.OPERATOR, team="purchasing")
    person("mia", Role.MANAGER, team="sales")
    made = larger_company()
    with made.at_once():
        for vendor, first in ((60, 90), (61, 95)):
            for order in range(first, first + 3):
                purchase(
                    made, order, partner_id=vendor, acknowledged=False, product=LAMP, quantity=order, date_approve=days(made, -9)
                )
        # One that stands alone.
        made.write("res.partner", 63, name="Single Source", commercial_partner_id=63)
        purchase(made, 99, partner_id=63, acknowledged=False, product=LAMP, date_approve=days(made, -9))
    return made


def shown(query: str, who: str = "mia", world: World | None = None) -> listing.Queue:
    user = User.objects.get(username=who)
    given = {name: value for name, value in QueryDict(query).items() if isinstance(value, str)}
    return listing.queue(given, known=Known(user), access_scope=access.scope_of(user), now=world.now if world else timezone.now())


def lines(queue: listing.Queue) -> list[str]:
    return [f"{row.group.name} {row.matching}" if isinstance(row, GroupRow) else row.case.record_name for row in queue.rows]


def test_a_cause_of_several_is_one_line_and_what_stands_alone_is_its_own(world: World) -> None:
    assert sorted(lines(shown(""))) == ["Fjord Furniture 3", "Nordic Timber 3", "P00099"]


def test_each_by_itself_is_one_click_away(world: World) -> None:
    assert len(lines(shown("group=none"))) == 7
    group = CauseGroup.objects.get(name="Nordic Timber")
    assert sorted(lines(shown(f"cause={group.pk}"))) == ["P00090", "P00091", "P00092"]


def test_a_filter_shows_the_causes_of_what_it_lets_through_and_how_much_of_them(world: World) -> None:
    case = ExceptionCase.objects.get(odoo_id=90)
    case.owner = User.objects.get(username="mia")
    case.save()
    assert lines(shown("owner=me")) == ["Nordic Timber 1"]
    assert lines(shown("q=P00099")) == ["P00099"]
    assert lines(shown("q=nothing+like+it")) == []


@pytest.mark.parametrize("sort", sorted(ORDERS))
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_go_on_where_the_one_before_ended(world: World, sort: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Equal keys everywhere: groups and exceptions that came in the same moment.
    whole = lines(shown(f"sort={sort}"))
    assert len(whole) == 3
    monkeypatch.setattr(listing, "PAGE", size)
    found, query = [], f"sort={sort}"
    for _ in range(10):
        page = shown(query)
        found += lines(page)
        if not page.next_query:
            break
        query = page.next_query
    assert found == whole
    assert parse_qs(query)["sort"] == [sort]


def test_money_and_clock_of_a_line_are_those_of_all_its_exceptions(world: World) -> None:
    group = CauseGroup.objects.get(name="Nordic Timber")
    members = ExceptionCase.objects.filter(group=group)
    assert group.amount == sum((case.amount for case in members if case.amount is not None), Decimal(0))
    assert group.due_at == min(case.due_at for case in members if case.due_at)


def test_what_is_done_to_a_line_is_done_to_all_of_it(world: World, client: Client) -> None:
    mia = User.objects.get(username="mia")
    client.force_login(mia)
    group = CauseGroup.objects.get(name="Nordic Timber")
    answer = client.post("/exceptions/do/", {"move": "take", "ids": f"g{group.pk}"}, headers={"accept": "application/json"})
    assert answer.json()["ids"] == [f"g{group.pk}"]
    while jobs.work(now=world.now):
        pass
    job = BulkJob.objects.get()
    assert (job.total, job.state) == (3, JobState.DONE)
    assert set(ExceptionCase.objects.filter(group=group).values_list("owner__username", flat=True)) == {"mia"}
    group.refresh_from_db()
    assert group.owner == mia
    # What joins later is hers as well.
    world.advance(hours=1)
    purchase(world, 93, partner_id=60, acknowledged=False, quantity=77, date_approve=days(world, -9))
    assert ExceptionCase.objects.get(odoo_id=93).owner == mia


def test_a_line_that_is_resolved_ends_and_its_page_says_how(world: World, client: Client) -> None:
    client.force_login(User.objects.get(username="mia"))
    group = CauseGroup.objects.get(name="Nordic Timber")
    given = {"move": "resolve", "resolution": "They called", "ids": f"g{group.pk}"}
    client.post("/exceptions/do/", given, headers={"accept": "application/json"})
    while jobs.work(now=world.now):
        pass
    assert not ExceptionCase.objects.filter(group=group).exclude(status=Status.RESOLVED).exists()
    page = client.get(f"/exceptions/causes/{group.pk}/").content.decode()
    assert "0 closed automatically, 3 resolved by people." in page
    assert "3 × They called" in page


def test_the_page_names_the_cause_whom_it_holds_up_and_what_that_risks(world: World, client: Client) -> None:
    with world.at_once():
        sale(world, 41, quantity=10, promised_in=3)
        sale(world, 42, quantity=12, promised_in=4, partner=51)
        purchase(world, 80, quantity=40, expected_in=20)
    client.force_login(User.objects.get(username="mia"))
    group = CauseGroup.objects.get(kind="purchase_order", odoo_id=80)
    page = client.get(f"/exceptions/causes/{group.pk}/").content.decode()
    for words in ("P00080", "Nordic Timber", "S00041", "S00042", "Supplier delay", "Azure Interior", "Gemini", "2,200"):
        assert words in page
    panel = client.get(f"/exceptions/causes/{group.pk}/", headers={"X-Fragment": "panel"})
    assert "<html" not in panel.content.decode()


def test_a_cause_of_a_company_out_of_sight_is_not_there(world: World, client: Client) -> None:
    with world.at_once():
        world.write("res.company", 2, name="Sued", currency_id=1, partner_id=1)
        for order in (110, 111):
            purchase(world, order, company_id=2, partner_id=61, acknowledged=False, date_approve=days(world, -9))
    olga = person("olga", Role.OPERATOR, team="purchasing")
    User.objects.filter(pk=olga.pk).update(sees=[f"{world.connection.pk}:1"])
    other = CauseGroup.objects.get(company_id=2)
    client.force_login(olga)
    assert client.get(f"/exceptions/causes/{other.pk}/").status_code == 404
    assert all(not line.startswith("Fjord Furniture 2") for line in lines(shown("", "olga")))


def test_programs_read_causes_and_what_they_hold_up(world: World) -> None:
    mia = caller("mia", "read")
    found = {one["cause"]["name"]: one for one in mia.get("cause-groups/?state=open&kind=silent_vendor").json()["results"]}
    one = found["Nordic Timber"]
    assert (one["exceptions_count"], one["kind"], one["cause"]["model"]) == (3, "silent_vendor", "res.partner")
    assert mia.get(f"cause-groups/{one['id']}/").json() == one
    members = mia.get(f"exceptions/?cause_group={one['id']}").json()["results"]
    assert {member["record"]["odoo_id"] for member in members} == {90, 91, 92}
    assert {member["cause_group"] for member in members} == {one["id"]}
    assert mia.get("cause-groups/?kind=nonsense").status_code == 400
    assert mia.get("cause-groups/0/").status_code == 404


def test_a_record_and_an_exception_name_their_cause(world: World, client: Client) -> None:
    client.force_login(User.objects.get(username="mia"))
    group = CauseGroup.objects.get(name="Nordic Timber")
    case = ExceptionCase.objects.get(odoo_id=90)
    link = f'href="/exceptions/causes/{group.pk}/"'
    assert link in client.get("/records/main/purchase.order/90/").content.decode()
    assert link in client.get(f"/exceptions/{case.pk}/").content.decode()
    alone = ExceptionCase.objects.get(odoo_id=99)
    assert "/exceptions/causes/" not in client.get(f"/exceptions/{alone.pk}/").content.decode()


def test_a_page_costs_the_same_however_many_causes_there_are(world: World, client: Client) -> None:
    client.force_login(User.objects.get(username="mia"))
    client.get("/exceptions/")

    def cost() -> int:
        with CaptureQueriesContext(connection) as taken:
            assert client.get("/exceptions/", headers={"X-Fragment": "list"}).status_code == 200
        return len(taken)

    before = cost()
    with world.at_once():
        for vendor in range(200, 220):
            world.write("res.partner", vendor, name=f"Vendor {vendor}", commercial_partner_id=vendor)
            for number in range(2):
                purchase(
                    world,
                    vendor * 10 + number,
                    partner_id=vendor,
                    acknowledged=False,
                    quantity=vendor,
                    date_approve=days(world, -9),
                )
    assert cost() == before
    assert before <= 12
