"""How many records will break their stage's target soon, judged by how long others stayed in the stage before.

For a record that has stood in a stage for t and is due in d, the chance that it is still there then is P(T > t+d | T > t):
the share of earlier stays that lasted that long among those that lasted t. The curve is the product-limit (Kaplan-Meier)
estimate, in which stays that have not ended count for as long as they have lasted. Ages are told in hundredths of the
target. It is tried on the last two weeks, which the tried curve has not seen, and says by how much it was wrong; where too
few stays have ended, all that fall due are a bound, which is shown as such and never added to estimates.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.boards.boards.figures import rows
from apps.boards.boards.kpi_slices import Part, in_part
from apps.workflows import parameter_values
from apps.workflows.declare import Workflow

LEARNT_FROM = timedelta(weeks=10)
HELD_OUT = timedelta(weeks=2)
HORIZONS = (4, 8, 24)
# Fewer stays than this that have ended say too little.
ENOUGH = 30
KEPT_SECONDS = 900

STAYS = """
targets AS (SELECT * FROM unnest(%(stages)s::text[], %(targets)s::float8[]) AS t(stage, target)),
moves AS (
  SELECT t.to_stage AS stage, t.at AS entered,
         lead(t.at) OVER (PARTITION BY t.connection_id, t.odoo_id ORDER BY t.at, t.tracking_id NULLS LAST, t.id) AS ended
    FROM workflows_transition t
   WHERE t.workflow = %(workflow)s AND t.at > %(since)s AND t.at <= %(now)s AND {seen}
), stays AS (
  SELECT m.stage, m.entered, m.ended, x.target FROM moves m JOIN targets x ON x.stage = m.stage
)
"""

# "until" cuts off what was not known then: a stay that ended later had only lasted until then.
CURVE = """
{name}_lasted AS (
  SELECT stage, ended <= {until} AS has_ended,
         LEAST(floor(100 * extract(epoch FROM LEAST(ended, {until}) - entered) / target), 200)::int AS bucket
    FROM stays
   WHERE entered < {until}
), {name}_risk AS (
  SELECT stage, bucket, count(*) FILTER (WHERE has_ended) AS ended,
         sum(count(*)) OVER (PARTITION BY stage ORDER BY bucket DESC) AS at_risk,
         sum(count(*) FILTER (WHERE has_ended)) OVER (PARTITION BY stage) AS all_ended
    FROM {name}_lasted
   GROUP BY stage, bucket
), {name}_curve AS (
  -- The share of stays that lasted beyond the bucket; ln 0 is as good as any very small number.
  SELECT stage, bucket, all_ended,
         exp(sum(CASE WHEN ended >= at_risk THEN -700 ELSE ln(1 - ended::float8 / at_risk::float8) END)
             OVER (PARTITION BY stage ORDER BY bucket)) AS beyond
    FROM {name}_risk
)
"""

# The chance to stay until the target for a record whose age has reached the bucket; what no stay has shown is certain.
CHANCE = """
LEAST(1, COALESCE(
  (SELECT c.beyond FROM {name}_curve c WHERE c.stage = {stage} AND c.bucket < 100 ORDER BY c.bucket DESC LIMIT 1), 1)
 / NULLIF(GREATEST(COALESCE(
  (SELECT c.beyond FROM {name}_curve c WHERE c.stage = {stage} AND c.bucket < {bucket} ORDER BY c.bucket DESC LIMIT 1), 1),
  1e-300), 0))
"""

LEARNT = (
    "WITH "
    + STAYS
    + ", "
    + CURVE.format(name="whole", until="%(now)s")
    + """
SELECT x.stage, b.bucket, {chance}, COALESCE((SELECT max(c.all_ended) FROM whole_curve c WHERE c.stage = x.stage), 0)
  FROM targets x CROSS JOIN generate_series(0, 99) AS b(bucket)
