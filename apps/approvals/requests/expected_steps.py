"""Who would be asked, in which steps and until when: told before anybody asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.accounts.models import Role, User
from apps.approvals import step_names
from apps.approvals.models import Request
from apps.approvals.policies import approvers, conditions, limits, policy
from apps.approvals.requests import delegation, facts, permissions, steps
from apps.core.rest import moment
from apps.timers import sla


@dataclass(frozen=True, kw_only=True)
class ExpectedStep:
    """One step as it would be laid out now.

    Attributes:
        why: why policy demands it, in words.
        needs_all: all of the people have to agree, not any one of them.
        people: whom its first level would ask who may decide, deputies in the place of the absent.
        within: how long they have, in the working time of their team.
        due_at: until when; None for a step that begins only after another was answered.
    """

    name: str
    why: str
    needs_all: bool
    people: Sequence[User]
    within: timedelta
    due_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return the step as programs read it."""
        return {
            "name": self.name,
            "people": [user.username for user in self.people],
            "needs_all": self.needs_all,
            "within_minutes": int(self.within.total_seconds() // 60),
            "due_at": moment(self.due_at),
        }


def expected_steps(draft: Request, *, now: datetime) -> list[ExpectedStep]:
    """Return the steps that an unsaved request would begin with, in order; ``draft`` as ``opening.draft`` makes it."""
    rules = policy.usable_rules(draft.policy)
    demanded = policy.demanded(rules, limits.amount_of(draft), conditions.facts_of(draft))
    places = sorted(demanded, key=lambda place: steps.position_of(rules["steps"], place))
    first = steps.position_of(rules["steps"], places[0])
    found = []
    for place in places:
        rule = rules["steps"][place]
        level, people = _first_level(rule["levels"], draft, now=now)
        within, team = timedelta(minutes=level["within_minutes"]), approvers.team_of(level["ask"])
        begins_now = steps.position_of(rules["steps"], place) == first
        found.append(
            ExpectedStep(
                name=step_names.told(rule["name"]),
                why=policy.why_step(rules, rule["name"], facts.declared_of(draft)),
                needs_all=bool(rule.get("needs_all")),
                people=people,
                within=within,
                due_at=sla.due_after(within, start=now, team=team) if begins_now else None,
            )
        )
    return found


def _first_level(levels: Sequence[Mapping[str, Any]], draft: Request, *, now: datetime) -> tuple[Mapping[str, Any], list[User]]:
    """Return the first level at which somebody may decide, and who; administrators where nobody of any level may."""
    for level in levels:
        if people := approvers.can_be_asked(level["ask"], draft):
            return level, _with_deputies(people, levels, draft, now=now)
    admins = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk")
    return levels[-1], approvers.those_who_may(admins, draft)


def _with_deputies(people: Sequence[User], levels: Sequence[Mapping[str, Any]], draft: Request, *, now: datetime) -> list[User]:
    """Return ``people`` with deputies who may decide in the place of those who are absent."""
    owner, asked = permissions.owner_login(draft), {user.pk: user for user in people}
    instead: dict[int, User] = {}
    for user in people:
        deputy = delegation.deputy_of(user, now=now)
        if deputy is None or deputy.pk in asked or deputy.pk in {one.pk for one in instead.values()}:
            continue
        if approvers.levels_ask(levels, deputy, owner_login=owner) and approvers.those_who_may([deputy], draft):
            instead[user.pk] = deputy
    return [instead.get(user.pk, user) for user in people]
