"""Raising and closing exceptions from what an evaluation found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.models import User
from apps.audit import trail
from apps.core import actor, live
from apps.core.currencies import MOST_DIGITS
from apps.core.figures import units_of
from apps.core.words import money
from apps.exceptions import resolutions
from apps.exceptions.cases import cause_groups
from apps.exceptions.cases import owners as owners_of
from apps.exceptions.models import CauseGroup, ExceptionCase, Severity, Status
from apps.exceptions.odoo_activities import posting as odoo_activities
from apps.exceptions.transitions import transitions_of
from apps.notifications.notify import Message, notify
from apps.timers import due, sla
from apps.timers.models import Timer
from apps.workflows import parameter_catalogue, parameter_values, parameters, severity_boost
from apps.workflows.declare import ExceptionType
from apps.workflows.engine import Evaluation, Finding
from apps.workflows.models import Position

MACHINE = actor.system("pipeline")


# A currency's code has three letters; one that somebody made up is cut.
LONGEST_CURRENCY = 10
# A promise for the year 9999 is none that can be counted with.
EARLIEST, LATEST = datetime(100, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
# Beyond this many of one batch an owner gets one message for all: a first read must not fill a mailbox.
TOLD_SINGLY = 5


def reconcile(evaluation: Evaluation, *, now: datetime) -> list[ExceptionCase]:
    """Bring the queue in line with one evaluation, in the caller's transaction; the exceptions that were opened.

    1. Open an exception for each finding that has none, with owner, SLA and evidence.
    2. Bring those that are open up to date, in place.
    3. Close those of the evaluated records whose condition no longer holds, saying why.
    4. Put those that one record has caused together, and tell their owners.
    5. Tell Odoo, where its people are to see it.
    """
    types = {kind.name: kind for kind in evaluation.workflow.exceptions}
    if not types:
        return []
    standing = {
        (case.odoo_id, case.type, case.cause): case
        for case in ExceptionCase.objects.select_for_update()
        .filter(
            connection_id=evaluation.connection_id,
            model=evaluation.workflow.odoo_model,
            odoo_id__in=evaluation.evaluated,
            type__in=types,
        )
        .exclude(status=Status.RESOLVED)
        .order_by("id")
    }
    found = {(finding.odoo_id, finding.kind.name, cause_of(finding)): finding for finding in evaluation.exceptions}
    stages = _stages({key[0] for key in found}, evaluation)
    opened = _open([finding for key, finding in found.items() if key not in standing], evaluation, stages, now)
    changed = _update([(case, found[key]) for key, case in standing.items() if key in found], evaluation, stages, now)
    gone = [case for key, case in standing.items() if key not in found]
    vanished = set(evaluation.vanished)
    close(
        gone, {case.pk: resolutions.DELETED if case.odoo_id in vanished else types[case.type].closed_because for case in gone}, now
    )
    touched = [*opened, *changed, *gone]
    cause_groups.follow(touched, now=now)
    tell_owners(opened, {kind.name: kind.title for kind in evaluation.workflow.exceptions}, now)
    odoo_activities.sync(touched, now=now, quiet={case.pk for case in touched if case.odoo_id in evaluation.unchanged})
    return opened


def cause_of(finding: Finding) -> str:
    """What tells this deviation from another of the same type on the same record."""
    cause = finding.kind.cause
    return str(finding.columns[cause]) if cause else ""


def team_of(finding: Finding) -> str:
    """The slug of the team that owns it."""
    kind = finding.kind
    assert isinstance(kind, ExceptionType)
    return str(finding.columns[kind.team_column] or kind.team) if kind.team_column else kind.team


def evidence_of(finding: Finding) -> dict[str, Any]:
    """The numbers that the exception rests on, under their column names. Money is text, so that no digit is lost;
    what is said in words stays a sentence until somebody reads it."""
    kind = finding.kind
    assert isinstance(kind, ExceptionType)
    # What is not always there is kept only where it is.
    found = {severity_boost.REASONS, *units_of(kind.evidence)}
    names = [*kind.evidence, *sorted(units_of(kind.evidence) - set(kind.evidence))]
    return {name: plain(finding.columns[name]) for name in names if name not in found or finding.columns[name]}


def plain(value: Any) -> Any:
    """``value`` as JSON can carry it."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def severity_of(finding: Finding) -> Severity:
    """How bad it is: by the type's own thresholds, and a step more for a promise that is due and for a key customer."""
    kind = finding.kind
    assert isinstance(kind, ExceptionType)
    value = finding.columns[kind.severity[0]] or 0
    settings = finding.columns.get(parameters.VALUES)
    thresholds = parameter_catalogue.thresholds_of(kind)
    by_money = 1 + sum(value >= parameter_values.effective(settings, one.name, one.default) for one in thresholds)
    return Severity(min(by_money + (finding.columns.get(severity_boost.STEPS) or 0), Severity.CRITICAL))


