"""Proposals and links on the pages of people and over REST."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Role, User
from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command
from apps.vendors.models import Attachment, Proposal, VendorLink
from tests.api.callers import caller
from tests.vendors.conftest import ORDER, Vendor, buy
from tests.world import World, person

DELAY: dict[str, Any] = {
    f"{name}_{line}": value for line in (800, 801) for name, value in (("says", "otherwise"), ("day1", "2026-12-05"))
}


@pytest.fixture
def browser(olga: User) -> Client:
    client = Client()
    client.force_login(olga)
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_proposal_is_found_where_people_look(world: World, vendor: Vendor, browser: Client) -> None:
    assert "caught up" in text_of(browser, "/proposals/")
    vendor.answers(**DELAY, note="Saw mill")
    proposal, case = Proposal.objects.get(), ExceptionCase.objects.get(type="purchase.supplier_delay")
    there = f'href="/proposals/{proposal.pk}/"'
    for address in ("/proposals/", f"/records/main/purchase.order/{ORDER}/", f"/exceptions/{case.pk}/"):
        shown = text_of(browser, address)
        assert there in shown and "2 lines change" in shown and "up to 7 d later" in shown and "To decide" in shown, address
    page = text_of(browser, f"/proposals/{proposal.pk}/")
    assert all(
        words in page for words in ("Desk 0", "10 , 2026-11-28", "10 , 2026-12-05", "“Saw mill”", "Push back", "Buy elsewhere")
    )
    assert re.search(r'data-name="vendors:proposals".*?rail-count">1<', text_of(browser, "/"))


def test_it_is_decided_on_its_page_with_what_was_seen(world: World, vendor: Vendor, browser: Client) -> None:
    vendor.answers(**DELAY)
    proposal = Proposal.objects.get()
    here = f"/proposals/{proposal.pk}/"
    stale = browser.post(f"{here}accept/", {"seen": proposal.version + 1})
    assert stale.status_code == 409 and "has changed since you loaded it" in stale.content.decode()
    assert browser.post(f"{here}push-back/", {"seen": proposal.version, "words": ""}).status_code == 409
    assert browser.get(f"{here}accept/").status_code == 405 and not Command.objects.exists()
    assert browser.post(f"{here}accept/", {"seen": proposal.version}).status_code == 302
    again = browser.post(f"{here}accept/", {"seen": proposal.version})
    assert again.status_code == 409 and "accepted already (Olga" in again.content.decode()
    assert "Set Desk 0: 10 to come on 2026-12-05" in text_of(browser, here)
    assert browser.post(f"{here}explode/", {"seen": 1}).status_code == 404


def test_a_file_is_saved_and_never_shown(world: World, vendor: Vendor, browser: Client) -> None:
    file = SimpleUploadedFile("Liefer'schein <x>.pdf", b"%PDF-1.7 <script>alert(1)</script>")
    vendor.answers(says_800="refused", reason_800="No wood", files=[file])
    stored, proposal = Attachment.objects.get(), Proposal.objects.get()
    answer = browser.get(f"/proposals/{proposal.pk}/files/{stored.pk}/")
    assert answer.content == b"%PDF-1.7 <script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer.headers["Content-Security-Policy"]
    assert stored.name in text_of(browser, f"/proposals/{proposal.pk}/")
    buy(world, 81)
    vendor.answers(81, says_810="refused", reason_810="No wood")
    other = Proposal.objects.get(order_id=81)
    assert browser.get(f"/proposals/{other.pk}/files/{stored.pk}/").status_code == 404
    assert Client().get(f"/proposals/{proposal.pk}/files/{stored.pk}/").status_code == 302


def test_a_link_is_made_on_the_orders_page_and_revoked_in_the_list(world: World, browser: Client) -> None:
    assert "Create vendor link" in text_of(browser, f"/records/main/purchase.order/{ORDER}/")
    browser.post(f"/vendor-links/main/{ORDER}/new/")
    link = VendorLink.objects.get()
    address = re.search(r'value="http[^"]+(/vendor/[^"]+)"', text_of(browser, "/vendor-links/"))
    assert address and Client().get(address[1]).status_code == 200
    aida = person("aida", Role.AUDITOR)
    reader = Client()
    reader.force_login(aida)
    assert "/vendor/" not in text_of(reader, "/vendor-links/")
    assert reader.post(f"/vendor-links/main/{ORDER}/new/").status_code == 403
    browser.post(f"/vendor-links/{link.pk}/revoke/")
    assert Client().get(address[1]).status_code == 410 and "No vendor has a link" in text_of(browser, "/vendor-links/")


def test_programs_read_decide_make_and_revoke(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**DELAY)
    call = caller("olga")
    (found,) = call.get("proposals/", status="open").json()["results"]
    assert (found["record"]["odoo_id"], found["vendor"], found["lines"][0]["old"]) == (
        ORDER,
        "Nordic Timber",
        {"quantity": "10", "day": "2026-11-28"},
    )
    assert found["lines"][0]["parts"] == [{"quantity": "10", "day": "2026-12-05"}]
    here = f"proposals/{found['id']}/"
    assert call.get(here).json() == found
    assert call.post(f"{here}accept/", {}).status_code == 400
    stale = call.post(f"{here}accept/", {"version": found["version"] + 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "proposal_move_refused")
    assert call.post(f"{here}buy-elsewhere/", {"version": found["version"], "options": ["1-1"]}).status_code == 409
    told = {"version": found["version"], "words": "Sooner"}
    assert call.post(f"{here}push-back/", told, key="one").json()["status"] == "pushed_back"
    assert call.post(f"{here}push-back/", told, key="one").json()["status"] == "pushed_back"
    assert VendorLink.objects.count() == 2

    made = call.post("vendor-links/", {"connection": "main", "order": ORDER, "days": 3, "message": "Please"})
    assert made.status_code == 201 and made.json()["vendor"] == "Nordic Timber"
    address = made.json()["address"].partition("/vendor/")[2]
    assert Client().get(f"/vendor/{address}").status_code == 200
    listed = {one["id"]: one for one in call.get("vendor-links/", partner=60).json()["results"]}
    assert listed[made.json()["id"]]["address"] == made.json()["address"]
    revoked = call.post(f"vendor-links/{made.json()['id']}/revoke/")
    assert revoked.json()["address"] == "" and revoked.json()["revoked_at"]
    assert call.post(f"vendor-links/{made.json()['id']}/revoke/").status_code == 409
    assert call.post("vendor-links/", {"connection": "main", "order": 9}).status_code == 409
    person("aida", Role.AUDITOR)
    reader = caller("aida")
    assert {one["address"] for one in reader.get("vendor-links/").json()["results"]} == {""}
    assert reader.post("vendor-links/", {"connection": "main", "order": ORDER}).status_code == 403


def test_its_page_says_what_accepting_it_would_do(world: World, vendor: Vendor, browser: Client) -> None:
    vendor.answers(says_800="otherwise", day1_800="2026-12-05", says_801="refused", reason_801="No wood")
    assert "No impact: no sales order" in text_of(browser, f"/proposals/{Proposal.objects.get().pk}/")
    world.order(42, state="sale", commitment_date="2026-11-30 12:00:00", name="S00042")
    world.write("sale.order.line", 420, order_id=42, product_id=30, product_uom_qty=5, qty_delivered=0, price_unit=10)
    world.write("stock.picking", 421, name="OUT", state="confirmed", sale_id=42, company_id=1, picking_type_code="outgoing")
    moved = {"product_id": 30, "product_uom_qty": 5, "quantity": 0, "company_id": 1}
    world.write("stock.move", 901, purchase_line_id=800, state="assigned", **moved)
    world.write("stock.move", 422, picking_id=421, sale_line_id=420, state="waiting", move_orig_ids=[901], **moved)
    page = text_of(browser, f"/proposals/{Proposal.objects.get().pk}/")
    assert "1 promise comes to be at risk" in page and "S00042" in page and "newly at risk" in page
    assert "Customers whose orders come later" not in page
    browser.post(f"/proposals/{Proposal.objects.get().pk}/accept/", {"seen": Proposal.objects.get().version})
    assert "Customers whose orders come later" in text_of(browser, f"/proposals/{Proposal.objects.get().pk}/")
