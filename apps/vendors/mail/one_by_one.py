"""Sending many drafts, each in a transaction of its own: one that is not sent holds up none of the others."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from apps.core import isolation
from apps.core.refusals import Refusal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sent[Message]:
    """What became of one draft: sent, or ``refusal`` says why not."""

    key: str
    message: Message | None
    refusal: str = ""


def send_each[Message](keys: Iterable[str], send: Callable[[str], Message], *, refused: type[Refusal]) -> list[Sent[Message]]:
    """Send the drafts that a person chose; what became of each. Raises what is no refusal of that kind."""
    done: list[Sent[Message]] = []
    for key in keys:
        try:
            done.append(Sent(key=key, message=send(key)))
        except refused as error:
            done.append(Sent(key=key, message=None, refusal=str(error)))
    return done


def send_by_rule[Draft](drafts: Iterable[Draft], send: Callable[[Draft], object], name_of: Callable[[Draft], str]) -> int:
    """Send the drafts that a rule sends; how many were sent. Raises where the database server fails."""
    sent = 0
    for draft in drafts:
        try:
            send(draft)
        except Refusal as error:
            logger.info("%s is not written to: %s", name_of(draft), error)
        except Exception as error:
            if isolation.is_of_the_server(error):
                raise
            logger.exception("%s could not be written to", name_of(draft))
        else:
            sent += 1
    return sent
