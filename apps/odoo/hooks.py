"""Switching an Odoo's webhooks off and on again, where the tower's own intake makes Odoo's users wait.

Odoo sends a webhook in the transaction of the user who saves. While the tower cannot answer quickly, its webhooks are a
burden on people who have nothing to do with it; without them polling finds every change, a little later. What guards
and holds records in Odoo calls nobody and stays. The switching itself is in :mod:`apps.odoo.webhook_state`.
"""

from datetime import datetime

from django.db import transaction

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.wake import wake
from apps.odoo.models import Connection

SWITCH = "pipeline.switch_hooks"


@transaction.atomic
def set_webhook_state(connection: Connection, *, on: bool, by: User, now: datetime) -> bool:
    """Have the webhooks of ``connection`` switched on or off by a worker; whether that is a change.

    Raises NotAllowedError.
    """
    permissions.check_may_integrate(by)
    if not Connection.objects.filter(pk=connection.pk).exclude(hooks_wanted=on).update(hooks_wanted=on):
        return False
    trail.record(
        trail.Event(
            action="connection.hooks_on" if on else "connection.hooks_off",
            actor=by.actor,
            subject=f"connection:{connection.name}",
            about=(connection.pk, None),
        ),
        now=now,
    )
    live.announce(["health"])
    wake(SWITCH)
    return True
