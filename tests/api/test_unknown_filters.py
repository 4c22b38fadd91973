"""A REST list refuses a filter's value that names nothing: an empty list would say that there is none."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.world import World

Call = Callable[..., Any]

KNOWN = [
    "exceptions/?type=order.credit_hold",
    "exceptions/?type=order",
    "exceptions/?type=integration.",
    "exceptions/?workflow=integration",
    "exceptions/?workflow=order_to_cash",
    "exceptions/?stage=credit_review",
    "exceptions/?connection=main",
    "approvals/?kind=credit_override",
    "approvals/?workflow=order_to_cash",
    "approvals/?approver=adam",
    "approvals/?connection=main",
    "records/sale.order/?stage=credit_review&workflow=order_to_cash",
    "records/sale.order/?connection=main",
    "commands/?connection=main",
    "events/?connection=main",
]


@pytest.mark.parametrize("address", KNOWN)
def test_a_value_that_is_known_lists(world: World, call: Call, address: str) -> None:
    assert call("olga", address).status_code == 200


@pytest.mark.parametrize("address", sorted({f"{one.partition('=')[0]}=nonsense" for one in KNOWN}))
def test_a_value_that_names_nothing_is_refused_by_name(world: World, call: Call, address: str) -> None:
    answer = call("olga", address)
    assert answer.status_code == 400
    assert "nonsense" in answer.content.decode()


def test_a_view_of_many_names_only_what_there_is(world: World, call: Call) -> None:
    answer = call("olga", "bulk-jobs/", {"move": "acknowledge", "view": {"type": "order.nothing"}})
    assert answer.status_code == 400 and "order.nothing" in answer.content.decode()
    answer = call("olga", "views/", {"name": "Mine", "view": {"sort": "size"}})
    assert answer.status_code == 400 and "size" in answer.content.decode()
