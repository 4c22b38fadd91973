"""Counts and stock below zero, as pickers make and mend them in a real Odoo."""

from collections.abc import Iterator

import pytest

from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from tests.odoo.seen import Seen, Worker

pytestmark = pytest.mark.odoo

COUNTING = {"inventory_mode": True}


@pytest.fixture
def seen(odoo: OdooClient, real: Connection) -> Seen:
    return Seen(odoo, real)


@pytest.fixture
def picker(odoo: OdooClient) -> Iterator[Worker]:
    """Counts, picks and receives, and may do nothing else."""
    person = Worker(odoo, "stock.group_stock_user")
    yield person
    person.leave()


@pytest.fixture
def desk(odoo: OdooClient) -> Iterator[int]:
    """A product of which nothing was ever in stock."""
    values = {"name": "Tower test desk", "type": "consu", "is_storable": True, "standard_price": 40.0}
    product = odoo.create("product.product", values)
    yield product
    odoo.write("product.product", [product], {"active": False})


def shelf(odoo: OdooClient) -> int:
    """Where the first warehouse keeps its stock."""
    return int(odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"])


def counted(picker: Worker, odoo: OdooClient, product: int, quantity: float) -> int:
    """The picker counts the shelf, as Odoo's list of counts does it."""
    values = {"product_id": product, "location_id": shelf(odoo), "inventory_quantity": quantity}
    return int(picker.do("stock.quant", "create", values, context=COUNTING))


def transfer(picker: Worker, odoo: OdooClient, product: int, quantity: float, *, code: str) -> None:
    """The picker carries goods in or out, whatever the system says that there is."""
    warehouse = odoo.search("stock.warehouse", [], limit=1, order="id")[0]
    fields = ["default_location_src_id", "default_location_dest_id"]
    kind = odoo.search_read("stock.picking.type", [("code", "=", code), ("warehouse_id", "=", warehouse)], fields, limit=1)[0]
    ends = {"location_id": kind["default_location_src_id"], "location_dest_id": kind["default_location_dest_id"]}
    move = {"product_id": product, "product_uom_qty": quantity, **ends}
    picking = picker.do("stock.picking", "create", {"picking_type_id": kind["id"], **ends, "move_ids": [(0, 0, move)]})
    picker.do("stock.picking", "action_confirm", [picking])
    moves = picker.do("stock.move", "search", [("picking_id", "=", picking)])
    picker.do("stock.move", "write", moves, {"quantity": quantity, "picked": True})
    assert picker.do("stock.picking", "button_validate", [picking], context={"skip_backorder": True}) is True


def test_a_small_difference_is_counted_and_applied(seen: Seen, picker: Worker, odoo: OdooClient, desk: int) -> None:
    quant = counted(picker, odoo, desk, 6)
    assert seen.stage("inventory_control", quant) == "counted"
    assert seen.case("inventory.count_adjustment", quant) is None
    picker.do("stock.quant", "action_apply_inventory", [quant])
    assert seen.stage("inventory_control", quant) == "applied"


def test_a_large_difference_is_named_until_it_is_applied(seen: Seen, picker: Worker, odoo: OdooClient, desk: int) -> None:
    quant = counted(picker, odoo, desk, 20)
    assert seen.stage("inventory_control", quant) == "awaiting_approval"
    case = seen.case("inventory.count_adjustment", quant)
    assert case is not None
    assert (
        case.evidence["counted_quantity"],
        case.evidence["system_quantity"],
        case.evidence["unit_cost"],
        case.evidence["difference_value"],
        float(case.amount or 0),
    ) == ("20", "0", "40.00", "800.00", 800)
    picker.do("stock.quant", "action_apply_inventory", [quant])
    assert seen.stage("inventory_control", quant) == "applied"
    case.refresh_from_db()
    assert case.status == "resolved"
    assert odoo.read("stock.quant", [quant], ["quantity"])[0]["quantity"] == 20


def test_a_large_difference_is_forgotten_when_it_is_cleared(seen: Seen, picker: Worker, odoo: OdooClient, desk: int) -> None:
    quant = counted(picker, odoo, desk, 20)
    seen.look()
    case = seen.case("inventory.count_adjustment", quant)
    assert case is not None
    picker.do("stock.quant", "action_clear_inventory_quantity", [quant])
    seen.look()
    case.refresh_from_db()
    assert case.status == "resolved"


def test_stock_below_zero_is_named_until_goods_come(seen: Seen, picker: Worker, odoo: OdooClient, desk: int) -> None:
    transfer(picker, odoo, desk, 6, code="outgoing")
    quant = odoo.search("stock.quant", [("product_id", "=", desk), ("location_id", "=", shelf(odoo))])[0]
    assert seen.stage("inventory_control", quant) == "to_count"
    case = seen.case("inventory.negative_stock", quant)
    assert case is not None
    assert (case.evidence["missing_quantity"], case.evidence["missing_value"]) == ("6", "240.00")
    assert case.evidence["location_name"] == "WH/Stock"
    transfer(picker, odoo, desk, 10, code="incoming")
    assert seen.stage("inventory_control", quant) is None
    case.refresh_from_db()
    assert case.status == "resolved"
