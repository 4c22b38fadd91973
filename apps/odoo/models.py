"""Connections: the Odoo databases that the tower mirrors and writes to."""

import secrets
from datetime import timedelta

from django.db import models

from apps.accounts.models import User
from apps.core.looks import Look
from apps.core.secrets import SecretField
from apps.odoo.choices import AccessTestState as AccessTestState
from apps.odoo.choices import ConnectionState as ConnectionState


def make_hook_secret() -> str:
    """An unguessable part of the webhook's address. It grants nothing but "please read this record again"."""
    return secrets.token_urlsafe(24)


# How much later than due a scheduled action may run.
JOB_LATE = timedelta(minutes=15)
# How the names begin of what the tower makes for itself in an Odoo.
OWN_FIELD = "x_ct_"


class Transport(models.TextChoices):
    """How the tower speaks to an Odoo."""

    AUTO = "auto", "By version"
    JSONRPC = "jsonrpc", "JSON-RPC (odoorpc)"
    JSON2 = "json2", "JSON-2"


class Connection(models.Model):
    """One Odoo database."""

    name = models.SlugField(unique=True, help_text="Short name, used in commands and addresses")
    url = models.CharField(max_length=300)
    database = models.CharField(max_length=100)
    login = models.CharField(max_length=200)
    api_key = SecretField(help_text="API key, or the password")
    transport = models.CharField(max_length=10, choices=Transport, default=Transport.AUTO)
    version = models.CharField(max_length=40, blank=True, help_text="Odoo's version, as it said itself")
    uid = models.BigIntegerField(null=True, help_text="The tower's own user id in Odoo")
    hook_secret = models.CharField(max_length=60, default=make_hook_secret, unique=True)
    previous_hook_secret = models.CharField(max_length=60, blank=True, db_index=True)
    capabilities = models.JSONField(default=dict, help_text="What was found by asking: models, fields, rights, lacks")
    hooks_wanted = models.BooleanField(default=True, help_text="Whether its webhooks are to be on, where it is provisioned")
    hooks_off_at = models.DateTimeField(null=True, help_text="Since when they are seen to be switched off there")
    time_zone = models.CharField(
        max_length=60, blank=True, db_default="", help_text="In which its companies count days. Empty: each as Odoo says."
    )
    is_active = models.BooleanField(default=True)
    zone_set_at = models.DateTimeField(null=True, help_text="When it was set; none once what rests on it was put up for evaluation")
    state = models.CharField(max_length=20, choices=ConnectionState, default=ConnectionState.UNKNOWN)
    state_since = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, help_text="What is wrong and what to do, in words")
    went_back_at = models.DateTimeField(null=True, help_text="When it was seen that its database was restored from a backup")
    went_back_to = models.DateTimeField(null=True, help_text="To which moment, as far as can be told")
    delete_requested_at = models.DateTimeField(null=True, help_text="Since when a worker deletes it and all that was read of it")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def lacks(self, model: str, field: str | None = None) -> bool:
        """Whether this Odoo is known not to have ``model``, or ``field`` of it, or not to show it to the login."""
        known = self.capabilities.get("models", {}).get(model)
        if known is None:
            return bool(self.capabilities.get("models"))
        if not known.get("readable", True):
            return True
        if field is not None and field.startswith(OWN_FIELD) and "own_fields" in known:
            # Some of them are only written, never mirrored: nobody asked whether they are missing.
            return field not in known["own_fields"]
        return field is not None and field in known.get("missing_fields", ())

    def former_names(self, model: str) -> dict[str, str]:
        """The fields of ``model`` that this Odoo calls otherwise than the newest does, each with its name there."""
        found: dict[str, str] = self.capabilities.get("models", {}).get(model, {}).get("former_names", {})
        return found

    def has_activities(self, model: str) -> bool:
        """Whether records of ``model`` are known to carry a chatter and activities in this Odoo."""
        return bool(self.capabilities.get("models", {}).get(model, {}).get("activities"))

    @property
    def look(self) -> Look:
        """The colour and icon of its state."""
        return ConnectionState(self.state).look

    @property
    def is_provisioned(self) -> bool:
        """Whether what the tower needs inside this Odoo was found there."""
        return "x_ct_request" in self.capabilities.get("models", {})

    def record_url(self, model: str, odoo_id: int) -> str:
        """The record's form in Odoo's own web client (the address that all versions from 14 understand)."""
        return f"{self.url.rstrip('/')}/web#id={odoo_id}&model={model}&view_type=form"


class AccessTest(models.Model):
    """New access data of a connection, and what Odoo said to them. They are saved only once Odoo has accepted them."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="access_tests")
    url = models.CharField(max_length=300)
    database = models.CharField(max_length=100)
    login = models.CharField(max_length=200)
    api_key = SecretField()
    requested_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=AccessTestState, default=AccessTestState.WAITING)
    problem = models.TextField(blank=True, help_text="Why Odoo did not accept them, and what to do, in words")
    version = models.CharField(max_length=40, blank=True)
    report = models.JSONField(default=dict, help_text="What the login can and cannot do there: abilities, problems")

    def __str__(self) -> str:
        return f"access test {self.pk} of {self.connection_id}"


class LinkedUser(models.Model):
    """The Odoo user that a person is on one connection.

    Segregation rests on this pair of connection and uid: a login may be written in many ways, and be changed in Odoo.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="linked_users")
    uid = models.BigIntegerField(help_text="The user's id in Odoo")
    user = models.ForeignKey(User, models.CASCADE, related_name="odoo_users")
    login = models.CharField(max_length=200, blank=True, help_text="As it was in Odoo when they were linked")
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "uid"], name="one_person_an_odoo_user"),
            models.UniqueConstraint(fields=["user", "connection"], name="one_odoo_user_a_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.login or self.uid} on {self.connection_id}"


class ScheduledJob(models.Model):
    """A scheduled action of one Odoo, as it was last read there."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="jobs")
    odoo_id = models.BigIntegerField()
    name = models.CharField(max_length=200)
    is_active = models.BooleanField()
    next_at = models.DateTimeField(null=True, help_text="When it is due; in the past: it should have run")
    last_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row; Odoo counts them from 18 on")
    first_failed_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True, help_text="When it was found that Odoo had switched it off for failing")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "odoo_id"], name="one_row_a_job")]

    @property
    def is_late(self) -> bool:
        """Whether it should have run: Odoo looks once a minute, and what runs keeps its due time until it ends."""
        return self.is_active and self.next_at is not None and self.read_at - self.next_at > JOB_LATE

    @property
    def is_failing(self) -> bool:
        """Whether it failed the last time, or was switched off for failing."""
        return bool(self.failures or self.given_up_at)
