"""What is changed beside the documents: limits, costs, rates, customers, goods, time zones."""

from random import Random
from typing import TYPE_CHECKING

from apps.core import clock
from tests.walk.acts.drawing import act
from tests.walk.acts.sales import order_line

if TYPE_CHECKING:
    from tests.walk.walk import Walk


@act(1)
def change_a_limit(walk: "Walk", random: Random) -> str:
    customer, limit = random.choice(walk.business.customers[:5]), random.choice([500, 5_000, 100_000])
    walk.business.odoo.write("res.partner", [customer], {"use_partner_credit_limit": True, "credit_limit": limit})
    return f"limit of {customer}: {limit}"


@act(1)
def change_a_cost(walk: "Walk", random: Random) -> str:
    cost = random.choice([20, 60, 95, 150])
    walk.business.odoo.write("product.product", [walk.business.goods.plain], {"standard_price": cost})
    return f"the desk costs {cost}"


@act(1)
def change_a_rate(walk: "Walk", random: Random) -> str:
    business, name = walk.business, random.choice(["EUR", "JPY", "KWD"])
    rate = random.choice([0.31, 0.9, 1.1, 149.5, 161.037]) if name == "JPY" else random.choice([0.305, 0.31, 0.9, 0.97])
    today = clock.now().date().isoformat()
    found = business.one(
        "res.currency.rate",
        [("currency_id", "=", business.currency[name]), ("name", "=", today), ("company_id", "=", business.home)],
    )
    if found:
        business.odoo.write("res.currency.rate", [found], {"rate": rate})
    else:
        business.odoo.create(
            "res.currency.rate", {"currency_id": business.currency[name], "name": today, "rate": rate, "company_id": business.home}
        )
    return f"{name} at {rate}"


@act(1)
def change_a_price_rule(walk: "Walk", random: Random) -> str:
    """A price list has a price, a discount or a margin of its own for the desk, from so many on."""
    business, goods = walk.business, walk.business.goods
    pricelist = business.pricelist[random.choice(list(business.pricelist))]
    values = random.choice(
        [
            {"compute_price": "fixed", "fixed_price": random.choice([0.01, 55, 99.999, 130])},
            {"compute_price": "percentage", "percent_price": random.choice([5, 20, 33.33, 90])},
            {"compute_price": "formula", "base": "standard_price", "price_discount": random.choice([-50, 10])},
        ]
    )
    of_goods = {"pricelist_id": pricelist, "applied_on": "0_product_variant", "product_id": goods.plain}
    of_goods["min_quantity"] = random.choice([0, 10])
    found = business.one("product.pricelist.item", [(name, "=", value) for name, value in of_goods.items()])
    if found:
        business.odoo.write("product.pricelist.item", [found], values)
    else:
        business.odoo.create("product.pricelist.item", of_goods | values)
    return f"price list {pricelist} from {of_goods['min_quantity']} desks on: {values}"


@act(1)
def merge_customers(walk: "Walk", random: Random) -> str:
    """Two customers become one, as Odoo's wizard does it: by SQL, without a trace in write_date."""
    business = walk.business
    gone = business.odoo.create("res.partner", {"name": f"Walk twin {random.randrange(10**6)}", "is_company": True})
    order = walk.make(
        "sales", "sale.order", {"partner_id": gone, "company_id": business.home, "order_line": [order_line(walk, random)]}
    )
    into = random.choice(business.customers[:2])
    wizard = business.odoo.create(
        "base.partner.merge.automatic.wizard", {"dst_partner_id": into, "partner_ids": [(6, 0, [gone, into])]}
    )
    business.odoo.call("base.partner.merge.automatic.wizard", "action_merge", [wizard])
    return f"S{order}'s customer {gone} merged into {into}"


@act(1)
def archive_a_customer(walk: "Walk", random: Random) -> str:
    """The customer's contact is archived, or comes back: its orders go on."""
    contact = walk.business.customers[-1]
    active = walk.business.odoo.search_count("res.partner", [("id", "=", contact)]) == 0
    walk.business.odoo.write("res.partner", [contact], {"active": active})
    return f"contact {contact} is {'active' if active else 'archived'}"


@act(1)
def archive_goods(walk: "Walk", random: Random) -> str:
    """What is no longer sold is archived while it is on order, or sold again."""
    product = walk.business.goods.dropshipped
    active = walk.business.odoo.search_count("product.product", [("id", "=", product)]) == 0
    walk.business.odoo.write("product.product", [product], {"active": active})
    return f"product {product} is {'active' if active else 'archived'}"


@act(1)
def move_to_another_zone(walk: "Walk", random: Random) -> str:
    """The company's people live in another time zone from now on."""
    business = walk.business
    partner = business.odoo.read("res.company", [business.home], ["partner_id"])[0]["partner_id"]
    zone = random.choice(["Pacific/Auckland", "America/Los_Angeles", "Europe/Berlin", "UTC"])
    business.odoo.write("res.partner", [partner], {"tz": zone})
    return f"the company is in {zone}"
