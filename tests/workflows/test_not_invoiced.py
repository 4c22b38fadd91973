"""What was delivered and not invoiced is told of after its time, in numbers, once, until it is invoiced."""

from datetime import timedelta
from decimal import Decimal

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.pipeline import change_processing
from apps.workflows.models import Position
from tests.world import World, odoo_time

KIND = "invoice.delivered_not_invoiced"


def delivered(world: World, *, quantity: float = 10, invoiced: float = 0, price: float = 200, **more: object) -> None:
    """Desks that were ordered and have all been delivered today, some of which may be invoiced."""
    world.order(amount=quantity * price, state="sale", delivery_status="full", invoice_status="to invoice", **more)
    world.write(
        "stock.picking",
        700,
        name="WH/OUT/700",
        state="done",
        picking_type_code="outgoing",
        sale_id=42,
        date_done=odoo_time(world.now),
    )
    bills(world, quantity=quantity, invoiced=invoiced, price=price)


def bills(world: World, *, quantity: float = 10, invoiced: float, price: float = 200) -> None:
    world.write(
        "sale.order.line",
        4200,
        order_id=42,
        name="Desk",
        product_id=30,
        product_uom_qty=quantity,
        price_unit=price,
        qty_delivered=quantity,
        qty_invoiced=invoiced,
        qty_to_invoice=quantity - invoiced,
        price_subtotal=quantity * price,
    )


def open_cases() -> list[ExceptionCase]:
    return list(ExceptionCase.objects.exclude(status=Status.RESOLVED))


def time_passes(world: World, **delta: float) -> None:
    world.advance(**delta)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def test_it_opens_two_days_after_the_last_delivery_by_time_alone(world: World) -> None:
    delivered(world, invoiced=4)
    assert Position.objects.get(model="sale.order").look_again_at == world.now + timedelta(days=2)
    time_passes(world, days=1, hours=23)
    assert open_cases() == []
    time_passes(world, hours=1)
    (case,) = open_cases()
    assert (case.type, case.amount, case.severity, case.team.slug) == (KIND, Decimal("1200.00"), Severity.MEDIUM, "finance")
    told = {
        "uninvoiced_amount": "1200.00",
        "delivered_goods_quantity": "10",
        "invoiced_before_quantity": "4",
        "uninvoiced_quantity": "6",
        "uninvoiced_days": 2,
        "uninvoiced_products_names": "Desk",
        "salesperson": "Sofia Sales",
    }
    assert told.items() <= case.evidence.items()


def test_it_is_the_only_one_that_tells_of_the_order_however_long_it_stands(world: World) -> None:
    delivered(world)
    time_passes(world, days=40)
    assert [case.type for case in open_cases()] == [KIND]


def test_it_follows_what_is_invoiced_and_closes_with_the_last_of_it(world: World) -> None:
    delivered(world)
    time_passes(world, days=3)
    bills(world, invoiced=5)
    (case,) = open_cases()
    assert (case.amount, case.evidence["uninvoiced_quantity"]) == (1_000, "5")
    bills(world, invoiced=10)
    world.write("sale.order", 42, invoice_status="invoiced")
    assert open_cases() == []
    assert ExceptionCase.objects.get().resolution == "The delivery is invoiced"


def test_money_is_the_companys(world: World) -> None:
    delivered(world, currency_rate=1.25)
    time_passes(world, days=3)
    assert open_cases()[0].amount == 1_600


def test_what_is_still_to_be_delivered_is_not_waited_for_with_an_invoice(world: World) -> None:
    delivered(world)
    world.write("sale.order", 42, delivery_status="partial")
    time_passes(world, days=5)
    assert open_cases() == []
