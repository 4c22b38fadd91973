"""What people do with dead letters: replay them. What the machine does with old ones: forget them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.refusals import Problem, Refusal
from apps.core.wake import wake
from apps.intake import message, tally, waits
from apps.intake.models import EVENT, Delivery, Mended, Status
from apps.intake.transitions import DELIVERIES

KEEP = timedelta(days=14)
FORGOTTEN_AT_ONCE = 10_000


class ReplayRefusedError(Refusal):
    """The delivery cannot be replayed; the message says why."""

    problem = Problem(
        "delivery_not_replayable",
        409,
        "Delivery cannot be replayed",
        meaning="The delivery does not exist, or waits to be processed already.",
        remedy="Replay only deliveries whose status is done or dead.",
    )


@transaction.atomic
def replay(ids: Sequence[int], *, by: User, now: datetime) -> int:
    """Process deliveries once more, with their attempts counted anew; how many.

    Raises:
        NotAllowedError: this person may not change deliveries.
        ReplayRefusedError: none of them is there, or they wait already.
    """
    permissions.check_may_integrate(by)
    rows = Delivery.objects.filter(id__in=ids, status__in=DELIVERIES.sources("replay"))
    numbers = sorted(rows.values_list("id", flat=True))
    if not numbers:
        raise ReplayRefusedError(gettext("There is no such delivery, or it is already queued."))
    DELIVERIES.make_all("replay", rows, attempts=0, not_before=now, problem="", processed_at=None)
    tally.of_deliveries(numbers, "replayed", now=now)
    trail.record_all(
        [trail.Event(action="delivery.replayed", actor=by.actor, subject=f"delivery:{number}") for number in numbers],
        now=now,
    )
    live.announce(["health"])
    wake("pipeline.refresh")
    return len(numbers)


class PayloadEditError(Refusal):
    """The delivery cannot be mended so; the message says why."""

    problem = Problem(
        "payload_invalid",
        422,
        "Payload cannot be edited",
        meaning="The delivery is no dead letter, or the new text is no message.",
        remedy="Edit only dead letters, with a JSON object as the sender would send it.",
    )


@transaction.atomic
def edit_payload(delivery_id: int, *, body: str, by: User, now: datetime) -> Delivery:
    """Have a dead letter say something else; what it said is kept. It stays where it is until it is replayed.

    Raises:
        NotAllowedError: this person may not change deliveries.
        MendRefusedError: it is no dead letter, or the new text is not a message that its source could have sent.
    """
    permissions.check_may_integrate(by)
    delivery = Delivery.objects.select_for_update().filter(id=delivery_id).first()
    if delivery is None or delivery.status != Status.DEAD:
        raise PayloadEditError(gettext("Only a dead letter can be edited; this is no longer one."))
    said = body.encode(errors="surrogatepass")
    if len(said) > message.LARGEST_BODY:
        raise PayloadEditError(gettext("The text is larger than %(value)s MB.") % {"value": message.LARGEST_BODY >> 20})
    try:
        message.read_object(said)
        model, odoo_id = (delivery.model, delivery.odoo_id) if delivery.model == EVENT else message.read_hint(said)
    except message.Refused as refused:
        raise PayloadEditError(refused.sentence) from None
    Mended.objects.create(delivery=delivery, body=delivery.body, model=delivery.model, odoo_id=delivery.odoo_id, by=str(by), at=now)
    was = {"model": delivery.model, "odoo_id": delivery.odoo_id}
    delivery.body, delivery.model, delivery.odoo_id = body, model, odoo_id
    delivery.save(update_fields=["body", "model", "odoo_id"])
    trail.record(
        trail.Event(
            action="delivery.mended",
            actor=by.actor,
            subject=f"delivery:{delivery.pk}",
            data={"was": was, "is": {"model": model, "odoo_id": odoo_id}},
            about=None if delivery.connection_id is None else (delivery.connection_id, None),
        ),
        now=now,
    )
    live.announce(["health"])
    return delivery


def text_of(delivery: Delivery) -> str:
    """What the delivery says, for a person to read and mend: what the tower hinted to itself has no text of its own."""
    if delivery.body or delivery.model == EVENT:
        return delivery.body
    return json.dumps({"_model": delivery.model, "_id": delivery.odoo_id}, indent=2)


def forget_old(*, now: datetime) -> int:
    """Delete processed deliveries that are older than a fortnight; how many.

    A bounded number at a time, so that no transaction grows with what has piled up.
    """
    old = Delivery.objects.filter(status=Status.DONE, received_at__lt=now - KEEP)
    forgotten = 0
    while ids := list(old.values_list("id", flat=True)[:FORGOTTEN_AT_ONCE]):
        forgotten += Delivery.objects.filter(id__in=ids).delete()[1].get("intake.Delivery", 0)
    tally.fold_old(now=now)
    waits.forget_old(now=now)
    return forgotten
