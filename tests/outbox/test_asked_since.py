"""A call that a guard of the tower's refuses and asks about waits for that approval: it is no failed command."""

from typing import Any

import pytest

from apps.core import actor
from apps.odoo import errors
from apps.odoo.guards import ASKED
from apps.outbox import dispatch, enqueue
from apps.outbox.models import Command
from apps.workflows.declare import OdooCall
from tests.world import World

CONFIRM = OdooCall(title="Confirm the order", method="action_confirm", expect=[["state", "=", "sale"]])
NOTE = OdooCall(title="Write", method="write", arguments={"vals": {"note": "x"}})


class Odoo:
    """An Odoo that refuses to confirm with ``said``, and where ``kinds`` are asked for."""

    def __init__(self, said: str, kinds: list[str]) -> None:
        self.said, self.kinds = said, kinds

    def connect(self, _: Any) -> "Odoo":
        return self

    def search_count(self, *_: Any, **__: Any) -> int:
        return 0

    def search_read(self, model: str, domain: list[Any], *_: Any, **__: Any) -> list[dict[str, Any]]:
        if model != "x_ct_request":
            return [{"id": 42}]
        assert domain == [["x_res_model", "=", "sale.order"], ["x_res_id", "=", 42], ["x_state", "=", "open"]]
        return [{"id": 900 + number, "x_kind": kind} for number, kind in enumerate(self.kinds)]

    def call(self, _: str, method: str, *__: Any, **___: Any) -> bool:
        if method == "action_confirm":
            raise errors.RefusedError("main", "sale.order.action_confirm", self.said)
        return True


@pytest.mark.parametrize(
    ("said", "kinds", "status"),
    [
        (f"Above the limit.\n{ASKED}", ["credit_override"], "cancelled"),
        (f"Above the limit.\n{ASKED}", [], "refused"),
        ("The approval was rejected: no", ["credit_override"], "refused"),
        ("Fill in the warehouse.", ["credit_override"], "refused"),
    ],
)
def test_what_another_guard_asks_about_waits_for_that_approval(
    world: World, monkeypatch: pytest.MonkeyPatch, said: str, kinds: list[str], status: str
) -> None:
    monkeypatch.setattr(dispatch.wire, "connect", Odoo(said, kinds).connect)
    confirm, write = enqueue.commands(
        [CONFIRM, NOTE],
        connection=world.connection,
        model="sale.order",
        odoo_id=42,
        context={},
        decision="approval:1",
        by=actor.system("test"),
        now=world.now,
    )
    dispatch.run(Command.objects.get(pk=confirm.pk), clock=lambda: world.now)
    confirm.refresh_from_db()
    write.refresh_from_db()
    assert confirm.status == status
    assert ("Credit override" in confirm.told_problem) == (status == "cancelled")
    # What is said of the decision goes on; what rests on a refusal does not.
    assert write.status == ("queued" if status == "cancelled" else "cancelled")
