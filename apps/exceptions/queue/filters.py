"""What a query string of the queue asks for: which exceptions, of whom."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.accounts.models import Team, User
from apps.core.query_strings import Parameter, one_of
from apps.exceptions import integration, types
from apps.exceptions.models import DUE, MONEY, UNRESOLVED, ExceptionCase, Severity, Status
from apps.exceptions.queue.screens import workers
from apps.mirror import rates
from apps.odoo import request_scope
from apps.workflows import registry

# What a query string may say of which exceptions there are to be; the rest of it says how they are shown.
FILTERS = (
    "q",
    "type",
    "severity",
    "status",
    "team",
    "owner",
    "workflow",
    "stage",
    "customer",
    "amount",
    "due",
    "connection",
    "company",
    "cause",
)
SHOWN_BY = ("sort", "group")
ANY, NONE = "any", "none"
SHORTEST_PART = 3
DUE_WITHIN = {
    "late": (timedelta(0), gettext_noop("Late")),
    "1h": (timedelta(hours=1), gettext_noop("Within 1 h")),
    "4h": (timedelta(hours=4), gettext_noop("Within 4 h")),
    "24h": (timedelta(hours=24), gettext_noop("Within 24 h")),
    "7d": (timedelta(days=7), gettext_noop("Within 7 days")),
}


class Known:
    """The teams and people that a query string may name, each read once a page and only where it is asked for."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def teams(self) -> list[Any]:
        """All teams; ``is_own`` tells those of the person."""
        own = Team.members.through.objects.filter(team=OuterRef("pk"), user=self.user)
        return list(Team.objects.annotate(is_own=Exists(own)).order_by("name"))

    @cached_property
    def workers(self) -> list[User]:
        """Who may own an exception."""
        return list(workers())

    def team_ids(self, wanted: str) -> list[int]:
        """The teams that the query string means: the person's own, or the one of that slug."""
        return [team.pk for team in self.teams if (team.is_own if wanted == "mine" else team.slug == wanted)]


def parameters(known: Known) -> dict[str, Parameter]:
    """Return what the queue's address may say, each with the test for its values."""
    workflows = registry.workflows()
    stages = {stage.name for workflow in workflows.values() for stage in workflow.stages}
    stages |= {f"{workflow.name}.{stage.name}" for workflow in workflows.values() for stage in workflow.stages}
    severities = {str(one) for one in Severity.values}
    own = access.scope_of(known.user)
    return {
        "q": Parameter(label=gettext("Record or customer")),
        "type": Parameter(label=gettext("Type"), is_known=_each(_is_type)),
        "severity": Parameter(label=gettext("Severity"), is_known=lambda value: value.removeprefix("only") in severities),
        "status": Parameter(label=gettext("Status"), is_known=one_of([*Status.values, ANY])),
        "team": Parameter(label=gettext("Team"), is_known=lambda value: value in {"mine", *(team.slug for team in known.teams)}),
        "owner": Parameter(label=gettext("Owner"), is_known=lambda value: value in ("me", "none") or _is_person(value, known)),
        "workflow": Parameter(label=gettext("Workflow"), is_known=_each(one_of([*workflows, integration.WORKFLOW]))),
        "stage": Parameter(label=gettext("Stage"), is_known=one_of({*stages, NONE})),
        "customer": Parameter(label=gettext("Customer")),
        "amount": Parameter(label=gettext("Amount at risk from"), is_known=_is_amount),
        "due": Parameter(label=gettext("Due"), is_known=one_of(DUE_WITHIN)),
        "connection": Parameter(label=gettext("Connection"), is_known=lambda value: request_scope.is_connection(value, own)),
        "company": Parameter(label=gettext("Company"), is_known=request_scope.is_number),
        "cause": Parameter(label=gettext("Cause"), is_known=request_scope.is_number),
    }


