"""One timeline a record: transitions, exceptions, approvals, commands and comments, as sentences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.translation import gettext, gettext_noop

from apps.approvals import reasons
from apps.audit.models import Entry
from apps.core import sentences
from apps.exceptions import resolutions
from apps.exceptions.models import Comment
from apps.mirror.tracked import TrackedChange
from apps.outbox.models import Command
from apps.workflows import registry
from apps.workflows.models import Transition


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One entry of a timeline: an icon for its kind, who, what, and what was said."""

    at: datetime
    icon: str
    tone: str
    who: str
    what: str
    quote: str = ""
    key: str = ""
    is_sync: bool = False


@dataclass(frozen=True, kw_only=True)
class Folded:
    """A run of entries that tell only how the tower and Odoo kept each other up to date."""

    entries: list[TimelineEntry]

    @property
    def key(self) -> str:
        """Its anchor: that of its newest entry's run."""
        return f"run-{self.entries[0].key}"


# Kind and verb of the audit trail's actions, with the icon that tells them apart.
TOLD = {
    "exception.opened": ("octagon-alert", "late", gettext_noop("opened the exception")),
    "exception.assigned": ("user-check", "calm", gettext_noop("assigned the exception")),
    "exception.acknowledged": ("eye", "calm", gettext_noop("acknowledged the exception")),
    "exception.snoozed": ("bell-off", "", gettext_noop("snoozed the exception")),
    "exception.woken": ("alarm-clock", "risk", gettext_noop("ended the snooze of the exception")),
    "exception.breached": ("alarm-clock", "late", gettext_noop("recorded the SLA breach of the exception")),
    "exception.applied": ("wand-sparkles", "calm", gettext_noop("applied a suggested action")),
    "exception.action_undone": ("undo-2", "", gettext_noop("undid the suggested action")),
    "exception.resolved": ("circle-check", "done", gettext_noop("resolved the exception")),
    "exception.closed": ("cog", "done", gettext_noop("closed the exception")),  # by itself
    "exception.step_done": ("check", "done", gettext_noop("did a step of the playbook")),
    "exception.step_skipped": ("minus", "", gettext_noop("skipped a step of the playbook")),
    "exception.step_reopened": ("undo-2", "", gettext_noop("reopened a step of the playbook")),
    "approval.hold_lifted": ("lock-open", "ok", gettext_noop("lifted the hold: no longer required")),
    "approval.requested": ("stamp", "risk", gettext_noop("requested the approval")),
    "approval.reminded": ("bell", "risk", gettext_noop("sent an approval reminder")),
    "approval.escalated": ("flag", "late", gettext_noop("escalated the approval")),
    "approval.reevaluated": ("history", "risk", gettext_noop("re-evaluated the approval")),
    "approval.administrators_asked": ("bell", "risk", gettext_noop("assigned the approval to administrators")),
    "approval.delegated": ("corner-up-right", "calm", gettext_noop("delegated the approval")),
    "approval.approved": ("circle-check", "done", gettext_noop("approved")),
    "approval.rejected": ("circle-x", "late", gettext_noop("rejected")),
    "approval.cancelled": ("ban", "", gettext_noop("withdrew the approval")),
    "approval.expired": ("hourglass", "risk", gettext_noop("expired the approval")),
    "vendor.answered": ("message-square", "calm", gettext_noop("answered the order")),
    "proposal.made": ("handshake", "risk", gettext_noop("proposed what the vendor said")),
    "proposal.accepted": ("circle-check", "done", gettext_noop("accepted the proposal")),
    "proposal.applied": ("check-check", "done", gettext_noop("observed the proposal in Odoo")),
    "proposal.refused": ("octagon-alert", "late", gettext_noop("reported that Odoo refused the proposal")),
    "proposal.pushed_back": ("reply", "calm", gettext_noop("pushed the proposal back")),
    "proposal.replaced": ("shuffle", "calm", gettext_noop("bought elsewhere")),
    "proposal.superseded": ("history", "", gettext_noop("superseded the proposal")),
    "proposal.lapsed": ("ban", "", gettext_noop("let the proposal lapse")),
    "customer.to_be_told": ("mail", "risk", gettext_noop("drafted a message to the customer")),
    "customer.told": ("send", "done", gettext_noop("told the customer")),
    "customer.dismissed": ("ban", "", gettext_noop("dismissed the message to the customer")),
    "customer.withdrawn": ("history", "", gettext_noop("withdrew the message to the customer")),
    "command.enqueued": ("clock", "", gettext_noop("queued a command to Odoo")),
    "command.done": ("check-check", "done", gettext_noop("observed in Odoo")),
    "command.refused": ("octagon-alert", "late", gettext_noop("was refused by Odoo")),
    "command.dead": ("octagon-alert", "late", gettext_noop("stopped retrying the command to Odoo")),
    "command.cancelled": ("ban", "", gettext_noop("cancelled the command to Odoo")),
    "command.retried": ("refresh-cw", "calm", gettext_noop("retried the command to Odoo")),
}
# What tells only that Odoo was told, and did as it was told.
SYNCS = {"command.enqueued", "command.done", "command.cancelled"}
# What is said with them is Odoo's own.
OF_ODOO = {"command.refused", "command.dead"}
WORTH_FOLDING = 3


