"""A policy as the form that shows and edits it."""

from typing import Any

from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.accounts.models import Role, Team, User
from apps.accounts.permissions import DECIDERS
from apps.approvals.models import Policy, ReasonTemplate
from apps.approvals.policies import approvers, cumulation, policy, segregation
from apps.mirror import rates
from apps.workflows import registry, scopes


def policy_form(kind: str, rules: dict[str, Any], in_force: Policy, access_scope: AccessScope) -> dict[str, Any]:
    """What the form of a policy needs: its steps with their numbers, what can be chosen, and versions in ``access_scope``."""
    declared = registry.approval_kinds()[kind][1]
    asks: list[tuple[str, str]] = [(f"role:{role}", str(Role(role).label)) for role in approvers.DECIDING_ROLES]
    asks += [(f"team:{team.slug}", gettext("Team %(team)s") % {"team": team}) for team in Team.objects.order_by("name")]
    asks += [(f"user:{user.username}", str(user)) for user in User.objects.filter(role__in=DECIDERS, is_active=True)]
    steps = [
        {
            "rule": step,
            "conditions": [_condition(one) for one in step.get("when", [])],
            "levels": [{"rule": level, "ask": ":".join(next(iter(level["ask"].items())))} for level in step["levels"]],
        }
        for step in rules["steps"]
    ]
    bulk_rule = rules.get("bulk") or {}
    return {
        "declared": declared,
        "steps": steps,
        "asks": asks,
        "facts": {name: gettext(figure.label) for name, figure in registry.facts_of(kind).items()},
        "in_force": in_force,
        "tests": {"at_least": gettext("at least"), "at_most": gettext("at most"), "is": gettext("is"), "has": gettext("has")},
        "fallbacks": {name: gettext(words) for name, words in policy.FALLBACKS.items()},
        "same_person": policy.same_person_may_decide(rules),
        "unlinked_may_decide": bool(rules.get(segregation.UNLINKED)),
        "default_currency": rates.default_currency(),
        "cumulative": {"per": cumulation.PER} | (rules.get(cumulation.KEY) or {}),
        "bulk": bulk_rule,
        "bulk_conditions": [_condition(one) for one in bulk_rule.get("when", [])],
        "reasons": {decision: "\n".join(_reasons(kind, decision)) for decision in policy.DECISIONS},
        "versions": Policy.objects.filter(scopes.visible_in(access_scope), kind=kind)
        .select_related("created_by", "connection")
        .order_by("-version")[:10],
    }


def _reasons(kind: str, decision: str) -> list[str]:
    return list(ReasonTemplate.objects.filter(kind=kind, decision=decision).order_by("id").values_list("text", flat=True))


def _condition(one: dict[str, Any]) -> dict[str, Any]:
    test = next(name for name in one if name != "fact")
    return {"fact": one["fact"], "test": test, "value": one[test]}
