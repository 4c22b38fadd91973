"""A pass of 1,000 changed orders with their exceptions put together by cause, beside the same pass without.

Every exception of these orders changes in the pass, so that every group is worked out anew: the most that grouping can cost.
"""

import os
import sys
import time
from typing import Any
from unittest.mock import patch

from bench import ground, whole_catalogue
from bench.row import CannotMeasureError, Row

ORDERS = int(os.environ.get("BENCH_GROUPED_ORDERS", "100000"))
CHANGED, ROUNDS, MOST = 1_000, 8, 1.15


def _pass(connection_id: int, ids: list[int]) -> float:
    """Milliseconds of one pass over the orders, of which nothing stays."""
    from django.db import transaction

    from apps.core import clock
    from apps.exceptions.models import UNRESOLVED, ExceptionCase
    from apps.pipeline import change_processing

    now = clock.now()
    with transaction.atomic():
        of_them = ExceptionCase.objects.filter(UNRESOLVED, connection=connection_id, model="sale.order", odoo_id__in=ids)
        of_them.update(amount=0)
        begun = time.perf_counter()
        change_processing.one_at_a_time(connection_id)
        change_processing.evaluate("order_to_cash", connection_id, dict.fromkeys(ids, now), now=now)
        taken = (time.perf_counter() - begun) * 1000
        transaction.set_rollback(True)
    return taken


def run() -> list[Row]:
    """Evaluate a company once, then change its held-up orders with and without grouping in turn."""
    ground.tower()
    from apps.core import clock
    from apps.exceptions.cases import cause_groups
    from apps.exceptions.models import UNRESOLVED, CauseGroup, ExceptionCase
    from apps.odoo.models import Connection
    from apps.pipeline import first_sync

    connection_id = whole_catalogue.company("grouped", ORDERS)
    first_sync.evaluate_all(Connection.objects.get(pk=connection_id), clock=clock.now)
    held = ExceptionCase.objects.filter(UNRESOLVED, connection=connection_id, model="sale.order").exclude(group=None)
    ids = list(held.order_by("odoo_id").values_list("odoo_id", flat=True).distinct()[:CHANGED])
    if len(ids) < CHANGED // 10:
        raise CannotMeasureError(f"only {len(ids)} orders have an exception with a cause among {ORDERS:,}")
    groups = CauseGroup.objects.filter(connection=connection_id, ended_at=None, cases_count__gte=2).count()
    print(f"    {len(ids):,} orders, {groups:,} groups of several", file=sys.stderr, flush=True)

    def without() -> float:
        with patch.object(cause_groups, "follow", lambda *_, **__: None):
            return _pass(connection_id, ids)

    def grouped() -> float:
        return _pass(connection_id, ids)

    grouped(), without()
    found = ground.interleaved({"grouped": grouped, "without": without}, rounds=ROUNDS)
    figures: dict[str, Any] = ground.beside(found["grouped"], found["without"])
    return [
        Row(name=f"a pass of {len(ids):,} orders, grouped by cause ÷ not", goal=MOST, unit="ms", lower_is_better=True, **figures)
    ]
