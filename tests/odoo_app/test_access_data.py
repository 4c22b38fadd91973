"""A connection's access data are tested before they are saved, and a connection is deleted with what that means."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, Team, User
from apps.approvals.models import Request
from apps.audit.models import Entry
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.odoo import access_data, access_test, deletion, faults
from apps.odoo.capabilities import Report
from apps.odoo.models import AccessTest, Connection
from apps.workflows.models import Position
from tests.world import World, person

pytestmark = pytest.mark.django_db

DATA = {"url": "http://odoo.test", "database": "test", "login": "tower", "api_key": "right"}


@pytest.fixture
def mistyped() -> Connection:
    return Connection.objects.create(
        name="main",
        url="http://odoo.test",
        database="test",
        login="tower",
        api_key="wrong",
        state="failing",
        problem="The key is not accepted.",
    )


@pytest.fixture
def ivan(db: None) -> Client:
    return signed_in(person("ivan", Role.INTEGRATOR))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def report(login: str = "tower") -> Report:
    return Report(
        connection="main",
        version="19.0",
        transport="json2",
        uid=7,
        login=login,
        company_ids=[1],
        currency="EUR",
        models={},
        missing_models=[],
        has_automation=True,
        has_webhooks=True,
        can_provision=True,
        reads_history=True,
        key_expires_at=None,
        probed_at=clock.now(),
    )


@pytest.fixture
def odoo(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """An Odoo whose key is "right"; what is returned runs the worker's part."""

    def look(connection: Connection, *_: Any, **__: Any) -> Report:
        if connection.api_key != "right":
            raise faults.not_accepted("main", login=connection.login, database=connection.database)
        return report()

    monkeypatch.setattr(access_test, "look", look)
    monkeypatch.setattr(access_test, "checked_url", lambda url, **_: url)

    def run() -> None:
        for test in AccessTest.objects.all():
            access_test.run(test.pk, wanted={}, now=clock.now())

    return run


def test_a_mistyped_key_is_replaced_once_odoo_accepts_the_new_one(mistyped: Connection, ivan: Client, odoo: Any) -> None:
    sent = ivan.post("/connections/main/edit/", DATA)
    assert sent.status_code == 302
    waiting = ivan.get(sent.url).content.decode()
    assert "data-again" in waiting and ">Save<" not in waiting
    mistyped.refresh_from_db()
    assert mistyped.api_key == "wrong"

    odoo()
    assert "Odoo 19.0 accepts them." in ivan.get(sent.url).content.decode()
    assert ivan.post(f"{sent.url}save/").url == "/connections/main/"
    mistyped.refresh_from_db()
    assert (mistyped.api_key, mistyped.state, mistyped.problem) == ("right", "checking", "")
    entry = Entry.objects.get(action="connection.changed")
    assert entry.data["changed"] == ["api_key"]
    assert not any("right" in str(one.data) for one in Entry.objects.all())
    assert not AccessTest.objects.exists()


def test_what_odoo_refuses_is_told_and_cannot_be_saved(mistyped: Connection, ivan: Client, odoo: Any) -> None:
    sent = ivan.post("/connections/main/edit/", DATA | {"api_key": "wrong again", "login": "towre"})
    odoo()
    page = ivan.get(sent.url).content.decode()
    assert "No changes." in page and ">Save<" not in page
    assert ivan.post(f"{sent.url}save/").url == "/connections/main/edit/"
    mistyped.refresh_from_db()
    assert (mistyped.login, mistyped.api_key) == ("tower", "wrong")
    # Who corrects it begins with what was entered, but for the key.
    again = ivan.get(f"/connections/main/edit/?test={AccessTest.objects.get().pk}").content.decode()
    assert 'value="towre"' in again and "wrong again" not in again


