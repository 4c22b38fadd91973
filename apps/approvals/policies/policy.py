"""Policies: which steps a request has to go through, who is asked, by when, and what happens if nobody answers.

A policy is data, so that a manager can change it; :func:`check` is what keeps it sane. A request copies what it needs
when it begins, so a new version never touches requests that already run.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext, gettext_noop

from apps.accounts import permissions
from apps.accounts.models import User
from apps.approvals import queries
from apps.approvals.models import Policy, ReasonTemplate
from apps.approvals.policies import approvers, cumulation, guard_policy, limits, segregation
from apps.approvals.policies.approvers import RECORD
from apps.approvals.policies.bounds import PolicyError, check_amount, check_clean, is_text, is_whole, number_of
from apps.approvals.policies.conditions import NUMERIC, TESTS, Facts, check_kinds, holds
from apps.approvals.policies.limits import Amount
from apps.audit import trail
from apps.core import clock
from apps.core.figures import Figure
from apps.core.words import money
from apps.odoo.models import Connection
from apps.workflows import registry
from apps.workflows.scopes import EVERYBODY, Scope, check_in_sight

logger = logging.getLogger(__name__)

FALLBACKS = {
    "expire": gettext_noop("the request expires and the record stays held"),
    "reject": gettext_noop("the request is rejected"),
}
DECISIONS = ("approve", "reject")
MOST_REASONS = 6
# The key that lets one person decide several steps of the same request.
SEVERAL_STEPS = "same_person_may_decide_several_steps"
# What fits a step's row, and what people can still read.
LONGEST_NAME, LONGEST_VALUE, LONGEST_NOTE, LAST_POSITION = 100, 200, 300, 32_767
MOST_STEPS, MOST_LEVELS, MOST_CONDITIONS = 20, 10, 20


def check(kind: str, rules: Any) -> None:
    """Raises PolicyError unless ``rules`` for an approval kind are well formed and somebody can satisfy each level.

    ``{"steps": [{"name", "position"?, "needs_all"?, "from_amount"?, "when"?, "levels": [{"ask":
    {"role"|"team"|"user"|"manager_of": …}, "within_minutes", "remind_after_minutes"?}], "fallback": "expire"|"reject"}]}``

    Beside the steps, ``"bulk": {"up_to_amount", "when"?}`` marks which requests may be approved many at a time,
    ``"unlinked_may_decide": true`` lets people decide of whom it is not known which Odoo user they are, and
    ``"same_person_may_decide_several_steps": true`` lets one person decide more than one step of a request, and
    ``"cumulative": {"over_days", "per"?}`` sums what belongs together (:mod:`apps.approvals.policies.cumulation`).

    ``when`` is a list of ``{"fact", "at_least"|"at_most"|"is"|"has"}``: all must hold of what the request shows.
    """
    check_shape(kind, rules)
    check_kinds(kind, rules)
    for number, step in enumerate(rules["steps"], start=1):
        asked = [level["ask"] for level in step["levels"]]
        for depth, ask in enumerate(asked, start=1):
            if not approvers.people(ask).exists():
                place = gettext("Step %(number)s, level %(depth)s") % {"number": number, "depth": depth}
                raise PolicyError(
                    gettext("%(place)s: no active approver for %(ask)s. Create one with create_user, or choose another.")
                    % {"place": place, "ask": ask}
                )
        _check_limits(gettext("Step %(number)s") % {"number": number}, step, asked)


def check_shape(kind: str, rules: Any) -> None:
    """The part of :func:`check` that rests on no people, for what a workflow's file declares. Raises PolicyError."""
    check_clean(rules)
    steps = rules.get("steps") if isinstance(rules, dict) else None
    if not isinstance(steps, list) or not steps:
        raise PolicyError(gettext("A policy needs a list of steps with at least one step."))
    if len(steps) > MOST_STEPS:
        raise PolicyError(gettext("A policy has at most %(most)s steps.") % {"most": MOST_STEPS})
    for number, step in enumerate(steps, start=1):
        _check_step(kind, gettext("Step %(number)s") % {"number": number}, number, step)
    _check_bulk(kind, rules.get("bulk"))
    cumulation.check(rules.get(cumulation.KEY))
    if not isinstance(rules.get(segregation.UNLINKED, False), bool):
        raise PolicyError(gettext("unlinked_may_decide must be true or false."))
    if not isinstance(rules.get(SEVERAL_STEPS, False), bool):
        raise PolicyError(gettext("%(key)s must be true or false.") % {"key": SEVERAL_STEPS})


