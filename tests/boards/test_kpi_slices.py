"""KPIs of one warehouse, salesperson, customer class or product category: on the page, over REST, and the records behind them."""

from collections.abc import Iterator

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Role
from apps.boards.boards import kpi_catalogue, kpi_slices, kpis
from apps.boards.boards.kpi import BUSINESS
from apps.boards.boards.kpi_records import records_behind
from apps.boards.boards.kpi_slices import Part
from tests.api.callers import caller
from tests.boards.test_line_figures import DESK, PIECE, bought, moved, sold, told, world
from tests.world import World, person

__all__ = ["world"]
pytestmark = pytest.mark.django_db
HALL, ANNEX, SOFIA, SAM, GOLD, SILVER = 1, 2, 7, 8, 3, 4
LINES = ("otif", "fill_rate")


@pytest.fixture
def company(world: World) -> Iterator[World]:
    """Two warehouses, two salespeople and two classes; of four orders the odd ones were not delivered."""
    for number, name in ((HALL, "Hall"), (ANNEX, "Annex")):
        world.write("stock.warehouse", number, name=name, company_id=1)
        world.write("stock.picking.type", 10 + number, name="Receipts", code="incoming", warehouse_id=number, company_id=1)
        world.write("stock.picking.type", 20 + number, name="Deliveries", code="outgoing", warehouse_id=number, company_id=1)
    for number, name, share in ((SOFIA, "Sofia", False), (SAM, "Sam", False), (9, "Portal", True)):
        world.write("res.users", number, name=name, login=name.lower(), active=True, share=share, company_id=1)
    for number, name in ((GOLD, "Gold"), (SILVER, "Silver")):
        world.write("res.partner.category", number, name=name)
    world.write("res.partner", 50, name="Azure", commercial_partner_id=50, category_id=[GOLD])
    world.write("res.partner", 51, name="Azure, Rita", commercial_partner_id=50, category_id=[])
    world.write("res.partner", 52, name="Gemini", commercial_partner_id=52, category_id=[SILVER])
    for order, warehouse, seller, partner in ((1, HALL, SOFIA, 50), (2, HALL, SAM, 51), (3, ANNEX, SOFIA, 52), (4, ANNEX, SAM, 52)):
        sold(world, order, warehouse_id=warehouse, user_id=seller, partner=partner)
        if not order % 2:
            moved(world, order, 100 + order)
    yield world


def of(world: World, **numbers: int) -> Part:
    return Part(connection_id=world.connection.pk, numbers=numbers)


@pytest.mark.parametrize(
    ("numbers", "share", "count"),
    [
        ({"warehouse": HALL}, 0.5, 2),
        ({"warehouse": ANNEX}, 0.5, 2),
        ({"salesperson": SAM}, 1.0, 2),
        ({"salesperson": SOFIA}, 0.0, 2),
        ({"customer_class": GOLD}, 0.5, 2),
        ({"customer_class": SILVER}, 0.5, 2),
        ({"warehouse": HALL, "salesperson": SAM}, 1.0, 1),
        ({"warehouse": HALL, "salesperson": SAM, "customer_class": GOLD}, 1.0, 1),
    ],
)
def test_a_part_counts_its_own_orders_alone(company: World, numbers: dict[str, int], share: float, count: int) -> None:
    found = told(company, *LINES, part=of(company, **numbers))

    assert found == {"otif": (share, count), "fill_rate": (share, count)}


@pytest.mark.parametrize("numbers", [{"warehouse": 99}, {"warehouse": HALL, "customer_class": SILVER}])
def test_where_a_part_has_nothing_there_is_no_figure(company: World, numbers: dict[str, int]) -> None:
    assert told(company, *LINES, part=of(company, **numbers)) == {}


FURNITURE, DESKS, LAMPS, LAMP = 1, 2, 3, 503


@pytest.fixture
def assortment(company: World) -> World:
    """Desks are furniture and lamps are not; of each order a lamp is delivered too, late by a day."""
    for number, name, parent in ((FURNITURE, "Furniture", False), (DESKS, "Desks", FURNITURE), (LAMPS, "Lamps", False)):
        company.write("product.category", number, name=name, parent_id=parent)
    for product, category in ((DESK, DESKS), (LAMP, LAMPS)):
        company.write("product.template", product, name=f"Product {product}", categ_id=category, uom_id=PIECE)
        company.write("product.product", product, product_tmpl_id=product, active=True)
    for order in (1, 2, 3, 4):
        company.write(
            "sale.order.line",
            10 + order,
            order_id=order,
            product_id=LAMP,
            product_uom_id=PIECE,
            product_uom_qty=1,
            qty_delivered_method="stock_move",
            company_id=1,
        )
        moved(company, order, 110 + order, days_ago=1, pieces=1, product=LAMP)
        company.write("stock.move", 110 + order, sale_line_id=10 + order)
    return company


@pytest.mark.parametrize(
    ("numbers", "share", "count"),
    [
        ({"product_category": DESKS}, 0.5, 4),
        ({"product_category": FURNITURE}, 0.5, 4),
        ({"product_category": LAMPS}, 0.0, 4),
        ({"product_category": FURNITURE, "salesperson": SAM}, 1.0, 2),
    ],
)
def test_of_a_category_the_lines_of_its_products_count_and_of_those_below_it(
    assortment: World, numbers: dict[str, int], share: float, count: int
) -> None:
    assert told(assortment, *LINES)["otif"] == (0.25, 8)
    assert told(assortment, *LINES, part=of(assortment, **numbers)) == {"otif": (share, count), "fill_rate": (share, count)}


