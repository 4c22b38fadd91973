"""What people do with dead letters: replay them. What the machine does with old ones: forget them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor
from apps.core.wake import wake
from apps.intake.models import Delivery, Status

KEEP = timedelta(days=14)
FORGOTTEN_AT_ONCE = 10_000


class ReplayRefusedError(Exception):
    """The delivery cannot be replayed; the message says why."""


@transaction.atomic
def replay(ids: Sequence[int], *, by: User, now: datetime) -> int:
    """Process deliveries once more, with their attempts counted anew; how many.

    Raises:
        NotAllowedError: this person may not change deliveries.
        ReplayRefusedError: none of them is there, or they wait already.
    """
    permissions.check_may_integrate(by)
    rows = Delivery.objects.filter(id__in=ids, status__in=[Status.DEAD, Status.DONE])
    numbers = sorted(rows.values_list("id", flat=True))
    if not numbers:
        raise ReplayRefusedError("There is no such delivery, or it waits already.")
    rows.update(status=Status.PENDING, attempts=0, not_before=now, problem="", processed_at=None)
    trail.record_all(
        [trail.Event(action="delivery.replayed", actor=Actor(kind="user", id=str(by.pk), name=str(by)),
                     subject=f"delivery:{number}") for number in numbers],
        now=now,
    )  # fmt: skip
    live.announce(["health"])
    wake("pipeline.refresh")
    return len(numbers)


def forget_old(*, now: datetime) -> int:
    """Delete processed deliveries that are older than a fortnight; how many.

    A bounded number at a time, so that no transaction grows with what has piled up.
    """
    old = Delivery.objects.filter(status=Status.DONE, received_at__lt=now - KEEP)
    forgotten = 0
    while ids := list(old.values_list("id", flat=True)[:FORGOTTEN_AT_ONCE]):
        forgotten += Delivery.objects.filter(id__in=ids).delete()[0]
    return forgotten
