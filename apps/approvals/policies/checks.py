"""Refuses to start with an approval kind whose declared policy cannot be, naming the place and the remedy."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from apps.approvals.policies import conditions, policy
from apps.approvals.policies.bounds import PolicyError
from apps.workflows import registry
from apps.workflows.compile import DeclarationError


@register()
def declared_policies(**_: Any) -> list[CheckMessage]:
    """The first version of every policy is well formed. Whether somebody can satisfy it, its request finds out."""
    try:
        kinds = registry.approval_kinds()
    except DeclarationError:
        return []  # told by the check of the workflows
    found: list[CheckMessage] = []
    for name, (workflow, kind) in kinds.items():
        try:
            policy.check_shape(name, kind.default_policy)
            conditions.check_kinds(name, kind.default_policy)
        except PolicyError as error:
            found.append(Error(f"Workflow {workflow.name}, policy of {name}: {error}", id="approvals.E001"))
    return found
