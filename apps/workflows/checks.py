"""Refuses to start with a workflow file that cannot be, naming the place and the remedy."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.checks import CheckMessage, Error, register

from apps.core import figures
from apps.core.figures import units_of
from apps.mirror import registry as mirror
from apps.workflows import compile as compiled
from apps.workflows import engine, naming, placeholders, playbooks, reads, registry, stage_coverage
from apps.workflows.declare import ApprovalKind, ExceptionType, Workflow
from apps.workflows.root_causes import CauseKind


@register()
def declarations(**_: Any) -> list[CheckMessage]:
    """Every workflow compiles, names each thing once, and answers exceptions that exist."""
    try:
        found = registry.workflows()
        problems = [problem for workflow in found.values() for problem in problems_of(workflow)]
    except compiled.DeclarationError as error:
        return [Error(str(error), id="workflows.E001")]
    problems += declared_twice(found.values()) + causes_declared_twice(found.values())
    return [Error(problem, id="workflows.E002") for problem in problems]


def declared_twice(workflows: Iterable[Workflow]) -> list[str]:
    """Return the names that more than one of ``workflows`` gives to an exception type or approval kind, with the remedy."""
    problems = []
    seen: dict[str, tuple[Workflow, ExceptionType | ApprovalKind]] = {}
    for workflow in workflows:
        declared: list[ExceptionType | ApprovalKind] = [*workflow.exceptions, *workflow.approvals]
        for kind in declared:
            other = seen.get(kind.name)
            if other and not _shared(other, (workflow, kind)):
                problems.append(
                    f"{kind.name} is declared by {other[0].name} and {workflow.name}. Rename one; only an approval kind is "
                    "shared, over records of different models and with one title and policy."
                )
            if other and isinstance(kind, ApprovalKind) and isinstance(other[1], ApprovalKind):
                problems += [
                    f"{name} of {kind.name} is {other[1].context[name].kind.name} in {other[0].name} and "
                    f"{kind.context[name].kind.name} in {workflow.name}. Rename one: its policy asks both."
                    for name in sorted(kind.context.keys() & other[1].context.keys())
                    if kind.context[name].kind.name != other[1].context[name].kind.name
                ]
            seen[kind.name] = workflow, kind
    return problems


def causes_declared_twice(workflows: Iterable[Workflow]) -> list[str]:
    """Return the kinds of causes of which there are two of one name, with the remedy."""
    problems = []
    seen: dict[str, CauseKind] = {}
    for workflow in workflows:
        for exception in workflow.exceptions:
            for cause in exception.root_causes:
                if seen.setdefault(cause.kind.name, cause.kind) != cause.kind:
                    problems.append(f"{exception.name} names another cause {cause.kind.name} than others do. Rename its kind.")
    return problems


def _shared(one: tuple[Workflow, ExceptionType | ApprovalKind], other: tuple[Workflow, ExceptionType | ApprovalKind]) -> bool:
    """Whether two declarations of one name are one kind of approval for different records."""
    (first, kind), (second, same) = one, other
    if not isinstance(kind, ApprovalKind) or not isinstance(same, ApprovalKind) or first.odoo_model == second.odoo_model:
        return False
    return (kind.title, kind.default_policy) == (same.title, same.default_policy)


def problems_of(workflow: Workflow) -> list[str]:
    """What is wrong with one workflow, each with the remedy. Raises DeclarationError where it cannot even be compiled."""
    if problems := _figures(workflow):
        return problems
    columns = compiled.known_columns(workflow)
    compiled.stage_case(workflow)
    compiled.source(workflow)
    compiled.belongs(workflow)
    compiled.moment_ahead(workflow)
    compiled.column_of(workflow, workflow.label)
    if columns.get("company_id") != "r":
        return [f"{workflow.odoo_model} is mirrored without company_id, by which it is known who may see its records. Mirror it."]
    engine.move_statement(workflow)
    problems = [
        *naming.problems(workflow),
        *stage_coverage.problems(workflow),
        *_unknown_to_the_mirror(workflow),
        *reads.problems(workflow),
        *_holders(workflow, columns),
    ]
    exceptions = {kind.name for kind in workflow.exceptions}
    for kind in workflow.exceptions:
        compiled.predicate(workflow, kind.when)
        problems += [f"{kind.name}: {problem}" for problem in playbooks.problems_of(kind.playbook)]
        for column in [
            kind.amount,
            kind.severity[0],
            *kind.evidence,
            *units_of(kind.evidence),
            *filter(None, [kind.cause, kind.team_column]),
            *(name for cause in kind.root_causes for name in (cause.record, cause.place) if name),
        ]:
            compiled.column_of(workflow, column)
        for action in kind.actions:
            known = {*action.columns, *placeholders.OF_DECISION}
            problems += [
                f"Suggested action {action.name} of {kind.name} names {name}, which it does not return."
                f" It has: {', '.join(sorted(known))}."
                for name in sorted((placeholders.of_calls([*action.calls, *action.undo]) | placeholders.names(action.asks)) - known)
            ]
    for approval in workflow.approvals:
        compiled.predicate(workflow, approval.when)
        compiled.predicate(workflow, approval.possible)
        chosen = set(approval.choice.columns) if approval.choice else set()
        for column in sorted(chosen & set(columns)):
            problems.append(f"The choice of {approval.name} returns {column}, which {workflow.name} has already. Rename it.")
        for column in [
            approval.cause,
            approval.amount,
            approval.asked_by,
            *approval.involved,
            *approval.account_owner,
            *({*approval.context, *units_of(approval.context), *placeholders.columns_of(approval)} - chosen),
            *(approval.figures.columns if approval.figures else ()),
        ]:
            compiled.column_of(workflow, column)
        if approval.exception and approval.exception not in exceptions:
            problems.append(f"Approval {approval.name} answers {approval.exception}, which {workflow.name} does not have.")
    for guard in workflow.guards:
        if guard.approval not in {approval.name for approval in workflow.approvals}:
            problems.append(f"A guard of {workflow.name} asks for {guard.approval}, which it does not have.")
    if workflow.guards and not workflow.form:
        problems.append(f"Workflow {workflow.name} has guards, but no form on which to show a hold. Name its form.")
    return problems


def _holders(workflow: Workflow, columns: Mapping[str, str]) -> list[str]:
    """Who held a record in the past is told by what never changes of it; of what a fact finds now, nothing follows."""
    return [
        f"held_by of stage {stage.name} of {workflow.name} names {name}. Name columns of the record that never change, as its type."
        for stage in workflow.stages
        for when, _ in stage.held_by.where
        for name in sorted(compiled.named_in(when))
        if columns.get(name) != "r"
    ]


def _figures(workflow: Workflow) -> list[str]:
    """What of the evidence, facts and lines says nothing of what it is, or says what cannot be."""
    found = []
    for exception in workflow.exceptions:
        found += figures.problems(f"The evidence of {exception.name}", exception.evidence)
        if not found and not exception.measure.is_number:
            column = exception.severity[0]
            found.append(f"{exception.name} takes its severity from {column}, which is {exception.measure.name}. Name a number.")
    for approval in workflow.approvals:
        found += figures.problems(f"The context of {approval.name}", approval.context)
        if not found:
            found += [
                f"A yes to {approval.name} bounds {name}, which its context does not have as a number. Add it, or bound another."
                for name in approval.bounds
                if name not in approval.context or not approval.context[name].kind.is_number
            ]
    return found + figures.problems(f"The lines of {workflow.name}", workflow.lines.columns if workflow.lines else {})


def _unknown_to_the_mirror(workflow: Workflow) -> list[str]:
    """Models and fields that it wants to hear of, which nobody mirrors: such a change would come and lead to nothing."""
    models = mirror.models()
    problems = [
        f"Workflow {workflow.name} depends on {dependency.model}, which is not mirrored. Add a mirrored model for it."
        for dependency in workflow.dependencies
        if dependency.model not in models
    ]
    for model, fields in workflow.hooks.items():
        if model not in models:
            problems.append(f"Workflow {workflow.name} hooks {model}, which is not mirrored. Add a mirrored model for it.")
            continue
        problems += [
            f"Workflow {workflow.name} hooks {name} of {model}, which is not mirrored. Mirror it, or leave it out. There is: "
            f"{', '.join(sorted(models[model].odoo_fields()))}."
            for name in sorted(set(fields) - set(models[model].odoo_fields()))
        ]
    return problems