def _check_step(kind: str, place: str, number: int, step: Any) -> None:
    if not isinstance(step, dict) or not is_text(step.get("name", ""), LONGEST_NAME) or not str(step.get("name", "")).strip():
        raise PolicyError(
            gettext("%(place)s needs a name of at most %(most)s characters.") % {"place": place, "most": LONGEST_NAME}
        )
    fallback = step.get("fallback")
    if not isinstance(fallback, str) or fallback not in FALLBACKS:
        raise PolicyError(
            gettext("%(place)s: fallback must be one of %(known)s.") % {"place": place, "known": ", ".join(FALLBACKS)}
        )
    check_amount(place, "from_amount", step.get("from_amount", 0), step.get(limits.CURRENCY, ""))
    position = step.get("position", number)
    if not is_whole(position, 0, LAST_POSITION):
        raise PolicyError(
            gettext("%(place)s: position must be a whole number from 0 to %(last)s.") % {"place": place, "last": LAST_POSITION}
        )
    if not isinstance(step.get("needs_all", False), bool):
        raise PolicyError(gettext("%(place)s: needs_all must be true or false.") % {"place": place})
    _check_conditions(place, kind, step.get("when", []))
    levels = step.get("levels")
    if not isinstance(levels, list) or not levels:
        raise PolicyError(gettext("%(place)s needs at least one level.") % {"place": place})
    if len(levels) > MOST_LEVELS:
        raise PolicyError(gettext("%(place)s has at most %(most)s levels.") % {"place": place, "most": MOST_LEVELS})
    for depth, level in enumerate(levels, start=1):
        _check_level(gettext("%(place)s, level %(depth)s") % {"place": place, "depth": depth}, level)


def _check_limits(place: str, step: Mapping[str, Any], asked: list[dict[str, str]]) -> None:
    """Somebody of the step's levels may decide on the least amount for which the step counts; at today's rates."""
    bound, currency = limits.bound_of(step, "from_amount")
    found = {user for ask in asked for user in approvers.people(ask)}
    if not within_limit(step, found):
        named = ", ".join(sorted(f"{user} ({limits.limit_of(user)})" for user in found))
        raise PolicyError(
            gettext(
                "%(place)s: no approver here covers %(from_amount)s: no limit of %(named)s is that high. Raise a "
                "limit, or add another approver."
            )
            % {"place": place, "from_amount": money(bound, currency), "named": named}
        )


def within_limit(step: Mapping[str, Any], found: Iterable[User]) -> list[User]:
    """Return those of ``found`` who may decide on the least amount for which the step counts; at today's rates."""
    bound, currency = limits.bound_of(step, "from_amount")
    places = list(Connection.objects.order_by("pk").values_list("pk", flat=True)) or [0]
    amounts = [
        Amount(value=bound, currency=currency, connection_id=place, company_id=None, day=clock.now().date()) for place in places
    ]
    # Before any company is read nothing can be converted, and nobody has asked for anything: limits count as they are.
    if not currency:
        return [user for user in found if limits.covers_number(user, bound)]
    return [user for user in found if any(limits.covers(user, amount) for amount in amounts)]


def _check_bulk(kind: str, bulk: Any) -> None:
    if bulk is None:
        return
    if not isinstance(bulk, dict) or "up_to_amount" not in bulk:
        raise PolicyError(gettext("Bulk: up_to_amount must be a number from 0 on."))
    check_amount(gettext("Bulk"), "up_to_amount", bulk["up_to_amount"], bulk.get(limits.CURRENCY, ""))
    _check_conditions(gettext("Bulk"), kind, bulk.get("when", []))


def _check_conditions(place: str, kind: str, conditions: Any) -> None:
    known = registry.facts_of(kind)
    if not isinstance(conditions, list):
        raise PolicyError(gettext("%(place)s: when must be a list of conditions.") % {"place": place})
    if len(conditions) > MOST_CONDITIONS:
        raise PolicyError(gettext("%(place)s has at most %(most)s conditions.") % {"place": place, "most": MOST_CONDITIONS})
    for condition in conditions:
        tests = set(condition) - {"fact"} if isinstance(condition, dict) else set()
        if len(tests) != 1 or not tests <= set(TESTS):
            raise PolicyError(
                gettext("%(place)s: each condition names a fact and one of %(known)s.")
                % {"place": place, "known": ", ".join(TESTS)}
            )
        if not isinstance(condition.get("fact"), str) or condition["fact"] not in known:
            raise PolicyError(
                gettext("%(place)s: %(kind)s has no fact %(get)s; it has %(known)s.")
                % {"place": place, "kind": kind, "get": str(condition.get("fact"))[:60], "known": ", ".join(sorted(known))}
            )
        (test,) = tests
        if isinstance(condition[test], dict | list) or not is_text(str(condition[test]), LONGEST_VALUE):
            raise PolicyError(
                gettext("%(place)s: %(test)s must be text of at most %(most)s characters, or a number.")
                % {"place": place, "test": test, "most": LONGEST_VALUE}
            )
        if test in NUMERIC and number_of(condition[test]) is None:
            raise PolicyError(gettext("%(place)s: %(test)s must be a number.") % {"place": place, "test": test})


