"""Every type of exception offers a way to resolve it that carries through."""

import pytest

from apps.exceptions import integration
from apps.exceptions.cases import own_actions
from apps.workflows import registry, responsible

TYPES = sorted(registry.exception_types())


@pytest.mark.parametrize("name", TYPES)
def test_every_type_that_a_workflow_declares_has_a_suggested_action(name: str) -> None:
    _, declared = registry.exception_types()[name]
    assert declared.actions, f"{name} offers nothing to do. Declare a suggested action (apps/workflows/responsible.py has one)."
    names = [action.name for action in declared.actions]
    assert len(names) == len(set(names)), f"{name} has two actions of one name."
    for action in declared.actions:
        assert action.calls, f"{action.name} of {name} tells Odoo nothing."


@pytest.mark.parametrize("name", TYPES)
def test_where_odoo_knows_who_is_responsible_they_can_always_be_asked(name: str) -> None:
    """Other actions are there only where stock, a vendor or an amount allows them."""
    workflow, declared = registry.exception_types()[name]
    if responsible.responsible_for(workflow.odoo_model) is not None:
        assert "ask_responsible" in [action.name for action in declared.actions], f"{name} may offer nothing at all."


@pytest.mark.parametrize("name", sorted(integration.TYPES))
def test_every_incident_has_an_action(name: str) -> None:
    own = [action.name for action in own_actions.of_type(name) if action.types]
    assert own, f"{name} offers nothing to do. Register an own action (apps/exceptions/cases/incident_actions.py)."


def test_names_of_own_actions_are_none_of_those_that_workflows_declare() -> None:
    for name, (_, declared) in registry.exception_types().items():
        own = {action.name for action in own_actions.of_type(name)}
        assert not own & {action.name for action in declared.actions}
