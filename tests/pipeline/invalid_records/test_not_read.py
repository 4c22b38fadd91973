"""A record, a model or a connection that cannot be read stops none after it."""

from datetime import timedelta
from typing import Any

import pytest

from apps.health import incidents, queries
from apps.intake import refresh_requests
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.odoo.errors import ServerFaultError
from apps.odoo.models import Connection
from apps.pipeline import batch
from apps.pipeline.upkeep import polling
from tests.mirror.company import Clock, Company
from tests.pipeline.invalid_records.ways import Way, by_backfill, by_comparison, by_increment, by_webhook, fill


@pytest.mark.parametrize("way", [by_backfill, by_increment, by_webhook, by_comparison])
def test_a_record_that_odoo_fails_to_read_is_named_and_the_others_are_read(
    company: Company, clock: Clock, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(company, clock, model="sale.order", odd={}, good=20)
    answer = company.search_read

    def fails(model: str, domain: Any, fields: Any, **named: Any) -> Any:
        rows = answer(model, domain, fields, **named)
        if model == "sale.order" and "amount_total" in fields and any(row["id"] == 2 for row in rows):
            raise ServerFaultError("main", "ZeroDivisionError in a computed field", "See Odoo's log.")
        return rows

    monkeypatch.setattr(company, "search_read", fails)
    way(company, clock, "sale.order")
    assert set(registry.models()["sale.order"].objects.values_list("odoo_id", flat=True)) == set(range(1, 21)) - {2}
    letter = Delivery.objects.get(status=Status.DEAD)
    assert (letter.model, letter.odoo_id) == ("sale.order", 2)
    assert "ZeroDivisionError in a computed field" in letter.problem


def test_a_model_that_cannot_be_read_stops_none_after_it_and_the_health_page_says_so(
    company: Company, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(company, clock, model="res.partner", odd={})
    fill(company, clock, model="sale.order", odd={})
    by_increment(company, clock, "sale.order")
    increment = polling.increment.run

    def fails(client: Any, model: type[Mirrored], **named: Any) -> Any:
        if model.odoo_model == "res.partner":
            with polling.locks.alone(named["connection"], model.odoo_model):
                raise TypeError("nobody foresaw this")
        return increment(client, model, **named)

    monkeypatch.setattr(polling.increment, "run", fails)
    clock.at += timedelta(minutes=1)
    company.write("sale.order", 3, clock.at, name="renamed")
    polling.poll_all(clock=clock)
    assert registry.models()["sale.order"].objects.get(odoo_id=3).name == "renamed"
    overview = queries.overview(now=clock.at)
    assert not overview.is_well
    kinds = {trouble.kind for trouble in incidents.found(now=clock.at)}
    assert "integration.model_unreadable" in kinds
    monkeypatch.setattr(polling.increment, "run", increment)
    polling.poll_all(clock=clock)
    assert not SyncState.objects.exclude(problem="")


def test_of_a_hint_whose_model_odoo_refuses_the_other_models_do_not_wait(
    company: Company, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(company, clock, model="sale.order", odd={})
    fill(company, clock, model="res.partner", odd={})
    answer = company.search_read

    def fails(model: str, *given: Any, **named: Any) -> Any:
        if model == "res.partner":
            raise ServerFaultError("main", "broken", "See Odoo's log.")
        return answer(model, *given, **named)

    monkeypatch.setattr(company, "search_read", fails)
    for model in ("res.partner", "sale.order"):
        refresh_requests.add(connection_id=company.connection.pk, model=model, odoo_ids=[1], source="odoo", now=clock.at)
    batch.process(clock=clock)
    assert Delivery.objects.get(model="sale.order").status == Status.DONE
    assert Delivery.objects.get(model="res.partner").status == Status.PENDING


def test_a_connection_that_cannot_be_read_stops_none_after_it(
    company: Company, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections are polled singly: whatever one fails on, those after it are read in the same beat."""
    fill(company, clock, model="sale.order", odd={})
    by_increment(company, clock, "sale.order")
    first = Connection.objects.create(
        name="broken",
        url="http://broken.test",
        database="test",
        login="tower",
        api_key="key",
        state="connected",
        capabilities=company.connection.capabilities,
    )
    polled = []
    poll = polling.poll

    def fails(connection: Connection, **named: Any) -> Any:
        polled.append(connection.name)
        if connection.name == "broken":
            raise TypeError("nobody foresaw this")
        return poll(connection, **named)

    monkeypatch.setattr(polling, "poll", fails)
    monkeypatch.setattr(polling, "read_before", lambda: [first, company.connection])
    clock.at += timedelta(minutes=1)
    company.write("sale.order", 3, clock.at, name="renamed")
    polling.poll_all(clock=clock)
    assert polled == ["broken", "main"]
    assert registry.models()["sale.order"].objects.get(connection=company.connection, odoo_id=3).name == "renamed"
