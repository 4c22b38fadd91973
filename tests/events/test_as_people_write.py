"""References and tracking numbers are compared as people and carriers write them, and what differs is not merged."""

import pytest
from django.db import connection as database

from apps.accounts.access import EVERYTHING
from apps.boards.search import finding
from apps.events.models import OutsideEvent
from apps.exceptions.models import ExceptionCase
from apps.mirror.models.stock_picking import Picking
from tests.events.conftest import Tell, said, scan
from tests.world import World


def key(reference: str) -> str | None:
    with database.cursor() as cursor:
        cursor.execute("SELECT reference_key(%s)", [reference])
        return cursor.fetchone()[0]


def matched() -> list[tuple[str, int | None]]:
    return list(OutsideEvent.objects.order_by("id").values_list("status", "odoo_id"))


@pytest.mark.parametrize(
    "written",
    [
        [
            "PO-4711",
            "po 4711",
            "PO4711",
            "P.O. 4711",
            "PO#4711",
            "#4711",
            "4711",
            "PO No. 4711",
            "PO-004711",
            " po_4711 ",
            "PO\u20114711",
            "Bestellung Nr. 4711",
            "Order 4711",
        ],
        ["PO-2024-0012", "PO 2024/12", "2024-12", "po2024.0012"],
        ["AB 12 C", "ab12c", "AB-12-C", "AB-0012-C"],
        ["S00042", "s42", "S 42"],
        ["Kommission Müller", "KOMMISSION-MÜLLER"],
    ],
)
def test_one_reference_in_many_hands(db: None, written: list[str]) -> None:
    assert len({key(one) for one in written}) == 1, {one: key(one) for one in written}


@pytest.mark.parametrize(
    "apart",
    [
        ["PO-12", "PO-1 2", "PO-1", "PO-2", "PO-120", "PO-21"],
        ["PO-2024-12", "PO-202412", "PO-2024-1-2", "PO-20-2412"],
        ["A-12", "B-12", "12", "A12B"],
        ["1.000", "1000", "1"],
        ["N4711", "4711"],
        ["POLO-1", "LO-1", "1"],
        ["Müller", "Muller", "M"],
        ["x" * 300, "x" * 301, "x" * 4000 + "1", "x" * 4000 + "2"],
        ["0", "00A"],
    ],
)
def test_what_differs_stays_apart(db: None, apart: list[str]) -> None:
    assert len({key(one) for one in apart}) == len(apart), {one: key(one) for one in apart}


def test_nothing_is_like_nothing(db: None) -> None:
    assert key("") is None and key("-- / #") is None
    assert len(key("x" * 100_000) or "") <= 200


@pytest.mark.parametrize(
    "field",
    [
        "1Z999AA10123456784,1Z999AA10123456795",
        "1Z999AA10123456784; 1Z999AA10123456795",
        "1Z999AA10123456784\n1Z999AA10123456795",
        "1Z999AA10123456784 1Z999AA10123456795",
        "1Z999AA10123456784 + 1Z999AA10123456795",
        "1Z 999 AA1 01 2345 6784, x",
        "1z999aa10123456784",
    ],
)
def test_each_of_several_tracking_numbers_finds_the_transfer(world: World, tell: Tell, field: str) -> None:
    world.write("stock.picking", 7, name="WH/OUT/00007", state="assigned", company_id=1, carrier_tracking_ref=field)
    world.write("stock.picking", 8, name="WH/OUT/00008", state="assigned", company_id=1, carrier_tracking_ref="1Z999AA10123456700")
    tell("carrier", scan("DELAYED", "1Z999AA10123456784", estimated_delivery="2026-11-27T12:00:00Z"))
    assert matched() == [("matched", 7)]


def test_a_part_of_a_tracking_number_is_none(world: World, tell: Tell) -> None:
    world.write(
        "stock.picking",
        7,
        name="WH/OUT/00007",
        state="assigned",
        company_id=1,
        carrier_tracking_ref="1Z 999 AA1 01 2345 6784, 00340434161094042557",
    )
    tell("carrier", scan("DELAYED", "6784"))
    assert matched() == [("unmatched", None)]


def test_a_tracking_number_that_comes_later_finds_its_event(world: World, tell: Tell) -> None:
    tell("carrier", scan("DELAYED", "1Z999AA10123456784"))
    assert matched() == [("unmatched", None)]
    world.write(
        "stock.picking",
        7,
        name="WH/OUT/00007",
        state="assigned",
        company_id=1,
        carrier_tracking_ref="1Z999AA10123456700, 1Z999AA10123456784",
    )
    assert matched() == [("matched", 7)]


@pytest.mark.parametrize("reference", ["p00080", "P 80", "so 88121", "SO88121"])
def test_a_purchase_is_found_as_the_vendor_writes_it(world: World, tell: Tell, reference: str) -> None:
    world.write("purchase.order", 80, name="P00080", partner_ref="SO-88121", state="purchase", company_id=1)
    tell("portal", said("acknowledged", reference))
    assert matched() == [("matched", 80)]


def test_as_it_is_written_goes_before_what_is_alike(world: World, tell: Tell) -> None:
    world.write("purchase.order", 80, name="P00080", partner_ref="SO-88121", state="purchase", company_id=1)
    world.write("purchase.order", 81, name="P00081", partner_ref="SO 88121", state="purchase", company_id=1)
    tell("portal", said("acknowledged", "SO 88121"))
    tell("portal", said("acknowledged", "so88121"))
    assert matched() == [("matched", 81), ("unmatched", None)]


def test_the_same_reference_written_otherwise_is_a_possible_duplicate(world: World) -> None:
    world.order(42, client_order_ref="PO-4711")
    world.advance(days=3)
    world.order(43, client_order_ref="po 4711", amount=100)
    world.order(44, client_order_ref="PO-47 11", amount=200)
    found = ExceptionCase.objects.filter(type="order.possible_duplicate")
    assert [(case.odoo_id, case.evidence["duplicate_of"]) for case in found] == [(43, "S00042")]


def test_search_finds_what_people_write(world: World) -> None:
    world.order(42, client_order_ref="PO-4711")
    world.write(
        "stock.picking",
        7,
        name="WH/OUT/00007",
        state="assigned",
        company_id=1,
        sale_id=42,
        carrier_tracking_ref="1Z 999 AA1 01 2345 6784, 00340434161094042557",
    )
    for text in ("po4711", "PO 4711", "s42", "1z999aa10123456784"):
        hits = [hit.odoo_id for group in finding.find(text, access_scope=EVERYTHING) for hit in group.hits]
        assert hits, text
    assert Picking.objects.count() == 1
