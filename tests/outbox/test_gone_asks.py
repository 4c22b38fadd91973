"""An ask that somebody deleted in Odoo: its answer can be given to nobody, and holds nothing of the decision up."""

from typing import Any

import pytest

from apps.core import actor
from apps.odoo import errors
from apps.outbox import dispatch, enqueue
from apps.outbox.models import Command
from apps.workflows import guard_requests
from apps.workflows.declare import OdooCall
from tests.world import World

NOTE = OdooCall(title="Write", method="write", arguments={"vals": {"note": "x"}})


class Odoo:
    """An Odoo without the ask, or one that loses it between looking and writing."""

    def __init__(self, *, is_late: bool) -> None:
        self.is_late, self.called = is_late, list[str]()

    def connect(self, _: Any) -> "Odoo":
        return self

    def search_count(self, *_: Any, **__: Any) -> int:
        return 0

    def search_read(self, model: str, domain: list[Any], *_: Any, **__: Any) -> list[dict[str, Any]]:
        is_there = model != "x_ct_request" or self.is_late
        return [{"id": domain[0][2]}] if is_there else []

    def call(self, model: str, *_: Any, **__: Any) -> bool:
        self.called.append(model)
        if model == "x_ct_request":
            raise errors.MissingRecordError("main", "x_ct_request.write", "Record does not exist or has been deleted.")
        return True


@pytest.mark.parametrize("is_late", [False, True])
def test_what_follows_the_answer_on_an_ask_that_is_gone_is_carried_out(
    world: World, monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    odoo = Odoo(is_late=is_late)
    monkeypatch.setattr(dispatch.wire, "connect", odoo.connect)
    answer, write = enqueue.commands(
        [guard_requests.answer("approved"), NOTE],
        connection=world.connection,
        model="sale.order",
        odoo_id=42,
        context={"ask_id": 900, "reason": ""},
        decision="approval:1",
        by=actor.system("test"),
        now=world.now,
    )
    for command in (answer, write):
        command.refresh_from_db()
        dispatch.run(command, clock=lambda: world.now)
    answer.refresh_from_db()
    write.refresh_from_db()
    assert (answer.status, answer.problem) == ("cancelled", dispatch.ENDED_THERE)
    assert odoo.called[-1] == "sale.order"
    assert write.sent_at is not None
    assert not Command.objects.filter(status="refused").exists()
