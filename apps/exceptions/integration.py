"""What can be wrong with the integration itself, declared: exceptions that no workflow finds, and that stand in the same queue.

:mod:`apps.health.incidents` finds them as states; :mod:`apps.exceptions.cases.incident_reconcile` brings the queue in line with
what was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

WORKFLOW = "integration"
TEAM = "integration"
# What stands in the place of an Odoo model where the trouble is of a whole connection, or of the tower itself.
CONNECTION, TOWER = "connection", "tower"


@dataclass(frozen=True, kw_only=True)
class IntegrationType:
    """A kind of trouble.

    Attributes:
        due: its SLA, in working time of the team.
        evidence: the figures that it rests on, with the words that people read for them.
        closed_because: what is said when it closes itself.
    """

    name: str
    title: str
    due: timedelta
    evidence: Mapping[str, str]
    closed_because: str


def _declared(*types: IntegrationType) -> dict[str, IntegrationType]:
    return {one.name: one for one in types}


TYPES = _declared(
    IntegrationType(
        name="integration.connection_down",
        title="Odoo cannot be reached",
        due=timedelta(minutes=30),
        evidence={
            "since_at": "Unreachable since",
            "waiting_count": "Pending deliveries and commands",
            "problem_name": "Problem and remedy",
        },
        closed_because="Odoo answers again",
    ),
    IntegrationType(
        name="integration.sync_lag",
        title="Data out of date",
        due=timedelta(hours=1),
        evidence={
            "mirrored_at": "Mirrored up to (guaranteed)",
            "model_name": "Model with the longest lag",
            "behind_count": "Lagging models",
        },
        closed_because="All models are readable again",
    ),
    IntegrationType(
        name="integration.policy_unusable",
        title="Invalid policy",
        due=timedelta(hours=4),
        evidence={"policy_name": "Policy", "version_count": "Version", "problem_name": "Problem and remedy"},
        closed_because="The policy in force is valid again",
    ),
    IntegrationType(
        name="integration.extension_refused",
        title="Extension refused",
        due=timedelta(hours=8),
        evidence={"extension_name": "Package", "origin_name": "Found in", "problem_name": "Problem and remedy"},
        closed_because="It is in use, or was removed",
    ),
    IntegrationType(
        name="integration.guards_outdated",
        title="Guards in Odoo out of date",
        due=timedelta(hours=8),
        evidence={"problem_name": "Problem and remedy"},
        closed_because="The guards are up to date",
    ),
    IntegrationType(
        name="integration.webhooks_silent",
        title="No webhooks received",
        due=timedelta(hours=4),
        evidence={"heard_at": "Last seen", "address_name": "Sent to"},
        closed_because="Webhooks received again",
    ),
    IntegrationType(
        name="integration.intake_slow",
        title="Webhook delay in Odoo",
        due=timedelta(minutes=15),
        evidence={
            "problem_name": "Effect",
            "answered_count": "Webhooks in the last minutes",
            "slow_count": "Answered after more than half a second",
            "turned_away_count": "Webhooks rejected",
            "away_since_at": "Webhook intake not responding since",
        },
        closed_because="The webhook intake is responsive again",
    ),
    IntegrationType(
        name="integration.hooks_off",
        title="Webhooks are switched off",
        due=timedelta(hours=8),
        evidence={"off_at": "Switched off"},
        closed_because="They are switched on again",
    ),
    IntegrationType(
        name="integration.command_failed",
        title="Not carried out in Odoo",
        due=timedelta(hours=2),
        evidence={
            "stopped_count": "Failed commands",
            "command_name": "Newest",
            "attempts_count": "Attempts",
            "stopped_at": "Failed",
            "problem_name": "Odoo's response",
        },
        closed_because="The record has progressed",
    ),
    IntegrationType(
        name="integration.ask_unanswered",
        title="Approval asked without request",
        due=timedelta(minutes=30),
        evidence={
            "record_name": "Record in Odoo",
            "kind_name": "Requested",
            "asked_by_name": "Requested by",
            "asked_at": "Requested at",
            "attempts_count": "Attempts",
            "problem_name": "Problem and remedy",
        },
        closed_because="A request is open, or was withdrawn in Odoo",
    ),
    IntegrationType(
        name="integration.dead_letters",
        title="Dead letters",
        due=timedelta(hours=4),
        evidence={
            "dead_count": "Dead-lettered deliveries",
            "oldest_at": "Oldest",
            "newest_at": "Newest",
            "problem_name": "Newest: problem",
        },
        closed_because="No dead letter is left",
    ),
    IntegrationType(
        name="integration.queue_stuck",
        title="Queue overdue",
        due=timedelta(minutes=30),
        evidence={"waiting_count": "Waiting", "oldest_at": "Oldest due since", "queue_name": "Queue"},
        closed_because="The queue is processed again",
    ),
    IntegrationType(
        name="integration.worker_missing",
        title="No worker on queue",
        due=timedelta(minutes=15),
        evidence={"queue_name": "Queue", "workers_count": "Live workers"},
        closed_because="A worker is on the queue again",
    ),
    IntegrationType(
        name="integration.scheduler_silent",
        title="Scheduler heartbeat lost",
        due=timedelta(minutes=15),
        evidence={"heard_at": "Last seen"},
        closed_because="Scheduler heartbeat restored",
    ),
    IntegrationType(
        name="integration.odoo_job_late",
        title="Odoo's scheduled actions are late",
        due=timedelta(hours=2),
        evidence={
            "late_count": "Late",
            "known_count": "Of all that are active",
            "due_at": "The latest was due",
            "job_names": "Scheduled actions",
        },
        closed_because="They run again",
    ),
    IntegrationType(
        name="integration.odoo_job_failing",
        title="A scheduled action fails in Odoo",
        due=timedelta(hours=8),
        evidence={
            "failures_count": "Failures in a row",
            "first_failed_at": "First failed",
            "last_run_at": "Last run",
            "next_run_at": "Runs next",
            "given_up_name": "Switched off by Odoo",
        },
        closed_because="It ran without failing",
    ),
    IntegrationType(
        name="integration.key_expires",
        title="API key expires soon",
        due=timedelta(days=3),
        evidence={"left_days": "Days left", "ends_at": "Ends", "login_name": "Login"},
        closed_because="A key with a later expiry is in use",
    ),
    IntegrationType(
        name="integration.model_unreadable",
        title="A model cannot be read",
        due=timedelta(hours=8),
        evidence={"model_name": "Model", "read_at": "Last read", "problem_name": "Problem"},
        closed_because="The model is readable again",
    ),
    IntegrationType(
        name="integration.deletions_held",
        title="Mass deletion paused",
        due=timedelta(hours=4),
        evidence={"model_name": "Model", "compared_quantity": "Records compared", "held_at": "Held", "problem_name": "Finding"},
        closed_because="A later reconciliation paused nothing",
    ),
    IntegrationType(
        name="integration.calendar_unusable",
        title="Invalid working calendar",
        due=timedelta(hours=8),
        evidence={"team_name": "Team", "problem_name": "Problem"},
        closed_because="The calendar is valid again",
    ),
)
