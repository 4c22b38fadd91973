"""What a policy would have meant for last month, before it becomes a version: the same functions, over what was asked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.policies import approvers, conditions, cumulation, limits, policy
from apps.approvals.policies.limits import Amount
from apps.mirror import identities
from apps.mirror import registry as mirror
from apps.mirror.identities import Identity
from apps.workflows import registry

LOOKED_BACK = timedelta(days=30)
MOST = 5_000
# By connection, who each person is there.
Known = Mapping[int, Mapping[int, Identity]]


@dataclass(frozen=True, kw_only=True)
class StepCount:
    """How many requests would have needed a step, and how many for which nobody at any of its levels could decide."""

    name: str
    needed: int
    nobody: int


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A policy laid over the last 30 days.

    Attributes:
        records: how many records of the workflow were made in that time.
        asked: how many of its requests were asked for; what asks for one is the limits in Odoo, not the policy.
        bulk: how many of them could have been approved many at a time.
    """

    records: int
    asked: int
    steps: list[StepCount]
    bulk: int
    is_cut: bool

    @property
    def sentence(self) -> str:
        """The whole of it in one sentence."""
        needed = ", ".join(f"{step.needed:,} {step.name}" for step in self.steps if step.needed)
        if not needed:
            told = gettext("With this policy, none of the last 30 days' %(records)s records would have needed an approval.")
        else:
            told = gettext("With this policy, of the last 30 days' %(records)s records would have needed: %(needed)s.")
        return told % {"records": f"{self.records:,}", "needed": needed}


def preview(kind: str, rules: Mapping[str, Any], *, access_scope: AccessScope, now: datetime) -> Preview:
    """What ``rules``, which :func:`policy.check` has passed, would have meant for what is in sight."""
    since = now - LOOKED_BACK
    records = sum(_made(workflow.odoo_model, since, access_scope) for workflow, _ in registry.declarations_of(kind))
    requests = list(Request.objects.filter(access_scope.of_records(), kind=kind, requested_at__gte=since).order_by("-id")[:MOST])
    asked_of: dict[str, list[User]] = {}
    deciders = list(User.objects.filter(is_active=True, role__in=approvers.DECIDING_ROLES))
    known = {connection: identities.identities_of(deciders, connection) for connection in {one.connection_id for one in requests}}
    needed: Counter[str] = Counter()
    nobody: Counter[str] = Counter()
    rule = cumulation.rule_of(rules)
    others = cumulation.before(requests, rule) if rule else {}
    amounts = {request.pk: limits.with_others(request, *others.get(request.pk, (Decimal(0), 0))) for request in requests}
    facts = {request.pk: conditions.facts_of(request) for request in requests}
    for request in requests:
        amount = amounts[request.pk]
        for step in policy.steps_for(rules, amount, facts[request.pk]):
            needed[step["name"]] += 1
            if not any(_could_decide(level["ask"], request, amount, rules, asked_of, known) for level in step["levels"]):
                nobody[step["name"]] += 1
    return Preview(
        records=records,
        asked=len(requests),
        is_cut=len(requests) == MOST,
        steps=[StepCount(name=step["name"], needed=needed[step["name"]], nobody=nobody[step["name"]]) for step in rules["steps"]],
        bulk=sum(policy.is_bulk_safe(rules, amounts[request.pk], facts[request.pk]) for request in requests),
    )


def _made(odoo_model: str, since: datetime, access_scope: AccessScope) -> int:
    model = mirror.models()[odoo_model]
    records = model.objects.filter(create_date__gte=since, deleted_at=None)
    if any(field.name == "company_id" for field in model._meta.fields):
        records = records.filter(access_scope.of_records())
    elif not access_scope.is_everything:
        records = records.filter(access_scope.of_whole_connections())
    return int(records.count())


def _could_decide(
    ask: dict[str, str], request: Request, amount: Amount, rules: Mapping[str, Any], asked_of: dict[str, list[User]], known: Known
) -> bool:
    owner_login = str(request.context.get("account_owner_login") or "") if "manager_of" in ask else ""
    asked = f"{ask} {owner_login}"
    if asked not in asked_of:
        asked_of[asked] = list(approvers.people(ask, owner_login=owner_login).distinct())
    may = approvers.those_who_may(asked_of[asked], request, rules=rules, known=known[request.connection_id], amount=amount)
    return bool(may)
