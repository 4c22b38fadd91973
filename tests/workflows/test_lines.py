"""The lines of a record are what its workflow declares."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.workflows import registry
from apps.workflows.declare import Workflow
from apps.workflows.lines import PRODUCT, SHOWN, lines_of
from tests.world import World

WITH_LINES = [workflow for workflow in registry.workflows().values() if workflow.lines]


@pytest.mark.parametrize("workflow", WITH_LINES, ids=lambda workflow: workflow.name)
def test_a_statement_returns_the_columns_that_are_declared(db: None, workflow: Workflow) -> None:
    assert workflow.lines
    with connection.cursor() as cursor:
        cursor.execute(workflow.lines.sql, {"connection": 1, "record": 1})
        names = [column.name for column in cursor.description]
    # Beside them, and last, the product to whose page a line leads.
    assert names in ([*workflow.lines.columns], [*workflow.lines.columns, PRODUCT])


@pytest.fixture
def transfer(world: World) -> World:
    world.write("product.template", 30, name="Oak desk")
    world.write("product.product", 30, product_tmpl_id=30)
    for number, (state, wanted, quantity) in enumerate([("done", 4, 4), ("partially_available", 10.5, 2)]):
        world.write(
            "stock.move", 3000 + number, picking_id=300, product_id=30, state=state, product_uom_qty=wanted, quantity=quantity
        )
    world.write("stock.picking", 300, name="HALL/OUT/300", state="assigned", picking_type_code="outgoing", company_id=1)
    return world


def test_the_goods_of_a_transfer_say_what_is_wanted_reserved_and_done(transfer: World) -> None:
    table = lines_of("fulfilment", connection_id=transfer.connection.pk, odoo_id=300)
    assert table
    assert table.title == "Goods"
    assert [cell.value for cell in table.headings] == ["Product", "Requested", "Reserved", "Done", "State"]
    assert [[cell.value for cell in row] for row in table.rows] == [
        ["Oak desk", Decimal(4), 0, Decimal(4), "Done"],
        ["Oak desk", Decimal("10.5"), Decimal(2), 0, "Partly available"],
    ]
    assert [cell.kind for cell in table.rows[0]] == ["text", "quantity", "quantity", "quantity", "text"]


def test_a_record_without_lines_has_no_table(world: World) -> None:
    world.write("stock.picking", 300, name="HALL/OUT/300", state="draft")
    assert lines_of("fulfilment", connection_id=world.connection.pk, odoo_id=300) is None
    assert lines_of("no such workflow", connection_id=world.connection.pk, odoo_id=300) is None


def test_no_more_lines_are_read_than_are_shown(transfer: World) -> None:
    for number in range(SHOWN):
        transfer.write("stock.move", 4000 + number, picking_id=300, product_id=30, state="assigned", product_uom_qty=1)
    table = lines_of("fulfilment", connection_id=transfer.connection.pk, odoo_id=300)
    assert table
    assert len(table.rows) == SHOWN


def test_the_page_of_a_transfer_shows_its_goods(transfer: World, client: Client) -> None:
    client.force_login(User.objects.get(username="olga"))
    page = client.get(f"/records/{transfer.connection.name}/stock.picking/300/").content.decode()
    assert "HALL/OUT/300" in page
    assert ">Goods</h2>" in page
    assert "10.5" in page
    assert "Partly available" in page
