"""How the server is spoken to."""

import json

import pytest

from tests.odoo.contract.raw import OdooFault, Wire


def test_the_version_is_told_without_signing_in(wire: Wire) -> None:
    said = wire.service("common", "version")
    assert said["server_version"].startswith("19.0")
    assert said["server_version_info"][:2] == [19, 0]
    assert said["protocol_version"] == 1
    assert wire.rpc("/web/webclient/version_info", {}) == said
    status, _, body = wire.http("/json/version")
    assert (status, json.loads(body)["version"]) == (200, said["server_version"])
    status, _, body = wire.http("/web/health")
    assert (status, json.loads(body)) == (200, {"status": "pass"})


def test_a_sign_in_gives_the_id_or_false(wire: Wire) -> None:
    assert wire.service("common", "login", wire.database, wire.login, wire.password) == wire.uid
    assert wire.service("common", "authenticate", wire.database, wire.login, wire.password, {}) == wire.uid
    assert wire.service("common", "login", wire.database, wire.login, "wrong") is False


def test_a_wrong_key_is_denied_at_every_call(wire: Wire) -> None:
    with pytest.raises(OdooFault) as denied:
        wire.service("object", "execute_kw", wire.database, wire.uid, "wrong", "res.users", "context_get", [], {})
    assert (denied.value.name, str(denied.value)) == ("odoo.exceptions.AccessDenied", "Access Denied")
    assert denied.value.code == 0


def test_a_database_that_is_not_there_is_named(wire: Wire) -> None:
    with pytest.raises(OdooFault) as missing:
        wire.service("common", "login", "no-such-database", wire.login, wire.password)
    assert missing.value.name == "psycopg2.OperationalError"
    assert 'database "no-such-database" does not exist' in str(missing.value)


def test_a_web_session_reads_until_it_is_ended(wire: Wire) -> None:
    credentials = {"db": wire.database, "login": wire.login, "password": wire.password}
    ask = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": credentials}
    _, headers, body = wire.http("/web/session/authenticate", ask)
    who = json.loads(body)["result"]
    assert (who["uid"], who["db"], who["username"]) == (wire.uid, wire.database, wire.login)
    cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
    asked = {"model": "res.users", "method": "context_get", "args": [], "kwargs": {}}
    assert wire.rpc("/web/dataset/call_kw", asked, cookie)["uid"] == wire.uid
    assert wire.rpc("/web/dataset/call_kw/res.users/context_get", asked, cookie)["uid"] == wire.uid
    assert wire.rpc("/web/session/get_session_info", {}, cookie)["uid"] == wire.uid
    wire.rpc("/web/session/destroy", {}, cookie)
    with pytest.raises(OdooFault) as expired:
        wire.rpc("/web/dataset/call_kw", asked, cookie)
    assert (expired.value.code, expired.value.name) == (100, "odoo.http.SessionExpiredException")


def test_a_web_session_is_not_opened_with_a_wrong_password(wire: Wire) -> None:
    with pytest.raises(OdooFault) as denied:
        wire.rpc("/web/session/authenticate", {"db": wire.database, "login": wire.login, "password": "wrong"})
    assert denied.value.name == "odoo.exceptions.AccessDenied"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "bearer wrong"}])
def test_json_2_wants_a_key(wire: Wire, headers: dict[str, str]) -> None:
    status, _, body = wire.http("/json/2/res.users/context_get", {}, {"X-Odoo-Database": wire.database, **headers})
    said = json.loads(body)
    assert (status, said["name"], said["arguments"][-1]) == (401, "werkzeug.exceptions.Unauthorized", 401)
    assert {"name", "message", "arguments", "context", "debug"} <= set(said)


def test_json_2_answers_html_for_a_database_that_is_not_there(wire: Wire) -> None:
    headers = {"X-Odoo-Database": "no-such-database", "Authorization": "bearer wrong"}
    status, _, body = wire.http("/json/2/res.users/context_get", {}, headers)
    assert status == 404
    assert b"No database is selected" in body


def test_json_2_speaks_in_statuses(wire: Wire) -> None:
    if not wire.key:
        pytest.skip("no API key for this server: set ODOO_KEY")
    headers = {"X-Odoo-Database": wire.database, "Authorization": f"bearer {wire.key}"}

    def post(path: str, body: object) -> tuple[int, object]:
        status, _, answer = wire.http(f"/json/2/{path}", body, headers)
        return status, json.loads(answer)

    status, who = post("res.users/context_get", {})
    assert (status, isinstance(who, dict) and set(who) >= {"lang", "tz", "uid"}) == (200, True)
    assert post("no.such.model/search", {"domain": []})[0] == 404
    assert post("res.partner/no_such_method", {})[0] == 404
    assert post("res.partner/_private", {})[0] == 403
    assert post("res.partner/write", {"ids": [99_999_999], "vals": {"name": "x"}})[0] == 404
    assert post("sale.order/create", {"vals_list": [{}]})[0] == 422
    status, said = post("res.partner/search", {"domain": [["no_such_field", "=", 1]]})
    assert (status, isinstance(said, dict) and said["name"]) == (500, "builtins.ValueError")


@pytest.mark.parametrize(
    ("model", "method", "args", "name", "words"),
    [
        (
            "res.partner",
            "search",
            [[["no_such_field", "=", 1]]],
            "builtins.ValueError",
            "Invalid field res.partner.no_such_field",
        ),
        (
            "res.partner",
            "search_read",
            [[], ["no_such_field"]],
            "builtins.ValueError",
            "Invalid field 'no_such_field' on",
        ),
        ("no.such.model", "search", [[]], "odoo.exceptions.UserError", "Object no.such.model doesn't exist"),
        (
            "res.partner",
            "no_such_method",
            [[]],
            "builtins.AttributeError",
            "The method 'res.partner.no_such_method' does not",
        ),
        ("res.partner", "_private", [[]], "odoo.exceptions.AccessError", "cannot be called remotely"),
        (
            "res.partner",
            "write",
            [[99_999_999], {"name": "x"}],
            "odoo.exceptions.MissingError",
            "does not exist or has been",
        ),
        ("sale.order", "create", [{}], "odoo.exceptions.ValidationError", "'Customer' (partner_id)"),
    ],
)
def test_what_goes_wrong_is_named(wire: Wire, model: str, method: str, args: list[object], name: str, words: str) -> None:
    with pytest.raises(OdooFault) as fault:
        wire.call(model, method, *args)
    assert fault.value.name == name
    assert words in str(fault.value)
    assert fault.value.data["arguments"]
