"""One box finds anything that its person may see."""

import pytest
from django.test import Client

from apps.accounts import people
from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.boards.search import finding
from apps.core import clock
from apps.workflows.models import Position
from tests.world import NOW, World


@pytest.fixture
def shop(world: World) -> World:
    world.held_order(amount=6_200, client_order_ref="PO-7788/B")
    world.write("res.partner", 60, name="Wood & Sons_GmbH", ref="V-0060", active=True, commercial_partner_id=60, city="Bremen")
    world.write("product.template", 70, name="Office desk, walnut", active=True)
    world.write("product.product", 71, product_tmpl_id=70, default_code="DESK-01", active=True)
    world.write(
        "stock.picking",
        500,
        name="WH/OUT/00500",
        state="assigned",
        sale_id=42,
        picking_type_code="outgoing",
        company_id=1,
        carrier_tracking_ref="1Z999AA10123456784",
        partner_id=50,
    )
    return world


def found(text: str, access_scope: AccessScope = EVERYTHING) -> dict[str, list[str]]:
    return {group.title: [hit.title for hit in group.hits] for group in finding.find(text, access_scope=access_scope)}


@pytest.mark.parametrize(
    ("text", "group", "title"),
    [
        ("S00042", "Order to cash", "S00042"),
        ("s00042", "Order to cash", "S00042"),
        ("0042", "Order to cash", "S00042"),
        ("42", "Order to cash", "S00042"),
        ("po-7788/b", "Order to cash", "S00042"),
        ("9AA1012345", "Fulfilment", "WH/OUT/00500"),
        ("out/005", "Fulfilment", "WH/OUT/00500"),
        ("azure", "Customers and suppliers", "Azure Interior"),
        ("v-0060", "Customers and suppliers", "Wood & Sons_GmbH"),
        ("sons wood", "Customers and suppliers", "Wood & Sons_GmbH"),
        ("walnut", "Products", "Office desk, walnut"),
        ("desk-01", "Products", "Office desk, walnut"),
    ],
)
def test_it_finds_by_any_part_of_what_people_know(shop: World, text: str, group: str, title: str) -> None:
    assert title in found(text)[group]


@pytest.mark.parametrize("text", ["%", "%%", "_____", "\\", "s%042", "nothing like it", "\x00", "", "a", "'; DROP TABLE x; --"])
def test_what_is_typed_is_taken_literally(shop: World, text: str) -> None:
    assert found(text) == {}


def test_an_exact_name_comes_before_what_only_contains_it(shop: World) -> None:
    Position.objects.bulk_create(
        Position(
            connection=shop.connection,
            workflow="order_to_cash",
            model="sale.order",
            odoo_id=number,
            name=f"S00042-{number}",
            stage="quotation",
            since=NOW,
            is_open=True,
            amount=1,
            currency="EUR",
            company_id=1,
        )
        for number in range(100, 180)
    )
    assert found("S00042")["Order to cash"][0] == "S00042"


def test_nobody_finds_what_is_out_of_their_sight(shop: World) -> None:
    connection = shop.connection.pk
    shop.write("res.company", 2, name="West", currency_id=1, partner_id=1)
    shop.write("res.partner", 61, name="Only West", active=True, company_id=2)
    shop.order(77, company_id=2, client_order_ref="WEST-REF")
    one, two = AccessScope(frozenset({(connection, 1)})), AccessScope(frozenset({(connection, 2)}))
    for text in ("S00077", "west-ref", "only west"):
        assert found(text, one) == {}
        assert found(text, two)
    assert found("S00042", two) == {}
    assert found("walnut", AccessScope(frozenset({(connection + 1, None)}))) == {}


def test_the_list_below_the_box_and_the_api_say_the_same(shop: World) -> None:
    client = Client()
    client.force_login(User.objects.get(username="mia"))
    part = client.get("/search/?q=S00042", headers={"X-Fragment": "1"}).content.decode()
    assert "/records/main/sale.order/42/" in part
    assert "<html" not in part
    token = people.create_token(User.objects.get(username="mia"), scope="read", now=clock.now())
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/search/?q=S00042").json()
    hit = next(group for group in answer["groups"] if group["title"] == "Order to cash")["hits"][0]
    assert (hit["model"], hit["odoo_id"], hit["url"]) == ("sale.order", 42, "/records/main/sale.order/42/")


def test_a_customer_and_a_product_have_pages_of_what_is_open(shop: World) -> None:
    client = Client()
    client.force_login(User.objects.get(username="mia"))
    assert "/records/main/sale.order/42/" in client.get("/partners/main/50/").content.decode()
    shop.write("sale.order.line", 4200, order_id=42, name="Desk", product_id=71, product_uom_qty=10, price_unit=10)
    shop.write(
        "stock.move",
        900,
        sale_line_id=4200,
        product_id=71,
        product_uom_qty=10,
        quantity=4,
        state="confirmed",
        company_id=1,
        move_orig_ids=[],
    )
    page = client.get("/products/main/71/").content.decode()
    assert "Office desk, walnut" in page and "/records/main/sale.order/42/" in page
    assert client.get("/products/main/9999/").status_code == client.get("/partners/main/9999/").status_code == 404
