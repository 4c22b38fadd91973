"""What the catalogue needs inside Odoo, put together from what each workflow declares."""

from functools import partial

from apps.odoo import guards
from apps.odoo.blueprint import Blueprint, ContextAction, GuardRule, HookRule, Item, ScheduledAction
from apps.odoo.models import Connection
from apps.workflows import registry
from apps.workflows.declare import Guard

HEARTBEAT_MINUTES = 5


def of_catalogue() -> Blueprint:
    """Everything that the tower wants to stand in an Odoo."""
    items: list[Item] = [guards.ASK_MODEL, guards.HEARTBEAT_MODEL]
    watched: dict[str, set[str]] = {}
    for workflow in registry.workflows().values():
        for model, names in workflow.hooks.items():
            watched.setdefault(model, set()).update(names)
    if any(workflow.odoo_model == "sale.order" and workflow.guards for workflow in registry.workflows().values()):
        items += guards.SALE_HOLD_FIELDS
    for workflow in registry.workflows().values():
        for guard in workflow.guards:
            kind = workflow.approval(guard.approval)
            items.append(
                GuardRule(
                    name=f"{kind.title} guard", model=workflow.odoo_model, state_field="state",
                    state_value=guard.state_value, code=partial(_guard_code, guard),
                )
            )  # fmt: skip
            items.append(
                ContextAction(
                    name="Ask for approval in Control Tower", model=workflow.odoo_model, code=guards.ask_code(kind.name)
                )
            )
    items.append(guards.SALE_HOLD_BANNER)
    for model, fields in sorted(watched.items()):
        items.append(HookRule(model=model, watch=sorted(fields)))
        items.append(HookRule(model=model, trigger="on_unlink"))
    items.append(HookRule(model=guards.ASK))
    items.append(HookRule(model=guards.HEARTBEAT))
    items.append(
        ScheduledAction(
            name="heartbeat", model=guards.HEARTBEAT, code=guards.HEARTBEAT_CODE, interval_minutes=HEARTBEAT_MINUTES
        )
    )
    return Blueprint(tuple(items))


def _guard_code(guard: Guard, connection: Connection) -> str:
    return guards.guard_code(guard.approval, guard.condition, connection=connection)
