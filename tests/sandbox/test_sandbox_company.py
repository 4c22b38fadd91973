"""The company itself: the same for the same seed, kept over a restart, and alive."""

import json
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from apps.odoo.client import connect
from apps.odoo.models import Connection
from sandbox.company import Company
from sandbox.control import Control
from sandbox.errors import AccessError, UnsupportedError, UserError
from sandbox.simulator import Simulator
from tests.sandbox.conftest import served

SOFIA, ADA, TOWER = 6, 9, 5
REFUSES = "if record.amount_total > 100:\n    raise UserError('Too much.')"


def rows_of(company: Company) -> dict[str, dict[int, Any]]:
    """All rows of all tables."""
    return {model: dict(table.rows) for model, table in company.store.tables.items()}


def orders_of(company: Company, domain: list[Any], **named: Any) -> list[dict[str, Any]]:
    """Sales orders as the tower reads them."""
    found: list[dict[str, Any]] = company.call(TOWER, "sale.order", "search_read", [domain], {"load": "", **named})
    return found


def at_work(company: Company) -> Simulator:
    """Its people, one step at a time."""
    return Simulator(company, Control(company), speed=1, stopping=threading.Event())


def test_one_seed_makes_one_company() -> None:
    first, again, other = (rows_of(Company(None, orders=30, seed=seed)) for seed in (7, 7, 8))
    assert first == again
    assert first["sale.order"] != other["sale.order"]


def test_orders_stand_in_every_stage() -> None:
    company = Company(None)
    states = {
        (row["state"], row["delivery_status"], row["invoice_status"])
        for row in orders_of(company, [], fields=["state", "delivery_status", "invoice_status"])
    }
    assert states >= {
        ("draft", False, "no"),
        ("sent", False, "no"),
        ("sale", "pending", "no"),
        ("sale", "partial", "to invoice"),
        ("sale", "full", "to invoice"),
        ("sale", "full", "invoiced"),
        ("cancel", False, "no"),
    }
    waiting = company.store.table("stock.move").rows.values()
    assert any(row.get("move_orig_ids") and row["state"] != "done" for row in waiting)
    invoices = company.store.table("account.move").rows.values()
    assert {row.get("payment_state") for row in invoices if row["move_type"] == "out_invoice"} == {"paid", "not_paid"}


def test_a_restart_keeps_data_and_ids(tmp_path: Path) -> None:
    company = Company(tmp_path, orders=30)
    people = at_work(company)
    for _ in range(200):
        people.step()
    kept, following = rows_of(company), company.store.table("sale.order").next_id
    company.close()
    again = Company(tmp_path, orders=30)
    assert rows_of(again) == kept
    assert again.store.table("sale.order").next_id == following
    again.close()
    other = Company(tmp_path, orders=31)
    assert rows_of(other) != kept
    other.close()


def test_a_deleted_last_record_does_not_give_its_id_away(tmp_path: Path) -> None:
    company = Company(tmp_path, orders=5)
    gone = company.call(TOWER, "res.partner", "create", [{"name": "Gone"}], {})
    company.call(TOWER, "res.partner", "unlink", [[gone]], {})
    company.close()
    again = Company(tmp_path, orders=5)
    assert again.call(TOWER, "res.partner", "create", [{"name": "Next"}], {}) == gone + 1
    again.close()


def test_a_served_company_keeps_what_it_was_told_when_it_is_stopped(tmp_path: Path) -> None:
    def connection(url: str) -> Connection:
        return Connection(name="kept", url=url, database="sandbox", login="tower", api_key="sandbox-key", version="19.0")

    with served(tmp_path, "--no-business") as url:
        order = connect(connection(url)).search("sale.order", [], limit=1)
        connect(connection(url)).write("sale.order", order, {"client_order_ref": "kept"})
    with served(tmp_path, "--no-business") as url:
        (row,) = connect(connection(url)).read("sale.order", order, ["client_order_ref"])
    assert row["client_order_ref"] == "kept"


def test_business_moves_orders_through_every_stage_and_stays_in_bounds(company: Company) -> None:
    people = at_work(company)
    done = [people.step() for _ in range(1_500)]
    assert set(done) >= {
        "quote",
        "confirm",
        "deliver",
        "deliver_some",
        "invoice",
        "collect",
        "buy",
        "receive",
        "postpone",
        "give_up",
        "breach_limit",
    }
    quotations = orders_of(company, [["state", "in", ["draft", "sent"]]], fields=["id"])
    undelivered = orders_of(company, [["delivery_status", "in", ["pending", "partial"]]], fields=["id"])
    assert 20 < len(quotations) < 250
    assert len(undelivered) < 250
    assert not people.refused


