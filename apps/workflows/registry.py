"""The workflows that there are: every file in ``catalogue`` that declares one, and what extensions add."""

import importlib
import pkgutil
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cache

from django.conf import settings

from apps.core.figures import Figure
from apps.mirror import registry as mirror
from apps.workflows import catalogue, parameter_catalogue, severity_boost, stuck
from apps.workflows.compile import DeclarationError
from apps.workflows.declare import Addition, ApprovalKind, ExceptionType, Workflow
from apps.workflows.parameter_catalogue import Area, Declared
from apps.workflows.root_causes import CauseKind

# The parameters of what stands beside the workflows, on floors above this one.
_beside: dict[str, Declared] = {}


@cache
def workflows() -> dict[str, Workflow]:
    """Every workflow by its name, in the order of their ranks: the catalogue's, and those of the extensions.

    Raises:
        DeclarationError: a file declares none, or two declare the same.
    """
    return assembled([one.package for one in settings.EXTENSIONS.accepted])


def assembled(packages: Collection[str]) -> dict[str, Workflow]:
    """Return the catalogue's workflows with what the extensions of ``packages`` add, by name, in the order of their ranks.

    Raises:
        DeclarationError: a file declares none, two declare the same, or an addition is to something that there is not.
        ExtensionError: a module of an extension declares nothing.
    """
    found: dict[str, Workflow] = {}
    for module in pkgutil.iter_modules(catalogue.__path__):
        declared = getattr(importlib.import_module(f"{catalogue.__name__}.{module.name}"), "WORKFLOW", None)
        if declared is None:
            raise DeclarationError(f"catalogue/{module.name}.py declares no WORKFLOW. Declare one, or remove the file.")
        _add(declared, found)
    for _, workflow in settings.EXTENSIONS.declared("workflows", Workflow, of=packages):
        _add(workflow, found)
    for _, addition in settings.EXTENSIONS.declared("additions", Addition, of=packages):
        if addition.workflow not in found:
            raise DeclarationError(f"There is no workflow {addition.workflow} to add to. There is: {', '.join(sorted(found))}.")
        found[addition.workflow] = _with(found[addition.workflow], addition)
    # Only once every file is read are all mirrored models known: a file may bring its own.
    completed = {name: _completed(declared) for name, declared in found.items()}
    return dict(sorted(completed.items(), key=lambda item: (item[1].rank, item[0])))


def _add(declared: Workflow, found: dict[str, Workflow]) -> None:
    if declared.name in found:
        raise DeclarationError(f"The workflow {declared.name} is declared twice. Rename one.")
    found[declared.name] = declared


def _with(workflow: Workflow, addition: Addition) -> Workflow:
    """``workflow`` with what ``addition`` adds to it. Raises DeclarationError."""
    known = {kind.name for kind in [*workflow.exceptions, *addition.exceptions]}
    if unknown := sorted(set(addition.actions) - known):
        raise DeclarationError(
            f"{workflow.name} has no exception type {', '.join(unknown)} to act on. It has: {', '.join(sorted(known))}."
        )
    exceptions = [
        replace(kind, actions=[*kind.actions, *addition.actions.get(kind.name, ())])
        for kind in [*workflow.exceptions, *addition.exceptions]
    ]
    return replace(
        workflow,
        exceptions=exceptions,
        facts=[*workflow.facts, *addition.facts],
        dependencies=[*workflow.dependencies, *addition.dependencies],
        approvals=[*workflow.approvals, *addition.approvals],
    )


def _completed(declared: Workflow) -> Workflow:
    """``declared`` with what every workflow has: its stuck records, and what makes an exception weigh more."""
    model = mirror.models().get(declared.odoo_model)
    has_partner = model is not None and any(field.column == "partner_id" for field in model._meta.concrete_fields)
    return parameter_catalogue.with_parameters(severity_boost.with_weight(stuck.with_stuck(declared), has_partner=has_partner))


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


def facts_of(kind: str) -> dict[str, Figure]:
    """The facts that requests of ``kind`` carry, with what each is, whatever their model."""
    return {name: figure for _, one in declarations_of(kind) for name, figure in one.context.items()}


def exception_types() -> dict[str, tuple[Workflow, ExceptionType]]:
    """Every exception type by its name, with its workflow."""
    return {kind.name: (workflow, kind) for workflow in workflows().values() for kind in workflow.exceptions}


def cause_kinds() -> dict[str, CauseKind]:
    """Every kind of record that exceptions are caused by, by its name."""
    return {cause.kind.name: cause.kind for _, kind in exception_types().values() for cause in kind.root_causes}


def register_parameters(found: Iterable[Declared]) -> None:
    """Add what has parameters beside the workflows; called once, as an app starts."""
    _beside.update({one.parameter.name: one for one in found})


def parameters() -> dict[str, Declared]:
    """Every parameter by its name: in the order of the workflows that read it, then those beside them."""
    return parameter_catalogue.catalogue(workflows()) | _beside


def parameter_areas() -> dict[str, Workflow | Area]:
    """What has parameters, by its name."""
    return {reader.name: reader for one in parameters().values() for reader in one.readers}
