"""A first read of a company with a past tells that past; broken off, it goes on; asked again, it adds nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.accounts.access import EVERYTHING
from apps.boards.boards import queries
from apps.boards.records import coverage
from apps.core import clock
from apps.mirror.models import SyncState, TrackedChange
from apps.mirror.sync import backfill, tracking
from apps.odoo import client as wire
from apps.odoo.models import Connection
from apps.pipeline import first_sync
from apps.pipeline.upkeep import probing, registration
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.sandbox.conftest import served

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def odoo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("company"), "--no-business") as url:
        yield url


@pytest.fixture
def connection(odoo_url: str) -> Connection:
    return Connection.objects.create(
        name="entered", url=odoo_url, database="sandbox", login="tower", api_key="sandbox-key", state="checking"
    )


def test_the_board_is_right_on_its_first_day(connection: Connection) -> None:
    registration.take_up(connection.pk, clock=clock.now)
    odoo = wire.connect(connection)
    models = sorted({workflow.odoo_model for workflow in registry.workflows().values()})
    theirs = [("model", "in", models), ("name", "in", ["state", "payment_state", "acknowledged"])]
    kept = odoo.search_count("mail.tracking.value", [("field_id", "in", odoo.search("ir.model.fields", theirs))])
    assert TrackedChange.objects.filter(new__isnull=False).count() == kept > 0
    paid = Position.objects.filter(workflow="invoicing", stage="paid")
    assert paid.count() > 5
    for position in paid:
        messages = odoo.search_read(
            "mail.message",
            [("model", "=", "account.move"), ("res_id", "=", position.odoo_id), ("tracking_value_ids", "!=", False)],
            ["date"],
            order="id",
        )
        assert position.since == datetime.fromisoformat(messages[-1]["date"]).replace(tzinfo=UTC)
    figures = queries.stages_of(registry.workflows()["order_to_cash"], access_scope=EVERYTHING, now=clock.now())
    waiting = max((stage for stage in figures if stage.is_open), key=lambda stage: stage.count)
    standing = Position.objects.filter(workflow="order_to_cash", stage=waiting.stage)
    ages = sorted((clock.now() - position.since).total_seconds() for position in standing)
    assert waiting.median_age_seconds is not None
    assert ages[0] <= waiting.median_age_seconds <= ages[-1]
    read = coverage.of_past(connection)
    assert read
    assert (read.is_complete, read.problem, read.count) == (True, "", TrackedChange.objects.count())


def test_a_read_that_breaks_off_goes_on_and_a_second_one_adds_nothing(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "BATCH", 20)

    class Stop(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if what == tracking.MODEL and done >= 40:
            raise Stop

    probing.probe(connection, now=clock.now())
    with pytest.raises(Stop):
        drain(first_sync.first_read(connection, clock=clock.now, progress=stop))
    assert TrackedChange.objects.count() == 40
    assert not Transition.objects.filter(tracking_id__isnull=False).exists()
    [went_on] = [one for one in drain(first_sync.first_read(connection, clock=clock.now)) if one.model == tracking.MODEL]
    assert (went_on.rows, TrackedChange.objects.count()) == (went_on.total - 40, went_on.total)
    before = list(Transition.objects.order_by("id").values())
    assert any(row["tracking_id"] for row in before)
    drain(first_sync.first_read(connection, clock=clock.now, anew=True))
    assert list(Transition.objects.order_by("id").values()) == before
    assert [one for one in drain(first_sync.first_read(connection, clock=clock.now)) if one.model == tracking.MODEL] == []


def drain(done: Iterator[backfill.Backfilled]) -> list[backfill.Backfilled]:
    return list(done)


def test_without_the_right_the_connection_says_so_and_lives_with_it(connection: Connection) -> None:
    connection.login, connection.api_key = "paula", "paula"
    connection.save()
    probing.probe(connection, now=clock.now())
    drain(first_sync.first_read(connection, clock=clock.now))
    assert Position.objects.filter(workflow="procure_to_pay").exists()
    assert not Transition.objects.filter(tracking_id__isnull=False).exists()
    state = SyncState.objects.get(odoo_model=tracking.MODEL)
    assert "history begins with the first read" in state.problem
    read = coverage.of_past(connection)
    assert read and read.problem == state.problem


def test_words_of_every_language_are_understood(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Odoo keeps the words in the language of whoever made the change."""
    german = {"draft": "Angebot", "sent": "Angebot gesendet", "sale": "Verkaufsauftrag", "cancel": "Abgebrochen"}
    odoo = wire.connect(connection)
    plain, read = odoo.call, odoo.search_read

    def call(model: str, method: str, ids: Any = None, **named: Any) -> Any:
        found = plain(model, method, ids, **named)
        if method == "fields_get" and named.get("context") == {"lang": "de_DE"} and model == "sale.order":
            found["state"]["selection"] = list(german.items())
        return found

    def search_read(model: str, domain: Any, fields: Any, **named: Any) -> list[dict[str, Any]]:
        if model == "res.lang":
            return [{"id": 1, "code": "de_DE"}, {"id": 2, "code": "en_US"}]
        rows = read(model, domain, fields, **named)
        for row in rows if model == tracking.MODEL else ():
            row["new_value_char"] = "Verkaufsauftrag" if row["new_value_char"] == "Sales Order" else row["new_value_char"]
        return rows

    monkeypatch.setattr(odoo, "call", call)
    monkeypatch.setattr(odoo, "search_read", search_read)
    found = tracking.run(odoo, {"sale.order": ["state"]}, connection=connection, clock=clock.now)
    assert found
    assert found.fields == {"sale.order": ["state"]}
    told = set(TrackedChange.objects.filter(told__contains="Verkaufsauftrag").values_list("new", flat=True))
    assert told == {"sale"}
