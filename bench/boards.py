"""A board's figures with a million records, 100,000 of them open: by tallies, beside counting (g9); of a part; and search."""

import time
from statistics import median, quantiles
from typing import TYPE_CHECKING

from bench import ground
from bench.row import Row

if TYPE_CHECKING:
    from apps.odoo.models import Connection

RECORDS, OPEN_EACH = 1_000_000, 10
ROUNDS = 7
SEARCHES = ("S0712345", "712345", "1234", "99", "azure 77", "PO-5512", "1Z0099", "desk 4", "0000", "nothing like it", "s0", "ust")

POSITIONS = f"""
INSERT INTO workflows_position (connection_id, workflow, model, odoo_id, name, stage, since, due_at, is_open, amount, currency,
                                company_id, partner_id, partner_name)
SELECT %(connection)s, 'order_to_cash', 'sale.order', n, 'S' || lpad(n::text, 7, '0'),
       CASE WHEN n %% {OPEN_EACH} = 0
            THEN (ARRAY['quotation', 'waiting_for_stock', 'ready_to_pick', 'to_invoice', 'unpaid'])[1 + n / 10 %% 5]
            ELSE 'closed' END,
       now() - (n %% 5000) * interval '17 minutes', now() - (n %% 5000) * interval '17 minutes' + interval '20 days',
       n %% {OPEN_EACH} = 0, n %% 977, 'EUR', 1 + n %% 3, n %% 20000, 'Customer ' || n %% 20000
  FROM generate_series(1, {RECORDS}) AS n
"""
TRANSITIONS = f"""
INSERT INTO workflows_transition (connection_id, workflow, model, odoo_id, from_stage, to_stage, at, seen_at, company_id)
SELECT %(connection)s, 'order_to_cash', 'sale.order', n, 'quotation', 'waiting_for_stock',
       now() - (n %% 500000) * interval '20 seconds', now(), 1 + n %% 3
  FROM generate_series(1, {RECORDS}) AS n
"""
MIRRORED = (
    f"""INSERT INTO mirror_sale_order (connection_id, odoo_id, name, client_order_ref, company_id, warehouse_id, partner_id,
                                       read_at)
        SELECT %(connection)s, n, 'S' || lpad(n::text, 7, '0'), CASE WHEN n %% 2 = 0 THEN 'PO-' || n * 7 END, 1 + n %% 3,
               1 + n / 10 %% 4, n %% 20000, now()
          FROM generate_series(1, {RECORDS}) AS n""",
    f"""INSERT INTO mirror_sale_order_line (connection_id, odoo_id, order_id, product_id, company_id, read_at)
        SELECT %(connection)s, n, n, 1 + n %% 50000, 1 + n %% 3, now() FROM generate_series(1, {RECORDS}) AS n""",
    """INSERT INTO mirror_product_category (connection_id, odoo_id, name, read_at)
       SELECT %(connection)s, n, 'Category ' || n, now() FROM generate_series(1, 20) AS n""",
    """INSERT INTO mirror_stock_picking (connection_id, odoo_id, name, carrier_tracking_ref, company_id, read_at)
       SELECT %(connection)s, n, 'WH/OUT/' || n, '1Z' || lpad((n::bigint * 7919 %% 1000000)::text, 12, '0'), 1, now()
         FROM generate_series(1, 300000) AS n""",
    """INSERT INTO mirror_res_partner (connection_id, odoo_id, name, active, read_at)
       SELECT %(connection)s, n, (ARRAY['Azure', 'Nordwind', 'Alster', 'Industrie'])[1 + n %% 4] || ' Customer ' || n, TRUE, now()
         FROM generate_series(1, 100000) AS n""",
    """INSERT INTO mirror_product_template (connection_id, odoo_id, name, categ_id, active, read_at)
       SELECT %(connection)s, n, (ARRAY['Desk', 'Lamp', 'Chair'])[1 + n %% 3] || ' ' || n, 1 + n / 7 %% 20, TRUE, now()
         FROM generate_series(1, 50000) AS n""",
    """INSERT INTO mirror_product_product (connection_id, odoo_id, product_tmpl_id, default_code, active, read_at)
       SELECT %(connection)s, n, n, 'SKU-' || n, TRUE, now() FROM generate_series(1, 50000) AS n""",
)

# A quarter of the open orders, a twentieth of them by their lines, and three.
PARTS = {
    "one of four warehouses": {"warehouse": 1},
    "one of 20 categories": {"product_category": 3},
    "one customer": {"customer": 20},
}

