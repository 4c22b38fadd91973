"""Customers are told once, by a person or by a rule, and what was sent stands where people look."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.customers import rules, sending
from apps.customers.models import CustomerMessage, CustomerRule, DraftEdit, NewDate
from apps.exceptions.models import ExceptionCase
from apps.exceptions.queue.screens import timeline_of
from apps.outbox.models import Command
from apps.vendors.letters import LetterRefusedError
from apps.workflows import parameter_values
from tests.api.callers import caller
from tests.customers.conftest import CUSTOMER, ORDER, all_drafts, only, promised_later
from tests.trade import days
from tests.world import World, person


def send(world: World, by: User) -> CustomerMessage:
    draft = only()
    (sent,) = sending.send_all({draft.key: draft.version}, by=by, now=world.now)
    assert sent.message is not None, sent.refusal
    return sent.message


def test_one_message_stands_on_the_first_order_and_the_others_are_noted(world: World, olga: User) -> None:
    promised_later(world, olga, 42)
    promised_later(world, olga, 43, purchase_id=81)
    message = send(world, olga)
    write, note = Command.objects.filter(decision=message.decision).order_by("sequence")
    assert (write.method, write.odoo_id, write.arguments["partner_ids"]) == ("message_post", 42, [CUSTOMER])
    assert (note.method, note.odoo_id, write.lane) == ("message_post", 43, note.lane) and "partner_ids" not in note.arguments
    assert "S00042" in write.arguments["body"] and "S00043" in write.arguments["body"] and message.sent_by == "Olga"
    assert set(NewDate.objects.values_list("status", flat=True)) == {"sent"} and all_drafts() == []
    page = Client()
    page.force_login(olga)
    for order in (42, 43):
        assert Entry.objects.get(action="customer.told", subject=f"record:main:sale.order:{order}").data["message"] == message.pk
        assert "told the customer" in page.get(f"/records/main/sale.order/{order}/").content.decode()
    case = ExceptionCase.objects.get(type="purchase.supplier_delay", odoo_id=80)
    assert any(entry.what == "told the customer" and "S00042" in entry.quote for entry in timeline_of(case))


def test_what_was_sent_is_not_sent_again_and_another_date_is_told_against_it(world: World, olga: User) -> None:
    promised_later(world, olga)
    before = only()
    send(world, olga)
    (again,) = sending.send_all({before.key: before.version}, by=person("adam", Role.APPROVER), now=world.now)
    assert again.message is None and "told already" in again.refusal
    assert CustomerMessage.objects.count() == 1
    newer = Command.objects.get(method="write")
    newer.pk, newer.sequence = "0191f0f0-0000-7000-8000-000000000001", newer.sequence + 100
    newer.replaced = {"commitment_date": "2026-12-01T12:00:00+00:00"}
    newer.save(force_insert=True)
    world.write("sale.order", ORDER, commitment_date=days(world, 6))
    draft = only()
    assert draft.most_days_later == -2  # sooner than the customer was told


def test_who_was_told_a_promise_is_told_what_somebody_makes_of_it_in_odoo(world: World, olga: User) -> None:
    promised_later(world, olga)
    send(world, olga)
    world.write("sale.order", ORDER, commitment_date=days(world, 11))
    (told,) = only().told
    assert (told.days_later, told.new_date.decision, told.new_date.decided_by) == (3, "odoo", "Odoo")
    send(world, olga)
    world.write("sale.order", ORDER, client_order_ref="again")
    assert all_drafts() == []
    world.write("sale.order", ORDER, commitment_date=days(world, 12))
    assert only().told[0].days_later == 1


def test_a_draft_that_changed_is_not_sent_unseen(world: World, olga: User) -> None:
    promised_later(world, olga)
    seen = only()
    world.write("sale.order", ORDER, commitment_date=days(world, 11))
    (refused,) = sending.send_all({seen.key: seen.version}, by=olga, now=world.now)
    assert refused.message is None and "changed" in refused.refusal and not CustomerMessage.objects.exists()
    world.write("sale.order", ORDER, state="cancel")
    (refused,) = sending.send_all({seen.key: seen.version}, by=olga, now=world.now)
    assert "nothing to tell" in refused.refusal


def test_who_reads_only_sends_edits_and_dismisses_nothing(world: World, olga: User) -> None:
    promised_later(world, olga)
    draft, aida = only(), person("aida", Role.AUDITOR)
    with pytest.raises(NotAllowedError):
        sending.send_all({draft.key: draft.version}, by=aida, now=world.now)
    with pytest.raises(NotAllowedError):
        sending.edit(draft.key, draft.version, subject="A", body="B", by=aida, now=world.now)
    with pytest.raises(NotAllowedError):
        sending.dismiss(draft.key, draft.version, by=aida, now=world.now)


def test_own_words_are_sent_as_they_are_until_the_dates_change(world: World, olga: User) -> None:
    promised_later(world, olga)
    draft = only()
    with pytest.raises(LetterRefusedError):
        sending.edit(draft.key, draft.version, subject="Sorry", body=" ", by=olga, now=world.now)
    sending.edit(draft.key, draft.version, subject="Sorry", body="Late, {orders} <b>\n\nYours", by=olga, now=world.now)
    assert only().preview == ("Sorry", "<p>Late, {orders} &lt;b&gt;</p><p>Yours</p>")
    world.write("sale.order", ORDER, commitment_date=days(world, 11))
    assert only().edit is None and only().outdated is not None and only().text()[0] != "Sorry"
    world.write("sale.order", ORDER, commitment_date=days(world, 8))
    message = send(world, olga)
    assert (message.subject, DraftEdit.objects.count()) == ("Sorry", 0)
    # What a person wrote is no template of the command's either.
    assert "Late, {orders} &lt;b&gt;" in Command.objects.get(decision=message.decision).arguments["body"]


def test_a_dismissed_date_is_not_drafted_again(world: World, olga: User) -> None:
    promised_later(world, olga)
    draft = only()
    assert sending.dismiss(draft.key, draft.version, by=olga, now=world.now) == 1
    world.write("sale.order", ORDER, client_order_ref="again")
    assert all_drafts() == []
    # Nobody told the customer anything from here: what is changed in Odoo is none of the tower's.
    world.write("sale.order", ORDER, commitment_date=days(world, 11))
    assert all_drafts() == [] and NewDate.objects.get().status == "dismissed"


def test_a_rule_sends_within_its_limits_and_never_where_a_person_has_to_look(world: World, olga: User) -> None:
    mia = person("mia", Role.MANAGER, limit=10**6)
    promised_later(world, olga)

    def at(day: int, hour: int) -> int:
        world.now = datetime(2026, 11, day, hour, tzinfo=world.now.tzinfo)
        return sending.send_due(now=world.now)

    assert at(23, 13) == 0  # off by default
    with pytest.raises(NotAllowedError):
        rules.switch(world.connection, 1, CUSTOMER, sends=True, by=olga, now=world.now)
    with pytest.raises(rules.RuleRefusedError):
        rules.switch(world.connection, 2, CUSTOMER, sends=True, by=mia, now=world.now)
    rule = rules.switch(world.connection, 1, CUSTOMER, sends=True, by=mia, now=world.now)
    parameter_values.set_value("customer_later_days", 4, by=person("anna", Role.ADMIN), now=world.now)
    assert at(23, 14) == 0  # five days later is for a person
    parameter_values.set_value("customer_later_days", 5, by=User.objects.get(username="anna"), now=world.now)
    world.write("res.partner", CUSTOMER, email=False)
    assert at(23, 15) == 0  # nobody would get it
    world.write("res.partner", CUSTOMER, email="orders@azure.test")
    assert [at(23, 21), at(24, 7), at(24, 9), at(24, 10)] == [0, 0, 1, 0]
    message = CustomerMessage.objects.get()
    assert (message.rule, message.sent_by) == (rule, "Control Tower (customer rules)")
    assert Entry.objects.filter(action="customer.told", actor_name="Control Tower (customer rules)").exists()
    # Another order within the same day is beyond the limit of one message a day.
    promised_later(world, mia, 43, purchase_id=81)
    assert [at(24, 12), at(24, 17), at(25, 10)] == [0, 0, 1]
    rules.switch(world.connection, 1, CUSTOMER, sends=False, by=mia, now=world.now)
    promised_later(world, mia, 44, purchase_id=82)
    assert at(27, 10) == 0 and CustomerRule.objects.get().sends is False


def test_a_rule_waits_until_nothing_changes_any_more(world: World, olga: User) -> None:
    mia = person("mia", Role.MANAGER, limit=10**6)
    promised_later(world, olga)
    rules.switch(world.connection, 1, CUSTOMER, sends=True, by=mia, now=world.now)
    assert sending.send_due(now=world.now + timedelta(minutes=10)) == 0
    assert sending.send_due(now=world.now + timedelta(minutes=16)) == 1


def test_people_read_edit_send_and_dismiss_on_pages(world: World, olga: User) -> None:
    promised_later(world, olga, 42)
    promised_later(world, olga, 43, purchase_id=81, partner=51)
    browser = Client()
    browser.force_login(olga)
    page = browser.get("/customer-messages/").content.decode()
    assert "Azure Interior" in page and "Gemini" in page and "No e-mail address" in page
    first, second = sorted(all_drafts(), key=lambda draft: draft.customer.odoo_id)
    own = f"/customer-messages/{first.key}/"
    assert "orders@azure.test" in browser.get(own).content.decode()
    words = {"version": first.version, "subject": "Neuer Termin", "body": "Leider später"}
    tried = browser.post(own, {**words, "do": "preview"}).content.decode()
    assert "<p>Leider später</p>" in tried and not DraftEdit.objects.exists()
    assert browser.post(own, {**words, "body": "", "do": "save"}).status_code == 422
    assert browser.post(own, {**words, "do": "save"}).status_code == 302
    assert "edited by Olga" in browser.get("/customer-messages/").content.decode()
    for action in ("send", "save", "preview"):
        other = browser.post(own, {**words, "body": "Mine", "version": "other", "do": action})
        # The words of the draft as it is now stand in the form, and those of before beside it.
        assert (other.status_code, other.context["body"], other.context["unsent"]) == (409, "Leider später", "Mine")
        assert not CustomerMessage.objects.exists()
    browser.post("/customer-messages/send/", {"draft": [f"{first.key}:{first.version}"] * 2})
    assert CustomerMessage.objects.get().subject == "Neuer Termin"
    assert "Neuer Termin" in browser.get("/customer-messages/sent/").content.decode()
    browser.post(f"/customer-messages/{second.key}/", {"version": second.version, "do": "dismiss"})
    assert "There is nothing to tell customers." in browser.get("/customer-messages/").content.decode()
    assert browser.get(own, follow=True).status_code == 200
    assert browser.post("/customer-messages/send/", {}).status_code == 302
    browser.force_login(person("mia", Role.MANAGER, limit=10**6))
    browser.post(f"/customer-rules/main/1/{CUSTOMER}/", {"sends": "on"})
    assert "Azure Interior" in browser.get("/customer-rules/").content.decode() and CustomerRule.objects.get().sends
    assert browser.get("/letters/promise/de/").status_code == 200 and browser.get("/letters/other/de/").status_code == 404


def test_what_stands_on_the_page_is_sent_saved_before_or_not(world: World, olga: User) -> None:
    promised_later(world, olga)
    draft, browser = only(), Client()
    browser.force_login(olga)
    own, words = f"/customer-messages/{draft.key}/", {"version": draft.version, "do": "send"}
    assert browser.post(own, {**words, "subject": "Sorry", "body": ""}).status_code == 422
    browser.post(own, {**words, "subject": "Sorry", "body": "It comes later,\r\nI am afraid."})
    message = CustomerMessage.objects.get()
    assert (message.subject, message.body) == ("Sorry", "It comes later,\nI am afraid.")
    promised_later(world, olga, 43, purchase_id=81)
    draft = only()
    subject, body = draft.text()
    words = {"version": draft.version, "do": "send", "subject": subject, "body": body.replace("\n", "\r\n")}
    browser.post(f"/customer-messages/{draft.key}/", words)
    assert CustomerMessage.objects.latest("id").body == body
    assert Entry.objects.filter(action="customer.draft_edited").count() == 1


def test_the_api_does_the_same(world: World, olga: User) -> None:
    promised_later(world, olga)
    person("mia", Role.MANAGER, limit=10**6)
    call, rule = caller("olga"), {"connection": "main", "company": 1, "partner": CUSTOMER, "sends": True}
    (draft,) = call.get("customer-drafts/").json()["results"]
    (order,) = draft["orders"]
    assert (draft["customer"], order["day"], order["known_day"]) == ("Azure Interior", "2026-12-01", "2026-11-26")
    own = f"customer-drafts/{draft['key']}/"
    words = {"version": draft["version"], "subject": "S", "body": "B"}
    edited = call.client.put(f"/api/v1/{own}", words, "application/json").json()
    assert (edited["subject"], edited["edited_by"]) == ("S", "Olga")
    assert call.post(f"{own}send/", {"version": "old"}).status_code == 409
    sent = call.post(f"{own}send/", {"version": draft["version"]})
    assert (sent.status_code, sent.json()["orders"], sent.json()["is_by_rule"]) == (201, [ORDER], False)
    assert call.get(own).status_code == 404 and call.post(f"{own}dismiss/", {"version": "x"}).status_code == 404
    assert call.get("customer-messages/").json()["results"][0]["subject"] == "S"
    assert call.post("customer-rules/", rule).status_code == 403
    made = caller("mia", "admin").post("customer-rules/", rule)
    assert made.json()["sends"] is True and call.get("customer-rules/").json()["results"] == [made.json()]
