"""How the audit trail, live topics and addresses name a record."""

from django.conf import settings


def audit_subject(connection_name: str, model: str, odoo_id: int) -> str:
    """The record as the audit trail names it."""
    return f"record:{connection_name}:{model}:{odoo_id}"


def topic(connection_id: int, model: str, odoo_id: int) -> str:
    """The live topic of the record's page."""
    return f"record:{connection_id}:{model}:{odoo_id}"


def path(connection_name: str, model: str, odoo_id: int) -> str:
    """The record's page in the tower."""
    return f"/records/{connection_name}/{model}/{odoo_id}/"


def url(connection_name: str, model: str, odoo_id: int) -> str:
    """The record's page with the tower's public address, for links in Odoo and in messages."""
    return settings.PUBLIC_URL + path(connection_name, model, odoo_id)
