"""What there are reports of."""

from django.utils.translation import gettext

from apps.workflows import registry

KPIS = "kpis"


def subjects() -> dict[str, str]:
    """Return the subjects by name, each with its title: the KPIs, and the board of each workflow."""
    return {KPIS: gettext("KPIs")} | {name: gettext(workflow.title) for name, workflow in registry.workflows().items()}
