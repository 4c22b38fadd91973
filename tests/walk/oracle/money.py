"""What orders are worth and what customers owe, by Odoo's own totals and ``credit``."""

from decimal import Decimal
from typing import TYPE_CHECKING

from apps.core import clock
from apps.workflows import engine
from apps.workflows import registry as workflows
from tests.walk.oracle.positions import money, positions

if TYPE_CHECKING:
    from tests.walk.walk import Walk


def values_are_odoos(walk: "Walk") -> list[str]:
    """The value of each sales and purchase order is its total in the company's currency, rounded as that is."""
    found = []
    digits = {row["id"]: row["decimal_places"] for row in walk.rows("res.currency", [], ["decimal_places"])}
    companies = {row["id"]: row["currency_id"] for row in walk.rows("res.company", [], ["currency_id"])}
    for model, workflow in (("sale.order", "order_to_cash"), ("purchase.order", "procure_to_pay")):
        stands = positions(walk, workflow)
        rows = walk.rows(model, [("id", "in", walk.ids(model))], ["name", "amount_total", "currency_rate", "company_id"])
        for row in rows:
            if row["id"] not in stands:
                found.append(f"{model} {row['name']} has no position")
                continue
            expected = money(row["amount_total"] / (row["currency_rate"] or 1), digits[companies[row["company_id"]]])
            here = stands[row["id"]].amount
            if here is None or abs(here - expected) > Decimal("0.01"):
                found.append(f"{model} {row['name']} is worth {here}; Odoo says {expected}")
    return found


def customers_owe_what_odoo_says(walk: "Walk") -> list[str]:
    """What each customer owes on posted invoices is Odoo's own ``credit``."""
    found = []
    open_ones = [("id", "in", walk.ids("sale.order")), ("state", "in", ["draft", "sent"])]
    orders = walk.rows("sale.order", [*open_ones, ("company_id", "=", walk.business.home)], ["partner_id", "name"])
    if not orders:
        return []
    workflow = workflows.workflows()["order_to_cash"]
    here = engine.look(workflow, connection_id=walk.tower.connection.pk, odoo_ids=[one["id"] for one in orders], now=clock.now())
    partners = walk.rows("res.partner", [("id", "in", [one["partner_id"] for one in orders])], ["commercial_partner_id"])
    commercial = {row["id"]: row["commercial_partner_id"] for row in partners}
    credit = {
        row["id"]: row["credit"]
        for row in walk.business.odoo.search_read(
            "res.partner",
            [("id", "in", list(commercial.values()))],
            ["credit"],
            context={"allowed_company_ids": [walk.business.home]},
        )
    }
    for order in orders:
        row = here.get(order["id"])
        if row is None or row.get("open_invoices") is None:
            continue
        expected = credit[commercial[order["partner_id"]]]
        if abs(float(row["open_invoices"]) - expected) > 0.01:
            found.append(f"{order['name']}: its customer owes {row['open_invoices']}; Odoo says {expected:.2f}")
    return found
