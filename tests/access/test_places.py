"""Choosing, in the header, which connection and company the pages show."""

from typing import Any

import pytest
from django.test import Client

from apps.boards.records import layout
from tests.access.conftest import MARK
from tests.access.test_nothing_leaks import browser, shows_mark
from tests.world import World

SHOWN = "Sichtbar"


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def choose(client: Client, place: str, next_: str = "/exceptions/") -> Any:
    return client.post("/place/", {"place": place, "next": next_})


@pytest.mark.parametrize("path", ["/exceptions/", "/approvals/", "/boards/order_to_cash/credit_review/"])
def test_a_choice_narrows_every_list_until_all_is_chosen_again(main: World, hidden: World, path: str) -> None:
    client, own = browser("max"), main.connection.pk
    for place, shown, marked in [
        ("", True, True),
        (f"{own}:1", True, False),
        (f"{own}:2", False, True),
        (f"{hidden.connection.pk}", False, True),
        ("", True, True),
    ]:
        choose(client, place)
        text = client.get(path, headers={"X-Fragment": "1"}).content.decode()
        assert (SHOWN in text, MARK in text) == (shown, marked), place


@pytest.mark.parametrize("path", ["/exceptions/", "/approvals/", "/boards/order_to_cash/credit_review/"])
def test_an_address_narrows_its_own_page_alone(main: World, hidden: World, path: str) -> None:
    client = browser("max")
    for query, shown, marked in [
        ("connection=main&company=1", True, False),
        ("connection=main&company=2", False, True),
        (f"connection={MARK.lower()}", False, True),
        ("connection=nowhere", False, False),
        ("connection=main&company=x", False, False),
        ("", True, True),
    ]:
        text = client.get(f"{path}?{query}", headers={"X-Fragment": "1"}).content.decode()
        assert (SHOWN in text, MARK in text) == (shown, marked), query


def test_a_board_watches_the_part_that_it_shows(main: World, hidden: World) -> None:
    client, own = browser("max"), main.connection.pk
    assert 'topic="board:order_to_cash"' in text_of(client, "/boards/order_to_cash/")
    assert f'topic="board:order_to_cash@{own}:2"' in text_of(client, "/boards/order_to_cash/?connection=main&company=2")
    choose(client, f"{own}")
    assert f'topic="board:order_to_cash@{own}"' in text_of(client, "/boards/order_to_cash/")


def test_what_leads_to_one_thing_is_not_narrowed(main: World, hidden: World) -> None:
    client = browser("max")
    choose(client, f"{main.connection.pk}:1")
    assert client.get("/records/main/sale.order/2000/").status_code == 200


def test_nobody_chooses_what_they_may_not_see(main: World, hidden: World) -> None:
    client = browser("olga")
    for place in [f"{main.connection.pk}:2", f"{hidden.connection.pk}", "x", "1:2:3", "9" * 30, "-1", f"{main.connection.pk}:\x00"]:
        assert choose(client, place).status_code == (400 if "\x00" in place else 302)
        for path in ("/exceptions/", "/boards/", "/"):
            assert not shows_mark(client.get(path))
    for query in ("connection=main&company=2", f"connection={MARK.lower()}"):
        answer = client.get(f"/exceptions/?{query}", headers={"X-Fragment": "1"})
        assert MARK not in answer.content.decode() and SHOWN not in answer.content.decode()


def test_the_header_offers_what_there_is_to_choose_from(main: World, hidden: World) -> None:
    everything = text_of(browser("max"), "/")
    for words in ("All companies", f"{MARK} Ltd", "Sichtbar Ltd", MARK.lower()):
        assert words in everything
    assert "All companies" not in text_of(browser("olga"), "/")


def test_after_choosing_one_is_where_one_was_without_the_part_that_the_address_named(main: World) -> None:
    client = browser("max")
    answer = choose(client, "", "/exceptions/?owner=me&connection=main&company=1&after=x~1")
    assert answer["Location"] == "/exceptions/?owner=me"
    assert choose(client, "", "//elsewhere.test/")["Location"] == "/"


def test_the_frame_asks_for_connections_and_companies_at_once(main: World, hidden: World, django_assert_num_queries: Any) -> None:
    from apps.accounts.access import EVERYTHING

    with django_assert_num_queries(1):
        known = layout.connections_of(EVERYTHING)
        assert len(layout.places(known, EVERYTHING, None)) == 4


@pytest.mark.parametrize(
    ("address", "count"),
    [
        ("boards/order_to_cash/?connection=main&company=2", 1),
        ("boards/order_to_cash/?connection=main", 2),
        ("boards/order_to_cash/", 3),
        ("boards/order_to_cash/?connection=nowhere", 0),
    ],
)
def test_the_api_narrows_a_board_as_it_is_asked(main: World, hidden: World, address: str, count: int) -> None:
    stages = {stage["stage"]: stage["count"] for stage in browser("max").get(f"/api/v1/{address}").json()["stages"]}
    assert stages["credit_review"] == count


@pytest.mark.parametrize("path", ["exceptions/", "approvals/", "records/sale.order/", "commands/"])
def test_the_api_filters_by_company(main: World, hidden: World, path: str) -> None:
    client = browser("anna")
    first, second = (client.get(f"/api/v1/{path}?connection=main&company={number}").content.decode() for number in (1, 2))
    assert MARK not in first and MARK in second and SHOWN not in second
    assert client.get(f"/api/v1/{path}?company=x").status_code == 400


def test_a_company_alone_narrows_no_figures(main: World) -> None:
    client = browser("anna")
    for address in ("kpis/?company=1", "kpis/?connection=main&company=x", "boards/order_to_cash/?company=2"):
        assert client.get(f"/api/v1/{address}").status_code == 400
