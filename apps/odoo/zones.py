"""In which time zone the companies of a connection count days: by its own setting, else as Odoo says."""

import zoneinfo
from datetime import datetime

from django.db import connection as database
from django.db import transaction
from django.utils.translation import gettext

from apps.accounts import permissions
from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.refusals import Problem, Refusal
from apps.core.wake import wake
from apps.odoo.models import Connection

# The mirror's tables and its function company_zone stand above this floor; they are asked by name.
OF_COMPANIES = """
SELECT c.odoo_id, c.name, company_zone(c.connection_id, c.odoo_id)
  FROM mirror_res_company c
 WHERE c.connection_id = %s AND c.deleted_at IS NULL
 ORDER BY c.odoo_id
 LIMIT 50
"""


class ZoneRefusedError(Refusal):
    """That is no time zone; the message says what to enter."""

    problem = Problem(
        "time_zone_unknown",
        422,
        "Unknown time zone",
        meaning="A connection is given a time zone that does not exist.",
        remedy="Send a name of the IANA database, such as Europe/Berlin.",
    )


@transaction.atomic
def set_time_zone(connection: Connection, zone: str, *, by: User, now: datetime) -> bool:
    """Have the companies of ``connection`` count days in ``zone`` (none: each as Odoo says); whether that is a change.

    A worker evaluates anew what is open there.

    Raises NotAllowedError, ZoneRefusedError.
    """
    permissions.check_may_integrate(by)
    if zone and zone not in zoneinfo.available_timezones():
        raise ZoneRefusedError(gettext("There is no time zone %(zone)s. Enter one such as Europe/Berlin.") % {"zone": zone[:60]})
    if not Connection.objects.filter(pk=connection.pk).exclude(time_zone=zone).update(time_zone=zone, zone_set_at=now):
        return False
    trail.record(
        trail.Event(
            action="connection.time_zone_set",
            actor=by.actor,
            subject=f"connection:{connection.name}",
            data={"from": connection.time_zone, "to": zone},
            about=(connection.pk, None),
        ),
        now=now,
    )
    live.announce(["health"])
    wake("pipeline.look_again")
    return True


def of_companies(connection: Connection, *, scope: AccessScope) -> list[tuple[str, str]]:
    """Each company of the connection that is in ``scope``, and the zone in which it counts days."""
    with database.cursor() as cursor:
        cursor.execute(OF_COMPANIES, [connection.pk])
        return [(name or "", zone) for company, name, zone in cursor.fetchall() if scope.sees(connection.pk, company)]