def _stage(workflow: str, name: str) -> str:
    found = registry.workflows().get(workflow)
    return next((gettext(stage.title) for stage in found.stages if stage.name == name), name) if found else name


def _moved(move: Transition) -> TimelineEntry:
    to = _stage(move.workflow, move.to_stage)
    what = gettext("first reported the record in %(to)s") % {"to": to}
    if move.from_stage:
        what = gettext("moved the record from %(from)s to %(to)s") % {"from": _stage(move.workflow, move.from_stage), "to": to}
    key = f"move-{move.pk}"
    if move.tracking_id is None:
        return TimelineEntry(at=move.at, icon="arrow-right", tone="calm", who="Odoo", what=what, key=key)
    if not move.from_stage:
        what = gettext("created the record in %(to)s") % {"to": to}
    return TimelineEntry(
        at=move.at,
        icon="arrow-right",
        tone="calm",
        who=move.author or "Odoo",
        what=what,
        quote=f"{gettext("From Odoo's history.")} {move.told}".rstrip(),
        key=key,
    )


def _happened(entry: Entry, title: str, retold: Mapping[str, str]) -> TimelineEntry:
    icon, tone, what = TOLD.get(entry.action, ("circle-dot", "", entry.action.replace(".", " ").replace("_", " ")))
    said = entry.data.get("resolution") or entry.data.get("reason") or entry.data.get("because") or entry.data.get("problem") or ""
    if entry.action == "approval.requested" and entry.data.get("asked_by"):
        said = gettext("Requested by %(asked_by)s") % {"asked_by": entry.data["asked_by"]}
    return TimelineEntry(
        at=entry.at,
        icon=icon,
        tone=tone,
        who=entry.actor_name,
        what=f"{gettext(what)}: {gettext(title)}" if title else gettext(what),
        quote=_quoted(entry, str(said), retold),
        key=f"entry-{entry.sequence}",
        is_sync=entry.action in SYNCS,
    )


def _quoted(entry: Entry, said: str, retold: Mapping[str, str]) -> str:
    """What was said with it: as a person wrote it, in the active language where the tower said it."""
    if sentence := entry.data.get(sentences.BESIDE):
        return sentences.said(sentence)
    if entry.action == "command.cancelled":
        return retold.get(said) or reasons.told(said)
    if entry.action.startswith("exception."):
        return resolutions.told(said)
    return reasons.told(said) if entry.actor.startswith("system:") and entry.action not in OF_ODOO else said


def _changed(changes: Iterable[TrackedChange], taken: set[int]) -> list[TimelineEntry]:
    """Odoo's own history, what changed together as one; what a transition tells already is left out."""
    by_message: dict[int, list[TrackedChange]] = {}
    for change in changes:
        by_message.setdefault(change.message_id, []).append(change)
    return [
        TimelineEntry(
            at=together[0].at,
            icon="history",
            tone="",
            who=together[0].author or "Odoo",
            what=gettext("changed in Odoo"),
            quote=", ".join(change.told for change in reversed(together)),
            key=f"odoo-{message}",
        )
        for message, together in by_message.items()
        if not taken & {change.tracking_id for change in together}
    ]


def fold(timeline: list[TimelineEntry]) -> list[TimelineEntry | Folded]:
    """``timeline`` with every run of three or more syncs as one entry that can be opened."""
    found: list[TimelineEntry | Folded] = []
    for is_sync, run in groupby(timeline, key=lambda entry: entry.is_sync):
        entries = list(run)
        if is_sync and len(entries) >= WORTH_FOLDING:
            found.append(Folded(entries=entries))
        else:
            found += entries
    return found


def merge(
    *,
    transitions: Iterable[Transition],
    entries: Iterable[Entry],
    comments: Iterable[Comment],
    commands: Iterable[Command],
    titles: Mapping[str, str],
    changes: Iterable[TrackedChange] = (),
) -> list[TimelineEntry]:
    """Everything that happened, newest first. ``titles`` names the subjects that the entries speak of."""
    commands = list(commands)
    named = dict(titles) | {f"command:{command.id}": command.told for command in commands}
    retold = {command.title: command.told for command in commands}
    transitions = list(transitions)
    told = [_moved(move) for move in transitions]
    told += _changed(changes, {move.tracking_id for move in transitions if move.tracking_id})
    told += [_happened(entry, named.get(entry.subject, ""), retold) for entry in entries if entry.action != "exception.commented"]
    told += [
        TimelineEntry(
            at=comment.at,
            icon="message-square",
            tone="",
            who=str(comment.author),
            what=gettext("commented"),
            quote=comment.text,
            key=f"comment-{comment.pk}",
        )
        for comment in comments
    ]
    return sorted(told, key=lambda item: item.at, reverse=True)
