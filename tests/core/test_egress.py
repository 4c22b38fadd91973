"""What the tower never calls, however it is written, wherever it is entered, and whatever opens the connection."""

import ast
import socket
from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.db import models
from django.test import Client
from pytest_httpserver import HTTPServer

from apps.accounts.models import Role
from apps.core import clock, egress
from apps.core.egress import ODOO, RECEIVER, AddressNotAllowedError, Destination, GuardedBackend, checked, checked_form
from apps.health.api import EndpointShape
from apps.health.forms import EndpointForm
from apps.notifications import push, webhooks
from apps.notifications.models import Endpoint
from apps.odoo import access_data, registration
from apps.odoo.addresses import checked_url
from apps.odoo.errors import AddressRefusedError
from apps.odoo.forms import AccessForm, ConnectionForm
from apps.odoo.models import AccessTest, Connection
from apps.odoo.wire import Wire
from controltower.env import BASE_DIR
from tests.world import person

# Link-local, metadata, multicast, broadcast and no machine: never, not even where an operator allows private networks.
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "224.0.0.1",
    "[ff02::1]",
    "0.0.0.0",
    "[::]",
    "0.1.2.3",
    "255.255.255.255",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
]
# Private networks and this machine: an Odoo may stand there, a receiver only where the operator named it.
PRIVATE = [
    "127.0.0.1",
    "[::1]",
    "10.0.0.5",
    "172.16.0.9",
    "192.168.1.9",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "[fc00::1]",
    "[fd12::1]",
    "[fec0::1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2001:0:1::1]",
    "[::127.0.0.1]",
]
# Numbers in other clothes, which only a look-up undresses.
DRESSED = ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost"]
MALFORMED = [
    "file:///etc/passwd",
    "gopher://93.184.216.34/",
    "ftp://93.184.216.34/",
    "93.184.216.34",
    "//93.184.216.34/",
    "",
    "https://",
    "https:///path",
    "https://user:word@93.184.216.34/",
    "https://user@93.184.216.34/",
    "https://@93.184.216.34/",
    "https://93.184.216.34:99999/",
    "https://93.184.216.34/a b",
    "https://93.184.216.34/\n",
    " https://93.184.216.34/",
    "https://93.184.216.34/#x",
    "https://[::1",
    "javascript:alert(1)",
]
ONLY_RECEIVERS_REFUSE = [
    "http://93.184.216.34/",
    "https://93.184.216.34:25/",
    "https://93.184.216.34:22/",
    "https://exam\u0440le.test/",
]


@pytest.mark.parametrize("to", [ODOO, RECEIVER])
@pytest.mark.parametrize("url", [*MALFORMED, *(f"https://{host}/" for host in NEVER)])
def test_these_are_refused_by_their_form_alone(url: str, to: Destination) -> None:
    with pytest.raises(AddressNotAllowedError):
        checked_form(url, to)


@pytest.mark.parametrize("url", [*ONLY_RECEIVERS_REFUSE, *(f"https://{host}/" for host in PRIVATE)])
def test_an_odoo_may_stand_where_no_receiver_does(url: str) -> None:
    assert checked_form(url, ODOO).geturl() == url
    with pytest.raises(AddressNotAllowedError):
        checked_form(url, RECEIVER)


@pytest.mark.parametrize("host", DRESSED)
def test_what_only_a_look_up_shows_is_refused_then(host: str) -> None:
    with pytest.raises(AddressNotAllowedError, match=r"127\.0\.0\.1|::1"):
        checked(f"https://{host}/", RECEIVER)
    with pytest.raises(AddressNotAllowedError):
        egress.resolved("0xa9fea9fe", 80, ODOO)


@pytest.mark.parametrize("url", ["https://93.184.216.34/hook?a=1", "https://93.184.216.34:8443/", "https://[2606:4700::1111]/"])
def test_a_public_address_is_taken(url: str) -> None:
    assert checked(url, RECEIVER) == url


