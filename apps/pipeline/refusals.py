"""Telling people about commands that Odoo refused: a refusal is found as a state, not pushed up by whoever met it."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import Role, User
from apps.approvals.models import Request
from apps.core import isolation, live
from apps.notifications.notify import Message, notify
from apps.outbox.models import Command, Status

logger = logging.getLogger(__name__)


def _title(command: Command) -> str:
    return gettext("Not carried out in Odoo: %(command)s") % {"command": command.told}


@transaction.atomic
def tell_about(*, now: datetime) -> int:
    """Tell whoever decided, and the integrators, what was not carried out and why; how many commands."""
    refused = list(
        Command.objects.select_for_update(skip_locked=True)
        .filter(status__in=[Status.REFUSED, Status.DEAD], told_at=None)
        .order_by("sequence")[:100]
    )
    integrators = list(User.objects.filter(role__in=[Role.INTEGRATOR, Role.ADMIN], is_active=True)) if refused else []

    def take(some: Sequence[Command]) -> None:
        for command in some:
            _tell_of(command, integrators, now)

    def refuse(command: Command, error: Exception) -> None:
        logger.error("People could not be told of command %s", command.pk, exc_info=error)

    isolation.taken(refused, take, refuse)
    for command in refused:
        command.told_at = now
    Command.objects.bulk_update(refused, ["told_at"])
    if refused:
        live.announce(["health"])
    return len(refused)


def _tell_of(command: Command, integrators: Sequence[User], now: datetime) -> None:
    people, path = {user.pk: user for user in integrators}, "/health/"
    if command.decision.startswith("approval:"):
        request = Request.objects.filter(pk=int(command.decision.split(":")[1])).select_related("decided_by").first()
        path = f"/approvals/{command.decision.split(':')[1]}/"
        if request and request.decided_by:
            people[request.decided_by.pk] = request.decided_by
    notify(
        Message(
            kind="command.refused",
            key=f"command:{command.pk}:{command.status}:{command.done_at}",
            about=(command.connection_id, command.company_id),
            title=partial(_title, command),
            body=command.problem,
            path=path,
        ),
        people=people.values(),
        now=now,
    )
