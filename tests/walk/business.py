"""A rich company in a real Odoo, set up over RPC: what a distribution business has that demo data lacks.

The ground (currencies, companies, warehouses, units) is laid once for a database. Each walk then gets goods, customers and
vendors of its own, so that a walk can be repeated beside the traces of the last one.
"""

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import odoorpc

from apps.core import clock
from apps.odoo.client import OdooClient
from tests.odoo.seen import Worker
from tests.odoo.test_guards import PIXEL

RATES = {"EUR": (0.92, 0.95), "JPY": (150.25, 156.8), "KWD": (0.3071, 0.3064)}
# What Odoo answers where a person may not do a thing, or not now. Anything else is a program that broke.
SAYS_NO = (
    "odoo.exceptions.UserError",
    "odoo.exceptions.ValidationError",
    "odoo.exceptions.AccessError",
    "odoo.exceptions.MissingError",
    "odoo.exceptions.RedirectWarning",
    "odoo.exceptions.AccessDenied",
)


class OdooBrokeError(AssertionError):
    """Odoo failed where it should have said yes or no: code of a guard broke, or an act is written wrongly."""


@dataclass
class Goods:
    """The products of one walk, by what is special about them."""

    plain: int
    by_lot: int
    service: int
    serviced_on_delivery: int
    kit: int
    to_order: int
    dropshipped: int
    storable: Sequence[int] = field(default_factory=list)

    def sold(self) -> list[int]:
        """All of them, the plain one twice as likely."""
        return [
            self.plain,
            self.plain,
            self.by_lot,
            self.service,
            self.serviced_on_delivery,
            self.kit,
            self.to_order,
            self.dropshipped,
        ]


