"""The mirror of a real Odoo equals it: every model, every row, every field."""

import os
import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Count, Sum

from apps.core import clock
from apps.mirror import declare, registry
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import backfill, increment, reconcile, refresh
from apps.mirror.upsert import Changes
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection

pytestmark = pytest.mark.odoo


@pytest.fixture
def asked(real: Connection, odoo: OdooClient) -> Connection:
    """The connection, knowing which models and fields this Odoo has."""
    models: dict[str, Any] = {}
    for name, model in registry.models().items():
        if odoo.search_count("ir.model", [("model", "=", name)]):
            models[name] = {"missing_fields": sorted(set(model.odoo_fields()) - set(odoo.fields_get(name)))}
    real.capabilities = {"models": models}
    real.save()
    odoo.connection.capabilities = real.capabilities
    return real


def present(connection: Connection) -> list[type[Mirrored]]:
    return [model for name, model in registry.models().items() if not connection.lacks(name)]


def read_all(odoo: OdooClient, connection: Connection) -> None:
    for model in present(connection):
        backfill.run(odoo, model, connection=connection, clock=clock.now)


def as_mirrored(model: type[Mirrored], name: str, value: Any) -> Any:
    """Odoo's value as the mirror is to hold it, worked out apart from the mirror's own encoders."""
    field = model._meta.get_field(name)
    if isinstance(field, declare.Text):
        return value or ""
    if isinstance(field, declare.Ids):
        return sorted(value)
    if isinstance(field, declare.Exact):
        return Decimal(repr(float(value or 0)))
    if isinstance(field, declare.Number):
        return Decimal(repr(float(value or 0))).quantize(Decimal(1).scaleb(-field.decimal_places))
    if isinstance(field, declare.Moment):
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None
    if isinstance(field, declare.Day):
        return datetime.fromisoformat(value).date() if value else None
    if isinstance(field, declare.Boolean | declare.Integer):
        return value
    return value or None


def differences(odoo: OdooClient, connection: Connection, models: list[type[Mirrored]]) -> list[str]:
    found = []
    for model in models:
        fields = model.fields_at(connection)
        theirs = {row["id"]: row for row in odoo.search_read(model.odoo_model, [], ["id", *fields])}
        ours = {row.odoo_id: row for row in model.objects.filter(connection=connection, deleted_at=None)}
        if theirs.keys() != ours.keys():
            found.append(f"{model.odoo_model}: ids {sorted(theirs.keys() ^ ours.keys())[:5]}")
        for odoo_id in theirs.keys() & ours.keys():
            for name in fields:
                want, have = as_mirrored(model, name, theirs[odoo_id][name]), getattr(ours[odoo_id], name)
                have = sorted(have) if isinstance(have, list) else have
                if want != have:
                    found.append(f"{model.odoo_model} {odoo_id} {name}: Odoo {want!r}, mirror {have!r}")
    return found


def test_the_first_read_equals_odoo_row_by_row_and_field_by_field(odoo: OdooClient, asked: Connection) -> None:
    read_all(odoo, asked)
    assert differences(odoo, asked, present(asked)) == []
    assert registry.models()["account.move.line"].objects.count() > 100


def test_two_requests_at_a_time_read_the_same(odoo: OdooClient, asked: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "BATCH", 20)
    model = registry.models()["account.move.line"]
    done = backfill.run(odoo, model, connection=asked, clock=clock.now, connections=2)
    assert done.rows == done.total == odoo.search_count("account.move.line", [])
    assert differences(odoo, asked, [model]) == []


def test_the_sums_of_money_equal_odoos_own(odoo: OdooClient, asked: Connection) -> None:
    sums = {
        "sale.order": "amount_total",
        "purchase.order": "amount_total",
        "account.move": "amount_residual_signed",
        "account.move.line": "balance",
    }
    for odoo_model, field in sums.items():
        model = registry.models()[odoo_model]
        backfill.run(odoo, model, connection=asked, clock=clock.now)
        theirs = odoo.read_group(odoo_model, [], [], [f"{field}:sum"])[0]
        ours = model.objects.filter(deleted_at=None).aggregate(Sum(field), Count("id"))
        assert theirs["__count"] == ours["id__count"]
        assert Decimal(str(theirs[f"{field}:sum"])).quantize(Decimal("0.01")) == ours[f"{field}__sum"].quantize(Decimal("0.01"))


def test_a_user_takes_over_the_name_of_its_partner(odoo: OdooClient, asked: Connection) -> None:
    users, partners = registry.models()["res.users"], registry.models()["res.partner"]
    user = odoo.create("res.users", {"name": "Tower test", "login": "tower-test-mirror"})
    partner = odoo.read("res.users", [user], ["partner_id"])[0]["partner_id"]
    try:
        for model in (users, partners):
            backfill.run(odoo, model, connection=asked, clock=clock.now)
        odoo.write("res.partner", [partner], {"name": "Tower test, renamed"})
        increment.run(odoo, partners, connection=asked, clock=clock.now, on_changes=lambda changes: None)
        assert users.objects.get(odoo_id=user).name == "Tower test, renamed"
    finally:
        odoo.unlink("res.users", [user])
        odoo.unlink("res.partner", [partner])


