"""The exception queue: deviations that somebody must own."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Upper
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.accounts.models import Team, User
from apps.core import sentences
from apps.core.indexes import prefix
from apps.core.looks import Look
from apps.exceptions import integration
from apps.exceptions.choices import JobState as JobState
from apps.exceptions.choices import Outcome as Outcome
from apps.exceptions.choices import Severity as Severity
from apps.exceptions.choices import Status as Status
from apps.mirror import companies
from apps.odoo.models import Connection
from apps.workflows import registry, root_causes

UNRESOLVED = ~Q(status=Status.RESOLVED)
# A group of one is shown as the exception that it is.
SEVERAL = Q(cases_count__gte=2)
# Where no due time was set: behind all that have one.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
DUE = Coalesce("due_at", Value(NEVER, output_field=models.DateTimeField()))
MONEY = Coalesce("amount", Value(Decimal(0), output_field=models.DecimalField(max_digits=20, decimal_places=2)))


# What the queue is filtered by, but for names.
FILTERED_BY = [
    "status",
    "severity",
    "type",
    "workflow",
    "stage",
    "team",
    "owner",
    "amount",
    "due_at",
    "opened_at",
    "connection",
    "company_id",
    "is_grouped",
]


class Rank(Func):
    """What orders the queue by what it costs to wait: the due time, brought forward by the money at risk, as seconds.

    Ten times the money is six hours' head start: 100 gives 12 h, 10,000 a day, a million a day and a half. It follows from
    the exception's own columns, never from the passing of time, so that an index holds it.
    """

    template = (
        "(extract(epoch FROM COALESCE(%(due)s, %(opened)s) AT TIME ZONE 'UTC')"
        " + CASE WHEN %(due)s IS NULL THEN 604800 ELSE 0 END"
        " - 21600 * log(1 + GREATEST(COALESCE(%(amount)s, 0), 0)))::bigint"
    )

    def __init__(self) -> None:
        super().__init__(F("due_at"), F("opened_at"), F("amount"), output_field=models.BigIntegerField())

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """The expression over the three columns."""
        due, opened, amount = (compiler.compile(part)[0] for part in self.get_source_expressions())
        return self.template % {"due": due, "opened": opened, "amount": amount}, []


class ExceptionCase(models.Model):
    """One deviation of one record: who owns it, by when, what it puts at risk, and the evidence."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    type = models.CharField(max_length=80)
    workflow = models.CharField(max_length=60)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    company_id = models.BigIntegerField(null=True, help_text="The record's company in Odoo")
    cause = models.CharField(max_length=120, blank=True, help_text="Tells two deviations of one type apart")
    root_kind = models.CharField(max_length=40, blank=True, db_default="", help_text="What kind of record is to blame")
    root_id = models.BigIntegerField(null=True, help_text="The record that is to blame, in Odoo")
    root_place = models.BigIntegerField(db_default=0, help_text="The warehouse that tells causes of one record apart")
    follows_id = models.BigIntegerField(null=True, help_text="The sales order whose cause is its cause")
    follows_first = models.BooleanField(db_default=False, help_text="The order's cause goes before its own")
    further_roots = ArrayField(models.CharField(max_length=80), default=list, db_default=[], help_text="What else is to blame")
    group = models.ForeignKey("CauseGroup", models.SET_NULL, null=True, related_name="cases", db_index=False)
    is_grouped = models.BooleanField(db_default=False, help_text="Others that are open have the same cause")
    record_name = models.TextField()
    partner_name = models.TextField(blank=True)
    severity = models.SmallIntegerField(choices=Severity)
    status = models.CharField(max_length=15, choices=Status, default=Status.OPEN)
    team = models.ForeignKey(Team, models.PROTECT)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="exceptions")
    amount = models.DecimalField(null=True, help_text="Money at risk, with the decimals of its currency")
    currency = models.CharField(max_length=10, blank=True)
    opened_at = models.DateTimeField()
    owned_at = models.DateTimeField(null=True, help_text="When somebody owned it first")
    due_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=300, blank=True)
    closed_itself = models.BooleanField(null=True, help_text="Whether its condition went; not known of what ended before 0.2.0")
    stage = models.CharField(max_length=60, blank=True, db_default="", help_text="Where the record stands in its workflow")
    promised_at = models.DateTimeField(null=True, help_text="What was promised for the record")
    rank = models.GeneratedField(expression=Rank(), output_field=models.BigIntegerField(), db_persist=True)
    evidence = models.JSONField(default=dict)  # figures, and sentences (apps/core/sentences.py)
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "model", "odoo_id", "type", "cause"],
                condition=~Q(status="resolved"),
                name="one_open_exception_a_cause",
            ),
        ]
        # The queue's orders, and what it is filtered by most: each holds the open ones alone, whatever history has grown to.
        # The orders carry what one filters by, so that whatever is asked for in whatever order is found in the index alone.
        indexes = [
            models.Index(fields=["rank", "id"], condition=UNRESOLVED, name="queue_by_rank", include=FILTERED_BY),
            models.Index(DUE, "id", condition=UNRESOLVED, name="queue_by_due", include=FILTERED_BY),
            models.Index(MONEY.desc(), F("id").desc(), condition=UNRESOLVED, name="queue_by_money", include=FILTERED_BY),
            models.Index(fields=["opened_at", "id"], condition=UNRESOLVED, name="queue_by_age", include=FILTERED_BY),
            models.Index(fields=["owner", "rank", "id"], condition=UNRESOLVED, name="queue_of_owner"),
            models.Index(fields=["rank", "id"], condition=UNRESOLVED & Q(owner=None), name="queue_of_nobody"),
            models.Index(fields=["team", "rank", "id"], condition=UNRESOLVED, name="queue_of_team"),
            models.Index(fields=["type", "rank", "id"], condition=UNRESOLVED, name="queue_of_type"),
            models.Index(fields=["severity", "rank", "id"], condition=UNRESOLVED, name="queue_of_severity"),
            models.Index(fields=["workflow", "stage", "rank", "id"], condition=UNRESOLVED, name="queue_of_stage"),
            models.Index(fields=["connection", "company_id", "rank", "id"], condition=UNRESOLVED, name="queue_of_company"),
            models.Index(fields=["status", "rank", "id"], condition=UNRESOLVED, name="queue_of_status"),
            models.Index(prefix("partner_name"), "rank", "id", condition=UNRESOLVED, name="open_of_customer"),
            # What has ended: the newest first, and the same of a type, for what became of others like it.
            models.Index(
                fields=["-resolved_at", "-id"],
                condition=Q(status=Status.RESOLVED),
                name="ended_lately",
                include=[name for name in FILTERED_BY if name not in ("status", "type", "opened_at", "is_grouped")],
            ),
            models.Index(fields=["type", "-resolved_at", "-id"], condition=Q(status=Status.RESOLVED), name="resolved_of_type"),
            models.Index(fields=["owner", "-resolved_at", "-id"], condition=Q(status=Status.RESOLVED), name="resolved_of_owner"),
            models.Index(fields=["team", "-resolved_at", "-id"], condition=Q(status=Status.RESOLVED), name="resolved_of_team"),
            models.Index(
                fields=["workflow", "stage", "-resolved_at", "-id"], condition=Q(status=Status.RESOLVED), name="resolved_of_stage"
            ),
            # Any part of a record's or a customer's name: of what is open, and of what has ended.
            GinIndex(OpClass(Upper("record_name"), "gin_trgm_ops"), condition=UNRESOLVED, name="open_by_name"),
            GinIndex(OpClass(Upper("partner_name"), "gin_trgm_ops"), condition=UNRESOLVED, name="open_by_partner"),
            GinIndex(OpClass(Upper("record_name"), "gin_trgm_ops"), condition=Q(status=Status.RESOLVED), name="ended_by_name"),
            GinIndex(OpClass(Upper("partner_name"), "gin_trgm_ops"), condition=Q(status=Status.RESOLVED), name="ended_by_partner"),
            models.Index(fields=["connection", "model", "odoo_id"], name="exceptions_by_record"),
            models.Index(fields=["group"], name="exceptions_of_group"),
            GinIndex(fields=["further_roots"], condition=UNRESOLVED, name="open_further_roots"),
            models.Index(fields=["connection", "follows_id"], condition=UNRESOLVED & Q(follows_id__gt=0), name="open_followers"),
            models.Index(fields=["-opened_at", "-id"], name="exceptions_by_opening"),  # the API's cursor
            models.Index(
                fields=["resolved_at"], condition=Q(status="resolved"), name="exceptions_by_end"
            ),  # boards/boards/case_facts.py
            # The same for who sees some companies only.
            models.Index(fields=["connection", "company_id", "-opened_at", "-id"], name="exceptions_by_company"),
        ]

    @property
    def look(self) -> Look:
        """The colour and icon of its status."""
        return Status(self.status).look

    @property
    def is_of_a_record(self) -> bool:
        """Whether it is of a record in Odoo, and not of a connection or the tower itself."""
        return self.model not in (integration.CONNECTION, integration.TOWER)

    @property
    def url(self) -> str:
        """Where what it is about can be looked at: the record in Odoo's own web client, or the tower's page of health."""
        if self.is_of_a_record:
            return self.connection.record_url(self.model, self.odoo_id)
        return f"{settings.PUBLIC_URL}/health/"

    @property
    def plain_evidence(self) -> dict[str, Any]:
        """The evidence as programs read it, and as it is kept in the trail: what is said in words, in English."""
        return {name: sentences.plain(value) for name, value in self.evidence.items()}

    def about(self, access_scope: AccessScope) -> str:
        """The record, whose it is where it is somebody's (stock in a place is not), and its company where several are seen."""
        company = companies.name_of(self.connection_id, self.company_id, access_scope)
        return ", ".join(filter(None, [self.record_name, self.partner_name, company]))

    @property
    def company(self) -> str:
        """The company's name; "" where whoever the row was read for sees but one, or it was read for nobody."""
        return str(self.__dict__.get("company_name") or "")


