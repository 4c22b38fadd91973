"""What a batch leaves in the mirror, and what it says it changed."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction

from apps.mirror import registry, upsert
from apps.mirror.declare import Mirrored
from apps.mirror.upsert import Changes
from apps.odoo.models import Connection

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def partner(odoo_id: int = 1, *, written: str = "2026-11-23 09:00:00", **values: Any) -> dict[str, Any]:
    return {"id": odoo_id, "create_date": "2026-01-01 00:00:00", "write_date": written, "name": "Azure", **values}


def apply(model: type[Mirrored], connection: Connection, *rows: dict[str, Any], read_at: datetime = NOW, **options: Any) -> Changes:
    with transaction.atomic():
        return upsert.apply(model, connection_id=connection.pk, rows=rows, read_at=read_at, **options)


def only(model: type[Mirrored]) -> Any:
    return model.objects.get()


@pytest.mark.parametrize(
    ("odoo_model", "field", "raw", "mirrored"),
    [
        ("res.partner", "name", 'Müller & Söhne\t\\N "x"\n', 'Müller & Söhne\t\\N "x"\n'),
        ("res.partner", "email", False, ""),
        ("res.partner", "user_id", 7, 7),
        ("res.partner", "user_id", False, None),
        ("res.partner", "active", False, False),
        ("res.partner", "credit_limit", 0.0, Decimal(0)),
        ("res.partner", "credit_limit", 1e15, Decimal(10) ** 15),
        ("res.partner", "credit_limit", 0.1 + 0.2, Decimal("0.3")),
        ("sale.order", "amount_total", -1234.567, Decimal("-1234.567")),
        ("sale.order", "state", "sale", "sale"),
        ("sale.order", "delivery_status", False, ""),
        ("sale.order", "date_order", "2026-03-29 01:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("sale.order", "commitment_date", False, None),
        ("sale.order.line", "sequence", 0, 0),
        ("account.move", "invoice_date", "2026-02-28", date(2026, 2, 28)),
        ("account.move", "invoice_date", False, None),
        ("account.move.line", "sale_line_ids", [3, 2**40], [3, 2**40]),
        ("account.move.line", "sale_line_ids", [], []),
    ],
)
def test_a_value_of_odoo_is_mirrored_as_what_it_means(
    connection: Connection, odoo_model: str, field: str, raw: Any, mirrored: Any
) -> None:
    model = registry.models()[odoo_model]
    apply(model, connection, {"id": 1, "create_date": False, "write_date": "2026-11-23 09:00:00", field: raw})
    assert getattr(only(model), field) == mirrored


def test_a_field_that_odoo_lacks_stays_unknown(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner())
    assert only(partners).ref is None
    assert only(partners).credit_limit is None


def test_new_rows_and_changed_rows_are_told_apart(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner(1))
    changes = apply(partners, connection, partner(1, name="Azure Interior"), partner(2))
    assert (changes.inserted, changes.updated, changes.deleted) == ({2}, {1}, set())
    assert changes.written_at == dict.fromkeys([1, 2], datetime(2026, 11, 23, 9, tzinfo=UTC))


def test_a_row_that_says_nothing_new_is_no_change(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner())
    assert not apply(partners, connection, partner(), read_at=NOW + timedelta(seconds=5))


def test_a_row_that_only_odoo_touched_is_a_change(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner())
    assert apply(partners, connection, partner(written="2026-11-23 09:30:00")).updated == {1}


def test_an_older_read_that_ends_later_is_dropped(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner(name="New", written="2026-11-23 09:30:00"), read_at=NOW)
    late = apply(partners, connection, partner(name="Old"), read_at=NOW - timedelta(seconds=1))
    assert not late
    assert only(partners).name == "New"


def test_a_replica_that_lags_does_not_take_the_mirror_back(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner(name="New", written="2026-11-23 09:30:00"))
    assert not apply(partners, connection, partner(name="Old"), read_at=NOW + timedelta(seconds=1))
    assert only(partners).name == "New"


def test_a_restored_database_takes_the_mirror_back_where_asked(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner(name="New", written="2026-11-23 09:30:00"))
    apply(partners, connection, partner(name="Old"), read_at=NOW + timedelta(seconds=1), rebuild=True)
    assert only(partners).name == "Old"


def test_a_row_read_twice_in_one_batch_is_one_row(partners: type[Mirrored], connection: Connection) -> None:
    assert apply(partners, connection, partner(1), partner(1)).inserted == {1}


def test_two_batches_of_one_transaction_do_not_mix(partners: type[Mirrored], connection: Connection) -> None:
    with transaction.atomic():
        first = upsert.apply(partners, connection_id=connection.pk, rows=[partner(1)], read_at=NOW)
        second = upsert.apply(partners, connection_id=connection.pk, rows=[partner(2)], read_at=NOW)
    assert (first.ids, second.ids) == ({1}, {2})


def test_a_batch_that_failed_leaves_the_next_one_unharmed(partners: type[Mirrored], connection: Connection) -> None:
    with pytest.raises(Exception, match="invalid input"):
        apply(partners, connection, partner(1, user_id="nobody"))
    assert apply(partners, connection, partner(1, user_id=3)).inserted == {1}


def test_no_rows_change_nothing(partners: type[Mirrored], connection: Connection) -> None:
    assert not apply(partners, connection)
    assert not upsert.mark_deleted(partners, connection_id=connection.pk, odoo_ids=[], read_at=NOW, now=NOW)


def test_a_buried_row_that_is_seen_again_lives_again(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner())
    gone = upsert.mark_deleted(partners, connection_id=connection.pk, odoo_ids=[1, 99], read_at=NOW, now=NOW)
    assert gone.deleted == {1}
    assert only(partners).deleted_at == NOW
    assert apply(partners, connection, partner(), read_at=NOW + timedelta(seconds=1)).updated == {1}
    assert only(partners).deleted_at is None


def test_a_row_seen_later_than_it_was_missed_stays(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner())
    earlier = NOW - timedelta(seconds=1)
    assert not upsert.mark_deleted(partners, connection_id=connection.pk, odoo_ids=[1], read_at=earlier, now=NOW)


def test_a_burial_is_not_undone_by_a_read_that_began_before_it(partners: type[Mirrored], connection: Connection) -> None:
    apply(partners, connection, partner(), read_at=NOW - timedelta(seconds=5))
    upsert.mark_deleted(partners, connection_id=connection.pk, odoo_ids=[1], read_at=NOW, now=NOW)
    assert not apply(partners, connection, partner(), read_at=NOW - timedelta(seconds=1))
    assert only(partners).deleted_at == NOW


def test_two_connections_keep_records_of_one_id_apart(partners: type[Mirrored], connection: Connection) -> None:
    other = Connection.objects.create(name="other", url="http://other.test", database="o", login="t", api_key="k")
    apply(partners, connection, partner(name="Azure"))
    assert apply(partners, other, partner(name="Deco")).inserted == {1}
    assert set(partners.objects.values_list("name", flat=True)) == {"Azure", "Deco"}


def test_nothing_is_written_for_a_connection_that_is_gone(partners: type[Mirrored], connection: Connection) -> None:
    connection_id = connection.pk
    connection.delete()
    assert not upsert.apply(partners, connection_id=connection_id, rows=[partner()], read_at=NOW)
    assert not partners.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_reads_at_once_the_newer_wins_whoever_commits_last(partners: type[Mirrored]) -> None:
    connection = Connection.objects.create(name="main", url="http://odoo.test", database="t", login="t", api_key="k")
    apply(partners, connection, partner(name="First"), read_at=NOW - timedelta(minutes=1))
    newer_has_written, heard = threading.Event(), []

    def older() -> None:
        newer_has_written.wait(10)
        heard.append(apply(partners, connection, partner(name="Older", written="2026-11-23 09:10:00"), read_at=NOW))
        database.close()

    thread = threading.Thread(target=older)
    thread.start()
    with transaction.atomic():
        upsert.apply(
            partners,
            connection_id=connection.pk,
            read_at=NOW + timedelta(seconds=1),
            rows=[partner(name="Newer", written="2026-11-23 09:20:00")],
        )
        newer_has_written.set()
        _wait_until_somebody_waits_for_a_row()
    thread.join(10)
    assert only(partners).name == "Newer"
    assert not heard[0]


def _wait_until_somebody_waits_for_a_row() -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while datetime.now(UTC) < deadline:
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("the older read never met the newer one")


def test_what_a_row_no_longer_points_at_is_told_by_its_column(connection: Connection) -> None:
    lines = registry.models()["account.move.line"]
    row = dict.fromkeys(lines.odoo_fields(), False) | {"id": 1, "create_date": False, "move_id": 5, "sale_line_ids": [8, 9]}
    first = apply(lines, connection, row | {"write_date": "2026-11-23 09:00:00"})
    later = {"write_date": "2026-11-23 09:01:00"}
    moved = apply(lines, connection, row | later | {"move_id": 6, "sale_line_ids": [9]}, read_at=NOW + timedelta(seconds=1))
    assert (first.left, moved.left) == ({}, {"move_id": {5}, "sale_line_ids": {8, 9}})
