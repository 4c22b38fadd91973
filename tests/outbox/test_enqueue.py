"""Filling declared calls with a decision's facts."""

import pytest

from apps.outbox import enqueue


def test_placeholders_are_filled_all_the_way_down() -> None:
    template = {"vals": {"reason": "By {who}", "items": ["{what}", 3]}}
    assert enqueue.fill(template, {"who": "Adam", "what": "x"}) == {"vals": {"reason": "By Adam", "items": ["x", 3]}}


def test_a_number_stays_a_number() -> None:
    assert enqueue.fill("{amount:number}", {"amount": "6200.50"}) == 6200.5
    assert enqueue.fill("{odoo_id:number}", {"odoo_id": 42}) == 42


def test_braces_in_what_people_wrote_are_left_alone() -> None:
    assert enqueue.fill("{reason}", {"reason": "see {order}"}) == "see {order}"


def test_what_the_context_lacks_is_named() -> None:
    with pytest.raises(enqueue.ContextMissingError, match=r"\{who\}"):
        enqueue.fill("By {who}", {"what": "x"})
