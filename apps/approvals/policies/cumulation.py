"""Records that count together: what one person asks of one partner within days, so that nothing is split below a limit.

A policy says so beside its steps: ``"cumulative": {"over_days": 7, "per": ["partner", "person"]}``. Steps, people's limits and bulk
bounds are then compared with the sum of the request and of the others of that time, and the request shows the others. Where Odoo's
guard has a limit of its own (:attr:`apps.workflows.counted_by_guards.GuardFigures.is_cumulative`), it sums by the same rule, which
:mod:`apps.approvals.policies.guard_policy` writes there: what is below the limit alone is asked about as well.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext, gettext_noop

from apps.approvals import queries
from apps.approvals.models import Request
from apps.approvals.policies.bounds import PolicyError, is_whole
from apps.core import sentences, statements
from apps.core.currencies import exact
from apps.workflows import engine, placeholders
from apps.workflows.declare import ApprovalKind, Workflow
from apps.workflows.engine import Finding

# The rules' word for it, and what a request's context keeps: the rule, the sum of the others, and the others.
KEY, TOGETHER = "cumulative", "together"
PARTNER, PERSON = "partner", "person"
PER = (PARTNER, PERSON)
MOST_DAYS = 90
# What the hold and the notes in Odoo say a record counts: its own amount, and what it comes to with the others.
ALONE = "{own:money} {currency}"
WITH_ONE = gettext_noop("{own:money} {currency} now; {whole:money} {currency} with 1 other in {days} days")
WITH_OTHERS = gettext_noop("{own:money} {currency} now; {whole:money} {currency} with {others} others in {days} days")
# So many of the others are named in the request, the newest first; all of them count.
MOST_NAMED = 50
# Columns of those with a hand in a record that tell nothing of whose order it is: everybody edits.
EDITORS = frozenset({"write_uid", "line_editor_uids"})

# Other records of the kind that were approved, or wait and were asked for before, of the same company, partner and person as
# the policy says, by the newest request about each. What was cancelled in Odoo since then counts no longer. Where the record
# itself tells what it is worth, a yes to an earlier request about it ends with the newest, as in Odoo, which keeps one ask of each.
REQUESTS = statements.load(__file__, "asked_before")

# The same for many requests at once, each as it was asked: what was asked for before it and not rejected.
BEFORE = """
    SELECT b.id, sum(b.amount), count(*)
      FROM (
        SELECT DISTINCT ON (q.id, o.odoo_id) q.id, o.amount
          FROM approvals_request q
          JOIN workflows_position qp ON qp.connection_id = q.connection_id AND qp.workflow = q.workflow AND qp.odoo_id = q.odoo_id
          LEFT JOIN mirror_res_partner qm ON qm.connection_id = qp.connection_id AND qm.odoo_id = qp.partner_id
          JOIN approvals_request o
            ON o.connection_id = q.connection_id AND o.kind = q.kind AND o.model = q.model
           AND o.company_id IS NOT DISTINCT FROM q.company_id
           AND o.currency = q.currency AND o.status IN ('pending', 'approved') AND o.amount IS NOT NULL
           AND o.requested_at BETWEEN q.requested_at - make_interval(days => %(days)s) AND q.requested_at AND o.id < q.id
           AND o.odoo_id <> q.odoo_id
          JOIN workflows_position op ON op.connection_id = o.connection_id AND op.workflow = o.workflow AND op.odoo_id = o.odoo_id
          LEFT JOIN mirror_res_partner om ON om.connection_id = op.connection_id AND om.odoo_id = op.partner_id
         WHERE q.id = ANY(%(ids)s)
           AND (NOT %(by_partner)s OR om.commercial_partner_id IS NOT DISTINCT FROM qm.commercial_partner_id)
           AND (NOT %(by_person)s OR o.owner_uids && q.owner_uids)
         ORDER BY q.id, o.odoo_id, o.id DESC
      ) AS b
     GROUP BY b.id
