"""Does the intake keep Odoo's users waiting? What it measured itself in the last minutes, and whether it answers a knock.

An intake that hangs measures nothing, so the tower knocks there every few seconds. Where it never answered a knock (the
workers cannot reach the address that Odoo reaches), that says nothing and is left out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx2
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext

from apps.intake import waits
from apps.odoo.models import Connection

KEY = "health:intake"
# Odoo itself waits for one second.
BOUND_SECONDS = 1.0
LATELY = timedelta(minutes=3)
AWAY_AFTER = timedelta(seconds=20)


@dataclass(frozen=True, kw_only=True)
class Intake:
    """How the intake serves one connection now.

    Attributes:
        lately: how long that Odoo's webhooks waited in the last minutes.
        away_since: since when it does not answer at all.
    """

    lately: waits.Waited
    away_since: datetime | None

    @property
    def hurts(self) -> bool:
        """Whether people in Odoo notice."""
        return self.away_since is not None or self.lately.hurts

    @property
    def words(self) -> str:
        """What they notice, as a sentence."""
        if self.away_since is not None:
            return gettext("the webhook intake has not responded since %(at)s UTC.") % {"at": f"{self.away_since:%H:%M:%S}"}
        one = self.lately
        return gettext(
            "of %(answered)s webhooks in the last minutes, %(slow)s took more than half a second and %(turned_away)s were rejected."
        ) % {"answered": one.answered, "slow": one.slow, "turned_away": one.turned_away}


def probe_intake(*, now: datetime) -> None:
    """Ask the intake for an answer of any kind, and note when it gave one, or since when it does not."""
    kept = cache.get(KEY) or {"answered_at": None, "failing_since": None}
    try:
        answer = httpx2.get(f"{settings.INTAKE_URL}/hooks/odoo/", timeout=BOUND_SECONDS, trust_env=False)
        is_there = answer.status_code < 500
    except httpx2.HTTPError:
        is_there = False
    if is_there:
        cache.set(KEY, {"answered_at": now, "failing_since": None}, None)
    elif kept["answered_at"]:
        cache.set(KEY, kept | {"failing_since": kept["failing_since"] or now}, None)


def intake_of(connection: Connection, *, now: datetime) -> Intake:
    """How the intake serves ``connection``; well where that Odoo sends it nothing."""
    nothing = Intake(lately=waits.Waited(), away_since=None)
    if not connection.is_provisioned or connection.hooks_off_at:
        return nothing
    kept = cache.get(KEY) or {}
    since = kept.get("failing_since")
    lately = waits.since(now - LATELY, connection_ids=[connection.pk], now=now).get(connection.pk, waits.Waited())
    return Intake(lately=lately, away_since=since if since and now - since >= AWAY_AFTER else None)
