"""The settings that prevent failures are in force, asked of the parts themselves."""

import re
from typing import Any

import psycopg
import pytest
from celery import current_app
from celery.backends.base import DisabledBackend
from django.conf import settings
from django.db import OperationalError, connection, transaction

from apps.health import workers
from controltower.celery import WITH_TASKS
from controltower.env import BASE_DIR
from controltower.supervisor import Tower

DOCUMENT = BASE_DIR / "docs" / "decisions" / "0006-settings-that-matter.md"


@pytest.fixture(scope="module")
def app() -> Any:
    current_app.loader.import_default_modules()
    return current_app


def served() -> list[set[str]]:
    """The queues of each worker that the supervisor starts."""
    tower = Tower("up")
    tower.ports = {"web": 0, "intake": 0}
    own = tower._own_processes()
    return [set(command[command.index("-Q") + 1].split(",")) for _, command, _ in own if "-Q" in command]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statement_timeout", "1min"),
        ("lock_timeout", "10s"),
        ("random_page_cost", "1.1"),
        ("plan_cache_mode", "force_generic_plan"),
        ("idle_in_transaction_session_timeout", "2min"),
        ("transaction_isolation", "read committed"),
    ],
)
def test_postgresql_ends_what_waits_for_too_long(db: None, name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        assert cursor.fetchone() == (value,)


def test_a_transaction_is_read_committed_whatever_the_servers_default(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)
    assert settings.DATABASES["default"]["OPTIONS"]["isolation_level"] == psycopg.IsolationLevel.READ_COMMITTED
    assert connection.connection.isolation_level == psycopg.IsolationLevel.READ_COMMITTED


def test_a_session_notices_a_server_that_has_fallen_silent(db: None) -> None:
    given = connection.connection.info.get_parameters()

    assert (given["connect_timeout"], given["tcp_user_timeout"], given["keepalives_idle"]) == ("5", "30000", "10")


def test_a_statement_that_takes_too_long_is_ended(db: None) -> None:
    with pytest.raises(OperationalError, match="statement timeout"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 50")
        cursor.execute("SELECT pg_sleep(30)")


def test_no_process_takes_more_sessions_than_its_pool(db: None) -> None:
    assert (connection.pool.min_size, connection.pool.max_size, connection.pool.timeout) == (1, 8, 10)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", True),
        ("worker_prefetch_multiplier", 1),
        ("worker_cancel_long_running_tasks_on_connection_loss", True),
        ("task_ignore_result", True),
        ("result_backend", None),
        ("worker_soft_shutdown_timeout", 10),
        ("worker_max_memory_per_child", 600_000),
        ("accept_content", ["json"]),
        ("task_time_limit", None),
        ("task_soft_time_limit", None),
    ],
)
def test_celery_has_it(app: Any, name: str, value: Any) -> None:
    assert app.conf[name] == value


def test_a_wake_up_held_by_a_dead_worker_comes_back_in_ten_minutes(app: Any) -> None:
    with app.connection_for_read() as broker:
        assert broker.channel().visibility_timeout == 600


def test_nothing_is_kept_for_anybody_who_waits_for_a_result(app: Any) -> None:
    assert isinstance(app.backend, DisabledBackend)


def test_every_task_goes_to_a_queue_that_some_worker_serves_and_that_is_watched(app: Any) -> None:
    ours = [name for name in app.tasks if name.split(".")[0] in WITH_TASKS]
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in ours}

    assert len(ours) > 10
    assert set(queues.values()) == set(workers.NEEDED)
    assert set(queues.values()) <= set().union(*served())


def test_a_backfill_never_shares_a_worker_with_a_decision_nor_odoo_with_a_timer() -> None:
    by_queue = {queue: number for number, queues in enumerate(served()) for queue in queues}

    assert by_queue["sync"] not in (by_queue["decide"], by_queue["refresh"], by_queue["tick"])
    assert by_queue["tick"] not in (by_queue["decide"], by_queue["refresh"])


def test_every_wake_up_of_the_scheduler_expires(app: Any) -> None:
    for name, entry in app.conf.beat_schedule.items():
        assert 0 < entry["options"]["expires"] <= max(entry["schedule"], 10), name


def test_the_document_gives_a_reason_for_every_setting_of_celery() -> None:
    document = DOCUMENT.read_text() + (BASE_DIR / "docs" / "decisions" / "0005-celery-only-wakes.md").read_text()
    source = (BASE_DIR / "controltower" / "settings.py").read_text()
    named = re.findall(r"^CELERY_((?:TASK|WORKER|RESULT|ACCEPT)_\w+) =", source, re.M)
    unexplained = {"task_ignore_result", "worker_hijack_root_logger", "task_default_queue"}

    assert [name for name in named if name.lower() not in unexplained and f"`{name.lower()}`" not in document] == []
