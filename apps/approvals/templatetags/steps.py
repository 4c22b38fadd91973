"""How pages name the steps of policies and requests."""

from django import template

from apps.approvals import step_names

register = template.Library()


@register.filter
def step_name(name: str) -> str:
    """The name of a step, in the reader's language where a workflow declares it."""
    return step_names.told(name)