class CaseHolding(models.Model):
    """Who had a case from a moment on: the team of its owner, or nobody. A trigger appends one whenever that changes."""

    case = models.ForeignKey(ExceptionCase, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    team = models.ForeignKey(Team, models.PROTECT, related_name="+", db_index=False)
    is_owned = models.BooleanField()


class Playbook(models.Model):
    """One version of the steps for a type of exception. A case keeps the version that it began with: that of when it opened."""

    type = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    steps = models.JSONField(help_text="Checked by exceptions.playbooks.versions")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "version"], name="one_playbook_a_version")]


class StepDone(models.Model):
    """What a person did with one step of a case's playbook: done, with an answer or a note, or skipped, and why."""

    case = models.ForeignKey(ExceptionCase, models.CASCADE, related_name="steps_done")
    step = models.CharField(max_length=40)
    is_skipped = models.BooleanField(default=False)
    note = models.CharField(max_length=1000, blank=True, help_text="The answer, or why it was skipped")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "step"], name="one_outcome_a_step")]


class CauseGroup(models.Model):
    """The exceptions that one record has caused: one line of the queue while more than one of them is open.

    Its figures are those of the open ones, worked out anew whenever one of them changes.
    """

    connection = models.ForeignKey(Connection, models.CASCADE)
    kind = models.CharField(max_length=40)
    odoo_id = models.BigIntegerField(help_text="The record that is to blame, in Odoo")
    place = models.BigIntegerField(default=0, help_text="The warehouse that tells causes of one record apart")
    company_id = models.BigIntegerField(null=True, help_text="The company of the exceptions in Odoo")
    name = models.TextField(help_text="What people call the record")
    about = models.TextField(blank=True, help_text="Whose it is, or where")
    team = models.ForeignKey(Team, models.PROTECT)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    assigned_at = models.DateTimeField(null=True, help_text="When a person gave it to its owner; what joins it is theirs")
    cases_count = models.PositiveIntegerField(default=0)
    customers_count = models.PositiveIntegerField(default=0)
    severity = models.SmallIntegerField(choices=Severity, default=Severity.LOW)
    amount = models.DecimalField(null=True, help_text="Money at risk, of each record once, in the company's currency")
    currency = models.CharField(max_length=10, blank=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    promised_at = models.DateTimeField(null=True, help_text="The earliest promise")
    rank = models.GeneratedField(expression=Rank(), output_field=models.BigIntegerField(), db_persist=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.JSONField(default=dict, help_text="How many of its exceptions ended how")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "odoo_id", "place", "company_id"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="one_open_group_a_cause",
            ),
        ]
        indexes = [
            models.Index(fields=["rank", "id"], condition=SEVERAL, name="groups_by_rank"),
            models.Index(DUE, "id", condition=SEVERAL, name="groups_by_due"),
            models.Index(MONEY.desc(), F("id").desc(), condition=SEVERAL, name="groups_by_money"),
            models.Index(fields=["opened_at", "id"], condition=SEVERAL, name="groups_by_age"),
        ]

    @property
    def title(self) -> str:
        """What kind of cause it is, as people read it."""
        kind = registry.cause_kinds().get(self.kind)
        return gettext(kind.title) if kind else self.kind

    @property
    def root_key(self) -> str:
        """The cause as exceptions name it that it holds up as well."""
        return str(root_causes.Key(self.kind, self.odoo_id, self.place))

    @property
    def company(self) -> str:
        """The company's name; "" where whoever the row was read for sees but one, or it was read for nobody."""
        return str(self.__dict__.get("company_name") or "")

    @property
    def model(self) -> str:
        """Odoo's model of the record that is to blame."""
        kind = registry.cause_kinds().get(self.kind)
        return kind.model if kind else ""


