"""Bringing the queue in line with incidents of the integration, which are found as states and not by a workflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from apps.accounts.models import Role
from apps.core import sentences
from apps.exceptions.cases import case_reconcile
from apps.exceptions.cases import owners as owners_of
from apps.exceptions.integration import CONNECTION, TEAM, TYPES, WORKFLOW
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.timers import sla
from apps.workflows import parameter_catalogue, parameter_values

type IncidentKey = tuple[int, str, int, str, str]

# Who looks after an incident of the integration, the first of them that there is.
WORKED_BY: tuple[tuple[str, ...], ...] = ((Role.INTEGRATOR,), (Role.OPERATOR, Role.MANAGER), (Role.ADMIN,))


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that is wrong now.

    Attributes:
        model, odoo_id: the record of Odoo that it is of; ``connection`` and its number where it is of none.
        cause: tells two incidents of one type and record apart.
        since: when it came to be, or last became worse. A person who resolved it after that is not asked again.
        evidence: the figures that it rests on, by the names that the type declares.
    """

    kind: str
    connection_id: int
    name: str
    severity: Severity
    since: datetime
    evidence: Mapping[str, Any]
    model: str = CONNECTION
    odoo_id: int = 0
    company_id: int | None = None
    cause: str = ""

    @property
    def key(self) -> IncidentKey:
        """What tells it from every other."""
        return self.connection_id, self.model, self.odoo_id or self.connection_id, self.kind, self.cause[:120]


def reconcile(incidents: Sequence[Incident], *, now: datetime) -> list[ExceptionCase]:
    """Open, bring up to date and close the integration's exceptions, in the caller's transaction; those that were opened.

    ``incidents`` are all there are: what is open and not among them is well again. The caller makes sure that nobody else
    does the same at the same time.
    """
    found = {incident.key: incident for incident in incidents}
    standing = {
        _key(case): case
        for case in ExceptionCase.objects.select_for_update().filter(type__in=TYPES).exclude(status=Status.RESOLVED).order_by("id")
    }
    fresh = [incident for key, incident in found.items() if key not in standing]
    settled = _resolved_by_hand(fresh)
    opened = _open([one for one in fresh if one.key not in settled or settled[one.key] < one.since], now)
    _update([(case, found[key]) for key, case in standing.items() if key in found], now)
    gone = [case for key, case in standing.items() if key not in found]
    case_reconcile.close(gone, {case.pk: TYPES[case.type].closed_because for case in gone}, now)
    return opened


def _key(case: ExceptionCase) -> IncidentKey:
    return case.connection_id, case.model, case.odoo_id, case.type, case.cause


def _resolved_by_hand(incidents: Sequence[Incident]) -> dict[IncidentKey, datetime]:
    """When a person last resolved such a one, however they ended it; what closed itself does not count."""
    if not incidents:
        return {}
    # Of what ended before that was stored, the words tell.
    by_itself = Q(closed_itself=True)
    for kind in {incident.kind for incident in incidents}:
        by_itself |= Q(type=kind, closed_itself=None, resolution__in=sentences.wordings_of(TYPES[kind].closed_because))
    cases = ExceptionCase.objects.filter(
        type__in={incident.kind for incident in incidents},
        model__in={incident.model for incident in incidents},
        odoo_id__in={incident.key[2] for incident in incidents},
        status=Status.RESOLVED,
    ).exclude(by_itself)
    return {_key(case): case.resolved_at for case in cases.order_by("resolved_at") if case.resolved_at}


def _open(incidents: Sequence[Incident], now: datetime) -> list[ExceptionCase]:
    if not incidents:
        return []
    team = owners_of.teams({TEAM})[TEAM]
    within = _slas(incidents)
    deadlines = {due: sla.due_after(due, start=now, team=team) for due in set(within.values())}
    owners: dict[int, owners_of.Owners] = {}
    cases = []
    for incident in incidents:
        connection_id, model, odoo_id, kind, cause = incident.key
        if connection_id not in owners:
            owners[connection_id] = owners_of.Owners(team, connection_id, by_role=WORKED_BY, or_anybody=True)
        cases.append(
            ExceptionCase(
                connection_id=connection_id,
                type=kind,
                workflow=WORKFLOW,
                model=model,
                odoo_id=odoo_id,
                cause=cause,
                company_id=incident.company_id,
                record_name=incident.name,
                severity=incident.severity,
                team=team,
                owner=owners[connection_id].next(incident.company_id),
                opened_at=now,
                due_at=deadlines[within[incident.key]],
                evidence=_evidence(incident),
                updated_at=now,
            )
        )
    case_reconcile.store(cases, now)
    case_reconcile.tell_owners(cases, {name: kind.title for name, kind in TYPES.items()}, now)
    return cases


def _slas(incidents: Sequence[Incident]) -> dict[IncidentKey, timedelta]:
    """Return the SLA of each incident: its company's own, or else its connection's, everybody's, or the one declared."""
    kinds = {incident.kind: parameter_catalogue.due_of(incident.kind, TYPES[incident.kind].due) for incident in incidents}
    numbers = parameter_values.current_numbers([one.name for one in kinds.values()])
    found = {}
    for incident in incidents:
        parameter = kinds[incident.kind]
        places = ((incident.connection_id, incident.company_id), (incident.connection_id, None), (None, None))
        set_there = (numbers[parameter.name, *place] for place in places if (parameter.name, *place) in numbers)
        found[incident.key] = timedelta(hours=float(next(set_there, parameter.default)))
    return found


def _update(standing: Sequence[tuple[ExceptionCase, Incident]], now: datetime) -> None:
    changed = []
    for case, incident in standing:
        said = (_evidence(incident), incident.severity, incident.name)
        if (case.evidence, case.severity, case.record_name) != said:
            case.evidence, case.severity, case.record_name = said
            case.updated_at, case.version = now, case.version + 1
            changed.append(case)
    case_reconcile.rewrite(changed, ["evidence", "severity", "record_name"])


def _evidence(incident: Incident) -> dict[str, Any]:
    return {name: case_reconcile.plain(incident.evidence.get(name)) for name in TYPES[incident.kind].evidence}
