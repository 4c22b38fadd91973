"""Boards of one warehouse, salesperson, class, category, customer or vendor: which records, on the page, on the wall, over REST."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Role, User
from apps.boards.boards import kpi_slices, queries, slice_choice
from apps.boards.boards.kpi_slices import BOARD_SLICES, Part
from apps.boards.boards.queries import Narrowed
from apps.workflows import registry
from apps.workflows.models import Position
from tests.api.callers import caller
from tests.boards.test_kpi_slices import ANNEX, DESKS, FURNITURE, GOLD, HALL, LAMP, LAMPS, SAM, SILVER, SOFIA, assortment, company
from tests.boards.test_line_figures import DESK, LEG, STOCK, bought, moved, sold, world
from tests.world import World, person

__all__ = ["assortment", "company", "world"]
pytestmark = pytest.mark.django_db
KITS, KIT, SCREWS = 4, 504, 5
OWN, OTHER = 1, 2


@pytest.fixture
def business(assortment: World) -> World:
    """Beside the four orders and their transfers (102 and 104 of desks, 111 to 114 of lamps): one or two of everything else."""
    with assortment.at_once():
        _everything_else(assortment)
    return assortment


def _everything_else(assortment: World) -> None:
    for order in (1, 2, 3, 4):
        assortment.write("sale.order", order, invoice_status="to invoice")
    assortment.order(5, partner=61)
    for number, name in ((60, "Lumber"), (61, "Bulbs")):
        assortment.write("res.partner", number, name=name, commercial_partner_id=number, active=True)
    assortment.write("res.partner", 62, name="Lumber, yard", commercial_partner_id=60, active=True)
    for order, product, hall, vendor in ((80, DESK, HALL, 62), (81, LAMP, ANNEX, 61)):
        bought(assortment, order, partner_id=vendor)
        assortment.write("purchase.order.line", order, product_id=product)
        moved(assortment, order, 100 + order, code="incoming", place=3, to=STOCK, bought=True, product=product, state="assigned")
        for model in ("stock.picking", "stock.move"):
            assortment.write(model, 100 + order, picking_type_id=10 + hall)
        assortment.write("stock.picking", 100 + order, partner_id=vendor)
    for number, warehouse in ((102, HALL), (104, ANNEX)):
        assortment.write("stock.picking", number, picking_type_id=20 + warehouse, partner_id=51)
    for number, kind, partner, product in (
        (90, "out_invoice", 51, DESK),
        (91, "out_invoice", 52, LAMP),
        (92, "in_invoice", 60, DESK),
    ):
        assortment.write(
            "account.move",
            number,
            name=f"M{number}",
            state="posted",
            move_type=kind,
            payment_state="not_paid",
            partner_id=partner,
            commercial_partner_id=partner,
            company_id=1,
            currency_id=1,
            amount_total=100,
            amount_total_signed=100,
            amount_residual=100,
            amount_residual_signed=100,
            invoice_user_id=SOFIA,
        )
        assortment.write("account.move.line", number, move_id=number, product_id=product, display_type="product", company_id=1)
    for number, warehouse in ((8, HALL), (9, ANNEX)):
        assortment.write("stock.location", number, name="Shelf", complete_name="Shelf", usage="internal", warehouse_id=warehouse)
        assortment.write(
            "stock.quant",
            number,
            product_id=DESK if warehouse == HALL else LAMP,
            location_id=number,
            company_id=1,
            quantity=-3,
            inventory_date="2026-12-31",
        )
    for number, partner in ((5, 51), (6, 52)):
        assortment.write(
            "helpdesk.ticket", number, name="Leg", number=f"T{number}", stage_id=1, partner_id=partner, company_id=1, active=True
        )


def of(world: World, **numbers: int) -> Part:
    return Part(connection_id=world.connection.pk, numbers=numbers)


def on(world: World, name: str, *, access_scope: AccessScope = EVERYTHING, part: Part | None = None) -> set[int]:
    """The records on a board of the part, and the proof that it counts those of them that are open."""
    workflow = registry.workflows()[name]
    lists = {
        stage.name: list(
            queries.positions_of(workflow, stage.name, access_scope=access_scope, now=world.now, narrowed=Narrowed(part=part))
        )
        for stage in workflow.stages
    }
    board = queries.board(workflow, now=world.now, access_scope=access_scope, part=part)
    assert {one.stage: one.count for one in board.stages if one.is_open} == {
        stage.name: len(lists[stage.name]) for stage in workflow.stages if stage.is_open
    }
    return {one.odoo_id for rows in lists.values() for one in rows}


OF_PARTS: list[tuple[str, dict[str, int], set[int]]] = [
    ("order_to_cash", {"warehouse": HALL}, {1, 2}),
    ("order_to_cash", {"salesperson": SAM}, {2, 4}),
    ("order_to_cash", {"customer": 50}, {1, 2}),
    ("order_to_cash", {"customer": 51}, {2}),
    ("order_to_cash", {"customer_class": SILVER}, {3, 4}),
    ("order_to_cash", {"product_category": FURNITURE}, {1, 2, 3, 4}),
    ("order_to_cash", {"product_category": LAMPS, "warehouse": ANNEX, "salesperson": SAM}, {4}),
    ("order_to_cash", {"warehouse": 99}, set()),
    ("procure_to_pay", {"warehouse": ANNEX}, {81}),
    ("procure_to_pay", {"vendor": 60}, {80}),
    ("procure_to_pay", {"product_category": LAMPS}, {81}),
    ("procure_to_pay", {"vendor": 60, "product_category": LAMPS}, set()),
    ("fulfilment", {"warehouse": HALL}, {102, 180}),
    ("fulfilment", {"salesperson": SAM}, {102, 104, 112, 114}),
    ("fulfilment", {"customer": 50}, {102, 111, 112}),
    ("fulfilment", {"customer_class": GOLD}, {102, 111, 112}),
    ("fulfilment", {"vendor": 60}, {180}),
    ("fulfilment", {"product_category": DESKS}, {102, 104, 180}),
    ("invoicing", {"customer": 50}, {90}),
    ("invoicing", {"vendor": 60}, {92}),
    ("invoicing", {"vendor": 51}, set()),
    ("invoicing", {"customer_class": SILVER}, {91}),
    ("invoicing", {"product_category": FURNITURE}, {90, 92}),
    ("inventory_control", {"warehouse": HALL}, {8}),
    ("inventory_control", {"product_category": LAMPS}, {9}),
    ("service", {"customer": 50}, {5}),
    ("service", {"customer_class": SILVER}, {6}),
    ("warehouse_load", {"warehouse": ANNEX}, {ANNEX}),
]


def test_a_board_of_a_part_has_the_records_of_it(business: World) -> None:
    found = [(workflow, numbers, on(business, workflow, part=of(business, **numbers))) for workflow, numbers, _ in OF_PARTS]

    assert found == OF_PARTS
    for workflow, _, records in OF_PARTS:
        assert records < on(business, workflow)


def test_every_workflow_of_the_catalogue_has_filters() -> None:
    told = {name: set(kpi_slices.slices_of([one.odoo_model])) for name, one in registry.workflows().items()}

    assert told == {
        "order_to_cash": {"warehouse", "salesperson", "customer_class", "product_category", "customer"},
        "procure_to_pay": {"warehouse", "product_category", "vendor"},
        "fulfilment": set(BOARD_SLICES),
        "returns": set(BOARD_SLICES),
        "warehouse_load": {"warehouse"},
        "invoicing": {"salesperson", "customer_class", "product_category", "customer", "vendor"},
        "inventory_control": {"warehouse", "product_category"},
        "service": {"customer_class", "customer"},
    }


def test_a_return_is_of_the_customer_whom_it_comes_from_with_or_without_an_order(business: World) -> None:
    for number, order in ((120, 2), (121, False)):
        moved(business, 2, number, code="incoming", place=2, to=STOCK, state="assigned")
        business.write("stock.picking", number, sale_id=order, partner_id=52)

    assert on(business, "returns", part=of(business, customer=50)) == {120}
    assert on(business, "returns", part=of(business, customer=52)) == {121}


def test_a_dropship_is_of_the_customer_and_of_the_vendor(business: World) -> None:
    moved(business, 81, 130, code="dropship", place=3, to=2, bought=True, product=LAMP, state="assigned")
    business.write("stock.picking", 130, sale_id=2, partner_id=51)

    assert 130 in on(business, "fulfilment", part=of(business, customer=50))
    assert 130 in on(business, "fulfilment", part=of(business, vendor=61))
    assert 130 not in on(business, "fulfilment", part=of(business, vendor=60))


def test_an_order_is_of_its_kits_category_and_the_transfer_of_what_it_moves(business: World) -> None:
    for number, name in ((KITS, "Kits"), (SCREWS, "Screws")):
        business.write("product.category", number, name=name, parent_id=False)
    for product, category in ((KIT, KITS), (LEG, SCREWS)):
        business.write("product.template", product, name="P", categ_id=category, uom_id=1)
        business.write("product.product", product, product_tmpl_id=product, active=True)
    sold(business, 7, partner=50)
    business.write("sale.order.line", 7, product_id=KIT)
    moved(business, 7, 170, product=LEG, state="assigned")

    assert on(business, "order_to_cash", part=of(business, product_category=KITS)) == {7}
    assert on(business, "order_to_cash", part=of(business, product_category=SCREWS)) == set()
    assert on(business, "fulfilment", part=of(business, product_category=SCREWS)) == {170}


def test_numbers_are_of_one_connection(business: World) -> None:
    assert on(business, "order_to_cash", part=Part(connection_id=business.connection.pk + 1, numbers={"warehouse": HALL})) == set()


@pytest.fixture
def two(business: World) -> World:
    """A second company that sells from the same numbers, to a customer whom nobody else serves."""
    business.write("res.company", OTHER, name="Nordlicht France", currency_id=1, partner_id=1)
    business.write("res.partner", 70, name="Zyxquat", commercial_partner_id=70, category_id=[GOLD])
    sold(business, 9, warehouse_id=HALL, user_id=SAM, partner=70, company_id=OTHER, amount=8_765)
    return business


def limited(world: World) -> User:
    """Somebody who sees the first company alone."""
    person("lee", Role.MANAGER)
    User.objects.filter(username="lee").update(sees=[f"{world.connection.pk}:{OWN}"])
    return User.objects.get(username="lee")


def test_no_part_shows_what_its_person_may_not_see(two: World) -> None:
    mine = AccessScope(frozenset({(two.connection.pk, OWN)}))

    for name, number in (
        ("warehouse", HALL),
        ("salesperson", SAM),
        ("customer_class", GOLD),
        ("product_category", DESKS),
        ("customer", 70),
    ):
        part = of(two, **{name: number})
        assert 9 in on(two, "order_to_cash", part=part), name
        assert 9 not in on(two, "order_to_cash", access_scope=mine, part=part), name


def test_no_page_and_no_call_names_a_customer_whom_its_person_may_not_see(two: World, client: Client) -> None:
    client.force_login(limited(two))
    for address in ("/boards/order_to_cash/", "/boards/order_to_cash/quotation/", "/wall/", "/boards/order_to_cash/outlook/"):
        answer = client.get(f"{address}?customer=70")
        assert answer.status_code == 200 and "Zyxquat" not in answer.content.decode(), address
    assert "unknown (70)" in client.get("/boards/order_to_cash/?customer=70").content.decode()
    stages = caller("lee", "read").get("boards/order_to_cash/", connection="main", customer=70).json()["stages"]
    assert sum(one["count"] or 0 for one in stages) == 0


def text_of(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer
    return answer.getvalue().decode()


def test_the_page_keeps_the_part_in_every_address(business: World, client: Client) -> None:
    client.force_login(person("mia", Role.MANAGER))
    kept = f"connection=main&amp;warehouse={HALL}&amp;customer=50"

    page = text_of(client, f"/boards/order_to_cash/?warehouse={HALL}&customer=50")
    assert f'<option value="{HALL}" selected>Hall</option>' in page and '<option value="50" selected>Azure</option>' in page
    assert '<input type="hidden" name="connection" value="main">' in page
    stage = Position.objects.get(workflow="order_to_cash", odoo_id=1).stage
    for address in (
        f"/boards/order_to_cash/{stage}/?{kept}",
        f"/wall/?workflows=order_to_cash&amp;{kept}",
        f"?{kept}&amp;format=csv",
    ):
        assert f'href="{address}"' in page, address
    assert 'topic="board:order_to_cash@changed" data-src=""' in page
    fragment = text_of(client, f"/boards/order_to_cash/?warehouse={HALL}&customer=50", **{"X-Fragment": "1"})
    assert "<form" not in fragment and f"/boards/order_to_cash/{stage}/?{kept}" in fragment

    records = text_of(client, f"/boards/order_to_cash/{stage}/?connection=main&warehouse={HALL}&customer=50")
    assert "Hall · Azure" in records and "/records/main/sale.order/1/" in records
    assert "/records/main/sale.order/3/" not in records
    for address in (f"/boards/order_to_cash/?{kept}", f"?{kept}&amp;late=1", f"?{kept}&amp;format=csv"):
        assert f'href="{address}"' in records, address
    rows = text_of(client, f"/boards/order_to_cash/{stage}/?warehouse={ANNEX}&format=csv")
    assert "S00003" in rows and "S00001" not in rows

    wall = text_of(client, f"/wall/?warehouse={HALL}")
    assert "<small>Hall</small>" in wall and 'id="wall-fulfilment"' in wall
    assert "wall-service" not in wall and "wall-invoicing" not in wall
    assert f'data-src="/boards/order_to_cash/?connection=main&amp;warehouse={HALL}"' in wall


def test_without_a_part_the_page_is_drawn_for_all_who_see_the_same(business: World, client: Client) -> None:
    client.force_login(person("mia", Role.MANAGER))

    page = text_of(client, "/boards/order_to_cash/")
    assert 'topic="board:order_to_cash" data-version' in page
    assert {f'name="{name}"' in page for name in ("warehouse", "salesperson", "customer", "customer_class")} == {True}
    assert 'name="vendor"' not in page


def test_the_reasons_and_the_sentence_are_of_the_part(business: World, client: Client) -> None:
    client.force_login(person("mia", Role.MANAGER))

    assert "No records in progress match these filters." in text_of(client, "/boards/order_to_cash/?warehouse=99")
    assert "unknown (99)" in text_of(client, "/boards/order_to_cash/?warehouse=99")
    assert "No open record is blocked" in text_of(client, "/boards/order_to_cash/outlook/?warehouse=99")


REFUSED = {
    "/boards/order_to_cash/?warehouse=hall": "Warehouse: “hall” is not a value of this filter.",
    "/boards/order_to_cash/?warehouse=-1": "Warehouse: “-1” is not a value of this filter.",
    "/boards/order_to_cash/?vendor=60": "Order to cash has no filter “Vendor”.",
    "/boards/procure_to_pay/outlook/?customer=50": "Procure to pay has no filter “Customer”.",
    "/boards/service/new/?warehouse=1": "Service has no filter “Warehouse”.",
    "/boards/order_to_cash/?shop=1": "There is no filter “shop” on this page.",
}


def test_a_filter_that_a_board_does_not_have_is_refused_in_words(business: World, client: Client) -> None:
    client.force_login(person("mia", Role.MANAGER))

    for address, says in REFUSED.items():
        answer = client.get(address)
        assert answer.status_code == 400 and says in answer.content.decode(), address
        assert client.get(address, headers={"X-Fragment": "1"}).content.decode() == says


def test_a_wall_of_boards_without_such_a_filter_says_so(business: World, client: Client) -> None:
    client.force_login(person("mia", Role.MANAGER))

    assert "No board has these filters." in text_of(client, "/wall/?workflows=service&warehouse=1")


def test_the_api_takes_the_same_parts(business: World) -> None:
    person("mia", Role.MANAGER)
    api = caller("mia", "read")

    def count(workflow: str, **query: Any) -> int:
        return sum(one["count"] or 0 for one in api.get(f"boards/{workflow}/", connection="main", **query).json()["stages"])

    assert count("order_to_cash", warehouse=HALL) == count("order_to_cash", customer=50) == 2
    assert count("order_to_cash", warehouse=HALL, salesperson=SAM) == count("procure_to_pay", vendor=60) == 1
    for workflow, wrong in (
        ("order_to_cash", {"warehouse": HALL}),
        ("order_to_cash", {"warehouse": "hall", "connection": "main"}),
        ("order_to_cash", {"vendor": 60, "connection": "main"}),
    ):
        assert api.get(f"boards/{workflow}/", **wrong).status_code == 400


def test_a_customer_with_little_open_is_among_the_choices_once_chosen(business: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kpi_slices, "MOST_PARTNERS", 1)
    known = kpi_slices.slices_of(["sale.order"])

    def customers(part: Part | None) -> list[tuple[int, str]]:
        return kpi_slices.options(business.connection.pk, EVERYTHING, slices=known, part=part).get("customer", [])

    assert customers(of(business, customer=52)) == [(52, "Gemini")]
    assert customers(of(business, customer=50)) == [(50, "Azure")]


def test_a_choice_of_many_is_searched() -> None:
    rows = [(number, f"Customer {number}") for number in range(30)]

    assert slice_choice.Choice(slice=BOARD_SLICES["customer"], rows=rows, chosen=3).is_long
    assert slice_choice.Choice(slice=BOARD_SLICES["customer"], rows=rows, chosen=3).name == "Customer 3"
