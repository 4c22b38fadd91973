"""The inbox with more requests than a page: paged, filtered, sorted, grouped; counts that agree; decisions in time order."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.approvals.inbox import listing
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.core import clock
from tests.world import World

MANY, PAGE = 9, 6


@pytest.fixture
def many(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Nine orders on hold for three customers, each of another amount, the later ones due later; six fit on a page."""
    monkeypatch.setattr(listing, "PAGE", PAGE)
    world.now = clock.now() - timedelta(minutes=30)
    world.customer(51, name="Deco Addict", credit_limit=100)
    world.customer(52, name="Gemini", credit_limit=100)
    for number in range(MANY):
        world.now += timedelta(seconds=10)
        with world.at_once():
            world.order(100 + number, amount=6_000 + number, partner=50 + number % 3)
            world.ask(100 + number, ask_id=1_000 + number)
    assert Request.objects.count() == MANY
    return world


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def names_on(page: str) -> list[str]:
    return re.findall(r'id="ask-\d+".*?data-open[^>]*>(S\d{5})', page, re.DOTALL)


def every_page(client: Client, address: str) -> list[list[str]]:
    pages, query = [], address
    while query:
        page = client.get(query).content.decode()
        pages.append(names_on(page))
        following = re.search(r'rel="next" href="[^"?]*(\?[^"]+)"', page)
        query = address.partition("?")[0] + following[1].replace("&amp;", "&") if following else ""
        assert len(pages) < 9
    return pages


@pytest.mark.parametrize("query", ["", "?sort=amount", "?sort=new", "?group=customer", "?group=kind&sort=amount", "?group=asker"])
def test_every_request_is_reached_and_each_once(many: World, query: str) -> None:
    pages = every_page(signed_in("adam"), f"/approvals/{query}")
    assert len(pages) == 2 and len(pages[0]) == PAGE
    assert sorted(pages[0] + pages[1]) == [f"S{100 + number:05}" for number in range(MANY)]


def test_a_request_decided_between_two_pages_hides_no_other(many: World) -> None:
    client = signed_in("adam")
    first = client.get("/approvals/").content.decode()
    following = re.search(r'rel="next" href="[^"?]*(\?[^"]+)"', first)
    assert following
    moves.approve(Request.objects.get(record_name=names_on(first)[0]).pk, by=User.objects.get(username="adam"), now=clock.now())
    second = client.get("/approvals/" + following[1].replace("&amp;", "&")).content.decode()
    assert len(names_on(second)) == MANY - PAGE


def test_the_count_is_the_same_on_home_in_the_badge_and_in_the_inbox(many: World) -> None:
    client = signed_in("adam")
    home, inbox = client.get("/").content.decode(), client.get("/approvals/").content.decode()
    assert f"{MANY} approvals to decide" in home and f"{MANY} approvals to decide" in inbox
    assert re.search(rf'rail-count">{MANY}<', home)
    assert re.search(rf'tile-number">{MANY}<', home)


def test_the_inbox_is_searched_sorted_filtered_and_grouped(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", MANY)
    client = signed_in("adam")

    def names(query: str) -> list[str]:
        return names_on(client.get(f"/approvals/?{query}").content.decode())

    assert names("q=deco&sort=amount")[0] == "S00107" and len(names("q=deco")) == MANY // 3
    assert names("q=s00103") == ["S00103"]
    assert names("sort=amount")[0] == "S00108"
    assert names("kind=procurement_threshold") == []
    assert names("due=late") == []
    page = client.get("/approvals/?group=customer").content.decode()
    assert re.findall(r"<summary><h3>(.*?)</h3><span class=\"count\">(\d+)<", page) == [
        ("Azure Interior", "3"),
        ("Deco Addict", "3"),
        ("Gemini", "3"),
    ]


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("/approvals/?kind=nonsense", "Type: “nonsense”"),
        ("/approvals/?sort=size", "Sort: “size”"),
        ("/approvals/?group=moon", "Group: “moon”"),
        ("/approvals/?due=soon", "Due: “soon”"),
        ("/approvals/?custmer=x", "no filter “custmer”"),
        ("/approvals/?q=a%00b", "Record or customer: “a�b”"),
        ("/approvals/?connection=other", "Connection: “other”"),
        ("/approvals/history/?status=lost", "Decision: “lost”"),
        ("/approvals/history/?by=them", "Decided by: “them”"),
    ],
)
def test_an_unknown_filter_is_refused_by_name(many: World, address: str, word: str) -> None:
    answer = signed_in("adam").get(address)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert word in page and "Clear filters" in page and not names_on(page)


