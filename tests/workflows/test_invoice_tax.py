"""Another tax on an invoice than its order carries: in dispute as another price is."""

from typing import Any

import pytest

from apps.exceptions.models import ExceptionCase
from tests.workflows.invoicing.invoices import billing, invoice, open_cases, sold, stage_of
from tests.world import World

DIFFERS = "invoice.differs"


def bought(world: World, *, tax: float | None, value: float = 8_000, quantity: float = 10) -> None:
    """A purchase that was received whole; ``tax`` is what Odoo computed on its line, None where the mirror does not know it."""
    world.write("purchase.order", 80, name="P00080", state="purchase", partner_id=50, company_id=1, currency_id=1)
    world.write(
        "purchase.order.line",
        8000,
        order_id=80,
        name="Board",
        product_qty=quantity,
        qty_received=quantity,
        qty_invoiced=quantity,
        qty_to_invoice=0,
        price_unit=value / quantity,
        price_subtotal=value,
        price_total=None if tax is None else value + tax,
    )


def billed(world: World, *, tax: float, value: float = 8_000, quantity: float = 10, **more: Any) -> None:
    """The vendor's bill for it."""
    invoice(world, **{"move_type": "in_invoice", "amount": value + tax, "state": "draft"} | more)
    billing(
        world,
        quantity=quantity,
        price=value / quantity,
        sale_line_ids=[],
        purchase_line_id=8000,
        price_total=value + tax,
        currency_id=more.get("currency_id", 1),
    )


def test_a_tax_that_the_order_does_not_carry_is_disputed_until_it_is_taken_off(world: World) -> None:
    bought(world, tax=0)
    billed(world, tax=4_000)
    (case,) = open_cases(DIFFERS)
    evidence = case.evidence
    assert (case.amount, evidence["tax_difference"], evidence["price_difference"], evidence["order_names"]) == (
        4_000,
        "4000.00",
        "0.00",
        "P00080",
    )
    assert (evidence["billed_tax"], evidence["ordered_tax"], evidence["differing_count"]) == ("4000.00", "0.00", 1)
    billed(world, tax=0)
    assert open_cases(DIFFERS) == []


@pytest.mark.parametrize(("ordered", "on_bill", "differs"), [(1_600, 400, -1_200), (1_600, 2_000, 400), (1_600, 0, -1_600)])
def test_a_tax_above_and_one_below_the_orders_are_both_disputed(
    world: World, ordered: float, on_bill: float, differs: float
) -> None:
    bought(world, tax=ordered)
    billed(world, tax=on_bill, state="posted")
    (case,) = open_cases(DIFFERS)
    assert (stage_of(), case.amount, float(case.evidence["tax_difference"])) == ("disputed", abs(differs), differs)


def test_the_tax_is_told_by_what_is_billed_and_adds_to_what_differs_by_price(world: World) -> None:
    bought(world, tax=1_600)
    billed(world, value=8_800, tax=1_760)
    (case,) = open_cases(DIFFERS)
    assert (case.amount, case.evidence["tax_difference"]) == (800, "0.00")
    billed(world, value=8_800, tax=880)
    (case,) = open_cases(DIFFERS)
    assert (case.amount, case.evidence["tax_difference"], case.evidence["price_difference"]) == (1_680, "-880.00", "800.00")


def test_a_tax_that_was_rounded_is_no_difference(world: World) -> None:
    # Nineteen per cent of 0.33, rounded to 0.06 on the order, of which the bill takes a part, and a hundred times as much.
    bought(world, tax=0.06, value=0.33)
    billed(world, tax=0.02, value=0.1, quantity=3)
    assert not ExceptionCase.objects.exists()
    bought(world, tax=0.06, value=0.33, quantity=1_000)
    world.write("purchase.order.line", 8000, price_subtotal=0.33, price_total=0.39, product_qty=10, price_unit=0.033)
    billed(world, tax=6.27, value=33, quantity=1_000)
    assert open_cases(DIFFERS)[0].evidence["tax_difference"] == "0.00"


def test_where_yen_have_no_decimals_a_rounded_tax_is_no_difference(world: World) -> None:
    world.write("res.currency", 3, name="JPY", decimal_places=0, rounding=1, active=True)
    bought(world, tax=33, value=330)
    world.write("purchase.order", 80, currency_id=3)
    billed(world, tax=10, value=99, quantity=3, currency_id=3)
    assert not ExceptionCase.objects.exists()


def test_an_order_whose_tax_the_mirror_does_not_know_is_not_judged_by_it(world: World) -> None:
    bought(world, tax=None)
    billed(world, tax=1_600)
    assert not ExceptionCase.objects.exists()


def test_what_is_free_bears_the_tax_of_its_quantity_alone(world: World) -> None:
    bought(world, tax=20, value=0)
    billed(world, tax=10, value=0, quantity=5)
    assert not ExceptionCase.objects.exists()
    billed(world, tax=300, value=0, quantity=5)
    assert open_cases(DIFFERS)[0].amount == 290


def test_a_tax_in_another_currency_is_told_in_the_companys(world: World) -> None:
    world.write("res.currency", 2, name="USD", decimal_places=2, active=True)
    bought(world, tax=1_600)
    billed(world, value=10_000, tax=2_000, currency_id=2, amount_total_signed=9_600, amount_residual_signed=9_600)
    assert open_cases(DIFFERS) == []
    billed(world, value=10_000, tax=3_000, currency_id=2, amount=13_000, amount_total_signed=10_400, amount_residual_signed=10_400)
    (case,) = open_cases(DIFFERS)
    assert (case.amount, case.currency) == (800, "EUR")


def test_a_customer_is_billed_the_tax_that_the_order_carries(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10, price=100, price_subtotal=1_000, price_total=1_190)
    invoice(world, amount=1_190)
    billing(world, quantity=10, price=100, price_total=1_190)
    assert (stage_of(), open_cases(DIFFERS)) == ("not_due", [])
    world.write("account.move.line", 6000, price_total=1_000)
    (case,) = open_cases(DIFFERS)
    assert (stage_of(), case.amount, case.evidence["tax_difference"]) == ("disputed", 190, "-190.00")


def test_a_down_payment_is_not_judged_by_its_tax(world: World) -> None:
    sold(world, ordered=0, delivered=0, billed=1, price=500, price_subtotal=0, price_total=0)
    invoice(world, amount=595)
    billing(world, quantity=1, price=500, price_total=595)
    assert not ExceptionCase.objects.exists()


def test_a_credit_note_is_not_judged_by_its_tax(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10, price=100, price_subtotal=1_000, price_total=1_000)
    invoice(world, move_type="out_refund", state="draft", amount=595)
    billing(world, quantity=5, price=100, price_total=595)
    assert open_cases(DIFFERS) == []
