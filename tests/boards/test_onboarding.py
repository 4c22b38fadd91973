"""The first steps: each says how far the tower really is, and all of them go once they are done."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from apps.accounts.models import Role, User
from apps.approvals.policies import policy
from apps.boards.shell import onboarding
from apps.mirror.state import SyncState
from apps.odoo.models import Connection
from tests.world import person

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def admin() -> User:
    return person("root", Role.ADMIN)


def states(user: User) -> dict[str, str]:
    return {step.name: step.state for step in onboarding.steps_for(user)}


def connected(**more: object) -> Connection:
    return Connection.objects.create(
        name="main", url="http://odoo.test", database="test", login="tower", api_key="key", state="connected", **more
    )  # type: ignore[misc]


def test_an_administrator_of_an_empty_tower_lands_on_the_first_step(admin: User) -> None:
    client = Client()
    client.force_login(admin)
    html = client.get("/").content.decode()
    assert states(admin) == {"connect": "now", "provision": "later", "read": "later", "invite": "later", "policy": "later"}
    assert 'href="/connections/add/"' in html and "First steps" in html


def test_who_does_not_set_the_tower_up_is_not_guided() -> None:
    client = Client()
    client.force_login(person("olga", Role.OPERATOR))
    html = client.get("/").content.decode()
    assert "First steps" not in html and "can add a connection." in html


def test_a_connection_that_fails_says_so_in_its_step(admin: User) -> None:
    Connection.objects.create(
        name="main",
        url="http://odoo.test",
        database="test",
        login="tower",
        api_key="key",
        state="failing",
        problem="no connection to http://odoo.test",
    )
    (first, *_) = onboarding.steps_for(admin)
    assert (first.state, first.stands, first.href) == ("now", "no connection to http://odoo.test", "/connections/main/")


def test_each_step_is_done_when_the_system_says_so_and_then_all_are_gone(admin: User) -> None:
    connection = connected()
    assert states(admin)["connect"] == "done" and states(admin)["provision"] == "now"

    connection.capabilities = {"models": {"x_ct_request": {}}}
    connection.save()
    read = SyncState.objects.create(connection=connection, odoo_model="sale.order", backfill_done_at=NOW)
    half = SyncState.objects.create(connection=connection, odoo_model="res.partner")
    assert states(admin)["provision"] == "done" and states(admin)["read"] == "now"
    assert next(step.stands for step in onboarding.steps_for(admin) if step.name == "read") == "1 of 2 models read"

    half.backfill_done_at = read.backfill_done_at
    half.save()
    assert states(admin)["read"] == "done" and states(admin)["invite"] == "now"

    person("adam", Role.APPROVER, limit=50_000, team="finance")
    mia = person("mia", Role.MANAGER, limit=250_000, team="finance")
    assert states(admin) == {"connect": "done", "provision": "done", "read": "done", "invite": "done", "policy": "now"}

    rules = policy.active("credit_override", now=NOW).rules
    policy.save("credit_override", rules, by=mia, now=NOW, note="Ours")
    assert onboarding.steps_for(admin) == []