def test_an_order_is_perfect_in_a_category_by_the_lines_of_it(assortment: World) -> None:
    assert told(assortment, "perfect_order") == {"perfect_order": (0.0, 4)}
    assert told(assortment, "perfect_order", part=of(assortment, product_category=DESKS)) == {"perfect_order": (0.5, 4)}


def test_the_backlog_of_a_category_is_the_value_of_its_lines(assortment: World) -> None:
    assortment.write("sale.order.line", 1, price_subtotal=70, qty_delivered=0)
    assortment.write("sale.order.line", 11, price_subtotal=30, qty_delivered=0.5)

    def value(**numbers: int) -> float:
        return told(assortment, "backlog_value", part=of(assortment, **numbers))["backlog_value"][0]

    assert (value(product_category=FURNITURE), value(warehouse=HALL)) == (70, 70)


def test_transfers_are_of_a_category_that_they_have_something_of(assortment: World) -> None:
    (category,) = told(assortment, "order_to_shipment", part=of(assortment, product_category=LAMPS)).values()
    assert category[1] == 4
    assert told(assortment, "order_to_shipment")["order_to_shipment"][1] == 6


def test_purchases_are_of_a_category_by_their_lines(assortment: World) -> None:
    bought(assortment, 80)
    moved(assortment, 80, 180, code="incoming", place=3, to=1, bought=True)

    assert told(assortment, "supplier_otif", part=of(assortment, product_category=FURNITURE)) == {"supplier_otif": (1.0, 1)}
    assert told(assortment, "supplier_otif", part=of(assortment, product_category=LAMPS)) == {}


def test_categories_are_named_with_those_above_them_as_they_are_called_now(assortment: World) -> None:
    assortment.write("product.category", FURNITURE, name="Office", parent_id=False)

    found = kpi_slices.options(assortment.connection.pk, EVERYTHING)["product_category"]
    assert found == [(LAMPS, "Lamps"), (FURNITURE, "Office"), (DESKS, "Office / Desks")]


def test_numbers_are_of_one_connection(company: World) -> None:
    assert told(company, *LINES, part=Part(connection_id=company.connection.pk + 1, numbers={"warehouse": HALL})) == {}


def test_purchases_are_of_the_warehouse_that_receives_them_and_of_no_salesperson(company: World) -> None:
    bought(company, 80)
    moved(company, 80, 180, code="incoming", place=3, to=1, bought=True)
    company.write("stock.move", 180, picking_type_id=10 + ANNEX)

    of_annex = told(company, "supplier_otif", part=of(company, warehouse=ANNEX))
    assert of_annex == told(company, "supplier_otif") == {"supplier_otif": (1.0, 1)}
    assert told(company, "supplier_otif", part=of(company, warehouse=HALL)) == {}
    assert told(company, "supplier_otif", part=of(company, salesperson=SAM)) == {}


def test_figures_that_know_no_such_part_are_left_out_with_it_and_not_without(company: World) -> None:
    kinds = {one.kpi.kind for one in kpis.figures(now=company.now, access_scope=EVERYTHING, part=of(company, warehouse=HALL))}

    assert kinds == {BUSINESS}


def test_the_records_are_those_of_the_part(company: World) -> None:
    otif = next(one for one in kpi_catalogue.KPIS if one.name == "otif")

    rows = records_behind(otif, "order_to_cash", now=company.now, access_scope=EVERYTHING, part=of(company, salesperson=SOFIA))
    assert {row.odoo_id: row.value for row in rows} == {1: 0.0, 3: 0.0}


def test_what_may_be_chosen_is_what_is_in_sight(company: World) -> None:
    company.write("stock.warehouse", 5, name="Elsewhere", company_id=2)
    everything = kpi_slices.options(company.connection.pk, EVERYTHING)
    mine = kpi_slices.options(company.connection.pk, AccessScope(frozenset({(company.connection.pk, 1)})))

    assert [name for _, name in everything["warehouse"]] == ["Annex", "Elsewhere", "Hall"]
    assert [name for _, name in mine["warehouse"]] == ["Annex", "Hall"]
    assert {"Sofia", "Sam"} <= {name for _, name in mine["salesperson"]} and "Portal" not in {
        name for _, name in mine["salesperson"]
    }


def test_the_page_and_the_api_take_the_same_parts(company: World, client: Client) -> None:
    client.force_login(person("mia", Role.MANAGER))
    api = caller("mia", "read")

    page = client.get(f"/figures/?salesperson={SAM}").content.decode()
    assert f'<option value="{SAM}" selected>Sam</option>' in page
    assert f"/figures/otif/order_to_cash/?salesperson={SAM}" in page
    (otif,) = [one for one in api.get("kpis/", connection="main", salesperson=SAM).json()["business"] if one["kpi"] == "otif"]
    assert (otif["value"], otif["count"]) == (1.0, 2)
    records = api.get("kpis/otif/records/", connection="main", workflow="order_to_cash", salesperson=SAM).json()["results"]
    assert {row["odoo_id"] for row in records} == {2, 4}
    for wrong in ({"salesperson": SAM}, {"salesperson": "sam", "connection": "main"}, {"warehouse": "-1", "connection": "main"}):
        assert api.get("kpis/", **wrong).status_code == 400
    assert client.get("/figures/?salesperson=sam").status_code == 400
