"""What resolves an incident of the integration: check again, retry, replay, provision again, switch on."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from apps.accounts import access
from apps.accounts.models import User
from apps.accounts.permissions import INTEGRATORS, may_work_exceptions
from apps.core import sentences
from apps.core.wake import wake
from apps.exceptions.cases import own_actions
from apps.exceptions.cases.own_actions import OwnAction
from apps.exceptions.models import ExceptionCase
from apps.intake import moves as deliveries
from apps.intake import queries as letters
from apps.intake import refresh_requests
from apps.intake.models import Delivery
from apps.intake.models import Status as DeliveryStatus
from apps.mirror.models.x_ct_request import ApprovalAsk
from apps.odoo import hooks
from apps.odoo.guards import ASK
from apps.outbox import moves as commands
from apps.outbox.enqueue import lane_of
from apps.outbox.models import Command
from apps.outbox.transitions import COMMANDS
from apps.workflows.offers import Option

MOST_REPLAYED, MOST_COMMANDS = 5_000, 20
DETECT = "health.detect_incidents"
PROVISION = "pipeline.provision"
# What checks each type again, before incidents are detected anew.
CHECKS: dict[str, tuple[str, ...]] = {
    "integration.connection_down": ("pipeline.probe",),
    "integration.model_unreadable": ("pipeline.probe", "pipeline.poll"),
    "integration.sync_lag": ("pipeline.poll",),
    "integration.webhooks_silent": ("pipeline.probe", "pipeline.poll"),
    "integration.guards_outdated": ("pipeline.probe",),
    "integration.hooks_off": ("pipeline.probe",),
    "integration.intake_slow": ("health.probe_intake",),
    "integration.queue_stuck": ("pipeline.refresh", "outbox.dispatch", "notifications.send", "exceptions.work"),
    "integration.odoo_job_late": ("pipeline.probe",),
    "integration.odoo_job_failing": ("pipeline.probe",),
    "integration.key_expires": ("pipeline.probe",),
    "integration.deletions_held": ("pipeline.reconcile",),
    "integration.policy_unusable": (),
    "integration.extension_refused": (),
    "integration.worker_missing": (),
    "integration.scheduler_silent": (),
    "integration.calendar_unusable": (),
}


def _works(user: User) -> bool:
    return may_work_exceptions(user, of_integration=True)


def _integrates(user: User) -> bool:
    return user.role in INTEGRATORS


def _one(template: str, **values: object) -> list[Option]:
    return [Option(key="now", told=sentences.compose(template, values), columns={})]


def _check_again(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    return _one(gettext_noop("Check {name} now, instead of at the next time"), name=case.record_name)


def _do_check_again(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    for task in (*CHECKS[case.type], DETECT):
        wake(task)


def _commands(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    lane = lane_of(case.connection_id, case.model, case.odoo_id)
    stopped = Command.objects.filter(lane=lane, status__in=COMMANDS.sources("retry")).order_by("sequence")
    return [Option(key=str(one.pk), told=one.title_sentence, columns={}) for one in stopped[:MOST_COMMANDS]]


def _retry(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    commands.retry(option.key, by=by, now=now)


def _dead_letters(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    dead = Delivery.objects.filter(connection_id=case.connection_id, status=DeliveryStatus.DEAD)
    count = dead[:MOST_REPLAYED].count()
    return _one(gettext_noop("{count} dead letters are processed once more"), count=count) if count else []


def _replay(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    dead = letters.dead(access.scope_of(by)).filter(connection_id=case.connection_id)
    deliveries.replay(list(dead.values_list("id", flat=True)[:MOST_REPLAYED]), by=by, now=now)


def _provision(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    if not case.connection.is_provisioned:
        return []
    again = gettext_noop("Guards, fields and webhooks are set up in {name} again, as this tower has them")
    return _one(again, name=case.connection.name)


def _do_provision(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    wake(PROVISION, connection_id=case.connection_id)


def _hooks(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    if not case.connection.hooks_off_at:
        return []
    return _one(gettext_noop("{name} tells the tower of each change again"), name=case.connection.name)


def _switch_on(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    hooks.set_webhook_state(case.connection, on=True, by=by, now=now)


def _ask(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    read = gettext_noop("Read {name} and what is asked about it again")
    return _one(read, name=case.record_name) if case.is_of_a_record else []


def _read_again(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    for model in (case.model, ASK):
        ids = [case.odoo_id] if model == case.model else _asks_of(case)
        if ids:
            refresh_requests.add(connection_id=case.connection_id, model=model, odoo_ids=ids, source="action", now=now)


def _asks_of(case: ExceptionCase) -> list[int]:
    """The asks about the record that wait in Odoo, as the mirror has them."""
    rows = ApprovalAsk.objects.filter(connection_id=case.connection_id, x_res_model=case.model, x_res_id=case.odoo_id)
    return list(rows.filter(deleted_at=None).values_list("odoo_id", flat=True))


ACTIONS = (
    OwnAction(
        name="retry_command",
        title=gettext_noop("Try again"),
        does=gettext_noop("Odoo is read first: what it has done already is not done twice"),
        types=["integration.command_failed"],
        options=_commands,
        do=_retry,
        may=_integrates,
    ),
    OwnAction(
        name="replay",
        title=gettext_noop("Replay dead letters"),
        does=gettext_noop("Each record is read anew"),
        types=["integration.dead_letters"],
        options=_dead_letters,
        do=_replay,
        may=_integrates,
    ),
    OwnAction(
        name="provision_again",
        title=gettext_noop("Provision again"),
        does=gettext_noop("A worker sets up what is missing or changed, and leaves the rest"),
        types=["integration.guards_outdated", "integration.webhooks_silent"],
        options=_provision,
        do=_do_provision,
        may=_integrates,
    ),
    OwnAction(
        name="switch_hooks_on",
        title=gettext_noop("Switch webhooks on"),
        does=gettext_noop("A worker switches them on in Odoo"),
        types=["integration.hooks_off"],
        options=_hooks,
        do=_switch_on,
        may=_integrates,
    ),
    OwnAction(
        name="read_again",
        title=gettext_noop("Read again"),
        does=gettext_noop("What it is asked for is evaluated anew"),
        types=["integration.ask_unanswered"],
        options=_ask,
        do=_read_again,
        may=_works,
    ),
    OwnAction(
        name="check_again",
        title=gettext_noop("Check again now"),
        does=gettext_noop("It closes by itself where all is well"),
        types=list(CHECKS),
        options=_check_again,
        do=_do_check_again,
        may=_works,
    ),
)
for _action in ACTIONS:
    own_actions.register(_action)
