"""Exceptions of any type over a record of the mirror, and what their type offers to do."""

from typing import Any

from apps.accounts.models import Team, User
from apps.exceptions.cases import actions, applying
from apps.exceptions.models import ExceptionCase, Status
from apps.outbox.models import Command
from tests.world import World


def case_of(world: World, kind: str, model: str, odoo_id: int, **more: Any) -> ExceptionCase:
    """The open exception of that type over the record; one is made where the pipeline has opened none."""
    of_it = {"type": kind, "model": model, "odoo_id": odoo_id, "cause": more.get("cause", "")}
    if there := ExceptionCase.objects.filter(connection=world.connection, **of_it).exclude(status=Status.RESOLVED).first():
        return there
    team, _ = Team.objects.get_or_create(slug="sales", defaults={"name": "Sales"})
    values = {
        "workflow": kind.split(".")[0],
        "record_name": f"{model} {odoo_id}",
        "severity": 2,
        "team": team,
        "company_id": 1,
        "opened_at": world.now,
        "updated_at": world.now,
    }
    return ExceptionCase.objects.create(connection=world.connection, **values | of_it | more)


def offered(world: World, case: ExceptionCase) -> dict[str, dict[str, str]]:
    """What is offered now: the sentence of each option by its key, by the action's name."""
    found = actions.offered(case, now=world.now)
    return {offer.action.name: {option.key: option.text for option in offer.options} for offer in found}


def apply(world: World, case: ExceptionCase, action: str, option: str = "", **more: Any) -> list[Command]:
    """Olga applies the option, the first where none is named; what Odoo is told."""
    key = option or next(iter(offered(world, case)[action]))
    olga = User.objects.get(username="olga")
    applying.apply(case.pk, action=action, option=key, by=olga, now=world.now, **{"is_confirmed": True} | more)
    return list(Command.objects.filter(decision=actions.decision_of(case, action, key)).order_by("sequence"))
