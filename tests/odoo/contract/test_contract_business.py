"""What happens to an order, from quotation to delivery."""

from collections.abc import Iterator

import pytest

from tests.odoo.contract.raw import OdooFault, Wire


@pytest.fixture(scope="module")
def goods(wire: Wire) -> tuple[int, int]:
    """A customer, and a product of which there is always enough."""
    customer = wire.create("res.partner", {"name": "Contract Customer", "is_company": True})
    values = {"name": "Contract Brush", "type": "consu", "list_price": 40.0, "invoice_policy": "delivery"}
    template = wire.create("product.template", values)
    (product,) = wire.call("product.product", "search", [["product_tmpl_id", "=", template]])
    return customer, product


@pytest.fixture
def order(wire: Wire, goods: tuple[int, int]) -> Iterator[int]:
    """A quotation over two lines, cancelled and deleted afterwards."""
    customer, product = goods
    lines = [
        (0, 0, {"product_id": product, "product_uom_qty": 3}),
        (0, 0, {"product_id": product, "product_uom_qty": 2, "price_unit": 10.0, "discount": 50.0}),
    ]
    made = wire.call("sale.order", "create", {"partner_id": customer, "order_line": lines})
    yield made
    pickings = wire.call("stock.picking", "search", [["sale_id", "=", made]])
    if wire.row("sale.order", made, "state")["state"] != "cancel":
        wire.call("sale.order", "action_cancel", [made])
    wire.call("sale.order", "unlink", [made])
    wire.call("stock.picking", "unlink", pickings)


def test_a_quotation_has_its_name_and_totals(wire: Wire, order: int, goods: tuple[int, int]) -> None:
    row = wire.row(
        "sale.order",
        order,
        "name",
        "state",
        "partner_id",
        "partner_invoice_id",
        "amount_untaxed",
        "amount_tax",
        "amount_total",
        "invoice_status",
        "delivery_status",
        "order_line",
        "currency_rate",
        "locked",
    )
    assert row["name"].startswith("S")
    assert (row["state"], row["invoice_status"], row["delivery_status"], row["locked"]) == ("draft", "no", False, False)
    assert (row["partner_id"], row["partner_invoice_id"]) == (goods[0], goods[0])
    assert row["amount_untaxed"] == 130.0
    assert row["amount_total"] == pytest.approx(row["amount_untaxed"] + row["amount_tax"])
    lines = wire.call("sale.order.line", "read", row["order_line"], fields=["price_subtotal", "price_total", "price_tax"])
    assert sorted(line["price_subtotal"] for line in lines) == [10.0, 120.0]
    assert sum(line["price_total"] for line in lines) == pytest.approx(row["amount_total"])


def test_a_changed_line_changes_the_order(wire: Wire, order: int) -> None:
    line = wire.row("sale.order", order, "order_line")["order_line"][0]
    wire.call("sale.order", "write", [order], {"order_line": [(1, line, {"product_uom_qty": 5})]})
    assert wire.row("sale.order", order, "amount_untaxed")["amount_untaxed"] == 210.0
    wire.call("sale.order", "write", [order], {"order_line": [(2, line, 0)]})
    assert wire.row("sale.order", order, "amount_untaxed")["amount_untaxed"] == 10.0


def test_confirming_makes_a_delivery_and_cancelling_ends_it(wire: Wire, order: int) -> None:
    assert wire.call("sale.order", "action_confirm", [order]) is True
    row = wire.row("sale.order", order, "state", "delivery_status", "invoice_status", "picking_ids")
    assert (row["state"], row["delivery_status"], row["invoice_status"]) == ("sale", "pending", "no")
    (picking,) = row["picking_ids"]
    transfer = wire.row("stock.picking", picking, "state", "sale_id", "picking_type_code", "move_ids", "scheduled_date")
    assert (transfer["state"], transfer["sale_id"], transfer["picking_type_code"]) == ("assigned", order, "outgoing")
    moves = wire.call("stock.move", "read", transfer["move_ids"], fields=["sale_line_id", "state", "product_uom_qty"], load="")
    assert {move["state"] for move in moves} == {"assigned"}
    assert sorted(move["product_uom_qty"] for move in moves) == [2.0, 3.0]
    with pytest.raises(OdooFault) as again:
        wire.call("sale.order", "action_confirm", [order])
    assert again.value.name == "odoo.exceptions.UserError"
    wire.call("sale.order", "action_cancel", [order])
    assert wire.row("sale.order", order, "state")["state"] == "cancel"
    assert wire.row("stock.picking", picking, "state")["state"] == "cancel"
    wire.call("sale.order", "action_draft", [order])
    assert wire.row("sale.order", order, "state")["state"] == "draft"


