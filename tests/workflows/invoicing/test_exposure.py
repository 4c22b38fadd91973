"""What of a customer is overdue is one exception, carried by the oldest invoice."""

from decimal import Decimal

import pytest

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.workflows.catalogue.invoicing import WORKFLOW
from tests.workflows.invoicing.invoices import EXPOSURE, invoice, open_cases, pay, stage_of, until
from tests.world import World


def test_an_exposure_opens_after_a_week_and_closes_with_the_payment(world: World) -> None:
    invoice(world, due="2026-11-25", amount=1_500)
    until(world, days=3)
    assert open_cases(EXPOSURE) == []
    until(world, days=6)
    (case,) = open_cases(EXPOSURE)
    assert (case.amount, case.severity, case.team.slug) == (Decimal("1500.00"), Severity.MEDIUM, "finance")
    assert case.evidence == {
        "commercial_name": "Azure Interior",
        "overdue_total": "1500.00",
        "overdue_count": 1,
        "due_on": "2026-11-25",
        "owed_total": "1500.00",
        "credit_limit": "5000.00",
    }
    pay(world, 600)
    assert open_cases(EXPOSURE) == []
    assert ExceptionCase.objects.get().resolution == WORKFLOW.exceptions[1].closed_because


def test_a_large_exposure_opens_at_once_and_grows_as_more_becomes_overdue(world: World) -> None:
    invoice(world, 600, due="2026-11-22", amount=12_000)
    invoice(world, 601, due="2026-11-24", amount=40_000)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount, case.evidence["owed_total"]) == (600, 12_000, "52000.00")
    until(world, days=2)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount, case.severity) == (600, 52_000, Severity.CRITICAL)
    assert case.evidence["overdue_count"] == 2


def test_one_customer_has_one_exposure_carried_by_the_oldest_invoice(world: World) -> None:
    for number, due in enumerate(["2026-11-03", "2026-11-01", "2026-11-02"]):
        invoice(world, 600 + number, due=due, amount=1_000)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount) == (601, 3_000)
    pay(world, 601)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount) == (602, 2_000)
    invoice(world, 603, move_type="out_refund", due="2026-11-05", amount=500)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount, case.evidence["overdue_count"]) == (602, 1_500, 2)


@pytest.mark.parametrize("kind", ["out_refund", "in_refund"])
def test_an_open_credit_note_is_never_overdue(world: World, kind: str) -> None:
    invoice(world, move_type=kind, due="2026-11-01", amount=90)
    until(world, days=60)
    assert (stage_of(), open_cases(EXPOSURE)) == ("to_settle", [])
    pay(world, 600)
    assert (stage_of(), ExceptionCase.objects.exclude(status=Status.RESOLVED).count()) == ("paid", 0)


def test_what_is_credited_counts_against_what_is_overdue_whatever_day_the_credit_note_bears(world: World) -> None:
    invoice(world, 600, due="2026-11-01", amount=2_000)
    invoice(world, 601, move_type="out_refund", due="2027-03-01", amount=700)
    (case,) = open_cases(EXPOSURE)
    assert (case.amount, case.evidence["overdue_count"], case.evidence["owed_total"]) == (1_300, 1, "1300.00")
    invoice(world, 602, move_type="out_refund", due="2026-11-01", amount=1_300)
    assert open_cases(EXPOSURE) == []
    # Reconciled: the first credit note is used up, and so is its part of the invoice.
    pay(world, 601)
    world.write("account.move", 600, amount_residual=1_300, amount_residual_signed=1_300, payment_state="partial")
    assert open_cases(EXPOSURE) == []
    assert [stage_of(number) for number in (600, 601, 602)] == ["overdue", "paid", "to_settle"]


def test_what_is_owed_to_vendors_is_no_exposure(world: World) -> None:
    invoice(world, move_type="in_invoice", due="2026-11-01", amount=20_000)
    assert stage_of() == "overdue"
    assert open_cases(EXPOSURE) == []
