"""Decisions: the policies that demand them, the requests, their steps."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from apps.accounts.models import Team, User
from apps.approvals import reasons
from apps.approvals.choices import Status as Status
from apps.approvals.choices import StepStatus as StepStatus
from apps.core.looks import Look
from apps.odoo.models import Connection


class Policy(models.Model):
    """One version of the rule for one approval kind, for everybody, a connection or one company of it.

    A new version never touches requests that already run. Versions count by kind, wherever they are for.
    """

    kind = models.CharField(max_length=60)
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, help_text="None: for everybody")
    company_id = models.BigIntegerField(null=True, help_text="A company of the connection in Odoo; none: all of them")
    version = models.PositiveIntegerField()
    rules = models.JSONField(help_text="Checked by approvals.policy; the schema is in docs/policies.md")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="one_policy_a_version"),
            models.UniqueConstraint(
                fields=["kind", "connection", "company_id"],
                condition=Q(is_active=True),
                nulls_distinct=False,
                name="one_active_policy_a_scope",
            ),
            models.CheckConstraint(
                condition=Q(company_id=None) | Q(connection__isnull=False), name="policy_company_of_a_connection"
            ),
        ]
        verbose_name_plural = "policies"


class Request(models.Model):
    """A decision that policy demands before a record may go on."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    kind = models.CharField(max_length=60)
    workflow = models.CharField(max_length=60)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    company_id = models.BigIntegerField(null=True, help_text="The record's company in Odoo")
    record_name = models.TextField()
    partner_name = models.TextField(blank=True)
    cause = models.CharField(max_length=120, help_text="What asked; the same asking never opens a second request")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    requested_by = models.TextField(help_text="Name of whoever asked, in Odoo or here")
    requested_by_user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    involved_uids = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        help_text="Odoo users with a hand in the record: who asked, made, owns or edited it. None of them may decide",
    )
    owner_uids = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        help_text="Those of them who asked, made or own the record: a cumulative policy counts it as theirs",
    )
    involved_logins = models.JSONField(default=list, help_text="Their logins, as they were when the request saw them")
    # Three decimals: dinars have them.
    amount = models.DecimalField(max_digits=21, decimal_places=3, null=True)
    currency = models.CharField(max_length=10, blank=True)
    context = models.JSONField(default=dict, help_text="The facts on which to decide, as numbers")
    policy = models.ForeignKey(Policy, models.PROTECT)
    current_step = models.PositiveSmallIntegerField(default=0)
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField()
    facts_changed_at = models.DateTimeField(null=True, help_text="When the amount or the facts last changed since it was asked")
    earlier_facts = models.JSONField(null=True, help_text="The last facts that it had before, to name what changed since")
    paused_at = models.DateTimeField(null=True, help_text="Since when its time stands still, waiting for changes")
    escalated_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(blank=True)
    reason_sentence = models.JSONField(null=True, help_text="What the reason was made of, where the tower gave it")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "model", "odoo_id", "kind", "cause"], name="one_request_a_cause"),
            models.UniqueConstraint(
                fields=["connection", "model", "odoo_id", "kind"],
                condition=Q(status="pending"),
                name="one_pending_request_a_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(status="pending"), name="inbox_by_due"),
            models.Index(fields=["connection", "model", "odoo_id"], name="requests_by_record"),
            models.Index(fields=["-requested_at", "-id"], name="requests_by_asking"),
            models.Index(fields=["decided_at"], name="requests_by_decision"),  # boards/boards/kpi_catalogue.py
            # The same for who sees some companies only.
            models.Index(fields=["connection", "company_id", "-requested_at", "-id"], name="requests_by_company"),
        ]

    @property
    def look(self) -> Look:
        """The colour and icon of its status."""
        return Status(self.status).look

    @property
    def told_reason(self) -> str:
        """Why it ended so: as somebody wrote it, or in the active language where the tower gave the reason."""
        return self.reason if self.decided_by_id else reasons.told(self.reason, self.reason_sentence)


