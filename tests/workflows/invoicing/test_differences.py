"""What an invoice or bill says beyond what was agreed and delivered is disputed."""

from apps.exceptions.models import ExceptionCase, Severity
from apps.workflows import blockers
from apps.workflows.catalogue.invoicing import WORKFLOW
from apps.workflows.models import Position
from tests.workflows.invoicing.invoices import billing, invoice, open_cases, pay, sold, stage_of
from tests.world import World


def test_an_invoice_for_what_was_ordered_and_delivered_differs_in_nothing(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10)
    invoice(world)
    billing(world, quantity=10)
    assert stage_of() == "not_due"
    assert not ExceptionCase.objects.exists()


def test_more_billed_than_delivered_is_disputed_until_the_rest_is_delivered(world: World) -> None:
    sold(world, ordered=10, delivered=8, billed=10)
    invoice(world)
    billing(world, quantity=10)
    assert stage_of() == "disputed"
    (case,) = open_cases("invoice.differs")
    assert (case.amount, case.severity, case.team.slug) == (20, Severity.LOW, "finance")
    evidence = case.evidence
    assert [evidence[name] for name in ("billed_quantity", "ordered_quantity", "delivered_quantity", "over_quantity")] == [
        "10",
        "10",
        "8",
        "2",
    ]
    assert (evidence["order_names"], evidence["product_names"], evidence["amount_over"]) == ("S00042", "Desk", "20.00")
    world.advance(hours=2)
    world.write("sale.order.line", 4200, qty_delivered=10, qty_to_invoice=0)
    assert (stage_of(), open_cases("invoice.differs")) == ("not_due", [])
    assert ExceptionCase.objects.get().resolution == WORKFLOW.exceptions[0].closed_because


def test_a_disputed_invoice_holds_its_order_up(world: World) -> None:
    sold(world, ordered=10, delivered=8, billed=10)
    invoice(world)
    billing(world, quantity=10)
    order = Position.objects.get(model="sale.order")
    (blocker,) = blockers.blockers_of(order, now=world.now)
    assert (blocker.kind, blocker.model, blocker.odoo_id, blocker.since) == ("invoice_dispute", "account.move", 600, world.now)
    assert "INV/600" in blocker.text
    world.write("sale.order.line", 4200, qty_delivered=10, qty_to_invoice=0)
    assert blockers.blockers_of(order, now=world.now) == []


def test_another_price_than_the_orders_is_disputed_until_it_is_corrected(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10, price=100, discount=10)
    invoice(world, amount=1_000)
    billing(world, quantity=10, price=100)
    (case,) = open_cases("invoice.differs")
    assert (stage_of(), case.amount) == ("disputed", 100)
    assert (case.evidence["billed_price"], case.evidence["ordered_price"], case.evidence["price_difference"]) == (
        "1000.00",
        "900.00",
        "100.00",
    )
    world.write("account.move.line", 6000, discount=10)
    assert (stage_of(), open_cases("invoice.differs")) == ("not_due", [])


def test_a_rounded_price_is_no_difference(world: World) -> None:
    sold(world, ordered=3, delivered=3, billed=3, price=33.333)
    invoice(world)
    billing(world, quantity=3, price=33.33)
    assert not ExceptionCase.objects.exists()


def test_the_newest_of_two_invoices_bears_what_is_billed_twice(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=20)
    invoice(world, 600)
    billing(world, 6000, move=600, quantity=10)
    invoice(world, 601)
    billing(world, 6001, move=601, quantity=10)
    (case,) = open_cases("invoice.differs")
    assert (case.odoo_id, case.evidence["all_billed_quantity"], case.evidence["over_quantity"]) == (601, "20", "10")
    world.write("account.move", 601, state="cancel")
    world.write("sale.order.line", 4200, qty_invoiced=10, qty_to_invoice=0)
    assert open_cases("invoice.differs") == []


def test_an_invoice_of_an_order_that_is_cancelled_differs(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10)
    invoice(world)
    billing(world, quantity=10)
    world.write("sale.order", 42, state="cancel")
    (case,) = open_cases("invoice.differs")
    assert case.evidence["over_quantity"] == "10"


def test_a_down_payment_differs_from_nothing(world: World) -> None:
    sold(world, ordered=0, delivered=0, billed=1, price=500)
    invoice(world)
    billing(world, quantity=1, price=500)
    assert not ExceptionCase.objects.exists()


def test_a_draft_that_differs_is_seen_before_it_is_posted(world: World) -> None:
    sold(world, ordered=10, delivered=8, billed=10)
    invoice(world, state="draft")
    billing(world, quantity=10)
    assert stage_of() == "draft"
    assert len(open_cases("invoice.differs")) == 1


def test_a_settled_invoice_is_disputed_no_longer(world: World) -> None:
    sold(world, ordered=10, delivered=8, billed=10)
    invoice(world)
    billing(world, quantity=10)
    pay(world, 600)
    assert (stage_of(), open_cases("invoice.differs")) == ("paid", [])


def test_a_vendors_bill_is_held_against_what_was_received_and_the_price_ordered(world: World) -> None:
    world.write("purchase.order", 80, name="P00080", state="purchase", partner_id=50, company_id=1, currency_id=1)
    world.write(
        "purchase.order.line",
        8000,
        order_id=80,
        name="Board",
        product_qty=100,
        qty_received=60,
        qty_invoiced=100,
        qty_to_invoice=-40,
        price_unit=5,
        price_subtotal=500,
    )
    invoice(world, move_type="in_invoice", amount=600)
    billing(world, quantity=100, price=6, sale_line_ids=[], purchase_line_id=8000)
    (case,) = open_cases("invoice.differs")
    assert stage_of() == "disputed"
    assert (case.amount, case.severity) == (340, Severity.MEDIUM)
    assert (case.evidence["order_names"], case.evidence["price_difference"], case.evidence["amount_over"]) == (
        "P00080",
        "100.00",
        "240.00",
    )
    world.write("purchase.order.line", 8000, qty_received=100, qty_to_invoice=0)
    (case,) = open_cases("invoice.differs")
    assert case.amount == 100
    world.write("purchase.order.line", 8000, price_unit=6, price_subtotal=600)
    assert (stage_of(), open_cases("invoice.differs")) == ("not_due", [])


def test_money_at_risk_is_in_the_companys_currency(world: World) -> None:
    world.write("res.currency", 2, name="USD", decimal_places=2, active=True)
    sold(world, ordered=10, delivered=8, billed=10)
    world.write("sale.order", 42, currency_id=2)
    invoice(world, amount=100, currency_id=2, amount_total_signed=80, amount_residual_signed=80)
    billing(world, quantity=10, currency_id=2)
    (case,) = open_cases("invoice.differs")
    assert (case.amount, case.currency, Position.objects.get(workflow="invoicing").amount) == (16, "EUR", 80)