""".replace("{chance}", CHANCE.format(name="whole", stage="x.stage", bucket="b.bucket"))
)

# Every day of the held-out weeks: who stood there within the target and fell due within a day, by the curve of before.
TRIED = (
    "WITH "
    + STAYS
    + ", "
    + CURVE.format(name="before", until="%(held_out)s")
    + """
, days AS (
  SELECT generate_series(%(held_out)s::timestamptz, %(now)s::timestamptz - interval '1 day', interval '1 day') AS day
), judged AS (
  SELECT s.stage, d.day, count(*) AS many,
         count(*) FILTER (WHERE s.ended IS NULL OR s.ended > s.entered + make_interval(secs => s.target)) AS broke,
         floor(100 * extract(epoch FROM d.day - s.entered) / s.target)::int AS bucket
    FROM days d
    JOIN stays s ON s.entered <= d.day AND (s.ended IS NULL OR s.ended > d.day)
     AND s.entered + make_interval(secs => s.target) >= d.day
     AND s.entered + make_interval(secs => s.target) < d.day + interval '1 day'
   GROUP BY s.stage, d.day, bucket
), by_day AS (
  SELECT j.stage, j.day, sum(j.many) AS many, sum(j.broke) AS broke, sum(j.many * {chance}) AS expected
    FROM judged j GROUP BY j.stage, j.day
)
SELECT stage, sum(many), sum(broke), sum(expected), avg(abs(expected - broke)),
       COALESCE((SELECT max(c.all_ended) FROM before_curve c WHERE c.stage = by_day.stage), 0)
  FROM by_day GROUP BY stage
""".replace("{chance}", CHANCE.format(name="before", stage="j.stage", bucket="j.bucket"))
)

DUE = """
SELECT p.stage, floor(100 * extract(epoch FROM %(now)s - p.since) / x.target)::int AS bucket,
       CASE WHEN p.due_at < %(now)s + interval '4 hours' THEN 4 WHEN p.due_at < %(now)s + interval '8 hours' THEN 8 ELSE 24 END,
       count(*)
  FROM workflows_position p
  JOIN unnest(%(stages)s::text[], %(targets)s::float8[]) AS x(stage, target) ON x.stage = p.stage
 WHERE p.workflow = %(workflow)s AND p.is_open AND p.due_at >= %(now)s AND p.due_at < %(now)s + interval '24 hours' AND {seen}
 GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, kw_only=True)
class StageForecast:
    """What is expected of one stage.

    Attributes:
        due: how many fall due within each of :data:`HORIZONS`, in hours.
        expected: how many of them are expected to be there still.
        sample: stays that have ended, on which it rests.
        is_bound: the sample is too small: ``expected`` counts all that fall due, and is a bound, not an estimate.
        tried_on, tried_expected, tried_broke: of the held-out weeks, what fell due within a day of some midday, how many
            were expected to break the target, and how many did.
        error: by how many a day's expectation was wrong there, on average; None where that could not be tried.
    """

    stage: str
    title: str
    due: dict[int, int]
    expected: dict[int, float]
    sample: int
    is_bound: bool
    tried_on: int
    tried_expected: float
    tried_broke: int
    error: float | None


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What is expected of one workflow within one horizon.

    Attributes:
        due: how many fall due; no more than these can break their target.
        estimated: how many of them have an estimate.
        expected: how many of the ``estimated`` are expected to break their target.
    """

    hours: int
    due: int
    estimated: int
    expected: float

    @property
    def without_estimate(self) -> int:
        """How many fall due where too few have left the stage for an estimate."""
        return self.due - self.estimated


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is expected of one workflow's stages."""

    stages: list[StageForecast]

    @property
    def expected(self) -> dict[int, float]:
        """How many breaches are expected within each horizon, over the stages that have an estimate: a bound is none."""
        return {hours: sum(stage.expected[hours] for stage in self.stages if not stage.is_bound) for hours in HORIZONS}

    @property
    def estimated(self) -> dict[int, int]:
        """How many of those that fall due within each horizon stand in stages that have an estimate."""
        return {hours: sum(stage.due[hours] for stage in self.stages if not stage.is_bound) for hours in HORIZONS}

    @property
    def outlooks(self) -> list["Outlook"]:
        """What is expected within each horizon, over all stages."""
        return [
            Outlook(hours=hours, due=self.due[hours], estimated=self.estimated[hours], expected=self.expected[hours])
            for hours in HORIZONS
        ]

    @property
    def due(self) -> dict[int, int]:
        """How many fall due within each horizon."""
        return {hours: sum(stage.due[hours] for stage in self.stages) for hours in HORIZONS}


