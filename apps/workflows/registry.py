"""The workflows that there are: every file in ``catalogue`` that declares one."""

import importlib
import pkgutil
from functools import cache

from apps.mirror import registry as mirror
from apps.workflows import catalogue, severity_boost, stuck
from apps.workflows.compile import DeclarationError
from apps.workflows.declare import ApprovalKind, ExceptionType, Workflow


@cache
def workflows() -> dict[str, Workflow]:
    """Every workflow by its name, in the order of their ranks.

    Raises:
        DeclarationError: a file declares none, or two declare the same.
    """
    found: dict[str, Workflow] = {}
    for module in pkgutil.iter_modules(catalogue.__path__):
        declared = getattr(importlib.import_module(f"{catalogue.__name__}.{module.name}"), "WORKFLOW", None)
        if declared is None:
            raise DeclarationError(f"catalogue/{module.name}.py declares no WORKFLOW. Declare one, or remove the file.")
        if declared.name in found:
            raise DeclarationError(f"Two files in catalogue declare the workflow {declared.name}. Rename one.")
        found[declared.name] = declared
    # Only once every file is read are all mirrored models known: a file may bring its own.
    completed = {name: _completed(declared) for name, declared in found.items()}
    return dict(sorted(completed.items(), key=lambda item: (item[1].rank, item[0])))


def _completed(declared: Workflow) -> Workflow:
    """``declared`` with what every workflow has: its stuck records, and what makes an exception weigh more."""
    model = mirror.models().get(declared.odoo_model)
    has_partner = model is not None and any(field.column == "partner_id" for field in model._meta.concrete_fields)
    return severity_boost.with_weight(stuck.with_stuck(declared), has_partner=has_partner)


def is_workflow(name: str, _: object = None) -> bool:
    """Return True if a workflow of that name is declared."""
    return name in workflows()


def is_stage(name: str, _: object = None) -> bool:
    """Return True if any workflow declares a stage of that name."""
    return any(stage.name == name for workflow in workflows().values() for stage in workflow.stages)


def over(odoo_model: str) -> list[Workflow]:
    """The workflows over records of ``odoo_model``."""
    return [workflow for workflow in workflows().values() if workflow.odoo_model == odoo_model]


def approval_kinds() -> dict[str, tuple[Workflow, ApprovalKind]]:
    """Every approval kind by its name, with its workflow: the last by rank, where several workflows share a kind.

    They share its title and its policy, and differ in the model and in what is asked and told (:func:`approval_kind`).
    """
    return {kind.name: (workflow, kind) for workflow in workflows().values() for kind in workflow.approvals}


def declarations_of(kind: str) -> list[tuple[Workflow, ApprovalKind]]:
    """Every declaration of an approval kind, with its workflow; none where there is no such kind."""
    return [(workflow, one) for workflow in workflows().values() for one in workflow.approvals if one.name == kind]


def approvals_over(odoo_model: str) -> list[tuple[Workflow, ApprovalKind]]:
    """The approval kinds of records of ``odoo_model``, each with its workflow."""
    return [(workflow, kind) for workflow in over(odoo_model) for kind in workflow.approvals]


def approval_kind(kind: str, odoo_model: str) -> ApprovalKind | None:
    """What is declared as ``kind`` for records of ``odoo_model``; None where nothing is."""
    return next((one for _, one in approvals_over(odoo_model) if one.name == kind), None)


def facts_of(kind: str) -> dict[str, str]:
    """The facts that requests of ``kind`` carry, with the words that people read for them, whatever their model."""
    return {name: words for _, one in declarations_of(kind) for name, words in one.context.items()}


def exception_types() -> dict[str, tuple[Workflow, ExceptionType]]:
    """Every exception type by its name, with its workflow."""
    return {kind.name: (workflow, kind) for workflow in workflows().values() for kind in workflow.exceptions}
