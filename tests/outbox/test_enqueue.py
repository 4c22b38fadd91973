"""Filling declared calls with a decision's facts."""

import pytest

from apps.core.actor import system
from apps.outbox import enqueue
from apps.workflows import guard_requests
from tests.world import NOW, World


def test_placeholders_are_filled_all_the_way_down() -> None:
    template = {"vals": {"reason": "By {who}", "items": ["{what}", 3]}}
    assert enqueue.fill(template, {"who": "Adam", "what": "x"}) == {"vals": {"reason": "By Adam", "items": ["x", 3]}}


def test_a_number_stays_a_number() -> None:
    assert enqueue.fill("{amount:number}", {"amount": "6200.50"}) == 6200.5
    assert enqueue.fill("{odoo_id:number}", {"odoo_id": 42}) == 42


def test_what_may_be_missing_is_left_out_with_its_key() -> None:
    template = {"lines": [[0, 0, {"unit_id": "{unit_id:optional}", "quantity": "{quantity:number}"}]]}
    assert enqueue.fill(template, {"unit_id": None, "quantity": 2}) == {"lines": [[0, 0, {"quantity": 2}]]}
    assert enqueue.fill(template, {"unit_id": 7, "quantity": 2}) == {"lines": [[0, 0, {"unit_id": 7, "quantity": 2}]]}


def test_braces_in_what_people_wrote_are_left_alone() -> None:
    assert enqueue.fill("{reason}", {"reason": "see {order}"}) == "see {order}"


def test_what_the_context_lacks_is_named() -> None:
    with pytest.raises(enqueue.ContextMissingError, match=r"\{who\}"):
        enqueue.fill("By {who}", {"what": "x"})


HOLD = guard_requests.hold("credit_hold", title="Hold", reason="{why}")


@pytest.mark.parametrize(
    ("there", "titles"), [(["x_ct_hold", "x_ct_hold_reason", "x_ct_url"], ["Hold", "Lift the hold"]), ([], [])]
)
def test_what_an_odoo_lacks_of_the_towers_own_fields_is_not_written(world: World, there: list[str], titles: list[str]) -> None:
    for model in ("sale.order", "account.move"):
        world.connection.capabilities["models"][model]["own_fields"] = there
    for model in ("sale.order", "account.move"):
        made = enqueue.commands(
            [HOLD, guard_requests.LIFT],
            connection=world.connection,
            model=model,
            odoo_id=1,
            decision="test",
            by=system("tests"),
            now=NOW,
            context={"why": "Too much", "record_url": "http://tower.test/1"},
        )
        assert [command.title for command in made] == titles
