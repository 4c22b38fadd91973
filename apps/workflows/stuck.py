"""Records that stand in a stage far beyond its target: one exception type for every workflow, derived from its stages.

A record is stuck once it has stood there for twice the stage's target, and a day longer than the target at the least. It is
looked at again at that moment, and once more when the time has doubled and doubled again, so that what nobody moves grows
worse by itself. Stages of which another exception type tells already, and records worth little, are left out: see
:attr:`apps.workflows.declare.Stage.stuck_from`.
"""

from dataclasses import replace
from datetime import timedelta

from django.db.models import Q
from psycopg import sql

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import parameter_catalogue, parameters, playbooks, responsible
from apps.workflows.declare import ExceptionType, Fact, Stage, Workflow
from apps.workflows.playbooks import Shows, Step
from apps.workflows.sql_message import literal, say

TASK = "move it on, or say what it waits for"
# In multiples of the patience: when a record that is still there is looked at again.
LOOKS = (1, 2, 4)
COLUMNS = [
    "stuck_stage",
    "stuck_stage_title",
    "stuck_team",
    "stuck_since",
    "stuck_days",
    "stuck_target_days",
    "stuck_weight",
    "is_stuck",
]


def patience(stage: Stage) -> timedelta | None:
    """How long a record may stand in ``stage`` before it is stuck; None where it never is."""
    if stage.target is None or stage.stuck_from is None or not stage.is_open:
        return None
    return max(2 * stage.target, stage.target + timedelta(days=1))


def next_look(patience_column: sql.Composable, since: sql.Composable) -> sql.Composable:
    """SQL of the next moment at which a record that stands there ``since`` is to be looked at; NULL where there is none."""
    moments = [sql.SQL("{} + {} * {}").format(since, sql.Literal(times), patience_column) for times in LOOKS]
    return sql.SQL("(SELECT min(m) FROM unnest(ARRAY[{}]) AS m WHERE m > %(now)s)").format(sql.SQL(", ").join(moments))


def with_stuck(workflow: Workflow) -> Workflow:
    """``workflow`` with what tells of its stuck records; as it is where none of its stages can hold one."""
    stages = [(stage, limit) for stage in workflow.stages if (limit := patience(stage))]
    if not stages:
        return workflow
    who = responsible.responsible_for(workflow.odoo_model)
    kind = ExceptionType(
        name=f"{workflow.name}.stuck",
        title=f"Stalled: {workflow.title[0].lower()}{workflow.title[1:]}",
        when=Q(is_stuck=True),
        team=stages[0][0].owner,
        team_column="stuck_team",
        due=timedelta(hours=8),
        amount=workflow.amount,
        cause="stuck_stage",
        evidence={
            "stuck_stage_title": Figure("Stage", figures.word),
            "stuck_since": Figure("In stage since", figures.moment),
            "stuck_days": Figure("Days in stage", figures.days),
            "stuck_target_days": Figure("Target days", figures.days),
            "partner_name": Figure("Partner", figures.text),
            workflow.amount: Figure("Value", figures.money),
        },
        severity=("stuck_weight", (5_000, 25_000, 100_000)),
        closed_because="The record has progressed",
        actions=[*workflow.stuck_actions, *([responsible.ask(who, TASK)] if who else [])],
        playbook=[
            playbooks.owned(),
            Step(name="blocked", title="Find what holds it up: Blocked by, Dependencies"),
            playbooks.applied("Do what is suggested, or ask who is responsible"),
            Step(name="moved", title="It has moved on", done_when=Shows.MOVED),
        ],
    )
    return replace(workflow, facts=[*workflow.facts, _fact(workflow, stages)], exceptions=[*workflow.exceptions, kind])


def _fact(workflow: Workflow, stages: list[tuple[Stage, timedelta]]) -> Fact:
    """Where the record stands and for how long, against the stage's patience. Its weight doubles when the time does."""
    rows = ",\n".join(
        f"({literal(stage.name)}, {say(stage.title)}, {literal(stage.owner)}, {_target_days(workflow, stage)},"
        f" {_stuck_from(workflow, stage)})"
        for stage, _ in stages
    )
    # By the looks alone, so that looking in between says the same.
    times = " ".join(f"WHEN s.days >= {many} * s.patience THEN {many}" for many in reversed(LOOKS[1:]))
    return Fact(
        name="stuck",
        columns=COLUMNS,
        sql=f"""
            SELECT p.stage AS stuck_stage, t.title AS stuck_stage_title, t.owner AS stuck_team, p.since AS stuck_since,
                   floor(s.days)::int AS stuck_days, trim_scale(round(t.target, 1)) AS stuck_target_days,
                   p.amount * (CASE {times} ELSE 1 END) AS stuck_weight,
                   s.days >= s.patience AND COALESCE(p.amount >= t.stuck_from, TRUE) AS is_stuck
              FROM workflows_position p
              JOIN (VALUES {rows}) AS t(stage, title, owner, target, stuck_from) ON t.stage = p.stage
             CROSS JOIN LATERAL (
               SELECT extract(epoch FROM %(now)s::timestamptz - p.since) / 86400 AS days,
                      GREATEST(2 * t.target, t.target + 1) AS patience) AS s
             WHERE p.connection_id = r.connection_id AND p.workflow = {literal(workflow.name)} AND p.odoo_id = r.odoo_id
        """,
    )


def _target_days(workflow: Workflow, stage: Stage) -> str:
    target = parameter_catalogue.target_of(workflow.name, stage)
    return f"{parameters.value_sql(target.name, target.default)} * {parameters.SECONDS[target.unit]} / 86400.0"


def _stuck_from(workflow: Workflow, stage: Stage) -> str:
    least = parameter_catalogue.stuck_from_of(workflow.name, stage)
    return parameters.value_sql(least.name, least.default)
