#!/usr/bin/env python3
"""A light stream of business in a real Odoo, so that the tower beside it has something to show.

Salespeople quote and confirm orders, some beyond a customer's credit limit, some for more than there is in stock; the
warehouse delivers what is ready; accounting invoices what was delivered. Speaks to the Odoo that ODOO_URL, ODOO_DB,
ODOO_LOGIN and ODOO_PASSWORD name, as ``deploy/odoo19.py env`` prints them. Runs until it is stopped.
"""

import argparse
import itertools
import json
import os
import random
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

CUSTOMERS, PRODUCTS = 12, 15
CREDIT_LIMIT = 20_000


class Odoo:
    """An Odoo database as one of its users sees it."""

    def __init__(self, url: str, database: str, login: str, password: str) -> None:
        self.url, self.database, self.password = url.rstrip("/"), database, password
        self.uid = self._send("common", "login", database, login, password)
        if not self.uid:
            raise SystemExit(f"odoo_business: {url} refuses {login}. Check ODOO_LOGIN and ODOO_PASSWORD.")

    def _send(self, service: str, method: str, *arguments: Any) -> Any:
        call = {"jsonrpc": "2.0", "params": {"service": service, "method": method, "args": arguments}}
        request = urllib.request.Request(f"{self.url}/jsonrpc", json.dumps(call).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = json.load(answer)
        if "error" in body:
            raise RefusedError(body["error"]["data"]["message"])
        return body.get("result")

    def call(self, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method as this user. Raises RefusedError with Odoo's words where Odoo refuses."""
        user = (self.database, self.uid, self.password)
        return self._send("object", "execute_kw", *user, model, method, arguments, named)


class RefusedError(Exception):
    """Odoo refused; the message is Odoo's."""


def prepare(odoo: Odoo) -> tuple[list[int], list[int]]:
    """Customers with a credit limit, and products to sell."""
    # The companies of this database are partners too, and goods sold to them are transfers.
    others = [["is_company", "=", True], ["ref_company_ids", "=", False]]
    customers = odoo.call("res.partner", "search", others, limit=CUSTOMERS, order="id")
    limited = {"use_partner_credit_limit": True, "credit_limit": CREDIT_LIMIT}
    odoo.call("res.partner", "write", customers, limited)
    sellable = [["sale_ok", "=", True], ["list_price", ">", 20], ["type", "=", "consu"]]
    return customers, odoo.call("product.product", "search", sellable, limit=PRODUCTS, order="id")


def quote(odoo: Odoo, customers: list[int], products: list[int], chance: random.Random) -> str:
    """A new order; half of them are confirmed at once, as a salesperson in a hurry does."""
    lines = [
        (0, 0, {"product_id": product, "product_uom_qty": chance.choice([1, 2, 5, 10, 40])})
        for product in chance.sample(products, chance.randint(1, 4))
    ]
    order = odoo.call("sale.order", "create", {"partner_id": chance.choice(customers), "order_line": lines})
    if chance.random() < 0.5:
        return f"quoted order {order}"
    odoo.call("sale.order", "action_confirm", [order])
    return f"quoted and confirmed order {order}"


def confirm(odoo: Odoo, chance: random.Random) -> str:
    """Confirm one of the newest quotations."""
    quotations = odoo.call("sale.order", "search", [["state", "in", ["draft", "sent"]]], limit=10, order="id desc")
    if not quotations:
        return "found nothing to confirm"
    order = chance.choice(quotations)
    odoo.call("sale.order", "action_confirm", [order])
    return f"confirmed order {order}"


def deliver(odoo: Odoo, chance: random.Random) -> str:
    """Ship one transfer that is ready."""
    ready = [["state", "=", "assigned"], ["picking_type_code", "=", "outgoing"]]
    transfers = odoo.call("stock.picking", "search", ready, limit=10, order="id")
    if not transfers:
        return "found nothing ready to ship"
    transfer = chance.choice(transfers)
    # The context leaves out the questions that a person would be asked, such as the one about a back order.
    odoo.call("stock.picking", "button_validate", [transfer], context={"skip_backorder": True, "skip_sms": True})
    return f"shipped transfer {transfer}"


def invoice(odoo: Odoo, chance: random.Random) -> str:
    """Invoice and post one order that was delivered."""
    delivered = [["invoice_status", "=", "to invoice"], ["state", "=", "sale"]]
    orders = odoo.call("sale.order", "search", delivered, limit=10, order="id")
    if not orders:
        return "found nothing to invoice"
    order = chance.choice(orders)
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    wizard = odoo.call("sale.advance.payment.inv", "create", {"advance_payment_method": "delivered"}, context=context)
    odoo.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    drafts = odoo.call("account.move", "search", [["state", "=", "draft"], ["move_type", "=", "out_invoice"]], limit=1)
    odoo.call("account.move", "action_post", drafts)
    return f"invoiced order {order}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=float, default=6.0, help="seconds between two doings")
    parser.add_argument("--count", type=int, default=0, help="how many doings; 0: until stopped")
    parser.add_argument("--seed", type=int, default=19)
    arguments = parser.parse_args()
    try:
        where = [os.environ[f"ODOO_{name}"] for name in ("URL", "DB", "LOGIN", "PASSWORD")]
    except KeyError as missing:
        sys.exit(f"odoo_business: {missing.args[0]} is not set. `eval $(deploy/odoo19.py env)` sets it.")
    odoo = Odoo(*where)
    customers, products = prepare(odoo)
    chance = random.Random(arguments.seed)
    doings: list[Callable[[], str]] = [
        partial(quote, odoo, customers, products, chance),
        *(partial(doing, odoo, chance) for doing in (confirm, deliver, invoice)),
    ]
    print("business is ready.", flush=True)
    for _ in range(arguments.count) if arguments.count else itertools.count():
        try:
            print(chance.choices(doings, weights=[4, 2, 3, 2])[0](), flush=True)
        except RefusedError as refusal:
            print(f"refused: {str(refusal).splitlines()[0]}", flush=True)
        except OSError as trouble:
            print(f"Odoo does not answer: {trouble}", flush=True)
        time.sleep(arguments.every)


if __name__ == "__main__":
    main()
