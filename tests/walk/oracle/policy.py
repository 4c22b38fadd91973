"""Nothing is confirmed, bought or discounted beyond policy."""

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from apps.approvals.models import Request, Status
from apps.core import clock

if TYPE_CHECKING:
    from tests.walk.walk import Walk

# From which value on a purchase needs an approval, in the company's currency.
LIMIT = 10_000


def nothing_is_bought_beyond_policy(walk: "Walk") -> list[str]:
    """No purchase is ordered at the limit or above without an approval of at least its value."""
    found = []
    ordered = [("id", "in", walk.ids("purchase.order")), ("state", "=", "purchase")]
    for row in walk.rows("purchase.order", ordered, ["name", "amount_total", "currency_rate"]):
        value = row["amount_total"] / (row["currency_rate"] or 1)
        if value < LIMIT or row["id"] in walk.past:
            continue
        yes = Request.objects.filter(
            connection=walk.tower.connection, model="purchase.order", odoo_id=row["id"], status=Status.APPROVED
        )
        # The rate may have moved since: what was approved is the order in its own currency.
        if not any(request.amount is not None and float(request.amount) >= value * 0.9 for request in yes):
            found.append(f"P{row['id']} is ordered for {value:.2f}; approved were {[str(one.amount) for one in yes]}")
    return found


def nothing_is_discounted_beyond_policy(walk: "Walk") -> list[str]:
    """No confirmed order has a line of more than the most discount without a decision about its price."""
    found = []
    confirmed = [
        ("order_id", "in", walk.ids("sale.order")),
        ("order_id.state", "=", "sale"),
        ("discount", ">", 20),
        ("product_id", "!=", False),
        ("price_unit", ">", 0),
        ("product_uom_qty", ">", 0),
    ]
    orders = {row["order_id"] for row in walk.rows("sale.order.line", confirmed, ["order_id"])}
    for order in sorted(orders):
        if not Request.objects.filter(
            connection=walk.tower.connection, model="sale.order", odoo_id=order, kind="pricing_exception", status=Status.APPROVED
        ).exists():
            found.append(f"S{order} is confirmed with more than 20 % off, and nobody approved its price")
    return found


def nothing_is_sold_beyond_the_limit(walk: "Walk") -> list[str]:
    """Right after somebody confirms an order, what its customer owes by Odoo's own ``credit`` and the order fit the limit."""
    confirmed = {
        row["id"] for row in walk.rows("sale.order", [("id", "in", walk.ids("sale.order")), ("state", "=", "sale")], ["id"])
    }
    new, walk.confirmed = confirmed - walk.confirmed, confirmed
    found = []
    for row in walk.rows("sale.order", [("id", "in", sorted(new))], ["partner_id", "amount_total", "currency_rate", "company_id"]):
        context = {"allowed_company_ids": [row["company_id"]]}
        partner = walk.business.odoo.search_read("res.partner", [("id", "=", row["partner_id"])], ["commercial_partner_id"])[0]
        of = walk.business.odoo.search_read(
            "res.partner", [("id", "=", partner["commercial_partner_id"])], ["credit", "credit_limit", "name"], context=context
        )[0]
        exposure = of["credit"] + row["amount_total"] / (row["currency_rate"] or 1)
        if not of["credit_limit"] or exposure <= of["credit_limit"] + 0.01 or not row["amount_total"]:
            continue
        yes = Request.objects.filter(
            connection=walk.tower.connection, model="sale.order", odoo_id=row["id"], kind="credit_override", status=Status.APPROVED
        )
        if not yes.exists():
            found.append(
                f"S{row['id']} is confirmed; {of['name']} owes {exposure:.2f} with it, and may owe {of['credit_limit']:.2f}"
            )
    return found


def nothing_is_split_beyond_policy(walk: "Walk") -> list[str]:
    """Where a week's purchases count together: those of one vendor and person that nobody approved stay below the limit."""
    if not walk.tower.is_cumulative:
        return []
    approved = set(
        Request.objects.filter(connection=walk.tower.connection, model="purchase.order", status=Status.APPROVED).values_list(
            "odoo_id", flat=True
        )
    )
    since = (clock.now() - timedelta(days=7)).strftime("%Y-%m-%d %H:%M:%S")
    ordered = [("id", "in", walk.made.get("purchase.order", [])), ("state", "=", "purchase"), ("create_date", ">=", since)]
    sums: dict[tuple[int, int], float] = defaultdict(float)
    for row in walk.rows("purchase.order", ordered, ["partner_id", "create_uid", "amount_total", "currency_rate"]):
        if row["id"] not in approved and row["id"] not in walk.past:
            sums[row["partner_id"], row["create_uid"]] += row["amount_total"] / (row["currency_rate"] or 1)
    # The rate may have moved since.
    return [
        f"user {person} ordered for {value:.2f} from vendor {vendor} in parts, and nobody approved any of them"
        for (vendor, person), value in sums.items()
        if value >= LIMIT * 1.1
    ]
