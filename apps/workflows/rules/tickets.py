"""Ways to settle a ticket: close it, or have it wait for the customer."""

from apps.core import statements
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.sql_message import say

COLUMNS = ["stage_id", "stage_name", "old_stage_id", "customer_name", "ticket_name"]
# Neither helpdesk marks a stage as one of waiting: it is called so, in English.
IS_CALLED_WAITING = "s.name ~* '(wait|hold|pending)'"

MOVE = OdooCall(
    title="Move {ticket_name} to {stage_name}",
    method="write",
    arguments={"vals": {"stage_id": "{stage_id:number}"}},
    require=[["stage_id", "=", "{old_stage_id:number}"]],
    expect=[["stage_id", "=", "{stage_id:number}"]],
)

BACK = OdooCall(
    title="Move {ticket_name} back",
    method="write",
    arguments={"vals": {"stage_id": "{old_stage_id:number}"}},
    require=[["stage_id", "=", "{stage_id:number}"]],
    expect=[["stage_id", "=", "{old_stage_id:number}"]],
)

CLOSE = SuggestedAction(
    name="close_ticket",
    title="Close the ticket",
    asks="{customer_name} has been answered, and {ticket_name} is closed",
    columns=COLUMNS,
    sql=statements.load(
        __file__,
        "tickets",
        text=say("Close it as {stage}", stage="s.name"),
        oca="s.closed",
        enterprise="s.fold",
    ),
    calls=[MOVE],
    undo=[BACK],
)

WAIT = SuggestedAction(
    name="wait_for_customer",
    title="Wait for the customer",
    columns=COLUMNS,
    sql=statements.load(
        __file__,
        "tickets",
        text=say("Move it to {stage}, where its SLA does not count", stage="s.name"),
        oca=f"s.closed IS NOT TRUE AND {IS_CALLED_WAITING}",
        enterprise=f"s.fold IS NOT TRUE AND {IS_CALLED_WAITING}",
    ),
    calls=[MOVE],
    undo=[BACK],
)