def _check_level(place: str, level: Any) -> None:
    minutes = level.get("within_minutes") if isinstance(level, dict) else None
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 0 < minutes <= 525_600:
        raise PolicyError(
            gettext("%(place)s: within_minutes must be a whole number of minutes, at least 1 and at most a year.")
            % {"place": place}
        )
    reminder = level.get("remind_after_minutes")
    if reminder is not None and not is_whole(reminder, 1, minutes - 1):
        raise PolicyError(gettext("%(place)s: remind_after_minutes must be less than within_minutes.") % {"place": place})
    ask = level.get("ask")
    if not isinstance(ask, dict) or len(ask) != 1 or next(iter(ask)) not in {"role", "team", "user", "manager_of"}:
        raise PolicyError(
            gettext("%(place)s: ask must name one role, one team, one user, or manager_of the record.") % {"place": place}
        )
    if not is_text(next(iter(ask.values())), LONGEST_VALUE):
        raise PolicyError(gettext("%(place)s: ask must name one role, one team or one user, as text.") % {"place": place})
    if ask.get("manager_of", RECORD) != RECORD:
        raise PolicyError(
            gettext('%(place)s: manager_of can only be "%(RECORD)s": the manager of the record\'s owner.')
            % {"place": place, "RECORD": RECORD}
        )


def active(kind: str, *, now: datetime, connection_id: int | None = None, company_id: int | None = None) -> Policy:
    """The policy in force for an approval kind: the company's, the connection's, everybody's, or the declared first version."""
    policy = queries.in_force(kind, connection_id=connection_id, company_id=company_id)
    if policy is not None:
        return policy
    declared = registry.approval_kinds()[kind][1]
    policy, _ = Policy.objects.get_or_create(
        kind=kind,
        version=1,
        defaults={"rules": declared.default_policy, "created_at": now, "note": gettext_noop("Workflow default")},
    )
    return policy


def usable_rules(stored: Policy) -> Mapping[str, Any]:
    """Return the policy's rules, or the declared ones where it was stored out of bounds: a request must not fail for it."""
    try:
        check_shape(stored.kind, stored.rules)
    except PolicyError as error:
        logger.error("Policy %s, version %s, cannot be used, the declared one is: %s", stored.kind, stored.version, error)
        return registry.approval_kinds()[stored.kind][1].default_policy
    rules: Mapping[str, Any] = stored.rules
    return rules


def unusable() -> list[tuple[Policy, str]]:
    """Return the policies in force that are out of bounds, each with what is wrong."""
    found = []
    for one in Policy.objects.filter(is_active=True, kind__in=registry.approval_kinds()).order_by("kind"):
        try:
            check_shape(one.kind, one.rules)
        except PolicyError as error:
            found.append((one, str(error)))
    return found


@transaction.atomic
def save(kind: str, rules: dict[str, Any], *, by: User, now: datetime, note: str = "", scope: Scope = EVERYBODY) -> Policy:
    """Make ``rules`` the new version of the policy for ``kind`` in ``scope``.

    Raises:
        NotAllowedError: this person may not make policies.
        PolicyError: the rules cannot be, or nobody could satisfy them.
    """
    permissions.check_may_make_policy(by)
    if scope != EVERYBODY:
        check_in_sight(by, scope)
    if kind not in registry.approval_kinds():
        raise PolicyError(f"There is no approval kind {kind}; there is {', '.join(registry.approval_kinds())}.")
    check(kind, rules)
    if not is_text(note, LONGEST_NOTE):
        raise PolicyError(gettext("The note has at most %(most)s characters.") % {"most": LONGEST_NOTE})
    active(kind, now=now)
    latest = _written_here(kind, scope)
    Policy.objects.filter(pk__in=[latest.pk] if latest else []).update(is_active=False)
    version = (Policy.objects.filter(kind=kind).aggregate(top=Max("version"))["top"] or 0) + 1
    connection_id, company_id = scope.key
    policy = Policy.objects.create(
        kind=kind,
        version=version,
        rules=rules,
        created_at=now,
        created_by=by,
        note=note,
        connection_id=connection_id,
        company_id=company_id,
    )
    _record("policy.changed", kind, scope, {"from": latest.version if latest else None, "to": version, "rules": rules}, by, now)
    guard_policy.publish(now=now)
    return policy


