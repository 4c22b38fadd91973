"""A picker works in the real Odoo, and the tower names what comes short, late or without its lot, and forgets it again."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import odoorpc
import pytest

from apps.core import clock
from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import registry
from apps.mirror.sync import backfill, increment, refresh
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.pipeline import change_processing
from apps.workflows.models import Position

pytestmark = pytest.mark.odoo

LOGIN, PASSWORD = "pia@tower.test", "pia-picks-2026"
SHORT, LATE, LOT = "fulfilment.pick_shortage", "fulfilment.late_transfer", "fulfilment.lot_problem"


class Floor:
    """The warehouse floor: a customer, a picker who may do what pickers may, and the tower that reads along."""

    def __init__(self, odoo: OdooClient, connection: Connection) -> None:
        self.odoo, self.connection = odoo, connection
        self.work_in(odoo.search("stock.warehouse", [], order="id", limit=1)[0])
        self.customer = odoo.create("res.partner", {"name": "Tower test customer"})
        self._hire()
        capabilities: dict[str, Any] = {}
        for name, model in registry.models().items():
            if odoo.search_count("ir.model", [("model", "=", name)]):
                capabilities[name] = {"missing_fields": sorted(set(model.odoo_fields()) - set(odoo.fields_get(name)))}
        connection.capabilities = {"models": capabilities}
        connection.save()
        odoo.connection.capabilities = connection.capabilities
        for model in self.models():
            backfill.run(odoo, model, connection=connection, clock=clock.now)

    def work_in(self, warehouse: int) -> None:
        """From now on goods are laid in and sold there."""
        self.warehouse = self.odoo.read("stock.warehouse", [warehouse], ["company_id", "lot_stock_id"])[0]
        self.company, self.place = self.warehouse["company_id"], self.warehouse["lot_stock_id"]

    def models(self) -> list[Any]:
        return [model for name, model in registry.models().items() if not self.connection.lacks(name)]

    def _hire(self) -> None:
        if not self.odoo.search_count("res.users", [("login", "=", LOGIN)]):
            group = self.odoo.search_read(
                "ir.model.data", [("module", "=", "stock"), ("name", "=", "group_stock_user")], ["res_id"]
            )[0]["res_id"]
            self.odoo.create("res.users", {"name": "Pia Picker", "login": LOGIN, "password": PASSWORD, "group_ids": [(4, group)]})
        parts = urlsplit(os.environ["ODOO_URL"])
        self.session = odoorpc.ODOO(parts.hostname, port=parts.port, timeout=60)
        self.session.login(os.environ["ODOO_DB"], LOGIN, PASSWORD)

    def picker(self, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Do it as the picker."""
        return self.session.execute_kw(model, method, list(arguments), named)

    def product(self, name: str, *, tracking: str = "none", price: float = 100) -> int:
        return self.odoo.create(
            "product.product",
            {"name": name, "is_storable": True, "tracking": tracking, "list_price": price, "standard_price": 40, "taxes_id": False},
        )

    def lay_in(self, product: int, quantity: float, *, lot: int | None = None) -> None:
        """So much of it lies in the warehouse now, as a count says."""
        found = self.odoo.search(
            "stock.quant", [("product_id", "=", product), ("location_id", "=", self.place), ("lot_id", "=", lot or False)]
        )
        context = {"inventory_mode": True}
        if found:
            self.odoo.call("stock.quant", "write", found, vals={"inventory_quantity": quantity}, context=context)
        else:
            values = {"product_id": product, "location_id": self.place, "inventory_quantity": quantity, "lot_id": lot or False}
            found = self.odoo.call("stock.quant", "create", vals_list=[values], context=context)
        self.odoo.call("stock.quant", "action_apply_inventory", found)

    def sell(self, product: int, quantity: float, **more: Any) -> tuple[int, int]:
        """A confirmed order, and its delivery."""
        line = {"product_id": product, "product_uom_qty": quantity, "price_unit": 100}
        order = self.odoo.create(
            "sale.order", {"partner_id": self.customer, "order_line": [(0, 0, line)], "warehouse_id": self.warehouse["id"], **more}
        )
        self.odoo.call("sale.order", "action_confirm", [order])
        return order, self.odoo.search("stock.picking", [("sale_id", "=", order)])[0]

    def moves(self, picking: int) -> list[int]:
        return self.odoo.search("stock.move", [("picking_id", "=", picking)])

    def validate(self, picking: int, **context: Any) -> None:
        self.picker("stock.picking", "button_validate", [picking], context={"skip_backorder": True, "skip_sms": True, **context})
        assert self.odoo.read("stock.picking", [picking], ["state"])[0]["state"] == "done"

    def follow(self, *pickings: int) -> None:
        """The tower polls, and is told of these transfers by their webhooks."""

        def take(changes: list[Any]) -> None:
            change_processing.apply_changes(changes, now=clock.now())

        for model in self.models():
            increment.run(self.odoo, model, connection=self.connection, clock=clock.now, on_changes=take)
        reads = refresh.read(self.odoo, registry.models()["stock.picking"], pickings, now=clock.now())
        refresh.write(reads, connection_id=self.connection.pk, on_changes=take, now=clock.now())

    def told(self, picking: int) -> dict[str, dict[str, Any]]:
        """What stands in the queue about a transfer."""
        self.follow(picking)
        cases = ExceptionCase.objects.filter(model="stock.picking", odoo_id=picking).exclude(status=Status.RESOLVED)
        return {case.type: case.plain_evidence | {"amount": case.amount} for case in cases}

    def stage(self, picking: int) -> str:
        return Position.objects.get(workflow="fulfilment", odoo_id=picking).stage


