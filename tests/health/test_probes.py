"""What load balancers and Prometheus are told."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.core import clock
from apps.health import probes, workers
from apps.intake import refresh_requests
from apps.odoo.models import Connection


def test_alive_asks_nobody(client: Client, db: None, django_assert_num_queries: Callable[[int], Any]) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").status_code == 200


def test_ready_when_everything_answers(client: Client, db: None) -> None:
    workers.say("all@here", workers.NEEDED, now=clock.now())

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, dict.fromkeys(probes.PARTS, "ok"))


def test_not_ready_while_a_queue_is_served_by_nobody(client: Client, db: None) -> None:
    workers.say("fast@here", ["decide", "refresh", "notify", "tick"], now=clock.now())

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["workers"] == "no worker serves sync"
    assert answer.json()["database"] == "ok"


def test_the_answer_comes_in_time_whatever_hangs(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    for name in ("database", "broker"):
        monkeypatch.setitem(probes.PARTS, name, lambda: str(ended.wait(30)))
    begun = time.monotonic()
    try:
        answer = client.get("/readyz")
    finally:
        ended.set()

    assert time.monotonic() - begun < probes.BOUND_SECONDS + 1
    assert (answer.status_code, answer.json()["database"]) == (503, "no answer in time")


def test_the_figures_are_prometheus_own_format_and_tell_no_secret(
    client: Client, connection: Connection, now: datetime, staffed: None
) -> None:
    at = clock.now() - timedelta(minutes=1)
    refresh_requests.add(connection_id=connection.pk, model="sale.order", odoo_ids=[1, 2], source="test", now=at)

    answer = client.get("/metrics")
    text = answer.content.decode()
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    assert answer["Content-Type"].startswith("text/plain")
    assert found["controltower_deliveries_total", "main", "received", "test"] == 2
    assert found["controltower_waiting", "Deliveries to process"] == 2
    assert found["controltower_oldest_waiting_seconds", "Deliveries to process"] >= 60
    assert found["controltower_connected", "main"] == 1
    assert connection.hook_secret not in text
    assert "a-key-nobody-may-see" not in text
