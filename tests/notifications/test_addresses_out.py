"""What the tower never posts to, however it is written: judged when it is entered, and again when it is sent."""

import socket
from typing import Any

import pytest

from apps.notifications import addresses
from apps.notifications.addresses import AddressNotAllowedError, GuardedBackend, checked

# Written so that no name has to be looked up.
REFUSED = [
    "https://127.0.0.1/x", "https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/", "https://localhost/",
    "https://[::1]/", "https://[::]/", "https://0.0.0.0/", "https://10.0.0.1/", "https://172.16.0.9/", "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://100.100.100.200/", "https://224.0.0.1/",
    "https://255.255.255.255/", "https://192.0.2.1/", "https://198.18.0.1/", "https://[fe80::1]/", "https://[fc00::1]/",
    "https://[fd00:ec2::254]/", "https://[ff02::1]/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::a00:1]/", "https://[2002:7f00:1::]/", "https://[2001:0:1::1]/",
    "https://[::127.0.0.1]/", "https://[fec0::1]/", "file:///etc/passwd", "gopher://93.184.216.34/", "ftp://93.184.216.34/",
    "http://93.184.216.34/", "https://user:word@93.184.216.34/", "https://user@93.184.216.34/", "https://93.184.216.34:25/",
    "https://93.184.216.34:22/", "https://93.184.216.34:99999/", "https://", "//93.184.216.34/", "", "https:///path",
    " https://93.184.216.34/", "https://93.184.216.34/a b", "https://93.184.216.34/\n", "https://93.184.216.34/#x",
    "https://exam\u0440le.test/", "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_it_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(AddressNotAllowedError):
        checked(url)


@pytest.mark.parametrize("url", ["https://93.184.216.34/hook?a=1", "https://93.184.216.34:8443/", "https://[2606:4700::1111]/"])
def test_a_public_address_is_taken(url: str) -> None:
    assert checked(url) == url


def test_an_operator_may_allow_a_host_or_a_network(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED = ["127.0.0.1", "10.1.0.0/16"]

    assert checked("http://127.0.0.1:9000/x") == "http://127.0.0.1:9000/x"
    assert checked("https://10.1.2.3/")
    for url in ("https://10.2.0.1/", "http://93.184.216.34/", "https://[::1]/"):
        with pytest.raises(AddressNotAllowedError):
            checked(url)


def test_one_bad_address_among_good_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: entries)

    with pytest.raises(AddressNotAllowedError, match=r"10\.0\.0\.1"):
        checked("https://rebinding.test/")


def test_a_name_that_turns_private_after_it_was_entered_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", rebinding)
    assert checked("https://rebinding.test/")

    with pytest.raises(AddressNotAllowedError):
        GuardedBackend().connect_tcp("rebinding.test", 443, timeout=1)