# The same figures, and what is closed, counted anew: what a board without tallies asks.
LIVE = """
SELECT p.stage, p.currency, count(*), sum(p.amount),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM now() - p.since)),
       max(now() - p.since), count(*) FILTER (WHERE p.due_at < now()), sum(p.amount) FILTER (WHERE p.due_at < now()),
       count(*) FILTER (WHERE p.since < now() - interval '10 days')
  FROM workflows_position p
 WHERE p.workflow = 'order_to_cash'
 GROUP BY p.stage, p.currency
"""
LIVE_FLOW = """
SELECT to_stage, from_stage, count(*) FROM workflows_transition
 WHERE workflow = 'order_to_cash' AND at > now() - interval '14 days' GROUP BY to_stage, from_stage, date_trunc('day', at)
"""


def _fill() -> "Connection":
    from django.db import connection as database

    from apps.odoo.models import Connection
    from apps.workflows import tallies

    with database.cursor() as cursor:
        # Filling takes longer than any statement of a page may.
        cursor.execute("SET statement_timeout = 0")
        of = Connection.objects.create(name="bench", url="http://odoo.test", database="bench", login="tower", api_key="key")
        for statement in (POSITIONS, TRANSITIONS, *MIRRORED):
            cursor.execute(statement, {"connection": of.pk})
        tallies.fold()
        cursor.execute("VACUUM ANALYZE")
    return of


def run() -> list[Row]:
    """Fill a database, draw a board by tallies and by counting, and search as somebody types."""
    ground.tower()
    from django.db import connection as database

    from apps.accounts.access import EVERYTHING
    from apps.boards.boards import figures
    from apps.boards.boards.kpi_slices import Part
    from apps.boards.search import finding
    from apps.core import clock
    from apps.workflows import registry

    of = _fill()
    workflow = registry.workflows()["order_to_cash"]

    def tallied() -> float:
        begun = time.perf_counter()
        figures.stages_of(workflow, now=clock.now(), access_scope=EVERYTHING)
        return (time.perf_counter() - begun) * 1_000

    def of_part(numbers: dict[str, int]) -> float:
        begun = time.perf_counter()
        figures.stages_of(workflow, now=clock.now(), access_scope=EVERYTHING, part=Part(connection_id=of.pk, numbers=numbers))
        return (time.perf_counter() - begun) * 1_000

    def counted() -> float:
        begun = time.perf_counter()
        with database.cursor() as cursor:
            for statement in (LIVE, LIVE_FLOW):
                cursor.execute(statement)
                cursor.fetchall()
        return (time.perf_counter() - begun) * 1_000

    tallied(), counted()
    times = ground.interleaved({"tower": tallied, "peer": counted}, rounds=ROUNDS)
    rows = [
        Row(
            name="a board of 1,000,000 records, 100,000 open",
            unit="ms",
            goal=0.02,
            lower_is_better=True,
            **ground.beside(times["tower"], times["peer"]),
        )  # type: ignore[arg-type]
    ]

    # Many pages of parts are fetched anew as their board changes: none may take a second.
    for name, numbers in PARTS.items():
        of_part(numbers)
        part_times = [of_part(numbers) for _ in range(ROUNDS)]
        rows.append(
            Row(
                name=f"the same board of {name}, beside a second",
                value=median(part_times),
                peer=1_000,
                ratio=median(part_times) / 1_000,
                goal=1.0,
                unit="ms",
                lower_is_better=True,
            )
        )

    def searched(text: str) -> float:
        begun = time.perf_counter()
        finding.find(text, access_scope=EVERYTHING)
        return (time.perf_counter() - begun) * 1_000

    def scanned(text: str) -> float:
        begun = time.perf_counter()
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM workflows_position WHERE lower(name) LIKE %s ORDER BY id DESC LIMIT 6", [f"%{text.lower()}%"]
            )
            cursor.fetchall()
        return (time.perf_counter() - begun) * 1_000

    for text in SEARCHES:
        searched(text)
    found = [searched(text) for _ in range(ROUNDS) for text in SEARCHES]
    peer = [scanned(text) for _ in range(2) for text in SEARCHES]
    p95, of_peer = quantiles(found, n=20)[-1], quantiles(peer, n=20)[-1]
    rows += [
        Row(
            name="search for anything at 1,000,000 orders, p95, beside a scan",
            value=p95,
            peer=of_peer,
            ratio=p95 / of_peer,
            goal=0.5,
            unit="ms",
            lower_is_better=True,
        ),
        Row(
            name="search for anything, p95, beside 100 ms",
            value=p95,
            peer=100,
            ratio=p95 / 100,
            goal=1.0,
            unit="ms",
            lower_is_better=True,
        ),
    ]
    return rows