def test_a_secret_in_the_address_is_not_repeated() -> None:
    for url in ("https://user:secret@erp.example.com", "https://erp.example.com/?key=secret"):
        with pytest.raises(AddressRefusedError) as refused:
            checked_url(url, connection="main")
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://ERP.example.com/", "https://erp.example.com"),
        (" http://127.0.0.1:8069 ", "http://127.0.0.1:8069"),
        ("http://[::1]:8069/odoo/", "http://[::1]:8069/odoo"),
        ("https://größe.example.com", "https://größe.example.com"),
    ],
)
def test_an_odoos_address_is_kept_without_its_last_slash(given: str, kept: str) -> None:
    assert checked_url(given, connection="main") == kept


def test_an_operator_may_allow_a_host_or_a_network_but_never_metadata(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED = ["127.0.0.1", "10.1.0.0/16", "169.254.0.0/16", "0.0.0.0"]
    assert checked("http://127.0.0.1:9000/x", RECEIVER) == "http://127.0.0.1:9000/x"
    assert checked("https://10.1.2.3/", RECEIVER)
    for url in ("https://10.2.0.1/", "http://93.184.216.34/", "https://[::1]/", "https://169.254.169.254/", "https://0.0.0.0/"):
        with pytest.raises(AddressNotAllowedError):
            checked(url, RECEIVER)


# Every way to enter an address.
ADDRESSES = {"url", "endpoint", "address", "webhook_url"}


@pytest.fixture
def entries(db: None) -> dict[Any, Callable[[str], None]]:
    """By what takes the address, how it is entered; each raises where it is refused."""
    now, ivan = clock.now(), person("ivan", Role.INTEGRATOR)
    connection = Connection.objects.create(name="main", url="http://127.0.0.1:1", database="d", login="l", api_key="k")
    rest = {"name": "other", "database": "x", "login": "x", "api_key": "x"}

    def form(kind: type[forms.BaseForm], **more: str) -> Callable[[str], None]:
        def enter(url: str) -> None:
            errors = kind({**more, "url": url}).errors.get("url")
            if errors:
                raise AddressNotAllowedError(*errors)

        return enter

    def tested(url: str) -> None:
        access_data.request_test(connection, url=url, database="x", login="x", api_key="x", by=ivan, now=now)
        checked_url(url, connection="main")

    return {
        ConnectionForm: form(ConnectionForm, **rest),
        AccessForm: form(AccessForm, **rest),
        EndpointForm: form(EndpointForm, name="other"),
        EndpointShape: form(EndpointForm, name="other"),
        Endpoint: lambda url: webhooks.save(Endpoint(name="x", url=url), by=ivan, now=now) and None,
        Connection: lambda url: registration.register("other", url, "x", "x", "x", now=now) and None,
        AccessTest: tested,
        push.Device: lambda url: push.add(ivan, endpoint=url, p256dh="", auth="", name="", now=now) and None,
    }


@pytest.mark.parametrize("host", NEVER)
def test_nothing_that_takes_an_address_takes_these(entries: dict[Any, Callable[[str], None]], host: str) -> None:
    for kind, enter in entries.items():
        with pytest.raises((AddressNotAllowedError, AddressRefusedError, push.DeviceRefusedError), match="address"):
            enter(f"https://{host}/")
        assert kind is not None


def test_these_are_all_that_take_an_address(entries: dict[Any, Callable[[str], None]], client: Client) -> None:
    client.get("/health/")  # loads every form
    found = {
        kind.__name__
        for kind in _below(forms.BaseForm)
        if kind.__module__.startswith("apps.") and ADDRESSES & set(getattr(kind, "base_fields", {}))
    }
    found |= {
        model.__name__
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        for field in model._meta.get_fields()
        if field.name in ADDRESSES and isinstance(field, models.CharField | models.TextField)
    }
    schema = client.get("/api/v1/schema/?format=json").json()
    for operation in (one for path in schema["paths"].values() for one in path.values() if "requestBody" in one):
        for body in operation["requestBody"]["content"].values():
            name = body["schema"].get("$ref", "").rpartition("/")[2]
            if name and ADDRESSES & set(schema["components"]["schemas"][name]["properties"]):
                found.add(name.removesuffix("Request"))
    assert found == {kind.__name__ for kind in entries}


def _below(kind: type[Any]) -> set[type[Any]]:
    return {kind, *(one for below in kind.__subclasses__() for one in _below(below))}


# Every way to open a connection.

OPENS = {
    "httpx2.Client",
    "httpx2.AsyncClient",
    "httpx2.HTTPTransport",
    "httpx2.get",
    "httpx2.post",
    "httpx2.request",
    "httpx2.stream",
    "urllib.request.urlopen",
    "socket.create_connection",
    "http.client.HTTPConnection",
    "http.client.HTTPSConnection",
    "smtplib.SMTP",
    "smtplib.SMTP_SSL",
    "requests.get",
    "requests.post",
}
# The tower's own intake, at the address that the operator set.
OWN = {"apps/health/intake_probe.py"}


def test_only_the_guard_opens_connections() -> None:
    found = set()
    for path in (BASE_DIR / "apps").rglob("*.py"):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in OPENS:
                found.add(path.relative_to(BASE_DIR).as_posix())
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
                assert not names & {"requests", "aiohttp", "urllib3", "http.client"}, path
    assert found == {"apps/core/egress.py"} | OWN


@pytest.fixture
def rebinding(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have every name stand for these addresses, one answer after the other; the last stays."""

    def set_answers(*answers: list[str]) -> None:
        left = list(answers)

        def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            if host[-1].isdecimal():
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
            ips = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

        monkeypatch.setattr(egress.socket, "getaddrinfo", answer)

    return set_answers


def test_one_bad_address_among_good_ones_is_enough_to_refuse(rebinding: Callable[..., None]) -> None:
    rebinding(["93.184.216.34", "10.0.0.1"])
    with pytest.raises(AddressNotAllowedError, match=r"10\.0\.0\.1"):
        checked("https://rebinding.test/", RECEIVER)


def test_a_name_that_turns_inwards_after_it_was_entered_is_not_connected_to(rebinding: Callable[..., None]) -> None:
    rebinding(["93.184.216.34"], ["127.0.0.1"])
    assert checked("https://rebinding.test/", RECEIVER)
    with pytest.raises(AddressNotAllowedError):
        GuardedBackend(RECEIVER).connect_tcp("rebinding.test", 443, timeout=1)


def test_the_address_that_was_checked_is_the_one_connected_to(
    rebinding: Callable[..., None], httpserver: HTTPServer, settings: Any
) -> None:
    settings.WEBHOOK_ALLOWED = ["named.test"]
    httpserver.expect_request("/").respond_with_data("here")
    rebinding(["127.0.0.1"], ["169.254.169.254"])  # whoever looks a second time finds metadata
    with egress.client(RECEIVER, timeout_seconds=5) as client:
        assert client.get(f"http://named.test:{httpserver.port}/").text == "here"


def test_no_client_follows_a_redirect_inwards(httpserver: HTTPServer, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED = ["127.0.0.1"]
    httpserver.expect_request("/").respond_with_data("", 302, headers={"Location": f"http://127.0.0.1:{httpserver.port}/in"})
    with egress.client(RECEIVER, timeout_seconds=5) as client:
        assert client.get(f"http://127.0.0.1:{httpserver.port}/").status_code == 302
    assert [request.path for request, _ in httpserver.log] == ["/"]


def test_the_wire_to_odoo_judges_a_name_when_its_socket_is_opened(rebinding: Callable[..., None]) -> None:
    rebinding(["169.254.169.254"])
    wire = Wire("http://erp.example.com", connection="main")
    with pytest.raises(AddressRefusedError, match="metadata"):
        wire.post("/jsonrpc", b"{}", is_write=False, timeout_seconds=1)
    wire.close()
