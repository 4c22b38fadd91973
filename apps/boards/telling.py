"""One timeline a record: transitions, exceptions, approvals, commands and comments, as sentences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from apps.audit.models import Entry
from apps.exceptions.models import Comment
from apps.outbox.models import Command
from apps.workflows import registry
from apps.workflows.models import Transition


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One entry of a timeline: an icon for its kind, who, what, and what was said."""

    at: datetime
    icon: str
    tone: str
    who: str
    what: str
    quote: str = ""


# Kind and verb of the audit trail's actions, with the icon that tells them apart.
TOLD = {
    "exception.opened": ("octagon-alert", "late", "opened the exception"),
    "exception.assigned": ("user-check", "calm", "assigned the exception"),
    "exception.acknowledged": ("eye", "calm", "acknowledged the exception"),
    "exception.snoozed": ("bell-off", "", "snoozed the exception"),
    "exception.woken": ("alarm-clock", "risk", "woke the exception"),
    "exception.breached": ("alarm-clock", "late", "saw the SLA breached of the exception"),
    "exception.resolved": ("circle-check", "done", "resolved the exception"),
    "exception.closed": ("circle-check", "done", "closed the exception"),
    "approval.requested": ("stamp", "risk", "asked for the approval"),
    "approval.reminded": ("bell", "risk", "reminded of the approval"),
    "approval.escalated": ("flag", "late", "escalated the approval"),
    "approval.delegated": ("corner-up-right", "calm", "handed on the approval"),
    "approval.approved": ("circle-check", "done", "approved"),
    "approval.rejected": ("circle-x", "late", "rejected"),
    "approval.cancelled": ("ban", "", "withdrew the approval"),
    "approval.expired": ("hourglass", "risk", "let expire the approval"),
    "command.enqueued": ("clock", "", "will tell Odoo"),
    "command.done": ("check-check", "done", "saw in Odoo"),
    "command.refused": ("octagon-alert", "late", "was refused by Odoo"),
    "command.dead": ("octagon-alert", "late", "gave up telling Odoo"),
    "command.cancelled": ("ban", "", "did not tell Odoo"),
    "command.retried": ("refresh-cw", "calm", "tried again to tell Odoo"),
}


def _stage(workflow: str, name: str) -> str:
    found = registry.workflows().get(workflow)
    return next((stage.title for stage in found.stages if stage.name == name), name) if found else name


def _moved(move: Transition) -> Happening:
    to = _stage(move.workflow, move.to_stage)
    what = f"moved it from {_stage(move.workflow, move.from_stage)} to {to}" if move.from_stage else f"first showed it, in {to}"
    if move.tracking_id is None:
        return Happening(at=move.at, icon="arrow-right", tone="calm", who="Odoo", what=what)
    if not move.from_stage:
        what = f"created it, in {to}"
    return Happening(
        at=move.at, icon="arrow-right", tone="calm", who=move.author or "Odoo", what=what,
        quote=f"From Odoo's own history. {move.told}".rstrip(),
    )  # fmt: skip


def _happened(entry: Entry, title: str) -> Happening:
    icon, tone, what = TOLD.get(entry.action, ("circle-dot", "", entry.action.replace(".", " ").replace("_", " ")))
    said = entry.data.get("resolution") or entry.data.get("reason") or entry.data.get("because") or entry.data.get("problem") or ""
    if entry.action == "approval.requested" and entry.data.get("asked_by"):
        said = f"Asked for by {entry.data['asked_by']}"
    return Happening(
        at=entry.at, icon=icon, tone=tone, who=entry.actor_name, what=f"{what}: {title}" if title else what, quote=str(said)
    )


def merge(
    *,
    transitions: Iterable[Transition],
    entries: Iterable[Entry],
    comments: Iterable[Comment],
    commands: Iterable[Command],
    titles: Mapping[str, str],
) -> list[Happening]:
    """Everything that happened, newest first. ``titles`` names the subjects that the entries speak of."""
    named = dict(titles) | {f"command:{command.id}": command.title for command in commands}
    told = [_moved(move) for move in transitions]
    told += [_happened(entry, named.get(entry.subject, "")) for entry in entries if entry.action != "exception.commented"]
    told += [
        Happening(at=comment.at, icon="message-square", tone="", who=str(comment.author), what="wrote", quote=comment.text)
        for comment in comments
    ]
    return sorted(told, key=lambda item: item.at, reverse=True)
