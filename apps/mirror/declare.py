"""The words in which a mirrored model is declared: a class that names Odoo's fields under Odoo's names.

Every column may be NULL: an Odoo that lacks the field leaves it so. Odoo's ``false`` for an empty text reads as "".
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.odoo.models import Connection

OWN_COLUMNS = ("id", "connection", "odoo_id", "create_date", "write_date", "read_at", "deleted_at")


class OdooField:
    """A column as Odoo gives it. All else is taken as it comes; only ``false``, Odoo's word for empty, is translated."""

    when_false: ClassVar[Any] = None


class Text(OdooField, models.TextField):
    """char, text, selection, html."""

    when_false = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"null": True, **options})


class Many2one(OdooField, models.BigIntegerField):
    """The id of another record; no foreign key, since the other may not be mirrored yet, or ever."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"null": True, **options})


class Ids(OdooField, ArrayField):
    """The ids of other records. Slow to read in Odoo: declare only what is needed."""

    when_false = []

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"base_field": models.BigIntegerField(), "null": True, **options})


class Integer(OdooField, models.BigIntegerField):
    """integer; Odoo's zero is a zero."""

    when_false = 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"null": True, **options})


class Number(OdooField, models.DecimalField):
    """float and monetary: exact as Odoo shows them, for any currency's decimals and up to a quadrillion."""

    when_false = 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 26, "decimal_places": 6, "null": True, **options})


class Exact(Number):
    """float with all the digits that Odoo keeps: a rate or a cost, by which sums are divided and multiplied."""

    def db_type(self, connection: Any) -> str:
        """A numeric without bounds."""
        return "numeric"


class PerCompany(OdooField, models.JSONField):
    """What the company-dependent field ``of`` is in each company that the login sees: ``{"1": 500.0}``, by the company's id.

    The field itself, mirrored beside it, has the value in the login's own company.
    """

    def __init__(self, of: str = "", **options: Any) -> None:
        self.of = of
        super().__init__(**{"null": True, **options})

    def deconstruct(self) -> Any:
        """With the field that it is of."""
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}


class Boolean(OdooField, models.BooleanField):
    """boolean."""

    when_false = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"null": True, **options})


class Moment(OdooField, models.DateTimeField):
    """datetime; Odoo's naive values are UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"null": True, **options})


class Day(OdooField, models.DateField):
    """date."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"null": True, **options})


class Mirrored(models.Model):
    """The tower's copy of one Odoo model's records. Odoo stays the only source of truth.

    Attributes:
        odoo_model: Odoo's name of the model.
        children: models whose rows belong to a record of this one, with the field that points here. They are read
            anew with it, since Odoo announces neither their deletion with it nor every change of theirs.
        optional: Odoo may lack the model; then it is quietly left out.
        remembered: moments and numbers of which it is kept what they were before (apps/mirror/remembered.py).
    """

    odoo_model: ClassVar[str]
    children: ClassVar[Sequence[tuple[str, str]]] = ()
    optional: ClassVar[bool] = False
    remembered: ClassVar[Sequence[str]] = ()

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    # No index of its own: the unique one below begins with it, and every index is paid for by every write. Nor is it
    # checked row by row: apps/mirror/upsert.py holds the connection once a batch, at half the cost.
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    odoo_id = models.BigIntegerField()
    create_date = Moment()
    write_date = Moment()
    read_at = models.DateTimeField(help_text="When the read began that this row comes from")
    deleted_at = models.DateTimeField(null=True, help_text="When the tower found it gone from Odoo")

    class Meta:
        abstract = True
        # Wherever the class stands: a workflow's file may bring the model that it is over.
        app_label = "mirror"
        constraints = [models.UniqueConstraint(fields=["connection", "odoo_id"], name="%(class)s_once")]

    @classmethod
    def odoo_fields(cls) -> list[str]:
        """The names of Odoo's fields that are mirrored, without id and the two dates that every record has."""
        return [
            field.name for field in cls._meta.concrete_fields if field.name not in OWN_COLUMNS and not isinstance(field, PerCompany)
        ]

    @classmethod
    def per_company(cls) -> dict[str, str]:
        """The columns that hold a value for each company, with the field of Odoo's that each is of."""
        return {field.name: field.of for field in cls._meta.concrete_fields if isinstance(field, PerCompany)}

    @classmethod
    def fields_at(cls, connection: Connection) -> list[str]:
        """Those that this connection's Odoo has."""
        return [name for name in cls.odoo_fields() if not connection.lacks(cls.odoo_model, name)]
