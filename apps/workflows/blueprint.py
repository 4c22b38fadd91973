"""What the catalogue needs inside Odoo, put together from what each workflow declares."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from apps.odoo import ask_action, guards, holds, portal
from apps.odoo.blueprint import (
    Blueprint,
    ContextAction,
    CustomField,
    CustomRow,
    GuardRule,
    HookRule,
    Item,
    ReleaseRule,
    ScheduledAction,
)
from apps.odoo.models import Connection
from apps.odoo.resources import external_id, guard_key
from apps.workflows import registry
from apps.workflows.declare import Guard, Workflow

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
                name=f"Ask for approval in Control Tower: {kind.menu or kind.title.lower()}",
                model=workflow.odoo_model,
                code=ask_action.ask_code(kind.name, *kind.requestable),
            )
            for kind in workflow.approvals
        ]
    # One row a kind, which may be about records of several models.
    cumulative = {
        kind.name for one in registry.workflows().values() for kind in one.approvals if kind.figures and kind.figures.is_cumulative
    }
    rules = [*sorted(cumulative), guards.PARAMETERS]
    items += [CustomRow(guards.ASK, {"x_res_model": guards.POLICY_ROW, "x_kind": kind}) for kind in rules]
    for model, fields in sorted(watched.items()):
        items.append(HookRule(model=model, watch=sorted(fields)))
        items.append(HookRule(model=model, trigger="on_unlink"))
    items.append(HookRule(model=guards.ASK))
    items.append(HookRule(model=guards.HEARTBEAT))
    items.append(
        ScheduledAction(name="heartbeat", model=guards.HEARTBEAT, code=guards.HEARTBEAT_CODE, interval_minutes=HEARTBEAT_MINUTES)
    )
    return Blueprint(tuple(items))


def _holds(workflow: Workflow) -> Iterable[Item]:
    """What refuses and what shows it: for each state, one rule that tries all the conditions declared for it."""
    if not workflow.guards:
        return
    yield from holds.hold_fields(workflow.odoo_model)
    yield holds.hold_banner(workflow.odoo_model, workflow.form)
    if workflow.listed:
        yield holds.hold_column(workflow.odoo_model, *workflow.listed)
    if workflow.portal:
        yield portal.portal_notice(workflow.odoo_model, workflow.portal)
    for name, label, words in dict.fromkeys(guard.release for guard in workflow.guards):
        yield CustomField(workflow.odoo_model, name, "float", label, words, tower_only=True)
        yield CustomField(
            workflow.odoo_model,
            guards.terms_field(name),
            "text",
            f"{label}: for",
            "What the release was given for, as JSON",
            tower_only=True,
        )
    checks = dict.fromkeys((one.model, one.state_value, one.subject) for one in workflow.guards)
    for number, (model, state, subject) in enumerate(checks, 1):
        declared = [one for one in workflow.guards if (one.model, one.state_value, one.subject) == (model, state, subject)]
        # Odoo tells the name of a rule that refuses to whoever is refused, be it a customer: it says nothing of what is checked.
        name, model = f"check {number} of {workflow.title.lower()}", model or workflow.odoo_model
        states = _all(one.later for one in declared)
        yield GuardRule(
            name=name,
            model=model,
            states=[state, *states],
            watch=_all(one.watch for one in declared),
            lines=_all(one.lines for one in declared),
            code=partial(_guard_code, declared, external_id(guard_key(model, name)), [state, *states], subject),
        )
    releases = list(dict.fromkeys((guard.release[0], guard.terms) for guard in workflow.guards))
    identity = _all(guard.identity for guard in workflow.guards)
    yield ReleaseRule(
        model=workflow.odoo_model,
        watch=["state", *identity, *(release for release, _ in releases)],
        code=guards.releases_code(releases, identity=identity),
    )


def _all(lists: Iterable[Iterable[Any]]) -> list[Any]:
    """What stands in ``lists``, each once and in order."""
    return list(dict.fromkeys(one for each in lists for one in each))


def _guard_code(declared: Sequence[Guard], key: str, states: Sequence[str], subject: str, connection: Connection) -> str:
    conditions = [
        guards.Condition(approval=one.approval, terms=one.terms, release=one.release[0], code=one.condition) for one in declared
    ]
    return guards.guard_code(
        conditions,
        key=key,
        states=states,
        subject=subject,
        is_judged_last=any(one.is_judged_last for one in declared),
        connection=connection,
    )
