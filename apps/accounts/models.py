"""People, teams and the tokens that act for them."""

import hashlib

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext, gettext_lazy


class Role(models.TextChoices):
    """What a person does here. ``accounts.permissions`` says what each role may."""

    OPERATOR = "operator", gettext_lazy("Operator")
    APPROVER = "approver", gettext_lazy("Approver")
    MANAGER = "manager", gettext_lazy("Manager")
    INTEGRATOR = "integrator", gettext_lazy("Integrator")
    AUDITOR = "auditor", gettext_lazy("Auditor")
    ADMIN = "admin", gettext_lazy("Admin")


class User(AbstractUser):
    """A person who signs in."""

    role = models.CharField(max_length=20, choices=Role, default=Role.OPERATOR)
    approval_limit = models.DecimalField(
        max_digits=18, decimal_places=2, null=True, blank=True,
        help_text="The largest amount, in the company's currency, this person may approve. Empty: none.",
    )  # fmt: skip
    odoo_login = models.CharField(
        max_length=200, blank=True, db_index=True, help_text="Login of the same person in Odoo, for segregation."
    )
    time_zone = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=10, blank=True, help_text="What this person reads. Empty: as their browser asks.")
    sees = ArrayField(
        models.CharField(max_length=40), null=True, blank=True,
        help_text="What this person may see, as accounts.sight writes it: connections, and companies of them. None: everything.",
    )  # fmt: skip

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Team(models.Model):
    """People who own a stage or a kind of exception together."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    members = models.ManyToManyField(User, related_name="teams", blank=True)

    def __str__(self) -> str:
        # The teams that every tower begins with are named in each language; others by the name they were given.
        return gettext(self.name)


class Scope(models.TextChoices):
    """What a token may do: each includes those before it."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    ADMIN = "admin", "Administer"


class ApiToken(models.Model):
    """A token for the REST API. Only its digest is stored: the token itself is shown once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, blank=True)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.READ)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12, help_text="The token's first characters, to recognise it by.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    @staticmethod
    def digest_of(token: str) -> str:
        """The digest under which ``token`` is stored. Tokens are random, so a plain hash is enough."""
        return hashlib.sha256(token.encode()).hexdigest()
