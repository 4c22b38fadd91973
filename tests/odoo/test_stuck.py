"""What stands still in a real Odoo is raised by time alone, and closed by whoever moves it on there."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.pipeline import change_processing
from tests.odoo.shop import Shop

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def test_an_order_that_nobody_moves_is_stuck_until_it_is_cancelled(shop: Shop) -> None:
    order = shop.sell(20)
    assert "order_to_cash.stuck" not in shop.cases("sale.order", order)
    later = clock.now() + timedelta(days=11)
    while change_processing.reevaluate_due(now=later) == change_processing.LOOKED_AGAIN:
        pass
    case = shop.cases("sale.order", order)["order_to_cash.stuck"]
    assert (case.cause, case.team.slug, case.evidence["stuck_days"]) == ("waiting_for_stock", "purchasing", 11)
    shop.odoo.call("sale.order", "action_cancel", [order])
    assert "order_to_cash.stuck" not in shop.cases("sale.order", order)
