"""The ground of the state machines: a company with people of all roles, whose moves come over the REST API."""

import os
from collections.abc import Sequence
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from rest_framework.throttling import UserRateThrottle

from apps.accounts.models import Role, Team
from apps.audit.models import Entry
from apps.audit.verify import verify
from apps.core import clock
from tests.api.callers import caller
from tests.world import World, person

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "6"))
PEOPLE: Sequence[str] = ["olga", "oscar", "adam", "mia", "ivan", "anna", "aida"]
who = st.sampled_from(PEOPLE)


class Trial(RuleBasedStateMachine):
    """Each run is a transaction that is taken back. At its end the chain of the audit trail must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.patched = pytest.MonkeyPatch()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        for slug in ["finance", "sales", "warehouse", "purchasing"]:
            Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
        person("olga", Role.OPERATOR, team="finance")
        person("oscar", Role.OPERATOR, team="finance")
        person("adam", Role.APPROVER, limit=50_000, team="finance")
        person("mia", Role.MANAGER, limit=250_000, team="finance")
        person("ivan", Role.INTEGRATOR)
        person("anna", Role.ADMIN)
        person("aida", Role.AUDITOR)
        self.world = World()
        self.patched.setattr(clock, "now", lambda: self.world.now)
        self.patched.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None})
        self.patched.setattr(django_settings, "ODOO_COMMANDS_PER_SECOND", 1_000)
        self.callers = {name: caller(name) for name in PEOPLE}

    def teardown(self) -> None:
        try:
            verdict = verify()
            assert verdict.holds, verdict.problem
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            self.patched.undo()

    def press(self, by: str, address: str, **body: Any) -> bool:
        """Whether the move was made. One that is refused has changed nothing, and nothing breaks the tower."""
        before = Entry.objects.count()
        person = self.callers[by]
        person.client.raise_request_exception = False
        answer = person.post(address, body)
        assert answer.status_code < 500, (answer.status_code, address, body, answer.content)
        if answer.status_code >= 400:
            assert answer.status_code in (400, 403, 404, 409, 422), (answer.status_code, address, answer.content)
            assert Entry.objects.count() == before
        return bool(answer.status_code < 400)


def run(machine: type[RuleBasedStateMachine], *, steps: int) -> None:
    """Try the machine; ``MACHINE_EXAMPLES=2000`` tries more, and what breaks is printed as the shortest way there."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            # The same ones each time, unless more are asked for: a proof that a change breaks names that change.
            derandomize="MACHINE_EXAMPLES" not in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
