"""KPIs as they are now: by workflow, each with its target and its trend.

Each figure is one statement that gives a row a day, one for the range and one for the range before it; ``docs/kpi-queries.md`` is
written from them. Figures that count the same rows are asked for at once, so that these are read once.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards import kpi_catalogue
from apps.boards.boards.kpi import Kpi, at_once
from apps.boards.boards.kpi_slices import OF_RECORDS_PARTNER, Part, filled
from apps.boards.boards.zone import zone_in_sight
from apps.boards.models import KpiTarget
from apps.workflows import registry

WINDOW = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One day of a trend."""

    day: date
    value: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of one workflow: over the whole range, day by day, and over the range before.

    Attributes:
        target: today's; None where nobody set one.
        currency: that of the companies which it is of, where it is told by currency; "" elsewhere.
    """

    kpi: Kpi
    workflow: str
    title: str
    target: float | None
    value: float
    count: int
    currency: str = ""
    p90: float | None = None
    before: float | None = None
    before_count: int = 0
    trend: list[Point] = field(default_factory=list)

    @property
    def alert_key(self) -> tuple[str, str]:
        """What an alert on it names: the figure and its workflow."""
        return self.kpi.name, self.workflow

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.kpi.is_higher_better else self.value <= self.target

    @property
    def is_better(self) -> bool | None:
        """Whether it went better than in the range before; None where there is no telling."""
        if self.before is None or self.value == self.before or self.target is None:
            return None
        return (self.value > self.before) == self.kpi.is_higher_better


def targets() -> dict[str, float]:
    """The targets that somebody has set, by the figure's name."""
    return dict(KpiTarget.objects.values_list("kpi", "value"))


def figures(
    *,
    now: datetime,
    access_scope: AccessScope,
    since: datetime | None = None,
    kind: str = "",
    names: Collection[str] = (),
    of_partner: tuple[str, int, int] | None = None,
    part: Part | None = None,
) -> list[Figure]:
    """Return the figures of all workflows, of what is in sight.

    Args:
        now: the end of the range.
        since: its begin; thirty days before ``now``, where nothing is said. The range before it is as long.
        kind, names: the kind of figures, and which of them; all where nothing is said.
        of_partner: ``CUSTOMER`` or ``VENDOR``, its connection and its number in Odoo, for the figures of one, its contacts and
            addresses included. What has no data has no figure.
        part: a part of the business; figures that know no such part are left out.
    """
    titles = {name: gettext(workflow.title) for name, workflow in registry.workflows().items()} | {
        "integration": gettext("Integration")
    }
    found: list[Figure] = []
    held, zone = targets(), zone_in_sight(access_scope).key
    begin = since or now - WINDOW
    values: dict[str, Any] = {"since": begin - (now - begin), "begin": begin, "now": now, "zone": zone}
    asked = [
        kpi
        for kpi in kpi_catalogue.KPIS
        if (not kind or kpi.kind == kind)
        and (not names or kpi.name in names)
        and (not of_partner or kpi.partner == of_partner[0])
        and (not part or part.sql(kpi.subject) is not None)
    ]
    for _, together in groupby(asked, key=lambda kpi: kpi.shared or kpi.name):
        group = list(together)
        with database.cursor() as cursor:
            cursor.execute(at_once(group).format(**narrowed(group[0], access_scope, of_partner, part)), values)
            rows = cursor.fetchall()
        before: dict[tuple[Kpi, str, str], tuple[float, int]] = {}
        current: Figure | None = None
        for place, workflow, is_of_range, day, value, p90, count, currency in rows:
            kpi = group[place]
            if value is None:
                continue
            if not is_of_range:
                if day is None:
                    before[kpi, workflow, currency] = float(value), count
            elif day is None:
                title = titles.get(workflow, workflow)
                value_before, count_before = before.get((kpi, workflow, currency), (None, 0))
                current = Figure(
                    kpi=kpi,
                    workflow=workflow,
                    title=title,
                    value=float(value),
                    count=count,
                    currency=currency,
                    p90=None if p90 is None else float(p90),
                    before=value_before,
                    before_count=count_before,
                    target=held.get(kpi.name, kpi.target),
                )
                found.append(current)
            elif current and (current.kpi, current.workflow, current.currency) == (kpi, workflow, currency):
                current.trend.append(Point(day=day, value=float(value), count=count))
    return found


def narrowed(
    kpi: Kpi, access_scope: AccessScope, of_partner: tuple[str, int, int] | None = None, part: Part | None = None
) -> dict[str, str]:
    """Return what stands in the places of the figure's facts: SQL that narrows them to what is in sight, and of that to one
    customer's or vendor's, or to a part.
    """
    scope = access_scope.sql("t", company="r.company_id") if kpi.alias == "t" else access_scope.sql(kpi.alias)
    of_partners = _of_partner(*of_partner[1:]) if of_partner else ""
    of_part = (part.sql(kpi.subject) or "") if part else ""
    return {"seen": scope + of_partners + of_part, "of_line": part.line_sql(kpi.subject) if part else "TRUE"}


def _of_partner(connection_id: int, partner_id: int) -> str:
    """SQL that narrows records to those of a partner and of all who belong to it."""
    of_partner = filled(OF_RECORDS_PARTNER, number=partner_id, connection_id=connection_id)
    return f"\n       AND r.connection_id = {int(connection_id)} AND {of_partner}"
