"""Reading records again by their ids, with what belongs to them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from apps.mirror import registry
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import refresh
from apps.mirror.upsert import Changes
from apps.odoo.models import Connection
from tests.mirror.company import Clock, Company

ORDERS, LINES = "sale.order", "sale.order.line"


@pytest.fixture
def order(company: Company, clock: Clock) -> int:
    """An order with three lines, mirrored."""
    company.write(ORDERS, 42, clock(), name="S00042", state="draft")
    for odoo_id in (1, 2, 3):
        company.write(LINES, odoo_id, clock(), order_id=42, name=f"Line {odoo_id}")
    read_again(company, ORDERS, [42], clock)
    clock.at += timedelta(minutes=1)
    return 42


def read_again(company: Company, odoo_model: str, ids: list[int], clock: Clock) -> dict[str, Changes]:
    found: list[Changes] = []
    reads = refresh.read(company, registry.models()[odoo_model], ids, now=clock())
    with transaction.atomic():
        refresh.write(reads, connection_id=company.connection.pk, on_changes=found.extend, now=clock())
    return {change.model: change for change in found}


def test_an_order_brings_its_lines(company: Company, order: int) -> None:
    assert registry.models()[LINES].objects.filter(order_id=order, deleted_at=None).count() == 3


def test_a_line_that_left_its_order_is_gone_though_nothing_announced_it(company: Company, order: int, clock: Clock) -> None:
    company.unlink(LINES, 2)
    changes = read_again(company, ORDERS, [order], clock)
    assert changes.keys() == {LINES}
    assert changes[LINES].deleted == {2}


def test_lines_of_a_deleted_order_are_gone_with_it(company: Company, order: int, clock: Clock) -> None:
    company.unlink(ORDERS, order)
    company.unlink(LINES, 1, 2, 3)
    changes = read_again(company, ORDERS, [order], clock)
    assert changes[ORDERS].deleted == {order}
    assert changes[LINES].deleted == {1, 2, 3}


def test_a_line_that_moved_to_another_order_is_not_gone(company: Company, order: int, clock: Clock) -> None:
    company.write(ORDERS, 43, clock(), name="S00043")
    company.write(LINES, 2, clock(), order_id=43)
    changes = read_again(company, ORDERS, [order], clock)
    assert not changes[LINES].deleted
    assert registry.models()[LINES].objects.get(odoo_id=2).order_id == 43


def test_a_silent_change_of_a_line_comes_in_with_its_order(company: Company, order: int, clock: Clock) -> None:
    company.records[LINES][3]["name"] = "Said differently"
    assert read_again(company, ORDERS, [order], clock)[LINES].updated == {3}


def test_a_users_name_follows_its_partner(company: Company, connection: Connection, clock: Clock) -> None:
    company.write("res.partner", 5, clock(), name="Sofia")
    company.write("res.users", 7, clock(), name="Sofia", partner_id=5)
    read_again(company, "res.partner", [5], clock)
    company.write("res.partner", 5, clock(), name="Sofia Sales")
    company.records["res.users"][7]["name"] = "Sofia Sales"
    clock.at += timedelta(seconds=1)
    assert read_again(company, "res.partner", [5], clock)["res.users"].updated == {7}


def test_a_record_deleted_while_it_is_read_is_gone_and_no_error(company: Company, order: int, clock: Clock) -> None:
    def delete() -> None:
        company.unlink(ORDERS, order)
        company.unlink(LINES, 1, 2, 3)

    company.before_read = [delete]
    assert read_again(company, ORDERS, [order], clock)[ORDERS].deleted == {order}


def test_a_record_that_only_a_replica_lacks_is_not_gone(company: Company, order: int, clock: Clock) -> None:
    company.hidden = {(ORDERS, order), (LINES, 1)}
    assert read_again(company, ORDERS, [order], clock) == {}


def test_an_id_that_never_was_changes_nothing(company: Company, clock: Clock) -> None:
    assert read_again(company, ORDERS, [999], clock) == {}


def test_children_that_this_odoo_lacks_are_left_out(company: Company, connection: Connection, clock: Clock, order: int) -> None:
    del connection.capabilities["models"][LINES]
    company.asked.clear()
    read_again(company, ORDERS, [order], clock)
    assert {model for model, _ in company.asked} == {ORDERS}


def test_fields_that_this_odoo_lacks_are_not_asked_for(connection: Connection, company: Company) -> None:
    connection.capabilities["models"][ORDERS] = {"missing_fields": ["x_ct_hold", "margin"]}
    fields = refresh.fields_to_read(company, registry.models()[ORDERS])
    assert not {"x_ct_hold", "margin"} & set(fields)
    assert {"id", "write_date", "create_date", "name"} <= set(fields)


def test_more_ids_than_a_batch_are_read_in_batches(
    company: Company, clock: Clock, monkeypatch: pytest.MonkeyPatch, partners: type[Mirrored]
) -> None:
    monkeypatch.setattr(refresh, "BATCH", 10)
    for odoo_id in range(1, 26):
        company.write("res.partner", odoo_id, clock(), name="P")
    changes: list[Any] = []
    reads = refresh.read(company, partners, list(range(1, 26)), now=clock())
    refresh.write(reads, connection_id=company.connection.pk, on_changes=changes.extend, now=clock())
    assert set().union(*(change.inserted for change in changes)) == set(range(1, 26))
    assert not SyncState.objects.exists()
