"""What becomes of a dead letter once the record, or Odoo, is put right."""

from datetime import timedelta

from apps.accounts.models import Role
from apps.health import incidents, queries
from apps.intake import moves as deliveries
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.pipeline import batch
from apps.pipeline.upkeep import polling, reconciliation
from apps.workflows.models import Position
from tests.mirror.company import Clock, Company
from tests.pipeline.invalid_records.odd_values import NUL
from tests.pipeline.invalid_records.ways import by_backfill, fill
from tests.world import person


def test_a_dead_letter_is_resolved_once_the_record_goes_through(company: Company, clock: Clock) -> None:
    fill(company, clock, model="sale.order", odd={"name": NUL})
    by_backfill(company, clock, "sale.order")
    letter = Delivery.objects.get(status=Status.DEAD)
    assert "sale.order 2" in letter.problem
    assert "NUL, number 2 of 3" in letter.problem
    for _ in range(3):
        clock.at += timedelta(seconds=15)
        polling.poll(company.connection, clock=clock)
    assert Delivery.objects.get(status=Status.DEAD).pk == letter.pk
    clock.at += timedelta(minutes=1)
    company.write("sale.order", 2, clock.at, name="S00002")
    polling.poll(company.connection, clock=clock)
    letter.refresh_from_db()
    assert (letter.status, letter.problem) == (Status.DONE, "")
    assert Position.objects.get(model="sale.order", odoo_id=2).name == "S00002"


def test_a_dead_letter_goes_with_its_record_and_is_found_corrected_by_the_comparison(company: Company, clock: Clock) -> None:
    fill(company, clock, model="sale.order", odd={"name": NUL})
    by_backfill(company, clock, "sale.order")
    company.unlink("sale.order", 2)
    list(reconciliation.compare(company.connection, clock=clock, models=[registry.models()["sale.order"]]))
    assert not Delivery.objects.filter(status=Status.DEAD)


def test_a_dead_letter_is_replayed_by_a_person(company: Company, clock: Clock) -> None:
    fill(company, clock, model="sale.order", odd={"name": NUL})
    by_backfill(company, clock, "sale.order")
    letter = Delivery.objects.get(status=Status.DEAD)
    deliveries.replay([letter.pk], by=person("ivan", Role.INTEGRATOR), now=clock.at)
    while batch.process(clock=clock):
        pass
    letter.refresh_from_db()
    assert letter.status == Status.DEAD  # nothing was corrected
    company.records["sale.order"][2]["name"] = "S00002"
    deliveries.replay([letter.pk], by=person("iris", Role.INTEGRATOR), now=clock.at)
    while batch.process(clock=clock):
        pass
    letter.refresh_from_db()
    assert letter.status == Status.DONE
    assert registry.models()["sale.order"].objects.get(odoo_id=2).name == "S00002"


def test_a_dead_letter_is_an_incident_and_the_health_page_is_not_well(company: Company, clock: Clock) -> None:
    fill(company, clock, model="sale.order", odd={"name": NUL})
    by_backfill(company, clock, "sale.order")
    (trouble,) = [one for one in incidents.found(now=clock.at) if one.kind == "integration.dead_letters"]
    assert "field name" in str(trouble.evidence["problem_name"])
    assert not queries.overview(now=clock.at).is_well
