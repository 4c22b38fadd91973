"""What people do with commands that were refused or given up: try again."""

from datetime import datetime

from django.utils.translation import gettext

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.core.wake import wake
from apps.outbox.models import Command, Status
from apps.outbox.transitions import COMMANDS


class RetryRefusedError(Refusal):
    """The command cannot be tried again; the message says why."""

    problem = Problem(
        "command_not_failed",
        409,
        "Command cannot be retried",
        meaning="The command does not exist, or has not failed.",
        remedy="Retry only commands whose status is refused or dead.",
    )


@atomic_with_retry
def retry(command_id: str, *, by: User, now: datetime) -> Command:
    """Queue a command again that was refused or given up, and those of the decision that were cancelled after it.

    Its preconditions are read anew, and an effect that is there already is found first, so nothing happens twice.

    Raises:
        NotAllowedError: this person may not change commands.
        RetryRefusedError: it is not refused or given up, or there is none of that number.
    """
    permissions.check_may_integrate(by)
    command = Command.objects.select_for_update(of=("self",)).filter(pk=command_id).first()
    if command is None:
        raise RetryRefusedError(gettext("There is no command %(command_id)s.") % {"command_id": command_id})
    if command.status not in COMMANDS.sources("retry"):
        raise RetryRefusedError(
            gettext("“%(title)s” is %(status)s; only refused or failed commands can be retried.")
            % {"title": command.told, "status": command.get_status_display().lower()}
        )
    _queue_again("retry", command, now)
    cancelled = Command.objects.filter(
        lane=command.lane, decision=command.decision, sequence__gt=command.sequence, status=Status.CANCELLED
    )
    for other in cancelled if command.decision else []:
        _queue_again("retry_after", other, now)
    trail.record(
        trail.Event(
            action="command.retried",
            actor=by.actor,
            subject=f"command:{command.pk}",
            data={"title": command.title},
            about=(command.connection_id, command.company_id),
        ),
        now=now,
    )
    wake("outbox.dispatch")
    return command


def _queue_again(move: str, command: Command, now: datetime) -> None:
    COMMANDS.make(move, command)
    command.not_before, command.attempts, command.done_at = now, 0, None
    command.sent_at = command.told_at = None
    command.save(update_fields=["status", "not_before", "attempts", "done_at", "sent_at", "told_at"])
