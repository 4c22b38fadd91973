"""What can be wrong with the integration itself, declared: exceptions that no workflow finds, and that stand in the same queue.

:mod:`apps.health.incidents` finds them as states; :mod:`apps.exceptions.incident_reconcile` brings the queue in line with what
was found.
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
        name="integration.connection_down", title="Odoo is out of reach", due=timedelta(minutes=30),
        evidence={"since_at": "Out of reach since", "waiting_count": "Deliveries and commands that wait",
                  "problem_name": "What is wrong, and what to do"},
        closed_because="Odoo answers again",
    ),
    IntegrationType(
        name="integration.sync_lag", title="What is shown is old", due=timedelta(hours=1),
        evidence={"mirrored_at": "Certainly mirrored up to", "model_name": "Model that is furthest behind",
                  "behind_count": "Models that are behind"},
        closed_because="All models were read again",
    ),
    IntegrationType(
        name="integration.policy_unusable", title="A policy cannot be used", due=timedelta(hours=4),
        evidence={"policy_name": "Policy", "version_count": "Version", "problem_name": "What is wrong, and what to do"},
        closed_because="The policy in force can be used again",
    ),
    IntegrationType(
        name="integration.extension_refused", title="Extension refused", due=timedelta(hours=8),
        evidence={"extension_name": "Package", "origin_name": "Found in", "problem_name": "What is wrong, and what to do"},
        closed_because="It is in use, or was removed",
    ),
    IntegrationType(
        name="integration.guards_outdated", title="Guards in Odoo go by other limits", due=timedelta(hours=8),
        evidence={"problem_name": "What is wrong, and what to do"},
        closed_because="The guards go by what is set",
    ),
    IntegrationType(
        name="integration.webhooks_silent", title="No webhooks arrive", due=timedelta(hours=4),
        evidence={"heard_at": "Last heard", "address_name": "They are sent to"},
        closed_because="Webhooks arrive again",
    ),
    IntegrationType(
        name="integration.intake_slow", title="Odoo's users wait for the tower", due=timedelta(minutes=15),
        evidence={"problem_name": "What they notice", "answered_count": "Webhooks in the last minutes",
                  "slow_count": "Answered after more than half a second", "turned_away_count": "Turned away",
                  "away_since_at": "The intake has not answered since"},
        closed_because="The intake answers at once again",
    ),
    IntegrationType(
        name="integration.hooks_off", title="Webhooks are switched off", due=timedelta(hours=8),
        evidence={"off_at": "Switched off"},
        closed_because="They are switched on again",
    ),
    IntegrationType(
        name="integration.command_failed", title="Not carried out in Odoo", due=timedelta(hours=2),
        evidence={"stopped_count": "Commands that stopped", "command_name": "The newest", "attempts_count": "Attempts",
                  "stopped_at": "Stopped", "problem_name": "What Odoo said"},
        closed_because="Nothing of this record stands still any more",
    ),
    IntegrationType(
        name="integration.ask_unanswered", title="An approval was asked for, and nobody was", due=timedelta(minutes=30),
        evidence={"record_name": "Record in Odoo", "kind_name": "Asked for", "asked_by_name": "Asked by", "asked_at": "Asked",
                  "attempts_count": "Attempts", "problem_name": "What is wrong, and what to do"},
        closed_because="A request is open, or the ask was withdrawn in Odoo",
    ),
    IntegrationType(
        name="integration.dead_letters", title="Dead letters wait", due=timedelta(hours=4),
        evidence={"dead_count": "Deliveries given up", "oldest_at": "The oldest is of", "newest_at": "The newest is of",
                  "problem_name": "The newest: what is wrong"},
        closed_because="No dead letter is left",
    ),
    IntegrationType(
        name="integration.queue_stuck", title="Work waits too long", due=timedelta(minutes=30),
        evidence={"waiting_count": "Waiting", "oldest_at": "The oldest is due since", "queue_name": "Queue"},
        closed_because="The queue moves again",
    ),
    IntegrationType(
        name="integration.worker_missing", title="A queue is served by nobody", due=timedelta(minutes=15),
        evidence={"queue_name": "Queue", "workers_count": "Workers that live"},
        closed_because="A worker serves it again",
    ),
    IntegrationType(
        name="integration.scheduler_silent", title="The scheduler is not heard of", due=timedelta(minutes=15),
        evidence={"heard_at": "Last heard"},
        closed_because="The scheduler is heard of again",
    ),
    IntegrationType(
        name="integration.odoo_job_late", title="Odoo's scheduled actions are late", due=timedelta(hours=2),
        evidence={"late_count": "Late", "known_count": "Of all that are active", "due_at": "The latest was due",
                  "job_names": "Which"},
        closed_because="They run again",
    ),
    IntegrationType(
        name="integration.odoo_job_failing", title="A scheduled action fails in Odoo", due=timedelta(hours=8),
        evidence={"failures_count": "Failures in a row", "first_failed_at": "First failed", "last_run_at": "Last run",
                  "next_run_at": "Runs next", "given_up_name": "Switched off by Odoo"},
        closed_because="It ran without failing",
    ),
    IntegrationType(
        name="integration.key_expires", title="The tower's key ends soon", due=timedelta(days=3),
        evidence={"left_days": "Days left", "ends_at": "Ends", "login_name": "Login"},
        closed_because="A key that lasts longer is in use",
    ),
    IntegrationType(
        name="integration.model_unreadable", title="A model cannot be read", due=timedelta(hours=8),
        evidence={"model_name": "Model", "read_at": "Last read", "problem_name": "What is wrong"},
        closed_because="It was read again",
    ),
    IntegrationType(
        name="integration.deletions_held", title="Too many deletions at once: held", due=timedelta(hours=4),
        evidence={"model_name": "Model", "compared_quantity": "Records compared", "held_at": "Held",
                  "problem_name": "What was found"},
        closed_because="A later comparison held nothing",
    ),
    IntegrationType(
        name="integration.calendar_unusable", title="A working calendar cannot be used", due=timedelta(hours=8),
        evidence={"team_name": "Team", "problem_name": "What is wrong"},
        closed_because="The calendar can be used again",
    ),
)  # fmt: skip
