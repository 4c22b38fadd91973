"""The figures on which Odoo's guard decides, and those of the tower: the same to the currency's last digit."""

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from apps.core import clock
from apps.mirror.models.res_partner import Partner
from apps.odoo.client import OdooClient, connect
from apps.workflows import engine, registry
from tests.odoo.seen import Seen

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

SEED, ORDERS = 20_261_128, 40
# Loading a chart of accounts takes Odoo longer than a call of the tower may.
CHART_SECONDS = 300.0


class Companies:
    """Companies in a real Odoo that count in euro, yen and dinars, one with a branch, and what they sell."""

    def __init__(self, odoo: OdooClient) -> None:
        self.odoo = odoo
        self.currencies = {}
        for name, rate in (("EUR", 0.91), ("JPY", 147.331), ("KWD", 0.3071), ("USD", 1.0), ("VND", 24_317.7)):
            (found,) = odoo.search("res.currency", [("name", "=", name)])
            odoo.write("res.currency", [found], {"active": True})
            self.currencies[name] = found
            self.rate(name, rate)
        self.main = odoo.read("res.users", [odoo.uid], ["company_id"])[0]["company_id"]
        self.yen, self.dinar = self.company("Yen", "JPY"), self.company("Dinar", "KWD")
        self.branch = self.company("Branch", "KWD", parent=self.dinar)
        self.product = odoo.create(
            "product.product",
            {"name": "Tower test hour", "type": "service", "list_price": 100, "invoice_policy": "order", "taxes_id": [(5, 0, 0)]},
        )

    def rate(self, currency: str, rate: float) -> None:
        values = {"currency_id": self.currencies[currency], "name": "2020-01-01", "company_id": False}
        if not self.odoo.search("res.currency.rate", [(name, "=", value) for name, value in values.items()]):
            self.odoo.create("res.currency.rate", {**values, "rate": rate})

    def company(self, name: str, currency: str, parent: int = 0) -> int:
        title = f"Tower test {name}"
        known = self.odoo.search("res.company", [("name", "=", title)])
        values: dict[str, Any] = {
            "name": title,
            "currency_id": self.currencies[currency],
            "parent_id": parent or False,
            "country_id": self.odoo.search("res.country", [("code", "=", "US")])[0],
        }
        made = known[0] if known else self.odoo.create("res.company", values)
        if not parent:
            if not self.odoo.search("account.journal", [("company_id", "=", made)]):
                chart = {"template_code": "generic_coa", "company": made, "install_demo": False}
                with connect(self.odoo.connection, timeout_seconds=CHART_SECONDS) as patient:
                    patient.call("account.chart.template", "try_loading", [], **chart)
            # The chart has brought the currency of its country.
            self.odoo.write("res.company", [made], {"currency_id": self.currencies[currency]})
        return made

    def within(self, company: int) -> dict[str, Any]:
        """The context of somebody who works in that company."""
        return {"allowed_company_ids": [company]}

    def taxes(self, company: int) -> list[int]:
        """One tax on top and one within the price."""
        root = self.dinar if company == self.branch else company
        found = []
        groups = self.odoo.search("account.tax.group", [("company_id", "=", root)]) or self.odoo.call(
            "account.tax.group", "create", vals_list=[{"name": "Tower", "company_id": root}], context=self.within(root)
        )
        for number, (name, within) in enumerate((("Tower on top", False), ("Tower within", True))):
            known = self.odoo.search("account.tax", [("name", "=", name), ("company_id", "=", root)])
            values = {
                "name": name,
                "amount": 7.7 + number * 11.3,
                "company_id": root,
                "type_tax_use": "sale",
                "tax_group_id": groups[0],
                "price_include_override": "tax_included" if within else "tax_excluded",
            }
            found.append(
                known[0] if known else self.odoo.call("account.tax", "create", vals_list=[values], context=self.within(root))[0]
            )
        return found

    def pricelist(self, company: int, currency: str) -> int:
        values = {"name": f"Tower {currency}", "currency_id": self.currencies[currency], "company_id": company}
        return int(self.odoo.call("product.pricelist", "create", vals_list=[values], context=self.within(company))[0])

    def order(self, customer: int, company: int, currency: str, chance: random.Random, taxes: list[int]) -> int:
        lines = []
        for number in range(chance.randint(1, 4)):
            lines.append(
                (
                    0,
                    0,
                    {
                        "product_id": self.product,
                        "product_uom_qty": chance.choice([1, 3, 7, 0.33, 12.5]) if number else 7,
                        "price_unit": chance.choice([571.42, 0.07, 1_234.567, 33.335, 18_000, 99.99]) if number else 18_000.07,
                        "discount": chance.choice([0, 5, 12.5]),
                        "tax_ids": [(6, 0, chance.sample(taxes, chance.randint(0, 2)))],
                    },
                )
            )
        values = {
            "partner_id": customer,
            "company_id": company,
            "order_line": lines,
            "pricelist_id": self.pricelist(company, currency),
        }
        return int(self.odoo.call("sale.order", "create", vals_list=[values], context=self.within(company))[0])

    def confirm(self, order: int, company: int) -> str:
        try:
            self.odoo.call("sale.order", "action_confirm", [order], context=self.within(company))
        except Exception as error:
            return str(error)
        return ""

    def invoice(self, order: int, company: int, chance: random.Random) -> None:
        """Bill the order, or prepay a part; post it or leave a draft."""
        context = {**self.within(company), "active_model": "sale.order", "active_ids": [order], "active_id": order}
        how = chance.choice(["delivered", "percentage"])
        values = {"advance_payment_method": how, "amount": 30 if how == "percentage" else 0, "sale_order_ids": [(6, 0, [order])]}
        (wizard,) = self.odoo.call("sale.advance.payment.inv", "create", vals_list=[values], context=context)
        self.odoo.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
        made = self.odoo.read("sale.order", [order], ["invoice_ids"], context=self.within(company))[0]["invoice_ids"]
        if chance.random() < 0.6:
            self.odoo.call("account.move", "action_post", made, context=self.within(company))


