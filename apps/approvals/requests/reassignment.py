"""Reassigning what waits, at once, when somebody who is asked is disabled, deleted, or may decide less than before.

The same when a team that is asked is emptied, deleted or renamed.
"""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.dispatch import receiver

from apps.accounts.models import Team, User, powers_changed
from apps.approvals.models import Assignment, Request, Status, Step, StepStatus
from apps.approvals.requests import closing, reevaluation
from apps.core import clock

OPEN = {"is_active": True, "decision": "", "step__status": StepStatus.PENDING, "step__request__status": Status.PENDING}


def reassign_requests(ids: Collection[int]) -> None:
    """Replace in these pending requests who may not decide any more, each under its row lock."""
    if not ids:
        return
    with transaction.atomic():
        for request in Request.objects.select_for_update().filter(pk__in=ids, status=Status.PENDING).order_by("pk"):
            reevaluation.reassign(request, now=clock.now())


def _requests_of(people: Collection[int] | None) -> set[int]:
    """The pending requests in which one of ``people`` (None: anybody) is asked, and those in which nobody is."""
    asked = Assignment.objects.filter(**OPEN)
    if people is not None:
        asked = asked.filter(user__in=people)
    unattended = Step.objects.filter(
        ~Exists(Assignment.objects.filter(step=OuterRef("pk"), is_active=True, decision="")),
        status=StepStatus.PENDING,
        request__status=Status.PENDING,
    )
    return set(asked.values_list("step__request_id", flat=True).union(unattended.values_list("request_id", flat=True)))


@receiver(powers_changed)
def _on_powers(ids: Collection[int] | None, **_: Any) -> None:
    reassign_requests(_requests_of(ids))


@receiver(m2m_changed, sender=Team.members.through)
def _on_teams(instance: Team | User, action: str, reverse: bool, pk_set: Collection[int] | None, **_: Any) -> None:
    if action not in ("post_add", "post_remove", "post_clear"):
        return
    people = [instance.pk] if reverse else pk_set
    reassign_requests(_requests_of(people))


@receiver(pre_delete, sender=Team)
def _before_team_goes(instance: Team, **_: Any) -> None:
    instance._asked_in = _requests_of(list(instance.members.values_list("pk", flat=True)))  # type: ignore[attr-defined]


@receiver(post_delete, sender=Team)
def _after_team_went(instance: Team, **_: Any) -> None:
    reassign_requests(getattr(instance, "_asked_in", set()))


@receiver(post_save, sender=Team)
def _on_team_renamed(instance: Team, created: bool, **_: Any) -> None:
    """Policies ask a team by its slug: with another one it is another team."""
    if not created:
        reassign_requests(_requests_of(list(instance.members.values_list("pk", flat=True))))


@receiver(pre_delete, sender=User)
def _before_deletion(instance: User, **_: Any) -> None:
    instance._asked_in = _requests_of([instance.pk])  # type: ignore[attr-defined]


@receiver(post_delete, sender=User)
def _after_deletion(instance: User, **_: Any) -> None:
    """What was asked of somebody who was deleted went with them: the request asks the next who may."""
    ids: set[int] = getattr(instance, "_asked_in", set())
    reassign_requests(ids)
    for request in Request.objects.filter(pk__in=ids):
        closing.announce(request)
