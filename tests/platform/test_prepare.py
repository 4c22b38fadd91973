"""What is made before the processes start, and what is left alone."""

import pytest

from apps.accounts.models import User
from apps.approvals.models import Policy
from apps.approvals.policies import policy
from apps.core import clock
from controltower import prepare


@pytest.mark.django_db
def test_people_are_made_once_and_a_changed_password_is_not_told() -> None:
    passwords: dict[str, str] = {}
    first = prepare.seed_people(passwords)
    assert set(first) == set(prepare.PEOPLE) and all(first.values())
    approver = User.objects.get(username="approver")
    approver.set_password("of my own")
    approver.save()
    again = prepare.seed_people(passwords)
    assert (again["approver"], again["manager"]) == ("", first["manager"])
    assert User.objects.count() == len(prepare.PEOPLE)


@pytest.mark.django_db
def test_a_demonstration_hurries_and_leaves_alone_what_somebody_wrote() -> None:
    prepare.seed_people({})
    prepare.hurry_policies()
    hurried = Policy.objects.get(kind="credit_override", is_active=True)
    (step,) = hurried.rules["steps"]
    assert [(level["within_minutes"], level["remind_after_minutes"]) for level in step["levels"]] == [(6, 3), (6, 3)]

    own = hurried.rules | {"steps": [step | {"fallback": "reject"}]}
    policy.save("credit_override", own, by=User.objects.get(username="manager"), now=clock.now())
    prepare.hurry_policies()
    assert Policy.objects.get(kind="credit_override", is_active=True).rules == own