def forecast_of(workflow: Workflow, *, now: datetime, access_scope: AccessScope, part: Part | None = None) -> Forecast:
    """The breaches expected in the next hours, of the records in sight, by the history in sight.

    Of a part of the business its own records count; how long records stay is learnt from all in sight, whose sample is larger.
    """
    targets = parameter_values.targets_in(workflow, access_scope)
    stages = [stage for stage in workflow.stages if stage.is_open and stage.name in targets]
    values: dict[str, Any] = {
        "workflow": workflow.name,
        "now": now,
        "since": now - LEARNT_FROM,
        "held_out": now - HELD_OUT,
        "stages": [stage.name for stage in stages],
        "targets": [targets[stage.name].total_seconds() for stage in stages],
    }
    learnt, tried = _history(values, access_scope)
    due: dict[str, dict[int, int]] = defaultdict(lambda: dict.fromkeys(HORIZONS, 0))
    expected: dict[str, dict[int, float]] = defaultdict(lambda: dict.fromkeys(HORIZONS, 0.0))
    due_of = f"{access_scope.sql('p')} AND {in_part(part, workflow.odoo_model, 'p')}"
    for name, bucket, within, count in rows(DUE.format(seen=due_of), values):
        chances, sample = learnt.get(name, ({}, 0))
        chance = chances.get(min(max(int(bucket), 0), 99), 1.0) if sample >= ENOUGH else 1.0
        for hours in HORIZONS:
            if within <= hours:
                due[name][hours] += count
                expected[name][hours] += count * chance
    found = []
    for stage in stages:
        sample = learnt.get(stage.name, ({}, 0))[1]
        many, broke, told, error, before = tried.get(stage.name, (0, 0, 0.0, None, 0))
        found.append(
            StageForecast(
                stage=stage.name,
                title=gettext(stage.title),
                due=due[stage.name],
                expected=expected[stage.name],
                sample=sample,
                is_bound=sample < ENOUGH,
                tried_on=many,
                tried_expected=told,
                tried_broke=broke,
                error=error if before >= ENOUGH and many else None,
            )
        )
    return Forecast(stages=found)


Learnt = dict[str, tuple[dict[int, float], int]]
Tried = dict[str, tuple[int, int, float, float, int]]


def _history(values: dict[str, Any], access_scope: AccessScope) -> tuple[Learnt, Tried]:
    """What the past says; it changes slowly and costs by what moved in ten weeks, so it is kept for a quarter of an hour."""
    whose = hashlib.sha256(repr((access.written(access_scope), values["targets"])).encode()).hexdigest()[:16]
    key = f"stays:{values['workflow']}:{whose}:{int(values['now'].timestamp() // KEPT_SECONDS)}"
    kept: tuple[Learnt, Tried] | None = cache.get(key)
    if kept is not None:
        return kept
    learnt: dict[str, tuple[dict[int, float], int]] = {}
    for stage, bucket, chance, sample in rows(LEARNT.format(seen=access_scope.sql("t")), values):
        learnt.setdefault(stage, ({}, int(sample)))[0][bucket] = float(chance)
    tried = {
        stage: (int(many), int(broke), float(told), float(error), int(before))
        for stage, many, broke, told, error, before in rows(TRIED.format(seen=access_scope.sql("t")), values)
    }
    cache.set(key, (learnt, tried), KEPT_SECONDS)
    return learnt, tried
