"""A record on which a rule fails keeps no other from being evaluated."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import Role
from apps.intake import moves as deliveries
from apps.intake.dead_letters import EVALUATING
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.pipeline import batch, change_processing
from apps.pipeline.upkeep import polling
from apps.workflows import registry as workflows
from apps.workflows.models import Position
from tests.mirror.company import Clock, Company
from tests.pipeline.invalid_records.ways import WAYS, Way, by_backfill, fill
from tests.world import person


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Sales orders on whose consequences the tower fails."""
    bad: set[int] = set()
    reconcile = change_processing.case_reconcile.reconcile

    def fails(evaluation: Any, *, now: Any) -> Any:
        if evaluation.workflow.odoo_model == "sale.order" and bad & set(evaluation.evaluated):
            raise ZeroDivisionError("a rule divided by nothing")
        return reconcile(evaluation, now=now)

    monkeypatch.setattr(change_processing.case_reconcile, "reconcile", fails)
    return bad


@pytest.mark.parametrize("way", WAYS)
def test_a_record_that_cannot_be_evaluated_keeps_no_other_from_it(
    company: Company, clock: Clock, way: Way, poisoned: set[int]
) -> None:
    poisoned.add(2)
    fill(company, clock, model="sale.order", odd={"amount_total": 95012345678903.0}, good=30)
    way(company, clock, "sale.order")
    assert registry.models()["sale.order"].objects.count() == 30
    (name,) = [one.name for one in workflows.workflows().values() if one.odoo_model == "sale.order"]
    assert set(Position.objects.filter(workflow=name).values_list("odoo_id", flat=True)) == set(range(1, 31)) - {2}
    letter = Delivery.objects.get(status=Status.DEAD)
    assert (letter.source, letter.model, letter.odoo_id) == (EVALUATING, "sale.order", 2)
    assert "sale.order 2 (name 2)" in letter.problem
    assert "a rule divided by nothing" in letter.problem
    assert "amount_total is the number 95012345678903" in letter.problem
    poisoned.clear()
    deliveries.replay([letter.pk], by=person("ivan", Role.INTEGRATOR), now=clock.at)
    while batch.process(clock=clock):
        pass
    letter.refresh_from_db()
    assert letter.status == Status.DONE
    assert Position.objects.filter(workflow=name, odoo_id=2).exists()


def test_a_rule_that_fails_on_everything_costs_no_attempt_for_each(company: Company, clock: Clock, poisoned: set[int]) -> None:
    poisoned |= set(range(1, 201))
    fill(company, clock, model="sale.order", odd={}, good=200)
    by_backfill(company, clock, "sale.order")
    assert registry.models()["sale.order"].objects.count() == 200
    assert Delivery.objects.filter(status=Status.DEAD, source=EVALUATING).count() == 200


def test_what_time_makes_due_is_not_stopped_by_one_record(company: Company, clock: Clock, poisoned: set[int]) -> None:
    fill(company, clock, model="sale.order", odd={})
    by_backfill(company, clock, "sale.order")
    Position.objects.filter(model="sale.order").update(look_again_at=clock.at)
    poisoned.add(2)
    clock.at += timedelta(minutes=1)
    change_processing.reevaluate_due(now=clock.at)
    assert not Position.objects.filter(look_again_at__lte=clock.at)
    assert Delivery.objects.get(status=Status.DEAD).odoo_id == 2


@pytest.mark.parametrize("way", WAYS)
def test_an_amount_that_no_decision_could_hold_is_named_and_stops_nothing(company: Company, clock: Clock, way: Way) -> None:
    """Odoo keeps any amount; the tower stores it, and says of which record it cannot work out what follows."""
    fill(company, clock, model="sale.order", odd={"amount_total": 9e19, "state": "sale"}, good=6)
    way(company, clock, "sale.order")
    assert registry.models()["sale.order"].objects.count() == 6
    assert set(Position.objects.filter(workflow="order_to_cash").values_list("odoo_id", flat=True)) == {1, 3, 4, 5, 6}
    letter = Delivery.objects.get(status=Status.DEAD, model="sale.order")
    assert (letter.source, letter.odoo_id) == (EVALUATING, 2)
    assert "sale.order 2 (name 2)" in letter.problem and "amount_total is the number 90000000000000000000" in letter.problem
    company.write("sale.order", 2, clock.at + timedelta(minutes=1), amount_total=2e3)
    clock.at += timedelta(minutes=2)
    polling.poll(company.connection, clock=clock)
    assert Position.objects.filter(workflow="order_to_cash", odoo_id=2).exists()
    assert Delivery.objects.get(pk=letter.pk).status == Status.DONE