def _due_of(finding: Finding) -> timedelta:
    """The SLA of the type, as it is set for the record's company."""
    assert isinstance(finding.kind, ExceptionType)
    due = parameter_catalogue.due_of(finding.kind.name, finding.kind.due)
    hours = parameter_values.effective(finding.columns.get(parameters.VALUES), due.name, due.default)
    return timedelta(hours=float(hours))


def _amount(finding: Finding) -> Decimal | None:
    """The sum at risk, with as many decimals as a currency may have."""
    assert isinstance(finding.kind, ExceptionType)
    value = finding.columns[finding.kind.amount]
    return None if value is None else round(value, MOST_DIGITS)


def _stages(odoo_ids: set[int], evaluation: Evaluation) -> dict[int, str]:
    """Where the records stand now."""
    here = Position.objects.filter(connection_id=evaluation.connection_id, workflow=evaluation.workflow.name)
    return dict(here.filter(odoo_id__in=odoo_ids).values_list("odoo_id", "stage")) if odoo_ids else {}


def _promise(finding: Finding, evaluation: Evaluation) -> datetime | None:
    """The moment that was promised for the record, where its workflow names one."""
    promised: datetime | None = finding.columns[evaluation.workflow.promise] if evaluation.workflow.promise else None
    return min(max(promised, EARLIEST), LATEST) if promised else None


def _open(findings: Sequence[Finding], evaluation: Evaluation, stages: Mapping[int, str], now: datetime) -> list[ExceptionCase]:
    if not findings:
        return []
    owning = owners_of.teams({team_of(finding) for finding in findings})
    owners = {slug: owners_of.Owners(team, evaluation.connection_id) for slug, team in owning.items()}
    deadlines: dict[tuple[str, str, timedelta], datetime] = {}
    cases = []
    for finding in findings:
        kind = finding.kind
        assert isinstance(kind, ExceptionType)
        team = team_of(finding)
        within = _due_of(finding)
        if (kind.name, team, within) not in deadlines:
            deadlines[kind.name, team, within] = sla.due_after(within, start=now, team=owning[team])
        cases.append(
            ExceptionCase(
                connection_id=evaluation.connection_id,
                type=kind.name,
                workflow=evaluation.workflow.name,
                model=evaluation.workflow.odoo_model,
                odoo_id=finding.odoo_id,
                company_id=finding.columns["company_id"],
                cause=cause_of(finding),
                record_name=finding.name,
                partner_name=finding.columns["partner_name"] or "",
                severity=severity_of(finding),
                team=owning[team],
                owner=owners[team].next(finding.columns["company_id"]),
                amount=_amount(finding),
                currency=(finding.columns[evaluation.workflow.currency] or "")[:LONGEST_CURRENCY],
                opened_at=now,
                due_at=deadlines[kind.name, team, within],
                evidence=evidence_of(finding),
                updated_at=now,
                stage=stages.get(finding.odoo_id, ""),
                promised_at=_promise(finding, evaluation),
                **cause_groups.roots_of(kind.root_causes, finding.columns),
            )
        )
    store(cases, now)
    return cases


def store(cases: Sequence[ExceptionCase], now: datetime) -> None:
    """Put new ``cases`` into the queue, in the caller's transaction, with the timers of their SLAs."""
    for case in cases:
        case.owned_at = now if case.owner_id else None
    ExceptionCase.objects.bulk_create(cases)
    Timer.objects.bulk_create(
        [
            Timer(kind="exceptions.breach", key=f"exception:{case.id}", due_at=case.due_at, created_at=now)
            for case in cases
            if case.due_at
        ],
        ignore_conflicts=True,
    )
    trail.record_all(
        [
            trail.Event(
                action="exception.opened",
                actor=MACHINE,
                subject=f"exception:{case.id}",
                data={
                    "type": case.type,
                    "record": case.record_name,
                    "owner": str(case.owner or ""),
                    "evidence": case.plain_evidence,
                },
                about=(case.connection_id, case.company_id),
            )
            for case in cases
        ],
        now=now,
    )
    live.announce(["queue"])


def _cause_title(group: CauseGroup) -> str:
    return f"{group.title}: {', '.join(filter(None, [group.name, group.about]))}"


def _cause_body(group: CauseGroup) -> str:
    count = gettext("%(n)s exceptions have this cause.") % {"n": group.cases_count}
    at_risk = gettext("%(amount)s at risk.") % {"amount": money(group.amount, group.currency)} if group.amount is not None else ""
    return " ".join(filter(None, [count, at_risk]))


def _many_title(own: Sequence[ExceptionCase]) -> str:
    return gettext("%(n)s exceptions assigned to you") % {"n": len(own)}


def _many_body(counts: Counter[str]) -> str:
    return ", ".join(f"{gettext(title)}: {count}" for title, count in counts.most_common()) + "."


def _one_title(title: str, case: ExceptionCase, access_scope: access.AccessScope) -> str:
    return f"{gettext(title)}: {case.about(access_scope)}"


