"""Every field of a policy has bounds, and one stored beyond them stops no request."""

import json
from typing import Any

import pytest

from apps.approvals.models import Policy, Request
from apps.approvals.policies import policy
from apps.health import incidents
from tests.api.callers import caller
from tests.world import NOW, World

pytestmark = pytest.mark.django_db
LEVEL = {"ask": {"role": "manager"}, "within_minutes": 60}
STEP = {"name": "Control", "levels": [LEVEL], "fallback": "expire"}


def step(**more: Any) -> dict[str, Any]:
    return {"steps": [{**STEP, **more}]}


BAD: list[Any] = [
    None,
    [],
    {},
    {"steps": {}},
    {"steps": [None]},
    {"steps": [STEP] * 21},
    step(name="x" * 101),
    step(name="a\0b"),
    step(name="a\ud800"),
    step(name=["x"]),
    step(name=" "),
    step(position=10**12),
    step(position=-1),
    step(position=True),
    step(position=1.5),
    step(from_amount=10**16),
    step(from_amount="1E+400"),
    step(from_amount="NaN"),
    step(from_amount="Infinity"),
    step(from_amount=-1),
    step(from_amount=True),
    step(from_amount={}),
    step(from_amount="0.0000001"),
    step(currency="euro"),
    step(currency=5),
    step(currency="E" * 11),
    step(needs_all="yes"),
    step(fallback=[]),
    step(fallback="x"),
    step(levels=[]),
    step(levels=[LEVEL] * 11),
    step(levels=[{**LEVEL, "within_minutes": 10**9}]),
    step(levels=[{**LEVEL, "within_minutes": True}]),
    step(levels=[{**LEVEL, "remind_after_minutes": True}]),
    step(levels=[{**LEVEL, "ask": {"user": "x" * 201}}]),
    step(levels=[{**LEVEL, "ask": {"team": 5}}]),
    step(levels=[{**LEVEL, "ask": {"role": "a\0"}}]),
    step(when=[{"fact": "exposure", "at_least": "9" * 201}]),
    step(when=[{"fact": ["exposure"], "at_least": 1}]),
    step(when=[{"fact": "exposure", "is": {"a": 1}}]),
    step(when=[{"fact": "exposure", "at_least": 1}] * 21),
    step(when=[{"fact": "exposure", "at_least": "NaN"}]),
    step(unknown="a\0b"),
    step(unknown="x" * 1_001),
    {"steps": [STEP], "bulk": {"up_to_amount": 10**16}},
    {"steps": [STEP], "bulk": {"up_to_amount": "NaN"}},
    {"steps": [STEP], "bulk": {"up_to_amount": 1, "currency": "?"}},
    {"steps": [STEP], "bulk": "all"},
    {"steps": [STEP], "unlinked_may_decide": 1},
    {"steps": [STEP], "x": [[[[[[[[[[1]]]]]]]]]]},
]


@pytest.mark.parametrize("rules", BAD, ids=range(len(BAD)))
def test_what_is_out_of_bounds_is_refused_in_words(world: World, rules: Any) -> None:
    with pytest.raises(policy.PolicyError):
        policy.check_shape("credit_override", rules)


SENT = [one for one in BAD if isinstance(one, dict)]


@pytest.mark.parametrize("rules", SENT, ids=range(len(SENT)))
def test_over_rest_it_is_a_400_and_changes_nothing(world: World, rules: Any) -> None:
    mia = caller("mia", "admin")
    before = Policy.objects.count()
    answer = mia.client.post("/api/v1/policies/", json.dumps({"kind": "credit_override", "rules": rules}), "application/json")
    assert answer.status_code in (400, 409, 422)
    assert Policy.objects.count() == before


def test_one_that_is_stored_out_of_bounds_stops_no_request_and_is_an_incident(world: World) -> None:
    Policy.objects.create(kind="credit_override", version=1, rules=step(name="x" * 500, position=10**12), created_at=NOW)
    world.held_order()
    request = Request.objects.get()
    assert [one.name for one in request.steps.all()] == ["Credit control"]
    told = [one for one in incidents.found(now=NOW) if one.kind == "integration.policy_unusable"]
    assert [(one.name, one.evidence["version_count"]) for one in told] == [("Policy credit_override", 1)]
