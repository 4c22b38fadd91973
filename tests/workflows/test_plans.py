"""A workflow's statements say the same whether their plan is kept or made anew."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.mirror import registry as mirror
from apps.workflows import engine, registry
from apps.workflows.engine import Evaluation
from tests.trade import company, purchase, sale
from tests.world import World


@pytest.fixture
def world(db: None) -> World:
    made = company()
    for order in (42, 43):
        sale(made, order, quantity=15 * order, promised_in=1)
    purchase(made, quantity=20, expected_in=1, acknowledged=False)
    made.owes(9_000, due_days_ago=40)
    made.advance(days=2)
    return made


def evaluated(name: str, world: World, monkeypatch: pytest.MonkeyPatch, *, planned_once: int) -> Evaluation:
    """What the workflow makes of all its records; undone."""
    workflow = registry.workflows()[name]
    monkeypatch.setattr(engine, "PLANNED_ONCE", planned_once)
    ids = mirror.models()[workflow.odoo_model].objects.order_by("odoo_id").values_list("odoo_id", flat=True)
    records = {odoo_id: world.now - timedelta(hours=1) if odoo_id % 2 else None for odoo_id in ids}
    with transaction.atomic():
        found = engine.evaluate(workflow, connection_id=world.connection.pk, records=records, now=world.now)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("name", registry.workflows())
def test_a_plan_that_is_kept_finds_what_one_made_anew_finds(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = evaluated(name, world, monkeypatch, planned_once=1_000)
    anew = evaluated(name, world, monkeypatch, planned_once=-1)
    assert kept == anew


def test_the_trial_finds_something(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("order_to_cash", "procure_to_pay"):
        assert evaluated(name, world, monkeypatch, planned_once=1_000).exceptions


@pytest.mark.parametrize("name", registry.workflows())
def test_a_plan_that_is_kept_finds_the_dependants_that_one_made_anew_finds(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {
        model: dict.fromkeys(mirrored.objects.values_list("odoo_id", flat=True), world.now)
        for model, mirrored in mirror.models().items()
        if mirrored.objects.exists()
    }
    found = []
    for planned_once in (1_000, -1):
        monkeypatch.setattr(engine, "PLANNED_ONCE", planned_once)
        found.append(engine.affected(registry.workflows()[name], connection_id=world.connection.pk, changed=changed, now=world.now))
    assert found[0] == found[1]
    assert found[0] or name not in ("order_to_cash", "procure_to_pay")
