"""Delete a connection with everything that is kept of it, table by table and in small transactions."""

import logging
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import ProtectedError

from apps.audit import trail
from apps.core import live
from apps.core.actor import system
from apps.odoo.models import Connection

logger = logging.getLogger(__name__)

AT_ONCE = 2_000


def tables_of_connections() -> list[tuple[type[models.Model], str]]:
    """The models whose rows belong to one connection, each with the field that names it."""
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is Connection and not model._meta.proxy
    ]


def lost_with(connection: Connection) -> dict[str, int]:
    """How many rows go with the connection, by the model's label; those of which there are none are left out."""
    counts = {model._meta.label: _rows(model, name, connection.pk).count() for model, name in tables_of_connections()}
    return {label: count for label, count in counts.items() if count}


def _rows(model: type[models.Model], field: str, connection_id: int) -> "models.QuerySet[Any]":
    return model._base_manager.filter(**{field: connection_id})


def delete_connection(connection_id: int, *, now: datetime) -> bool:
    """Delete a connection whose deletion was requested; True if it is gone. A call that was cut off is taken up by the next."""
    connection = Connection.objects.filter(pk=connection_id).exclude(delete_requested_at=None).first()
    if connection is None:
        return False
    waiting = tables_of_connections()
    while waiting:
        protected = [(model, name) for model, name in waiting if not _empty(model, name, connection_id)]
        if len(protected) == len(waiting):
            logger.error("%s cannot be deleted yet: %s", connection.name, ", ".join(model._meta.label for model, _ in protected))
            return False
        waiting = protected
    with transaction.atomic():
        connection.delete()
        trail.record(
            trail.Event(
                action="connection.deleted",
                actor=system("delete_connection"),
                subject=f"connection:{connection.name}",
                data={"url": connection.url, "database": connection.database},
            ),
            now=now,
        )
    live.announce(["health"])
    return True


def _empty(model: type[models.Model], field: str, connection_id: int) -> bool:
    """Delete the rows of the connection; False where other rows still protect them."""
    while True:
        keys = list(_rows(model, field, connection_id).values_list("pk", flat=True)[:AT_ONCE])
        if not keys:
            return True
        try:
            with transaction.atomic():
                model._base_manager.filter(pk__in=keys).delete()
        except ProtectedError:
            return False