class Business:
    """The ground, one walk's own goods and partners, and the people who work with them."""

    def __init__(self, odoo: OdooClient) -> None:
        self.odoo = odoo
        self.url, self.database = odoo.connection.url, odoo.connection.database
        self._lay_the_ground()
        self._stock_up()
        self._hire()

    def leave(self) -> None:
        """People may sign in no longer, goods are sold no longer; what was done stays."""
        for person in self.people.values():
            person.leave()
        self.odoo.write("product.product", [*self.goods.storable, self.goods.kit], {"active": False})

    def one(self, model: str, domain: Sequence[Any], **more: Any) -> int:
        """The one record that matches, archived or not; 0 where there is none."""
        found = self.odoo.search(model, domain, limit=1, context={"active_test": False} | more)
        return found[0] if found else 0

    def xmlid(self, name: str) -> int:
        """The record with that external id."""
        module, _, local = name.partition(".")
        rows = self.odoo.search_read("ir.model.data", [("module", "=", module), ("name", "=", local)], ["res_id"])
        return int(rows[0]["res_id"])

    def _lay_the_ground(self) -> None:
        odoo = self.odoo
        self.home = self.xmlid("base.main_company")
        self.currency = {name: self.one("res.currency", [("name", "=", name)]) for name in ("USD", *RATES)}
        odoo.write("res.currency", list(self.currency.values()), {"active": True})
        long_ago = (clock.now() - timedelta(days=30)).date().isoformat()
        for name, (before, _) in RATES.items():
            if not self.one("res.currency.rate", [("currency_id", "=", self.currency[name]), ("name", "=", long_ago)]):
                odoo.create(
                    "res.currency.rate",
                    {"currency_id": self.currency[name], "name": long_ago, "rate": before, "company_id": self.home},
                )
        self.abroad = self._company("Walk Europe", {"currency_id": self.currency["EUR"]})
        self.branch = self._company("Walk Branch", {"parent_id": self.home})
        self.companies = [self.home, self.abroad, self.branch]
        odoo.write("res.users", [odoo.uid], {"company_ids": [(4, company) for company in self.companies]})
        if not odoo.read("res.company", [self.abroad], ["chart_template"])[0]["chart_template"]:
            context = {"allowed_company_ids": [self.abroad]}
            settings = odoo.call(
                "res.config.settings",
                "create",
                vals_list=[{"company_id": self.abroad, "chart_template": "generic_coa"}],
                context=context,
            )
            odoo.call("res.config.settings", "execute", settings, context=context)
        odoo.write("res.company", self.companies, {"account_use_credit_limit": True})
        self.warehouse = {
            "one step": self.one("stock.warehouse", [("company_id", "=", self.home)]),
            "two steps": self._warehouse("WT2", self.home, delivery_steps="pick_ship", reception_steps="two_steps"),
            "three steps": self._warehouse("WT3", self.home, delivery_steps="pick_pack_ship", reception_steps="three_steps"),
            "abroad": self._warehouse("WTE", self.abroad),
            "branch": self._warehouse("WTB", self.branch),
        }
        self.dozen, self.unit = self.xmlid("uom.product_uom_dozen"), self.xmlid("uom.product_uom_unit")
        odoo.write("uom.uom", [self.dozen], {"active": True})
        self.make_to_order = self.xmlid("stock.route_warehouse0_mto")
        odoo.write("stock.route", [self.make_to_order], {"active": True})
        self.buy = self.xmlid("purchase_stock.route_warehouse0_buy")
        self.dropship = self.xmlid("stock_dropshipping.route_drop_shipping")

        # One on top of the price, one within it.
        self.taxes = [
            self.one("account.tax", [("name", "=", name), ("company_id", "=", self.home)])
            or odoo.create(
                "account.tax",
                {"name": name, "amount": amount, "type_tax_use": "sale", "company_id": self.home, "price_include_override": how},
            )
            for name, amount, how in (("Walk 19 % on top", 19, "tax_excluded"), ("Walk 7 % within", 7, "tax_included"))
        ]

    def _company(self, name: str, values: dict[str, Any]) -> int:
        return self.one("res.company", [("name", "=", name)]) or self.odoo.create("res.company", {"name": name, **values})

    def _warehouse(self, code: str, company: int, **values: Any) -> int:
        found = self.one("stock.warehouse", [("code", "=", code)])
        return found or self.odoo.create("stock.warehouse", {"name": f"Walk {code}", "code": code, "company_id": company, **values})

    def _stock_up(self) -> None:
        odoo, stamp = self.odoo, f"{clock.now():%H%M%S%f}"
        self.vendors = [
            odoo.create("res.partner", {"name": f"Walk vendor {stamp} {number}", "is_company": True}) for number in (1, 2)
        ]
        seller = [(0, 0, {"partner_id": self.vendors[0], "price": 60, "delay": 3})]
        basic = {
            "type": "consu",
            "is_storable": True,
            "list_price": 100,
            "standard_price": 60,
            "seller_ids": seller,
            "taxes_id": [(5,)],
            "supplier_taxes_id": [(5,)],
            "company_id": False,
            "invoice_policy": "delivery",
        }

        costs: dict[int, float] = {}

        # Goods cost nothing until they are in stock: a guard would have somebody approve the first count.
        def product(name: str, **more: Any) -> int:
            values = {**basic, "name": f"Walk {name} {stamp}", **more}
            cost = values.pop("standard_price")
            made = odoo.create("product.product", values)
            costs[made] = cost
            return made

        plain, part = product("desk"), product("screw", list_price=5, standard_price=2)
        by_lot = product("paint", tracking="lot", list_price=40, standard_price=22)
        kit = product("kit", standard_price=124, list_price=220)
        template = odoo.read("product.product", [kit], ["product_tmpl_id"])[0]["product_tmpl_id"]
        lines = [(0, 0, {"product_id": plain, "product_qty": 2}), (0, 0, {"product_id": part, "product_qty": 8})]
        odoo.create("mrp.bom", {"product_tmpl_id": template, "type": "phantom", "product_qty": 1, "bom_line_ids": lines})
        service = {"type": "service", "is_storable": False, "seller_ids": [(5,)]}
        self.goods = Goods(
            plain=plain,
            by_lot=by_lot,
            kit=kit,
            service=product("set-up", **service, invoice_policy="order"),
            serviced_on_delivery=product("hours", **service),
            to_order=product("cupboard", route_ids=[(6, 0, [self.make_to_order, self.buy])]),
            dropshipped=product("crane", route_ids=[(6, 0, [self.dropship])], list_price=900, standard_price=700),
        )
        self.goods.storable = [plain, part, by_lot]
        for place, quantity in (("one step", 60), ("two steps", 40), ("three steps", 40)):
            for item in (plain, part):
                self.count(item, quantity * (8 if item == part else 1), place)
        self.lot = odoo.create("stock.lot", {"name": f"LOT-{stamp}", "product_id": by_lot})
        self.count(by_lot, 50, "one step", lot_id=self.lot)
        for made, cost in costs.items():
            odoo.write("product.product", [made], {"standard_price": cost})
        lists = {
            name: odoo.create(
                "product.pricelist", {"name": f"Walk {name} {stamp}", "currency_id": self.currency[name], "company_id": False}
            )
            for name in ("USD", "JPY", "KWD")
        }
        self.pricelist = lists

        def customer(name: str, limit: float, pricelist: str = "USD", **more: Any) -> int:
            values = {
                "name": f"Walk {name} {stamp}",
                "property_product_pricelist": lists[pricelist],
                "is_company": True,
                "street": "Quai 1",
                "city": "Lyon",
                "country_id": self.xmlid("base.fr"),
            }
            if limit:
                values |= {"use_partner_credit_limit": True, "credit_limit": limit}
            return odoo.create("res.partner", values | more)

        big = customer("big", 40_000)
        self.customers = [
            big,
            customer("small", 1_500),
            customer("free", 0),
            customer("Tokyo", 20_000, "JPY"),
            customer("Kuwait", 5_000, "KWD"),
            customer("of big", 0, parent_id=big, is_company=False),
        ]

    def count(self, product: int, quantity: float, place: str, **more: Any) -> None:
        """So much of it lies there from now on."""
        shelf = self.odoo.read("stock.warehouse", [self.warehouse[place]], ["lot_stock_id"])[0]["lot_stock_id"]
        values = {"product_id": product, "location_id": shelf, "inventory_quantity": quantity, **more}
        made = self.odoo.call("stock.quant", "create", vals_list=[values], context={"inventory_mode": True})
        self.odoo.call("stock.quant", "action_apply_inventory", made)

    def _hire(self) -> None:
        groups = {
            "sales": ["sales_team.group_sale_salesman"],
            "sales manager": ["sales_team.group_sale_manager"],
            "buyer": ["purchase.group_purchase_user"],
            "picker": ["stock.group_stock_user"],
            "keeper": ["stock.group_stock_manager"],
            "accountant": [
                "account.group_account_invoice",
                "account.group_account_manager",
                "sales_team.group_sale_salesman_all_leads",
            ],
        }
        self.people = {name: Worker(self.odoo, *wanted) for name, wanted in groups.items()}
        # A customer who signs in: no limit of theirs, nobody's reason and no address of ours is for them to read.
        self.people["customer"] = Worker(self.odoo, "base.group_portal")
        self.portal = self.odoo.read("res.users", [self.people["customer"].uid], ["partner_id"])[0]["partner_id"]
        limit = {"use_partner_credit_limit": True, "credit_limit": 2_000, "property_product_pricelist": self.pricelist["USD"]}
        self.odoo.write("res.partner", [self.portal], limit)
        self.customers.insert(-1, self.portal)
        everybody = [person.uid for name, person in self.people.items() if name != "customer"]
        self.odoo.write("res.users", everybody, {"company_ids": [(6, 0, self.companies)], "company_id": self.home})

    def sign(self, order: int, token: str) -> str:
        """Sign the quotation as a customer does; what they read. Raises OdooBrokeError where Odoo broke."""
        params = {"access_token": token, "name": "A. Customer", "signature": PIXEL}
        message = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}).encode()
        call = urllib.request.Request(f"{self.url}/my/orders/{order}/accept", message, {"Content-Type": "application/json"})
        with urllib.request.urlopen(call, timeout=60) as answer:
            said = json.load(answer)
        error = said.get("error", {}).get("data", {})
        if error and error.get("name") not in SAYS_NO:
            raise OdooBrokeError(f"signing {order} broke Odoo: {error.get('name')}: {error.get('message')}")
        return str(error.get("message") or said.get("result"))

    def do(self, who: str, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call Odoo as one of the people. Raises RPCError where Odoo says no, OdooBrokeError where it broke."""
        try:
            return self.people[who].do(model, method, *arguments, **named)
        except odoorpc.error.RPCError as error:
            name = str((error.info or {}).get("data", {}).get("name", "")) if isinstance(error.info, dict) else ""
            name = name or str((error.info or {}).get("name", ""))
            if name and name not in SAYS_NO:
                trace = str((error.info or {}).get("data", error.info).get("debug", ""))[-1500:]
                raise OdooBrokeError(f"{who}: {model}.{method} broke Odoo: {name}: {error}\n{trace}") from error
            raise
