"""The vendor's page: what it shows, what it takes, and all that it does not."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.core.log_filters import HideVendorLinks
from apps.events.models import OutsideEvent
from apps.exceptions.models import ExceptionCase
from apps.intake.models import Delivery
from apps.odoo.models import Connection
from apps.vendors.answers import uploads
from apps.vendors.links import moves, throttle, tokens
from apps.vendors.models import Answer, Attachment, VendorLink
from apps.workflows.models import Position
from tests.vendors.conftest import LINE, ORDER, VENDOR, Vendor, buy, worked_off
from tests.world import World, odoo_time, person


def kept() -> tuple[int, int]:
    return Answer.objects.count(), Delivery.objects.filter(source="vendor-page").count()


def test_it_shows_what_is_open_and_takes_that_all_comes_as_ordered(world: World, vendor: Vendor) -> None:
    assert "P00080" in vendor.opens(0) and "2 lines open" in vendor.opens(0)
    assert "Desk 0" in vendor.opens() and "Desk 1" in vendor.opens()
    assert Position.objects.get(odoo_id=ORDER, workflow="procure_to_pay").stage == "unacknowledged"

    vendor.answers(do="all")

    assert kept() == (1, 1)
    event = OutsideEvent.objects.get(source="vendor-page")
    assert (event.kind, event.status, event.odoo_id) == ("order_acknowledged", "matched", ORDER)
    assert Position.objects.get(odoo_id=ORDER, workflow="procure_to_pay").stage == "on_time"
    told = Entry.objects.get(action="vendor.answered")
    assert (told.actor_name, told.subject) == ("Nordic Timber", f"record:main:purchase.order:{ORDER}")
    assert [line["says"] for line in told.data["lines"]] == ["as_ordered", "as_ordered"]


def test_another_date_of_all_lines_is_a_delay_and_what_was_promised_again_is_none(world: World, vendor: Vendor) -> None:
    later = {
        f"{name}_{number}": value for number in (800, 801) for name, value in {"says": "otherwise", "day1": "2026-12-05"}.items()
    }
    vendor.answers(**later, note="Our saw mill is down")
    case = ExceptionCase.objects.get(type="purchase.supplier_delay")
    assert (case.status, case.evidence["said_late_days"], case.evidence["said_text"]) == ("open", 7, "Our saw mill is down")
    world.advance(minutes=5)
    vendor.answers(says_800="as_ordered")  # the other line still comes later
    case.refresh_from_db()
    assert case.status == "open"
    world.advance(minutes=5)
    vendor.answers(do="all")
    case.refresh_from_db()
    assert case.status == "resolved"


def test_what_is_late_cannot_come_as_ordered_and_is_answered_with_a_day(world: World, vendor: Vendor) -> None:
    buy(world, days=-2, lines=1)
    page = vendor.opens()
    assert "The date of 1 line has passed" in page and 'value="all"' not in page
    assert page.count('value="as_ordered"') == 1, "only the line of which the day is still to come"
    for form in (
        {"do": "all"},
        {f"says_{LINE}": "as_ordered"},
        {f"says_{LINE}": "otherwise", f"quantity1_{LINE}": "4"},
    ):
        answer = vendor.sends(**form)
        assert (answer.status_code, kept()) == (422, (0, 0))
        assert "The date has passed. Enter when it comes." in answer.text
    vendor.answers(**{f"says_{LINE}": "otherwise", f"day1_{LINE}": f"{world.now:%Y-%m-%d}"})
    assert kept() == (1, 1)


def test_looking_changes_nothing_whoever_looks(vendor: Vendor) -> None:
    form = vendor.form()
    for address in (vendor.path(), vendor.path(ORDER)):
        for method in ("get", "head"):
            for headers in (
                {},
                {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender"},
                {"User-Agent": "Slackbot-LinkExpanding"},
            ):
                assert getattr(vendor.client, method)(f"{address}?form={form}&do=all", headers=headers).status_code == 200
        for method in ("put", "delete", "patch", "options"):
            assert getattr(vendor.client, method)(address).status_code == 405
    assert vendor.client.post(vendor.path(), {"do": "all", "form": form}).status_code == 405
    assert kept() == (0, 0)


def test_only_a_form_of_the_page_is_taken(world: World, vendor: Vendor, link: VendorLink, olga: User) -> None:
    buy(world, 81)
    other = moves.create(world.connection, 81, by=olga, now=world.now)
    for form in ("", "made up", vendor.form(81), tokens.sign_form(other.pk, other, ORDER), tokens.token_of(link)):
        assert vendor.sends(form=form or "-", do="all").status_code == 409
    assert kept() == (0, 0)


def test_a_form_is_one_answer_however_often_it_is_sent(world: World, vendor: Vendor) -> None:
    form = vendor.form()
    first = vendor.sends(form=form, do="all")
    again = vendor.sends(form=form, do="all")
    assert (first.status_code, again.status_code) == (200, 200) and first.content == again.content
    assert kept() == (1, 1)
    changed = vendor.sends(form=form, says_800="refused", reason_800="No wood")
    assert changed.status_code == 409 and kept() == (1, 1)
    worked_off(world)
    assert OutsideEvent.objects.count() == 1


def test_a_link_that_is_tampered_with_is_not_found_and_says_nothing(world: World, vendor: Vendor, link: VendorLink) -> None:
    good = vendor.token
    unknown = tokens.token_of(VendorLink(partner_name="nobody"))
    bad = [
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good.swapcase(),
        link.pk.hex,
        "x",
        good + good,
        unknown,
        f"{link.pk.hex}.x",
        f"{link.pk.hex}:x",
    ]
    answers = [vendor.client.get(f"/vendor/{token}/") for token in bad]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert vendor.client.post(f"/vendor/{bad[0]}/orders/{ORDER}/", {"form": vendor.form(), "do": "all"}).status_code == 404
    assert kept() == (0, 0)


def test_a_link_expires_and_can_be_revoked(world: World, vendor: Vendor, link: VendorLink, olga: User) -> None:
    form = vendor.form()
    moves.revoke(link.pk, by=olga, now=world.now)
    assert vendor.client.get(vendor.path()).status_code == 410
    assert vendor.sends(form=form, do="all").status_code == 410
    with pytest.raises(moves.LinkRefusedError, match="Olga"):
        moves.revoke(link.pk, by=olga, now=world.now)
    assert set(Entry.objects.filter(action__startswith="vendor_link.").values_list("action", flat=True)) == {
        "vendor_link.created",
        "vendor_link.revoked",
    }
    VendorLink.objects.filter(pk=link.pk).update(revoked_at=None)
    assert vendor.client.get(vendor.path()).status_code == 200
    Connection.objects.update(is_active=False)
    assert vendor.client.get(vendor.path()).status_code == 410
    Connection.objects.update(is_active=True)
    world.advance(days=moves.DAYS)
    assert vendor.client.get(vendor.path()).status_code == 410 and vendor.sends(form=form, do="all").status_code == 410
    assert kept() == (0, 0)


def test_a_link_shows_the_orders_of_one_vendor_with_one_company_of_one_connection(world: World, vendor: Vendor) -> None:
    world.write("res.company", 2, name="Other company", currency_id=1, partner_id=1)
    world.write("res.partner", 70, name="Somebody else", commercial_partner_id=70, active=True)
    buy(world, 81, partner_id=70)
    buy(world, 82, company_id=2)
    buy(world, 83, state="draft")
    other = World("other")
    other.write("res.partner", VENDOR, name="Nordic Timber", commercial_partner_id=VENDOR, active=True)
    buy(other, 84, partner_id=VENDOR)
    form, shown = vendor.form(), vendor.opens(0)
    assert "P00080" in shown and not any(f"P000{number}" in shown for number in (81, 82, 83, 84))
    for number in (81, 82, 83, 84, 9):
        assert vendor.client.get(vendor.path(number)).status_code == 404
        assert vendor.sends(number, form=form, do="all").status_code == 404
    assert kept() == (0, 0)


def test_what_does_not_make_sense_is_said_beside_its_line_and_nothing_is_kept(vendor: Vendor) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "Say of at least one line": {},
        "Choose one of the answers": {"says_800": "maybe"},
        "Give a reason": {"says_800": "refused"},
        "Enter a date or a quantity": {"says_800": "otherwise"},
        "is no date": {"says_800": "otherwise", "day1_800": "soon"},
        "is past": {"says_800": "otherwise", "day1_800": "2026-11-01"},
        "is no quantity": {"says_800": "otherwise", "quantity1_800": "many"},
        "cannot be the quantity": {"says_800": "otherwise", "quantity1_800": "0"},
        "needs a quantity and a date": {"says_800": "otherwise", "day1_800": "2026-12-01", "quantity2_800": "4"},
        "same day": {"says_800": "otherwise", "day1_800": "2026-12-01", "quantity2_800": "4", "day2_800": "2026-12-01"},
    }
    for words, fields in wrong.items():
        answer = vendor.sends(says_801="as_ordered" if fields else "", **fields)
        assert answer.status_code == 422 and words in answer.content.decode(), words
    for number in ("NaN", "Infinity", "-4", "1e9", "0.0000001", "101"):
        assert vendor.sends(says_800="otherwise", quantity1_800=number).status_code == 422, number
    assert kept() == (0, 0)


def test_a_line_is_split_into_deliveries_and_a_comma_is_a_point(vendor: Vendor) -> None:
    vendor.answers(says_800="otherwise", quantity1_800="6,5", day1_800="2026-12-09", quantity2_800="3.5", day2_800="2026-12-01")
    (line,) = Answer.objects.get().content["lines"]
    assert line["parts"] == [{"quantity": "3.5", "day": "2026-12-01"}, {"quantity": "6.5", "day": "2026-12-09"}]


def test_a_date_says_another_date_though_nothing_was_chosen(vendor: Vendor) -> None:
    vendor.answers(day1_800="2026-12-05", quantity1_801=" ", reason_801="only a note")
    assert [(line["line"], line["says"]) for line in Answer.objects.get().content["lines"]] == [(800, "otherwise")]


def test_files_are_few_small_of_known_kinds_and_under_harmless_names(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    pdf = b"%PDF-1.7 delivery note"
    refused = [
        [SimpleUploadedFile("page.html", b"<script>alert(1)</script>")],
        [SimpleUploadedFile("picture.png", b"<svg onload=alert(1)>")],
        [SimpleUploadedFile("note.pdf.exe", pdf)],
        [SimpleUploadedFile("note.txt", b"a\0b")],
        [SimpleUploadedFile("empty.pdf", b"")],
        [SimpleUploadedFile(f"{number}.pdf", pdf) for number in range(4)],
    ]
    for files in refused:
        assert vendor.sends(says_800="as_ordered", files=files).status_code == 422
    with monkeypatch.context() as small:
        small.setattr(uploads, "LARGEST_FILE", 10)
        assert vendor.sends(says_800="as_ordered", files=[SimpleUploadedFile("note.pdf", pdf)]).status_code == 422
    assert kept() == (0, 0)

    names = ["../../etc/passwd <b>.pdf", "a.php.pdf", "Lieferschein Ä 1.PDF"]
    assert vendor.sends(says_800="as_ordered", files=[SimpleUploadedFile(name, pdf) for name in names]).status_code == 200
    stored = list(Attachment.objects.order_by("id").values_list("name", "content"))
    assert [bytes(content) for _, content in stored] == [pdf] * 3
    assert [name for name, _ in stored] == ["passwd _b_.pdf", "a_php.pdf", "Lieferschein Ä 1.pdf"]
    assert uploads.neutral('a\r\nb"; x=<i>/..\\C:\\\u202efdp.exe\0') == "_fdp.exe_"


def test_it_speaks_the_vendors_language_else_the_browsers(world: World, olga: User) -> None:
    german = moves.create(world.connection, ORDER, by=olga, now=world.now)
    assert german.language == "de"
    told = Vendor(german, world).client.get(Vendor(german, world).path(), headers={"Accept-Language": "fr"})
    assert '<html lang="de"' in told.content.decode()
    world.write("res.partner", VENDOR, name="Nordic Timber", commercial_partner_id=VENDOR, lang="ja_JP")
    unknown = moves.create(world.connection, ORDER, by=olga, now=world.now)
    told = Vendor(unknown, world).client.get(Vendor(unknown, world).path(), headers={"Accept-Language": "fr"})
    assert unknown.language == "" and '<html lang="fr"' in told.content.decode()


def test_the_address_is_remembered_by_nobody_and_told_to_no_other_site(vendor: Vendor) -> None:
    for answer in (vendor.client.get(vendor.path()), vendor.client.get("/vendor/none/"), vendor.sends(do="all")):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"] and "no-store" in answer.headers["Cache-Control"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert not answer.cookies and "<script" not in answer.content.decode()
    stored = [str(value) for row in VendorLink.objects.values_list() for value in row]
    assert not any(vendor.token in value or value in vendor.token.split(".")[1:] for value in stored)


def test_looks_guesses_and_answers_are_throttled(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    form = vendor.form()
    monkeypatch.setattr(throttle, "MOST_ANSWERS", 1)
    assert vendor.sends(form=form, do="all").status_code == 200
    assert vendor.sends(do="all").status_code == 429
    assert kept() == (1, 1)
    monkeypatch.setattr(throttle, "MOST_GUESSES", 2)
    stranger = Client(REMOTE_ADDR="198.51.100.7")
    answers = [stranger.get(f"/vendor/guess{number}/") for number in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 429, 429]
    assert answers[-1].headers["Retry-After"] == "60"
    # Who holds a link is let in, though somebody guesses from the same address: behind a proxy all have one.
    assert stranger.get(vendor.path()).status_code == 200
    monkeypatch.setattr(throttle, "MOST_LOOKS", 0)
    assert vendor.client.get(vendor.path()).status_code == 429


def test_an_order_that_was_received_or_cancelled_meanwhile_says_so(world: World, vendor: Vendor) -> None:
    form = vendor.form()
    for number in (LINE, LINE + 1):
        world.write("purchase.order.line", number, qty_received=10)
    received = vendor.sends(form=form, do="all")
    assert received.status_code == 409 and "has been received" in received.content.decode()
    assert "Nothing is open" in vendor.opens(0)
    world.write("purchase.order", ORDER, state="cancel")
    assert vendor.sends(form=form, do="all").status_code == 404
    assert kept() == (0, 0)


def test_five_hundred_lines_are_answered_page_by_page_or_all_at_once(world: World, vendor: Vendor) -> None:
    buy(world, 81, lines=500)
    first = vendor.opens(81)
    assert first.count("<fieldset") == 50 and "Confirm all 500 lines as ordered" in first and "Page 1 of 10" in first
    # A browser sends every field of the page, filled in or not.
    fields = {
        f"{name}_{line}": ""
        for line in range(1_260, 1_310)
        for name in ("reason", "quantity1", "day1", "quantity2", "day2", "quantity3", "day3")
    }
    assert vendor.sends(81, page=10, **fields | {"says_1309": "as_ordered"}).status_code == 200
    assert vendor.sends(81, do="all").status_code == 200
    assert [len(answer.content["lines"]) for answer in Answer.objects.order_by("id")] == [1, 500]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.INTEGRATOR])
def test_who_may_not_work_exceptions_makes_and_revokes_no_link(world: World, link: VendorLink, role: Role) -> None:
    somebody = person("ivan", role)
    with pytest.raises(NotAllowedError):
        moves.create(world.connection, ORDER, by=somebody, now=world.now)
    with pytest.raises(NotAllowedError):
        moves.revoke(link.pk, by=somebody, now=world.now)


def test_no_link_is_made_for_what_is_not_ordered_or_not_there(world: World, olga: User) -> None:
    buy(world, 85, state="draft")
    for number in (85, 9):
        with pytest.raises(moves.LinkRefusedError):
            moves.create(world.connection, number, by=olga, now=world.now)
    long = moves.create(world.connection, ORDER, by=olga, now=world.now, days=4_000)
    assert long.expires_at == world.now + timedelta(days=moves.MOST_DAYS)
    assert odoo_time(long.created_at) == odoo_time(world.now)


def test_no_log_has_the_address(vendor: Vendor) -> None:
    said = []
    for line in (f"Not Found: {vendor.path()}", f'"GET {vendor.path(ORDER)}?page=2 HTTP/1.1" 200'):
        record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "%s", (line,), None)
        assert HideVendorLinks().filter(record)
        said.append(record.getMessage())
    assert said == ["Not Found: /vendor/…/", f'"GET /vendor/…/orders/{ORDER}/?page=2 HTTP/1.1" 200']
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["addresses"]
