"""One batch of 100 changed orders with a million orders mirrored, beside the same batch with ten thousand."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import ground
from bench.row import Row

SMALL, LARGE, CHANGED, ROUNDS = 10_000, 1_000_000, 100, 15

# Customers share a commercial entity by tens; one order in fifty is not confirmed yet; each has two lines.
FILL = """
INSERT INTO mirror_res_partner (connection_id, odoo_id, read_at, create_date, write_date, name, commercial_partner_id,
                                credit_limit, active)
SELECT %(c)s, n, now(), now(), now(), 'Customer ' || n, (n / 10) * 10 + 1, 5000, TRUE
  FROM generate_series(1, %(partners)s) AS n;
INSERT INTO mirror_sale_order (connection_id, odoo_id, read_at, create_date, write_date, name, state, partner_id, user_id,
                               company_id, currency_id, currency_rate, date_order, amount_total, invoice_status,
                               delivery_status)
SELECT %(c)s, n, now(), now() - n * interval '30 seconds', now() - n * interval '30 seconds', 'S' || n,
       CASE WHEN n %% 50 = 0 THEN 'draft' ELSE 'sale' END, 1 + n %% %(partners)s, 7, 1, 1, 1,
       now() - n * interval '30 seconds', 100 + n %% 900, CASE WHEN n %% 20 = 1 THEN 'to invoice' ELSE 'invoiced' END, 'full'
  FROM generate_series(1, %(orders)s) AS n;
INSERT INTO mirror_sale_order_line (connection_id, odoo_id, read_at, create_date, write_date, order_id, product_id,
                                    product_uom_qty, qty_invoiced, price_total)
SELECT %(c)s, n, now(), now(), now(), (n + 1) / 2, 1 + n %% 500, 10, 10, 50 FROM generate_series(1, 2 * %(orders)s) AS n;
"""


def _company(name: str, orders: int) -> int:
    """A connection with ``orders`` orders, placed in their stages."""
    from django.db import connection as database
    from django.db import transaction

    from apps.core import clock
    from apps.mirror import registry
    from apps.odoo.models import Connection
    from apps.pipeline import first_sync

    models = {model: {"missing_fields": []} for model in registry.models()}
    connection = Connection.objects.create(
        name=name, url="http://127.0.0.1:9", database="x", login="x", api_key="x", capabilities={"models": models}
    )
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL synchronous_commit = off")
        for statement in FILL.split(";\n")[:3]:
            cursor.execute(statement, {"c": connection.pk, "orders": orders, "partners": max(orders // 10, 100)})
        cursor.execute("ANALYZE")  # as a first read does
    first_sync.evaluate_all(connection, clock=clock.now)
    return connection.pk


def _batch(connection_id: int, orders: int, turn: int) -> float:
    """Seconds that a batch of changed orders takes from rows to committed consequences."""
    from django.db import transaction

    from apps.mirror import registry, upsert
    from apps.pipeline import change_processing

    model = registry.models()["sale.order"]
    first = 1 + (turn * 7919) % (orders - CHANGED * 5)
    ids = [first + 5 * number for number in range(CHANGED)]
    now = datetime.now(UTC) + timedelta(seconds=turn)
    rows: list[dict[str, Any]] = []
    for row in model.objects.filter(connection_id=connection_id, odoo_id__in=ids).values():
        raw = {name: row[name] if row[name] is not None else False for name in model.odoo_fields()}
        raw = {name: f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value for name, value in raw.items()}
        written = f"{now:%Y-%m-%d %H:%M:%S}"
        rows.append(
            raw
            | {
                "id": row["odoo_id"],
                "create_date": written,
                "write_date": written,
                "amount_total": float(row["amount_total"] or 0) + 1,
            }
        )
    begun = time.perf_counter()
    with transaction.atomic():
        changes = upsert.apply(model, connection_id=connection_id, rows=rows, read_at=now)
        change_processing.apply_changes([changes], now=now)
    assert len(changes.updated) == CHANGED, changes
    return (time.perf_counter() - begun) * 1000


def run() -> list[Row]:
    """Measure both sizes in turn."""
    ground.tower()
    from django.db import connection as database

    from apps.accounts import people

    for slug in people.TITLES:
        people.team(slug)
    companies = {SMALL: _company("small", SMALL), LARGE: _company("large", LARGE)}
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    for orders, number in companies.items():
        _batch(number, orders, 0)
    turns = iter(range(1, 1_000))
    found = ground.interleaved(
        {
            "large": lambda: _batch(companies[LARGE], LARGE, next(turns)),
            "small": lambda: _batch(companies[SMALL], SMALL, next(turns)),
        },
        rounds=ROUNDS,
    )
    figures: dict[str, Any] = ground.beside(found["large"], found["small"])
    return [Row(name="100 changed orders, at 1M mirrored ÷ at 10k", goal=1.3, unit="ms", lower_is_better=True, **figures)]
