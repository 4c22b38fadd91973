"""The exception queue and the page of one exception, as a browser asks for them."""

import re
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Team, User
from apps.audit.models import Entry
from apps.core import clock
from apps.exceptions.models import ExceptionCase, Status
from apps.exceptions.queue import filters, listing
from apps.notifications.models import Notification
from apps.odoo.models import Connection
from tests.world import World, person

# The frame around every page included: session, person, rail, freshness.
QUERIES = 12


@pytest.fixture
def case(world: World) -> ExceptionCase:
    world.now = clock.now() - timedelta(minutes=10)
    world.held_order(amount=6_200)
    return ExceptionCase.objects.get()


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def many(count: int) -> None:
    now = clock.now()
    connection, team = Connection.objects.get(), Team.objects.get(slug="finance")
    ExceptionCase.objects.bulk_create(
        ExceptionCase(
            connection=connection,
            type="order.credit_hold",
            workflow="order_to_cash",
            model="sale.order",
            odoo_id=1000 + number,
            record_name=f"S{1000 + number:05}",
            partner_name="Deco Addict",
            severity=number % 4 + 1,
            team=team,
            amount=number,
            currency="EUR",
            opened_at=now,
            due_at=now + timedelta(minutes=number // 3) if number % 10 else None,
            updated_at=now,
        )
        for number in range(count)
    )


def test_the_queue_shows_the_exception_with_its_stage_money_and_owner(case: ExceptionCase) -> None:
    page = signed_in("olga").get("/exceptions/").content.decode()
    for text in ("S00042", "Azure Interior", "Credit review", "Credit hold"):
        assert text in page


def test_paging_by_key_shows_every_exception_once(case: ExceptionCase) -> None:
    many(130)
    user, seen, query = User.objects.get(username="olga"), [], ""
    while True:
        page = listing.queue(
            dict(pair.split("=") for pair in query.replace("%3A", ":").replace("%2B", "+").split("&") if pair),
            known=filters.Known(user),
            access_scope=EVERYTHING,
            now=clock.now(),
        )
        seen += [row.case.id for row in page.rows]
        if not page.next_query:
            break
        query = page.next_query
    assert len(seen) == len(set(seen)) == 131


def test_the_query_string_is_the_view(case: ExceptionCase) -> None:
    many(20)
    client = signed_in("olga")
    assert "S00042" not in client.get("/exceptions/?q=deco").content.decode()
    assert "S00042" in client.get("/exceptions/?q=azure").content.decode()
    assert "No matches in this view." in client.get("/exceptions/?status=resolved").content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("severity=nonsense", "Severity: “nonsense”"),
        ("type=order.nothing", "Type: “order.nothing”"),
        ("status=lost", "Status: “lost”"),
        ("team=nobody", "Team: “nobody”"),
        ("owner=no-one", "Owner: “no-one”"),
        ("workflow=magic", "Workflow: “magic”"),
        ("stage=order_to_cash.moon", "Stage: “order_to_cash.moon”"),
        ("amount=much", "Amount at risk from: “much”"),
        ("amount=NaN", "Amount at risk from: “NaN”"),
        ("due=soon", "Due: “soon”"),
        ("sort=size", "Sort: “size”"),
        ("group=moon", "Group: “moon”"),
        ("connection=other", "Connection: “other”"),
        ("company=x", "Company: “x”"),
        ("sverity=3", "no filter “sverity”"),
        ("type=order.credit_hold,order.nothing", "Type: “order.credit_hold,order.nothing”"),
        ("q=a%00", "Record or customer: “a�”"),
    ],
)
def test_what_the_queue_does_not_know_is_refused_by_name(case: ExceptionCase, query: str, words: str) -> None:
    answer = signed_in("olga").get(f"/exceptions/?{query}")
    assert answer.status_code == 400
    page = answer.content.decode()
    assert words in page and "Clear filters" in page and "S00042" not in page.partition("ct-live")[2]
    assert signed_in("olga").get(f"/exceptions/export.csv?{query}").status_code == 400


def test_every_choice_that_the_queue_offers_is_known(case: ExceptionCase) -> None:
    page = signed_in("olga").get("/exceptions/").content.decode()
    form = page.partition('class="filters"')[2].partition("</form>")[0]
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        for value in re.findall(r'<option value="([^"]+)"', options):
            known = filters.Known(User.objects.get(username="olga"))
            assert not listing.problems_of({name: value}, known), (name, value)


def test_an_address_carries_no_empty_parameters(case: ExceptionCase) -> None:
    answer = signed_in("olga").get("/exceptions/?q=&type=&sort=money&group=")
    assert answer.status_code == 302 and answer["Location"] == "/exceptions/?sort=money"


def test_what_a_group_leads_to_is_the_group_and_no_more(case: ExceptionCase) -> None:
    ExceptionCase.objects.all().delete()
    many(9)
    ExceptionCase.objects.filter(odoo_id__lt=1004).update(partner_name="Deco Addict Export")
    ExceptionCase.objects.filter(odoo_id=1008).update(partner_name="")
    user = User.objects.get(username="olga")
    known, now = filters.Known(user), clock.now()
    page = listing.queue({"group": "customer"}, known=known, access_scope=EVERYTHING, now=now)
    assert {group.word: group.count for group in page.groups} == {"Deco Addict": 4, "Deco Addict Export": 4, "No customer": 1}
    for group in page.groups:
        assert listing.queue(dict(parse_qsl(group.query)), known=known, access_scope=EVERYTHING, now=now).total == group.count


