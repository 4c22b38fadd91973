"""OTIF, fill rate, perfect order and the vendors' figures, of lines in other units, in parts, returned and of kits."""

from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Role
from apps.boards.boards import kpi_catalogue, kpis
from apps.boards.boards.kpi import CUSTOMER, VENDOR
from apps.boards.boards.kpi_records import records_behind
from apps.core import clock
from tests.api.callers import caller
from tests.world import World, odoo_time, person

pytestmark = pytest.mark.django_db
PIECE, DOZEN, DESK, LEG, TOP = 1, 2, 500, 501, 502
STOCK, CUSTOMERS, VENDORS = 1, 2, 3


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(clock, "now", lambda: world.now)
    with world.at_once():
        for number, name, factor in ((PIECE, "Units", 1), (DOZEN, "Dozen", 12)):
            world.write("uom.uom", number, name=name, active=True, factor=factor, relative_factor=factor)
        for number, usage in ((STOCK, "internal"), (CUSTOMERS, "customer"), (VENDORS, "supplier")):
            world.write("stock.location", number, name=usage, complete_name=usage, usage=usage)
        for product in (DESK, LEG, TOP):
            world.write("product.template", product, name="P", active=True, uom_id=PIECE)
            world.write("product.product", product, product_tmpl_id=product, active=True)
    return world


def sold(
    world: World, order: int, *, promised_days_ago: float | None = 2, quantity: float = 1, unit: int = DOZEN, **more: Any
) -> None:
    """An order of one line of desks, by the dozen."""
    promise: dict[str, Any] = (
        {} if promised_days_ago is None else {"commitment_date": odoo_time(world.now - timedelta(days=promised_days_ago))}
    )
    given: dict[str, Any] = {"state": "sale", "amount": 100, **promise, **more}
    world.order(order, **given)
    world.write(
        "sale.order.line",
        order,
        order_id=order,
        product_id=DESK,
        product_uom_id=unit,
        product_uom_qty=quantity,
        qty_delivered_method="stock_move",
        company_id=1,
    )


def moved(world: World, order: int, number: int, *, days_ago: float = 3, pieces: float = 12, **more: Any) -> None:
    """A transfer of pieces for the line of an order: done, unless it says otherwise."""
    done = odoo_time(world.now - timedelta(days=days_ago))
    given = {"code": "outgoing", "to": CUSTOMERS, "place": STOCK, "state": "done", "product": DESK} | more
    line = {"purchase_line_id": order} if given.get("bought") else {"sale_line_id": order}
    world.write(
        "stock.picking",
        number,
        name=f"T{number}",
        state=given["state"],
        picking_type_code=given["code"],
        company_id=1,
        sale_id=False if given.get("bought") else order,
        location_id=given["place"],
        location_dest_id=given["to"],
        date_done=done,
        date_deadline=given.get("deadline", False),
        return_id=given.get("return_id", False),
    )
    world.write(
        "stock.move",
        number,
        picking_id=number,
        product_id=given["product"],
        product_uom=PIECE,
        product_uom_qty=pieces,
        quantity=0 if given["state"] == "cancel" else pieces,
        state=given["state"],
        date=done,
        company_id=1,
        location_id=given["place"],
        location_dest_id=given["to"],
        **line,
    )


def bought(world: World, order: int, *, planned_days_ago: float = 2, ordered_days_ago: float = 12, **more: Any) -> None:
    """A purchase of one line: a dozen desks."""
    world.write(
        "purchase.order",
        order,
        **{
            "name": f"P{order}",
            "state": "purchase",
            "partner_id": 60,
            "company_id": 1,
            "currency_id": 1,
            "date_approve": odoo_time(world.now - timedelta(days=ordered_days_ago)),
            **more,
        },
    )
    world.write(
        "purchase.order.line",
        order,
        order_id=order,
        product_id=DESK,
        product_uom_id=DOZEN,
        product_qty=1,
        qty_received_method="stock_moves",
        date_planned=odoo_time(world.now - timedelta(days=planned_days_ago)),
        company_id=1,
    )


def told(world: World, *names: str, access_scope: AccessScope = EVERYTHING, **more: Any) -> dict[str, tuple[float, int]]:
    found = {
        one.kpi.name: (round(one.value, 4), one.count) for one in kpis.figures(now=world.now, access_scope=access_scope, **more)
    }
    return {name: found[name] for name in names if name in found}


CUSTOMER_FIGURES = ("otif", "on_time", "in_full", "fill_rate", "perfect_order")


