"""Commands: writes to Odoo that are kept until Odoo itself shows their effect."""

from typing import Any

from django.db import models
from django.utils.translation import gettext, gettext_noop

from apps.core import sentences
from apps.core.identity import uuid7
from apps.core.looks import Look
from apps.odoo.models import Connection
from apps.outbox.choices import Status as Status

# Why a command was cancelled. Kept in English, told in the reader's language.
NOT_BEFORE = gettext_noop("“{command}” was not carried out")
WAITS = gettext_noop("Waiting for a later approval that includes it: {kinds}")


class Command(models.Model):
    """One write to Odoo that follows from a decision or an action."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    sequence = models.BigIntegerField(help_text="Order of enqueueing; commands of one record run in it")
    connection = models.ForeignKey(Connection, models.PROTECT)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    company_id = models.BigIntegerField(null=True, help_text="The company in Odoo of the record whose lane it runs in")
    lane = models.CharField(max_length=140, help_text="Record whose commands run one after the other")
    title = models.TextField(help_text="What it does, in words for people")
    says = models.JSONField(null=True, help_text="The title as a sentence (apps/core/sentences.py), where it names values")
    target_mark = models.CharField(
        max_length=40, blank=True, help_text="Mark of the command that made the record; it is found by it"
    )
    method = models.CharField(max_length=80, help_text="Odoo's method, or create for what carries the command's mark")
    arguments = models.JSONField(default=dict, help_text="Named arguments of the method")
    precondition = models.JSONField(default=list, help_text="Domain that must match the record before")
    postcondition = models.JSONField(default=list, help_text="Domain that matches the record after")
    replaced = models.JSONField(
        null=True, help_text="Of a write that changes a promise: what the mirror held of those values when it was enqueued"
    )
    effect_model = models.CharField(max_length=80, blank=True, help_text="Model that the effect shows in, if another")
    decision = models.CharField(max_length=80, blank=True, help_text="What it follows from: approval:12")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, help_text="When the call was last begun, written before it is made")
    done_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)
    problem_sentence = models.JSONField(null=True, help_text="What the problem was made of, where the tower gave it")
    is_undone = models.BooleanField(
        null=True, help_text="Whether its decision was undone before it was sent; not known of what ended before 0.2.0"
    )
    told_at = models.DateTimeField(null=True, help_text="When people were told of a refusal")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)

    class Meta:
        indexes = [
            # Used by dispatch.claim: what waits, in order, however many are done.
            models.Index(fields=["not_before"], condition=models.Q(status__in=["queued", "unknown"]), name="commands_waiting"),
            # What stopped and needs a person: health, and the exceptions of the integration.
            models.Index(fields=["lane"], condition=models.Q(status__in=["refused", "dead"]), name="commands_stopped"),
            models.Index(fields=["lane", "sequence"], name="commands_by_lane"),
            models.Index(
                fields=["done_at"], condition=models.Q(status="done"), name="commands_by_end"
            ),  # boards/boards/kpi_catalogue.py
            # health/figures.py: what ended in the last day, however it ended.
            models.Index(fields=["done_at"], condition=models.Q(status__in=["refused", "dead"]), name="commands_by_stop"),
            models.Index(fields=["decision"], name="commands_by_decision"),
            # customers/following.py: decisions that changed what a customer was promised.
            models.Index(
                fields=["connection", "odoo_id"], condition=models.Q(replaced__isnull=False), name="commands_that_promise"
            ),
        ]

    @property
    def look(self) -> Look:
        """The colour and icon of its status."""
        return (Status.UNKNOWN if self._is_being_sent else Status(self.status)).look

    @property
    def status_label(self) -> str:
        """Its status in words: of what is called just now, that it is sent."""
        return gettext("Sent") if self._is_being_sent else str(Status(self.status).label)

    @property
    def _is_being_sent(self) -> bool:
        return self.status == Status.QUEUED and self.sent_at is not None

    @property
    def told(self) -> str:
        """What it does, in the active language; as its title says where that was kept without its values."""
        return sentences.said(self.says) if self.says else gettext(self.title)

    @property
    def told_problem(self) -> str:
        """Why it was not carried out: as Odoo said it, or in the active language where the tower gave the reason."""
        if self.status != Status.CANCELLED:
            return self.problem
        sentence = self.problem_sentence
        return sentences.said(sentence) if sentence else sentences.again(self.problem, NOT_BEFORE, WAITS)

    @property
    def title_sentence(self) -> dict[str, Any]:
        """The title as part of another sentence."""
        return self.says or sentences.compose(self.title, {})
