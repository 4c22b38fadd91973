"""What a preview says of a change is what the tower says once people made it in a real Odoo: the same orders, the same dates."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts import access
from apps.core import clock
from apps.mirror import registry as mirror
from apps.workflows import changes, engine, registry, what_if
from apps.workflows.what_if import Preview
from tests.odoo.shop import Shop, in_days
from tests.odoo.test_units_routes_kits import external

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def standing(shop: Shop) -> dict[int, dict[str, Any]]:
    """Every sales order as the evaluation has it."""
    ids = list(mirror.models()["sale.order"].objects.filter(connection=shop.connection).values_list("odoo_id", flat=True))
    workflow = registry.workflows()["order_to_cash"]
    return engine.read(workflow, what_if.COLUMNS, connection_id=shop.connection.pk, odoo_ids=ids, now=clock.now())


def foretold(shop: Shop, *some: changes.Change, done: Callable[[], object]) -> Preview:
    """Preview the changes, have people make them in Odoo, and hold what happened against what was said."""
    shop.look()
    before = standing(shop)
    shown = what_if.preview(shop.connection.pk, some, now=clock.now(), access_scope=access.EVERYTHING)
    assert standing(shop) == before
    done()
    shop.look()
    after = standing(shop)
    happened = {
        odoo_id: tuple(row[name] for name in what_if.COMPARED)
        for odoo_id, row in after.items()
        if any(row[name] != before[odoo_id][name] for name in what_if.COMPARED)
    }
    said = {
        one.odoo_id: (one.forecast_after, one.is_short_after, one.is_at_risk_after, one.late_days_after) for one in shown.orders
    }
    assert said == {odoo_id: row[:4] for odoo_id, row in happened.items()}
    return shown


def at(days: float) -> datetime:
    """So many days from now, to the second, as Odoo keeps moments."""
    return (clock.now() + timedelta(days=days)).replace(microsecond=0)


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def count(shop: Shop, line: int, quantity: float, *, of_kits: bool = False) -> None:
    """Write another quantity, and the date as it was: alone, Odoo would work the date out anew.

    What components come has no deadline as long as nobody changed the date: of kits the date is written after the quantity.
    """
    date = {"date_planned": shop.odoo.read("purchase.order.line", [line], ["date_planned"])[0]["date_planned"]}
    shop.odoo.write("purchase.order.line", [line], {"product_qty": quantity} | ({} if of_kits else date))
    if of_kits:
        shop.odoo.write("purchase.order.line", [line], date)


def bought(shop: Shop, product: int, quantity: float, *, expected_in: float = 3, **more: Any) -> tuple[int, int]:
    """A confirmed purchase order of one line; the order and the line."""
    line = {"product_id": product, "product_qty": quantity, "price_unit": 60, "date_planned": in_days(expected_in)}
    line |= {name: more.pop(name) for name in ("product_uom_id",) if name in more}
    order = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, line)], **more})
    shop.odoo.call("purchase.order", "button_confirm", [order])
    return order, shop.odoo.search("purchase.order.line", [("order_id", "=", order)])[0]


@pytest.fixture
def annex(shop: Shop) -> Iterator[dict[str, Any]]:
    """A warehouse of its own, that puts away what it received and picks before it ships."""
    code = f"{int(clock.now().timestamp()) % 100_000:05d}"
    steps = {"delivery_steps": "pick_ship", "reception_steps": "two_steps"}
    made = shop.make("stock.warehouse", {"name": f"Annex {code}", "code": code, **steps})
    yield shop.odoo.read("stock.warehouse", [made], ["in_type_id", "int_type_id", "lot_stock_id", "company_id"])[0]
    for picking in shop.odoo.search(
        "stock.picking", [("picking_type_id.warehouse_id", "=", made), ("state", "not in", ["done", "cancel"])]
    ):
        shop.odoo.call("stock.picking", "action_cancel", [picking])
    shelf = shop.odoo.read("stock.warehouse", [made], ["lot_stock_id"])[0]["lot_stock_id"]
    if shop.odoo.search("stock.quant", [("location_id", "=", shelf), ("quantity", ">", 0)]):
        shop.lay_in(shop.product, 0, shelf)
    shop.odoo.write("stock.warehouse", [made], {"active": False})


def test_a_date_later_and_earlier_again(shop: Shop) -> None:
    first = shop.sell(10, promised_in=6)
    shop.sell(5, promised_in=20)
    _, line = shop.buy(15, expected_in=3)
    later = at(13)
    shown = foretold(
        shop,
        changes.NewDate(line_id=line, at=later),
        done=lambda: shop.odoo.write("purchase.order.line", [line], {"date_planned": written(later)}),
    )
    # The other is to be delivered later than the goods come, in any case.
    assert [(one.odoo_id, one.is_at_risk_after, one.late_days_after) for one in shown.orders] == [(first, True, 7)]
    earlier = at(5)
    shown = foretold(
        shop,
        changes.NewDate(line_id=line, at=earlier),
        done=lambda: shop.odoo.write("purchase.order.line", [line], {"date_planned": written(earlier)}),
    )
    assert (shown.relieved, shown.earlier) == (1, 1)


def test_fewer_dozens(shop: Shop) -> None:
    dozen = external(shop, "uom", "product_uom_dozen")
    shop.sell(12, promised_in=6)
    last = shop.sell(10, promised_in=8)
    _, line = bought(shop, shop.product, 2, product_uom_id=dozen)
    shown = foretold(
        shop,
        changes.NewQuantity(line_id=line, quantity=Decimal(1)),
        done=lambda: count(shop, line, 1),
    )
    assert [(one.odoo_id, one.is_short_after) for one in shown.orders] == [(last, True)]
    (curve,) = shown.curves
    assert (curve.before[-1], curve.after[-1]) == (2, -10)


def test_more_after_everything_was_received(shop: Shop) -> None:
    order, line = shop.buy(5)
    sold = shop.sell(9, promised_in=6)
    shop.receive(order, 4)
    shown = foretold(
        shop,
        changes.NewQuantity(line_id=line, quantity=Decimal(9)),
        done=lambda: count(shop, line, 9),
    )
    assert [one.odoo_id for one in shown.orders] == [sold]


def test_a_line_is_cancelled_in_a_warehouse_of_two_steps(shop: Shop, annex: dict[str, Any]) -> None:
    order = shop.sell(6, promised_in=6, warehouse_id=annex["id"])
    _, line = bought(shop, shop.product, 8, picking_type_id=annex["in_type_id"])
    shop.look()
    later = at(9)
    shown = foretold(
        shop,
        changes.NewDate(line_id=line, at=later),
        done=lambda: shop.odoo.write("purchase.order.line", [line], {"date_planned": written(later)}),
    )
    assert [one.odoo_id for one in shown.orders] == [order]
    shown = foretold(
        shop,
        changes.CancelledLine(line_id=line),
        done=lambda: count(shop, line, 0),
    )
    assert [(one.odoo_id, one.is_short_after) for one in shown.orders] == [(order, True)]


@pytest.fixture
def to_order(shop: Shop) -> Iterator[int]:
    """A product that Odoo buys for each order."""
    (mto,) = shop.odoo.search("stock.route", [("name", "ilike", "MTO"), ("active", "in", [True, False])])
    (buy,) = shop.odoo.search("stock.route", [("name", "=", "Buy")])
    shop.odoo.write("stock.route", [mto], {"active": True})
    yield shop.storable(route_ids=[(6, 0, [mto, buy])])
    shop.odoo.write("stock.route", [mto], {"active": False})


@pytest.mark.parametrize("quantity", [0, 3])
def test_less_of_what_was_bought_for_an_order(shop: Shop, to_order: int, quantity: int) -> None:
    order = shop.sell(4, promised_in=6, product=to_order)
    (line,) = shop.odoo.search_read("purchase.order.line", [("product_id", "=", to_order)], ["order_id"])
    shop.odoo.call("purchase.order", "button_confirm", [line["order_id"]])
    change = (
        changes.NewQuantity(line_id=line["id"], quantity=Decimal(quantity))
        if quantity
        else changes.CancelledLine(line_id=line["id"])
    )
    shown = foretold(shop, change, done=lambda: count(shop, line["id"], quantity))
    assert {one.odoo_id for one in shown.orders} == (set() if quantity else {order})


def test_what_the_vendor_delivers_to_the_customer(shop: Shop) -> None:
    routes = shop.odoo.search("stock.route", [("name", "ilike", "dropship")])
    product = shop.storable(route_ids=[(6, 0, routes)])
    order = shop.sell(6, promised_in=6, product=product)
    (line,) = shop.odoo.search_read("purchase.order.line", [("product_id", "=", product)], ["order_id"])
    shop.odoo.call("purchase.order", "button_confirm", [line["order_id"]])
    later = at(9)
    shown = foretold(
        shop,
        changes.NewDate(line_id=line["id"], at=later),
        done=lambda: shop.odoo.write("purchase.order.line", [line["id"]], {"date_planned": written(later)}),
    )
    assert [(one.odoo_id, one.late_days_after) for one in shown.orders] == [(order, 3)]
    foretold(
        shop,
        changes.CancelledLine(line_id=line["id"]),
        done=lambda: count(shop, line["id"], 0),
    )


def test_fewer_kits(shop: Shop) -> None:
    parts = [shop.storable(name=f"Tower test {name}") for name in ("top", "leg")]
    kit = shop.storable(name="Tower test kit")
    template = shop.odoo.read("product.product", [kit], ["product_tmpl_id"])[0]["product_tmpl_id"]
    lines = [(0, 0, {"product_id": part, "product_qty": number}) for part, number in zip(parts, (1, 4), strict=True)]
    shop.make("mrp.bom", {"product_tmpl_id": template, "type": "phantom", "product_qty": 1, "bom_line_ids": lines})
    kits, legs = shop.sell(3, promised_in=6, product=kit), shop.sell(6, promised_in=9, product=parts[1])
    _, line = bought(shop, kit, 5)
    shown = foretold(
        shop,
        changes.NewQuantity(line_id=line, quantity=Decimal(4)),
        done=lambda: count(shop, line, 4, of_kits=True),
    )
    assert [(one.odoo_id, one.is_short_after) for one in shown.orders] == [(legs, True)]
    later = at(8)
    shown = foretold(
        shop,
        changes.NewDate(line_id=line, at=later),
        done=lambda: shop.odoo.write("purchase.order.line", [line], {"date_planned": written(later)}),
    )
    assert kits in {one.odoo_id for one in shown.orders if one.is_at_risk_after}


def test_a_line_in_two_deliveries(shop: Shop) -> None:
    shop.sell(10, promised_in=6)
    last = shop.sell(5, promised_in=8)
    order, line = shop.buy(15, expected_in=3)
    first, second = at(4), at(12)

    def split() -> None:
        shop.odoo.write("purchase.order.line", [line], {"product_qty": 10, "date_planned": written(first)})
        rest = {"product_id": shop.product, "product_qty": 5, "price_unit": 60, "date_planned": written(second)}
        shop.odoo.write("purchase.order", [order], {"order_line": [(0, 0, rest)]})

    parts = [changes.Part(quantity=Decimal(10), at=first), changes.Part(quantity=Decimal(5), at=second)]
    shown = foretold(shop, changes.Split(line_id=line, parts=parts), done=split)
    assert [(one.odoo_id, one.late_days_after) for one in shown.orders if one.is_at_risk_after] == [(last, 4)]


def test_another_vendor_instead(shop: Shop) -> None:
    order = shop.sell(10, promised_in=6)
    _, line = shop.buy(10, expected_in=12)
    other = shop.make("res.partner", {"name": "Tower test other vendor"})
    (warehouse,) = shop.odoo.search_read("stock.warehouse", [], ["company_id"], limit=1, order="id")
    arrives = at(4)

    def buy() -> None:
        count(shop, line, 0)
        shop.vendor = other
        again, bought_line = shop.buy(10, expected_in=4)
        assert again
        shop.odoo.write("purchase.order.line", [bought_line], {"date_planned": written(arrives)})

    shown = foretold(
        shop,
        changes.OtherVendor(
            product_id=shop.product,
            vendor_id=other,
            quantity=Decimal(10),
            at=arrives,
            warehouse_id=warehouse["id"],
            company_id=warehouse["company_id"],
            instead_of=line,
        ),
        done=buy,
    )
    assert [(one.odoo_id, one.is_at_risk_before, one.is_at_risk_after) for one in shown.orders] == [(order, True, False)]


def test_a_transfer_from_another_warehouse(shop: Shop, annex: dict[str, Any]) -> None:
    (first,) = shop.odoo.search_read("stock.warehouse", [], ["lot_stock_id", "int_type_id"], limit=1, order="id")
    shop.lay_in(shop.product, 12, annex["lot_stock_id"])
    order = shop.sell(10, promised_in=6)
    arrives = at(2)

    def move() -> None:
        line = {"product_id": shop.product, "product_uom_qty": 10, "date": written(arrives)}
        places = {"location_id": annex["lot_stock_id"], "location_dest_id": first["lot_stock_id"]}
        values = {"picking_type_id": annex["int_type_id"], "scheduled_date": written(arrives), **places}
        transfer = shop.make("stock.picking", values | {"move_ids": [(0, 0, line | places)]})
        shop.odoo.call("stock.picking", "action_confirm", [transfer])
        shop.odoo.call("stock.picking", "action_assign", [transfer])
        assert shop.odoo.read("stock.picking", [transfer], ["state"])[0]["state"] == "assigned"

    moved = changes.Transfer(
        product_id=shop.product, from_warehouse=annex["id"], to_warehouse=first["id"], quantity=Decimal(10), at=arrives
    )
    shown = foretold(shop, moved, done=move)
    assert [(one.odoo_id, one.is_short_before, one.is_short_after) for one in shown.orders] == [(order, True, False)]


def test_an_order_that_is_released_and_confirmed(shop: Shop) -> None:
    shelf, _ = shop.shelves()
    shop.lay_in(shop.product, 3, shelf)
    waiting = shop.sell(10, promised_in=9)
    shop.buy(8, expected_in=5)
    line = {"product_id": shop.product, "product_uom_qty": 6, "price_unit": 100, "tax_ids": [(5, 0, 0)]}
    held = shop.make("sale.order", {"partner_id": shop.customer, "commitment_date": written(at(4)), "order_line": [(0, 0, line)]})
    shown = foretold(shop, changes.ReleasedHold(order_id=held), done=lambda: shop.odoo.call("sale.order", "action_confirm", [held]))
    assert {one.odoo_id for one in shown.orders} == {held, waiting}


def test_another_promise(shop: Shop) -> None:
    first, second = shop.sell(10, promised_in=6), shop.sell(10, promised_in=8)
    shop.buy(10, expected_in=3)
    promised = at(30)
    shown = foretold(
        shop,
        changes.NewPromise(order_id=first, at=promised),
        done=lambda: shop.odoo.write("sale.order", [first], {"commitment_date": written(promised)}),
    )
    assert {one.odoo_id: one.is_short_after for one in shown.orders} == {first: True, second: False}


def test_in_a_second_company(shop: Shop) -> None:
    known = shop.odoo.search_read("stock.warehouse", [], ["company_id", "in_type_id"], order="id")
    other = next((one for one in known if one["company_id"] != known[0]["company_id"]), None)
    if other is None:
        company = shop.make("res.company", {"name": "Tower test branch", "currency_id": external(shop, "base", "EUR")})
        user = shop.odoo.search("res.users", [("login", "=", "admin")])
        shop.odoo.write("res.users", user, {"company_ids": [(4, company)]})
        (other,) = shop.odoo.search_read("stock.warehouse", [("company_id", "=", company)], ["company_id", "in_type_id"], limit=1)
    theirs = {"company_id": other["company_id"]}
    mine = shop.sell(10, promised_in=6)
    _, line = shop.buy(10, expected_in=3)
    order = shop.sell(10, promised_in=6, warehouse_id=other["id"], **theirs)
    _, elsewhere = bought(shop, shop.product, 10, picking_type_id=other["in_type_id"], **theirs)
    later = at(11)
    shown = foretold(
        shop,
        changes.NewDate(line_id=elsewhere, at=later),
        done=lambda: shop.odoo.write("purchase.order.line", [elsewhere], {"date_planned": written(later)}),
    )
    assert [one.odoo_id for one in shown.orders] == [order]
    shown = foretold(
        shop,
        changes.CancelledLine(line_id=line),
        done=lambda: count(shop, line, 0),
    )
    assert [one.odoo_id for one in shown.orders] == [mine]
