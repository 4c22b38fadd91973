"""An order stands on the first open step of its way: a pick, the vendor, what is still to be put away."""

from apps.workflows import blockers, impact
from apps.workflows.models import Position
from tests.trade import DESK, days, purchase, sale
from tests.workflows.units.goods import case
from tests.world import World


def picked_first(world: World, *, state: str = "assigned", promised_in: float = 3) -> None:
    """An order whose goods are picked first: the delivery is made once the pick is done."""
    sale(world, 42, quantity=10, promised_in=promised_in)
    world.write("stock.picking", 42, name="WH/PICK/00042", state=state, picking_type_code="internal")
    world.write("stock.move", 42, state=state, quantity=10 if state == "assigned" else 0)


def test_an_order_is_ready_when_its_pick_is(world: World) -> None:
    picked_first(world, state="confirmed")
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "waiting_for_stock"
    picked_first(world)
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "ready_to_pick"
    world.write("sale.order", 42, delivery_status="started")
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "ready_to_pick"


def test_a_promise_that_passed_on_the_pick_is_at_risk_and_names_it(world: World) -> None:
    picked_first(world, promised_in=-7)
    late = case(world, "order.promise_at_risk", 42)
    assert late is not None
    assert (late["promise_late_days"], late["steps_names"]) == (7, "WH/PICK/00042 is ready and not done")
    found = {one.kind: one for one in blockers.blockers_of(Position.objects.get(model="sale.order", odoo_id=42), now=world.now)}
    assert (found["open_step"].model, found["open_step"].odoo_id) == ("stock.picking", 42)


def test_a_delivery_that_waits_for_its_pick_is_told_by_the_pick(world: World) -> None:
    picked_first(world, promised_in=-1)
    world.write("stock.picking", 43, name="WH/OUT/00043", state="waiting", picking_type_code="outgoing", sale_id=42)
    world.write(
        "stock.move",
        43,
        product_id=DESK,
        company_id=1,
        sale_line_id=420,
        picking_id=43,
        state="waiting",
        product_uom_qty=10,
        move_orig_ids=[42],
    )
    late = case(world, "order.promise_at_risk", 42)
    assert late is not None
    assert late["steps_names"] == "WH/PICK/00042 is ready and not done"
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "ready_to_pick"


def test_what_the_vendor_delivers_is_expected_when_the_purchase_is(world: World) -> None:
    sale(world, 42, quantity=10, promised_in=3)
    purchase(world, 80, quantity=10, expected_in=9, state="draft")
    world.write("stock.picking", 42, state="cancel")
    world.write("stock.move", 42, state="cancel")
    world.write("purchase.order.line", 800, sale_line_id=420)
    world.write("stock.move", 800, state="cancel")
    world.write("sale.order", 42, delivery_status=False)
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "waiting_for_stock"
    late = case(world, "order.promise_at_risk", 42)
    assert late is not None
    assert late["promise_late_days"] == 6

    world.write(
        "stock.picking",
        43,
        name="DS/00001",
        state="assigned",
        picking_type_code="dropship",
        sale_id=42,
        scheduled_date=days(world, 1),
    )
    world.write(
        "stock.move",
        43,
        product_id=DESK,
        company_id=1,
        sale_line_id=420,
        purchase_line_id=800,
        picking_id=43,
        state="assigned",
        product_uom_qty=10,
        quantity=10,
    )
    world.write("purchase.order", 80, state="purchase")
    world.write("sale.order", 42, delivery_status="pending")
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "waiting_for_stock"
    late = case(world, "order.promise_at_risk", 42)
    assert late is not None
    assert (late["promise_late_days"], late["steps_names"]) == (6, "DS/00001 is expected from the vendor")
    (waiting,) = impact.impact_of(world.connection.pk, "purchase.order", 80, now=world.now).orders
    assert (waiting.odoo_id, waiting.is_linked, waiting.late_days) == (42, True, 6)


def test_what_is_in_the_house_and_not_put_away_is_to_come(world: World) -> None:
    sale(world, 42, quantity=10, promised_in=6, warehouse_id=1)
    purchase(world, 80, quantity=10)
    world.write("purchase.order.line", 800, qty_received=10)
    world.write("stock.move", 800, state="done", quantity=10)
    short = case(world, "order.stock_shortage", 42)
    assert short is not None
    assert short["uncovered_quantity"] == "10"
    world.write("stock.picking.type", 5, code="internal", name="Storage")
    world.write("stock.picking", 90, name="WH/STOR/00090", state="assigned", picking_type_code="internal", picking_type_id=5)
    world.write(
        "stock.move",
        90,
        product_id=DESK,
        company_id=1,
        picking_id=90,
        state="assigned",
        product_uom_qty=10,
        quantity=10,
        date=days(world, -1),
        move_orig_ids=[800],
    )
    assert case(world, "order.stock_shortage", 42) is None
