"""Which addresses the tower calls."""

import socket

import pytest

from apps.odoo.addresses import checked_url, resolved, why_not
from apps.odoo.client import connect
from apps.odoo.errors import AddressRefusedError


@pytest.mark.parametrize(
    "url",
    ["ftp://erp.example.com", "file:///etc/passwd", "gopher://x", "erp.example.com", "", "http://", "http://a b",
     "http://user:secret@erp.example.com", "http://@erp.example.com", "http://erp.example.com:99999",
     "http://erp.example.com?db=x", "http://erp.example.com#x", "http://[::1", "http://x\n"[:8] + "\ny"],
)  # fmt: skip
def test_an_address_of_the_wrong_form_is_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError, match="'main'"):
        checked_url(url, connection="main")


def test_a_secret_in_the_address_is_not_repeated() -> None:
    with pytest.raises(AddressRefusedError) as refused:
        checked_url("http://user:secret@erp.example.com", connection="main")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://ERP.example.com/", "https://erp.example.com"),
        (" http://127.0.0.1:8069 ", "http://127.0.0.1:8069"),
        ("http://[::1]:8069/odoo/", "http://[::1]:8069/odoo"),
    ],
)
def test_an_address_of_the_right_form_is_kept_without_its_last_slash(given: str, kept: str) -> None:
    assert checked_url(given, connection="main") == kept


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "0.1.2.3",
     "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fd00:ec2::254", "100.100.100.200"],
)  # fmt: skip
def test_link_local_metadata_multicast_and_no_address_are_never_called(address: str) -> None:
    assert why_not(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.5", "192.168.1.9", "172.16.0.1", "fd12::1", "93.184.216.34"]
)
def test_loopback_private_and_public_addresses_are_called(address: str) -> None:
    assert why_not(address) is None


def test_other_ways_to_write_an_address_are_judged_by_what_they_are() -> None:
    assert resolved("0x7f.1", 80, connection="main") == ["127.0.0.1"]
    with pytest.raises(AddressRefusedError):
        resolved("0xa9fea9fe", 80, connection="main")


def test_a_name_is_judged_when_the_socket_is_opened(at, monkeypatch: pytest.MonkeyPatch) -> None:
    def rebinding(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(AddressRefusedError, match="metadata"):
        connect(at("http://erp.example.com"))
