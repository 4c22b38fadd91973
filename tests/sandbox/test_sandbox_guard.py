"""The guard's text, as the tower writes it, run by the sandbox company; and the manners of its webhooks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.odoo import hooks, provision, resources, webhook_state
from apps.odoo.client import OdooClient, connect
from apps.odoo.errors import ForbiddenError, RefusedError
from apps.odoo.models import Connection
from apps.workflows import blueprint

Posts = list[dict[str, Any]]


class Listener:
    """Takes webhooks; ``delay`` seconds before it answers."""

    def __init__(self) -> None:
        self.posts: Posts = []
        self.delay, self.status = 0.0, 200
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.posts.append(json.loads(body))
                time.sleep(listener.delay)
                self.send_response(listener.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/"

    def posts_of(self, model: str) -> Posts:
        """What was told of ``model``."""
        return [post for post in self.posts if post["_model"] == model]


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Somebody to tell."""
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def odoo(at: Callable[..., Connection], listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Iterator[OdooClient]:
    """A provisioned company that tells the listener."""
    monkeypatch.setattr(resources, "hook_url", lambda connection: listener.url)
    connection = at()
    provision.apply(connection, blueprint.of_catalogue())
    listener.posts.clear()
    yield connect(connection)
    provision.remove(connection)


def over_limit(odoo: OdooClient) -> tuple[int, int]:
    """A quotation far beyond its customer's limit, and that customer."""
    customer = odoo.create("res.partner", {"name": "Thin Ice Ltd", "is_company": True, "credit_limit": 100.0})
    product = odoo.search("product.product", [("list_price", ">", 100)], limit=1)[0]
    order = odoo.create(
        "sale.order",
        {
            "partner_id": customer,
            "user_id": 6,
            "order_line": [(0, 0, {"product_id": product, "product_uom_qty": 5})],
        },
    )
    return order, customer


def test_a_refused_order_stays_a_quotation_and_its_ask_stands(
    odoo: OdooClient, at: Callable[..., Connection], listener: Listener
) -> None:
    order, _ = over_limit(odoo)
    sofia = connect(at(login="sofia", api_key="sofia", transport="jsonrpc"))
    listener.posts.clear()
    with pytest.raises(RefusedError) as refusal:
        sofia.call("sale.order", "action_confirm", [order])
    assert "credit limit of 100.00 EUR" in str(refusal.value)
    assert odoo.read("sale.order", [order], ["state"])[0]["state"] == "draft"
    assert not odoo.search("stock.picking", [("sale_id", "=", order)])
    domain = [("x_res_id", "=", order), ("x_res_model", "=", "sale.order")]
    asks = odoo.search_read("x_ct_request", domain, ["x_state", "x_requested_uid", "x_count", "x_kind"])
    assert [(ask["x_state"], ask["x_requested_uid"], ask["x_count"]) for ask in asks] == [("open", 6, 1)]
    # The ask was told before the refusal was; of the rolled-back order nothing is.
    # The heartbeat beats in between as it likes.
    assert [post["_model"] for post in listener.posts if post["_model"] != "x_ct_heartbeat"] == ["x_ct_request"]
    with pytest.raises(RefusedError):
        sofia.call("sale.order", "action_confirm", [order])
    assert odoo.search_read("x_ct_request", domain, ["x_count"])[0]["x_count"] == 2


@pytest.mark.parametrize("way", ["guard", "menu"])
@pytest.mark.parametrize("ended", ["approved", "rejected", "withdrawn", "expired"])
def test_what_is_asked_anew_is_another_asking_however_soon_it_comes(odoo: OdooClient, way: str, ended: str) -> None:
    order, _ = over_limit(odoo)

    def ask() -> dict[str, Any]:
        if way == "guard":
            with pytest.raises(RefusedError):
                odoo.call("sale.order", "action_confirm", [order])
        else:
            menu = odoo.search("ir.actions.server", [("name", "=", "Ask for approval in Control Tower: credit override")])
            odoo.call("ir.actions.server", "run", menu, context={"active_model": "sale.order", "active_ids": [order]})
        (row,) = odoo.search_read("x_ct_request", [("x_res_id", "=", order)], ["x_state", "x_requested_at"])
        return row

    asked = ask()
    # Before this second of Odoo's clock is over, or after it was set back; a rejected sum is another by then.
    soon = (datetime.fromisoformat(asked["x_requested_at"]) + timedelta(minutes=1)).isoformat(" ")
    odoo.write("x_ct_request", [asked["id"]], {"x_requested_at": soon, "x_state": ended})
    if ended == "rejected":
        (line,) = odoo.search("sale.order.line", [("order_id", "=", order)])
        odoo.write("sale.order.line", [line], {"product_uom_qty": 6})
    anew = ask()
    assert (anew["x_state"], anew["x_requested_at"] > soon) == ("open", True)
    # Pressed once more while it waits, it is the same.
    assert ask() == anew


def test_a_released_order_is_confirmed_and_its_goods_reserved(odoo: OdooClient) -> None:
    order, _ = over_limit(odoo)
    total = odoo.read("sale.order", [order], ["amount_total"])[0]["amount_total"]
    odoo.write("sale.order", [order], {"x_ct_released_amount": total})
    odoo.call("sale.order", "action_confirm", [order])
    row = odoo.read("sale.order", [order], ["state", "delivery_status"])[0]
    assert (row["state"], row["delivery_status"]) == ("sale", "pending")
    assert odoo.search_count("stock.picking", [("sale_id", "=", order)]) == 1


def test_people_may_not_write_the_towers_fields(odoo: OdooClient, at: Callable[..., Connection]) -> None:
    order, _ = over_limit(odoo)
    sofia = connect(at(login="sofia", api_key="sofia", transport="jsonrpc"))
    with pytest.raises(RefusedError, match="Only Control Tower"):
        sofia.write("sale.order", [order], {"x_ct_released_amount": 1_000_000.0})
    with pytest.raises(ForbiddenError):
        sofia.search("account.move", [])


def test_a_change_is_told_once_with_the_moment_to_the_microsecond(odoo: OdooClient, listener: Listener) -> None:
    order, customer = over_limit(odoo)
    listener.posts.clear()
    odoo.write("res.partner", [customer], {"credit_limit": 250.0})
    (post,) = listener.posts_of("res.partner")
    assert post["_id"] == post["id"] == customer
    assert set(post) >= {"_action", "_id", "_model", "id", "write_date"}
    assert len(post["write_date"]) == len("2026-01-01 10:00:00.123456")
    odoo.write("res.partner", [customer], {"phone": "+49 1"})
    odoo.write("res.partner", [customer], {"credit_limit": 250.0})
    assert len(listener.posts_of("res.partner")) == 1
    odoo.unlink("sale.order", [order])
    assert [post["_id"] for post in listener.posts_of("sale.order")] == [order]


def test_several_records_are_told_one_by_one(odoo: OdooClient, listener: Listener) -> None:
    ids = odoo.search("res.partner", [("credit_limit", ">", 0)], limit=4, order="id")
    odoo.write("res.partner", ids, {"credit_limit": 77_000.0})
    assert [post["_id"] for post in listener.posts_of("res.partner")] == ids


def test_a_silent_listener_costs_the_caller_a_second_and_is_not_told_again(odoo: OdooClient, listener: Listener) -> None:
    _, customer = over_limit(odoo)
    listener.posts.clear()
    listener.delay = 3.0
    began = time.monotonic()
    odoo.write("res.partner", [customer], {"credit_limit": 300.0})
    assert 0.9 < time.monotonic() - began < 2.5
    assert odoo.read("res.partner", [customer], ["credit_limit"])[0]["credit_limit"] == 300.0
    listener.delay, listener.status = 0.0, 500
    odoo.write("res.partner", [customer], {"credit_limit": 301.0})
    assert len(listener.posts_of("res.partner")) == 2


def test_the_heartbeat_beats_by_itself(odoo: OdooClient, listener: Listener) -> None:
    cron = odoo.search_read("ir.cron", [("cron_name", "ilike", "heartbeat")], ["id"])[0]["id"]
    odoo.call("ir.cron", "method_direct_trigger", [cron])
    assert odoo.search_count("x_ct_heartbeat", []) == 1
    assert listener.posts_of("x_ct_heartbeat")


@pytest.mark.django_db
def test_webhooks_that_are_switched_off_cost_nobody_anything_while_guards_go_on(
    odoo: OdooClient, at: Callable[..., Connection], listener: Listener, ivan_integrator: User, olga_operator: User, now: datetime
) -> None:
    order, customer = over_limit(odoo)
    connection = at()
    connection.save()
    with pytest.raises(NotAllowedError):
        hooks.set_webhook_state(connection, on=False, by=olga_operator, now=now)

    def switch(*, on: bool) -> None:
        assert hooks.set_webhook_state(connection, on=on, by=ivan_integrator, now=now)
        assert not hooks.set_webhook_state(connection, on=on, by=ivan_integrator, now=now)
        connection.refresh_from_db()
        webhook_state.apply_webhook_state(connection, now=now)
        connection.refresh_from_db()
        assert connection.hooks_off_at == (None if on else now)
        listener.posts.clear()

    switch(on=False)
    odoo.write("res.partner", [customer], {"credit_limit": 200.0})
    with pytest.raises(RefusedError):
        connect(at(login="sofia", api_key="sofia", transport="jsonrpc")).call("sale.order", "action_confirm", [order])
    assert listener.posts == []
    # Provisioning again leaves them off; they come back when they are wanted.
    again = provision.plan(connection, blueprint.of_catalogue())
    assert [str(step) for step in again if step.action != "keep"] == []
    switch(on=True)
    odoo.write("res.partner", [customer], {"credit_limit": 300.0})
    assert len(listener.posts_of("res.partner")) == 1
    actions = Entry.objects.filter(subject=f"connection:{connection.name}").order_by("sequence").values_list("action", flat=True)
    assert list(actions) == ["connection.hooks_off", "connection.hooks_on"]


def test_goods_with_lots_leave_under_the_guards(odoo: OdooClient) -> None:
    product = odoo.search("product.product", [("product_tmpl_id.tracking", "=", "lot")], limit=1)[0]
    quant = odoo.search("stock.quant", [("product_id", "=", product), ("location_id.usage", "=", "internal")], limit=1)[0]
    odoo.write("stock.quant", [quant], {"quantity": 500.0})
    customer = odoo.create("res.partner", {"name": "Painter Ltd", "is_company": True})
    order = odoo.create(
        "sale.order",
        {
            "partner_id": customer,
            "user_id": 6,
            "order_line": [(0, 0, {"product_id": product, "product_uom_qty": 5.0})],
        },
    )
    odoo.call("sale.order", "action_confirm", [order])
    picking = odoo.search("stock.picking", [("sale_id", "=", order)])[0]
    line = odoo.search_read("stock.move.line", [("picking_id", "=", picking)], ["location_id", "location_dest_id"])[0]
    move = odoo.search_read("stock.move", [("picking_id", "=", picking)], ["location_id", "location_dest_id"])[0]
    assert [line["location_id"], line["location_dest_id"]] == [move["location_id"], move["location_dest_id"]]
    odoo.call("stock.picking", "button_validate", [picking])
    assert odoo.read("stock.picking", [picking], ["state"])[0]["state"] == "done"


def test_a_count_below_the_limit_is_applied_under_the_guards(odoo: OdooClient) -> None:
    quants = odoo.search_read("stock.quant", [("location_id.usage", "=", "internal"), ("quantity", ">", 9)], ["quantity"])
    quant = quants[0]
    odoo.write("stock.quant", [quant["id"]], {"inventory_quantity": quant["quantity"] - 1})
    odoo.call("stock.quant", "action_apply_inventory", [quant["id"]])
    assert odoo.read("stock.quant", [quant["id"]], ["quantity"])[0]["quantity"] == quant["quantity"] - 1
