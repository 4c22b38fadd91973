"""A change in Odoo and a decision at once: a yes counts for what was seen, and for nothing else."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connections

from apps.accounts.models import Role, User
from apps.approvals.errors import FactsChangedError
from apps.approvals.models import Assignment, Request, Status
from apps.approvals.policies import policy
from apps.approvals.requests import facts, moves
from apps.approvals.requests.facts import Seen
from apps.outbox.models import Command
from tests.world import World, person


def step(name: str, *roles: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "levels": [{"ask": {"role": role}, "within_minutes": 60} for role in roles], "fallback": "expire"} | more


CREDIT = step("Credit control", "approver", "manager")
MANAGEMENT = step("Management", "manager", from_amount=50_000)


@pytest.mark.django_db(transaction=True)
def test_of_a_change_and_a_yes_at_once_the_yes_counts_for_what_was_seen_alone() -> None:
    person("olga", Role.OPERATOR, team="finance")
    adam = person("adam", Role.APPROVER, limit=500_000, team="finance")
    mia = person("mia", Role.MANAGER, limit=500_000)
    world = World()
    policy.save("credit_override", {"steps": [CREDIT, MANAGEMENT]}, by=mia, now=world.now)
    for number in range(4):
        order = 60 + number
        world.order(order, amount=14_773)
        world.ask(order, ask_id=950 + number)
        request = Request.objects.get(odoo_id=order)
        _both(world, request, adam, order)
        request.refresh_from_db()
        said = Assignment.objects.filter(step__request=request, decision="approved", lapsed_at=None)
        if request.status == Status.APPROVED:
            assert request.amount == 14_773  # the yes came first; Odoo is told to confirm up to that alone
            confirm = Command.objects.get(decision=f"approval:{request.pk}", method="action_confirm")
            assert ["amount_total", "<=", 14_773.0] in confirm.precondition
        else:
            assert request.amount == 151_342
            assert not said.exists()
            assert {one.name for one in request.steps.all()} == {"Credit control", "Management"}


def _both(world: World, request: Request, adam: User, order: int) -> None:
    start, seen = threading.Barrier(2), Seen(digest=facts.digest(request))

    def change() -> None:
        start.wait()
        try:
            world.write("sale.order", order, amount_total=151_342, amount_untaxed=151_342)
        finally:
            connections.close_all()

    def approve() -> None:
        start.wait()
        try:
            moves.approve(request.pk, by=adam, now=world.now, seen=seen)
        except FactsChangedError:
            pass
        finally:
            connections.close_all()

    both: Sequence[threading.Thread] = [threading.Thread(target=change), threading.Thread(target=approve)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
