"""Where records stand, and how they got there."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.accounts.models import User
from apps.odoo.models import Connection

# Odoo tells the past by the second: in one second its own order counts, and what the tower saw itself comes after.
OLDEST_FIRST = (models.F("at").asc(), models.F("tracking_id").asc(nulls_last=True), models.F("id").asc())
NEWEST_FIRST = (models.F("at").desc(), models.F("tracking_id").desc(nulls_first=True), models.F("id").desc())


class Position(models.Model):
    """Where one record stands in its workflow, since when, and what that puts on the board."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    workflow = models.CharField(max_length=60)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    name = models.TextField()
    stage = models.CharField(max_length=60)
    since = models.DateTimeField(help_text="When it came to this stage, in Odoo's time")
    due_at = models.DateTimeField(null=True, help_text="When it is over the stage's target")
    is_open = models.BooleanField(help_text="Whether the stage is one that somebody still has to move it out of")
    amount = models.DecimalField(null=True, help_text="In the company's currency, with its decimals")
    currency = models.CharField(max_length=10, blank=True)
    company_id = models.BigIntegerField(null=True)
    partner_id = models.BigIntegerField(null=True)
    partner_name = models.TextField(blank=True)
    look_again_at = models.DateTimeField(null=True, help_text="When the passing of time alone may change something")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "workflow", "odoo_id"], name="one_position_a_workflow")]
        indexes = [
            # Used by boards.queries: the open stages of a workflow, whatever the closed ones have grown to.
            models.Index(fields=["workflow", "stage", "since"], condition=models.Q(is_open=True), name="positions_open"),
            models.Index(fields=["connection", "model", "odoo_id"], name="positions_by_record"),
            # workflows/impact.py: what is open with a supplier. boards/search/partner_overview.py: whose partners who sees some
            # companies may find.
            models.Index(
                fields=["connection", "partner_id"],
                include=["company_id"],
                condition=models.Q(is_open=True),
                name="positions_open_with",
            ),
            # boards/boards/queries.py: what has become late today, and what will within the day.
            models.Index(fields=["workflow", "due_at"], condition=models.Q(is_open=True), name="positions_open_by_due"),
            # boards/search/finding.py: any part of a name.
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="positions_name_trigrams"),
            # pipeline/change_processing.py: what time has made due, however many records there are for which it has not.
            models.Index(fields=["look_again_at"], condition=models.Q(look_again_at__isnull=False), name="positions_to_look_at"),
        ]


class Transition(models.Model):
    """A record's move from one stage to the next, at the time it happened in Odoo."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    workflow = models.CharField(max_length=60)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    from_stage = models.CharField(max_length=60, blank=True, help_text="Empty: first seen here")
    to_stage = models.CharField(max_length=60)
    company_id = models.BigIntegerField(null=True, help_text="The record's company when it moved")
    at = models.DateTimeField(help_text="Odoo's time")
    seen_at = models.DateTimeField(help_text="When the tower knew")
    amount = models.DecimalField(null=True)
    tracking_id = models.BigIntegerField(
        null=True, help_text="The tracked change in Odoo's history that it was taken from, 0 its creation; none: seen live"
    )
    author = models.TextField(db_default="", blank=True, help_text="Who did it, where history says so")
    told = models.TextField(db_default="", blank=True, help_text="The change in the words of Odoo's history")

    class Meta:
        indexes = [
            models.Index(fields=["workflow", "at"], name="transitions_by_time"),  # arrivals and departures
            models.Index(fields=["connection", "model", "odoo_id", "at"], name="transitions_by_record"),  # timeline
        ]


class StandingTally(models.Model):
    """How many open records stand in a stage since a day and until they are due, counted by a trigger as they move.

    What boards would otherwise count anew among a million. A move appends what it adds and takes away, so that no two of
    them wait for each other; :mod:`apps.workflows.tallies` folds what has been appended. Days are UTC's.
    """

    # Removed with the connection by a trigger: its positions go first, and each leaves a line here.
    connection = models.ForeignKey(Connection, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    company_id = models.BigIntegerField(null=True)
    workflow = models.CharField(max_length=60)
    stage = models.CharField(max_length=60)
    currency = models.CharField(max_length=10, blank=True)
    since_day = models.DateField()
    due_day = models.DateField(null=True)
    count = models.BigIntegerField()
    amount = models.DecimalField()
    is_folded = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "connection", "company_id", "stage", "currency", "since_day", "due_day"],
                condition=models.Q(is_folded=True),
                nulls_distinct=False,
                name="standing_tally_folded",
            )
        ]
        indexes = [models.Index(fields=["workflow"], condition=models.Q(is_folded=False), name="standing_tally_appended")]


class FlowTally(models.Model):
    """How many records moved from a stage to another in an hour of UTC, counted like :class:`StandingTally`."""

    connection = models.ForeignKey(Connection, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    company_id = models.BigIntegerField(null=True)
    workflow = models.CharField(max_length=60)
    from_stage = models.CharField(max_length=60, blank=True)
    to_stage = models.CharField(max_length=60)
    hour = models.DateTimeField()
    count = models.BigIntegerField()
    is_folded = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "hour", "connection", "company_id", "from_stage", "to_stage"],
                condition=models.Q(is_folded=True),
                nulls_distinct=False,
                name="flow_tally_folded",
            )
        ]
        indexes = [models.Index(fields=["workflow", "hour"], condition=models.Q(is_folded=False), name="flow_tally_appended")]


class ParameterValue(models.Model):
    """One version of the value of a parameter: for everybody, for a connection, or for one company of it.

    Versions are appended. The current one of a scope counts there; one without a number says that none is set any more.
    """

    name = models.CharField(max_length=120)
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, help_text="None: for everybody")
    company_id = models.BigIntegerField(null=True, help_text="A company of the connection in Odoo; none: all of them")
    number = models.DecimalField(null=True, help_text="In the parameter's unit; none: not set here any more")
    version = models.PositiveIntegerField()
    is_current = models.BooleanField(default=True, db_default=True)
    set_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", help_text="None: by a command on the server")
    set_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True, db_default="")
    applied_at = models.DateTimeField(null=True, help_text="When the records that it concerns were put up for evaluation")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "connection", "company_id", "version"], name="one_parameter_value_a_version", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["name", "connection", "company_id"],
                condition=models.Q(is_current=True),
                nulls_distinct=False,
                name="one_current_parameter_value",
            ),
            models.CheckConstraint(
                condition=models.Q(company_id=None) | models.Q(connection__isnull=False), name="company_of_a_connection"
            ),
        ]
        indexes = [
            models.Index(fields=["set_at"], condition=models.Q(applied_at=None), name="parameter_values_to_apply"),
        ]