@transaction.atomic
def withdraw(kind: str, *, scope: Scope, by: User, now: datetime) -> Policy:
    """Have the policy that counts wider count in ``scope`` again; the one that does now.

    Raises NotAllowedError, PolicyError where there is none of its own.
    """
    permissions.check_may_make_policy(by)
    check_in_sight(by, scope)
    if kind not in registry.approval_kinds():
        raise PolicyError(f"There is no approval kind {kind}; there is {', '.join(registry.approval_kinds())}.")
    active(kind, now=now)
    own = _written_here(kind, scope) if scope != EVERYBODY else None
    if own is None:
        raise PolicyError(gettext("There is no policy of its own to withdraw."))
    Policy.objects.filter(pk=own.pk).update(is_active=False)
    connection_id, company_id = scope.key
    wider = active(kind, now=now, connection_id=connection_id, company_id=company_id)
    _record("policy.withdrawn", kind, scope, {"from": own.version, "to": wider.version}, by, now)
    guard_policy.publish(now=now)
    return wider


def _written_here(kind: str, scope: Scope) -> Policy | None:
    """Return the active policy of exactly that scope. The general one is locked: two versions are never written at once."""
    connection_id, company_id = scope.key
    rows = Policy.objects.select_for_update(of=("self",)).filter(kind=kind, is_active=True).order_by("pk")
    return next((row for row in rows if (row.connection_id, row.company_id) == (connection_id, company_id)), None)


def _record(action: str, kind: str, scope: Scope, data: dict[str, Any], by: User, now: datetime) -> None:
    connection_id, company_id = scope.key
    place = {"connection": scope.connection.name, "company": company_id} if scope.connection else {}
    trail.record(
        trail.Event(
            action=action,
            actor=by.actor,
            subject=f"policy:{kind}",
            data=data | place,
            about=(connection_id, company_id) if connection_id is not None else None,
        ),
        now=now,
    )


def is_bulk_safe(rules: Mapping[str, Any], amount: Amount, facts: Facts) -> bool:
    """Whether the rules let a request of ``amount`` be approved together with others. Nothing is, unless they say so."""
    bulk = rules.get("bulk")
    if not bulk:
        return False
    return amount.is_at_most(*limits.bound_of(bulk, "up_to_amount")) and all(holds(one, facts) for one in bulk.get("when", []))


@transaction.atomic
def save_reasons(kind: str, texts: Mapping[str, Iterable[str]], *, by: User, now: datetime) -> None:
    """Make ``texts`` (``approve`` and ``reject``) the reasons that can be chosen for ``kind``, beside those for all kinds.

    Raises NotAllowedError unless the person may make policies.
    """
    permissions.check_may_make_policy(by)
    kept = {
        decision: [text.strip()[:200] for text in texts.get(decision, []) if text.strip()][:MOST_REASONS] for decision in DECISIONS
    }
    ReasonTemplate.objects.filter(kind=kind).delete()
    ReasonTemplate.objects.bulk_create(
        [ReasonTemplate(kind=kind, decision=decision, text=text) for decision, found in kept.items() for text in found]
    )
    trail.record(
        trail.Event(
            action="policy.reasons_changed",
            actor=by.actor,
            subject=f"policy:{kind}",
            data={"reasons": kept},
        ),
        now=now,
    )


def demanded(rules: Mapping[str, Any], amount: Amount, facts: Facts) -> list[int]:
    """Return which steps of ``rules`` a request of ``amount`` has to go through, as their places from 0.

    An amount that is not known, or for which there is no rate, counts as the highest. The first step where none counts: a
    decision that policy demands is never taken by nobody.
    """
    chosen = [
        place
        for place, step in enumerate(rules["steps"])
        if amount.is_at_least(*limits.bound_of(step, "from_amount")) and all(holds(one, facts) for one in step.get("when", []))
    ]
    return chosen or [0]


def steps_for(rules: Mapping[str, Any], amount: Amount, facts: Facts) -> list[dict[str, Any]]:
    """The steps that a request of ``amount`` has to go through, by its amount and by what it shows."""
    return [rules["steps"][place] for place in demanded(rules, amount, facts)]


def same_person_may_decide(rules: Mapping[str, Any]) -> bool:
    """Return whether the rules let one person decide several steps of a request. Nobody may, unless they say so."""
    return rules.get(SEVERAL_STEPS) is True


def why_step(rules: Mapping[str, Any], name: str, declared: Mapping[str, Figure]) -> str:
    """Why the rules want the step of that name, in words: its amount and its conditions; ``declared`` says what the facts are."""
    step = next((one for one in rules["steps"] if one["name"] == name), None)
    if step is None:
        return ""
    least, currency = limits.bound_of(step, "from_amount")
    parts = [gettext("from %(from_amount)s") % {"from_amount": money(least, currency)}] if least else []
    for one in step.get("when", []):
        (test,) = set(one) - {"fact"}
        label = declared[one["fact"]].label if one["fact"] in declared else one["fact"]
        # Within a sentence English writes it small; nouns of other languages keep their capitals.
        fact = label.lower() if gettext(label) == label else gettext(label)
        parts.append(f"{fact} {gettext(test.replace('_', ' '))} {one[test]}")
    return f" {gettext('and')} ".join(parts) or gettext("for every request")
