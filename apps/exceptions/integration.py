"""What can be wrong with the integration itself, declared: exceptions that no workflow finds, and that stand in the same queue.

:mod:`apps.health.incidents` finds them as states; :mod:`apps.exceptions.cases.incident_reconcile` brings the queue in line with
what was found.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_noop

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import parameter_catalogue
from apps.workflows.parameter_catalogue import Area, Declared

WORKFLOW = "integration"
AREA = Area(name=WORKFLOW, title=gettext_noop("Integration"))
TEAM = "integration"
# What stands in the place of an Odoo model where the trouble is of a whole connection, or of the tower itself.
CONNECTION, TOWER = "connection", "tower"


@dataclass(frozen=True, kw_only=True)
class IntegrationType:
    """A kind of trouble.

    Attributes:
        due: its SLA, in working time of the team, where none is set as a parameter.
        evidence: the columns that it rests on, each with what it is.
        closed_because: what is said when it closes itself.
    """

    name: str
    title: str
    due: timedelta
    evidence: Mapping[str, Figure]
    closed_because: str


def _declared(*types: IntegrationType) -> dict[str, IntegrationType]:
    return {one.name: one for one in types}


TYPES = _declared(
    IntegrationType(
        name="integration.connection_down",
        title="Odoo cannot be reached",
        due=timedelta(minutes=30),
        evidence={
            "since_at": Figure("Unreachable since", figures.moment),
            "waiting_count": Figure("Pending deliveries and commands", figures.count),
            "problem_name": Figure("Problem and remedy", figures.text),
        },
        closed_because="Odoo answers again",
    ),
    IntegrationType(
        name="integration.sync_lag",
        title="Data out of date",
        due=timedelta(hours=1),
        evidence={
            "mirrored_at": Figure("Mirrored up to (guaranteed)", figures.moment),
            "model_name": Figure("Model with the longest lag", figures.text),
            "behind_count": Figure("Lagging models", figures.count),
        },
        closed_because="All models are readable again",
    ),
    IntegrationType(
        name="integration.policy_unusable",
        title="Invalid policy",
        due=timedelta(hours=4),
        evidence={
            "policy_name": Figure("Policy", figures.text),
            "version_count": Figure("Version", figures.count),
            "problem_name": Figure("Problem and remedy", figures.text),
        },
        closed_because="The policy in force is valid again",
    ),
    IntegrationType(
        name="integration.extension_refused",
        title="Extension refused",
        due=timedelta(hours=8),
        evidence={
            "extension_name": Figure("Package", figures.text),
            "origin_name": Figure("Found in", figures.text),
            "problem_name": Figure("Problem and remedy", figures.text),
        },
        closed_because="It is in use, or was removed",
    ),
    IntegrationType(
        name="integration.guards_outdated",
        title="Guards in Odoo out of date",
        due=timedelta(hours=8),
        evidence={"problem_name": Figure("Problem and remedy", figures.text)},
        closed_because="The guards are up to date",
    ),
    IntegrationType(
        name="integration.webhooks_silent",
        title="No webhooks received",
        due=timedelta(hours=4),
        evidence={"heard_at": Figure("Last seen", figures.moment), "address_name": Figure("Sent to", figures.text)},
        closed_because="Webhooks received again",
    ),
    IntegrationType(
        name="integration.intake_slow",
        title="Webhook delay in Odoo",
        due=timedelta(minutes=15),
        evidence={
            "problem_name": Figure("Effect", figures.text),
            "answered_count": Figure("Webhooks in the last minutes", figures.count),
            "slow_count": Figure("Answered after more than half a second", figures.count),
            "turned_away_count": Figure("Webhooks rejected", figures.count),
            "away_since_at": Figure("Webhook intake not responding since", figures.moment),
        },
        closed_because="The webhook intake is responsive again",
    ),
    IntegrationType(
        name="integration.hooks_off",
        title="Webhooks are switched off",
        due=timedelta(hours=8),
        evidence={"off_at": Figure("Switched off", figures.moment)},
        closed_because="They are switched on again",
    ),
    IntegrationType(
        name="integration.command_failed",
        title="Not carried out in Odoo",
        due=timedelta(hours=2),
        evidence={
            "stopped_count": Figure("Failed commands", figures.count),
            "command_name": Figure("Newest", figures.text),
            "attempts_count": Figure("Attempts", figures.count),
            "stopped_at": Figure("Failed", figures.moment),
            "problem_name": Figure("Odoo's response", figures.text),
        },
        closed_because="The record has progressed",
    ),
    IntegrationType(
        name="integration.ask_unanswered",
        title="Approval asked without request",
        due=timedelta(minutes=30),
        evidence={
            "record_name": Figure("Record in Odoo", figures.text),
            "kind_name": Figure("Requested", figures.text),
            "asked_by_name": Figure("Requested by", figures.text),
            "asked_at": Figure("Requested at", figures.moment),
            "attempts_count": Figure("Attempts", figures.count),
            "problem_name": Figure("Problem and remedy", figures.text),
        },
        closed_because="A request is open, or was withdrawn in Odoo",
    ),
    IntegrationType(
        name="integration.dead_letters",
        title="Dead letters",
        due=timedelta(hours=4),
        evidence={
            "dead_count": Figure("Dead-lettered deliveries", figures.count),
            "oldest_at": Figure("Oldest", figures.moment),
            "newest_at": Figure("Newest", figures.moment),
            "problem_name": Figure("Newest: problem", figures.text),
        },
        closed_because="No dead letter is left",
    ),
    IntegrationType(
        name="integration.queue_stuck",
        title="Queue overdue",
        due=timedelta(minutes=30),
        evidence={
            "waiting_count": Figure("Waiting", figures.count),
            "oldest_at": Figure("Oldest due since", figures.moment),
            "queue_name": Figure("Queue", figures.word),
        },
        closed_because="The queue is processed again",
    ),
    IntegrationType(
        name="integration.worker_missing",
        title="No worker on queue",
        due=timedelta(minutes=15),
        evidence={"queue_name": Figure("Queue", figures.text), "workers_count": Figure("Live workers", figures.count)},
        closed_because="A worker is on the queue again",
    ),
    IntegrationType(
        name="integration.scheduler_silent",
        title="Scheduler heartbeat lost",
        due=timedelta(minutes=15),
        evidence={"heard_at": Figure("Last seen", figures.moment)},
        closed_because="Scheduler heartbeat restored",
    ),
    IntegrationType(
        name="integration.odoo_job_late",
        title="Odoo's scheduled actions are late",
        due=timedelta(hours=2),
        evidence={
            "late_count": Figure("Late", figures.count),
            "known_count": Figure("Of all that are active", figures.count),
            "due_at": Figure("The latest was due", figures.moment),
            "job_names": Figure("Scheduled actions", figures.text),
        },
        closed_because="They run again",
    ),
    IntegrationType(
        name="integration.odoo_job_failing",
        title="A scheduled action fails in Odoo",
        due=timedelta(hours=8),
        evidence={
            "failures_count": Figure("Failures in a row", figures.count),
            "first_failed_at": Figure("First failed", figures.moment),
            "last_run_at": Figure("Last run", figures.moment),
            "next_run_at": Figure("Runs next", figures.moment),
            "given_up_name": Figure("Switched off by Odoo", figures.yes_no),
        },
        closed_because="It ran without failing",
    ),
    IntegrationType(
        name="integration.key_expires",
        title="API key expires soon",
        due=timedelta(days=3),
        evidence={
            "left_days": Figure("Days left", figures.days),
            "ends_at": Figure("Ends", figures.moment),
            "login_name": Figure("Login", figures.text),
        },
        closed_because="A key with a later expiry is in use",
    ),
    IntegrationType(
        name="integration.model_unreadable",
        title="A model cannot be read",
        due=timedelta(hours=8),
        evidence={
            "model_name": Figure("Model", figures.text),
            "read_at": Figure("Last read", figures.moment),
            "problem_name": Figure("Problem", figures.text),
        },
        closed_because="The model is readable again",
    ),
    IntegrationType(
        name="integration.deletions_held",
        title="Mass deletion paused",
        due=timedelta(hours=4),
        evidence={
            "model_name": Figure("Model", figures.text),
            "compared_quantity": Figure("Records compared", figures.count),
            "held_at": Figure("Held", figures.moment),
            "problem_name": Figure("Finding", figures.text),
        },
        closed_because="A later reconciliation paused nothing",
    ),
    IntegrationType(
        name="integration.calendar_unusable",
        title="Invalid working calendar",
        due=timedelta(hours=8),
        evidence={"team_name": Figure("Team", figures.text), "problem_name": Figure("Problem", figures.text)},
        closed_because="The calendar is valid again",
    ),
)


def sla_parameters() -> Iterator[Declared]:
    """Yield each type's SLA as a parameter, which is set where those of the workflows are."""
    for kind in TYPES.values():
        yield Declared(parameter=parameter_catalogue.due_of(kind.name, kind.due), workflows=(), beside=AREA, part=kind.title)
