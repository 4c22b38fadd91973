"""Which steps of a policy have nobody left, where each step is decided by another person."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.approvals.policies import approvers, policy


def warnings(rules: Mapping[str, Any]) -> list[str]:
    """Return what a policy that is well formed leaves to administrators, in sentences; none where everything is in order.

    Nobody decides two steps of a request, so it needs as many people as steps, each asked in a step of their own. Whoever has a
    hand in a record is missing besides.
    """
    if policy.same_person_may_decide(rules):
        return []
    steps = rules["steps"]
    without = _without_a_person([_people(step) for step in steps])
    return [
        gettext(
            "Step %(number)s (%(name)s) may be left to administrators: nobody decides two steps of a request, and those whom it "
            "asks are needed for the others. Ask somebody else as well, or let one person decide several steps."
        )
        % {"number": place + 1, "name": steps[place]["name"]}
        for place in without
    ]


def _people(step: Mapping[str, Any]) -> set[int]:
    asked: set[User] = set()
    for level in step["levels"]:
        asked |= set(approvers.people(level["ask"]))
    return {user.pk for user in policy.within_limit(step, asked)}


def _without_a_person(asked: list[set[int]]) -> list[int]:
    """Return the places of the steps that get no person of their own in an assignment of people to as many steps as can be."""
    place_of: dict[int, int] = {}

    def finds(place: int, tried: set[int]) -> bool:
        for person in sorted(asked[place] - tried):
            tried.add(person)
            if person not in place_of or finds(place_of[person], tried):
                place_of[person] = place
                return True
        return False

    return [place for place in range(len(asked)) if not finds(place, set())]
