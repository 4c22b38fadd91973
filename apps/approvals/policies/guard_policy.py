"""What Odoo's guards go by, of what is set in the tower: the rule by which records count together, and the parameters.

It stands in rows of the tower's own model there, which the guards read in the transaction that they judge. :func:`publish` writes
it as commands of the outbox, wherever another stands there; :func:`outdated` says where it is not there yet.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from apps.approvals.models import Policy
from apps.approvals.policies import cumulation
from apps.core import actor
from apps.mirror.models.x_ct_request import ApprovalAsk
from apps.odoo.guards import ASK, PARAMETERS, POLICY_ROW, TOGETHER
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.workflows import parameter_values, registry
from apps.workflows.declare import OdooCall

# What the guard reads where nothing is set.
NOTHING = "null"


def _tell(title: str) -> OdooCall:
    return OdooCall(title=title, method="write", arguments={"vals": {"x_terms": "{rule}"}}, expect=[["x_terms", "=", "{rule}"]])


TELL_RULE = _tell(gettext_noop("Update Odoo's guard to the policy's combined amount"))
TELL_PARAMETERS = _tell(gettext_noop("Have Odoo's guards go by the limits that are set"))


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A row of one Odoo that does not say what it is to say.

    Attributes:
        kind: the approval kind whose rule it is, or ``parameters``.
        odoo_id: the row; None where there is none: what was set up there is of an older version.
    """

    connection_id: int
    kind: str
    odoo_id: int | None
    wanted: str
    version: int


def outdated(connection_id: int | None = None) -> Iterator[Difference]:
    """Return where guards in Odoo go by something else than what is set here; of one connection, or of all."""
    rules = _rules()
    kinds = {kind for _, kind in rules}
    rows = ApprovalAsk.objects.filter(x_res_model=POLICY_ROW, deleted_at=None, x_kind__in=[*kinds, PARAMETERS])
    numbers = _numbers()
    connections = Connection.objects.filter(is_active=True).order_by("pk")
    if connection_id is not None:
        rows, connections = rows.filter(connection_id=connection_id), connections.filter(pk=connection_id)
    told = set()
    for place, odoo_id, kind, standing in rows.order_by("connection_id", "odoo_id").values_list(
        "connection_id", "odoo_id", "x_kind", "x_terms"
    ):
        wanted, version = (
            (_text(numbers.get(place, numbers[None])), 0)
            if kind == PARAMETERS
            else (rules.get((place, kind)) or rules.get((None, kind)) or (NOTHING, 0))
        )
        told.add((place, kind))
        if wanted != (standing or NOTHING):
            yield Difference(connection_id=place, kind=kind, odoo_id=odoo_id, wanted=wanted, version=version)
    for connection in connections:
        wanted = _text(numbers.get(connection.pk, numbers[None]))
        if connection.is_provisioned and wanted != NOTHING and (connection.pk, PARAMETERS) not in told:
            yield Difference(connection_id=connection.pk, kind=PARAMETERS, odoo_id=None, wanted=wanted, version=0)


def _rules() -> dict[tuple[int | None, str], tuple[str, int]]:
    """Return the rule of each approval kind with its policy's version: a connection's own, and everybody's under None."""
    found = {}
    for one in Policy.objects.filter(is_active=True, company_id=None, kind__in=registry.approval_kinds()):
        rule = cumulation.rule_of(one.rules)
        found[one.connection_id, one.kind] = (rule.text() if rule else NOTHING, one.version)
    return found


def _numbers() -> dict[int | None, dict[str, dict[str, Any]]]:
    """Return what is set of the parameters, and the rules that are a company's own, by connection."""
    found: dict[int | None, dict[str, dict[str, Any]]] = dict(parameter_values.for_guards())
    of_companies = Policy.objects.filter(is_active=True, kind__in=registry.approval_kinds()).exclude(company_id=None)
    for one in of_companies.order_by("pk"):
        rule = cumulation.rule_of(one.rules)
        own = found.setdefault(one.connection_id, dict(found[None]))
        own.setdefault(f"{TOGETHER}{one.kind}", {})[str(one.company_id)] = json.loads(rule.text()) if rule else None
    return found


def _text(numbers: dict[str, dict[str, Any]]) -> str:
    return json.dumps(numbers, sort_keys=True) if numbers else NOTHING


@transaction.atomic
def publish(*, now: datetime) -> list[Command]:
    """Write what is set where Odoo's guards read it, wherever another stands there; the commands that do it."""
    made = []
    for one in outdated():
        if one.odoo_id is None or is_on_its_way(one):
            continue
        made += enqueue.commands(
            [TELL_PARAMETERS if one.kind == PARAMETERS else TELL_RULE],
            connection=Connection.objects.get(pk=one.connection_id),
            model=ASK,
            odoo_id=one.odoo_id,
            context={"rule": one.wanted},
            decision=_decision(one),
            by=actor.system("approvals"),
            now=now,
        )
    return made


def _decision(one: Difference) -> str:
    return "parameters" if one.kind == PARAMETERS else f"policy:{one.kind}:{one.version}"


def is_on_its_way(one: Difference) -> bool:
    """Return True if a command that puts it right waits or is being carried out."""
    if one.odoo_id is None:
        return False
    lane = enqueue.lane_of(one.connection_id, ASK, one.odoo_id)
    waiting = Command.objects.filter(lane=lane, status__in=[CommandStatus.QUEUED, CommandStatus.UNKNOWN])
    last = waiting.order_by("-sequence").first()
    return last is not None and last.arguments["vals"]["x_terms"] == one.wanted


def problems(connection_id: int | None = None) -> dict[int, list[str]]:
    """Return where guards go by something else than what is set and no command is on its way: why, and what to do."""
    found: dict[int, list[str]] = {}
    names = dict(Connection.objects.values_list("pk", "name"))
    for one in outdated(connection_id):
        if is_on_its_way(one):
            continue
        if one.odoo_id is None:
            told = gettext(
                "What was set up in %(name)s is of an older version: its guards know the declared limits alone. "
                "Run manage.py provision_odoo %(name)s."
            )
        elif one.kind == PARAMETERS:
            told = gettext("The guards of %(name)s go by other limits than those set here; they are told again within a minute.")
        else:
            told = gettext(
                "The guard of %(name)s for %(kind)s combines amounts by another rule than its policy."
                " It is updated within a minute."
            )
        found.setdefault(one.connection_id, []).append(told % {"name": names[one.connection_id], "kind": one.kind})
    return found
