"""From what another system told to what people see: the story of an event outside of Odoo.

    deliveries → events → the records they are about → stages → exceptions → approvals → live update

No step waits for Odoo: an event is evaluated against the record as it is mirrored.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import DataError, transaction

from apps.core import isolation
from apps.events import absorbing, matching
from apps.events.reading import UnreadableError
from apps.intake import claim
from apps.intake.dead_letters import storable
from apps.pipeline import change_processing
from apps.vendors.answers import absorbing as vendor_answers

# Such a message will never be another: it is a dead letter at once.
OF_THE_MESSAGE = (DataError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError)

logger = logging.getLogger(__name__)


def take_through(part: claim.ClaimedBatch, *, clock: Callable[[], datetime]) -> None:
    """Take deliveries of one connection all the way, in one transaction.

    A message that its adapter cannot read is a dead letter at once, since it will never be another; the others go on.
    """
    now = clock()
    try:
        with transaction.atomic():
            change_processing.one_at_a_time(part.connection_id)
            of_vendors = vendor_answers.take(part.connection_id, part.delivery_ids, now=now)
            absorbing.store(part.connection_id, set(part.delivery_ids) - of_vendors)
            change_processing.follow(part.connection_id, {}, now=now)
            claim.complete(part, now=now)
    except Exception as error:
        if len(part.deliveries) > 1:
            for single in part.singly():
                take_through(single, clock=clock)
        elif isinstance(error, UnreadableError):
            logger.warning("An outside event cannot be read: %s", error)
            claim.dead_letter(part, problem=str(error), now=now)
        elif isinstance(error, OF_THE_MESSAGE) and not isolation.is_of_the_server(error):
            logger.exception("An outside event of connection %s cannot be stored", part.connection_id)
            problem = f"The message cannot be stored: {type(error).__name__}: {error}. Edit it, or have its source send it anew."
            claim.dead_letter(part, problem=storable(problem), now=now)
        else:
            logger.exception("An outside event of connection %s failed", part.connection_id)
            claim.fail(part, problem=f"{type(error).__name__}: {error}", now=now)


def apply_matched(*, now: datetime) -> None:
    """Evaluate the records of events that were matched on another way than with their arrival: by a person."""
    for connection_id in absorbing.connections_waiting():
        try:
            with transaction.atomic():
                change_processing.one_at_a_time(connection_id)
                change_processing.follow(connection_id, {}, now=now)
        except Exception:
            logger.exception("Matched events of connection %s could not be evaluated; they are tried again", connection_id)


def follow_first_read(connection_id: int) -> None:
    """Match what arrived before the records it is about were read. Their evaluation is the caller's."""
    with transaction.atomic():
        change_processing.one_at_a_time(connection_id)
        matching.match(absorbing.unmatched_of(connection_id))
