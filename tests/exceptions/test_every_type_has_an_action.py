"""Every type of exception offers a way to resolve it that carries through."""

import pytest

from apps.workflows import registry

TYPES = sorted(registry.exception_types())


@pytest.mark.parametrize("name", TYPES)
def test_every_type_that_a_workflow_declares_has_a_suggested_action(name: str) -> None:
    _, declared = registry.exception_types()[name]
    assert declared.actions, f"{name} offers nothing to do. Declare a suggested action (apps/workflows/responsible.py has one)."
    names = [action.name for action in declared.actions]
    assert len(names) == len(set(names)), f"{name} has two actions of one name."
    for action in declared.actions:
        assert action.calls, f"{action.name} of {name} tells Odoo nothing."