def test_an_address_carries_no_empty_parameters(many: World) -> None:
    answer = signed_in("adam").get("/approvals/?q=&kind=&sort=amount&due=")
    assert answer.status_code == 302 and answer["Location"] == "/approvals/?sort=amount"
    assert signed_in("adam").get("/approvals/history/?q=")["Location"] == "/approvals/history/"


@pytest.mark.parametrize("cursor", ["x", "W10", "WyIxIl0", "%00", "WyJ4IiwgInkiXQ", "a" * 5_000, "W1tbW1tbW1tbW1tbW1tb"])
def test_a_broken_cursor_begins_anew(many: World, cursor: str) -> None:
    answer = signed_in("adam").get(f"/approvals/?after={cursor}")
    assert answer.status_code == 200 and len(names_on(answer.content.decode())) == PAGE


def test_what_others_decide_is_counted_and_has_pages_of_its_own(many: World) -> None:
    page = signed_in("olga").get("/approvals/").content.decode()
    assert "caught up" in page and f"Show all {MANY}" in page
    assert len(every_page(signed_in("olga"), "/approvals/?whose=others")) == 2


def test_decisions_are_listed_by_when_they_were_taken(many: World) -> None:
    adam, now = User.objects.get(username="adam"), clock.now()
    order = ["S00106", "S00101", "S00108", "S00105"]
    for minutes, name in enumerate(order):
        moves.approve(Request.objects.get(record_name=name).pk, by=adam, now=now + timedelta(minutes=minutes))
    client = signed_in("adam")
    page = client.get("/approvals/history/").content.decode()
    assert names_on(page) == order[::-1]
    assert names_on(client.get("/approvals/history/?q=S00108&status=approved&by=me").content.decode()) == ["S00108"]
    assert names_on(client.get("/approvals/history/?status=rejected").content.decode()) == []


def test_decisions_page_by_key(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    adam, now = User.objects.get(username="adam"), clock.now()
    for asked in Request.objects.all()[:7]:
        moves.approve(asked.pk, by=adam, now=now)  # all at the same moment
    monkeypatch.setattr(listing, "PAGE", 3)
    pages = every_page(signed_in("adam"), "/approvals/history/")
    assert [len(page) for page in pages] == [3, 3, 1] and len({name for page in pages for name in page}) == 7


def test_a_page_costs_the_same_queries_however_many_wait(many: World, django_assert_max_num_queries: Callable[..., object]) -> None:
    client = signed_in("adam")
    for address in ("/approvals/", "/approvals/?group=customer", "/approvals/history/"):
        with django_assert_max_num_queries(24):  # type: ignore[attr-defined]
            client.get(address)


def test_a_request_older_than_its_kinds_words_stops_no_page(many: World) -> None:
    asked = Request.objects.get(record_name="S00100")
    Request.objects.filter(pk=asked.pk).update(context={})
    client = signed_in("adam")
    for address in ("/", "/approvals/", f"/approvals/{asked.pk}/"):
        answer = client.get(address)
        assert answer.status_code == 200 and "S00100" in answer.content.decode()


def test_the_largest_are_found_across_currencies_on_every_page(many: World) -> None:
    """6,007 euros are more than 10,000 yen, and less than 6,004 dinars."""
    world = many
    for number, (name, digits, rate) in enumerate([("KWD", 3, 0.34), ("JPY", 0, 160)], start=2):
        world.write("res.currency", number, name=name, decimal_places=digits, active=True)
        world.write("res.currency.rate", number * 10, name="2026-11-01", currency_id=number, rate=rate)
        world.write("res.company", number, name=f"In {name}", currency_id=number, partner_id=1)
    Request.objects.filter(record_name="S00108").update(amount=10_000, currency="JPY")
    Request.objects.filter(record_name="S00104").update(currency="KWD")
    pages = every_page(signed_in("adam"), "/approvals/?sort=amount")
    names = [name for page in pages for name in page]
    assert len(names) == MANY == len(set(names))
    assert (names[0], names[1], names[-1]) == ("S00104", "S00107", "S00108")
