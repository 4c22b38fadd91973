"""What is set of the parameters, for everybody, a connection or one company of it: reading it, and setting it.

A value is never changed: a new version is appended, with who set it and when, and the audit trail has an entry. Setting it does
not evaluate anything; :func:`apps.pipeline.parameter_changes.apply_due` puts up what it concerns as soon as a worker hears of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext

from apps.accounts import access, permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.actor import system
from apps.core.wake import wake
from apps.odoo.models import Connection
from apps.workflows import parameter_catalogue, registry, scopes
from apps.workflows.declare import Workflow
from apps.workflows.models import ParameterValue
from apps.workflows.parameter_catalogue import Declared
from apps.workflows.parameters import SECONDS, ParameterRefusedError, plain
from apps.workflows.scopes import EVERYBODY, Scope, check_in_sight

LONGEST_NOTE = 300
REEVALUATE = "pipeline.look_again"
# One setter at a time: versions and the order of thresholds are looked up before they are written.
LOCK = 7_340_032


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A parameter as it stands in a scope.

    Attributes:
        number: what counts there.
        own: what is set there itself; None where nothing is.
        inherited: what would count there without it.
        version: of what is, or was, set there; 0 where nothing ever was.
    """

    declared: Declared
    number: Decimal
    own: Decimal | None
    inherited: Decimal
    version: int


def declared_as(name: str) -> Declared:
    """Return the parameter of that name. Raises ParameterRefusedError."""
    found = registry.parameters().get(name)
    if found is None:
        raise ParameterRefusedError(gettext("There is no parameter %(name)s.") % {"name": name[:120]})
    return found


def standing_in(scope: Scope, names: Iterable[str] | None = None) -> list[Standing]:
    """Return the parameters of those names, or all of them, as they stand in a scope."""
    known = registry.parameters()
    rows = {(row.name, row.connection_id, row.company_id): row for row in ParameterValue.objects.filter(is_current=True)}
    found = []
    for name in known if names is None else names:
        declared = known[name]
        own = rows.get((name, *scope.key))
        of_wider = [rows[name, *wider.key].number for wider in scope.wider if (name, *wider.key) in rows]
        set_wider = [number for number in of_wider if number is not None]
        inherited = set_wider[0] if set_wider else Decimal(plain(declared.parameter.default))
        number = own.number if own else None
        found.append(
            Standing(
                declared=declared,
                number=inherited if number is None else number,
                own=number,
                inherited=inherited,
                version=own.version if own else 0,
            )
        )
    return found


def targets_in(workflow: Workflow, access_scope: access.AccessScope) -> dict[str, timedelta]:
    """Return each stage's target on a board of ``access_scope``: what all places in sight share, or else everybody's."""
    if access_scope.parts is None:
        places = [Scope(connection=one) for one in Connection.objects.order_by("pk")]
    else:
        known = Connection.objects.in_bulk([connection for connection, _ in access_scope.parts])
        places = [Scope(connection=known[one], company_id=company) for one, company in access_scope.parts if one in known]
    declared = {stage.name: parameter_catalogue.target_of(workflow.name, stage) for stage in workflow.stages if stage.target}
    numbers = current_numbers([one.name for one in declared.values()])
    found = {}
    for stage, target in declared.items():
        everybody = numbers.get((target.name, None, None), Decimal(plain(target.default)))
        shared = {
            next((numbers[target.name, *at.key] for at in [place, *place.wider] if (target.name, *at.key) in numbers), everybody)
            for place in places
        }
        number = shared.pop() if len(shared) == 1 else everybody
        found[stage] = timedelta(seconds=float(number) * SECONDS[target.unit])
    return found


def current_numbers(names: Iterable[str]) -> dict[tuple[str, int | None, int | None], Decimal]:
    """Return what is set of those parameters, by name, connection and company."""
    rows = ParameterValue.objects.filter(is_current=True, number__isnull=False, name__in=list(names))
    return {(row.name, row.connection_id, row.company_id): row.number for row in rows if row.number is not None}


def effective(settings: Mapping[str, Any] | None, name: str, default: float) -> Decimal:
    """Return the value of a parameter by what the fact ``parameters`` says is set for a record."""
    found = (settings or {}).get(name)
    return Decimal(str(default if found is None else found))


def history_of(name: str, scope: access.AccessScope) -> Sequence[ParameterValue]:
    """Return every version of a parameter's values that is in ``scope``, the newest first."""
    rows = ParameterValue.objects.filter(name=name).select_related("connection", "set_by")
    return list(rows.filter(scopes.visible_in(scope)).order_by("-set_at", "-id"))


