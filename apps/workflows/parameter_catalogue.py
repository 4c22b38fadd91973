"""Which parameters there are: those that rules declare, and those that every stage and exception type has by what it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils.translation import gettext_noop

from apps.core import figures
from apps.workflows import parameters
from apps.workflows.declare import ExceptionType, Fact, Stage, Workflow
from apps.workflows.parameters import Parameter

LONGEST_DAYS, LONGEST_HOURS = 730, 2_000
THRESHOLDS = ("medium", "high", "critical")
IN_GUARD = re.compile(re.escape(parameters.CALL) + r"'(\w+)'")
TARGET_HELP = gettext_noop("A record that stays longer is over target. At twice the time it opens an exception as stalled.")
STUCK_HELP = gettext_noop("From this value on, a record far over its target opens an exception as stalled.")
DUE_HELP = gettext_noop("The SLA of what is opened from now on, in the team's working hours.")
UNITS_OF_KINDS = {
    figures.days.name: parameters.DAYS,
    figures.hours.name: parameters.HOURS,
    figures.percent.name: parameters.PER_CENT,
    figures.rank.name: gettext_noop("rank"),
}
NUMBER = gettext_noop("number")
SEVERITY_HELP = gettext_noop("From this on it is at least that severe.")


@dataclass(frozen=True, kw_only=True)
class Area:
    """What stands beside the workflows and has parameters too: the integration."""

    name: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A parameter with where it counts.

    Attributes:
        workflows: the workflows that read it, by rank; none where an area beside them does.
        beside: that area.
        part: what of the workflow it is about, in words: a stage or an exception type; empty for a rule's own.
        is_in_guard: whether Odoo's guards read it too.
    """

    parameter: Parameter
    workflows: tuple[Workflow, ...]
    beside: Area | None = None
    part: str = ""
    is_in_guard: bool = False

    @property
    def readers(self) -> tuple[Workflow | Area, ...]:
        """Who reads it; it is listed with the first."""
        return self.workflows or ((self.beside,) if self.beside else ())


def target_name(workflow: str, stage: str) -> str:
    """Return the name of the parameter with a stage's target."""
    return f"{workflow}.{stage}.target"


def target_of(workflow: str, stage: Stage) -> Parameter:
    """Return the parameter of a stage's target; the stage has one."""
    assert stage.target is not None
    unit = parameters.HOURS if stage.target < timedelta(days=1) else parameters.DAYS
    longest = LONGEST_DAYS * (1 if unit == parameters.DAYS else 24)
    return Parameter(
        name=target_name(workflow, stage.name),
        title=gettext_noop("Stage target"),
        type=parameters.TIME,
        unit=unit,
        default=stage.target.total_seconds() / parameters.SECONDS[unit],
        bounds=(0.1, longest),
        help=TARGET_HELP,
    )


def stuck_from_of(workflow: str, stage: Stage) -> Parameter:
    """Return the parameter of the value from which a stage's records are raised as stuck; the stage has one."""
    assert stage.stuck_from is not None
    return parameters.limit(
        name=f"{workflow}.{stage.name}.stuck_from", title=gettext_noop("Stuck from"), default=stage.stuck_from, help=STUCK_HELP
    )


def due_of(name: str, due: timedelta) -> Parameter:
    """Return the parameter of an exception type's SLA, which is ``due`` where none is set."""
    return Parameter(
        name=f"{name}.due",
        title=gettext_noop("SLA"),
        type=parameters.TIME,
        unit=parameters.WORKING_HOURS,
        default=due.total_seconds() / 3_600,
        bounds=(0.1, LONGEST_HOURS),
        help=DUE_HELP,
    )


def thresholds_of(kind: ExceptionType) -> list[Parameter]:
    """Return the parameters of an exception type's severity, the least severe first."""
    _, numbers = kind.severity
    titles = (gettext_noop("Medium from"), gettext_noop("High from"), gettext_noop("Critical from"))
    is_money = kind.measure.is_money
    unit = parameters.CURRENCY if is_money else UNITS_OF_KINDS.get(kind.measure.name, NUMBER)
    kept = parameters.AMOUNT if is_money else parameters.NUMBER
    return [
        Parameter(
            name=f"{kind.name}.{level}",
            title=title,
            type=kept,
            unit=unit,
            default=number,
            bounds=(0, parameters.LARGEST_AMOUNT if kept == parameters.AMOUNT else 10_000),
            help=SEVERITY_HELP,
        )
        for level, title, number in zip(THRESHOLDS, titles, numbers, strict=True)
    ]


def of_workflow(workflow: Workflow) -> Iterator[tuple[Parameter, str]]:
    """Each parameter of a completed workflow, with what of it that is about."""
    for parameter in workflow.parameters:
        yield parameter, ""
    for stage in workflow.stages:
        if stage.target is not None:
            yield target_of(workflow.name, stage), stage.title
        if stage.target is not None and stage.stuck_from is not None and stage.is_open:
            yield stuck_from_of(workflow.name, stage), stage.title
    for kind in workflow.exceptions:
        yield due_of(kind.name, kind.due), kind.title
        for threshold in thresholds_of(kind):
            yield threshold, kind.title


def with_parameters(workflow: Workflow) -> Workflow:
    """``workflow`` with the fact by which its rules read their parameters."""
    columns = [
        f"COALESCE((s.settings ->> '{one.name}')::numeric, {parameters.plain(one.default)}) AS {one.name}"
        for one in workflow.parameters
    ]
    # Of several settings of one name the last stays: the company's own before the connection's before everybody's. PostgreSQL
    # keeps the answer for the next record of the same company.
    fact = Fact(
        name=parameters.FACT,
        columns=[parameters.VALUES, *(one.name for one in workflow.parameters)],
        sql=f"""
        SELECT {", ".join([f"s.settings AS {parameters.VALUES}", *columns])}
          FROM (
            SELECT jsonb_object_agg(v.name, v.number ORDER BY v.connection_id NULLS FIRST, v.company_id NULLS FIRST) AS settings
              FROM workflows_parametervalue v
             WHERE v.is_current AND v.number IS NOT NULL
               AND (v.connection_id IS NULL OR v.connection_id = r.connection_id)
               AND (v.company_id IS NULL OR v.company_id = r.company_id)
          ) AS s
    """,
    )
    return replace(workflow, facts=[fact, *workflow.facts])


def guard_names(workflow: Workflow) -> set[str]:
    """Return the names of the parameters that the workflow's guards read inside Odoo."""
    code = "\n".join(text for guard in workflow.guards for text in (guard.terms, guard.condition, guard.subject))
    return set(IN_GUARD.findall(code))


def catalogue(workflows: dict[str, Workflow]) -> dict[str, Declared]:
    """Every parameter of ``workflows`` by its name, in their order. Those that share one declare the same."""
    found: dict[str, Declared] = {}
    for workflow in workflows.values():
        guarded = guard_names(workflow)
        for parameter, part in of_workflow(workflow):
            before = found.get(parameter.name)
            readers = (*before.workflows, workflow) if before else (workflow,)
            is_in_guard = parameter.name in guarded or bool(before and before.is_in_guard)
            found[parameter.name] = Declared(parameter=parameter, workflows=readers, part=part, is_in_guard=is_in_guard)
    return found
