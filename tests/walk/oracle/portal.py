"""What a customer who signs in reads of their orders: the business's words, and nothing of ours."""

import json
from typing import TYPE_CHECKING

from apps.accounts.models import User

if TYPE_CHECKING:
    from tests.walk.walk import Walk

# Of a refusal that names what they owe, and of the tower: its address, the reasons that its people give.
OURS = ("credit limit", "/records/", "Control Tower", "Walk says no", "exposure")


def customers_read_nothing_of_ours(walk: "Walk") -> list[str]:
    """Neither in what they were told as they signed, nor on their orders and what is said there."""
    customer = walk.business.people["customer"]
    told = dict(walk.read_by_customers)
    walk.read_by_customers.clear()
    orders = walk.those("sale.order", [("partner_id", "=", walk.business.portal), ("state", "!=", "draft")])
    rows = customer.do("sale.order", "search_read", [("id", "in", orders)], ["name", "state", "x_ct_hold_reason", "x_ct_url"])
    talk = customer.do("mail.message", "search_read", [("model", "=", "sale.order"), ("res_id", "in", orders)], ["body", "res_id"])
    texts = [*told.items(), *((row["id"], json.dumps(row)) for row in rows), *((one["res_id"], one["body"]) for one in talk)]
    words = [*OURS, *User.objects.filter(pk__in=[one.pk for one in walk.tower.people]).values_list("username", flat=True)]
    return [f"S{order}: its customer reads {word!r}: {text[:200]}" for order, text in texts for word in words if word in text]