def test_a_dozen_is_delivered_by_twelve_pieces_and_in_parts(world: World) -> None:
    sold(world, 201)
    moved(world, 201, 1)  # on time, in full
    sold(world, 202)
    moved(world, 202, 2, pieces=9)
    moved(world, 202, 3, pieces=3, days_ago=0.5)  # the backorder came late: in full, not on time
    sold(world, 203)
    moved(world, 203, 4, pieces=6)
    moved(world, 203, 5, pieces=6, state="cancel")  # the rest was given up: on time, not in full
    sold(world, 204)  # nothing came

    assert told(world, *CUSTOMER_FIGURES) == {
        "otif": (0.25, 4),
        "on_time": (0.5, 4),
        "in_full": (0.5, 4),
        "fill_rate": (round((1 + 0.75 + 0.5 + 0) / 4, 4), 4),
        "perfect_order": (0.25, 4),
    }


def test_a_return_undoes_no_delivery_and_leaves_no_perfect_order(world: World) -> None:
    sold(world, 201)
    moved(world, 201, 1)
    moved(world, 201, 2, days_ago=1, code="incoming", place=CUSTOMERS, to=STOCK, return_id=1)
    sold(world, 202)
    moved(world, 202, 3)
    with world.at_once():
        world.write(
            "account.move", 9, name="RINV", state="posted", move_type="out_refund", company_id=1, partner_id=50, currency_id=1
        )
        world.write("account.move.line", 9, move_id=9, product_id=DESK, quantity=1, sale_line_ids=[202], company_id=1)
    sold(world, 203)
    moved(world, 203, 4)

    assert told(world, "otif", "perfect_order") == {"otif": (1.0, 3), "perfect_order": (round(1 / 3, 4), 3)}


def test_a_pick_is_no_delivery_and_a_dropship_is_one(world: World) -> None:
    sold(world, 201)
    moved(world, 201, 1, code="internal", to=STOCK)
    sold(world, 202)
    moved(world, 202, 2, code="dropship", place=VENDORS)

    assert told(world, "otif") == {"otif": (0.5, 2)}


def test_a_kit_is_one_line_and_as_complete_as_what_lacks_most(world: World) -> None:
    sold(world, 201, quantity=2, unit=PIECE)
    world.write("sale.order.line", 201, qty_delivered=2)
    moved(world, 201, 1, pieces=8, product=LEG)
    moved(world, 201, 2, pieces=1, product=TOP)
    moved(world, 201, 3, pieces=1, product=TOP, days_ago=0.5)

    assert told(world, "otif", "in_full", "fill_rate") == {"otif": (0.0, 1), "in_full": (1.0, 1), "fill_rate": (0.5, 1)}


def test_without_a_promise_odoos_deadline_counts_and_without_any_nothing_does(world: World) -> None:
    sold(world, 201, promised_days_ago=None)
    moved(world, 201, 1, deadline=odoo_time(world.now - timedelta(days=2)))
    sold(world, 202, promised_days_ago=None)
    moved(world, 202, 2)
    sold(world, 203, commitment_date="9999-12-31 00:00:00")
    moved(world, 203, 3)
    sold(world, 204, promised_days_ago=-3)  # promised for later
    sold(world, 205, state="cancel")

    assert told(world, "otif") == {"otif": (1.0, 1)}
    assert told(world, "on_time", of_partner=(CUSTOMER, world.connection.pk, 999)) == {}


def test_the_promised_day_ends_where_the_company_is(world: World) -> None:
    """21:30 UTC is half past ten in the evening in Berlin, 23:30 the next day."""
    world.write("res.partner", 1, name="Nordlicht", commercial_partner_id=1, active=True, tz="Europe/Berlin")
    promise = world.now.replace(hour=9) - timedelta(days=3)
    for order, hour in ((201, 21), (202, 23)):
        sold(world, order, commitment_date=odoo_time(promise))
        done = promise.replace(hour=hour, minute=30)
        moved(world, order, order, days_ago=(world.now - done) / timedelta(days=1))

    assert told(world, "otif") == {"otif": (0.5, 2)}


def test_vendors_are_held_to_their_planned_day_and_their_lead_time_has_its_spread(world: World) -> None:
    world.customer(60, name="Vendor", credit_limit=0)
    took = [5, 10, 11]
    for order, lead in enumerate(took, start=301):
        bought(world, order)
        moved(world, order, order, days_ago=12 - lead, code="incoming", place=VENDORS, to=STOCK, bought=True)
    bought(world, 304, partner_id=61)
    moved(world, 304, 304, pieces=5, code="incoming", place=VENDORS, to=STOCK, bought=True)  # the rest is still to come
    bought(world, 305, state="cancel")

    assert told(world, "supplier_otif") == {"supplier_otif": (0.5, 4)}
    (lead_time,) = [one for one in kpis.figures(now=world.now, access_scope=EVERYTHING) if one.kpi.name == "supplier_lead_time"]
    assert (lead_time.value, lead_time.count) == (median(took) * 86_400, 3)
    assert lead_time.p90 == pytest.approx(10.8 * 86_400)
    assert told(world, "supplier_otif", of_partner=(VENDOR, world.connection.pk, 60)) == {"supplier_otif": (round(2 / 3, 4), 3)}
    assert told(world, "supplier_otif", of_partner=(VENDOR, world.connection.pk, 61)) == {"supplier_otif": (0.0, 1)}


