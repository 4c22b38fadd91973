"""Goods that come late or are not there: found, said what they put at risk, and decided, on Odoo's own records."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.company import BUYER, Company
from tests.tower import Tower, eventually


@pytest.fixture
def operator(tower: Tower) -> str:
    return tower.token("operator")


def in_days(days: int) -> str:
    """So many days from now, as Odoo writes it."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d 12:00:00")


def case_of(tower: Tower, token: str, kind: str, odoo_id: int) -> dict[str, Any]:
    """The open exception of that type about that record, once it is there."""
    path = f"exceptions/?type={kind}&odoo_id={odoo_id}"

    def look() -> list[dict[str, Any]]:
        return [case for case in tower.api(path, token)["results"] if case["status"] != "resolved"]

    return eventually(look, within_seconds=30, what=f"{kind} to open")[0]


def options(tower: Tower, token: str, case: dict[str, Any], remedy: str) -> list[dict[str, Any]]:
    """What the remedy offers, once it offers something."""

    def look() -> list[dict[str, Any]]:
        return [one for one in tower.api(f"exceptions/{case['id']}/remedies/", token) if one["remedy"] == remedy]

    return eventually(look, within_seconds=30, what=f"{remedy} to be offered")


def take(tower: Tower, token: str, case: dict[str, Any], option: dict[str, Any]) -> None:
    body = {"remedy": option["remedy"], "option": option["option"]}
    assert tower.api(f"exceptions/{case['id']}/take/", token, body=body)["status"] == "acknowledged"


def sells(company: Company, vendor: int, product: int) -> None:
    """The vendor has a price for the product."""
    template = company.read("product.product", product, "product_tmpl_id")["product_tmpl_id"][0]
    company.make("product.supplierinfo", {"partner_id": vendor, "product_tmpl_id": template, "price": 45, "delay": 4})


def drafted(company: Company, vendor: int) -> dict[str, Any]:
    """The request for quotation to the vendor, once it stands in Odoo."""

    def look() -> list[dict[str, Any]]:
        domain = [("partner_id", "=", vendor), ("state", "=", "draft")]
        return list(company.ask("purchase.order", "search_read", domain, fields=["origin", "order_line"]))

    (draft,) = eventually(look, within_seconds=30, what="the request for quotation to be drafted")
    company.made.append(("purchase.order", draft["id"]))
    return draft


def test_a_supplier_delay_names_the_orders_at_risk_and_is_answered_by_a_promise_and_another_vendor(
    tower: Tower, company: Company, operator: str
) -> None:
    product = company.goods(price=100, cost=40)
    order = company.order(company.customer(credit_limit=0), amount=100, product=product)
    company.ask("sale.order", "write", [order], {"commitment_date": in_days(5)})
    assert not company.confirm(order)
    purchase = company.purchase(company.vendor(), product, quantity=10, price=40)
    assert not company.attempt(BUYER, "purchase.order", "button_confirm", purchase)
    lines = company.ask("purchase.order.line", "search", [("order_id", "=", purchase)])
    company.worker(BUYER).call("purchase.order.line", "write", lines, {"date_planned": in_days(25)})

    case = case_of(tower, operator, "purchase.supplier_delay", purchase)
    record = tower.api(f"records/purchase.order/{purchase}/", operator)
    at_risk = eventually(
        lambda: tower.api(f"records/purchase.order/{purchase}/", operator)["impact"]["orders"], within_seconds=30,
        what="the order at risk to be named",
    )  # fmt: skip
    assert record["workflow"] == "procure_to_pay"
    assert [one["odoo_id"] for one in at_risk if one["is_at_risk"]] == [order]

    other = company.vendor()
    sells(company, other, product)
    (elsewhere,) = options(tower, operator, case, "buy_elsewhere")
    take(tower, operator, case, elsewhere)
    assert drafted(company, other)["order_line"]

    (promise,) = options(tower, operator, case, "promise_later")
    take(tower, operator, case, promise)
    eventually(
        lambda: company.read("sale.order", order, "commitment_date")["commitment_date"][:10] == in_days(25)[:10],
        within_seconds=30, what="the promise to move in Odoo",
    )  # fmt: skip
    # Nobody was promised it for earlier any more.
    eventually(
        lambda: tower.api(f"exceptions/{case['id']}/", operator)["status"] == "resolved", within_seconds=30,
        what="the exception to close by itself",
    )  # fmt: skip


def test_goods_that_are_short_are_ordered_from_a_vendor_that_has_a_price_for_them(
    tower: Tower, company: Company, operator: str
) -> None:
    product = company.goods(price=100, cost=40)
    vendor = company.vendor()
    sells(company, vendor, product)
    order = company.order(company.customer(credit_limit=0), amount=100, product=product)
    assert not company.confirm(order)

    case = case_of(tower, operator, "order.stock_shortage", order)
    (elsewhere,) = options(tower, operator, case, "buy_elsewhere")
    assert "at 45.00" in elsewhere["text"]
    take(tower, operator, case, elsewhere)

    draft = drafted(company, vendor)
    assert draft["origin"] == company.read("sale.order", order, "name")["name"]
    (line,) = company.ask("purchase.order.line", "read", draft["order_line"], fields=["product_id", "product_qty", "price_unit"])
    assert (line["product_id"][0], line["product_qty"], line["price_unit"]) == (product, 1.0, 45.0)
    shown = tower.api(f"exceptions/{case['id']}/remedies/", operator)
    assert not [one for one in shown if one["remedy"] == "buy_elsewhere"]
