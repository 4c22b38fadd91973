"""A breaker before each Odoo: while it does not answer nobody waits for it, and one caller at a time tries whether it is back.

Closed: calls go through. After ``OPENS_AFTER`` calls in a row without an answer it opens: calls fail at once. Each rest
ends with one probe, of one worker, while the others still rest; a probe that is answered closes it, one that is not doubles
the rest. The state lies in the cache, which all workers share: losing it costs a few slow calls and nothing else.

Beside it, the pace at which commands may be begun, so that what piled up does not fall upon an Odoo that has just come back.
"""

import hashlib
import logging
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache

from apps.odoo.errors import BadAnswerError, OdooError, RestingError, UnknownOutcomeError, UnreachableError
from apps.odoo.models import Connection

logger = logging.getLogger(__name__)

OPENS_AFTER = 3
# Failures further apart than this are not of one outage.
COUNTED_SECONDS = 60
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 5.0, 60.0
# As long as a probe may take to fail; its worker may be lost, and then another probes.
PROBE_SECONDS = 45
# What nobody asked about for so long is closed again.
KEPT_SECONDS = 24 * 3600
# Odoo did not answer, or something else did.
NO_ANSWER = (UnreachableError, UnknownOutcomeError, BadAnswerError)


@dataclass(frozen=True, kw_only=True)
class BreakerState:
    """How the breaker of a connection stands.

    Attributes:
        is_open: calls fail at once.
        open_since: since when, in seconds of the epoch; 0 where it is closed.
        tries_at: when the next probe may go.
        failed_probes: how many were not answered.
        problem, remedy: what the last call that was not answered said, and what is to be done about it.
    """

    is_open: bool = False
    open_since: float = 0.0
    tries_at: float = 0.0
    failed_probes: int = 0
    problem: str = ""
    remedy: str = ""


CLOSED = BreakerState()


def standing(connection: Connection) -> BreakerState:
    """How the breaker of ``connection`` stands. Asks the cache alone."""
    found = _ask(_key(connection, "open"))
    return BreakerState(is_open=True, **found) if found else CLOSED


def open_connections(connections: Iterable[Connection]) -> list[int]:
    """The ids of those that are not to be called yet: what waits for them is best left where it lies."""
    now = time.time()
    return [connection.pk for connection in connections if standing(connection).tries_at > now]


def check(connection: Connection) -> None:
    """Let a call through, or raise RestingError. Where a rest is over, one caller is let through, as the probe."""
    found = standing(connection)
    if not found.is_open:
        return
    wait = found.tries_at - time.time()
    if wait <= 0 and _add(_key(connection, "probe"), PROBE_SECONDS):
        return
    since = time.time() - found.open_since
    raise RestingError(
        connection.name,
        f"it has not answered for {since:.0f} s, and is asked again in {max(wait, 1):.0f} s ({found.problem})",
        f"{found.remedy} Nothing is lost meanwhile: what is to be read and written waits, and goes on by itself.".lstrip(),
    )


def answered(connection: Connection) -> None:
    """A call was answered, whatever the answer: whoever rested goes on."""
    names = [_key(connection, name) for name in ("failures", "open")]
    try:
        known = cache.get_many(names)
        if known:
            cache.delete_many([*names, _key(connection, "probe")])
    except Exception:
        logger.debug("The breaker's state could not be read", exc_info=True)
        return
    if names[1] in known:
        logger.warning("%s answers again", connection.name)


def failed(connection: Connection, error: OdooError) -> None:
    """A call was not answered, or not by Odoo: counted, and after some in a row the breaker opens."""
    if not isinstance(error, NO_ANSWER) or isinstance(error, RestingError):
        return
    opened, failures = _key(connection, "open"), _key(connection, "failures")
    try:
        cache.add(failures, 0, COUNTED_SECONDS)
        number = cache.incr(failures)
        found = cache.get(opened)
        if not found and number < OPENS_AFTER:
            return
        now = time.time()
        if found and found["tries_at"] > now:
            return  # A call that was on its way when it opened.
        probes = found["failed_probes"] + 1 if found else 0
        rest = min(FIRST_REST_SECONDS * 2**probes, LONGEST_REST_SECONDS) * random.uniform(0.75, 1.0)
        said: dict[str, Any] = {
            "open_since": found["open_since"] if found else now,
            "tries_at": now + rest,
            "failed_probes": probes,
            "problem": error.what,
            "remedy": error.remedy,
        }
        cache.set(opened, said, KEPT_SECONDS)
        cache.delete(_key(connection, "probe"))
    except Exception:
        logger.debug("The breaker's state could not be kept", exc_info=True)
        return
    logger.warning("%s does not answer; it is asked again in %.0f s", connection.name, rest)


def keep_pace(connection: Connection) -> None:
    """Wait until one more command may be begun in this Odoo: so many a second, whichever worker begins them."""
    while True:
        now = time.time()
        second = _key(connection, f"commands:{int(now)}")
        try:
            cache.add(second, 0, 5)
            if cache.incr(second) <= settings.ODOO_COMMANDS_PER_SECOND:
                return
        except Exception:
            logger.debug("The pace could not be kept", exc_info=True)
            return
        time.sleep(int(now) + 1 - now)


def _key(connection: Connection, name: str) -> str:
    # By the address too: one that is corrected begins anew.
    address = hashlib.sha256(connection.url.encode()).hexdigest()[:16]
    return f"odoo:circuit:{connection.pk}:{address}:{name}"


def _ask(name: str) -> Any:
    try:
        return cache.get(name)
    except Exception:
        # A cache that is away must not keep anybody from Odoo.
        logger.debug("The breaker's state could not be read", exc_info=True)
        return None


def _add(name: str, seconds: float) -> bool:
    try:
        return bool(cache.add(name, 1, seconds))
    except Exception:
        return True