def test_what_is_delivered_invoiced_and_paid_adds_up(company: Company) -> None:
    people = at_work(company)
    for _ in range(500):
        people.step()
    lines = company.store.table("account.move.line").rows.values()
    for invoice in company.store.table("account.move").rows.values():
        mine = [line for line in lines if line["move_id"] == invoice["id"]]
        assert round(sum(line["balance"] for line in mine), 2) == 0, invoice["name"]
    for partner in company.call(TOWER, "res.partner", "search_read", [[["customer_rank", ">", 0]]], {"fields": ["credit"]}):
        residual = sum(
            line["amount_residual"]
            for line in lines
            if line["partner_id"] == partner["id"] and line["parent_state"] == "posted" and line.get("amount_residual")
        )
        assert partner["credit"] == pytest.approx(residual, abs=0.01)
    moves = company.store.table("stock.move").rows.values()
    # What a picker dropped comes no more, and Odoo takes the delivery for a full one.
    dropped = {
        move["sale_line_id"] for move in moves if move["state"] in ("done", "cancel") and move["quantity"] < move["product_uom_qty"]
    }
    for order in orders_of(company, [["state", "=", "sale"]], fields=["order_line", "delivery_status"]):
        sold = company.call(TOWER, "sale.order.line", "read", [order["order_line"]], {})
        delivered = all(line["qty_delivered"] >= line["product_uom_qty"] or line["id"] in dropped for line in sold)
        assert delivered == (order["delivery_status"] == "full")


def test_people_have_only_their_own_rights(company: Company) -> None:
    with pytest.raises(AccessError, match="not allowed to access"):
        company.call(SOFIA, "account.move", "search", [[]], {})
    with pytest.raises(AccessError):
        company.call(SOFIA, "base.automation", "create", [{"name": "x"}], {})
    assert company.call(ADA, "account.move", "search", [[]], {"limit": 1})


def test_a_refusal_undoes_everything_that_the_call_had_done(company: Company) -> None:
    before = rows_of(company)
    customer = company.call(TOWER, "res.partner", "search", [[["customer_rank", ">", 0]]], {"limit": 1})[0]
    lines = [(0, 0, {"product_id": 1, "product_uom_qty": 1}), (0, 0, {"no_such_field": 1})]
    with pytest.raises(ValueError, match="no_such_field"):
        company.call(TOWER, "sale.order", "create", [{"partner_id": customer, "order_line": lines}], {})
    assert rows_of(company) == before
    order = company.call(TOWER, "sale.order", "create", [{"partner_id": customer}], {})
    with pytest.raises(UserError):
        company.call(TOWER, "sale.order", "action_confirm", [[order]], {})


def test_a_long_history_is_read_by_pages_windows_and_days() -> None:
    company = Company(None, orders=50_000)

    def call(model: str, method: str, *args: Any, **named: Any) -> Any:
        return company.call(TOWER, model, method, list(args), named)

    total = call("sale.order", "search_count", [])
    assert total == 50_000
    (newest,) = call("sale.order", "search_read", [], ["write_date"], limit=1, order="write_date desc, id desc")
    days = call("sale.order", "formatted_read_group", [], ["write_date:day"], ["__count", "id:sum", "write_date:max"])
    assert sum(day["__count"] for day in days) == total
    assert max(day["write_date:max"] for day in days) == newest["write_date"]
    page = call("sale.order", "search_read", [["id", ">", 25_000]], ["order_line"], limit=500, order="id")
    assert [row["id"] for row in page] == list(range(25_001, 25_501))
    lines = call("sale.order.line", "search_read", [["order_id", "in", [25_001]]], ["order_id", "price_total"], load="")
    assert [line["id"] for line in lines] == page[0]["order_line"]
    (order,) = call("sale.order", "read", [25_001], ["amount_total"])
    assert order["amount_total"] == pytest.approx(sum(line["price_total"] for line in lines))
    call("sale.order", "write", [25_001], {"client_order_ref": "touched"})
    assert call("sale.order", "search_count", []) == total
    (latest,) = call("sale.order", "search_read", [], ["id"], limit=1, order="write_date desc, id desc")
    assert latest["id"] == 25_001
    later = call("sale.order", "formatted_read_group", [], ["write_date:day"], ["__count", "id:sum"])
    assert sum(day["__count"] for day in later) == total
    assert sum(day["id:sum"] for day in later) == sum(day["id:sum"] for day in days)
    start = days[500]["write_date:day"][0]
    window = call("sale.order", "search_read", [["write_date", ">=", start]], ["write_date"], limit=50, order="write_date, id")
    assert len(window) == 50
    assert all(row["write_date"] >= start for row in window)
    assert sorted(row["write_date"] for row in window) == [row["write_date"] for row in window]


