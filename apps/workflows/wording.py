"""What the workflows declare in words for people, all of it, so that it can be translated.

A declaration is English and stays so where it is stored or sent to Odoo. Where a person reads it, it is translated then
(``gettext(stage.title)``): a workflow file needs to know nothing of languages.
"""

from collections.abc import Iterable, Iterator

from apps.workflows import registry, sql_message
from apps.workflows.declare import ApprovalKind, ExceptionType, OdooCall, Workflow


def declared() -> list[str]:
    """Every text of every workflow once, in order."""
    found = {text: None for workflow in registry.workflows().values() for text in _of(workflow) if text}
    return list(found)


def _of(workflow: Workflow) -> Iterator[str]:
    yield workflow.title
    for stage in workflow.stages:
        yield stage.title
        if stage.blocker:
            yield stage.blocker[1]
    if workflow.lines:
        yield workflow.lines.title
        yield from (figure.label for figure in workflow.lines.columns.values())
        yield from sql_message.templates_in(workflow.lines.sql)
    for statement in [*(fact.sql for fact in workflow.facts), *(rule.sql for rule in workflow.blockers)]:
        yield from sql_message.templates_in(statement)
    for exception in workflow.exceptions:
        yield from _of_exception(exception)
    for approval in workflow.approvals:
        yield from _of_approval(approval)


def _of_exception(declared: ExceptionType) -> Iterator[str]:
    yield declared.title
    yield declared.closed_because
    yield from (figure.label for figure in declared.evidence.values())
    yield from (step.title for step in declared.playbook)
    for action in declared.actions:
        yield action.title
        yield action.asks
        yield from sql_message.templates_in(action.sql)
        yield from _of_calls(action.calls)
        yield from _of_calls(action.undo)


def _of_approval(declared: ApprovalKind) -> Iterator[str]:
    yield declared.title
    yield declared.question
    yield declared.matters
    yield from (figure.label for figure in declared.context.values())
    yield from (step["name"] for step in declared.default_policy.get("steps", ()))
    if declared.choice:
        yield declared.choice.title
        yield from sql_message.templates_in(declared.choice.sql)
    for calls in (declared.on_asked, declared.on_approval, declared.on_rejection, declared.on_withdrawal, declared.on_expiry):
        yield from _of_calls(calls)


def _of_calls(calls: Iterable[OdooCall]) -> Iterator[str]:
    yield from (call.title for call in calls)