def _one_body(case: ExceptionCase) -> str:
    return gettext("%(amount)s at risk.") % {"amount": money(case.amount, case.currency)} if case.amount is not None else ""


def tell_owners(cases: Sequence[ExceptionCase], titles: Mapping[str, str], now: datetime) -> None:
    """Tell each owner what is theirs now: one message a cause, however many wait for it; else one an exception, or one for all
    where a batch brought many."""
    joined = ExceptionCase.objects.filter(pk__in=[case.pk for case in cases], is_grouped=True)
    grouped = {row.pk: row for row in joined.select_related("owner", "group__owner")}
    by_cause: dict[tuple[User, int], CauseGroup] = {}
    by_owner: dict[tuple[User, int, int | None], list[ExceptionCase]] = {}
    for case in cases:
        row = grouped.get(case.pk)
        if row is not None and row.group is not None:
            # Whoever was given the cause owns what joins it.
            by_cause |= {(person, row.group.pk): row.group for person in (row.owner, row.group.owner) if person}
        elif case.owner:
            by_owner.setdefault((case.owner, case.connection_id, case.company_id), []).append(case)
    for (owner, _), group in by_cause.items():
        # By its number alone: what comes to wait for the same record later is no news.
        message = Message(
            kind="exception.opened",
            key=f"cause-group:{group.pk}:opened",
            about=(group.connection_id, group.company_id),
            title=partial(_cause_title, group),
            body=partial(_cause_body, group),
            path=f"/exceptions/causes/{group.pk}/",
        )
        notify(message, people=[owner], now=now)
    for (owner, connection_id, company_id), own in by_owner.items():
        if len(own) > TOLD_SINGLY:
            counts = Counter(titles[case.type] for case in own)
            message = Message(
                kind="exception.opened",
                key=f"exceptions:{own[0].id}-{own[-1].id}:opened",
                about=(connection_id, company_id),
                title=partial(_many_title, own),
                body=partial(_many_body, counts),
                path="/exceptions/?owner=me",
            )
            notify(message, people=[owner], now=now)
            continue
        for case in own:
            message = Message(
                kind="exception.opened",
                key=f"exception:{case.id}:opened",
                about=(connection_id, company_id),
                title=partial(_one_title, titles[case.type], case, access.scope_of(owner)),
                body=partial(_one_body, case),
                path=f"/exceptions/{case.id}/",
            )
            notify(message, people=[owner], now=now)


def _update(
    standing: Sequence[tuple[ExceptionCase, Finding]], evaluation: Evaluation, stages: Mapping[int, str], now: datetime
) -> list[ExceptionCase]:
    changed = []
    for case, finding in standing:
        kind = finding.kind
        assert isinstance(kind, ExceptionType)
        values = {
            "evidence": evidence_of(finding),
            "amount": _amount(finding),
            "record_name": finding.name,
            "company_id": finding.columns["company_id"],
            "stage": stages.get(finding.odoo_id, case.stage),
            "promised_at": _promise(finding, evaluation),
            "severity": severity_of(finding),
            **cause_groups.roots_of(kind.root_causes, finding.columns),
        }
        if all(getattr(case, name) == value for name, value in values.items()):
            continue
        for name, value in values.items():
            setattr(case, name, value)
        case.updated_at, case.version = now, case.version + 1
        changed.append(case)
    kept = ["evidence", "amount", "record_name", "company_id", "stage", "promised_at", "severity"]
    rewrite(changed, [*kept, *cause_groups.ROOTS])
    return changed


def rewrite(cases: Sequence[ExceptionCase], fields: Sequence[str]) -> None:
    """Keep what changed about ``cases``, whose version and time of change the caller has moved on."""
    if cases:
        ExceptionCase.objects.bulk_update(cases, [*fields, "updated_at", "version"])
        live.announce(["queue"])


def close(cases: Sequence[ExceptionCase], because: Mapping[int, str], now: datetime) -> None:
    """Close ``cases`` whose condition is gone, saying why of each by its number, in the caller's transaction."""
    if not cases:
        return
    for case in cases:
        transitions_of(case).make("close", case)
        case.resolved_at, case.updated_at, case.version = now, now, case.version + 1
        case.resolution, case.snoozed_until, case.closed_itself = because[case.pk], None, True
    ended = ["status", "resolved_at", "resolution", "closed_itself", "snoozed_until", "updated_at", "version"]
    ExceptionCase.objects.bulk_update(cases, ended)
    keys = [f"exception:{case.id}" for case in cases]
    due.cancel(kind="exceptions.breach", keys=keys)
    due.cancel(kind="exceptions.wake", keys=keys)
    trail.record_all(
        [
            trail.Event(
                action="exception.closed",
                actor=MACHINE,
                subject=f"exception:{case.id}",
                data={"resolution": case.resolution},
                about=(case.connection_id, case.company_id),
            )
            for case in cases
        ],
        now=now,
    )
    live.announce(["queue"])