@pytest.fixture
def floor(real: Connection, odoo: OdooClient) -> Iterator[Floor]:
    made = Floor(odoo, real)
    yield made
    for picking in odoo.search("stock.picking", [("partner_id", "=", made.customer), ("state", "not in", ["done", "cancel"])]):
        odoo.call("stock.picking", "action_cancel", [picking])


def test_what_is_short_is_named_and_followed_into_its_back_order(floor: Floor) -> None:
    desk = floor.product("Tower test desk")
    floor.lay_in(desk, 4)
    _, picking = floor.sell(desk, 10)
    short = floor.told(picking)[SHORT]
    assert floor.stage(picking) == "ready"
    assert {
        name: short[name]
        for name in (
            "shortage_names",
            "wanted_quantity",
            "available_quantity",
            "missing_quantity",
            "on_hand_quantity",
            "free_elsewhere_quantity",
        )
    } == {
        "shortage_names": "Not enough on hand",
        "wanted_quantity": "10",
        "available_quantity": "4",
        "missing_quantity": "6",
        "on_hand_quantity": "4",
        "free_elsewhere_quantity": "0",
    }
    assert short["amount"] == 600

    floor.picker("stock.move", "write", floor.moves(picking), {"picked": True})
    floor.validate(picking)
    assert floor.told(picking) == {}
    behind = floor.odoo.search("stock.picking", [("backorder_id", "=", picking)])[0]
    assert floor.told(behind)[SHORT]["shortage_names"] == "Back-ordered"
    assert floor.told(behind)[SHORT]["missing_quantity"] == "6"

    floor.lay_in(desk, 6)
    floor.picker("stock.picking", "action_assign", [behind])
    assert floor.told(behind) == {}
    assert (floor.stage(picking), floor.stage(behind)) == ("done", "ready")


def test_what_others_have_reserved_and_what_lies_elsewhere_is_told(floor: Floor) -> None:
    desk = floor.product("Tower test desk")
    floor.lay_in(desk, 10)
    floor.sell(desk, 8)
    _, picking = floor.sell(desk, 5)
    short = floor.told(picking)[SHORT]
    assert (short["shortage_names"], short["reserved_for_others_quantity"]) == ("Reserved for others", "8")