class Step(models.Model):
    """One step of a request, copied from the policy when the request began."""

    request = models.ForeignKey(Request, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(help_text="Steps of the same position run side by side")
    rule = models.PositiveSmallIntegerField(null=True, help_text="Its place among the steps of the policy's version, from 0")
    is_required = models.BooleanField(
        default=True, db_default=True, help_text="Off while the amount and the facts do not demand it"
    )
    name = models.CharField(max_length=100)
    status = models.CharField(max_length=10, choices=StepStatus, default=StepStatus.WAITING)
    needs_all = models.BooleanField(default=False, help_text="All of the approvers, not any one of them")
    level = models.PositiveSmallIntegerField(default=0, help_text="How often it has been escalated")
    levels = models.JSONField(help_text="Who is asked at each level, in how long, and what is the fallback")
    due_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "id"]

    @property
    def look(self) -> Look:
        """The colour and icon of its status."""
        return StepStatus(self.status).look

    @cached_property
    def working_team(self) -> Team | None:
        """The team in whose working hours the step is due; None where it is due round the clock."""
        levels = self.levels.get("levels") or []
        slug = levels[min(self.level, len(levels) - 1)]["ask"].get("team") if levels else None
        return Team.objects.select_related("calendar").filter(slug=slug).first() if slug else None


class Assignment(models.Model):
    """One person asked in one step, and what they said."""

    step = models.ForeignKey(Step, models.CASCADE, related_name="assignments")
    user = models.ForeignKey(User, models.CASCADE, related_name="approval_assignments")
    level = models.PositiveSmallIntegerField(default=0)
    delegated_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    is_active = models.BooleanField(default=True, help_text="Off once delegated away")
    decision = models.CharField(max_length=10, blank=True)
    decided_at = models.DateTimeField(null=True)
    key = models.CharField(max_length=64, blank=True, help_text="Of the form that decided: sent again, it decides nothing new")
    undo_until = models.DateTimeField(null=True, help_text="Until then who decided may take it back; nothing leaves before")
    reason = models.TextField(blank=True)
    decided_on = models.JSONField(null=True, help_text="The amount and the facts on which they decided")
    lapsed_at = models.DateTimeField(null=True, help_text="Since when the answer no longer counts, or they are no longer asked")
    lapsed_because = models.TextField(blank=True, default="", db_default="", help_text="Why, in English")
    lapse_sentence = models.JSONField(null=True, help_text="What that was made of (apps/core/sentences.py)")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "user"], condition=Q(lapsed_at=None), name="asked_once_at_a_time")]
        indexes = [models.Index(fields=["user"], condition=Q(is_active=True, decision=""), name="inbox_of_user")]

    @property
    def counts(self) -> bool:
        """True if this is a decision that still counts."""
        return bool(self.decision) and self.lapsed_at is None

    @property
    def lapse_text(self) -> str:
        """Why it no longer counts, in the active language."""
        return reasons.told(self.lapsed_because, self.lapse_sentence)

    @property
    def decided_amount(self) -> str | None:
        """The amount on which they decided, as text; None where it was not kept."""
        return (self.decided_on or {}).get("amount")

    @property
    def decided_currency(self) -> str:
        """The currency of that amount."""
        return str((self.decided_on or {}).get("currency") or "")


class Inquiry(models.Model):
    """What a decider asked back before deciding: a question, or changes that are wanted first."""

    request = models.ForeignKey(Request, models.CASCADE, related_name="inquiries")
    wants_changes = models.BooleanField(default=False)
    text = models.TextField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    answer_sentence = models.JSONField(null=True, help_text="What it was made of, where a change in Odoo gave it")
    answered_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    answered_by_name = models.CharField(max_length=200, blank=True, help_text="A person, or Odoo, where the record changed")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    @property
    def told_answer(self) -> str:
        """The answer: as somebody wrote it, or in the active language where a change in Odoo gave it."""
        return self.answer if self.answered_by_id else reasons.told(self.answer, self.answer_sentence)


class Absence(models.Model):
    """A time in which somebody else is asked in a person's place."""

    user = models.ForeignKey(User, models.CASCADE, related_name="absences")
    deputy = models.ForeignKey(User, models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    until = models.DateTimeField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="Set when it was ended, or replaced, by hand")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user"], condition=Q(ended_at=None), name="one_absence_a_person")]


class ReasonTemplate(models.Model):
    """A reason that can be chosen instead of typed."""

    kind = models.CharField(max_length=60, blank=True, help_text="Empty: for all kinds")
    decision = models.CharField(max_length=10)
    text = models.CharField(max_length=200)
