"""The queue where there are many exceptions: whatever is asked for, an index answers, in few statements."""

import json
from itertools import product
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, Team, User
from apps.accounts.people import team
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.exceptions.queue import filters, groups, listing, orders
from apps.odoo.models import Connection
from bench.queue import FILL, MOST_QUERIES, QUERIES, group
from tests.world import person

ALL, ONE_IN = 20_000, 10
STOPS_EARLY = 0.2
# A type of which there is none.
NEVER = "type=returns.authorisation_pending"

# Rare and frequent values of every filter, each in every order; words that trigrams hold, and two letters, which they do not.
FILTERED = [
    "",
    "owner=me",
    "owner=none",
    "owner=person3",
    "owner=nobody",
    "team=mine",
    "team=sales",
    "team=warehouse",
    "due=late",
    "due=7d",
    "type=order.credit_hold",
    NEVER,
    "type=order.credit_hold,order.margin",
    "severity=4",
    "severity=only3",
    "amount=100",
    "amount=99999999",
    "workflow=order_to_cash",
    "workflow=returns",
    "stage=order_to_cash.credit_review",
    "stage=unpaid",
    "stage=awaiting_goods",
    "status=snoozed",
    "status=acknowledged",
    "q=S0012340",
    "q=customer 12",
    "q=nothing like it",
    "q=s0",
    "q=zz",
    "type=order.credit_hold&severity=3&owner=none&due=24h&stage=unpaid&amount=10",
    "owner=me&team=mine&severity=2&q=trading",
]
ENDED = [
    "status=resolved",
    "status=any",
    "status=resolved&team=sales",
    "status=resolved&owner=me",
    f"status=any&{NEVER}",
    "status=resolved&stage=order_to_cash.unpaid",
    "status=resolved&q=S0012341",
    "status=any&q=customer 12",
]


@pytest.fixture(scope="module")
def _many(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Any:
    """Many exceptions, once for all tests of this file, and gone after them."""
    with django_db_blocker.unblock():
        teams = [team(slug) for slug in ("finance", "sales", "warehouse", "purchasing")]
        people = [person(f"person{number}", Role.OPERATOR, team="finance") for number in range(8)]
        # Who owns nothing.
        nobody = person("nobody", Role.OPERATOR, team="finance")
        odoo = Connection.objects.create(name="volume", url="http://odoo.test", database="x", login="x", api_key="x")
        kinds = ["order.credit_hold", "order.price_limit", "order.margin", "invoice.overdue", "stuck.order_to_cash"]
        with database.cursor() as cursor:
            cursor.execute(
                FILL,
                {
                    "c": odoo.pk,
                    "types": kinds,
                    "kinds": len(kinds),
                    "count": ALL,
                    "one_in": ONE_IN,
                    "teams": [one.pk for one in teams],
                    "team_count": len(teams),
                    "people": [one.pk for one in people],
                    "people_count": len(people),
                },
            )
            group()
            cursor.execute("VACUUM ANALYZE exceptions_exceptioncase, exceptions_causegroup")
        yield
        ExceptionCase.objects.filter(connection=odoo).update(group=None)
        odoo.delete()
        User.objects.filter(pk__in=[nobody.pk, *(one.pk for one in people)]).delete()
        Team.objects.filter(pk__in=[one.pk for one in teams]).delete()


@pytest.fixture
def client_of_many(_many: None, db: None) -> Client:
    client = Client()
    client.force_login(User.objects.get(username="person0"))
    # Who asks first works out for a minute what is worked out once.
    client.get("/exceptions/?sort=money")
    return client


def read_whole(sql: str) -> bool:
    """Whether the plan of a statement reads the whole table of exceptions.

    One that stops early does not: nine of ten have ended, so a thousand of these are found anywhere.
    """
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        (plan,) = cursor.fetchone()
    steps = [(plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]]
    while steps:
        step = steps.pop()
        parts = step.get("Plans", [])
        if step["Node Type"] == "Limit" and step["Total Cost"] < parts[0]["Total Cost"] * STOPS_EARLY:
            parts = [part for part in parts if part["Node Type"] != "Seq Scan"]
        if step["Node Type"] == "Seq Scan" and step.get("Relation Name") == "exceptions_exceptioncase":
            return True
        steps += parts
    return False


def statements_of(client: Client, query: str) -> list[str]:
    with CaptureQueriesContext(database) as captured:
        assert client.get(f"/exceptions/?{query}").status_code == 200
    return [one["sql"] for one in captured.captured_queries]


def faults(client: Client, query: str) -> list[str]:
    """What is wrong with how the queue answers ``query``."""
    statements = statements_of(client, query)
    if len(statements) > MOST_QUERIES:
        # The minute may be over for which something is worked out once.
        statements = statements_of(client, query)
    found = [f"{query}: reads all: {sql[:400]}" for sql in statements if "exceptions_exceptioncase" in sql and read_whole(sql)]
    return found + ([f"{query}: {len(statements)} statements"] if len(statements) > MOST_QUERIES else [])


def test_every_filter_in_every_order_is_answered_by_an_index(client_of_many: Client) -> None:
    asked = [f"{filtered}&sort={sort}" for filtered, sort in product(FILTERED, orders.ORDERS)]
    wrong = [fault for query in [*asked, *ENDED] for fault in faults(client_of_many, query)]
    assert not wrong, "\n".join(wrong)


def test_every_grouping_and_every_view_is_answered_by_an_index(client_of_many: Client) -> None:
    asked = [f"group={group}&sort={sort}" for group, sort in product(groups.GROUPED, ("cost", "money"))]
    wrong = [fault for query in [*asked, *QUERIES.values()] for fault in faults(client_of_many, query)]
    assert not wrong, "\n".join(wrong)


def test_far_pages_are_entered_by_the_index_of_their_order(client_of_many: Client) -> None:
    for sort, order in orders.ORDERS.items():
        cases = order.annotated(
            filters.matching(
                {}, known=filters.Known(User.objects.get(username="person0")), access_scope=EVERYTHING, now=clock.now()
            )
        )
        cursor = order.cursor(cases[ALL // ONE_IN // 2])
        with CaptureQueriesContext(database) as captured:
            rows = list(order.page(cases, cursor, size=listing.PAGE, access_scope=EVERYTHING))
        assert len(rows) == listing.PAGE
        (statement,) = [one["sql"] for one in captured.captured_queries]
        with database.cursor() as plan:
            plan.execute(f"EXPLAIN (FORMAT TEXT) {statement}")
            told = "\n".join(line for (line,) in plan.fetchall())
        assert "Index Cond" in told.split("queue_by_")[1], (sort, told)