def test_a_stored_key_is_sent_nowhere_else(mistyped: Connection, ivan: Client) -> None:
    for changed in ({"url": "http://elsewhere.test"}, {"login": "admin"}, {"database": "other"}):
        answer = ivan.post("/connections/main/edit/", DATA | {"api_key": ""} | changed)
        assert answer.status_code == 422 and "Enter the API key as well" in answer.content.decode()
    assert not AccessTest.objects.exists()
    assert ivan.post("/connections/main/edit/", DATA | {"api_key": ""}).status_code == 302
    assert AccessTest.objects.get().api_key == "wrong"


@pytest.mark.parametrize(
    "changed", [{"url": f"http://{'x' * 400}.test"}, {"database": "d" * 101}, {"login": "l" * 201}, {"url": "no"}]
)
def test_what_does_not_fit_is_refused_by_the_form(mistyped: Connection, ivan: Client, changed: dict[str, str]) -> None:
    assert ivan.post("/connections/main/edit/", DATA | changed).status_code == 422
    assert not AccessTest.objects.exists()


def test_an_old_test_is_not_saved(mistyped: Connection, ivan: Client, odoo: Any) -> None:
    sent = ivan.post("/connections/main/edit/", DATA)
    odoo()
    AccessTest.objects.update(requested_at=clock.now() - access_data.TEST_VALID_FOR - timedelta(seconds=1))
    ivan.post(f"{sent.url}save/")
    mistyped.refresh_from_db()
    assert mistyped.api_key == "wrong"


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.INTEGRATOR, Role.ADMIN)])
def test_only_integrators_change_and_delete(mistyped: Connection, role: Role) -> None:
    client = signed_in(person("somebody", role, limit=1))
    test = AccessTest.objects.create(connection=mistyped, **DATA, requested_by=User.objects.get(), requested_at=clock.now())
    for path in ("edit/", f"tests/{test.pk}/", "delete/"):
        assert client.get(f"/connections/main/{path}").status_code == 403
    for path in ("edit/", f"tests/{test.pk}/save/", "delete/"):
        assert client.post(f"/connections/main/{path}", DATA | {"name": "main"}).status_code == 403
    assert Connection.objects.get().delete_requested_at is None


@pytest.fixture
def held(db: None) -> World:
    for slug in ("finance", "sales", "warehouse", "purchasing"):
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    person("mia", Role.MANAGER, limit=250_000, team="finance")
    world = World()
    world.owes(1_000)
    world.held_order(amount=6_200)
    return world


def test_a_connection_is_deleted_once_its_name_is_entered_and_says_what_is_lost(held: World, ivan: Client) -> None:
    page = ivan.get("/connections/main/delete/").content.decode()
    assert "This cannot be undone" in page and "1 approval request" in page
    assert f"{ExceptionCase.objects.count()} exception" in page
    assert "provision_odoo main --remove" in page
    refused = ivan.post("/connections/main/delete/", {"name": "mian"})
    assert refused.status_code == 422 and Connection.objects.get().is_active

    assert ivan.post("/connections/main/delete/", {"name": "main"}).status_code == 302
    stopped = Connection.objects.get()
    assert not stopped.is_active and stopped.delete_requested_at
    assert "Deleting…" in ivan.get("/connections/").content.decode()
    assert ivan.post("/connections/main/edit/", DATA).status_code == 422

    asked = Entry.objects.get(action="connection.deletion_requested")
    assert asked.data["lost"]["approvals.Request"] == 1 and asked.actor_name.casefold() == "ivan"
    assert deletion.delete_connection(stopped.pk, now=clock.now())
    for model in (Connection, Position, ExceptionCase, Request):
        assert not model.objects.exists(), model
    for model, field in deletion.tables_of_connections():
        assert not model._base_manager.filter(**{field: stopped.pk}).exists(), model
    assert Entry.objects.filter(action="connection.deleted").exists()
    assert not deletion.delete_connection(stopped.pk, now=clock.now())


def test_what_nobody_asked_to_delete_stays(mistyped: Connection) -> None:
    assert not deletion.delete_connection(mistyped.pk, now=clock.now())
    assert Connection.objects.exists()