class Shown(models.Model):
    """The activity that shows an exception in Odoo. What became of it there is in its commands."""

    case = models.OneToOneField(ExceptionCase, models.CASCADE, primary_key=True, related_name="shown")
    mark = models.CharField(
        max_length=40, blank=True, help_text="The command that made the activity; empty where its cause has the activity"
    )
    values = models.JSONField(default=dict, help_text="What it was last told to say")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        # How many came in the last hour: a connection has its limit.
        indexes = [models.Index(fields=["at"], name="shown_lately")]


class ShownCause(models.Model):
    """The activity that shows a cause group in Odoo, on the record that is to blame."""

    group = models.OneToOneField(CauseGroup, models.CASCADE, primary_key=True, related_name="shown")
    mark = models.CharField(max_length=40, help_text="The command that made the activity; it is found by it")
    values = models.JSONField(default=dict, help_text="What it was last told to say")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class ShowInOdoo(models.Model):
    """What of the queue one Odoo shows. A connection without a row has the defaults."""

    connection = models.OneToOneField(Connection, models.CASCADE, primary_key=True, related_name="+")
    is_on = models.BooleanField(default=True)
    severity = models.SmallIntegerField(choices=Severity, default=Severity.MEDIUM, help_text="From which on")
    types_off = models.JSONField(default=list, help_text="Exception types that are not shown")
    an_hour = models.PositiveIntegerField(default=200, help_text="How many new ones an hour at most")

    @classmethod
    def for_connection(cls, connection: Connection) -> "ShowInOdoo":
        """What was chosen for ``connection``, or the defaults."""
        return cls.objects.filter(connection=connection).first() or cls(connection=connection)


