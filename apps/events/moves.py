"""What people do: say which record an event is about, or that it is about none; let another system send, or no longer."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.core.wake import wake
from apps.events import registry
from apps.events.models import OutsideEvent, Status
from apps.events.transitions import EVENTS
from apps.intake import signatures
from apps.intake.models import Sender
from apps.mirror import registry as mirror
from apps.odoo.models import Connection

LARGEST_ID = 2**63
# Names that deliveries have from elsewhere.
RESERVED = {"odoo", "vendor-page"}


class EventRefusedError(Refusal):
    """The event cannot be matched or dismissed so; the message says why."""

    problem = Problem(
        "event_move_refused",
        409,
        "Event cannot make this move",
        meaning="The event is matched or dismissed already, or the record named is none or several.",
        remedy="Read the event again, and name the record by its id.",
    )


class SourceError(Exception):
    """The source cannot be made or changed so; the message says why and what to do."""


@atomic_with_retry
def match(event_id: int, *, record: str, by: User, now: datetime) -> OutsideEvent:
    """Say which record an event is about; what waits with the same reference is matched with it too.

    Args:
        record: its name in Odoo, or its id there.

    Raises:
        NotAllowedError: this person may not.
        EventRefusedError: there is no such record, several have that name, or the event no longer waits.
    """
    permissions.check_may_match_events(by)
    event = _waiting(event_id)
    odoo_id, name = _record(event, record.strip())
    same = OutsideEvent.objects.filter(connection_id=event.connection_id, model=event.model, reference=event.reference)
    matched = EVENTS.make_all("match", same, odoo_id=odoo_id, problem="", is_absorbed=False, settled_by=by, settled_at=now)
    _tell(event, "event.matched", by, now, {"model": event.model, "odoo_id": odoo_id, "record": name, "events": matched})
    wake("pipeline.refresh")
    event.refresh_from_db()
    return event


@atomic_with_retry
def dismiss(event_id: int, *, by: User, now: datetime) -> OutsideEvent:
    """Say that an event is about no record of ours.

    Raises:
        NotAllowedError: this person may not.
        EventRefusedError: the event no longer waits.
    """
    permissions.check_may_match_events(by)
    event = _waiting(event_id)
    EVENTS.make("dismiss", event)
    event.settled_by, event.settled_at = by, now
    event.save(update_fields=["status", "settled_by", "settled_at"])
    _tell(event, "event.dismissed", by, now, {})
    return event


@atomic_with_retry
def add_source(name: str, *, adapter: str, connection: str, by: Actor, now: datetime) -> str:
    """Let another system send under ``name``; the secret that it has to sign with, nowhere else to be read.

    Raises:
        SourceError: the name is taken or none, or there is no such adapter or connection.
    """
    if adapter not in registry.adapters():
        raise SourceError(f"There is no adapter {adapter}; there is: {', '.join(registry.adapters())}.")
    target = Connection.objects.filter(name=connection).first()
    if target is None:
        raise SourceError(f"There is no connection {connection}. Make one with connect_odoo.")
    secret = signatures.make_secret()
    source = Sender(name=name, adapter=adapter, connection=target, secret=secret, created_at=now)
    try:
        source.clean_fields(exclude=["connection", "secret", "previous_secret"])
        if name in RESERVED:
            raise ValidationError(f"{name} is the name of another kind of delivery.")
        with transaction.atomic():
            source.save()
    except ValidationError as error:
        raise SourceError(f"No source can be called {name!r}: {' '.join(error.messages)}") from None
    except IntegrityError:
        raise SourceError(f"There is a source {name} already. Rotate its secret, or choose another name.") from None
    _record_source(source, "source.added", by, now)
    return secret


@atomic_with_retry
def rotate(name: str, *, by: Actor, now: datetime) -> str:
    """Give a source a new secret; the one it had is taken as well until :func:`finish_rotation`. Raises SourceError."""
    source = _source(name)
    if source.previous_secret:
        raise SourceError(f"{name} is changing its secret already. Finish that first.")
    source.previous_secret, source.secret = source.secret, signatures.make_secret()
    source.save(update_fields=["secret", "previous_secret"])
    _record_source(source, "source.rotated", by, now)
    return str(source.secret)


@atomic_with_retry
def finish_rotation(name: str, *, by: Actor, now: datetime) -> None:
    """Take only what is signed with the new secret from now on. Raises SourceError."""
    source = _source(name)
    source.previous_secret = ""
    source.save(update_fields=["previous_secret"])
    _record_source(source, "source.rotation_finished", by, now)


@atomic_with_retry
def switch(name: str, *, is_active: bool, by: Actor, now: datetime) -> None:
    """Take what a source sends, or no longer. Raises SourceError."""
    source = _source(name)
    source.is_active = is_active
    source.save(update_fields=["is_active"])
    _record_source(source, "source.switched_on" if is_active else "source.switched_off", by, now)


def _waiting(event_id: int) -> OutsideEvent:
    event = OutsideEvent.objects.select_for_update(of=("self",)).select_related("connection").filter(id=event_id).first()
    if event is None:
        raise EventRefusedError(gettext("There is no event %(event_id)s.") % {"event_id": event_id})
    if event.status != Status.UNMATCHED:
        raise EventRefusedError(
            gettext("Event %(event_id)s (%(reference)s) is %(status)s already.")
            % {"event_id": event_id, "reference": event.reference, "status": event.get_status_display().lower()}
        )
    return event


def _record(event: OutsideEvent, named: str) -> tuple[int, str]:
    """The id and name of the record that a person means. Raises EventRefusedError."""
    if not named or "\x00" in named:
        raise EventRefusedError(gettext("Enter the record's name in Odoo, or its ID."))
    column = registry.references()[event.model].name
    means = Q(**{column: named})
    if named.isascii() and named.isdecimal() and int(named) < LARGEST_ID:
        means |= Q(odoo_id=int(named))
    rows = mirror.models()[event.model].objects.filter(means, connection_id=event.connection_id, deleted_at=None)
    found: list[tuple[int, str]] = list(rows.values_list("odoo_id", column)[:2])
    if not found:
        raise EventRefusedError(
            gettext("There is no %(model)s called %(named)s in %(connection)s.")
            % {"model": event.model, "named": named, "connection": event.connection}
        )
    if len(found) > 1:
        raise EventRefusedError(
            gettext("There are several %(model)s called %(named)s in %(connection)s. Give the record's id.")
            % {"model": event.model, "named": named, "connection": event.connection}
        )
    return found[0]


def _tell(event: OutsideEvent, action: str, by: User, now: datetime, data: dict[str, object]) -> None:
    actor = by.actor
    facts = {"source": event.source, "kind": event.kind, "reference": event.reference, **data}
    trail.record(trail.Event(action=action, actor=actor, subject=f"event:{event.pk}", data=facts), now=now)
    live.announce(["health"])


def _source(name: str) -> Sender:
    source = Sender.objects.select_for_update().filter(name=name).first()
    if source is None:
        raise SourceError(f"There is no source {name}. Make it with --adapter and --connection.")
    return source


def _record_source(source: Sender, action: str, by: Actor, now: datetime) -> None:
    facts = {"adapter": source.adapter, "connection": source.connection.name}
    trail.record(trail.Event(action=action, actor=by, subject=f"source:{source.name}", data=facts), now=now)
