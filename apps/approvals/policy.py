"""Policies: which steps a request has to go through, who is asked, by when, and what happens if nobody answers.

A policy is data, so that a manager can change it; :func:`check` is what keeps it sane. A request copies what it needs
when it begins, so a new version never touches requests that already run.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext, gettext_noop

from apps.accounts import permissions, sight
from apps.accounts.models import Role, Team, User
from apps.approvals.models import Policy, ReasonTemplate
from apps.audit import trail
from apps.core import sentences
from apps.core.actor import Actor
from apps.core.words import sum_of
from apps.workflows import registry

# What "manager_of" may name.
RECORD = "record"
FALLBACKS = {
    "expire": gettext_noop("the request expires and the record stays held"),
    "reject": gettext_noop("the request is rejected"),
}
DECISIONS = ("approve", "reject")
MOST_REASONS = 6
DECIDING_ROLES = sorted(permissions.DECIDERS)


class PolicyError(Exception):
    """A policy's rules cannot be; the message names the place and the remedy."""


def check(kind: str, rules: Any) -> None:
    """Raises PolicyError unless ``rules`` for an approval kind are well formed and somebody can satisfy each level.

    ``{"steps": [{"name", "position"?, "needs_all"?, "from_amount"?, "when"?, "levels": [{"ask":
    {"role"|"team"|"user"|"manager_of": …}, "within_minutes", "remind_after_minutes"?}], "fallback": "expire"|"reject"}]}``

    Beside the steps, ``"bulk": {"up_to_amount", "when"?}`` marks which requests may be approved many at a time.

    ``when`` is a list of ``{"fact", "at_least"|"at_most"|"is"|"has"}``: all must hold of what the request shows.
    """
    check_shape(kind, rules)
    for number, step in enumerate(rules["steps"], start=1):
        asked = [level["ask"] for level in step["levels"]]
        for depth, ask in enumerate(asked, start=1):
            if not people(ask).exists():
                place = gettext("Step %(number)s, level %(depth)s") % {"number": number, "depth": depth}
                raise PolicyError(
                    gettext(
                        "%(place)s: nobody can be asked: there is no active approver for %(ask)s. "
                        "Make one with create_user, or ask another."
                    )
                    % {"place": place, "ask": ask}
                )
        _check_limits(gettext("Step %(number)s") % {"number": number}, Decimal(str(step.get("from_amount", 0))), asked)


def check_shape(kind: str, rules: Any) -> None:
    """The part of :func:`check` that rests on no people, for what a workflow's file declares. Raises PolicyError."""
    steps = rules.get("steps") if isinstance(rules, dict) else None
    if not isinstance(steps, list) or not steps:
        raise PolicyError(gettext("A policy needs a list of steps with at least one step."))
    for number, step in enumerate(steps, start=1):
        place = gettext("Step %(number)s") % {"number": number}
        if not isinstance(step, dict) or not str(step.get("name", "")).strip():
            raise PolicyError(gettext("%(place)s needs a name.") % {"place": place})
        if step.get("fallback") not in FALLBACKS:
            raise PolicyError(
                gettext("%(place)s: fallback must be one of %(known)s.") % {"place": place, "known": ", ".join(FALLBACKS)}
            )
        try:
            if Decimal(str(step.get("from_amount", 0))) < 0:
                raise PolicyError(gettext("%(place)s: from_amount must not be negative.") % {"place": place})
        except InvalidOperation:
            raise PolicyError(gettext("%(place)s: from_amount must be a number.") % {"place": place}) from None
        if not isinstance(step.get("position", number), int):
            raise PolicyError(gettext("%(place)s: position must be a whole number.") % {"place": place})
        _check_conditions(place, kind, step.get("when", []))
        levels = step.get("levels")
        if not isinstance(levels, list) or not levels:
            raise PolicyError(gettext("%(place)s needs at least one level.") % {"place": place})
        for depth, level in enumerate(levels, start=1):
            _check_level(gettext("%(place)s, level %(depth)s") % {"place": place, "depth": depth}, level)
    _check_bulk(kind, rules.get("bulk"))


def _check_limits(place: str, from_amount: Decimal, asked: list[dict[str, str]]) -> None:
    """Somebody of the step's levels may decide on the least amount for which the step counts."""
    found = {user for ask in asked for user in people(ask)}
    if not any(permissions_allow(user, from_amount) for user in found):
        named = ", ".join(sorted(str(user) for user in found))
        raise PolicyError(
            gettext(
                "%(place)s: nobody who is asked may decide on %(from_amount)s: no limit of %(named)s is that high. "
                "Raise a limit, or ask somebody else as well."
            )
            % {"place": place, "from_amount": f"{from_amount:,.2f}", "named": named}
        )


def _check_bulk(kind: str, bulk: Any) -> None:
    if bulk is None:
        return
    limit = _number(bulk.get("up_to_amount")) if isinstance(bulk, dict) else None
    if limit is None or not limit.is_finite() or limit < 0:
        raise PolicyError(gettext("Bulk: up_to_amount must be a number from 0 on."))
    _check_conditions(gettext("Bulk"), kind, bulk.get("when", []))


