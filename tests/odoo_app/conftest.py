"""A connection to talk over, and the real Odoo where ODOO_URL names one (or the usual place answers)."""

import os
from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer

from apps.odoo import client as clients
from apps.odoo.models import Connection

Connecting = Callable[..., Connection]


@pytest.fixture
def at() -> Connecting:
    """A connection that is not stored, to the address given."""

    def make(url: str, **changed: object) -> Connection:
        given = {"name": "main", "url": url, "database": "ct", "login": "admin", "api_key": "k", "version": "19.0"}
        return Connection(**(given | changed))

    return make


@pytest.fixture(autouse=True)
def no_kept_sessions() -> Iterator[None]:
    """Each test signs in for itself."""
    yield
    for session in clients._sessions.values():
        session.close()
    clients._sessions.clear()


@pytest.fixture
def speaking(httpserver: HTTPServer) -> HTTPServer:
    """A server that tells its version and accepts the key, and is otherwise what the test makes of it."""
    httpserver.expect_request("/jsonrpc").respond_with_json({"jsonrpc": "2.0", "id": 1, "result": {"server_version": "19.0"}})
    httpserver.expect_request("/json/2/res.users/context_get").respond_with_json({"uid": 2, "lang": "en_US"})
    return httpserver


@pytest.fixture
def real(at: Connecting) -> Callable[..., Connection]:
    """Connections to the real Odoo: ``real(transport="json2")``."""
    url = os.environ.get("ODOO_URL")
    if not url:
        pytest.skip("ODOO_URL names no Odoo to test against")

    def make(**changed: object) -> Connection:
        given = {
            "database": os.environ.get("ODOO_DB", "ct"),
            "login": os.environ.get("ODOO_LOGIN", "admin"),
            "api_key": os.environ.get("ODOO_PASSWORD", "admin"),
            "uid": 2,
        }
        return at(url, **(given | changed))

    return make
