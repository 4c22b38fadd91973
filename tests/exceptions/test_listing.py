"""The queue's query string, its orders, its groups and the views that people keep."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Team, User
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase, SavedView
from apps.exceptions.queue import counts, filters, groups, listing, orders, saved
from apps.workflows import registry
from tests.world import World


@pytest.fixture
def queue(world: World) -> World:
    """Sixty open exceptions of three types, three customers and both kinds of ownership, and ten that have ended."""
    olga = User.objects.get(username="olga")
    teams = list(Team.objects.filter(slug__in=["finance", "sales"]).order_by("slug"))
    types = ["order.credit_hold", "order.possible_duplicate", "order.price_limit"]
    ExceptionCase.objects.bulk_create(
        ExceptionCase(
            connection=world.connection,
            type=types[number % 3],
            workflow="order_to_cash",
            model="sale.order",
            odoo_id=7000 + number,
            company_id=1 + number % 2,
            record_name=f"S{7000 + number}",
            partner_name=["Azure", "Gemini", "Deco"][number % 3 - 1],
            severity=1 + number % 4,
            team=teams[number % 2],
            owner=olga if number % 5 == 0 else None,
            amount=Decimal(10) ** (number % 5),
            currency="EUR",
            stage="credit_review" if number % 2 else "quotation",
            opened_at=world.now - timedelta(hours=number),
            due_at=world.now + timedelta(hours=number - 30),
            updated_at=world.now,
            status="resolved" if number >= 60 else "open",
            resolved_at=world.now if number >= 60 else None,
        )
        for number in range(70)
    )
    return world


def shown(queue: World, query: str, access_scope: AccessScope = EVERYTHING, who: str = "olga") -> listing.Queue:
    known = filters.Known(User.objects.get(username=who))
    return listing.queue(dict(parse_qsl(query)), known=known, access_scope=access_scope, now=queue.now)


def cases(page: listing.Queue) -> list[ExceptionCase]:
    return [row.case for row in page.rows]


def test_money_brings_an_exception_forward_by_six_hours_for_each_digit(queue: World) -> None:
    ranks = [case.rank for case in cases(shown(queue, ""))]
    assert ranks == sorted(ranks)
    poor, rich = ExceptionCase.objects.create(**like(queue, 1, 9)), ExceptionCase.objects.create(**like(queue, 2, 99_999))
    assert poor.rank - rich.rank == 4 * 6 * 3600


def like(queue: World, number: int, amount: int) -> dict[str, object]:
    return {
        "connection": queue.connection,
        "type": "order.credit_hold",
        "workflow": "order_to_cash",
        "model": "sale.order",
        "odoo_id": number,
        "record_name": f"S{number}",
        "severity": 1,
        "team": Team.objects.get(slug="sales"),
        "amount": amount,
        "opened_at": queue.now,
        "due_at": queue.now,
        "updated_at": queue.now,
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 60),
        ("owner=me", 12),
        ("owner=none", 48),
        ("owner=olga", 12),
        ("owner=nobody-known", 0),
        ("team=mine", 30),
        ("team=sales", 30),
        ("type=order.credit_hold", 20),
        ("type=order.credit_hold,order.price_limit", 40),
        ("severity=4", 15),
        ("severity=nonsense", 0),
        ("status=resolved", 10),
        ("status=any", 70),
        ("stage=credit_review", 30),
        ("stage=order_to_cash.credit_review", 30),
        ("workflow=invoicing", 0),
        ("amount=1000", 24),
        ("amount=much", 0),
        ("q=gemini", 20),
        ("q=s7059", 1),
        ("q=s7", 60),
        ("q=59", 0),
        ("due=late", 31),
        ("due=nonsense", 0),
        ("q=deco&severity=3&owner=none", 8),
    ],
)
def test_each_filter_shows_what_it_says(queue: World, query: str, count: int) -> None:
    assert shown(queue, query).total == count


def test_a_view_holds_only_what_is_in_sight(queue: World) -> None:
    one_company = AccessScope(frozenset({(queue.connection.pk, 1)}))
    page = shown(queue, "", one_company)
    assert page.total == 30
    assert {case.company_id for case in cases(page)} == {1}
    assert next(view.count for view in page.views if view.word == "Unassigned") == 24


@pytest.mark.parametrize("sort", list(orders.ORDERS))
def test_every_order_pages_by_key_and_shows_each_exception_once(queue: World, sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 7)
    query, found = f"sort={sort}", []
    while query:
        page = shown(queue, query)
        found += cases(page)
        query = page.next_query
    assert len(found) == len({case.pk for case in found}) == 60
    keys = [case.key for case in found]
    assert keys == sorted(keys, reverse=orders.ORDERS[sort].falls)


@pytest.mark.parametrize("size", [7, 60])
def test_of_any_status_what_is_open_comes_first_and_each_exception_once(
    queue: World, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", size)
    query, found = "status=any&sort=money", []
    while query:
        page = shown(queue, query)
        found += cases(page)
        query = page.next_query
    assert len(found) == len({case.pk for case in found}) == 70
    assert [case.status == "resolved" for case in found] == [False] * 60 + [True] * 10
    amounts = [case.amount for case in found[:60]]
    assert amounts == sorted(amounts, reverse=True)
    assert len(shown(queue, "status=any&after=7!x~1").rows) == size


@pytest.mark.parametrize("cursor", ["~", "x~1", "5", "1~99999999999999999999", "NaN~4", "2026-01-01~3", "~7"])
@pytest.mark.parametrize("sort", list(orders.ORDERS))
def test_a_broken_cursor_begins_anew(queue: World, sort: str, cursor: str) -> None:
    assert len(shown(queue, f"sort={sort}&after={cursor}").rows) == listing.PAGE


@pytest.mark.parametrize("group", list(groups.GROUPED))
def test_groups_hold_together_what_they_say(queue: World, group: str) -> None:
    page = shown(queue, f"group={group}&owner=none" if group != "owner" else "group=owner")
    assert sum(one.count for one in page.groups) == page.total
    for one in page.groups:
        assert 0 < len(one.rows) <= groups.IN_A_GROUP
        # What a group leads to is the group, whole.
        assert shown(queue, one.query).total == one.count
    first = [one.rows[0].case.rank for one in page.groups]
    assert first == sorted(first)


def test_counts_stop_where_nobody_reads_on(queue: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "COUNTED", 20)
    page = shown(queue, "")
    assert page.total == 21
    assert counts.words_of(page.total) == "20+"


def test_a_saved_view_is_kept_for_oneself_or_for_a_team(queue: World) -> None:
    olga, adam = User.objects.get(username="olga"), User.objects.get(username="adam")
    saved.save("Big ones", query={"amount": "1000", "case": "7", "sort": "money"}, team="", by=olga, now=queue.now)
    saved.save("Held", query={"type": "order.credit_hold"}, team="finance", by=olga, now=queue.now)
    mine = {view.word: (view.query, view.count) for view in shown(queue, "").views if view.id}
    assert mine == {"Big ones": ("amount=1000&sort=money", 24), "Held": ("type=order.credit_hold", 20)}
    assert [view.word for view in shown(queue, "", who="adam").views if view.id] == ["Held"]
    assert next(view.is_here for view in shown(queue, "type=order.credit_hold").views if view.word == "Held")
    with pytest.raises(moves.MoveRefusedError):
        saved.forget(SavedView.objects.get(name="Big ones").pk, by=adam)
    saved.forget(SavedView.objects.get(name="Held").pk, by=adam)
    assert not SavedView.objects.filter(name="Held").exists()


def test_nobody_shares_a_view_with_a_team_that_they_are_not_in(queue: World) -> None:
    with pytest.raises(moves.MoveRefusedError, match="Only the members"):
        saved.save("Theirs", query={}, team="sales", by=User.objects.get(username="olga"), now=queue.now)


def test_an_exception_knows_its_stage_and_what_was_promised(world: World) -> None:
    promised = world.now + timedelta(days=3)
    world.order(commitment_date=f"{promised:%Y-%m-%d %H:%M:%S}")
    world.ask()
    case = ExceptionCase.objects.get()
    assert (case.stage, case.promised_at) == ("credit_review", promised)
    later = promised + timedelta(days=1)
    world.advance(minutes=1)
    world.order(commitment_date=f"{later:%Y-%m-%d %H:%M:%S}")
    case.refresh_from_db()
    assert case.promised_at == later


def test_every_promise_is_a_column_that_its_workflow_knows() -> None:
    from apps.workflows import compile as compiled

    for workflow in registry.workflows().values():
        assert not workflow.promise or workflow.promise in compiled.known_columns(workflow), workflow.name


@pytest.mark.parametrize(
    ("hours", "amount", "words"),
    [
        (-2, 12_400, "Top: S1. 2 h overdue; EUR 12,400 at risk raises its priority."),
        (3, None, "Top: S1. Due in 3 h."),
        (None, 99, "Top: S1. Open for 0 s, no due time; EUR 99 at risk raises its priority."),
    ],
)
def test_why_the_first_stands_first_is_said_from_its_rank(queue: World, hours: int | None, amount: int | None, words: str) -> None:
    ExceptionCase.objects.all().delete()
    due = {"due_at": queue.now + timedelta(hours=hours) if hours is not None else None}
    ExceptionCase.objects.create(**like(queue, 1, 0) | due | {"amount": amount, "currency": "EUR"})
    assert shown(queue, "").why == words
    for other in ("sort=money", "group=type", "status=any", "q=nothing"):
        assert shown(queue, other).why == ""


def test_the_most_money_is_found_across_currencies(queue: World) -> None:
    queue.write("res.currency", 3, name="JPY", decimal_places=0, active=True)
    queue.write("res.currency.rate", 30, name="2026-11-01", currency_id=3, rate=160)
    queue.write("res.company", 3, name="Osaka", currency_id=3, partner_id=1)
    dear, cheap = ExceptionCase.objects.filter(status="open").order_by("id")[:2]
    ExceptionCase.objects.filter(pk=dear.pk).update(amount=2_000_000, currency="JPY")  # 12,500 euros
    ExceptionCase.objects.filter(pk=cheap.pk).update(amount=20_000, currency="JPY")  # 125 euros
    names, query = [], "sort=money"
    while query:
        page = shown(queue, query)
        names += [row.case.record_name for row in page.rows]
        query = page.next_query
    assert len(names) == len(set(names)) == 60
    assert names[0] == dear.record_name
    sums = [
        (case.amount or Decimal(0)) / (160 if case.currency == "JPY" else 1)
        for case in (ExceptionCase.objects.get(record_name=name) for name in names)
    ]
    assert sums == sorted(sums, reverse=True)


def test_five_thousand_yen_are_less_than_a_hundred_dinars(queue: World) -> None:
    """The order by the cost of delay and the least amount compare what sums are worth, as the order by money does."""
    for number, (name, digits, rate) in enumerate((("JPY", 0, 160), ("KWD", 3, Decimal("0.33"))), start=3):
        queue.write("res.currency", number, name=name, decimal_places=digits, active=True)
        queue.write("res.currency.rate", number * 10, name="2026-11-01", currency_id=number, rate=rate)
        queue.write("res.company", number, name=f"Company {name}", currency_id=number, partner_id=1)
    ExceptionCase.objects.all().delete()
    due = queue.now + timedelta(hours=5)
    for number, (amount, currency) in enumerate([("5000", "JPY"), ("100", "KWD"), ("250", "EUR"), (None, "EUR"), ("40", "XXX")]):
        said = {"due_at": due, "amount": amount, "currency": currency, "record_name": f"{amount} {currency}"}
        ExceptionCase.objects.create(**like(queue, number, 0) | said)
    assert [row.case.record_name for row in shown(queue, "").rows] == ["100 KWD", "250 EUR", "40 XXX", "5000 JPY", "None EUR"]
    assert [row.case.record_name for row in shown(queue, "amount=100").rows] == ["100 KWD", "250 EUR"]
    assert [row.case.record_name for row in shown(queue, "amount=31").rows] == ["100 KWD", "250 EUR", "40 XXX", "5000 JPY"]


def test_the_pages_of_the_cost_of_delay_hold_across_currencies(queue: World) -> None:
    queue.write("res.currency", 3, name="JPY", decimal_places=0, active=True)
    queue.write("res.currency.rate", 30, name="2026-11-01", currency_id=3, rate=160)
    queue.write("res.company", 3, name="Osaka", currency_id=3, partner_id=1)
    ExceptionCase.objects.filter(odoo_id__in=range(7000, 7070, 3)).update(currency="JPY")
    names, query = [], "sort=cost"
    while query:
        page = shown(queue, query)
        names += [row.case.record_name for row in page.rows]
        query = page.next_query
    assert len(names) == len(set(names)) == 60
