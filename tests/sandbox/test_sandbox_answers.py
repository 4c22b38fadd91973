"""The stand-in company does what the tower tells it of vendors' answers, as a real Odoo does."""

from sandbox.company import Company
from sandbox.serving import METHOD_MODULES

TOWER = 5


def test_an_order_is_acknowledged_and_a_line_is_split_into_a_copy_of_itself() -> None:
    assert METHOD_MODULES
    company = Company(None, orders=30, seed=7)
    order = company.call(TOWER, "purchase.order", "search_read", [[["state", "=", "purchase"]]], {"fields": ["order_line"]})[0]
    line = order["order_line"][0]
    company.call(TOWER, "purchase.order", "action_acknowledge", [[order["id"]]], {})
    (copied,) = company.call(TOWER, "purchase.order.line", "copy_data", [[line]], {})
    part = {"product_qty": 2.0, "date_planned": "2026-12-24 12:00:00"}
    commands = [[1, line, {"product_qty": 3.0}], [0, 0, copied | part]]
    company.call(TOWER, "purchase.order", "write", [[order["id"]], {"order_line": commands}], {})
    shows = [
        ["id", "=", order["id"]],
        ["acknowledged", "=", True],
        ["order_line", "any", [["id", "=", line], ["product_qty", "=", 3.0]]],
        ["order_line", "any", [["product_id", "=", copied["product_id"]], *([name, "=", value] for name, value in part.items())]],
    ]
    assert company.call(TOWER, "purchase.order", "search_count", [shows], {}) == 1


def test_a_purchase_comes_into_the_warehouse_that_it_names_whatever_its_number() -> None:
    company = Company(None, orders=30, seed=7)
    product = company.call(TOWER, "product.product", "search", [[]], {"limit": 1})[0]
    vendor = company.call(TOWER, "res.partner", "search", [[["supplier_rank", ">", 0]]], {"limit": 1})[0]
    kinds = company.call(TOWER, "stock.picking.type", "search", [[["code", "=", "incoming"]]], {"order": "id"})
    for said, kind in [({}, kinds[0])] * 3 + [({"picking_type_id": kinds[1]}, kinds[1])] * 3:
        line = [0, 0, {"product_id": product, "product_qty": 2, "price_unit": 5}]
        order = company.call(TOWER, "purchase.order", "create", [{"partner_id": vendor, "order_line": [line], **said}], {})
        company.call(TOWER, "purchase.order", "button_confirm", [[order]], {})
        domain = [["origin", "=", company.call(TOWER, "purchase.order", "read", [[order], ["name"]], {})[0]["name"]]]
        (receipt,) = company.call(TOWER, "stock.picking", "search_read", [domain], {"fields": ["picking_type_id"]})
        assert receipt["picking_type_id"][0] == kind


def test_a_purchase_takes_what_the_form_of_a_vendor_fills_in() -> None:
    company = Company(None, orders=30, seed=7)
    vendor = company.call(TOWER, "res.partner", "search", [[["supplier_rank", ">", 0]]], {"limit": 1})[0]
    follows = ["payment_term_id", "fiscal_position_id", "user_id"]
    asked = {"values": {"partner_id": vendor}, "field_names": ["partner_id"], "fields_spec": {name: {} for name in follows}}
    filled_in = company.call(TOWER, "purchase.order", "onchange", [[]], asked)["value"]
    made = company.call(
        TOWER, "purchase.order", "create", [{"partner_id": vendor, **dict.fromkeys(follows, False), **filled_in}], {}
    )
    assert company.call(TOWER, "purchase.order", "read", [[made], follows], {}) == [{"id": made, **dict.fromkeys(follows, False)}]
