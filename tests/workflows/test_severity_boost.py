"""What makes an exception weigh more than its money: a promise that is due, and a customer of a key class."""

from datetime import timedelta

import pytest

from apps.exceptions.models import ExceptionCase, Severity
from apps.pipeline import change_processing
from apps.workflows import registry, severity_boost
from tests.trade import company, days, purchase, sale
from tests.world import World


@pytest.fixture
def world(db: None) -> World:
    return company()


def shortage() -> ExceptionCase:
    return ExceptionCase.objects.get(type="order.stock_shortage")


def test_a_promise_weighs_as_it_comes_near_though_odoo_says_nothing(world: World) -> None:
    sale(world, 42, quantity=15, promised_in=5)
    assert shortage().severity == Severity.MEDIUM
    change_processing.reevaluate_due(now=world.advance(days=2.9))
    assert shortage().severity == Severity.MEDIUM
    change_processing.reevaluate_due(now=world.advance(days=0.2))
    assert (shortage().severity, shortage().plain_evidence[severity_boost.REASONS]) == (
        Severity.HIGH,
        f"promised for {days(world, 1.9)[:10]} already",
    )
    change_processing.reevaluate_due(now=world.advance(days=2))
    assert shortage().plain_evidence[severity_boost.REASONS] == f"promised for {days(world, -0.1)[:10]}"


def test_a_customer_of_a_key_class_weighs_a_step_more_by_its_company_or_itself(world: World) -> None:
    world.write("res.partner.category", 3, name="Key account", active=True)
    world.write("res.partner.category", 4, name="Furniture", active=True)
    world.write("res.partner", 50, category_id=[3, 4])
    world.write("res.partner", 52, name="Azure, branch", commercial_partner_id=50, active=True)
    world.write("res.partner", 51, category_id=[4])
    for order, partner in ((42, 50), (43, 52), (44, 51)):
        sale(world, order, quantity=15, promised_in=9, partner=partner)
    found = dict(ExceptionCase.objects.filter(type="order.stock_shortage").values_list("odoo_id", "severity"))
    assert found == {42: Severity.HIGH, 43: Severity.HIGH, 44: Severity.MEDIUM}
    case = ExceptionCase.objects.get(type="order.stock_shortage", odoo_id=43)
    assert case.plain_evidence[severity_boost.REASONS] == "Key account"


def test_both_together_weigh_two_steps_and_never_more_than_critical(world: World) -> None:
    world.write("res.partner.category", 3, name="VIP", active=True)
    world.write("res.partner", 50, category_id=[3])
    sale(world, 42, quantity=15, promised_in=1)
    sale(world, 43, quantity=150, promised_in=1)
    found = dict(ExceptionCase.objects.filter(type="order.stock_shortage").values_list("odoo_id", "severity"))
    assert found == {42: Severity.CRITICAL, 43: Severity.CRITICAL}
    case = ExceptionCase.objects.get(type="order.stock_shortage", odoo_id=42)
    assert case.plain_evidence[severity_boost.REASONS].endswith("already, VIP")


def test_every_exception_type_of_the_catalogue_says_what_it_weighs_more_for() -> None:
    for workflow in registry.workflows().values():
        assert [kind.name for kind in workflow.exceptions if severity_boost.REASONS not in kind.evidence] == []


def test_a_purchase_weighs_by_the_day_that_its_vendor_promised(world: World) -> None:
    purchase(world, quantity=20, expected_in=1, acknowledged=False)
    world.advance(days=1.5)
    change_processing.reevaluate_due(now=world.now)
    late = ExceptionCase.objects.get(type="purchase.supplier_delay")
    assert late.plain_evidence[severity_boost.REASONS] == f"promised for {(world.now - timedelta(days=0.5)):%Y-%m-%d}"
