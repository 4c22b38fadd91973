"""The tower's own mail server sends: once, or a person is asked; refused, away, slow, or with the worker killed meanwhile."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.core import live, session_locks
from apps.outbox.models import Command
from apps.vendors.follow_ups import drafts, sending
from apps.vendors.links import tokens
from apps.vendors.mail import addresses, moves, smtp
from apps.vendors.models import FollowUp, Mail, Proposal, VendorLink
from apps.vendors.proposals import moves as proposals
from apps.workflows import parameter_values
from tests.api.callers import caller
from tests.mail_server import HANGS_UP, SILENT, MailServer, serving, use
from tests.vendors.conftest import CONTACT, ORDER, VENDOR, Vendor, buy
from tests.world import World, odoo_time, person

WORKER = Path(__file__).with_name("mail_worker.py")


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with serving() as made:
        use(settings, made.port)
        yield made


@pytest.fixture
def owed(world: World, olga: User, server: MailServer) -> World:
    """A vendor with an address who owes an answer for two orders; messages leave by the tower's mail server."""
    world.write("res.partner", CONTACT, email="sales@nordic.test; Second <second@nordic.test>, no address")
    world.write("purchase.order", ORDER, date_approve=odoo_time(world.now - timedelta(days=4)))
    buy(world, 81, days=-2, acknowledged=True)
    parameter_values.set_value("messages_by_smtp", 1, by=person("anna", Role.ADMIN), now=world.now)
    return world


def follow_up(world: World, by: User) -> Mail:
    (draft,) = drafts.drafts(EVERYTHING)
    (sent,) = sending.send_all({draft.key: draft.version}, by=by, now=world.now)
    assert sent.message, sent.refusal
    return Mail.objects.get(decision=sent.message.decision)


def sends(world: World) -> int:
    return smtp.send_due(clock=lambda: world.now)


def parsed(text: str) -> EmailMessage:
    found = message_from_string(text, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_it_is_sent_once_in_the_vendors_language_and_noted_in_odoo(owed: World, olga: User, server: MailServer) -> None:
    mail = follow_up(owed, olga)
    assert not Command.objects.exists() and mail.status == "queued"
    assert (sends(owed), sends(owed)) == (1, 0)
    assert [recipient for recipient, _ in server.taken] == ["sales@nordic.test", "second@nordic.test"]
    message = parsed(server.taken[0][1])
    assert message["Subject"] == "Ihre offenen Bestellungen" and message["Content-Language"] == "de"
    assert message["Reply-To"] == "sofia@nordlicht.test" and message["Message-ID"] == f"<{mail.pk.hex}@localhost>"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    address = tokens.address_of(VendorLink.objects.get())
    assert text and address in text.get_content() and "P00080" in text.get_content() and "<p>" not in text.get_content()
    assert html and f'<a href="{address}">' in html.get_content() and '<html lang="de">' in html.get_content()

    mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.ended_at) == ("sent", 1, owed.now)
    whole, short = Command.objects.order_by("sequence")
    assert whole.lane == short.lane and {whole.odoo_id, short.odoo_id} == {ORDER, 81}
    assert "sales@nordic.test" in whole.arguments["body"] and "P00081" in whole.arguments["body"]
    assert whole.arguments["subtype_xmlid"] == "mail.mt_note" and "partner_ids" not in whole.arguments
    assert Entry.objects.get(action="mail.sent").data["subject"] == "Ihre offenen Bestellungen"


def test_odoo_sends_where_the_parameter_says_so_nobody_has_an_address_or_no_mail_server_is_set_up(
    owed: World, olga: User, settings: Any
) -> None:
    (draft,) = drafts.drafts(EVERYTHING)

    def by_odoo() -> bool:
        sending.send_all({draft.key: draft.version}, by=olga, now=owed.now)
        owed.now += timedelta(days=1)
        is_odoo = Command.objects.filter(arguments__has_key="partner_ids").exists() and not Mail.objects.exists()
        Command.objects.all().delete()
        Mail.objects.all().delete()
        return is_odoo

    assert not by_odoo()
    mailers = settings.MAILERS
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    assert by_odoo()
    settings.MAILERS = mailers
    owed.write("res.partner", CONTACT, email="none")
    assert by_odoo()
    owed.write("res.partner", CONTACT, email="sales@nordic.test")
    parameter_values.set_value("messages_by_smtp", 0, by=User.objects.get(username="anna"), now=owed.now)
    assert by_odoo()


