"""Transfers of ten desks, what is reserved for them and where they stand."""

from datetime import timedelta
from typing import Any

from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import registry as mirror
from apps.pipeline import change_processing
from apps.workflows.models import Position
from tests.world import World, odoo_time

SHORT, LATE, LOT = "fulfilment.pick_shortage", "fulfilment.late_transfer", "fulfilment.lot_problem"


def transfer(world: World, odoo_id: int = 300, *, due_in: float = 3, reserved: float = 10, **more: Any) -> None:
    """Ten desks to the customer, due in so many days, of which some are reserved."""
    values = {
        "name": f"HALL/OUT/{odoo_id}",
        "state": "assigned",
        "picking_type_id": 1,
        "picking_type_code": "outgoing",
        "partner_id": 50,
        "company_id": 1,
        "origin": "S00042",
        "sale_id": 42,
        "date_deadline": odoo_time(world.now + timedelta(days=due_in)),
        "scheduled_date": odoo_time(world.now),
    }
    move(
        world,
        odoo_id * 10,
        picking_id=odoo_id,
        quantity=reserved,
        state="assigned" if reserved == 10 else "partially_available" if reserved else "confirmed",
    )
    world.write("stock.picking", odoo_id, **values | more)


def move(world: World, odoo_id: int = 3000, **values: Any) -> None:
    if not mirror.models()["stock.move"].objects.filter(odoo_id=odoo_id).exists():
        values = {
            "product_id": 30,
            "product_uom_qty": 10,
            "sale_line_id": 420,
            "location_id": 8,
            "location_dest_id": 5,
            "company_id": 1,
            "picking_id": 300,
            "state": "assigned",
        } | values
    world.write("stock.move", odoo_id, **values)


def stock(world: World, *, hall: tuple[float, float] = (0, 0), annex: tuple[float, float] = (0, 0)) -> None:
    """What lies in each warehouse, and what of it is reserved."""
    for number, (quantity, reserved) in ((1, hall), (2, annex)):
        world.write("stock.quant", 7 + number, product_id=30, location_id=7 + number, quantity=quantity, reserved_quantity=reserved)


def time_passes(world: World, **delta: float) -> None:
    world.advance(**delta)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def stage(odoo_id: int = 300) -> str:
    return Position.objects.get(workflow="fulfilment", odoo_id=odoo_id).stage


def standing() -> list[str]:
    return list(
        ExceptionCase.objects.filter(workflow="fulfilment")
        .exclude(status=Status.RESOLVED)
        .order_by("type")
        .values_list("type", flat=True)
    )


def case_of(kind: str) -> ExceptionCase:
    return ExceptionCase.objects.exclude(status=Status.RESOLVED).get(type=kind)


def told(kind: str, *names: str) -> dict[str, Any]:
    evidence = case_of(kind).plain_evidence
    return {name: evidence[name] for name in names}
