"""What of the queue an Odoo shows, for the page of its connection."""

from typing import Any

from django.utils.translation import gettext

from apps.exceptions.models import Severity, ShowInOdoo, Shown
from apps.odoo.models import Connection
from apps.workflows import registry


def in_odoo(connection: Connection) -> dict[str, Any]:
    """What of the queue ``connection`` shows in Odoo, for its page."""
    chosen = ShowInOdoo.for_connection(connection)
    sentence = gettext("Nothing is shown in Odoo.")
    if not connection.is_provisioned:
        sentence = gettext("Nothing is shown in Odoo until the connection is provisioned.")
    elif chosen.is_on:
        standing = Shown.objects.filter(case__connection=connection, ended_at=None).count()
        sentence = gettext("%(standing)s open exceptions shown there, severity %(severity)s and above.") % {
            "standing": standing,
            "severity": chosen.get_severity_display().lower(),
        }
    raising = {workflow.odoo_model for workflow in registry.workflows().values() if workflow.exceptions}
    return {
        "chosen": chosen,
        "sentence": sentence,
        "severities": Severity.choices,
        "types": [(name, kind.title) for name, (_, kind) in sorted(registry.exception_types().items())],
        "without": sorted(model for model in raising if not connection.lacks(model) and not connection.has_activities(model))
        if connection.capabilities.get("models")
        else [],
    }
