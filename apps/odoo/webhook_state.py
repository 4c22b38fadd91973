"""Bringing an Odoo's webhooks to what people want of them (:mod:`apps.odoo.hooks`). Asks Odoo: for workers alone."""

from datetime import datetime

from apps.core import live
from apps.odoo import client as wire
from apps.odoo.models import Connection
from apps.odoo.resources import MARK


def apply_webhook_state(connection: Connection, *, now: datetime) -> None:
    """Bring Odoo's rules in line with what is wanted; nothing where they are. Raises OdooError: the next call tries again."""
    if connection.hooks_wanted == (connection.hooks_off_at is None):
        return
    client = wire.connect(connection)
    marked = [("module", "=", MARK), ("model", "=", "base.automation")]
    rules = [
        row["res_id"]
        for row in client.search_read("ir.model.data", marked, ["name", "res_id"])
        if row["name"].startswith("rule_hook_")
    ]
    standing = client.search("base.automation", [("id", "in", rules)])
    if standing:
        client.write("base.automation", standing, {"active": connection.hooks_wanted})
    off_at = None if connection.hooks_wanted else now
    Connection.objects.filter(pk=connection.pk, hooks_wanted=connection.hooks_wanted).update(hooks_off_at=off_at)
    live.announce(["health"])
