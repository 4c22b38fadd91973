"""A KPI as it is declared, and the statements that its facts are put into.

A share is a part of one, a time is the median in seconds, with the time within which nine of ten ended as its spread. A level is
how much there is at the end of each day, and of the range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from apps.boards.boards.kpi_slices import Subject

BUSINESS, ORCHESTRATION = "business", "orchestration"
HOUR = 3600.0
DAY = 24 * HOUR

# A row a day, as the company in sight counts days, and, without a day, one for the whole range and one for the range before it,
# which is as long: all from the same raw rows.
BY_DAY = """
SELECT f.workflow, f.at > %(begin)s AS is_of_range, (f.at AT TIME ZONE %(zone)s)::date AS day, {measure} AS value, {spread} AS p90,
       count(*), '' AS currency
  FROM ({facts}) AS f
 WHERE f.at > %(since)s AND f.at <= %(now)s
 GROUP BY GROUPING SETS ((f.workflow, is_of_range, day), (f.workflow, is_of_range))
 ORDER BY f.workflow, is_of_range, day NULLS FIRST
"""
# The facts of a figure that counts the shared rows as they are.
SHARED = "SELECT * FROM shared"
SHARE, MEAN = "avg(f.is_met::int)", "avg(f.part)"
MEDIAN, NINE_OF_TEN = (f"percentile_cont({part}) WITHIN GROUP (ORDER BY f.seconds)" for part in (0.5, 0.9))
SIDES = CUSTOMER, VENDOR = "customer", "vendor"

# A level at the end of each day, of the range and of the range before it. Of a long range not every day, so that it stays quick.
BY_MOMENT = """
WITH moments AS (
  SELECT TRUE AS is_of_range, NULL::date AS day, %(now)s::timestamptz AS at
   UNION ALL
  SELECT FALSE, NULL, %(begin)s
   UNION ALL
  SELECT TRUE, d.day::date, LEAST((d.day::date + 1)::timestamp AT TIME ZONE %(zone)s - interval '1 second', %(now)s)
    FROM generate_series(
           (%(now)s::timestamptz AT TIME ZONE %(zone)s)::date, (%(begin)s::timestamptz AT TIME ZONE %(zone)s)::date + 1,
           - ceil(extract(epoch FROM %(now)s::timestamptz - %(begin)s::timestamptz) / 86400 / 31)::int * interval '1 day') AS d(day)
),
f AS MATERIALIZED ({facts})
SELECT g.workflow, g.is_of_range, g.day, {measure} AS value, {spread} AS p90, {count}, g.currency
  FROM (
    SELECT f.workflow, m.is_of_range, m.day, {currency} AS currency, f.connection_id, f.model, f.odoo_id,
           m.at - min(f.begins) AS age, sum(f.amount) AS amount, sum(f.billed) AS billed
      FROM moments m
      JOIN f ON f.begins <= m.at AND (f.ends IS NULL OR f.ends > m.at)
     GROUP BY f.workflow, m.is_of_range, m.day, m.at, f.currency, f.connection_id, f.model, f.odoo_id) AS g
 GROUP BY g.workflow, g.currency, g.is_of_range, g.day
 ORDER BY g.workflow, g.currency, g.is_of_range, g.day NULLS FIRST