@pytest.mark.parametrize("fault", ["down", "html", "half"])
def test_faults_come_and_go(sandbox_url: str, fault: str) -> None:
    def control(said: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(f"{sandbox_url}/sandbox/control", json.dumps(said).encode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    from apps.odoo.errors import OdooError

    connection = Connection(
        name=f"fault-{fault}", url=sandbox_url, database="sandbox", login="tower", api_key="sandbox-key", version="19.0"
    )
    odoo = connect(connection, timeout_seconds=5)
    assert control({"fault": fault, "count": 1 if fault != "half" else 2})["fault"] == fault
    with pytest.raises(OdooError):
        odoo.search("sale.order", [], limit=1)
    assert control({"fault": None})["fault"] is None
    assert odoo.search("sale.order", [], limit=1)


def test_a_count_is_applied_by_a_move_or_cleared(company: Company) -> None:
    def count(quantity: float) -> None:
        company.call(TOWER, "stock.quant", "write", [[quant], {"inventory_quantity": quantity}], {})

    def shown(*names: str) -> tuple[Any, ...]:
        (row,) = company.call(TOWER, "stock.quant", "read", [[quant], list(names)], {"load": ""})
        return tuple(row[name] for name in names)

    found = company.call(TOWER, "stock.quant", "search_read", [[("quantity", ">", 20)]], {"fields": ["quantity"], "limit": 1})
    quant, system = found[0]["id"], found[0]["quantity"]
    count(system - 12)
    assert shown("inventory_quantity_set", "inventory_diff_quantity", "quantity") == (True, -12, system)
    company.call(TOWER, "stock.quant", "action_clear_inventory_quantity", [[quant]], {})
    assert shown("inventory_quantity_set", "inventory_diff_quantity", "quantity") == (False, 0, system)
    assert shown("last_count_date") == (False,)

    count(system - 12)
    company.call(TOWER, "stock.quant", "action_apply_inventory", [[quant]], {})
    assert shown("inventory_quantity_set", "inventory_diff_quantity", "quantity") == (False, 0, system - 12)
    assert shown("last_count_date") != (False,)
    moves = company.call(TOWER, "stock.move", "search_read", [[("is_inventory", "=", True)]], {"load": ""})
    assert [(move["quantity"], move["location_dest_id"]) for move in moves] == [(12, 3)]


@pytest.mark.parametrize(
    ("model", "values", "lacks"),
    [
        ("mrp.bom", {"type": "phantom"}, "no kits"),
        ("stock.route", {"name": "Dropship"}, "no dropship"),
        ("stock.warehouse", {"name": "Steps", "code": "ST", "delivery_steps": "pick_ship"}, "in one step"),
        ("stock.warehouse", {"name": "Steps", "code": "ST", "reception_steps": "two_steps"}, "in one step"),
        ("product.product", {"name": "Desk", "route_ids": [(4, 1)]}, "no routes"),
        ("stock.picking.type", {"name": "Dropship", "code": "dropship"}, "no vendors who deliver"),
    ],
)
def test_what_it_cannot_do_it_says_and_names_the_real_odoo(model: str, values: dict[str, Any], lacks: str) -> None:
    company = Company(None, orders=1, seed=7)
    with pytest.raises(Exception, match=lacks) as refused:
        company.call(2, model, "create", [values], {})
    assert "real Odoo" in str(refused.value)


def test_a_list_of_records_obeys_every_command_of_odoo() -> None:
    company = Company(None, orders=3)

    def call(method: str, *arguments: Any) -> Any:
        return company.call(TOWER, "res.partner", method, list(arguments), {})

    parent = call("create", [{"name": "Nord", "child_ids": [(0, 0, {"name": "Quay"}), (0, 0, {"name": "Yard"})]}])[0]
    other = call("create", [{"name": "Depot"}])[0]

    def children() -> list[int]:
        return sorted(call("search", [("parent_id", "=", parent)]))

    quay, yard = children()
    call("write", [parent], {"child_ids": [(6, 0, [yard, other])]})
    assert children() == [yard, other]
    assert company.value("res.partner", quay, "parent_id") is False  # Contacts outlive their parent, lines do not.
    call("write", [parent], {"child_ids": [(3, other, 0), quay]})
    assert children() == [quay, yard]
    call("write", [parent], {"child_ids": [(5, 0, 0)]})
    assert children() == [] and company.value("res.partner", yard, "name") == "Yard"
    order = orders_of(company, [("state", "in", ["draft", "sent", "sale"])], fields=["order_line"], limit=1)[0]
    company.call(TOWER, "sale.order", "write", [[order["id"]], {"order_line": [(5, 0, 0)]}], {})
    assert company.call(TOWER, "sale.order.line", "search", [[("id", "in", order["order_line"])]], {}) == []


@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("res.partner", {"child_ids": [(7, 0, 0)]}),
        ("res.partner", {"category_id": [(1, 3, {"name": "Key account"})]}),
        ("res.partner", {"credit": 5}),
        ("purchase.order", {"picking_ids": [(5, 0, 0)]}),
        ("stock.picking", {"picking_type_code": "incoming"}),
    ],
)
def test_what_the_sandbox_cannot_write_it_names(model: str, values: dict[str, Any]) -> None:
    company = Company(None, orders=3)
    one = company.call(TOWER, model, "search", [[]], {"limit": 1})
    with pytest.raises(UnsupportedError, match=f"{model}.{next(iter(values))}"):
        company.call(TOWER, model, "write", [one, values], {})