def test_a_customer_is_asked_for_with_its_contacts_and_nothing_else(world: World) -> None:
    world.customer(70, name="Other", credit_limit=0)
    world.write("res.partner", 71, name="Contact", parent_id=70, commercial_partner_id=70, active=True)
    sold(world, 201)
    moved(world, 201, 1)
    sold(world, 202, partner_id=71)

    assert told(world, "otif", of_partner=(CUSTOMER, world.connection.pk, 50)) == {"otif": (1.0, 1)}
    asked = kpis.figures(now=world.now, access_scope=EVERYTHING, of_partner=(CUSTOMER, world.connection.pk, 70))
    assert {one.kpi.name: one.value for one in asked} == dict.fromkeys((*CUSTOMER_FIGURES, "backlog_value", "backlog_age"), 0.0)


def test_lines_of_another_company_are_not_counted(world: World) -> None:
    sold(world, 201)
    moved(world, 201, 1)

    assert told(world, "otif", access_scope=AccessScope(frozenset({(world.connection.pk, 2)}))) == {}


def test_the_api_tells_the_figures_of_one_partner(world: World) -> None:
    world.now = datetime.now(UTC)
    person("olga", Role.OPERATOR)
    sold(world, 201)
    moved(world, 201, 1)
    olga = caller("olga", "read")

    answer = olga.get("kpis/?connection=main&customer=50").json()

    assert {one["kpi"]: (one["value"], one["count"], one["p90"]) for one in answer["business"]} == dict.fromkeys(
        CUSTOMER_FIGURES, (1.0, 1, None)
    )
    assert olga.get("kpis/?connection=main&customer=51").json()["business"] == []
    assert [olga.get(f"kpis/?{query}").status_code for query in ("customer=50", "connection=main&vendor=x")] == [400, 400]
    assert olga.get("kpis/?connection=main&vendor=1&customer=2").status_code == 400


def test_each_figure_leads_to_its_records_on_the_page_and_over_the_api(world: World, client: Client) -> None:
    world.now = datetime.now(UTC)
    olga = person("olga", Role.OPERATOR)
    sold(world, 201)
    moved(world, 201, 1)
    sold(world, 202)
    moved(world, 202, 2, pieces=3)
    (fill,) = [one for one in kpis.figures(now=world.now, access_scope=EVERYTHING) if one.kpi.name == "fill_rate"]

    told_by_api = caller("olga", "read").get("kpis/fill_rate/records/?workflow=order_to_cash").json()

    assert [(one["name"], one["value"]) for one in told_by_api["results"]] == [("S00202", 0.25), ("S00201", 1.0)]
    assert sum(one["value"] for one in told_by_api["results"]) / len(told_by_api["results"]) == fill.value
    assert told_by_api["next_offset"] is None
    missed = caller("olga", "read").get("kpis/otif/records/?workflow=order_to_cash&missed=1&connection=main&customer=50").json()
    assert [one["url"] for one in missed["results"]] == ["/records/main/sale.order/202/"]
    assert caller("olga", "read").get("kpis/none/records/").status_code == 404
    client.force_login(olga)
    assert 'href="/figures/fill_rate/order_to_cash/"' in client.get("/figures/").content.decode()
    page = client.get("/figures/fill_rate/order_to_cash/").content.decode()
    assert page.index("S00202") < page.index("25 %") < page.index("S00201")
    assert "S00201" not in client.get("/figures/fill_rate/order_to_cash/?missed=1").content.decode()
    olga.sees = [f"{world.connection.pk}:2"]
    olga.save()
    assert "S0020" not in client.get("/figures/fill_rate/order_to_cash/").content.decode()
    assert caller("olga", "read").get("kpis/fill_rate/records/?workflow=order_to_cash").json()["results"] == []


def test_the_records_of_every_figure_are_as_many_as_it_says(world: World) -> None:
    sold(world, 201)
    moved(world, 201, 1, deadline=odoo_time(world.now - timedelta(days=2)))
    bought(world, 301)
    moved(world, 301, 301, code="incoming", place=VENDORS, to=STOCK, bought=True)

    figures = kpis.figures(now=world.now, access_scope=EVERYTHING)

    assert {"otif", "perfect_order", "supplier_otif", "supplier_lead_time", "shipped_on_time"} <= {one.kpi.name for one in figures}
    for one in figures:
        assert len(records_behind(one.kpi, one.workflow, now=world.now, access_scope=EVERYTHING)) == one.count, one.kpi.name
    for kpi in kpi_catalogue.KPIS:
        records_behind(kpi, "order_to_cash", now=world.now, access_scope=AccessScope(frozenset({(world.connection.pk, 1)})))
