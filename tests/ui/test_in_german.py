"""The tower read in another language: pages, figures, scripts, messages; and what stays as it is stored."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import translation

from apps.accounts import languages
from apps.accounts.models import Role, User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.audit.models import Entry
from apps.core.templatetags import show
from apps.core.words import moment, money
from apps.exceptions.models import ExceptionCase
from apps.notifications.models import Notification
from apps.notifications.notify import Message, notify
from apps.outbox.models import Command
from tests.ui.reading import english_of
from tests.world import NOW, World, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> World:
    person("olga", Role.OPERATOR, team="finance")
    person("adam", Role.APPROVER, limit=50_000, team="finance")
    person("mia", Role.MANAGER, limit=250_000, team="finance")
    person("ivan", Role.INTEGRATOR)
    world = World()
    world.owes(1_000, due_days_ago=12)
    world.held_order(amount=6_200)
    return world


PAGES = [
    ("", "/accounts/login/"),
    ("", "/offline/"),
    ("adam", "/"),
    ("olga", "/"),
    ("ivan", "/"),
    ("adam", "/approvals/"),
    ("mia", "/approvals/policies/"),
    ("mia", "/approvals/policies/credit_override/"),
    ("mia", "/parameters/"),
    ("mia", "/parameters/purchase_limit/"),
    ("adam", "/approvals/away/"),
    ("adam", "/approvals/history/"),
    ("adam", "/approvals/{request}/"),
    ("olga", "/approvals/{request}/"),
    ("olga", "/exceptions/"),
    ("olga", "/exceptions/?group=type"),
    ("olga", "/exceptions/?status=resolved"),
    ("olga", "/exceptions/{case}/"),
    ("olga", "/exceptions/{case}/around/"),
    ("olga", "/customer-messages/"),
    ("olga", "/customer-messages/sent/"),
    ("mia", "/customer-rules/"),
    ("mia", "/letters/promise/de/"),
    ("mia", "/boards/"),
    ("mia", "/boards/order_to_cash/"),
    ("mia", "/boards/order_to_cash/credit_review/"),
    ("mia", "/boards/order_to_cash/flow/"),
    ("mia", "/boards/order_to_cash/outlook/"),
    ("mia", "/boards/order_to_cash/compare/?by=team"),
    ("mia", "/records/main/sale.order/42/"),
    ("mia", "/wall/"),
    ("olga", "/search/?q=s0"),
    ("olga", "/partners/main/50/"),
    ("olga", "/customers/main/50/"),
    ("olga", "/vendors/main/50/"),
    ("adam", "/notifications/choices/"),
    ("adam", "/in/nonsense/"),
    ("ivan", "/connections/"),
    ("ivan", "/connections/main/"),
    ("ivan", "/connections/add/"),
    ("ivan", "/health/"),
    ("mia", "/figures/"),
    ("ivan", "/health/deliveries/"),
    ("ivan", "/health/alerts/"),
    ("ivan", "/health/alerts/new/"),
    ("olga", "/events/"),
    ("mia", "/boards/nonsense/"),
]


def test_no_page_says_anything_in_english_to_who_reads_german(company: World) -> None:
    places = {"request": Request.objects.get().id, "case": ExceptionCase.objects.get(type="order.credit_hold").id}
    found = {}
    for name, path in PAGES:
        client = Client(headers={"accept-language": "de-DE,de;q=0.9,en;q=0.5"})
        if name:
            client.force_login(User.objects.get(username=name))
        answer = client.get(path.format(**places))
        html = answer.content.decode()
        assert answer.headers["Content-Language"] == "de", path
        assert 'lang="de"' in html or "<html" not in html, path
        if english := english_of(html):
            found[f"{path} ({name})"] = sorted(english)
    assert not found, "\n".join(f"{where}: {english}" for where, english in found.items())


def test_what_a_person_chose_comes_before_what_their_browser_asks_for(olga_operator: User) -> None:
    client = Client(headers={"accept-language": "fr"})
    client.force_login(olga_operator)
    assert client.get("/exceptions/").headers["Content-Language"] == "fr"

    client.post("/notifications/language/", {"language": "de", "next": "/exceptions/"})

    assert client.get("/exceptions/").headers["Content-Language"] == "de"
    assert Entry.objects.get(action="preferences.saved").data == {"language": "de"}
    client.post("/notifications/language/", {"language": "xx"})
    olga_operator.refresh_from_db()
    assert olga_operator.language == "de"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-AT,de;q=0.8", "de"), ("nl,fr;q=0.5", "fr"), ("nl", "en"), ("", "en"), ("*", "en"), ("en-GB,de;q=0.9", "en")],
)
def test_the_language_is_the_first_of_the_browsers_that_the_tower_speaks(accepted: str, language: str) -> None:
    assert languages.language_of(None, accepted) == language


def test_what_programs_read_is_english_whatever_they_accept(company: World) -> None:
    client = Client(headers={"accept-language": "de"})
    assert client.get("/api/v1/exceptions/").headers["Content-Language"] == "en"


def test_money_numbers_dates_and_spans_are_written_as_the_language_writes_them() -> None:
    at = datetime(2026, 3, 7, 17, 5, tzinfo=UTC)
    with translation.override("de"):
        assert show.number(Decimal("59512.5"), 2) == "59.512,50"
        assert "59.512,50" in show.money(Decimal("59512.5"), "EUR", 2)
        assert 'value="59512.5"' in show.money(Decimal("59512.5"), "EUR", 2)
        assert show.share(0.9996) == "99,9 %"
        assert show.brief_span(1.44) == "1,4 s"
        assert show.span(3 * 86400 + 4 * 3600) == "3 T 4 h"
        assert moment(at) == "7. Mär 2026, 17:05 UTC"
        assert money(Decimal("59512.5"), "EUR") == "59.512,50 EUR"
        assert "vor 2 h" in show.age(show.clock.now() - timedelta(hours=2), "ago")
    with translation.override("fr"):
        assert show.number(Decimal("59512.5"), 2) == "59\xa0512,50"
    assert money(Decimal("59512.5"), "EUR") == "59,512.50 EUR"


def test_a_drawing_keeps_its_points_where_a_comma_is_written_for_them(company: World) -> None:
    client = Client(headers={"accept-language": "de"})
    client.force_login(User.objects.get(username="mia"))
    for path in ("/boards/order_to_cash/", "/boards/order_to_cash/flow/", f"/approvals/{Request.objects.get().pk}/"):
        html = client.get(path).content.decode()
        assert not re.findall(r'\s(?:x|y|x1|x2|y1|y2|cx|cy|r|width|height)="\d+,\d', html), path


def test_the_scripts_have_their_words_in_the_pages_language_and_keep_them() -> None:
    with translation.override("de"):
        address = show.words_src()
    answer = Client().get(address)
    assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
    assert "noch %(span)s" in answer.content.decode()
    older = re.sub(r"\.\w+\.js$", ".000000000000.js", address)
    assert Client().get(older).headers["Cache-Control"] == "no-cache"
    assert Client().get(older.replace("/de.", "/xx.")).status_code == 404


def test_everybody_is_told_in_the_language_they_read(company: World) -> None:
    User.objects.filter(username="mia").update(language="fr")
    User.objects.filter(username="adam").update(language="de")
    people = User.objects.filter(username__in=["adam", "mia", "olga"])

    notify(
        Message(kind="approval.asked", key="one", about=None, title=lambda: translation.gettext("Your decision"), body="S00042"),
        people=people,
        now=NOW,
        addresses=["outside@nordlicht.test"],
    )

    told = {one.user.username if one.user else "": one.title for one in Notification.objects.filter(key="one")}
    assert told == {"adam": "Ihre Entscheidung", "mia": "Votre décision", "olga": "Your decision", "": "Your decision"}


def test_a_notification_is_read_in_the_language_of_its_reader_whichever_it_was_sent_in(company: World) -> None:
    notify(
        Message(kind="approval.asked", key="one", about=None, title=lambda: translation.gettext("Your decision"), body="S00042"),
        people=User.objects.filter(username="olga"),
        now=NOW,
    )
    client = Client(headers={"accept-language": "de"})
    client.force_login(User.objects.get(username="olga"))
    assert "Ihre Entscheidung" in client.get("/notifications/").content.decode()
    assert "Votre décision" in client.get("/notifications/", headers={"accept-language": "fr"}).content.decode()
    assert "Your decision" in client.get("/notifications/", headers={"accept-language": "en"}).content.decode()


def test_what_is_stored_or_sent_to_odoo_is_english_whoever_decides(company: World) -> None:
    request = Request.objects.get()
    with translation.override("de"):
        moves.approve(request.pk, by=User.objects.get(username="adam"), reason="In Ordnung", now=company.now)
    titles = list(Command.objects.filter(decision=f"approval:{request.pk}").values_list("title", flat=True))
    assert any(title.startswith("Release the order up to 6,200.00 EUR") for title in titles), titles
    with translation.override("de"):
        shown = render_to_string(
            "parts/commands.html", {"commands": Command.objects.filter(title="Confirm the order")}, RequestFactory().get("/")
        )
    assert "Auftrag bestätigen" in shown