"""


@dataclass(frozen=True, kw_only=True)
class Other:
    """One of those that count together with a request."""

    model: str
    odoo_id: int
    record_name: str
    amount: Decimal
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Together:
    """What counts together with a request, as its page shows it.

    Attributes:
        total: the request and the others.
        others: the newest of them, at most :data:`MOST_NAMED`.
        count: how many there are.
    """

    days: int
    total: Decimal
    count: int
    others: list[Other]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Over how many days, and whether only what is of the same partner, and of the same person, counts together."""

    days: int
    per: tuple[str, ...]

    def text(self) -> str:
        """Return the rule as Odoo's guard reads it."""
        return json.dumps({"over_days": self.days, "per": sorted(self.per)}, sort_keys=True)


def owners(kind: ApprovalKind) -> list[str]:
    """Return the columns that say whose a record is: who asked, made or owns it."""
    return [name for name in kind.involved if name not in EDITORS]


def rule_of(rules: Mapping[str, Any]) -> Rule | None:
    """Return a policy's rule; none where it has none, or one that was stored before it was checked and cannot be."""
    found = rules.get(KEY)
    try:
        check(found)
    except PolicyError:
        return None
    if found is None:
        return None
    return Rule(days=found["over_days"], per=tuple(one for one in PER if one in found.get("per", PER)))


def check(found: Any) -> None:
    """Raise PolicyError unless ``found`` is a rule as the module's text has it, or nothing."""
    if found is None:
        return
    if not isinstance(found, dict) or not is_whole(found.get("over_days"), 1, MOST_DAYS):
        raise PolicyError(
            gettext("%(key)s: over_days must be a whole number of days from 1 to %(most)s.") % {"key": KEY, "most": MOST_DAYS}
        )
    per = found.get("per", list(PER))
    if not isinstance(per, list) or not per or any(one not in PER for one in per):
        raise PolicyError(
            gettext("%(key)s: per must be a list of one or both of %(known)s.") % {"key": KEY, "known": ", ".join(PER)}
        )
    if unknown := set(found) - {"over_days", "per"}:
        raise PolicyError(
            gettext("%(key)s has no %(unknown)s; it has over_days and per.")
            % {"key": KEY, "unknown": ", ".join(sorted(str(one) for one in unknown))}
        )


def summed(
    columns: Mapping[str, Any],
    kind: ApprovalKind,
    workflow: Workflow,
    rules: Mapping[str, Any],
    *,
    connection_id: int,
    odoo_id: int,
    now: datetime,
    request: Request | None = None,
) -> Mapping[str, Any]:
    """Return ``columns`` with what counts together with the record, and with the measure that Odoo's guard compares.

    Args:
        rules: those of the policy with which the request began, or begins.
        request: the request about it; none where it is about to be opened.
    """
    rule = rule_of(rules)
    if TOGETHER in columns:
        return columns
    if rule is None:
        # A request that began under an earlier version keeps nothing of it.
        return {**columns, TOGETHER: None}
    others = _others(columns, kind, workflow, rule, connection_id=connection_id, odoo_id=odoo_id, now=now, request=request)
    total = sum((one["amount"] for one in others), Decimal(0))
    together = {
        "over_days": rule.days,
        "per": list(rule.per),
        "amount": exact(total),
        "count": len(others),
        "records": [
            {**one, "amount": exact(one["amount"]), "at": one["at"].isoformat() if one["at"] else None}
            for one in others[:MOST_NAMED]
        ],
    }
    figures = kind.figures
    changed: dict[str, Any] = {TOGETHER: together}
    if figures and figures.is_cumulative:
        changed[figures.measure] = Decimal(columns.get(figures.measure) or 0) + total
    return {**columns, **changed}


def summed_finding(finding: Finding, request: Request | None, workflow: Workflow, connection_id: int, now: datetime) -> Finding:
    """Return a finding as :func:`summed` has its columns.

    Args:
        request: the pending request about it; none where it is to be opened, by the policy in force.
    """
    kind = finding.kind
    assert isinstance(kind, ApprovalKind)
    policy = (
        request.policy
        if request
        else queries.in_force(kind.name, connection_id=connection_id, company_id=finding.columns["company_id"])
    )
    columns = summed(
        finding.columns,
        kind,
        workflow,
        policy.rules if policy else kind.default_policy,
        connection_id=connection_id,
        odoo_id=finding.odoo_id,
        now=now,
        request=request,
    )
    return replace(finding, columns=columns)