class SavedView(models.Model):
    """A view of the queue under a name: a query string, of one person or of a team."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="+", help_text="Shared with; none: the owner's own")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["owner"], name="views_of_person"), models.Index(fields=["team"], name="views_of_team")]


class BulkJob(models.Model):
    """One move of one exception or of thousands: followed while it runs, undone where it can be."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(User, models.CASCADE, related_name="+")
    move = models.CharField(max_length=20)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.WAITING)
    total = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state__in=["waiting", "undoing"]), name="bulk_jobs_to_do"),
        ]

    @property
    def look(self) -> Look:
        """The colour and icon of its state."""
        return JobState(self.state).look


class BulkJobItem(models.Model):
    """The result of a job for one exception."""

    job = models.ForeignKey(BulkJob, models.CASCADE, related_name="items")
    case = models.ForeignKey(ExceptionCase, models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.WAITING, blank=True)
    reason = models.CharField(max_length=400, blank=True, help_text="Why it was refused or kept")
    before = models.JSONField(default=dict, help_text="What the exception was like")
    after = models.JSONField(default=dict, help_text="What the job made of it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "case"], name="one_item_a_case")]
        indexes = [models.Index(fields=["job", "outcome", "case"], name="items_by_outcome")]

    @property
    def look(self) -> Look:
        """The colour and icon of its outcome."""
        return Outcome(self.outcome).look


class Comment(models.Model):
    """What a person wrote on an exception."""

    case = models.ForeignKey(ExceptionCase, models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, models.PROTECT)
    text = models.TextField()
    at = models.DateTimeField()