def _check_conditions(place: str, kind: str, conditions: Any) -> None:
    known = registry.facts_of(kind)
    if not isinstance(conditions, list):
        raise PolicyError(gettext("%(place)s: when must be a list of conditions.") % {"place": place})
    for condition in conditions:
        tests = set(condition) - {"fact"} if isinstance(condition, dict) else set()
        if len(tests) != 1 or not tests <= set(TESTS):
            raise PolicyError(
                gettext("%(place)s: each condition names a fact and one of %(known)s.")
                % {"place": place, "known": ", ".join(TESTS)}
            )
        if condition.get("fact") not in known:
            raise PolicyError(
                gettext("%(place)s: %(kind)s has no fact %(get)s; it has %(known)s.")
                % {"place": place, "kind": kind, "get": condition.get("fact"), "known": ", ".join(sorted(known))}
            )
        (test,) = tests
        if test in NUMERIC and _number(condition[test]) is None:
            raise PolicyError(gettext("%(place)s: %(test)s must be a number.") % {"place": place, "test": test})


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _at_least(found: Any, wanted: Any) -> bool:
    number = _number(found)
    return number is not None and number >= Decimal(str(wanted))


def _at_most(found: Any, wanted: Any) -> bool:
    number = _number(found)
    return number is not None and number <= Decimal(str(wanted))


# What a condition may ask of a fact. A fact that is not known meets none of them.
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "at_least": _at_least,
    "at_most": _at_most,
    "is": lambda found, wanted: str(found) == str(wanted),
    "has": lambda found, wanted: str(wanted) in [part.strip() for part in str(found or "").split(",")],
}
NUMERIC = ("at_least", "at_most")


def _holds(condition: dict[str, Any], facts: Mapping[str, Any]) -> bool:
    (test,) = set(condition) - {"fact"}
    return TESTS[test](sentences.plain(facts.get(condition["fact"])), condition[test])


def _check_level(place: str, level: Any) -> None:
    minutes = level.get("within_minutes") if isinstance(level, dict) else None
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 0 < minutes <= 525_600:
        raise PolicyError(
            gettext("%(place)s: within_minutes must be a whole number of minutes, at least 1 and at most a year.")
            % {"place": place}
        )
    reminder = level.get("remind_after_minutes")
    if reminder is not None and (not isinstance(reminder, int) or not 0 < reminder < minutes):
        raise PolicyError(gettext("%(place)s: remind_after_minutes must lie before within_minutes.") % {"place": place})
    ask = level.get("ask")
    if not isinstance(ask, dict) or len(ask) != 1 or next(iter(ask)) not in {"role", "team", "user", "manager_of"}:
        raise PolicyError(
            gettext("%(place)s: ask must name one role, one team, one user, or manager_of the record.") % {"place": place}
        )
    if ask.get("manager_of", RECORD) != RECORD:
        raise PolicyError(
            gettext('%(place)s: manager_of can only be "%(RECORD)s": whoever manages the one who looks after it.')
            % {"place": place, "RECORD": RECORD}
        )


def people(ask: dict[str, str], *, owner_login: str | None = None) -> Any:
    """The active people that a level asks, whatever their limit.

    Args:
        owner_login: the Odoo login of who looks after the record, for the manager of the record: a manager of a team that
            this person belongs to in the tower. Where it is not given, everybody who could ever be that.
    """
    (kind, value), deciders = next(iter(ask.items())), User.objects.filter(is_active=True, role__in=DECIDING_ROLES)
    if kind == "role":
        return deciders.filter(role=value)
    if kind == "team":
        return deciders.filter(teams__slug=value)
    if kind == "manager_of":
        teams = Team.objects.all()
        if owner_login is not None:
            teams = teams.filter(members__odoo_login__iexact=owner_login) if owner_login else teams.none()
        return deciders.filter(role=Role.MANAGER, teams__in=teams).distinct()
    return deciders.filter(username=value)


def active(kind: str, *, now: datetime) -> Policy:
    """The policy in force for an approval kind; its declared first version, if nobody has written one yet."""
    policy = Policy.objects.filter(kind=kind, is_active=True).first()
    if policy is not None:
        return policy
    declared = registry.approval_kinds()[kind][1]
    policy, _ = Policy.objects.get_or_create(
        kind=kind, version=1,
        defaults={"rules": declared.default_policy, "created_at": now, "note": gettext_noop("As declared by the workflow")},
    )  # fmt: skip
    return policy


