"""Answers into events: what a vendor said on its page is told to the workflows like what any other system says."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from apps.audit import trail
from apps.core.actor import Actor
from apps.events.models import OutsideEvent, Status
from apps.intake.models import Delivery
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.vendors.answers.receiving import SOURCE
from apps.vendors.models import Answer, Said
from apps.vendors.orders import open_lines
from apps.vendors.orders.open_lines import OpenLine
from apps.workflows import subjects

ORDER = "purchase.order"


def take(connection_id: int, delivery_ids: Collection[int], *, now: datetime) -> set[int]:
    """Read those of the deliveries that are vendors' answers into events, in the caller's transaction; which ones.

    They name their order by its id, so there is nothing to match.
    """
    deliveries = list(Delivery.objects.filter(connection_id=connection_id, id__in=delivery_ids, source=SOURCE).order_by("id"))
    if not deliveries:
        return set()
    told = {delivery.pk: json.loads(delivery.body) for delivery in deliveries}
    answers = Answer.objects.select_related("link").in_bulk([one["answer"] for one in told.values()])
    by_id = {str(pk): answer for pk, answer in answers.items()}
    orders = {one["order"] for one in told.values()}
    names = dict(PurchaseOrder.objects.filter(connection_id=connection_id, odoo_id__in=orders).values_list("odoo_id", "name"))
    lines = open_lines.lines_of(connection_id, orders)
    new = []
    for delivery in deliveries:
        one = told[delivery.pk]
        new.append(_event(connection_id, delivery, one, names.get(one["order"]) or "", lines.get(one["order"], [])))
    stored = OutsideEvent.objects.filter(connection_id=connection_id, source=SOURCE)
    known = set(stored.filter(message__in=[event.message for event in new]).values_list("message", flat=True))
    OutsideEvent.objects.bulk_create([event for event in new if event.message not in known])
    trail.record_all(
        [
            _entry(by_id[told[delivery.pk]["answer"]], names.get(told[delivery.pk]["order"]) or "", delivery)
            for delivery in deliveries
            if delivery.key not in known and told[delivery.pk]["answer"] in by_id
        ],
        now=now,
    )
    return set(told)


def _event(connection_id: int, delivery: Delivery, told: Mapping[str, Any], name: str, lines: Sequence[OpenLine]) -> OutsideEvent:
    said = {one["line"]: one for one in told["lines"]}
    is_refused = (
        bool(said) and all(one["says"] == Said.REFUSED for one in said.values()) and set(said) >= {line.line_id for line in lines}
    )
    return OutsideEvent(
        connection_id=connection_id,
        source=SOURCE,
        message=delivery.key,
        position=0,
        kind="order_cancelled" if is_refused else "order_acknowledged",
        reference=name,
        occurred_at=delivery.received_at,
        expected_at=None if is_refused else _expected(said, lines),
        text=told.get("note", ""),
        data={},
        received_at=delivery.received_at,
        model=ORDER,
        status=Status.MATCHED,
        odoo_id=told["order"],
    )


def _expected(said: Mapping[int, Mapping[str, Any]], lines: Sequence[OpenLine]) -> datetime | None:
    """The one date of all that is to come, where the vendor says one: as ordered the first that was promised, else the new one.

    Lines that come on several new dates have none together: each is told by the proposal.
    """
    moved = [line for line in lines if said.get(line.line_id, {}).get("says") == Said.OTHERWISE]
    if not moved and set(said) >= {line.line_id for line in lines}:
        return min((line.planned_at for line in lines if line.planned_at), default=None)
    if not moved:
        return None
    days_of = {date.fromisoformat(part["day"]) for line in moved for part in said[line.line_id]["parts"]}
    if len(moved) != len(lines) or len(days_of) != 1:
        return None
    return moved[0].moment_of(days_of.pop())


def _entry(answer: Answer, name: str, delivery: Delivery) -> trail.Event:
    link = answer.link
    return trail.Event(
        action="vendor.answered",
        actor=Actor(kind="vendor", id=str(link.pk), name=link.partner_name),
        subject=subjects.audit_subject(link.connection.name, ORDER, answer.order_id),
        data={"order": name, "answer": str(answer.pk), "lines": answer.content["lines"], "delivery": delivery.pk},
        about=(link.connection_id, link.company_id),
    )