"""


class Unit(StrEnum):
    """What a figure is in."""

    SHARE, SECONDS, MONEY = "share", "seconds", "money"


@dataclass(frozen=True, kw_only=True)
class Level:
    """How a level is taken of the records ``g`` that count at a moment, each with its ``amount``, ``billed`` and ``age``.

    Attributes:
        measure, spread, count: SQL over these records; of a level that cannot be told the measure is NULL.
        is_by_currency: whether there is a figure for each currency of a company.
        adds: what each record adds, in ``unit``: ``amount``, or ``age`` in seconds.
    """

    measure: str
    adds: str
    unit: Unit
    spread: str = "NULL"
    count: str = "count(*)"
    is_by_currency: bool = True


# Days, as seconds, that what was billed in the range would take to add up to what is open.
OUTSTANDING = """CASE WHEN sum(g.billed) > 0 THEN GREATEST(sum(g.amount), 0) / sum(g.billed)
            * extract(epoch FROM %(now)s::timestamptz - %(begin)s::timestamptz) END"""
AGE = "percentile_cont({part}) WITHIN GROUP (ORDER BY extract(epoch FROM g.age))"
VALUE_LEVEL = Level(measure="sum(g.amount)", adds="amount", unit=Unit.MONEY)
AGE_LEVEL = Level(measure=AGE.format(part=0.5), spread=AGE.format(part=0.9), adds="age", unit=Unit.SECONDS, is_by_currency=False)
OUTSTANDING_LEVEL = Level(measure=OUTSTANDING, adds="amount", unit=Unit.MONEY, count="count(*) FILTER (WHERE g.billed <> 0)")


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """One figure, declared.

    Attributes:
        alias: the table in ``facts`` whose connection and company say who may see the row.
        unit: what it is in; of money, in the currency of each company.
        target: a share that is to be reached, or seconds or a sum that are not to be passed; None for none. A manager may set
            another (:mod:`apps.boards.boards.targets`).
        facts: a row each of what is counted, with ``workflow``, ``connection_id``, ``model``, ``odoo_id``, ``at``, and ``is_met``,
            ``part`` or ``seconds``. Those of a level have ``begins`` and ``ends`` instead of these, ``amount``, ``billed`` and
            ``currency``.
        shared: the rows that ``facts`` reads as ``shared``; figures of the same rows are asked for in one statement.
        level: how it is taken, of a figure that says how much there is; None for one that counts what happened.
        is_lower_better: whether a share is not to be passed, as a time is not.
        is_mean: whether a share is the mean of parts, and not of what is met.
        partner: whose records it is of, ``CUSTOMER`` or ``VENDOR``, so that it can be asked for one of them; "" for neither.
        subject: what record ``r`` of its facts is, so that it can be asked for a part of the business.
    """

    name: str
    kind: str
    title: str
    meaning: str
    facts: str
    alias: str
    shared: str = ""
    target: float | None = None
    unit: Unit = Unit.SECONDS
    level: Level | None = None
    is_mean: bool = False
    is_lower_better: bool = False
    partner: str = ""
    subject: Subject = Subject.NONE

    @property
    def is_share(self) -> bool:
        """Whether it is a share."""
        return self.unit is Unit.SHARE

    @property
    def is_higher_better(self) -> bool:
        """Whether more of it is better."""
        return self.is_share and not self.is_lower_better

    @property
    def rows(self) -> str:
        """The facts as a query that stands by itself, with places for who may see what and which lines are asked for."""
        return f"WITH shared AS (\n{self.shared}\n)\n{self.facts.strip()}" if self.shared else self.facts.strip()

    @property
    def sql(self) -> str:
        """The statement, with places for who may see what and which lines are asked for."""
        return self.measured(self.rows)

    def measured(self, facts: str) -> str:
        """Return the statement over ``facts``: a row a day, one for the range and one for the range before it."""
        if self.level:
            return BY_MOMENT.format(
                facts=facts,
                measure=self.level.measure,
                spread=self.level.spread,
                count=self.level.count,
                currency="f.currency" if self.level.is_by_currency else "''",
            )
        share = MEAN if self.is_mean else SHARE
        measure, spread = (share, "NULL") if self.is_share else (MEDIAN, NINE_OF_TEN)
        return BY_DAY.format(measure=measure, spread=spread, facts=facts)


def at_once(kpis: Sequence[Kpi]) -> str:
    """Return one statement for figures of the same shared rows: theirs, after the figure's place among ``kpis``, in that order."""
    (shared,) = {kpi.shared for kpi in kpis}
    each = "\n UNION ALL\n".join(
        f"SELECT {place} AS place, f.workflow, f.is_of_range, f.day, f.value::float8, f.p90::float8, f.count, f.currency"
        f" FROM ({kpi.measured(kpi.facts.strip()).strip()}) AS f"
        for place, kpi in enumerate(kpis)
    )
    begin = f"WITH shared AS MATERIALIZED (\n{shared}\n)\n" if shared else ""
    return f"{begin}{each}\n ORDER BY place, workflow, currency, is_of_range, day NULLS FIRST"
