"""Targets of the figures: as declared in :mod:`apps.boards.boards.kpi_catalogue`, until a manager sets another."""

from datetime import datetime

from django.db import transaction

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.boards.boards.kpi import Kpi, Unit
from apps.boards.boards.kpi_catalogue import KPIS
from apps.boards.models import KpiTarget
from apps.core import live
from apps.core.refusals import Problem, Refusal

MOST = {Unit.SHARE: 1.0, Unit.SECONDS: 366 * 86_400.0, Unit.MONEY: 1e15}
BOUNDS = {
    Unit.SHARE: " is a share: its target lies above 0 % and is at most 100 %.",
    Unit.SECONDS: " is a time: its target lies above 0 and is at most a year.",
    Unit.MONEY: " is a sum: its target lies above 0 and is at most a quadrillion.",
}


class TargetRefusedError(Refusal):
    """That cannot be a target; the message says why."""

    problem = Problem(
        "target_invalid",
        422,
        "Invalid target",
        meaning="The figure does not exist, or the number cannot be its target.",
        remedy="Send a share from above 0 to 1, a time of at most a year in seconds, or a sum.",
    )


def called(name: str) -> Kpi:
    """The figure of that name. Raises TargetRefusedError."""
    found = next((kpi for kpi in KPIS if kpi.name == name), None)
    if found is None:
        raise TargetRefusedError(f"There is no figure {name}; there is {', '.join(kpi.name for kpi in KPIS)}.")
    return found


@transaction.atomic
def set_target(name: str, value: float | None, *, by: User, now: datetime) -> bool:
    """Have the figure ``name`` aim at ``value`` from now on (none: at what is declared); whether that is a change.

    Raises NotAllowedError, TargetRefusedError.
    """
    permissions.check_may_make_policy(by)
    kpi = called(name)
    if value is not None and not 0 < value <= MOST[kpi.unit]:
        raise TargetRefusedError(kpi.title + BOUNDS[kpi.unit])
    before = KpiTarget.objects.select_for_update().filter(kpi=name).values_list("value", flat=True).first()
    if value == kpi.target:
        value = None
    if value == before:
        return False
    if value is None:
        KpiTarget.objects.filter(kpi=name).delete()
    else:
        KpiTarget.objects.update_or_create(kpi=name, defaults={"value": value, "set_by": str(by), "set_at": now})
    trail.record(
        trail.Event(
            action="kpi.target_set",
            actor=by.actor,
            subject=f"kpi:{name}",
            data={"from": before if before is not None else kpi.target, "to": value if value is not None else kpi.target},
        ),
        now=now,
    )
    live.announce(["figures"])
    return True