def test_a_picker_who_finds_fewer_is_believed_until_the_rest_is_found(floor: Floor) -> None:
    desk = floor.product("Tower test desk")
    floor.lay_in(desk, 10)
    _, picking = floor.sell(desk, 10)
    assert floor.told(picking) == {}
    floor.picker("stock.move", "write", floor.moves(picking), {"quantity": 7, "picked": True})
    short = floor.told(picking)[SHORT]
    assert (short["shortage_names"], short["missing_quantity"]) == ("Picked less than on hand in Odoo", "3")
    floor.picker("stock.move", "write", floor.moves(picking), {"quantity": 10})
    assert floor.told(picking) == {}


def test_what_a_picker_drops_is_missing_while_the_order_wants_it(floor: Floor) -> None:
    desk = floor.product("Tower test desk")
    floor.lay_in(desk, 4)
    order, picking = floor.sell(desk, 10)
    floor.picker("stock.move", "write", floor.moves(picking), {"picked": True})
    floor.validate(picking, picking_ids_not_to_backorder=[picking])
    dropped = floor.told(picking)[SHORT]
    assert floor.stage(picking) == "done"
    assert (dropped["shortage_names"], dropped["missing_quantity"], dropped["amount"]) == (
        "Cancelled while the order wants it",
        "6",
        600,
    )
    line = floor.odoo.search("sale.order.line", [("order_id", "=", order)])
    floor.odoo.write("sale.order.line", line, {"product_uom_qty": 4})
    assert floor.told(picking) == {}


