"""A random walk over a real Odoo: what a business does, and after each act the tower beside Odoo's own fields.

``make walk SEED=7 ACTS=500`` walks longer, and cuts a walk that fails down to the acts that it takes.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from apps.odoo import client, provision
from apps.odoo.client import OdooClient
from apps.workflows import blueprint
from tests.odoo.login import login
from tests.walk import oracle
from tests.walk.acts import Act, parse, plan
from tests.walk.business import Business
from tests.walk.tower import Tower
from tests.walk.walk import Report, Walk, shrink

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
SEED, ACTS = int(os.environ.get("WALK_SEED", "1")), int(os.environ.get("WALK_ACTS", "24"))
# Walks that failed once, cut down to what it took: as the report of a failure writes them.
CUT_DOWN: list[str] = []
CHECK_EVERY = int(os.environ.get("WALK_CHECK_EVERY", "2"))
# Looks from one at the figures of boards, queue and KPIs to the next; the last is one.
FULL_EVERY = 20
# A walk that looks for more than one fault goes on after the first.
STOP_AT = int(os.environ.get("WALK_STOP_AT", "1"))
REPORT = os.environ.get("WALK_REPORT", "")


@pytest.fixture
def odoo() -> Iterator[OdooClient]:
    """An Odoo in which the tower has set up its guards, and a login that sees all companies."""
    connection = login()
    connection.save()
    session = client.connect(connection)
    connection.version, connection.uid = session.version(), session.uid
    connection.save()
    provision.apply(connection, blueprint.of_catalogue())
    yield session
    provision.remove(connection)
    client.forget(connection)


@pytest.fixture
def walk_of(odoo: OdooClient) -> Iterator[Callable[[Sequence[Act]], Report]]:
    """Walks over a business of its own each time, beside one tower."""
    businesses: list[Business] = []
    towers: list[Tower] = []

    def walk(acts: Sequence[Act], *, stop_at: int = 1) -> Report:
        businesses.append(Business(odoo))
        if not towers:
            towers.append(Tower(odoo, is_cumulative=SEED % 2 == 0))
        people = businesses[-1].people
        towers[0].appoint({what: people[what].login for what in ("sales", "buyer", "accountant")})
        made = Walk(
            businesses[-1],
            towers[0],
            oracle.AFTER_EACH_ACT,
            check_every=CHECK_EVERY,
            full_every=FULL_EVERY,
            now_and_then=oracle.NOW_AND_THEN,
        )
        report = made.perform(acts, stop_at=stop_at)
        if not report.failures:
            made.checks = oracle.AT_THE_END
            made.check(len(acts))
        return report

    yield walk
    for business in businesses:
        business.leave()


def test_whatever_a_business_does_the_tower_says_what_odoo_says(walk_of: Callable[..., Report]) -> None:
    acts = plan(SEED, ACTS)
    report = walk_of(acts, stop_at=STOP_AT)
    print(report.summary())
    if REPORT:
        report.save(Path(REPORT))
    if report.failures and STOP_AT == 1 and REPORT:
        first = report.failures[0]
        few = shrink(acts[: first.after], lambda some: any(one.rule == first.rule for one in walk_of(some).failures))
        print(f'{first.rule} fails after these; to keep them as a test, add to CUT_DOWN:\n    "{", ".join(map(str, few))}",')
    assert not report.failures, "\n".join(
        [
            f"seed {SEED}: {report.summary()}",
            *[f"{one.rule} after act {one.after}: {one.text}" for one in report.failures],
            *report.diary[-15:],
        ]
    )


@pytest.mark.skipif("WALK_ACTS" in os.environ or not CUT_DOWN, reason="a walk of its own is taken, or none has failed yet")
def test_walks_that_failed_once_hold(walk_of: Callable[..., Report]) -> None:
    for text in CUT_DOWN:
        report = walk_of(parse(text))
        assert not report.failures, "\n".join([text, *[one.text for one in report.failures], *report.diary])