def test_while_the_mail_server_is_away_it_waits_longer_each_time_and_is_sent_once_it_is_back(
    owed: World, olga: User, server: MailServer, settings: Any
) -> None:
    mail = follow_up(owed, olga)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        use(settings, taken.getsockname()[1])
        assert (sends(owed), sends(owed)) == (1, 0)
        mail.refresh_from_db()
        assert mail.status == "queued" and "does not work for us" in mail.problem and mail.not_before > owed.now
        owed.now += timedelta(hours=1)
        assert sends(owed) == 1
    use(settings, server.port)
    owed.now += timedelta(hours=1)
    assert sends(owed) == 1 and len(server.taken) == 2
    mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.problem) == ("sent", 3, "")


def test_after_a_day_without_a_mail_server_a_person_decides(owed: World, olga: User, server: MailServer, settings: Any) -> None:
    mail = follow_up(owed, olga)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        use(settings, taken.getsockname()[1])
        owed.now += timedelta(hours=25)
        sends(owed)
    mail.refresh_from_db()
    assert mail.status == "failed" and not Command.objects.exists()
    use(settings, server.port)
    assert sends(owed) == 0
    moves.send_again(mail.pk, by=olga, now=owed.now)
    assert sends(owed) == 1 and len(server.taken) == 2


@pytest.mark.parametrize("says", [{"RCPT": "450 later"}, {"DATA": "451 later"}])
def test_what_is_refused_for_now_is_tried_again(owed: World, olga: User, server: MailServer, says: dict[str, str]) -> None:
    mail = follow_up(owed, olga)
    server.says.update(says)
    sends(owed)
    mail.refresh_from_db()
    assert mail.status == "queued" and "later" in mail.problem and not server.taken
    server.says.clear()
    owed.now += timedelta(hours=1)
    assert sends(owed) == 1 and len(server.taken) == 2


@pytest.mark.parametrize("says", [{"RCPT": "550 there is none"}, {"DATA": "554 spam"}])
def test_what_is_refused_for_good_is_said_and_not_tried_again(
    owed: World, olga: User, server: MailServer, says: dict[str, str]
) -> None:
    mail = follow_up(owed, olga)
    server.says.update(says)
    sends(owed)
    mail.refresh_from_db()
    assert mail.status == "failed" and not Command.objects.exists()
    owed.now += timedelta(hours=1)
    assert sends(owed) == 0 and not server.taken
    browser = Client()
    browser.force_login(olga)
    page = browser.get("/mails/?status=failed").content.decode()
    assert "Nordic Timber" in page and next(iter(says.values())).split(" ", 1)[1] in page and "Send again" in page


def test_who_was_refused_among_others_is_named_and_written_to_alone_once_a_person_says_so(
    owed: World, olga: User, server: MailServer
) -> None:
    owed.write("res.partner", CONTACT, email="sales@nordic.test; nobody@nordic.test")
    mail = follow_up(owed, olga)
    sends(owed)
    mail.refresh_from_db()
    assert mail.status == "unsure" and not Command.objects.exists()
    assert (mail.problem, mail.reached) == ("nobody@nordic.test: 550 there is none", ["sales@nordic.test"])
    owed.now += timedelta(days=2)
    assert sends(owed) == 0
    browser = Client()
    browser.force_login(olga)
    page = " ".join(browser.get("/mails/").content.decode().split())
    assert "nobody@nordic.test: 550 there is none" in page and "sales@nordic.test has the message" in page

    Mail.objects.update(recipients=[["", "sales@nordic.test"], ["", "second@nordic.test"]])
    moves.send_again(mail.pk, by=olga, now=owed.now)
    assert sends(owed) == 1
    assert [recipient for recipient, _ in server.taken] == ["sales@nordic.test", "second@nordic.test"]
    mail.refresh_from_db()
    assert (mail.status, mail.problem) == ("sent", "")
    whole = Command.objects.order_by("sequence")[0]
    assert "sales@nordic.test, second@nordic.test" in whole.arguments["body"]


