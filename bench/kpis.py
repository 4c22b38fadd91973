"""All KPIs of a company of 100,000 orders, as the page asks for them, beside the time that a page may take; and each one's part."""

import os
import sys
import time
from statistics import median, quantiles

from bench import ground, whole_catalogue
from bench.row import Row

ORDERS = int(os.environ.get("BENCH_KPI_ORDERS", "100000"))
ROUNDS, MOST_MS = 7, 1_000


def run() -> list[Row]:
    """Ask for all figures again and again, then for each by itself."""
    ground.tower()
    from django.db import connection as database

    from apps.accounts.access import EVERYTHING
    from apps.boards.boards import kpi_catalogue, kpis
    from apps.core import clock

    whole_catalogue.company("kpis", ORDERS)
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    now, taken = clock.now(), []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        found = kpis.figures(now=now, access_scope=EVERYTHING)
        taken.append((time.perf_counter() - begun) * 1_000)
    print(f"    {len(found)} figures of {len(kpi_catalogue.KPIS)}", file=sys.stderr, flush=True)
    of_each = []
    for kpi in kpi_catalogue.KPIS:
        begun = time.perf_counter()
        with database.cursor() as cursor:
            cursor.execute(
                kpi.sql.format(seen="TRUE", of_line="TRUE"),
                {"since": now - 2 * kpis.WINDOW, "begin": now - kpis.WINDOW, "now": now, "zone": "UTC"},
            )
        of_each.append(((time.perf_counter() - begun) * 1_000, kpi.name))
    for spent, name in sorted(of_each, reverse=True):
        print(f"    {spent:6.0f} ms  {name}", file=sys.stderr, flush=True)
    page = taken[1:]
    ratios = [one / MOST_MS for one in page]
    return [
        Row(
            name="all KPIs, 100,000 orders, p95",
            value=quantiles(page, n=20)[-1],
            peer=MOST_MS,
            ratio=median(ratios),
            goal=1,
            unit="ms",
            lower_is_better=True,
            spread=(min(ratios), max(ratios)),
        )
    ]
