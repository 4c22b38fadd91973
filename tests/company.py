"""An Odoo as the people in it use it: a salesperson who sells, a customer with a credit limit. Real or stand-in alike."""

import itertools
import os
from typing import Any
from urllib.parse import urlsplit

import odoorpc

PASSWORD = "sofia-sells-2026"
LOGIN = "sofia@tower.test"


class Company:
    """One Odoo, spoken to as its people do, over its own wire."""

    def __init__(
        self, url: str, database: str, login: str, password: str, *, salesperson: tuple[str, str] | None = None
    ) -> None:
        self.url, self.database, self.login, self.password = url, database, login, password
        self.admin = self._sign_in(login, password)
        self.made: list[tuple[str, int]] = []
        self.numbers = itertools.count(1)
        if salesperson is None:
            self._hire()
        own_login, own_password = salesperson or (LOGIN, PASSWORD)
        self.salesperson = self._sign_in(own_login, own_password)
        found = self.ask("res.users", "search_read", [("login", "=", own_login)], fields=["name"])[0]
        self.uid, self.salesperson_name = int(found["id"]), str(found["name"])
        products = self.ask("product.product", "search", [("sale_ok", "=", True), ("type", "=", "consu")], limit=1)
        self.product = products[0]

    @classmethod
    def real(cls) -> "Company":
        """The one that ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD name."""
        return cls(os.environ["ODOO_URL"], os.environ["ODOO_DB"], os.environ["ODOO_LOGIN"], os.environ["ODOO_PASSWORD"])

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

    def _hire(self) -> None:
        """A salesperson who may sell and read nothing of accounting."""
        if self.ask("res.users", "search_count", [("login", "=", LOGIN)]):
            return
        group = self.ask("ir.model.data", "search_read",
                         [("module", "=", "sales_team"), ("name", "=", "group_sale_salesman_all_leads")],
                         fields=["res_id"])[0]["res_id"]  # fmt: skip
        self.make("res.users", {"name": "Sofia Sales", "login": LOGIN, "email": LOGIN, "password": PASSWORD,
                                "group_ids": [(4, group)]})  # fmt: skip

    def customer(self, *, credit_limit: float) -> int:
        """A company that may owe up to ``credit_limit``."""
        values = {"name": f"Limit {next(self.numbers)} Ltd", "is_company": True, "credit_limit": credit_limit}
        return self.make("res.partner", values)

    def order(self, customer: int, *, amount: float) -> int:
        """A quotation that the salesperson writes."""
        line = {"product_id": self.product, "product_uom_qty": 1, "price_unit": amount}
        order = self.salesperson.execute_kw(
            "sale.order", "create", [{"partner_id": customer, "order_line": [(0, 0, line)]}], {}
        )
        self.made.append(("sale.order", order))
        return int(order)

    def confirm(self, order: int) -> str:
        """The salesperson presses Confirm; Odoo's words if it refuses, else nothing."""
        try:
            self.salesperson.execute_kw("sale.order", "action_confirm", [[order]], {})
        except odoorpc.error.RPCError as error:
            return str(error)
        return ""

    def read(self, model: str, record: int, *fields: str) -> dict[str, Any]:
        """A record's fields as Odoo has them now."""
        return dict(self.ask(model, "read", [record], list(fields))[0])

    def clean_up(self) -> None:
        """Take away what was made, as far as Odoo lets go of it."""
        orders = [record for model, record in self.made if model == "sale.order"]
        for order in orders:
            try:
                self.ask("sale.order", "action_cancel", [order])
            except odoorpc.error.RPCError:
                continue
        for model, record in reversed(self.made):
            try:
                self.ask(model, "unlink", [record])
            except odoorpc.error.RPCError:
                if model in ("res.partner", "res.users"):
                    self.ask(model, "write", [record], {"active": False})