@pytest.fixture
def companies(odoo: OdooClient) -> Iterator[Companies]:
    made = Companies(odoo)
    yield made
    odoo.write("product.product", [made.product], {"active": False})


def figures(seen: Seen, orders: list[int]) -> dict[int, dict[str, Any]]:
    return engine.look(registry.workflows()["order_to_cash"], connection_id=seen.connection.pk, odoo_ids=orders, now=clock.now())


def test_the_tower_counts_as_the_guard_does_to_the_last_digit(guarded: Seen, odoo: OdooClient, companies: Companies) -> None:
    chance = random.Random(SEED)
    group = odoo.create("res.partner", {"name": "Tower test group", "is_company": True})
    site = odoo.create("res.partner", {"name": "Tower test site", "parent_id": group, "type": "delivery"})
    sellers = [companies.main, companies.yen, companies.dinar, companies.branch]
    taxes = {company: companies.taxes(company) for company in sellers}
    for _ in range(14):
        company, currency = chance.choice(sellers), chance.choice(list(companies.currencies))
        order = companies.order(chance.choice([group, site]), company, currency, chance, taxes[company])
        assert companies.confirm(order, company) == ""
        if chance.random() < 0.6:
            companies.invoice(order, company, chance)
    # A limit of its own in each company: every order is over it.
    for number, company in enumerate(sellers):
        odoo.call("res.partner", "write", [group], vals={"credit_limit": 1 + number / 8}, context=companies.within(company))
    orders = {}
    for _ in range(ORDERS):
        company, currency = chance.choice(sellers), chance.choice(list(companies.currencies))
        order = companies.order(chance.choice([group, site]), company, currency, chance, taxes[company])
        assert "above its credit limit" in companies.confirm(order, company)
        orders[order] = company
    guarded.look()
    asks = odoo.search_read(
        "x_ct_request",
        [("x_res_id", "in", list(orders)), ("x_kind", "=", "credit_override")],
        ["x_res_id", "x_exposure", "x_limit"],
    )
    told = {ask["x_res_id"]: (Decimal(str(ask["x_exposure"])), Decimal(str(ask["x_limit"]))) for ask in asks}
    ours = {
        order: (Decimal(row["exposure"]), guarded_limit(group, orders[order]))
        for order, row in figures(guarded, list(orders)).items()
    }
    assert len(told) == ORDERS
    assert {order: value[0] for order, value in ours.items()} == {order: value[0] for order, value in told.items()}
    assert ours == told


def guarded_limit(partner: int, company: int) -> Decimal:
    return Decimal(str(Partner.objects.get(odoo_id=partner).credit_limit_by_company[str(company)]))


def test_a_changed_default_of_a_company_reaches_the_tower(guarded: Seen, odoo: OdooClient, companies: Companies) -> None:
    customer = odoo.create("res.partner", {"name": "Tower test customer", "is_company": True})
    guarded.look()
    assert guarded_limit(customer, companies.yen) == 0
    (field,) = odoo.search("ir.model.fields", [("model", "=", "res.partner"), ("name", "=", "credit_limit")])
    default = odoo.create("ir.default", {"field_id": field, "company_id": companies.yen, "json_value": "4321.0"})
    try:
        guarded.look()
        assert guarded_limit(customer, companies.yen) == 4321
        assert guarded_limit(customer, companies.main) == 0
    finally:
        odoo.unlink("ir.default", [default])
    guarded.look()
    assert guarded_limit(customer, companies.yen) == 0


@pytest.mark.parametrize("hiding", [{"price_unit": -100, "product_uom_qty": 5}, {"price_unit": 100, "product_uom_qty": -5}])
def test_no_line_hides_the_discount_of_another(
    guarded: Seen, odoo: OdooClient, companies: Companies, hiding: dict[str, float]
) -> None:
    customer = odoo.create("res.partner", {"name": "Tower test customer"})
    sold = {"product_id": companies.product, "product_uom_qty": 10, "price_unit": 100, "discount": 60}
    lines = [(0, 0, sold), (0, 0, {"product_id": companies.product, **hiding})]
    order = odoo.create("sale.order", {"partner_id": customer, "order_line": lines})
    with pytest.raises(Exception, match="more than 20 % needs an approval"):
        odoo.call("sale.order", "action_confirm", [order])
    guarded.look()
    (ask,) = odoo.search_read("x_ct_request", [("x_res_id", "=", order)], ["x_kind", "x_exposure"])
    row = figures(guarded, [order])[order]
    assert (ask["x_kind"], Decimal(str(ask["x_exposure"]))) == ("pricing_exception", row["conceded"])
    assert row["conceded"] >= 400


def test_a_rebate_hides_no_purchase(guarded: Seen, odoo: OdooClient, companies: Companies) -> None:
    vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
    lines = [
        (0, 0, {"product_id": companies.product, "product_qty": 1, "price_unit": price, "tax_ids": [(5, 0, 0)]})
        for price in (15_000, -6_000)
    ]
    order = odoo.create("purchase.order", {"partner_id": vendor, "order_line": lines})
    with pytest.raises(Exception, match="is worth 15000"):
        odoo.call("purchase.order", "button_confirm", [order])
