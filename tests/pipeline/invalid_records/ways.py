"""Records of which one is odd, and the ways by which records come into the mirror."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from apps.intake import refresh_requests
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.mirror.declare import Boolean, Day, Ids, Integer, Many2one, Moment, Number, Text
from apps.mirror.models import SyncState
from apps.pipeline import batch, first_sync
from apps.pipeline.upkeep import polling, reconciliation
from tests.mirror.company import Clock, Company
from tests.pipeline.invalid_records.odd_values import MISSING

Way = Callable[[Company, Clock, str], None]


class InvalidCompany(Company):
    """A company that leaves fields out of its answers, where a record says so."""

    def search_read(self, model: str, domain: Any, fields: Any, **named: Any) -> list[dict[str, Any]]:
        rows = super().search_read(model, domain, fields, **named)
        return [{name: value for name, value in row.items() if value is not MISSING} for row in rows]


def fill(company: Company, clock: Clock, *, model: str, odd: dict[str, Any], good: int = 4) -> None:
    """Some records of a model among which one, number 2, has odd values."""
    for number in range(1, good + 1):
        values = plain(model, number) | (odd if number == 2 else {})
        dates: dict[str, Any] = {name: values.pop(name) for name in ("create_date", "write_date") if name in values}
        company.write(model, number, clock.at, **values)
        company.records[model][number] |= dates


def plain(model: str, number: int) -> dict[str, Any]:
    """What an ordinary record holds."""
    values: dict[str, Any] = {}
    for name in registry.models()[model].odoo_fields():
        match registry.models()[model]._meta.get_field(name):
            case Text():
                values[name] = f"{name} {number}" if name != "state" else "draft"
            case Many2one() | Integer():
                values[name] = number
            case Number():
                values[name] = 10.0
            case Ids():
                values[name] = [number]
            case Moment():
                values[name] = "2026-11-20 10:00:00"
            case Day():
                values[name] = "2026-11-20"
            case Boolean():
                values[name] = True
    return values


def by_backfill(company: Company, clock: Clock, model: str) -> None:
    polling.poll(company.connection, clock=clock)


def by_increment(company: Company, clock: Clock, model: str) -> None:
    for state in registry.models():
        SyncState.objects.create(
            connection=company.connection,
            odoo_model=state,
            watermark=clock.at - timedelta(minutes=5),
            seen_until=clock.at - timedelta(minutes=5),
            backfill_done_at=clock.at,
            increment_at=clock.at - timedelta(minutes=5),
        )
    SyncState.objects.create(connection=company.connection, odoo_model=first_sync.WHOLE, backfill_done_at=clock.at)
    polling.poll(company.connection, clock=clock)


def by_webhook(company: Company, clock: Clock, model: str) -> None:
    ids = company.records[model]
    refresh_requests.add(connection_id=company.connection.pk, model=model, odoo_ids=ids, source="odoo", now=clock.at)
    while batch.process(clock=clock):
        pass
    assert not Delivery.objects.filter(source="odoo").exclude(status=Status.DONE)


def by_comparison(company: Company, clock: Clock, model: str) -> None:
    SyncState.objects.create(connection=company.connection, odoo_model=model, backfill_done_at=clock.at)
    list(reconciliation.compare(company.connection, clock=clock, models=[registry.models()[model]]))


WAYS: list[Way] = [by_backfill, by_increment, by_webhook, by_comparison]
