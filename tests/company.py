"""An Odoo as the people in it use it: a salesperson who sells, a customer with a credit limit. Real or stand-in alike."""

import itertools
import json
import os
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import odoorpc

PASSWORD = "works-here-2026"


@dataclass(frozen=True)
class Worker:
    """Somebody who works in Odoo, with the right that their work needs and no other."""

    name: str
    group: str
    sandbox_login: str
    uid: int = 0
    session: Any = None

    def call(self, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call Odoo as this person."""
        return self.session.execute_kw(model, method, list(arguments), named)


SALESPERSON = Worker("Sofia Sales", "sales_team.group_sale_salesman_all_leads", "sofia")
BUYER = Worker("Bert Buyer", "purchase.group_purchase_user", "paula")
PICKER = Worker("Petra Picker", "stock.group_stock_user", "paula")
ACCOUNTANT = Worker("Ada Accountant", "account.group_account_invoice", "ada")


class Company:
    """One Odoo, spoken to as its people do, over its own wire."""

    def __init__(self, url: str, database: str, login: str, password: str, *, is_sandbox: bool = False) -> None:
        self.url, self.database, self.login, self.password = url, database, login, password
        self.is_sandbox = is_sandbox
        self.admin = self._sign_in(login, password)
        self.made: list[tuple[str, int]] = []
        self.numbers = itertools.count(1)
        self.workers: dict[str, Worker] = {}
        self.uid = self.worker(SALESPERSON).uid
        self.salesperson_name = self.worker(SALESPERSON).name
        products = self.ask("product.product", "search", [("sale_ok", "=", True), ("type", "=", "consu")], limit=1)
        self.product = products[0]

    @classmethod
    def sandbox(cls, url: str) -> "Company":
        """The stand-in that a demo runs."""
        return cls(url, "sandbox", "admin", "admin", is_sandbox=True)

    @classmethod
    def real(cls) -> "Company":
        """The one that ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD name."""
        return cls(os.environ["ODOO_URL"], os.environ["ODOO_DB"], os.environ["ODOO_LOGIN"], os.environ["ODOO_PASSWORD"])

    def send_others_home(self) -> None:
        """Nobody but the test does business: the stand-in's own people would buy what the test is short of."""
        if self.is_sandbox:
            request = urllib.request.Request(f"{self.url}/sandbox/control", json.dumps({"business": "pause"}).encode())
            urllib.request.urlopen(request, timeout=10).close()

    def _sign_in(self, login: str, password: str) -> Any:
        parts = urlsplit(self.url)
        session = odoorpc.ODOO(parts.hostname, port=parts.port, timeout=60)
        session.login(self.database, login, password)
        return session

    def ask(self, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call Odoo as its administrator."""
        return self.admin.execute_kw(model, method, list(arguments), named)

    def make(self, model: str, values: dict[str, Any]) -> int:
        """Create a record, to be taken away at the end."""
        made = self.ask(model, "create", values)
        self.made.append((model, made))
        return int(made)

    def worker(self, who: Worker) -> Worker:
        """That person, signed in; hired where Odoo does not know them."""
        if who.name not in self.workers:
            login, password = (who.sandbox_login, who.sandbox_login) if self.is_sandbox else self._hire(who)
            found = self.ask("res.users", "search_read", [("login", "=", login)], fields=["name"])[0]
            self.workers[who.name] = replace(
                who, name=str(found["name"]), uid=int(found["id"]), session=self._sign_in(login, password)
            )
        return self.workers[who.name]

    def _hire(self, who: Worker) -> tuple[str, str]:
        login = f"{'-'.join(who.name.lower().split())}@tower.test"
        # An earlier run may have left them: what they did keeps Odoo from deleting them.
        known = self.ask("res.users", "search", [("login", "=", login)], context={"active_test": False})
        if known:
            self.ask("res.users", "write", known, {"active": True, "password": PASSWORD})
            self.made.append(("res.users", known[0]))
            return login, PASSWORD
        module, name = who.group.split(".")
        found = self.ask("ir.model.data", "search_read", [("module", "=", module), ("name", "=", name)], fields=["res_id"])
        self.make(
            "res.users",
            {"name": who.name, "login": login, "email": login, "password": PASSWORD, "group_ids": [(4, found[0]["res_id"])]},
        )
        return login, PASSWORD

    def customer(self, *, credit_limit: float) -> int:
        """A company that may owe up to ``credit_limit``."""
        values = {"name": f"Limit {next(self.numbers)} Ltd", "is_company": True, "credit_limit": credit_limit}
        return self.make("res.partner", values)

    def order(self, customer: int, *, amount: float, product: int | None = None, discount: float = 0) -> int:
        """A quotation that the salesperson writes."""
        line = {"product_id": product or self.product, "product_uom_qty": 1, "price_unit": amount, "discount": discount}
        order = self.worker(SALESPERSON).call("sale.order", "create", {"partner_id": customer, "order_line": [(0, 0, line)]})
        self.made.append(("sale.order", order))
        return int(order)

    def confirm(self, order: int) -> str:
        """The salesperson presses Confirm; Odoo's words if it refuses, else nothing."""
        try:
            self.worker(SALESPERSON).call("sale.order", "action_confirm", [order])
        except odoorpc.error.RPCError as error:
            return str(error)
        return ""

    def goods(self, *, price: float, cost: float, is_storable: bool = True) -> int:
        """A product of its own, that is bought and sold, and kept in stock unless it is always there."""
        values = {
            "name": f"Crate {next(self.numbers)}",
            "type": "consu",
            "is_storable": is_storable,
            "list_price": price,
            "standard_price": cost,
            "invoice_policy": "delivery",
        }
        template = self.make("product.template", values)
        return int(self.ask("product.product", "search", [("product_tmpl_id", "=", template)])[0])

    def carrier(self, *, cost: float) -> int:
        """A way to ship, at a fixed price."""
        values = {"name": f"Express {next(self.numbers)}", "delivery_type": "fixed", "fixed_price": cost}
        if not self.is_sandbox:
            values["product_id"] = self.ask("product.product", "search", [("type", "=", "service")], limit=1)[0]
        return self.make("delivery.carrier", values)

    def vendor(self) -> int:
        """A company that is bought from."""
        return self.make("res.partner", {"name": f"Vendor {next(self.numbers)} Ltd", "is_company": True, "supplier_rank": 1})

    def purchase(self, vendor: int, product: int, *, quantity: float, price: float) -> int:
        """A request for quotation that the buyer writes."""
        line = {"product_id": product, "product_qty": quantity, "price_unit": price}
        made = self.worker(BUYER).call("purchase.order", "create", {"partner_id": vendor, "order_line": [(0, 0, line)]})
        self.made.append(("purchase.order", made))
        return int(made)

    def carry_out(self, model: str, order: int) -> None:
        """The picker ships or receives all that is on the one open transfer of an order."""
        transfers = self.read(model, order, "picking_ids")["picking_ids"]
        (transfer,) = self.ask("stock.picking", "search", [("id", "in", transfers), ("state", "not in", ["done", "cancel"])])
        self.worker(PICKER).call("stock.picking", "button_validate", [transfer], context={"skip_backorder": True, "skip_sms": True})

    def draft_invoice(self, order: int) -> tuple[int, int]:
        """The draft of what was delivered of an order, and its line, as the button on the order makes it."""
        if self.is_sandbox:
            (made,) = self.worker(ACCOUNTANT).call("sale.order", "create_invoices", [order])
        else:
            context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
            seller, wizard = self.worker(SALESPERSON), "sale.advance.payment.inv"
            made = seller.call(wizard, "create", {"advance_payment_method": "delivered"}, context=context)
            made = seller.call(wizard, "create_invoices", [made], context=context)["res_id"]
        return int(made), int(self.read("account.move", made, "invoice_line_ids")["invoice_line_ids"][0])

    def draft(self, move_type: str, partner: int, **line: Any) -> int:
        """An invoice, bill or credit note of one line that the accountant writes."""
        values = {"move_type": move_type, "partner_id": partner, "invoice_date": f"{datetime.now(UTC):%Y-%m-%d}"}
        return int(self.worker(ACCOUNTANT).call("account.move", "create", {**values, "invoice_line_ids": [(0, 0, line)]}))

    def attempt(self, who: Worker, model: str, method: str, record: int) -> str:
        """Somebody presses a button; Odoo's words if it refuses, else nothing."""
        try:
            self.worker(who).call(model, method, [record])
        except odoorpc.error.RPCError as error:
            return str(error)
        return ""

    def read(self, model: str, record: int, *fields: str) -> dict[str, Any]:
        """A record's fields as Odoo has them now."""
        return dict(self.ask(model, "read", [record], list(fields))[0])

    def clean_up(self) -> None:
        """Take away what was made, as far as Odoo lets go of it."""
        cancels = {"sale.order": "action_cancel", "purchase.order": "button_cancel"}
        for model, record in self.made:
            if model in cancels:
                with suppress(odoorpc.error.RPCError):
                    self.ask(model, cancels[model], [record])
        for model, record in reversed(self.made):
            try:
                self.ask(model, "unlink", [record])
            except odoorpc.error.RPCError:
                if model in ("res.partner", "res.users", "product.template"):
                    self.ask(model, "write", [record], {"active": False})