@transaction.atomic
def save(kind: str, rules: dict[str, Any], *, by: User, now: datetime, note: str = "") -> Policy:
    """Make ``rules`` the new version of the policy for ``kind``.

    Raises:
        NotAllowedError: this person may not make policies.
        PolicyError: the rules cannot be, or nobody could satisfy them.
    """
    permissions.check_may_make_policy(by)
    if kind not in registry.approval_kinds():
        raise PolicyError(f"There is no approval kind {kind}; there is {', '.join(registry.approval_kinds())}.")
    check(kind, rules)
    active(kind, now=now)
    latest = Policy.objects.select_for_update().filter(kind=kind, is_active=True).get()
    Policy.objects.filter(kind=kind, is_active=True).update(is_active=False)
    version = (Policy.objects.filter(kind=kind).aggregate(top=Max("version"))["top"] or 0) + 1
    policy = Policy.objects.create(kind=kind, version=version, rules=rules, created_at=now, created_by=by, note=note)
    trail.record(
        trail.Event(action="policy.changed", actor=Actor(kind="user", id=str(by.pk), name=str(by)), subject=f"policy:{kind}",
                    data={"from": latest.version, "to": version, "rules": rules}),
        now=now,
    )  # fmt: skip
    return policy


def is_bulk_safe(rules: Mapping[str, Any], amount: Decimal | None, facts: Mapping[str, Any]) -> bool:
    """Whether the rules let a request of ``amount`` be approved together with others. Nothing is, unless they say so."""
    bulk = rules.get("bulk")
    if not bulk or amount is None:
        return False
    return amount <= Decimal(str(bulk["up_to_amount"])) and all(_holds(one, facts) for one in bulk.get("when", []))


@transaction.atomic
def save_reasons(kind: str, texts: Mapping[str, Iterable[str]], *, by: User, now: datetime) -> None:
    """Make ``texts`` (``approve`` and ``reject``) the reasons that can be chosen for ``kind``, beside those for all kinds.

    Raises NotAllowedError unless the person may make policies.
    """
    permissions.check_may_make_policy(by)
    kept = {
        decision: [text.strip()[:200] for text in texts.get(decision, []) if text.strip()][:MOST_REASONS]
        for decision in DECISIONS
    }
    ReasonTemplate.objects.filter(kind=kind).delete()
    ReasonTemplate.objects.bulk_create(
        [ReasonTemplate(kind=kind, decision=decision, text=text) for decision, found in kept.items() for text in found]
    )
    trail.record(
        trail.Event(action="policy.reasons_changed", actor=Actor(kind="user", id=str(by.pk), name=str(by)),
                    subject=f"policy:{kind}", data={"reasons": kept}),
        now=now,
    )  # fmt: skip


def steps_for(rules: Mapping[str, Any], amount: Decimal | None, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps that a request of ``amount`` has to go through, by its amount and by what it shows.

    The first step where none counts: a decision that policy demands is never taken by nobody.
    """
    value = amount or Decimal(0)
    steps: list[dict[str, Any]] = rules["steps"]
    chosen = [
        step for step in steps
        if value >= Decimal(str(step.get("from_amount", 0))) and all(_holds(one, facts) for one in step.get("when", []))
    ]  # fmt: skip
    return chosen or steps[:1]


def why_step(rules: Mapping[str, Any], name: str, words: Mapping[str, str]) -> str:
    """Why the rules want the step of that name, in words: its amount and its conditions; ``words`` are those of the facts."""
    step = next((one for one in rules["steps"] if one["name"] == name), None)
    if step is None:
        return ""
    least = Decimal(str(step.get("from_amount", 0)))
    parts = [gettext("from %(from_amount)s") % {"from_amount": sum_of(least)}] if least else []
    for one in step.get("when", []):
        (test,) = set(one) - {"fact"}
        label = words.get(one["fact"], one["fact"])
        # Within a sentence English writes it small; nouns of other languages keep their capitals.
        fact = label.lower() if gettext(label) == label else gettext(label)
        parts.append(f"{fact} {gettext(test.replace('_', ' '))} {one[test]}")
    return f" {gettext("and")} ".join(parts) or gettext("for every request")


def askable(
    ask: dict[str, str], *, amount: Decimal | None, logins: list[str], connection_id: int, company_id: int | None,
    owner_login: str = "",
) -> list[User]:
    """The people of a level who may see the record of that company, may decide on ``amount`` and had no hand in it."""
    asked = people(ask, owner_login=owner_login).distinct().order_by("pk")
    return those_who_may(asked, amount=amount, logins=logins, connection_id=connection_id, company_id=company_id)


def those_who_may(
    asked: Iterable[User], *, amount: Decimal | None, logins: list[str], connection_id: int, company_id: int | None
) -> list[User]:
    """Those of ``asked`` who may see the record of that company, may decide on ``amount`` and had no hand in it."""
    hands = {login.lower() for login in logins if login}
    return [
        user
        for user in sight.those_who_see(asked, connection_id, company_id)
        if permissions_allow(user, amount) and user.odoo_login.lower() not in hands
    ]


def permissions_allow(user: User, amount: Decimal | None) -> bool:
    """Whether the person's limit covers ``amount``. Administrators have none; no limit means nothing may be approved."""
    if user.role == Role.ADMIN:
        return True
    return user.approval_limit is not None and (amount is None or amount <= user.approval_limit)


def team_of(ask: dict[str, str]) -> Team | None:
    """The team whose working hours count for a level: the team that is asked, if one is."""
    return Team.objects.filter(slug=ask["team"]).first() if "team" in ask else None
