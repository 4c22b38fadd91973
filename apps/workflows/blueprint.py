"""What the catalogue needs inside Odoo, put together from what each workflow declares."""

from collections.abc import Iterable, Sequence
from functools import partial

from apps.odoo import guards
from apps.odoo.blueprint import Blueprint, ContextAction, CustomField, GuardRule, HookRule, Item, ScheduledAction
from apps.odoo.models import Connection
from apps.workflows import registry
from apps.workflows.declare import Workflow

HEARTBEAT_MINUTES = 5


def of_catalogue() -> Blueprint:
    """Everything that the tower wants to stand in an Odoo."""
    items: list[Item] = [guards.ASK_MODEL, guards.HEARTBEAT_MODEL]
    watched: dict[str, set[str]] = {}
    for workflow in registry.workflows().values():
        for model, names in workflow.hooks.items():
            watched.setdefault(model, set()).update(names)
    for workflow in registry.workflows().values():
        items += _holds(workflow)
        items += [
            ContextAction(
                name=f"Ask for approval in Control Tower: {kind.title.lower()}", model=workflow.odoo_model,
                code=guards.ask_code(kind.name),
            )
            for kind in workflow.approvals
        ]  # fmt: skip
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


def _holds(workflow: Workflow) -> Iterable[Item]:
    """What refuses and what shows it: for each state, one rule that tries all the conditions declared for it."""
    if not workflow.guards:
        return
    yield from guards.hold_fields(workflow.odoo_model)
    yield guards.hold_banner(workflow.odoo_model, workflow.form)
    for model, state, subject in dict.fromkeys((one.model, one.state_value, one.subject) for one in workflow.guards):
        declared = [one for one in workflow.guards if (one.model, one.state_value, one.subject) == (model, state, subject)]
        for name, label, words in (guard.release for guard in declared):
            yield CustomField(workflow.odoo_model, name, "float", label, words, tower_only=True)
        conditions = [guards.Condition(approval=guard.approval, code=guard.condition) for guard in declared]
        titles = " and ".join(workflow.approval(guard.approval).title.lower() for guard in declared)
        yield GuardRule(
            name=f"{titles} guard", model=model or workflow.odoo_model, state_field="state", state_value=state,
            code=partial(_guard_code, conditions, subject),
        )  # fmt: skip


def _guard_code(conditions: Sequence[guards.Condition], subject: str, connection: Connection) -> str:
    return guards.guard_code(conditions, subject=subject, connection=connection)