@transaction.atomic
def set_value(
    name: str,
    value: object,
    *,
    by: User | None,
    now: datetime,
    scope: Scope = EVERYBODY,
    note: str = "",
    version: int | None = None,
) -> ParameterValue | None:
    """Make ``value`` count in ``scope`` from now on; None has what is set wider count there again.

    Args:
        by: who sets it; None for a command on the server.
        version: the version in that scope that the person saw; another one that came meanwhile is no silent loss.

    Returns:
        The new version; None where that is what is set already.

    Raises:
        NotAllowedError: this person may not set it there.
        ParameterRefusedError: there is no such parameter, or that cannot be its value.
    """
    if len(note) > LONGEST_NOTE or "\x00" in note:
        raise ParameterRefusedError(gettext("The note has at most %(most)s characters.") % {"most": LONGEST_NOTE})
    made, before = append(name, value, by=by, now=now, scope=scope, note=note, version=version)
    if made is None:
        return None
    connection_id, company_id = scope.key
    actor = by.actor if by else system("parameter")
    trail.record(
        trail.Event(
            action="parameter.set" if made.number is not None else "parameter.reset",
            actor=actor,
            subject=f"parameter:{name}",
            data={
                "from": _said(before),
                "to": _said(made.number),
                "version": made.version,
                "note": note,
                "connection": scope.connection.name if scope.connection else None,
                "company": company_id,
            },
            about=(connection_id, company_id) if connection_id is not None else None,
        ),
        now=now,
    )
    live.announce(["health"])
    wake(REEVALUATE)
    return made


def append(
    name: str,
    value: object,
    *,
    by: User | None,
    now: datetime,
    scope: Scope,
    note: str = "",
    version: int | None = None,
) -> tuple[ParameterValue | None, Decimal | None]:
    """Check and append a version, in the caller's transaction, which nobody hears of: to see what would follow from it.

    Arguments and errors as :func:`set_value`, which is how one is set. Returns the version, and what was set before.
    """
    declared = declared_as(name)
    if by is not None:
        permissions.check_may_make_policy(by)
        check_in_sight(by, scope)
    number = None if value is None else declared.parameter.checked(value)
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    connection_id, company_id = scope.key
    rows = ParameterValue.objects.filter(name=name, connection=scope.connection, company_id=company_id)
    current = rows.filter(is_current=True).first()
    latest = rows.aggregate(top=Max("version"))["top"] or 0
    if version is not None and version != latest:
        raise ParameterRefusedError(
            gettext("%(title)s was set meanwhile: version %(version)s. Compare, then save again.")
            % {"title": gettext(declared.parameter.title), "version": latest}
        )
    before = current.number if current else None
    if before == number:
        return None, before
    _check_order(declared, scope, number)
    rows.filter(is_current=True).update(is_current=False)
    made = ParameterValue.objects.create(
        name=name,
        connection_id=connection_id,
        company_id=company_id,
        number=number,
        version=latest + 1,
        set_by=by,
        set_at=now,
        note=note,
    )
    return made, before


def _said(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _check_order(declared: Declared, scope: Scope, number: Decimal | None) -> None:
    """Raise ParameterRefusedError where a severity's thresholds would not rise in ``scope`` any more."""
    stem, _, level = declared.parameter.name.rpartition(".")
    if level not in parameter_catalogue.THRESHOLDS:
        return
    names = [f"{stem}.{one}" for one in parameter_catalogue.THRESHOLDS]
    found = {one.declared.parameter.name: one for one in standing_in(scope, names)}
    own = found[declared.parameter.name]
    numbers = [(own.inherited if number is None else number) if one is own else one.number for one in found.values()]
    if numbers != sorted(numbers):
        raise ParameterRefusedError(
            gettext("The thresholds of a severity must rise: medium, high, critical; they would be %(numbers)s.")
            % {"numbers": ", ".join(plain(one) for one in numbers)}
        )


def for_guards() -> dict[int | None, dict[str, dict[str, float]]]:
    """Return what Odoo's guards are to read, by connection: name, then company ("" for all of the connection), then the number.

    Connections of which nothing of their own is set have what counts for everybody, under None.
    """
    names = [name for name, declared in registry.parameters().items() if declared.is_in_guard]
    rows = ParameterValue.objects.filter(name__in=names, is_current=True, number__isnull=False)
    general: dict[str, dict[str, float]] = {}
    for row in rows.filter(connection=None):
        general.setdefault(row.name, {})[""] = _as_float(row.number)
    found: dict[int | None, dict[str, dict[str, float]]] = {None: general}
    for row in rows.exclude(connection=None).order_by("name", F("company_id").asc(nulls_first=True)):
        own = found.setdefault(row.connection_id, {name: dict(values) for name, values in general.items()})
        own.setdefault(row.name, {})["" if row.company_id is None else str(row.company_id)] = _as_float(row.number)
    return found


def _as_float(number: Decimal | None) -> float:
    return float(number or 0)
