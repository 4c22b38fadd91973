"""The same calls over both transports, registration and capabilities, against the real Odoo."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from apps.audit.models import Entry, Head
from apps.odoo.capabilities import look
from apps.odoo.client import connect
from apps.odoo.errors import (
    MissingRecordError,
    OdooError,
    RefusedError,
    UnauthorisedError,
    UnreachableError,
    UnsupportedError,
)
from apps.odoo.models import Connection
from apps.odoo.registration import register

pytestmark = pytest.mark.odoo
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(params=["json2", "jsonrpc", "password"])
def connection(request: pytest.FixtureRequest, real: Callable[..., Connection]) -> Connection:
    """The real Odoo by each way in: a key over JSON-2, a key over JSON-RPC, a password."""
    if request.param == "password":
        return real()
    if not os.environ.get("ODOO_KEY"):
        pytest.skip("ODOO_KEY gives no API key of the real Odoo: its ways in by key were NOT tested")
    return real(api_key=os.environ["ODOO_KEY"], transport=request.param)


def test_reads_are_the_same_by_every_way_in(connection: Connection) -> None:
    with connect(connection) as client:
        ids = client.search("sale.order", [], order="id", limit=3)
        assert len(ids) == 3
        rows = client.read("sale.order", [*ids, 99_999_999], ["name", "partner_id"], primary=True)
        assert sorted(row["id"] for row in rows) == ids
        assert all(isinstance(row["partner_id"], int) for row in rows)
        assert client.search_count("sale.order", [], primary=True) == client.search_count("sale.order", [])
        (group,) = client.read_group("sale.order", [("id", "in", ids)], [], ["id:sum"])
        assert (group["__count"], group["id:sum"]) == (3, sum(ids))
        assert client.fields_get("sale.order")["partner_id"]["relation"] == "res.partner"


def test_a_record_is_made_changed_and_deleted_by_every_way_in(connection: Connection) -> None:
    with connect(connection) as client:
        tag = client.create("crm.tag", {"name": f"tower {connection.transport} {connection.api_key[:4]}"})
        client.write("crm.tag", [tag], {"color": 5})
        assert client.read("crm.tag", [tag], ["color"])[0]["color"] == 5
        client.unlink("crm.tag", [tag])
        assert client.read("crm.tag", [tag], ["color"]) == []
        with pytest.raises(MissingRecordError):
            client.write("res.partner", [99_999_999], {"name": "Nobody"})


@pytest.mark.parametrize(
    ("model", "method", "named", "expected"),
    [
        ("no.such.model", "search_read", {"domain": []}, UnsupportedError),
        ("res.partner", "no_such_method", {}, UnsupportedError),
        ("res.partner", "search_read", {"domain": [("no_field", "=", 1)]}, UnsupportedError),
        ("res.partner", "search", {"no_argument": 1}, UnsupportedError),
        ("res.users", "write", {"ids": [2], "vals": {"login": False}}, RefusedError),
    ],
)
def test_errors_are_the_same_by_every_way_in(
    connection: Connection, model: str, method: str, named: dict[str, object], expected: type[OdooError]
) -> None:
    with pytest.raises(expected, match="'main'"):
        connect(connection).call(model, method, **named)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"database": "nowhere"}, UnauthorisedError),
        ({"api_key": "wrong"}, UnauthorisedError),
        ({"login": "nobody"}, UnauthorisedError),
        ({"url": "http://127.0.0.1:1"}, UnreachableError),
    ],
)
@pytest.mark.django_db
def test_nothing_is_stored_when_odoo_refuses(
    real: Callable[..., Connection], wrong: dict[str, str], expected: type[OdooError]
) -> None:
    good = real()
    given = {"url": good.url, "database": good.database, "login": good.login, "api_key": good.api_key} | wrong
    with pytest.raises(expected, match="'main'"):
        register("main", given["url"], given["database"], given["login"], given["api_key"], now=NOW)
    assert not Connection.objects.exists()


@pytest.mark.django_db
def test_a_registered_connection_is_stored_with_what_it_can_do(real: Callable[..., Connection]) -> None:
    Head.objects.get_or_create(id=1)
    good = real()
    wanted = {"sale.order": ["name", "no_field"], "no.such.model": ["name"]}
    for _ in range(2):
        register("main", good.url, good.database, good.login, good.api_key, wanted=wanted, now=NOW)
    stored = Connection.objects.get()
    assert (stored.state, stored.state_since, stored.version, stored.uid) == ("connected", NOW, "19.0", 2)
    assert stored.lacks("no.such.model")
    assert stored.lacks("sale.order", "no_field")
    assert not stored.lacks("sale.order", "name")
    assert [entry.action for entry in Entry.objects.order_by("sequence")] == [
        "connection.registered",
        "connection.changed",
    ]


def test_a_login_without_rights_is_told_what_it_lacks(real: Callable[..., Connection]) -> None:
    report = look(real(login="demo", api_key="demo"), {"sale.order": ["name"]}, now=NOW)
    assert not report.can_provision
    assert any("administrator" in sentence for sentence in report.sentences())
    admin = look(real(), {"sale.order": ["name"]}, now=NOW)
    assert (admin.can_provision, admin.has_automation, admin.has_webhooks, admin.reads_history) == (True,) * 4