def test_of_who_was_refused_nothing_is_noted_where_a_person_leaves_it_at_that(owed: World, olga: User, server: MailServer) -> None:
    owed.write("res.partner", CONTACT, email="sales@nordic.test; nobody@nordic.test")
    mail = follow_up(owed, olga)
    sends(owed)
    moves.mark_sent(mail.pk, by=olga, now=owed.now)
    whole = Command.objects.order_by("sequence")[0]
    assert "sales@nordic.test" in whole.arguments["body"] and "nobody@nordic.test" not in whole.arguments["body"]


@pytest.mark.parametrize("says", [HANGS_UP, SILENT])
def test_a_lost_answer_is_no_second_message_but_a_question(
    owed: World, olga: User, server: MailServer, settings: Any, says: str
) -> None:
    use(settings, server.port, timeout=0.5)
    mail = follow_up(owed, olga)
    server.says["DATA"] = says
    sends(owed)
    mail.refresh_from_db()
    assert mail.status == "unsure" and len(server.taken) == 2 and not Command.objects.exists()
    owed.now += timedelta(days=2)
    assert sends(owed) == 0 and len(server.taken) == 2
    browser = Client()
    browser.force_login(olga)
    assert "Perhaps sent" in browser.get("/mails/").content.decode()
    assert "It was sent" in browser.get("/mails/").content.decode()
    assert browser.post(f"/mails/{mail.pk}/mark-sent/").status_code == 302
    mail.refresh_from_db()
    assert (mail.status, mail.ended_by) == ("sent", "Olga") and Command.objects.count() == 2
    assert sends(owed) == 0 and len(server.taken) == 2


def test_sent_again_by_a_person_it_keeps_its_message_id(owed: World, olga: User, server: MailServer) -> None:
    mail = follow_up(owed, olga)
    server.says["DATA"] = HANGS_UP
    sends(owed)
    server.says.clear()
    with pytest.raises(NotAllowedError):
        moves.send_again(mail.pk, by=person("aida", Role.AUDITOR), now=owed.now)
    moves.send_again(mail.pk, by=olga, now=owed.now)
    sends(owed)
    ids = {re.findall(r"^Message-ID: (.*)$", text, re.M | re.I)[0].strip() for _, text in server.taken}
    assert len(ids) == 1 and len(server.taken) == 4
    for move in (moves.send_again, moves.mark_sent, moves.cancel):
        with pytest.raises(moves.MailRefusedError):
            move(mail.pk, by=olga, now=owed.now)


def test_what_was_cancelled_before_it_was_begun_is_not_sent(owed: World, olga: User, server: MailServer) -> None:
    mail = follow_up(owed, olga)
    stranger = person("otto", Role.OPERATOR)
    User.objects.filter(pk=stranger.pk).update(sees=[f"{owed.connection.pk}:2"])
    stranger.refresh_from_db()
    with pytest.raises(moves.MailRefusedError):
        moves.cancel(mail.pk, by=stranger, now=owed.now)
    moves.cancel(mail.pk, by=olga, now=owed.now)
    assert sends(owed) == 0 and not server.taken and not Command.objects.exists()