def kept(columns: Mapping[str, Any], amount: Decimal | None, currency: str) -> dict[str, Any]:
    """Return what of ``columns`` a request's context keeps beside its facts, and what its texts in Odoo say of it.

    Args:
        amount, currency: what the record counts alone.
    """
    found = columns.get(TOGETHER)
    return ({TOGETHER: found} if found else {}) | {placeholders.COUNTED: in_words(amount, currency, found)}


def in_words(amount: Decimal | None, currency: str, together: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a record counts as a sentence: "1,500.00 EUR now; 9,000.00 EUR with 5 others in 7 days"."""
    own = amount or Decimal(0)
    if not together or not together["count"]:
        return sentences.compose(ALONE, {"own": own, "currency": currency})
    return sentences.compose(
        WITH_ONE if together["count"] == 1 else WITH_OTHERS,
        {
            "own": own,
            "whole": own + Decimal(together["amount"]),
            "currency": currency,
            "others": together["count"],
            "days": together["over_days"],
        },
    )


def others_of(request: Request) -> tuple[Decimal, int, int]:
    """Return what counts together with the request: the sum of the others, how many they are, and over how many days."""
    found = request.context.get(TOGETHER)
    if not found:
        return Decimal(0), 0, 0
    return Decimal(found["amount"]), found["count"], found["over_days"]


def together_of(request: Request) -> Together | None:
    """Return what counts together with the request; None where its policy is not cumulative, or nothing does."""
    found = request.context.get(TOGETHER)
    if not found or not found["count"]:
        return None
    others = [
        Other(
            model=one["model"],
            odoo_id=one["odoo_id"],
            record_name=one["record_name"],
            amount=Decimal(one["amount"]),
            at=datetime.fromisoformat(one["at"]) if one["at"] else None,
        )
        for one in found["records"]
    ]
    total = (request.amount or Decimal(0)) + Decimal(found["amount"])
    return Together(days=found["over_days"], total=total, count=found["count"], others=others)


def before(requests: Sequence[Request], rule: Rule) -> dict[int, tuple[Decimal, int]]:
    """Return the sum and the number of the requests that would have counted together with each of ``requests``, by its key."""
    values: dict[str, Any] = {
        "ids": [request.pk for request in requests],
        "days": rule.days,
        "by_partner": PARTNER in rule.per,
        "by_person": PERSON in rule.per,
    }
    with database.cursor() as cursor:
        cursor.execute(BEFORE, values)
        return {pk: (total, count) for pk, total, count in cursor.fetchall()}


def _others(
    columns: Mapping[str, Any],
    kind: ApprovalKind,
    workflow: Workflow,
    rule: Rule,
    *,
    connection_id: int,
    odoo_id: int,
    now: datetime,
    request: Request | None,
) -> list[dict[str, Any]]:
    hands = {columns.get(name) for name in owners(kind)}
    values = {
        "connection": connection_id,
        "workflow": workflow.name,
        "model": workflow.odoo_model,
        "record": odoo_id,
        "kind": kind.name,
        "company": columns["company_id"],
        "currency": columns[workflow.currency] or "",
        "since": now - timedelta(days=rule.days),
        "by_partner": PARTNER in rule.per,
        "by_person": PERSON in rule.per,
        "people": sorted({one for one in hands if isinstance(one, int) and one}),
        "own": request.pk if request else None,
        "by_record": bool(kind.peers),
        "now": now,
    }
    found = {(one["model"], one["odoo_id"]): one for one in _rows(REQUESTS, values)}
    if kind.peers:
        # As they stand in Odoo now: what is done, asked about or not, and of the others what was asked about.
        asked_about = [odoo_id for _, odoo_id in found]
        undone = engine.look(workflow, connection_id=connection_id, odoo_ids=asked_about, now=now, condition=kind.possible)
        found = {key: {**one, "amount": undone[key[1]][kind.amount]} for key, one in found.items() if key[1] in undone}
        model = kind.peers_model or workflow.odoo_model
        found |= {(model, one["odoo_id"]): {"model": model, **one} for one in _rows(kind.peers, values)}
    known = [one for one in found.values() if one["amount"] is not None]
    return sorted(known, key=lambda one: (one["at"] is not None, one["at"], one["odoo_id"]), reverse=True)


def _rows(sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        return sentences.rows_of(cursor)
