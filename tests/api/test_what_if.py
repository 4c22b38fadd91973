"""What a change would do, over REST: the same as the preview says, for who may read, and in words where it cannot be."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core import clock
from tests import trade
from tests.world import World, odoo_time

Call = Callable[..., Any]


@pytest.fixture
def waiting(call: Call, world: World) -> World:
    """Two orders wait for a purchase, as of today: the API goes by the clock."""
    made = world
    made.now = clock.now().replace(microsecond=0)
    for product, name in ((trade.DESK, "Oak desk"), (trade.LAMP, "Lamp")):
        made.write("product.template", product * 10, name=name)
        made.write("product.product", product, product_tmpl_id=product * 10)
    made.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60)
    trade.purchase(made, quantity=20, expected_in=5)
    trade.sale(made, 42, quantity=10, promised_in=6)
    trade.sale(made, 43, quantity=8, promised_in=20)
    return made


def at(world: World, days: float) -> str:
    return (world.now + timedelta(days=days)).isoformat().replace("+00:00", "Z")


def test_a_later_date_says_who_waits_longer_and_how_the_stock_runs(waiting: World, call: Call) -> None:
    body = {"connection": "main", "changes": [{"type": "new_date", "line": 800, "at": at(waiting, 12)}]}
    answer = call("aida", "what-if/", body, scope="read")
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert (said["has_impact"], said["orders_count"], said["newly_at_risk"], said["later"]) == (True, 2, 1, 2)
    assert said["sentence"].startswith("2 sales orders change: 1 promise comes to be at risk")
    first = said["orders"][0]
    assert (first["model"], first["name"], first["days"], first["is_at_risk_after"], first["revenue"]) == (
        "sale.order",
        "S00042",
        7,
        True,
        "1000.00",
    )
    assert said["revenue_newly_at_risk"] == [{"currency": "EUR", "amount": "1000.00"}]
    (curve,) = said["curves"]
    assert (curve["product"], curve["short_before"] is None, curve["short_after"] is None) == ("Oak desk", True, False)
    assert {point["after"] for point in curve["points"]} == {"0", "-10", "10", "2"}


def test_every_type_of_change_is_understood(waiting: World, call: Call) -> None:
    def status(**change: Any) -> tuple[int, str]:
        answer = call("olga", "what-if/", {"connection": "main", "changes": [change]})
        return answer.status_code, answer.json().get("code", "")

    waiting.order(50, amount=500, state="draft", company_id=1, commitment_date=odoo_time(waiting.now + timedelta(days=3)))
    assert status(type="new_quantity", line=800, quantity="12.5") == (200, "")
    assert status(type="cancelled_line", line=800) == (200, "")
    assert status(type="split", line=800, parts=[{"quantity": "4", "at": at(waiting, 3)}]) == (200, "")
    assert status(type="released_hold", order=50) == (200, "")
    assert status(type="new_promise", order=42, at=at(waiting, 9)) == (200, "")
    bought = {"product": trade.DESK, "vendor": 60, "quantity": "3", "at": at(waiting, 3), "warehouse": 9}
    assert status(type="other_vendor", **bought) == (422, "change_impossible")
    moved = {"product": trade.DESK, "from_warehouse": 8, "to_warehouse": 9, "quantity": "3", "at": at(waiting, 3)}
    assert status(type="transfer", **moved) == (422, "change_impossible")
    assert status(type="cancelled_line") == (400, "invalid")
    assert status(type="cancelled_line", line=800, quantity="3") == (400, "invalid")
    assert status(type="something", line=800) == (400, "invalid")
    assert status(type="new_quantity", line=800, quantity="NaN") == (400, "invalid")
    assert status(type="cancelled_line", line=7) == (422, "change_impossible")


def test_it_is_for_who_sees_the_place(waiting: World, call: Call) -> None:
    body = {"connection": "main", "changes": [{"type": "cancelled_line", "line": 800}]}
    User.objects.filter(username="olga").update(sees=[f"{waiting.connection.pk}:2"])
    assert call("olga", "what-if/", body).status_code == 422
    User.objects.filter(username="olga").update(sees=[])
    assert call("olga", "what-if/", body).status_code == 400
    assert call("", "what-if/", body).status_code == 401
    assert call("anna", "what-if/", {"connection": "main", "changes": []}).status_code == 400
    repeated = [call("anna", "what-if/", body, Idempotency_Key="once").json() for _ in range(2)]
    assert repeated[0] == repeated[1]
