"""A credit note for which nothing came back is named."""

from tests.workflows.invoicing.invoices import credited, open_cases, pay, stage_of
from tests.world import World

FOR_NOTHING = "invoice.credit_for_nothing"


def test_a_free_credit_note_is_named_until_it_is_settled(world: World) -> None:
    credited(world, total=499)
    assert open_cases(FOR_NOTHING) == []
    credited(world, total=600)
    (case,) = open_cases(FOR_NOTHING)
    assert (case.amount, case.team.slug, case.plain_evidence["credited_products_names"]) == (600, "finance", "something else")
    assert stage_of() == "to_settle"
    pay(world, 600)
    assert open_cases(FOR_NOTHING) == []


def test_a_free_credit_note_that_was_released_is_named_no_more(world: World) -> None:
    credited(world, total=600, x_ct_released_credit=600)
    assert open_cases(FOR_NOTHING) == []
    credited(world, total=700)
    assert len(open_cases(FOR_NOTHING)) == 1


def test_what_comes_back_covers_the_earliest_credit_note_first(world: World) -> None:
    world.order(42, amount=2_000, state="sale")
    world.write(
        "sale.order.line",
        4200,
        order_id=42,
        product_uom_qty=2,
        qty_delivered=2,
        qty_invoiced=0,
        price_unit=1_000,
        product_id=30,
        price_subtotal=2_000,
    )
    for number in (600, 601):
        credited(world, odoo_id=number, total=1_000, line={"sale_line_ids": [4200], "product_id": 30})
    assert [case.odoo_id for case in open_cases(FOR_NOTHING)] == [600, 601]
    world.write("stock.picking", 70, name="WH/OUT/1", state="done", sale_id=42, picking_type_code="outgoing", company_id=1)
    world.write(
        "stock.picking",
        71,
        name="WH/IN/1",
        state="done",
        return_id=70,
        sale_id=42,
        partner_id=50,
        company_id=1,
        picking_type_code="incoming",
        date_done="2026-11-22 09:00:00",
    )
    world.write("stock.move", 710, picking_id=71, product_id=30, product_uom_qty=1, quantity=1, sale_line_id=4200, state="done")
    assert [case.odoo_id for case in open_cases(FOR_NOTHING)] == [601]