@pytest.mark.parametrize("ends", ["done", "put off"])
def test_a_transfer_past_its_deadline_is_late_until_it_is_done_or_put_off(floor: Floor, ends: str) -> None:
    desk = floor.product("Tower test desk")
    floor.lay_in(desk, 10)
    yesterday = (clock.now() - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S")
    order, picking = floor.sell(desk, 3, commitment_date=yesterday)
    late = floor.told(picking)[LATE]
    assert floor.stage(picking) == "late"
    assert (late["late_days"], late["partner_name"], late["amount"]) == (2, "Tower test customer", 300)
    assert late["order_name"] == floor.odoo.read("sale.order", [order], ["name"])[0]["name"]
    if ends == "done":
        floor.picker("stock.move", "write", floor.moves(picking), {"picked": True})
        floor.validate(picking)
    else:
        later = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%d %H:%M:%S")
        floor.odoo.write("sale.order", [order], {"commitment_date": later})
    assert floor.told(picking) == {}
    assert floor.stage(picking) == ("done" if ends == "done" else "ready")


def test_a_line_without_its_lot_is_named_until_the_picker_says_which(floor: Floor) -> None:
    varnish = floor.product("Tower test varnish", tracking="lot")
    lot = floor.odoo.create("stock.lot", {"name": "TT-LOT", "product_id": varnish, "company_id": floor.company})
    floor.lay_in(varnish, 5, lot=lot)
    _, picking = floor.sell(varnish, 5)
    assert floor.told(picking) == {}
    lines = floor.odoo.search("stock.move.line", [("picking_id", "=", picking)])
    floor.picker("stock.move.line", "write", lines, {"lot_id": False})
    problem = floor.told(picking)[LOT]
    assert (problem["lot_problem_names"], problem["lot_quantity"], problem["amount"]) == ("No lot", "5", 500)
    lines = floor.odoo.search("stock.move.line", [("picking_id", "=", picking)])
    floor.picker("stock.move.line", "write", lines, {"lot_id": lot})
    assert floor.told(picking) == {}


def test_a_serial_number_received_twice_is_named_until_one_is_another(floor: Floor) -> None:
    pump = floor.product("Tower test pump", tracking="serial")
    kind = floor.odoo.search_read(
        "stock.picking.type",
        [("code", "=", "incoming"), ("warehouse_id", "=", floor.warehouse["id"])],
        ["default_location_src_id", "default_location_dest_id"],
        limit=1,
    )[0]
    vendors = floor.odoo.search("stock.location", [("usage", "=", "supplier")], limit=1)[0]
    picking = floor.picker(
        "stock.picking",
        "create",
        {
            "picking_type_id": kind["id"],
            "partner_id": floor.customer,
            "location_id": vendors,
            "location_dest_id": floor.place,
            "move_ids": [
                (0, 0, {"product_id": pump, "product_uom_qty": 2, "location_id": vendors, "location_dest_id": floor.place})
            ],
        },
    )
    floor.picker("stock.picking", "action_confirm", [picking])
    assert floor.told(picking) == {}
    lines = floor.odoo.search("stock.move.line", [("picking_id", "=", picking)])
    assert len(lines) == 2
    floor.picker("stock.move.line", "write", lines, {"lot_name": "TT-SN-1", "quantity": 1, "picked": True})
    problem = floor.told(picking)[LOT]
    assert (problem["lot_problem_names"], problem["lot_names"]) == ("Serial number used twice", "TT-SN-1")
    floor.picker("stock.move.line", "write", lines[1:], {"lot_name": "TT-SN-2"})
    assert floor.told(picking) == {}


def test_an_expired_lot_is_named_until_its_date_is_put_right(floor: Floor) -> None:
    if floor.connection.lacks("stock.lot", "expiration_date"):
        pytest.skip("this Odoo keeps no expiry dates: install its app 'Expiration Dates' (product_expiry)")
    glue = floor.product("Tower test glue", tracking="lot")
    stamp: Callable[[int], str] = lambda days: (clock.now() + timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")  # noqa: E731
    lot = floor.odoo.create(
        "stock.lot", {"name": "TT-OLD", "product_id": glue, "company_id": floor.company, "expiration_date": stamp(9)}
    )
    floor.lay_in(glue, 5, lot=lot)
    _, picking = floor.sell(glue, 5)
    assert floor.told(picking) == {}
    floor.odoo.write("stock.lot", [lot], {"expiration_date": stamp(-1)})
    assert floor.told(picking)[LOT]["lot_problem_names"] == "Expired"
    floor.odoo.write("stock.lot", [lot], {"expiration_date": stamp(5)})
    assert floor.told(picking) == {}


def test_a_warehouse_is_over_capacity_until_the_picker_has_done_enough(floor: Floor) -> None:
    # Odoo keeps the names and codes of archived warehouses for good.
    code = f"{int(clock.now().timestamp()) % 100_000:05d}"
    annex = floor.odoo.create("stock.warehouse", {"name": f"Annex {code}", "code": code, "company_id": floor.company})
    floor.work_in(annex)
    desk = floor.product("Tower test desk")
    try:
        floor.lay_in(desk, 10)
        first, second, third, fourth = (floor.sell(desk, 2)[1] for _ in range(4))

        def done(picking: int) -> None:
            floor.picker("stock.move", "write", floor.moves(picking), {"picked": True})
            floor.validate(picking)
            floor.follow(first, second, third, fourth)

        def standing() -> tuple[str, list[dict[str, Any]]]:
            cases = ExceptionCase.objects.filter(model="stock.warehouse", odoo_id=annex).exclude(status=Status.RESOLVED)
            position = Position.objects.get(workflow="warehouse_load", odoo_id=annex)
            return position.stage, [case.plain_evidence for case in cases]

        floor.follow(first, second, third, fourth)
        assert standing() == ("within_capacity", [])  # nothing was measured yet
        done(first)
        stage, evidence = standing()
        assert stage == "over_capacity"
        assert [
            (one["ready_lines_count"], one["lines_a_day_quantity"], one["hours_to_clear_quantity"], one["beyond_amount"])
            for one in evidence
        ] == [("3", "1.0", "24.0", "400.00")]
        done(second)
        assert standing() == ("within_capacity", [])
    finally:
        for picking in floor.odoo.search("stock.picking", [("partner_id", "=", floor.customer), ("state", "=", "assigned")]):
            floor.odoo.call("stock.picking", "action_cancel", [picking])
        floor.lay_in(desk, 0)
        floor.odoo.write("stock.warehouse", [annex], {"active": False})