def test_an_interrupted_first_read_goes_on_where_it_stopped(
    odoo: OdooClient, asked: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "BATCH", 10)
    model = registry.models()["res.partner"]

    class Stop(Exception):
        pass

    def stop(rows: int, total: int) -> None:
        if rows >= 30:
            raise Stop

    with pytest.raises(Stop):
        backfill.run(odoo, model, connection=asked, clock=clock.now, progress=stop)
    before = model.objects.count()
    went_on = backfill.run(odoo, model, connection=asked, clock=clock.now)
    assert before == 30
    assert went_on.rows == odoo.search_count("res.partner", []) - 30


def test_increment_and_reconcile_find_what_changed_was_archived_and_was_deleted(odoo: OdooClient, asked: Connection) -> None:
    changed, archived, deleted = (odoo.create("res.partner", {"name": f"Tower test {n}"}) for n in range(3))
    try:
        model = registry.models()["res.partner"]
        backfill.run(odoo, model, connection=asked, clock=clock.now)
        odoo.write("res.partner", [changed], {"ref": "seen"})
        odoo.write("res.partner", [archived], {"active": False})
        odoo.unlink("res.partner", [deleted])
        handed_on: list[Changes] = []
        look = increment.run(odoo, model, connection=asked, clock=clock.now, on_changes=handed_on.extend)
        assert {changed, archived} <= set().union(*(change.ids for change in handed_on))
        assert look.changed >= 2
        found = reconcile.run(odoo, model, connection=asked, clock=clock.now, on_changes=handed_on.extend)
        assert (found.found_changed, found.found_deleted) == (0, 1)
        assert differences(odoo, asked, [model]) == []
        again = reconcile.run(odoo, model, connection=asked, clock=clock.now, on_changes=handed_on.extend)
        assert (again.found_changed, again.found_deleted) == (0, 0)
        assert SyncState.objects.get(odoo_model="res.partner").reconciled_at
    finally:
        odoo.unlink("res.partner", [changed, archived])


def test_a_record_deleted_while_it_is_read_is_gone_and_no_error(odoo: OdooClient, asked: Connection) -> None:
    model = registry.models()["res.partner"]
    partner = odoo.create("res.partner", {"name": "Tower test, short-lived"})
    backfill.run(odoo, model, connection=asked, clock=clock.now)
    odoo.unlink("res.partner", [partner])
    reads = refresh.read(odoo, model, [partner], now=clock.now())
    handed_on: list[Changes] = []
    refresh.write(reads, connection_id=asked.pk, on_changes=handed_on.extend, now=clock.now())
    assert [change.deleted for change in handed_on] == [{partner}]


@pytest.mark.parametrize("seed", range(int(os.environ.get("SYNC_SEEDS", "2"))))
def test_whatever_is_told_and_whatever_is_lost_one_comparison_later_the_mirror_equals_odoo(
    seed: int, odoo: OdooClient, asked: Connection
) -> None:
    chance = random.Random(seed)
    partners, orders = (registry.models()[name] for name in ("res.partner", "sale.order"))
    for model in (partners, orders):
        backfill.run(odoo, model, connection=asked, clock=clock.now)
    mine: list[int] = []
    quotations: list[int] = []
    untold: list[tuple[type[Mirrored], int]] = []
    handed_on: list[Changes] = []
    try:
        for step in range(24):
            partner = chance.choice(mine) if mine else 0
            match chance.choice(["create", "write", "archive", "quote", "unlink", "cancel"]) if partner else "create":
                case "create":
                    mine.append(odoo.create("res.partner", {"name": f"Tower test {seed}.{step}"}))
                    untold.append((partners, mine[-1]))
                case "write":
                    odoo.write("res.partner", [partner], {"ref": f"{seed}.{step}", "credit_limit": step})
                    untold.append((partners, partner))
                case "archive":
                    odoo.write("res.partner", [partner], {"active": chance.random() < 0.5})
                    untold.append((partners, partner))
                case "quote":
                    quotations.append(odoo.create("sale.order", {"partner_id": partner, "client_order_ref": f"{step}"}))
                    untold.append((orders, quotations[-1]))
                case "unlink":
                    gone = odoo.create("res.partner", {"name": "Tower test, short-lived"})
                    refresh.write(
                        refresh.read(odoo, partners, [gone], now=clock.now()),
                        connection_id=asked.pk,
                        on_changes=handed_on.extend,
                        now=clock.now(),
                    )
                    odoo.unlink("res.partner", [gone])
                case "cancel" if quotations:
                    order = quotations.pop(chance.randrange(len(quotations)))
                    odoo.call("sale.order", "action_cancel", [order])
                    odoo.unlink("sale.order", [order])
            # Webhooks come twice, late, in another order, or never.
            chance.shuffle(untold)
            told = [one for one in untold if chance.random() < 0.4]
            for model, number in told * chance.choice([1, 2]):
                refresh.write(
                    refresh.read(odoo, model, [number], now=clock.now()),
                    connection_id=asked.pk,
                    on_changes=handed_on.extend,
                    now=clock.now(),
                )
            untold = [one for one in untold if chance.random() < 0.5]
            if chance.random() < 0.15:
                increment.run(
                    odoo, chance.choice([partners, orders]), connection=asked, clock=clock.now, on_changes=handed_on.extend
                )
        for model in (partners, orders):
            reconcile.run(odoo, model, connection=asked, clock=clock.now, on_changes=handed_on.extend)
        assert differences(odoo, asked, [partners, orders]) == [], f"seed {seed}"
    finally:
        for order in quotations:
            odoo.call("sale.order", "action_cancel", [order])
            odoo.unlink("sale.order", [order])
        odoo.unlink("res.partner", mine)