def test_the_view_is_exported_with_the_columns_shown(case: ExceptionCase) -> None:
    many(3)
    ExceptionCase.objects.filter(odoo_id=1001).update(partner_name="=cmd()")
    client = signed_in("olga")
    answer = client.get("/exceptions/export.csv?sort=money")
    lines = b"".join(answer.streaming_content).decode().lstrip("\ufeff").splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("Severity,Record,Connection,Type,Customer,Amount at risk,Currency,Promised,Due,Opened,Owner,Team")
    assert len(lines) == 5 and "S00042" in lines[1] and "'=cmd()" in lines[3]
    client.cookies["queue_hidden"] = "severity.stage.nonsense"
    answer = client.get("/exceptions/export.csv?q=deco")
    lines = b"".join(answer.streaming_content).decode().lstrip("\ufeff").splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("Record,Connection,Type") and "Stage" not in lines[0] and len(lines) == 3


def test_an_automatic_closure_is_nobodys(case: ExceptionCase, world: World) -> None:
    many(2)
    by_hand = ExceptionCase.objects.get(odoo_id=1000)
    client = signed_in("olga")
    client.post(f"/exceptions/{by_hand.pk}/resolve/", {"resolution": "Prepaid"})
    world.order(amount=1)  # within the limit: it closes by itself
    world.write("x_ct_request", 900, x_state="cancelled")
    case.refresh_from_db()
    assert case.status == Status.RESOLVED and case.owner
    page = client.get(f"/exceptions/{case.pk}/").content.decode()
    assert "Closed automatically" in page and "Resolved by" not in page
    rows = client.get("/exceptions/?status=resolved").content.decode()
    assert rows.count("Auto-closed") == 1 and "Resolved by Olga" in rows
    other = ExceptionCase.objects.get(odoo_id=1001)
    around = client.get(f"/exceptions/{other.pk}/around/").content.decode()
    assert "automatically," in around and "Olga," in around


def test_who_may_see_it_is_offered_for_a_mention_and_a_mention_is_on_the_trail(case: ExceptionCase) -> None:
    person("max", "operator")
    far = person("mara", "operator")
    User.objects.filter(pk=far.pk).update(sees=[])
    client = signed_in("olga")
    found = client.get(f"/exceptions/{case.pk}/people/?q=M").json()["people"]
    assert [one["username"] for one in found] == ["max", "mia"]
    client.post(f"/exceptions/{case.pk}/comment/", {"text": "@max and @mara, look"})
    assert Entry.objects.get(action="exception.commented").data["mentioned"] == ["max"]
    assert [one.user.username for one in Notification.objects.filter(kind="exception.mentioned").select_related("user")] == ["max"]
    assert client.get(f"/exceptions/{case.pk}/people/?q=%00").json() == {"people": []}


@pytest.mark.parametrize(
    ("action", "data", "status"),
    [
        ("take", {}, Status.OPEN),
        ("acknowledge", {}, Status.ACKNOWLEDGED),
        ("snooze", {"hours": "4"}, Status.SNOOZED),
        ("resolve", {"resolution": "Prepaid"}, Status.RESOLVED),
        ("comment", {"text": "Called them"}, Status.OPEN),
    ],
)
def test_each_button_does_what_it_says(case: ExceptionCase, action: str, data: dict[str, str], status: str) -> None:
    answer = signed_in("olga").post(f"/exceptions/{case.id}/{action}/", data, follow=True)
    assert answer.status_code == 200
    case.refresh_from_db()
    assert case.status == status


def test_an_auditor_may_read_but_not_act(case: ExceptionCase) -> None:
    person("aida", "auditor")
    client = signed_in("aida")
    assert "can read exceptions but not change them" in client.get(f"/exceptions/{case.id}/").content.decode()
    assert client.post(f"/exceptions/{case.id}/take/").status_code == 403


def test_a_move_that_came_too_late_is_told_in_a_sentence(case: ExceptionCase) -> None:
    client = signed_in("olga")
    client.post(f"/exceptions/{case.id}/resolve/", {"resolution": "Prepaid"})
    answer = client.post(f"/exceptions/{case.id}/acknowledge/")
    assert answer.status_code == 409
    assert "is resolved" in answer.content.decode()


def test_the_queue_needs_a_bounded_number_of_queries(case: ExceptionCase, django_assert_max_num_queries) -> None:
    many(120)
    client = signed_in("olga")
    # Who asks first works out for a minute what is worked out once.
    client.get("/exceptions/?sort=money")
    for query in ("", "?owner=me", "?group=type", "?group=owner", "?q=deco&severity=2&team=mine&sort=money", "?status=resolved"):
        with django_assert_max_num_queries(QUERIES):
            assert client.get(f"/exceptions/{query}").status_code == 200
        with django_assert_max_num_queries(QUERIES):
            assert client.get(f"/exceptions/{query}", headers={"X-Fragment": "1"}).status_code == 200


def rows_of(client: Client) -> str:
    """The rows of the table that ``client`` is shown."""
    return client.get("/exceptions/").content.decode().partition('id="rows"')[2].partition("</tbody>")[0]


def test_a_row_that_was_drawn_before_shows_what_became_of_it_since(case: ExceptionCase) -> None:
    client = signed_in("olga")
    assert "unassigned" not in rows_of(client)
    ExceptionCase.objects.update(owner=None)
    assert "unassigned" in rows_of(client)
    client.post(f"/exceptions/{case.id}/take/")
    assert "unassigned" not in rows_of(client) and "Olga" in rows_of(client)
    User.objects.filter(username="olga").update(first_name="Olga-Maria")
    assert "Olga-Maria" in rows_of(client)
    person("aida", "auditor")
    assert "pick needs-js" in rows_of(client) and "pick needs-js" not in rows_of(signed_in("aida"))
