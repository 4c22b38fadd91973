"""Two people who confirm at the same moment what a limit lets only one of them confirm, in a real Odoo."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from apps.accounts.models import User
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, refusal
from tests.odoo.test_guards import BUYER, SELLER, customer, desk, quoted
from tests.odoo.test_splitting import in_force
from tests.odoo.test_ways_round import bought

__all__ = ["desk"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
TRIES = 6


def at_once(acts: list[tuple[Worker, str, str, int]]) -> list[str]:
    """All of them press at the same moment, each in a session of their own: Odoo's words to each, empty where it did."""
    together = Barrier(len(acts))

    def press(act: tuple[Worker, str, str, int]) -> str:
        worker, model, method, record = act
        together.wait()
        return refusal(worker, model, method, record)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(press, acts))


def test_two_orders_of_a_customer_are_not_confirmed_past_the_limit_at_once(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    sellers = [hired(*SELLER), hired(*SELLER)]
    for number in range(TRIES):
        partner = customer(odoo, 1_000)
        office = odoo.create("res.partner", {"name": "Tower test office", "parent_id": partner, "type": "other"})
        orders = [quoted(seller, who, desk, 8) for seller, who in zip(sellers, (partner, office), strict=True)]
        said = at_once([(who, "sale.order", "action_confirm", order) for who, order in zip(sellers, orders, strict=True)])
        assert sorted(bool(words) for words in said) == [False, True], (number, said)
        assert "to 1600.00 USD" in "".join(said)


def test_two_purchases_that_count_together_are_not_confirmed_past_the_limit_at_once(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    in_force(guarded, mia, cumulative={"over_days": 7, "per": ["partner"]})
    buyers = [hired(*BUYER), hired(*BUYER)]
    for number in range(TRIES):
        vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
        line = {"product_qty": 1, "price_unit": 6_000}
        # Of one product Odoo itself would write one and the same vendor's price.
        products = [desk, odoo.create("product.product", {"name": "Tower test chair", "type": "consu"})]
        orders = [bought(buyer, vendor, line | {"product_id": one}) for buyer, one in zip(buyers, products, strict=True)]
        said = at_once([(who, "purchase.order", "button_confirm", order) for who, order in zip(buyers, orders, strict=True)])
        assert sorted(bool(words) for words in said) == [False, True], (number, said)
        assert "12000.00 USD with 1 other" in "".join(said)
