"""Telling the companies of one Odoo apart: by name, and only where the reader may see more than one."""

from typing import Any

from django.db.models import Case, Exists, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce

from apps.accounts.access import AccessScope
from apps.mirror import registry


def with_company_name[Rows: QuerySet[Any, Any]](rows: Rows, access_scope: AccessScope) -> Rows:
    """``rows`` (of a model with ``connection`` and ``company_id``) with ``company_name``; "" where but one company is in sight."""
    company = registry.models()["res.company"]
    of_connection = company.objects.filter(connection_id=OuterRef("connection_id"), deleted_at=None)
    # Only those in sight: that there are others is nothing that the reader may learn.
    others = of_connection.filter(access_scope.of_records(company="odoo_id")).exclude(odoo_id=OuterRef("company_id"))
    own = of_connection.filter(odoo_id=OuterRef("company_id")).values("name")[:1]
    text = TextField()
    name = Coalesce(Subquery(own, output_field=text), Value(""), output_field=text)
    return rows.annotate(company_name=Case(When(Exists(others), then=name), default=Value(""), output_field=text))


def name_of(connection_id: int, company_id: int | None, access_scope: AccessScope) -> str:
    """The company's name; "" where but one of its Odoo is in sight, or the record is of none."""
    if company_id is None:
        return ""
    company = registry.models()["res.company"]
    found = company.objects.filter(access_scope.of_records(company="odoo_id"), connection_id=connection_id, deleted_at=None)
    names = dict(found.values_list("odoo_id", "name"))
    return (names.get(company_id) or "") if len(names) > 1 else ""
