"""Commands that tests give a real Odoo, and the outbox that carries them out."""

import time

from apps.core import clock
from apps.outbox import dispatch
from apps.outbox.models import Command
from apps.workflows.declare import OdooCall

CONFIRM = OdooCall(
    title="Confirm the order",
    method="action_confirm",
    require=[["state", "in", ["draft", "sent"]]],
    expect=[["state", "=", "sale"]],
)
NOTE = OdooCall(title="Leave a note", method="message_post", arguments={"body": "Exactly one of me."})
ACTIVITY = OdooCall(
    title="Create an activity",
    method="create",
    model="mail.activity",
    arguments={
        "vals_list": [
            {
                "res_model_id": "{model:ref}",
                "res_id": "{odoo_id:number}",
                "user_id": "{uid:number}",
                "summary": "Exactly one of me",
                "note": "",
            }
        ]
    },
)


def carried_out() -> None:
    """All that Odoo is to be told has been told, and is seen there: what Odoo could not take at once is tried again."""
    deadline = time.monotonic() + 60
    while Command.objects.filter(status__in=dispatch.WAITING).update(not_before=clock.now()) and time.monotonic() < deadline:
        dispatch.run_due(clock=clock.now)
    stuck = list(Command.objects.exclude(status__in=["done", "cancelled"]).values_list("title", "status", "problem"))
    assert stuck == [], stuck
