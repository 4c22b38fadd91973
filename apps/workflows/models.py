"""Where records stand, and how they got there."""

from django.db import models

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
    name = models.CharField(max_length=200)
    stage = models.CharField(max_length=60)
    since = models.DateTimeField(help_text="When it came to this stage, in Odoo's time")
    due_at = models.DateTimeField(null=True, help_text="When it is over the stage's target")
    is_open = models.BooleanField(help_text="Whether the stage is one that somebody still has to move it out of")
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True, help_text="In the company's currency")
    currency = models.CharField(max_length=10, blank=True)
    company_id = models.BigIntegerField(null=True)
    partner_id = models.BigIntegerField(null=True)
    partner_name = models.CharField(max_length=300, blank=True)
    look_again_at = models.DateTimeField(null=True, help_text="When the passing of time alone may change something")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "workflow", "odoo_id"], name="one_position_a_workflow")]
        indexes = [
            # Used by boards.queries: the open stages of a workflow, whatever the closed ones have grown to.
            models.Index(fields=["workflow", "stage", "since"], condition=models.Q(is_open=True), name="positions_open"),
            models.Index(fields=["connection", "model", "odoo_id"], name="positions_by_record"),
            # workflows/impact.py: what is open with a supplier.
            models.Index(
                fields=["connection", "partner_id"], condition=models.Q(is_open=True), name="positions_open_by_partner"
            ),
            # pipeline/absorb.py: what time has made due, however many records there are for which it has not.
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
    at = models.DateTimeField(help_text="Odoo's time")
    seen_at = models.DateTimeField(help_text="When the tower knew")
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    tracking_id = models.BigIntegerField(
        null=True, help_text="The tracked change in Odoo's history that it was taken from, 0 its creation; none: seen live"
    )
    author = models.CharField(max_length=200, db_default="", blank=True, help_text="Who did it, where history says so")
    told = models.TextField(db_default="", blank=True, help_text="The change in the words of Odoo's history")

    class Meta:
        indexes = [
            models.Index(fields=["workflow", "at"], name="transitions_by_time"),  # arrivals and departures
            models.Index(fields=["connection", "model", "odoo_id", "at"], name="transitions_by_record"),  # timeline
        ]
