"""People, teams and the tokens that act for them."""

import hashlib
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.dispatch import Signal
from django.utils.translation import gettext, gettext_lazy

from apps.accounts.logins import OdooLoginField
from apps.core.actor import Actor


class Role(models.TextChoices):
    """What a person does here. ``accounts.permissions`` says what each role may."""

    OPERATOR = "operator", gettext_lazy("Operator")
    APPROVER = "approver", gettext_lazy("Approver")
    MANAGER = "manager", gettext_lazy("Manager")
    INTEGRATOR = "integrator", gettext_lazy("Integrator")
    AUDITOR = "auditor", gettext_lazy("Auditor")
    ADMIN = "admin", gettext_lazy("Admin")


# What decides what a person may do: where one of these changes, whatever rests on it is looked at anew.
POWERS = frozenset({"is_active", "role", "approval_limit", "odoo_login", "sees"})
# Sent in the transaction of the change with ``ids``, the people whose powers changed (None: anybody's).
powers_changed = Signal()


class PeopleQuerySet(models.QuerySet["User"]):
    """People; a change of their powers in a set is announced as one of a single person is."""

    def update(self, **values: Any) -> int:
        """Update as Django does, and announce whose powers changed."""
        if not POWERS.intersection(values):
            return super().update(**values)
        with transaction.atomic():
            ids = list(self.values_list("pk", flat=True))
            changed = super().update(**values)
            powers_changed.send(sender=User, ids=ids)
        return changed

    update.alters_data = True  # type: ignore[attr-defined]


class PeopleManager(UserManager.from_queryset(PeopleQuerySet)):  # type: ignore[misc]
    """The manager of people."""

    use_in_migrations = False


class User(AbstractUser):
    """A person who signs in."""

    objects: ClassVar[Any] = PeopleManager()

    role = models.CharField(max_length=20, choices=Role, default=Role.OPERATOR)
    approval_limit = models.DecimalField(
        max_digits=18,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="The largest amount this person may approve. Empty: none.",
    )
    limit_currency = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="Currency of the limit. Empty: that of the first company of the oldest connection.",
    )
    odoo_login = OdooLoginField(
        max_length=200,
        blank=True,
        help_text="Login of the same person in Odoo, from which they are linked to Odoo users (odoo.LinkedUser).",
    )
    time_zone = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=10, blank=True, help_text="What this person reads. Empty: as their browser asks.")
    sees = ArrayField(
        models.CharField(max_length=40),
        null=True,
        blank=True,
        help_text="What this person may see, as accounts.access writes it: connections, and companies of them. None: everything.",
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            # Two accounts of one person would let them decide with one what they asked for with the other.
            models.UniqueConstraint(fields=["odoo_login"], condition=~models.Q(odoo_login=""), name="one_account_a_login"),
        ]

    @property
    def actor(self) -> Actor:
        """The person as the audit trail names them."""
        return Actor(kind="user", id=str(self.pk), name=str(self))

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @classmethod
    def from_db(cls, *arguments: Any, **named: Any) -> "User":
        """Note the powers that were read, to know at a save whether they changed."""
        user = super().from_db(*arguments, **named)
        user._powers = user._present_powers()
        return user

    def save(self, *arguments: Any, **named: Any) -> None:
        """Save, and announce a change of the person's powers in the same transaction."""
        present, written = self._present_powers(), named.get("update_fields")
        before = getattr(self, "_powers", {})
        saved = {name: value for name, value in present.items() if written is None or name in written}
        if all(name in before and before[name] == value for name, value in saved.items()):
            super().save(*arguments, **named)
            return
        with transaction.atomic():
            super().save(*arguments, **named)
            self._powers = {**before, **saved}
            powers_changed.send(sender=User, ids=[self.pk])

    def _present_powers(self) -> dict[str, Any]:
        # Of what was not loaded nothing can have changed.
        return {name: self.__dict__[name] for name in POWERS if name in self.__dict__}


class Team(models.Model):
    """People who own a stage or a kind of exception together."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    members = models.ManyToManyField(User, related_name="teams", blank=True)

    def __str__(self) -> str:
        # A team that still has the name it was made with is named in each language; others by the name they were given.
        return gettext(self.name) if self.name == self.slug.replace("_", " ").capitalize() else self.name


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
