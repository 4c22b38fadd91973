"""A random walk over the sandbox, for volume: its people do business, the tower's people decide, and nothing may come apart.

``make walk-sandbox SEED=7 ACTS=2000`` walks longer.
"""

import os
from pathlib import Path

import pytest

from apps.odoo import client, provision
from apps.odoo.models import Connection
from apps.workflows import blueprint
from sandbox import automation
from sandbox.company import Company
from sandbox.control import Control
from tests.walk import oracle
from tests.walk.acts import plan
from tests.walk.sandbox import SandboxBusiness, served
from tests.walk.tower import Tower
from tests.walk.walk import Walk

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The guards' own code runs in this process, and says utcnow as Odoo's does.
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]
SEED, ACTS = int(os.environ.get("SANDBOX_WALK_SEED", "1")), int(os.environ.get("SANDBOX_WALK_ACTS", "40"))
STOP_AT = int(os.environ.get("WALK_STOP_AT", "1"))
# A walk for volume looks after every third act, and the tower is behind by as many.
CHECK_EVERY = int(os.environ.get("WALK_CHECK_EVERY", "1"))
# Looks at what changed, from one look at all records to the next.
FULL_EVERY = 250
REPORT = os.environ.get("WALK_REPORT", "")
# The sandbox's own people do most; these are what they do not do by themselves, and the tower's people.
WEIGHTS = {
    "work": 40,
    "confirm": 6,
    "change_a_quantity": 5,
    "discount_a_line": 5,
    "cancel": 2,
    "take_up_again": 2,
    "change_a_purchase": 3,
    "order_goods": 4,
    "cancel_a_purchase": 1,
    "post": 3,
    "decide": 16,
    "undo": 2,
    "delegate": 2,
    "be_away": 1,
    "leave": 1,
}


def test_whatever_the_sandboxs_people_do_the_tower_says_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its webhooks lead nowhere: the walk itself tells the tower.
    monkeypatch.setattr(automation, "post", lambda url, body: None)
    company = Company(None, orders=30, seed=SEED)
    control = Control(company)
    with served(company, control) as url:
        connection = Connection.objects.create(
            name="walk", url=url, database="sandbox", login="tower", api_key="sandbox-key", hook_secret="s3cret"
        )
        odoo = client.connect(connection)
        connection.version, connection.uid = odoo.version(), odoo.uid
        connection.save()
        provision.apply(connection, blueprint.of_catalogue())
        try:
            business = SandboxBusiness(odoo, company, control)
            tower = Tower(odoo, hints=business.take_hints, is_cumulative=SEED % 2 == 0)
            walk = Walk(
                business,
                tower,
                oracle.OF_THE_SANDBOX,
                knows_all=True,
                check_every=CHECK_EVERY,
                full_every=FULL_EVERY,
                now_and_then=oracle.NOW_AND_THEN,
            )
            report = walk.perform(plan(SEED, ACTS, weights_of=WEIGHTS), stop_at=STOP_AT)
            if not report.failures:
                walk.checks = oracle.AT_THE_END
                walk.check(ACTS)
        finally:
            client.forget(connection)
    company.close()
    print(report.summary())
    if REPORT:
        report.save(Path(REPORT))
    assert report.checks
    assert not report.failures, "\n".join(
        [
            f"seed {SEED}: {report.summary()}",
            *[f"{one.rule} after act {one.after}: {one.text}" for one in report.failures],
            *report.diary[-15:],
        ]
    )