def test_a_confirmed_order_is_not_deleted(wire: Wire, order: int) -> None:
    wire.call("sale.order", "action_confirm", [order])
    with pytest.raises(OdooFault) as refused:
        wire.call("sale.order", "unlink", [order])
    assert refused.value.name == "odoo.exceptions.UserError"


def test_a_message_and_an_activity_stay_with_the_order(wire: Wire, order: int) -> None:
    wire.call("sale.order", "message_post", [order], body="Contract says hello")
    domain = [["model", "=", "sale.order"], ["res_id", "=", order], ["body", "ilike", "Contract says hello"]]
    assert wire.call("mail.message", "search_count", domain) == 1
    activity = wire.create(
        "mail.activity",
        {
            "res_model_id": wire.model_id("sale.order"),
            "res_id": order,
            "user_id": wire.uid,
            "summary": "Contract",
            "note": "Look",
        },
    )
    row = wire.row("mail.activity", activity, "res_model", "user_id", "summary")
    assert (row["res_model"], row["user_id"], row["summary"]) == ("sale.order", wire.uid, "Contract")
    wire.call("mail.activity", "action_feedback", [activity], feedback="Done")
    assert wire.call("mail.activity", "search", [["id", "=", activity]]) == []


def test_what_is_changed_is_tracked_in_the_words_that_people_read(wire: Wire, order: int) -> None:
    wire.call("sale.order", "action_quotation_sent", [order])
    wire.call("sale.order", "action_cancel", [order])
    field = wire.field_ids("sale.order", "state")[0]
    assert wire.row("ir.model.fields", field, "tracking")["tracking"] > 0
    messages = wire.call(
        "mail.message",
        "search_read",
        [["model", "=", "sale.order"], ["res_id", "=", order], ["tracking_value_ids", "!=", False]],
        ["author_id", "date", "tracking_value_ids"],
        order="id",
        load="",
    )
    me = wire.row("res.users", wire.uid, "partner_id")["partner_id"]
    told = []
    for message in messages:
        assert message["author_id"] == me
        assert message["date"]
        values = ["field_id", "old_value_char", "new_value_char"]
        rows = wire.call("mail.tracking.value", "read", message["tracking_value_ids"], fields=values, load="")
        told += [(row["old_value_char"], row["new_value_char"]) for row in rows if row["field_id"] == field]
    assert told == [("Quotation", "Quotation Sent"), ("Quotation Sent", "Cancelled")]
    words = wire.call("sale.order", "fields_get", ["state"], attributes=["selection"])["state"]["selection"]
    assert [list(one) for one in words] == [
        ["draft", "Quotation"],
        ["sent", "Quotation Sent"],
        ["sale", "Sales Order"],
        ["cancel", "Cancelled"],
    ]


def test_an_activity_that_is_changed_and_finished_leaves_its_feedback_behind(wire: Wire, order: int) -> None:
    assert {"message_ids", "activity_ids"} <= set(wire.call("sale.order", "fields_get", [], attributes=["type"]))
    activity = wire.create(
        "mail.activity",
        {
            "res_model_id": wire.model_id("sale.order"),
            "res_id": order,
            "user_id": wire.uid,
            "summary": "Contract",
            "note": '<div class="ct-first"><p>Look</p></div>',
        },
    )
    marked = [["note", "like", "first"], ["res_id", "=", order]]
    assert wire.call("mail.activity", "search", marked) == [activity]
    wire.call("mail.activity", "write", [activity], {"summary": "Changed", "note": '<div class="ct-first ct-second">Look</div>'})
    assert wire.call("mail.activity", "search_count", [["note", "like", "first ct-second"], ["summary", "=", "Changed"]]) == 1
    wire.call("mail.activity", "action_feedback", [activity], feedback="Paid by card [CT third]")
    left = [["model", "=", "sale.order"], ["res_id", "=", order], ["body", "like", "CT third"]]
    assert wire.call("mail.message", "search_count", left) == 1
    assert wire.call("mail.activity", "search", marked) == []
