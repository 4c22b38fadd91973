"""The exception queue and the page of one exception, as a browser asks for them."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import Team, User
from apps.accounts.sight import EVERYTHING
from apps.core import clock
from apps.exceptions import filters, listing
from apps.exceptions.models import ExceptionCase, Status
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
            connection=connection, type="order.credit_hold", workflow="order_to_cash", model="sale.order", odoo_id=1000 + number,
            record_name=f"S{1000 + number:05}", partner_name="Deco Addict", severity=number % 4 + 1, team=team, amount=number,
            currency="EUR", opened_at=now, due_at=now + timedelta(minutes=number // 3) if number % 10 else None, updated_at=now,
        )
        for number in range(count)
    )  # fmt: skip


def test_the_queue_shows_the_exception_with_its_stage_money_and_owner(case: ExceptionCase) -> None:
    page = signed_in("olga").get("/exceptions/").content.decode()
    for text in ("S00042", "Azure Interior", "Credit review", "Credit hold"):
        assert text in page


def test_paging_by_key_shows_every_exception_once(case: ExceptionCase) -> None:
    many(130)
    user, seen, query = User.objects.get(username="olga"), [], ""
    while True:
        page = listing.queue(dict(pair.split("=") for pair in query.replace("%3A", ":").replace("%2B", "+").split("&") if pair),
                             known=filters.Known(user), seen=EVERYTHING, now=clock.now())  # fmt: skip
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
    assert "Nothing matches this view." in client.get("/exceptions/?status=resolved").content.decode()
    assert "Nothing matches this view." in client.get("/exceptions/?severity=nonsense").content.decode()


@pytest.mark.parametrize(("action", "data", "status"), [
    ("take", {}, Status.OPEN),
    ("acknowledge", {}, Status.ACKNOWLEDGED),
    ("snooze", {"hours": "4"}, Status.SNOOZED),
    ("resolve", {"resolution": "Prepaid"}, Status.RESOLVED),
    ("comment", {"text": "Called them"}, Status.OPEN),
])  # fmt: skip
def test_each_button_does_what_it_says(case: ExceptionCase, action: str, data: dict[str, str], status: str) -> None:
    answer = signed_in("olga").post(f"/exceptions/{case.id}/{action}/", data, follow=True)
    assert answer.status_code == 200
    case.refresh_from_db()
    assert case.status == status


def test_an_auditor_may_read_but_not_act(case: ExceptionCase) -> None:
    person("aida", "auditor")
    client = signed_in("aida")
    assert "may read exceptions, not work on them" in client.get(f"/exceptions/{case.id}/").content.decode()
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
    client.get("/exceptions/")
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
    assert "nobody" not in rows_of(client)
    ExceptionCase.objects.update(owner=None)
    assert "nobody" in rows_of(client)
    client.post(f"/exceptions/{case.id}/take/")
    assert "nobody" not in rows_of(client) and "Olga" in rows_of(client)
    User.objects.filter(username="olga").update(first_name="Olga-Maria")
    assert "Olga-Maria" in rows_of(client)
    person("aida", "auditor")
    assert "pick needs-js" in rows_of(client) and "pick needs-js" not in rows_of(signed_in("aida"))