def test_the_api_lists_and_decides(owed: World, olga: User, server: MailServer) -> None:
    mail = follow_up(owed, olga)
    server.says["DATA"] = HANGS_UP
    sends(owed)
    call = caller("olga")
    (listed,) = call.get("mails/?status=unsure").json()["results"]
    assert (listed["id"], listed["to"], listed["reply_to"]) == (str(mail.pk), "Nordic Timber", "sofia@nordlicht.test")
    assert listed["addresses"] == ["sales@nordic.test", "second@nordic.test"] and call.get("mails/?status=x").status_code == 400
    person("aida", Role.AUDITOR)
    assert caller("aida", "admin").post(f"mails/{mail.pk}/mark-sent/").status_code == 403
    assert call.post(f"mails/{mail.pk}/mark-sent/").json()["status"] == "sent"
    again = call.post(f"mails/{mail.pk}/cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "mail_move_refused")


def test_what_is_pushed_back_goes_the_same_way(owed: World, olga: User, server: MailServer, link: VendorLink) -> None:
    Vendor(link, owed).answers(says_800="otherwise", day1_800="2026-12-05")
    proposals.push_back(Proposal.objects.get().pk, words="Five by <Friday>", by=olga, now=owed.now)
    sends(owed)
    message = parsed(server.taken[0][1])
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert message["Subject"] == "P00080" and text and "Five by <Friday>" in text.get_content()
    assert html and "Five by &lt;Friday&gt;" in html.get_content() and "/vendor/" in html.get_content()
    assert Command.objects.get().arguments["subtype_xmlid"] == "mail.mt_note"


def test_names_that_would_write_headers_of_their_own_write_none(owed: World, olga: User, server: MailServer) -> None:
    owed.write("res.partner", VENDOR, name="Nordic\r\nBcc: victim@other.test", commercial_partner_id=VENDOR, lang="en_US")
    owed.write("res.partner", CONTACT, name='Eve "\r\nBcc: victim@other.test', email="sales@nordic.test")
    mail = follow_up(owed, olga)
    sends(owed)
    mail.refresh_from_db()
    assert mail.status == "sent", mail.problem
    assert {recipient for recipient, _ in server.taken} == {"sales@nordic.test"}
    assert parsed(server.taken[0][1])["Bcc"] is None


def test_without_the_buyers_address_it_is_answered_to_who_sent_it(owed: World, olga: User) -> None:
    User.objects.filter(pk=olga.pk).update(email="olga@nordlicht.test")
    here: tuple[Any, ...] = (owed.connection, "purchase.order", ORDER)
    assert addresses.reply_to(*here, olga.actor) == "sofia@nordlicht.test"
    owed.write("purchase.order", ORDER, user_id=False)
    assert addresses.reply_to(*here, olga.actor) == "olga@nordlicht.test"
    assert addresses.reply_to(*here, sending.BY_RULE) == ""


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_while_the_mail_server_has_it_leaves_a_question(
    owed: World, olga: User, server: MailServer, process_environment: dict[str, str]
) -> None:
    mail = follow_up(owed, olga)
    server.says["DATA"] = SILENT
    with worker(server, process_environment) as running:
        assert server.has_taken.wait(60)
        # As long as it is being sent nobody else takes it for lost.
        assert sends(owed) == 0
        running.send_signal(signal.SIGKILL)
        assert running.wait(60) == -signal.SIGKILL
    server.says.clear()
    mail.refresh_from_db()
    assert mail.status == "sending"
    until_given_back(mail)
    sends(owed)
    mail.refresh_from_db()
    assert mail.status == "unsure" and len(server.taken) == 2 and FollowUp.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_before_it_begins_has_done_nothing(
    owed: World, olga: User, server: MailServer, process_environment: dict[str, str]
) -> None:
    mail = follow_up(owed, olga)
    with worker(server, process_environment, "before it is begun") as running:
        assert running.wait(60) == -signal.SIGKILL
    until_given_back(mail)
    assert sends(owed) == 1 and len(server.taken) == 2
    mail.refresh_from_db()
    assert mail.status == "sent"


@contextmanager
def worker(server: MailServer, environment: dict[str, str], *step: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, which is ended with the block."""
    environment = environment | {"EMAIL_URL": f"smtp://127.0.0.1:{server.port}", "PYTHONPATH": "."}
    with subprocess.Popen([sys.executable, str(WORKER), *step], env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


def until_given_back(mail: Mail) -> None:
    """Wait until the database has noticed that the killed worker's session is over."""
    for _ in range(2_000):
        with session_locks.alone(str(mail.pk), of=smtp.MAILS_LOCKED) as is_alone:
            if is_alone:
                return
    raise AssertionError("The killed worker's session still holds its lock.")


def test_open_lists_fetch_themselves_when_a_draft_is_sent_and_when_its_mail_is(
    owed: World, olga: User, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: set[str] = set()
    monkeypatch.setattr(live, "announce", said.update)
    browser = Client()
    browser.force_login(olga)
    for address, topic in (("/mails/", "messages"), ("/follow-ups/", "messages queue")):
        assert f'<ct-live topic="{topic}" data-src="{address}?"' in browser.get(address).content.decode()
        fragment = browser.get(address, headers={"X-Fragment": "1"}).content.decode()
        assert "<h1>" in fragment and "<html" not in fragment
    follow_up(owed, olga)
    assert "messages" in said
    said.clear()
    sends(owed)
    assert "messages" in said