def _each(is_known: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return the test for values that stand in one parameter with commas between."""
    return lambda value: all(is_known(one) for one in value.split(","))


def _is_type(value: str) -> bool:
    # One that nothing declares any more may still be open.
    return value in types.titles() or value == integration.WORKFLOW or ExceptionCase.objects.filter(type=value).exists()


def _is_person(value: str, known: Known) -> bool:
    return any(one.username == value for one in known.workers) or User.objects.filter(username=value).exists()


def _is_amount(value: str) -> bool:
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def matching(filters: Mapping[str, str], *, known: Known, access_scope: AccessScope, now: datetime) -> QuerySet[ExceptionCase]:
    """The exceptions that the query string asks for. An unknown value filters to nothing rather than to everything."""
    cases = ExceptionCase.objects.filter(access_scope.of_records())
    if any("\x00" in value for value in filters.values()):
        return cases.none()
    cases = cases.filter(_by_status(filters.get("status", "")))
    if filters.get("type") == integration.WORKFLOW:
        filters = {**filters, "type": "", "workflow": integration.WORKFLOW}
    for name in ("type", "workflow"):
        if wanted := filters.get(name):
            cases = cases.filter(**{f"{name}__in": wanted.split(",")} if "," in wanted else {name: wanted})
    if cause := filters.get("cause"):
        cases = cases.filter(group=int(cause)) if cause.isascii() and cause.isdecimal() and len(cause) < 19 else cases.none()
    if stage := filters.get("stage"):
        # "order_to_cash.credit_review", or the stage alone.
        workflow, _, name = stage.rpartition(".")
        cases = cases.filter(Q(stage=name, workflow=workflow) if workflow else Q(stage="" if name == NONE else name))
    if customer := filters.get("customer"):
        cases = cases.filter(partner_name="" if customer == NONE else customer)
    if severity := filters.get("severity"):
        # "3" is high or worse, "only3" high alone.
        only, level = severity.startswith("only"), severity.removeprefix("only")
        worse = int(level) if level.isdecimal() and not only else max(Severity.values)
        cases = cases.filter(severity__in=[one for one in Severity.values if str(one) == level or one > worse])
    cases = cases.filter(_by_people(filters, known))
    if due := filters.get("due"):
        within = DUE_WITHIN.get(due)
        # As the index of the order has it, in which what is due begins at the front.
        cases = cases.alias(due=DUE).filter(due__lte=now + within[0]) if within else cases.none()
    if amount := filters.get("amount"):
        try:
            # In the currency that sums are compared in, where companies count in several.
            worth = rates.comparable(MONEY, day=now.date())
            cases = cases.alias(money=worth).filter(money__gte=min(Decimal(amount), Decimal(10**17)))
        except (InvalidOperation, ValueError):
            cases = cases.none()
    if words := filters.get("q", "").strip():
        # Trigrams need three letters; fewer are looked for where a name begins.
        lookup = "icontains" if len(words) >= SHORTEST_PART else "istartswith"
        cases = cases.filter(Q(**{f"record_name__{lookup}": words}) | Q(**{f"partner_name__{lookup}": words}))
    return cases


def _by_status(status: str) -> Q:
    if status == ANY:
        return Q()
    if not status:
        return UNRESOLVED
    # Both are said, so that the indexes of what is open serve.
    return Q(status=status) if status == Status.RESOLVED else Q(status=status) & UNRESOLVED


def _by_people(filters: Mapping[str, str], known: Known) -> Q:
    found = Q()
    team, owner = filters.get("team"), filters.get("owner")
    if team:
        found &= Q(team__in=known.team_ids(team))
    if owner == "me":
        found &= Q(owner=known.user)
    elif owner == "none":
        found &= Q(owner=None)
    elif owner:
        found &= Q(owner=Subquery(User.objects.filter(username=owner).values("pk")[:1]))
    return found


def is_history(filters: Mapping[str, str]) -> bool:
    """Whether what has ended is listed, the newest first: alone, or after what is open."""
    return filters.get("status") in (Status.RESOLVED, ANY)


def only(query: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What the query string says of ``names``."""
    return {name: value for name, value in query.items() if name in names and value}
