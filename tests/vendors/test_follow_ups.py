"""Vendors who owe an answer or goods: one message each, sent once, by a person or a rule, until they answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, Team, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.exceptions.cases import actions, applying
from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command
from apps.timers.models import WorkingCalendar
from apps.vendors import letters
from apps.vendors.follow_ups import drafts, sending
from apps.vendors.links import tokens
from apps.vendors.models import FollowUp, Kind, VendorLink
from apps.workflows import parameter_values
from tests.api.callers import caller
from tests.vendors.conftest import CONTACT, ORDER, VENDOR, Vendor, buy
from tests.world import World, odoo_time, person


@pytest.fixture
def owed(world: World, olga: User) -> World:
    """One order that was not confirmed for three days, and one that is late; another vendor owes nothing."""
    world.write("purchase.order", ORDER, date_approve=odoo_time(world.now - timedelta(days=4)))
    buy(world, 81, days=-2, acknowledged=True)
    world.write("res.partner", 70, name="Somebody else", commercial_partner_id=70, active=True)
    buy(world, 82, partner_id=70)
    assert set(ExceptionCase.objects.values_list("type", flat=True)) == {drafts.UNCONFIRMED, drafts.LATE}
    return world


def only() -> drafts.Draft:
    (draft,) = drafts.drafts(EVERYTHING)
    return draft


def test_a_vendor_has_one_draft_with_all_its_orders_in_its_language(owed: World) -> None:
    draft = only()
    assert (draft.vendor.odoo_id, draft.language, draft.partner_ids) == (VENDOR, "de", [CONTACT])
    assert {one.order.odoo_id: one.is_late for one in draft.owed} == {ORDER: False, 81: True}
    subject, body = draft.preview
    assert subject == "Ihre offenen Bestellungen" and "P00080" in body and "P00081" in body and "/vendor/" not in body


def test_a_late_order_is_named_with_the_day_of_its_first_open_line(owed: World) -> None:
    def named() -> str:
        return next(line for line in only().preview[1].split("<") if "P00081" in line)

    first, second = owed.now - timedelta(days=6), owed.now - timedelta(days=2)
    owed.write("purchase.order", 81, date_planned=odoo_time(owed.now))
    owed.write("purchase.order.line", 810, date_planned=odoo_time(first))
    assert f"{first:%Y-%m-%d}" in named()
    owed.write("purchase.order.line", 810, qty_received=10)
    assert f"{second:%Y-%m-%d}" in named()


def test_it_is_sent_through_odoo_once_with_a_link_that_opens(owed: World, olga: User) -> None:
    draft = only()
    seen = {draft.key: draft.version}
    (sent,) = sending.send_all(seen, by=olga, now=owed.now)
    assert (sent.message and sent.message.order_ids == [ORDER, 81]) or sent.message.order_ids == [81, ORDER]
    write, note = Command.objects.order_by("sequence")
    assert (write.method, write.arguments["partner_ids"], write.lane) == ("message_post", [CONTACT], note.lane)
    assert {write.odoo_id, note.odoo_id} == {ORDER, 81} and "partner_ids" not in note.arguments
    link = VendorLink.objects.get()
    address = write.arguments["body"].partition('href="')[2].partition('"')[0]
    assert Client().get("/vendor/" + address.partition("/vendor/")[2]).status_code == 200 and link.language == "de"
    assert Entry.objects.get(action="follow_up.sent").data["orders"]

    owed.advance(hours=1)
    (again,) = sending.send_all(seen, by=person("adam", Role.APPROVER), now=owed.now)
    assert again.message is None and "Olga" in again.refusal
    assert Command.objects.count() == 2 and FollowUp.objects.count() == 1
    owed.advance(days=1)
    assert sending.send_all(seen, by=olga, now=owed.now)[0].message


def test_an_order_that_nobody_confirms_offers_to_write_to_the_vendor(owed: World, olga: User) -> None:
    case = ExceptionCase.objects.select_related("connection").get(type=drafts.UNCONFIRMED)
    (offer,) = [one for one in actions.offered(case, now=owed.now) if one.action.name == "follow_up"]
    (option,) = offer.options
    assert option.text == "Write to Nordic Timber about P00080, P00081"
    applying.apply(case.pk, action="follow_up", option=option.key, by=olga, now=owed.now)
    assert FollowUp.objects.count() == 1 and VendorLink.objects.count() == 1
    late = ExceptionCase.objects.select_related("connection").get(type=drafts.LATE)
    for one in (case, late):
        assert "follow_up" not in {offer.action.name for offer in actions.offered(one, now=owed.now)}


def test_an_answer_stops_it(owed: World, olga: User) -> None:
    key = only().key
    sending.send_all({key: only().version}, by=olga, now=owed.now)
    link = VendorLink.objects.get()
    VendorLink.objects.update(language="")
    vendor = Vendor(link, owed)
    owed.advance(minutes=5)
    vendor.answers(do="all")
    assert [one.order.odoo_id for one in only().owed] == [81]
    vendor.answers(81, says_810="otherwise", day1_810="2026-12-05", says_811="otherwise", day1_811="2026-12-05")
    assert drafts.drafts(EVERYTHING) == []
    (refused,) = sending.send_all({key: ""}, by=olga, now=owed.advance(days=2))
    assert refused.message is None and "owes nothing" in refused.refusal


@pytest.mark.parametrize("with_calendar", [False, True])
def test_a_rule_sends_after_working_days_in_working_hours_three_times_at_most(owed: World, with_calendar: bool) -> None:
    if with_calendar:
        team, _ = Team.objects.get_or_create(slug="purchasing", defaults={"name": "Purchasing"})
        hours = {day: [["09:00", "17:00"]] for day in "01234"}
        WorkingCalendar.objects.create(team=team, time_zone="UTC", hours=hours)
    assert sending.send_due(now=owed.now) == 0  # off by default
    parameter_values.set_value("vendor_follow_up_days", 2, by=person("anna", Role.ADMIN), now=owed.now)

    def at(day: int, hour: int) -> int:
        owed.now = datetime(2026, 11, day, hour, tzinfo=owed.now.tzinfo)
        return sending.send_due(now=owed.now)

    # Monday the 23rd it was found; the second working day after is Wednesday.
    assert [at(23, 12), at(24, 12), at(25, 7), at(25, 19), at(25, 12), at(25, 13), at(26, 12)] == [0, 0, 0, 0, 1, 0, 0]
    assert [at(27, 12), at(28, 12), at(30, 12)] == [1, 0, 0]
    owed.now = datetime(2026, 12, 1, 12, tzinfo=owed.now.tzinfo)
    assert sending.send_due(now=owed.now) == 1
    owed.now = datetime(2026, 12, 8, 12, tzinfo=owed.now.tzinfo)
    assert sending.send_due(now=owed.now) == 0
    assert set(FollowUp.objects.values_list("sent_by", flat=True)) == {"Control Tower (vendor follow-ups)"}


def test_people_choose_on_a_page_and_who_may_not_sends_nothing(owed: World, olga: User) -> None:
    browser = Client()
    browser.force_login(olga)
    page = browser.get("/follow-ups/").content.decode()
    assert "Nordic Timber" in page and "Somebody else" not in page and "Ihre offenen Bestellungen" in page
    assert browser.post("/follow-ups/send/", {}).status_code == 302 and not FollowUp.objects.exists()
    browser.post("/follow-ups/send/", {"draft": [f"{only().key}:{only().version}"] * 2})
    assert FollowUp.objects.get().sent_by == "Olga"
    with pytest.raises(NotAllowedError):
        sending.send_all({only().key: only().version}, by=person("aida", Role.AUDITOR), now=owed.now)
    stranger = person("otto", Role.OPERATOR)
    User.objects.filter(pk=stranger.pk).update(sees=[f"{owed.connection.pk}:2"])
    stranger.refresh_from_db()
    assert sending.send_all({only().key: only().version}, by=stranger, now=owed.now)[0].message is None


def test_the_words_are_written_per_language_with_a_preview(owed: World, olga: User) -> None:
    mia = person("mia", Role.MANAGER, limit=10**6)
    browser = Client()
    browser.force_login(mia)
    words = {"subject": "Bitte antworten, {vendor}", "body": "Offen bei {company}:\r\n\r\n{orders}\r\n\r\n<b>{link}</b>"}
    tried = browser.post("/letters/follow_up/de/", {**words, "do": "preview"})
    assert (
        tried.status_code == 200
        and "Bitte antworten, Nordic Timber" in tried.content.decode()
        and "&lt;b&gt;" in tried.content.decode()
    )
    assert letters.words_in(Kind.FOLLOW_UP, "de") == letters.own_words(Kind.FOLLOW_UP, "de")
    for wrong in ({"body": "no orders, no link"}, {"body": "{orders} {link} {password}"}, {"subject": ""}):
        assert browser.post("/letters/follow_up/de/", {**words, **wrong, "do": "save"}).status_code == 422
    assert browser.post("/letters/follow_up/de/", {**words, "do": "save"}).status_code == 302
    assert only().preview[0] == "Bitte antworten, Nordic Timber"
    browser.post("/letters/follow_up/de/", {"do": "reset"})
    assert letters.words_in(Kind.FOLLOW_UP, "de") == letters.own_words(Kind.FOLLOW_UP, "de")
    assert browser.get("/letters/follow_up/ja/").status_code == 404
    browser.force_login(olga)
    assert browser.post("/letters/follow_up/de/", {**words, "do": "save"}).status_code == 403


def test_a_draft_is_edited_with_the_link_and_sent_as_it_stands_on_the_page(owed: World, olga: User) -> None:
    browser, draft = Client(), only()
    browser.force_login(olga)
    own = f"/follow-ups/{draft.key}/"
    page = browser.get(own).content.decode()
    assert "{link}" in page and "P00080" in page and 'lang="de"' in page
    words = {"version": draft.version, "subject": "Where  is it?", "body": "Say so:\r\n<b>{link}</b>"}
    assert browser.post(own, {**words, "body": "no link", "do": "save"}).status_code == 422
    assert browser.post(own, {**words, "version": "old", "do": "save"}).status_code == 409
    assert "&lt;b&gt;" in browser.post(own, {**words, "do": "preview"}).content.decode() and only().edit is None
    assert browser.post(own, {**words, "do": "save"}).status_code == 302
    edited = only()
    assert edited.edit and edited.text() == ("Where is it?", "Say so:\n<b>{link}</b>")
    parameter_values.set_value("vendor_follow_up_days", 1, by=person("anna", Role.ADMIN), now=owed.now)
    owed.now = datetime(2026, 11, 25, 12, tzinfo=owed.now.tzinfo)
    assert sending.send_due(now=owed.now) == 0  # what a person has edited, a person sends
    assert browser.post(own, {**words, "do": "send"}).status_code == 302
    sent, link = FollowUp.objects.get(), VendorLink.objects.get()
    assert (sent.subject, sent.body) == ("Where is it?", "Say so:\n<b>{link}</b>")
    body = Command.objects.order_by("sequence")[0].arguments["body"]
    assert "&lt;b&gt;<a href=" in body and tokens.address_of(link) in body and tokens.address_of(link) not in sent.body
    assert only().edit is None
    assert browser.post(own, {"version": draft.version, "do": "send"}).status_code == 409
    assert FollowUp.objects.count() == 1


def test_what_a_person_wrote_holds_as_long_as_the_vendor_owes_the_same(owed: World, olga: User) -> None:
    draft = only()
    sending.edit(draft.key, draft.version, subject="S", body="{link}", by=olga, now=owed.now)
    owed.write("purchase.order.line", 810, date_planned=odoo_time(owed.now - timedelta(days=3)))
    moved = only()
    assert moved.edit is None and moved.outdated and moved.version != draft.version and moved.text()[0] != "S"
    browser = Client()
    browser.force_login(olga)
    assert "has changed since Olga edited" in browser.get(f"/follow-ups/{draft.key}/").content.decode()
    (refused,) = sending.send_all({draft.key: draft.version}, by=olga, now=owed.now)
    assert refused.message is None and "has changed" in refused.refusal


def test_a_dismissed_draft_is_gone_until_the_vendor_owes_something_else(owed: World, olga: User) -> None:
    draft = only()
    with pytest.raises(NotAllowedError):
        sending.dismiss(draft.key, draft.version, by=person("aida", Role.AUDITOR), now=owed.now)
    sending.dismiss(draft.key, draft.version, by=olga, now=owed.now)
    assert drafts.drafts(EVERYTHING) == [] and drafts.one(draft.key, EVERYTHING) is None
    parameter_values.set_value("vendor_follow_up_days", 1, by=person("anna", Role.ADMIN), now=owed.now)
    owed.now = datetime(2026, 11, 26, 12, tzinfo=owed.now.tzinfo)
    assert sending.send_due(now=owed.now) == 0
    late = ExceptionCase.objects.select_related("connection").get(type=drafts.LATE)
    assert "follow_up" not in {offer.action.name for offer in actions.offered(late, now=owed.now)}
    buy(owed, 83, days=-1, acknowledged=True)
    again = drafts.one(draft.key, EVERYTHING)
    assert again and {one.order.odoo_id for one in again.owed} == {ORDER, 81, 83} and again.outdated is None
    assert Entry.objects.filter(action="follow_up.dismissed").count() == 1


def test_the_api_does_the_same(owed: World, olga: User) -> None:
    call = caller("olga")
    (draft,) = call.get("follow-up-drafts/").json()["results"]
    late = {one["record"]["odoo_id"]: one["is_late"] for one in draft["orders"]}
    assert (draft["vendor"], draft["language"], late) == ("Nordic Timber", "de", {ORDER: False, 81: True})
    own, seen = f"follow-up-drafts/{draft['key']}/", {"version": draft["version"]}
    assert call.get(own).json() == draft and call.get("follow-up-drafts/1-1-999/").status_code == 404

    def edit(**words: str) -> Any:
        return call.client.put(f"/api/v1/{own}", {**seen, "subject": "S", **words}, "application/json")

    refused = edit(body="no link")
    assert (refused.status_code, refused.json()["code"]) == (422, "letter_invalid")
    edited = edit(body="See {link}").json()
    assert (edited["subject"], edited["edited_by"], edited["version"]) == ("S", "Olga", draft["version"])
    assert call.post(f"{own}send/", {"version": "old"}).json()["code"] == "follow_up_refused"
    many = {"drafts": [{"key": draft["key"], **seen}, {"key": "1-1-999", "version": "x"}]}
    sent, none = call.post("follow-up-drafts/send/", many).json()["results"]
    assert (sent["sent"]["body"], sent["refusal"], none["sent"]) == ("See {link}", "", None) and none["refusal"]
    assert call.post(f"{own}send/", seen).status_code == 409 and FollowUp.objects.count() == 1
    (listed,) = call.get("follow-ups/?partner=60").json()["results"]
    assert listed == sent["sent"] and call.get("follow-ups/?partner=61").json()["results"] == []
    person("aida", Role.AUDITOR)
    assert caller("aida", "admin").post(f"{own}dismiss/", seen).status_code == 403
    assert call.post(f"{own}dismiss/", seen).status_code == 204 and call.get(own).status_code == 404
    assert call.post("follow-up-drafts/send/", {"drafts": []}).status_code == 400


def test_a_repeated_call_sends_once(owed: World, olga: User) -> None:
    call, draft = caller("olga"), only()
    own, seen = f"follow-up-drafts/{draft.key}/send/", {"version": draft.version}
    first, again = (call.post(own, seen, key="once") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
    assert FollowUp.objects.count() == 1
