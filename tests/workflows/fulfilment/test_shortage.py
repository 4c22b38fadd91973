"""A transfer that lacks goods says what is missing, why and where it is."""

from decimal import Decimal

from apps.exceptions.models import Severity
from tests.workflows.fulfilment.transfers import SHORT, case_of, move, stage, standing, stock, told, transfer
from tests.world import World


def test_a_transfer_that_lacks_goods_says_what_is_missing_and_where_it_is(world: World) -> None:
    stock(world, hall=(4, 4), annex=(9, 2))
    transfer(world, reserved=4)
    case = case_of(SHORT)
    assert (case.team.slug, case.severity, case.amount) == ("warehouse", Severity.MEDIUM, Decimal("600.00"))
    assert {key: value for key, value in case.plain_evidence.items() if key not in ("promised_at", "missing_amount")} == {
        "partner_name": "Azure Interior",
        "order_name": "S00042",
        "shortage_names": "Not enough on hand",
        "short_products_names": "Oak desk",
        "short_count": 1,
        "wanted_quantity": "10",
        "available_quantity": "4",
        "missing_quantity": "6",
        "on_hand_quantity": "4",
        "reserved_for_others_quantity": "0",
        "free_elsewhere_quantity": "7",
        "elsewhere_names": "Oak desk: Annex 7",
    }
    move(world, quantity=7)
    case.refresh_from_db()
    assert (case.status, case.amount, case.plain_evidence["missing_quantity"]) == ("open", Decimal("300.00"), "3")
    move(world, quantity=10, state="assigned")
    case.refresh_from_db()
    assert (case.status, case.resolution) == ("resolved", "Nothing is missing, or no order needs it")


def test_what_is_reserved_for_others_is_told_apart_and_follows_the_stock(world: World) -> None:
    stock(world, hall=(20, 20))
    transfer(world, reserved=4)
    assert told(SHORT, "shortage_names", "reserved_for_others_quantity") == {
        "shortage_names": "Reserved for others",
        "reserved_for_others_quantity": "16",
    }
    stock(world, hall=(20, 5))
    assert told(SHORT, "shortage_names", "reserved_for_others_quantity") == {
        "shortage_names": "Picked less than on hand in Odoo",
        "reserved_for_others_quantity": "1",
    }


def test_a_back_order_is_short_until_its_goods_are_there(world: World) -> None:
    transfer(world, state="confirmed", backorder_id=299, reserved=0)
    assert told(SHORT, "shortage_names", "missing_quantity") == {"shortage_names": "Back-ordered", "missing_quantity": "10"}
    move(world, quantity=10, state="assigned")
    assert standing() == []


def test_goods_cancelled_though_the_order_wants_them_are_short_until_it_does_not(world: World) -> None:
    transfer(world, state="done", reserved=10)
    move(world, state="done", product_uom_qty=6, quantity=6)
    world.write("sale.order.line", 420, qty_delivered=6)
    move(world, 3001, state="cancel", product_uom_qty=4, quantity=0)
    assert stage() == "done"
    assert told(SHORT, "shortage_names", "wanted_quantity", "missing_quantity") == {
        "shortage_names": "Cancelled while the order wants it",
        "wanted_quantity": "4",
        "missing_quantity": "4",
    }
    assert case_of(SHORT).amount == Decimal("400.00")
    # Another transfer takes over half of it, then the order is content with less.
    move(world, 3002, state="confirmed", product_uom_qty=2, quantity=0, picking_id=301)
    assert told(SHORT, "missing_quantity") == {"missing_quantity": "2"}
    world.write("sale.order.line", 420, product_uom_qty=8)
    assert standing() == []


def test_goods_that_a_picker_drops_are_short_too(world: World) -> None:
    """Odoo 19 leaves them on the move that is done, as a demand beyond what was moved."""
    transfer(world, state="done")
    move(world, state="done", quantity=6)
    world.write("sale.order.line", 420, qty_delivered=6)
    assert told(SHORT, "shortage_names", "wanted_quantity", "missing_quantity") == {
        "shortage_names": "Cancelled while the order wants it",
        "wanted_quantity": "4",
        "missing_quantity": "4",
    }
    world.write("sale.order.line", 420, product_uom_qty=6)
    assert standing() == []


def test_the_step_before_does_not_count_as_a_second_way(world: World) -> None:
    """Pick and ship of the same goods: what is picked is on its way once."""
    transfer(world, state="cancel", reserved=0)
    move(world, state="cancel")
    move(world, 3001, state="assigned", quantity=5, product_uom_qty=5, picking_id=301, location_dest_id=9)
    move(world, 3002, state="waiting", quantity=0, product_uom_qty=5, picking_id=302, move_orig_ids=[3001])
    assert told(SHORT, "missing_quantity") == {"missing_quantity": "5"}


def test_nobody_waits_for_the_goods_of_a_cancelled_order(world: World) -> None:
    transfer(world, state="cancel", reserved=0)
    move(world, state="cancel")
    assert standing() == [SHORT]
    world.write("sale.order", 42, state="cancel")
    assert standing() == []


def test_a_receipt_is_never_short(world: World) -> None:
    transfer(world, picking_type_code="incoming", picking_type_id=3, sale_id=False, reserved=4)
    assert standing() == []
