"""The statement that stores a group, beside others like it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from apps.intake.models import Delivery
from apps.intake.store import STORE
from apps.odoo.models import Connection

ROWS = 300


@pytest.mark.django_db(transaction=True)
def test_writers_who_have_the_same_messages_in_opposite_order_never_wait_in_a_ring(connection: Connection) -> None:
    from django.db import connection as database

    settings = database.get_connection_params()
    reachable = {name: settings[name] for name in ("host", "port", "user", "password", "dbname") if name in settings}
    now = datetime.now(UTC)

    def write(round_number: int, backwards: bool) -> None:
        numbers = sorted(range(ROWS), reverse=backwards)
        rows = [(connection.pk, "odoo", f"{round_number}-{number}", "sale.order", number, "", now) for number in numbers]
        with psycopg.connect(**reachable, autocommit=True) as session:
            session.execute("SET deadlock_timeout = '10ms'")
            session.execute(STORE, [[connection.pk], *(list(column) for column in zip(*rows, strict=True))])

    with ThreadPoolExecutor(4) as writers:
        for number in range(10):
            for done in [writers.submit(write, number, turn % 2 == 0) for turn in range(4)]:
                done.result()
    assert Delivery.objects.count() == 10 * ROWS
