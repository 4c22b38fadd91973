"""What is worked out in SQL, what Odoo was told and why something ended: said in the language of whoever reads it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import translation

from apps.accounts import people
from apps.accounts.models import Role, User
from apps.approvals import reasons
from apps.approvals.models import Request
from apps.approvals.requests import moves as approvals
from apps.audit.models import Entry
from apps.core import former_wording, sentences
from apps.exceptions.cases import applying
from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command, Status
from apps.pipeline import change_processing
from apps.workflows.sql_message import day, joined, say, those
from tests.trade import DESK, days, larger_company, purchase, sale
from tests.ui.reading import english_of
from tests.world import World, person

pytestmark = pytest.mark.django_db
EACH = pytest.mark.parametrize("language", ["de", "fr"])
IN_HALL, IN_ANNEX = 8, 9


@pytest.fixture
def world() -> World:
    """Desks that customers wait for; two warehouses, two vendors, and another product."""
    person("olga", Role.OPERATOR, team="warehouse")
    person("wanda", Role.APPROVER, limit=50_000, team="warehouse")
    person("mia", Role.MANAGER, limit=250_000)
    return larger_company()


def reader(name: str, language: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    client.post("/notifications/language/", {"language": language, "next": "/"})
    return client


def read(name: str, language: str, path: str) -> str:
    """A page as somebody sees it who reads that language; nothing on it is English."""
    answer = reader(name, language).get(path)
    assert (answer.status_code, answer.headers["Content-Language"]) == (200, language)
    html = answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").replace("&#x27;", "'").replace("&quot;", '"')
    assert english_of(html, language) == set(), path
    return html


def case_of(kind: str) -> ExceptionCase:
    return ExceptionCase.objects.filter(type=kind).latest("id")


def short_of_desks(world: World) -> None:
    """An order of 1,200 desks whose delivery is short, and a vendor who brings some of them late."""
    sale(world, 42, quantity=1_200, promised_in=3)
    purchase(world, quantity=1_000.5, expected_in=-2)


@EACH
def test_what_holds_a_record_up_is_said_on_its_page_and_beside_its_exception(world: World, language: str) -> None:
    short_of_desks(world)
    world.write("res.partner", 50, street="", city="", country_id=None)
    world.write("sale.order.line", 421, order_id=42, name="", product_uom_qty=1)
    said = {
        "de": [
            "Oak desk: 1.200 von 1.200 fehlen, davon 199,5 nicht bestellt",
            "Nordic Timber sollte 1.000,5 Oak desk bis 21.11.2026 liefern (die Bestellung für diesen Auftrag)",
            "Die Lieferadresse Azure Interior hat keine Straße, keinen Ort, kein Land",
            "Kein Produkt auf: eine Zeile ohne Text",
        ],
        "fr": [
            "Oak desk : il en manque 1 200 sur 1 200, dont 199,5 non commandés",
            "Nordic Timber devait livrer 1 000,5 Oak desk pour le 21/11/2026 (le bon de commande fournisseur pour cette commande)",
            "L'adresse de livraison Azure Interior n'a pas de rue, pas de ville, pas de pays",
            "Pas de produit sur : une ligne sans texte",
        ],
    }[language]
    for path in ("/records/main/sale.order/42/", f"/exceptions/{case_of('order.stock_shortage').pk}/around/"):
        html = read("olga", language, path)
        assert [text for text in said if text not in html] == [], path


@EACH
def test_the_suggested_actions_and_what_they_do_in_odoo_are_said(world: World, language: str) -> None:
    sale(world, 42, quantity=10, reserved=1)
    world.write("stock.move", 42, location_id=IN_HALL)
    world.write("stock.picking", 42, picking_type_id=1, state="assigned", company_id=1, partner_id=50)
    world.write("stock.quant", 9, product_id=DESK, location_id=IN_ANNEX, company_id=1, quantity=12.5, reserved_quantity=0)
    world.write("product.supplierinfo", 61, partner_id=61, product_tmpl_id=DESK * 10, price=1045, delay=7, currency_id=1)
    world.write("product.template", 300, name="Oak desk", categ_id=5, list_price=100, tracking="none", active=True)
    world.write("product.product", 30, product_tmpl_id=300, active=True)
    world.write("product.template", 320, name="Beech desk", categ_id=5, list_price=110, tracking="none", active=True)
    world.write("product.product", 32, product_tmpl_id=320, active=True)
    world.write("stock.quant", 932, product_id=32, location_id=IN_HALL, company_id=1, quantity=20)
    case = case_of("fulfilment.pick_shortage")
    html = read("olga", language, f"/exceptions/{case.pk}/")
    said = {
        "de": [
            "9 Oak desk aus Annex/Stock, 12,5 verfügbar",
            "9 Oak desk von Fjord Furniture zu 1.045,00 EUR, 7 Tage Lieferzeit",
            "9 Beech desk statt Oak desk auf S00042, 20 verfügbar",
            "9 Beech desk statt Oak desk auf S00042 setzen; dann ",
        ],
        "fr": [
            "9 Oak desk depuis Annex/Stock, 12,5 disponibles",
            "9 Oak desk chez Fjord Furniture à 1 045,00 EUR, 7 jours de délai",
            "9 Beech desk au lieu de Oak desk sur S00042, 20 disponibles",
            "Remplacer Oak desk par 9 Beech desk sur S00042 ; puis ",
        ],
    }[language]
    assert [text for text in said if text not in html] == []

    with translation.override(language):
        applying.apply(case.pk, action="buy_elsewhere", option="30-61", by=User.objects.get(username="olga"), now=world.now)
    note = Command.objects.get(decision__startswith="exception:", method="message_post")
    assert "asks for 9 Oak desk from Fjord Furniture at 1,045.00 EUR, 7 days to deliver" in note.arguments["body"]


@EACH
def test_what_an_exception_rests_on_is_said(world: World, language: str) -> None:
    sale(world, 42, quantity=10, reserved=1, promised_in=1, client_order_ref="PO 7")
    world.write("stock.move", 42, location_id=IN_HALL)
    world.write("stock.picking", 42, picking_type_id=11, state="assigned", company_id=1, partner_id=50)
    world.write("stock.quant", 9, product_id=DESK, location_id=IN_ANNEX, company_id=1, quantity=12.5, reserved_quantity=0)
    sale(world, 43, client_order_ref="PO 7", promised_in=1)
    purchase(world, currency_id=1, date_order=days(world, 0))
    world.write("product.supplierinfo", 60, partner_id=60, product_tmpl_id=DESK * 10, price=50, currency_id=1)
    world.write("purchase.order.line", 800, price_unit=60)
    world.advance(days=12)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass
    said = {
        "de": {
            "fulfilment.pick_shortage": ["Nicht genug vorhanden", "Oak desk: Annex 12,5", "zugesagt für 24.11.2026"],
            "order.possible_duplicate": ["dieselbe Kundenreferenz", "bestätigt"],
            "purchase.price_differs": ["der Preisliste des Lieferanten"],
            "order_to_cash.stuck": ["Bestätigt, wartet auf Bestand"],
        },
        "fr": {
            "fulfilment.pick_shortage": ["Stock insuffisant", "Oak desk : Annex 12,5", "promis pour le 24/11/2026"],
            "order.possible_duplicate": ["la même référence client", "confirmée"],
            "purchase.price_differs": ["le tarif du fournisseur"],
            "order_to_cash.stuck": [],
        },
    }[language]
    for kind, texts in said.items():
        html = read("olga", language, f"/exceptions/{case_of(kind).pk}/")
        assert [text for text in texts if text not in html] == [], kind
    opened = Entry.objects.get(action="exception.opened", subject=f"exception:{case_of('order.possible_duplicate').pk}")
    assert opened.data["evidence"]["duplicate_why"] == "the same customer reference"


@EACH
def test_what_can_be_chosen_what_waits_and_the_lines_are_said(world: World, language: str) -> None:
    for number, name, cost in ((3, "By road", 1_012), (4, "Express", 89)):
        world.write("delivery.carrier", number, name=name, active=True, delivery_type="fixed", fixed_price=cost)
    sale(world, 42, promised_in=-1, reserved=10)
    world.write("stock.picking", 42, state="assigned", scheduled_date=days(world, 2), carrier_id=3)
    html = read("olga", language, "/approvals/ask/main/sale.order/42/")
    assert {"de": "By road zu 1.012,00, wie geplant", "fr": "By road à 1 012,00, comme prévu"}[language] in html
    assert {"de": "Express zu 89,00", "fr": "Express à 89,00"}[language] in html

    request = approvals.ask(
        connection_id=world.connection.pk,
        kind="expedited_freight",
        model="sale.order",
        odoo_id=42,
        option="4",
        by=User.objects.get(username="olga"),
        reason="Eile",
        now=world.now,
    )
    for path in ("/approvals/", f"/approvals/{request.pk}/"):
        read("wanda", language, path)
    goods = read("olga", language, "/records/main/stock.picking/42/")
    assert {"de": "Teilweise verfügbar", "fr": "En partie disponible"}[language] in goods


@EACH
def test_the_titles_of_commands_are_said_with_their_figures(world: World, language: str) -> None:
    world.shows_exceptions()
    world.owes(1_000, due_days_ago=12)
    world.held_order(amount=6_200)
    request = Request.objects.get()
    approvals.approve(request.pk, by=User.objects.get(username="wanda"), reason="In Ordnung", now=world.now)
    release = Command.objects.get(title="Release the order up to 6,200.00 EUR")
    told = {"de": "Auftrag bis 6.200,00 EUR freigeben", "fr": "Libérer la commande jusqu'à 6 200,00 EUR"}[language]
    note = {"de": "Kreditsperre, Ausnahme", "fr": "Blocage crédit, exception"}[language]
    for path in (f"/approvals/{request.pk}/", "/records/main/sale.order/42/"):
        html = read("mia", language, path)
        assert told in html, path
    assert note in html

    # One that stopped, and what was not carried out because of it; and one that was kept before its values were.
    Command.objects.filter(pk=release.pk).update(status=Status.REFUSED, problem="Odoo says no", done_at=world.now)
    Command.objects.filter(title="Confirm the order").update(
        status=Status.CANCELLED, problem="“Release the order up to 6,200.00 EUR” was not carried out", says=None
    )
    html = reader("mia", language).get(f"/approvals/{request.pk}/").content.decode()
    assert {"de": "wurde nicht ausgeführt", "fr": "n&#x27;a pas été exécuté"}[language] in html
    assert {"de": "Auftrag bestätigen", "fr": "Confirmer la commande"}[language] in html


@EACH
def test_the_reasons_that_the_tower_gives_are_said(world: World, language: str) -> None:
    world.owes(1_000, due_days_ago=12)
    world.held_order(amount=6_200)
    request, case = Request.objects.get(), case_of("order.credit_hold")
    world.order(42, state="cancel")
    request.refresh_from_db()
    assert request.reason == "No longer needed: S00042 progressed in Odoo, or complies with the policy again"
    moved_on = {"de": "Nicht mehr nötig: S00042 ist in Odoo fortgeschritten", "fr": "Plus nécessaire : S00042 a avancé dans Odoo"}
    for path in (f"/approvals/{request.pk}/", "/approvals/history/", "/records/main/sale.order/42/"):
        assert moved_on[language] in read("mia", language, path), path
    ExceptionCase.objects.filter(pk=case.pk).update(resolution="The record was deleted in Odoo")
    deleted = {"de": "Der Datensatz wurde in Odoo gelöscht", "fr": "Le document a été supprimé dans Odoo"}[language]
    assert deleted in read("mia", language, f"/exceptions/{case.pk}/")


def test_programs_are_told_in_english_and_in_words(world: World) -> None:
    sale(world, 42, client_order_ref="PO 7")
    sale(world, 43, client_order_ref="PO 7")
    case = case_of("order.possible_duplicate")
    token = people.create_token(User.objects.get(username="olga"), scope="read", now=world.now)
    client = Client(headers={"accept-language": "de", "authorization": f"Bearer {token}"})
    assert client.get(f"/api/v1/exceptions/{case.pk}/").json()["evidence"]["duplicate_why"] == "the same customer reference"
    record = client.get("/api/v1/records/sale.order/42/").json()
    assert record["blockers"][0]["text"] == "Oak desk: 10 of 10 missing, none on order"


def test_what_was_kept_as_plain_text_is_shown_as_it_is(world: World) -> None:
    sale(world, 42, client_order_ref="PO 7")
    sale(world, 43, client_order_ref="PO 7")
    case = case_of("order.possible_duplicate")
    ExceptionCase.objects.filter(pk=case.pk).update(evidence={"duplicate_why": "of a rule before {this} one", "duplicate_of": "S1"})
    html = reader("olga", "de").get(f"/exceptions/{case.pk}/").content.decode()
    assert "of a rule before {this} one" in html


def test_a_sentence_is_said_with_its_values_in_each_language() -> None:
    short = {
        "say": "{product}: {missing:quantity} of {wanted:quantity} missing",
        "product": "50 % {oak}",
        "missing": 1234.5,
        "wanted": "2000.00",
    }
    late = {
        "say": "{vendor} was due to deliver {quantity:quantity} {product} by {day:day}",
        "vendor": {"say": "The vendor"},
        "quantity": 0,
        "product": "Lamp",
        "day": "2026-03-07",
    }
    unknown = {"say": "Set the expected arrival of {product_name} to {new_day:day}", "product_name": "12", "new_day": "soon"}
    assert sentences.said(unknown) == "Set the expected arrival of 12 to soon"
    several = {"each": [{"say": "Back-ordered"}, "VIP"], "by": "; "}
    asked = {"say": "Release the order up to {asked_value:money} {currency}", "asked_value": "59512.5", "currency": "EUR"}
    assert [sentences.said(one) for one in (short, late, several, asked, "as it is", None)] == [
        "50 % {oak}: 1234.5 of 2000 missing",
        "The vendor was due to deliver 0 Lamp by 2026-03-07",
        "Back-ordered; VIP",
        "Release the order up to 59,512.50 EUR",
        "as it is",
        "",
    ]
    with translation.override("de"):
        assert [sentences.said(one) for one in (short, late, several, asked, "as it is")] == [
            "50 % {oak}: 1.234,5 von 2.000 fehlen",
            "Der Lieferant sollte 0 Lamp bis 07.03.2026 liefern",
            "Im Rückstand; VIP",
            "Auftrag bis 59.512,50 EUR freigeben",
            "as it is",
        ]
        assert sentences.plain({"why": several, "count": 2, "deep": {"why": short}}) == {
            "why": "Back-ordered; VIP",
            "count": 2,
            "deep": {"why": "50 % {oak}: 1234.5 of 2000 missing"},
        }


def test_what_was_stored_in_an_earlier_wording_is_said_in_that_of_today() -> None:
    earlier = {
        "say": "{vendor} was to bring {quantity:quantity} {product} by {day:day}",
        "vendor": "Wood Corner",
        "quantity": 2,
        "product": "Lamp",
        "day": "2026-03-07",
    }
    assert sentences.said(earlier) == "Wood Corner was due to deliver 2 Lamp by 2026-03-07"
    with translation.override("de"):
        assert sentences.said(earlier) == "Wood Corner sollte 2 Lamp bis 07.03.2026 liefern"
    for old, new in former_wording.FORMER.items():
        assert set(sentences.names(old)) == set(sentences.names(new)), old
        assert new not in former_wording.FORMER, f"{old}: its wording of today is a former one itself"


def test_a_reason_is_told_again_by_the_template_that_it_was_made_from() -> None:
    with translation.override("de"):
        for kept in ("Not decided in time (Finance)", "Nobody answered in time (Finance)"):  # as it was worded before
            told = sentences.again(kept, "{person} is out of office", "Not decided in time ({step})")
            assert told == f"Nicht rechtzeitig entschieden ({translation.gettext('Finance')})"
        assert sentences.again("Nobody knows", "{person} is out of office") == "Nobody knows"
        assert sentences.again("", "{person} is out of office") == ""
        assert reasons.told(reasons.of_change(Decimal("6200"), Decimal("-12345.5"), "EUR")) == (
            "In Odoo geändert: vorher 6.200,00 EUR, jetzt -12.345,50 EUR"
        )
        assert reasons.told(reasons.of_change(Decimal(1), Decimal(1), "EUR")) == "Die Zahlen haben sich in Odoo geändert"
    assert reasons.of_change(Decimal("6200"), None, "EUR") == "Changed in Odoo: 6,200.00 EUR before, now an unknown amount EUR"


def found_by(statement: str, **values: Any) -> list[dict[str, Any]]:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return sentences.rows_of(cursor)


@pytest.fixture
def goods() -> Iterator[str]:
    yield """(VALUES ('Desk', 2.50, NULL, TIMESTAMPTZ '2026-03-07 23:30Z'), ('Lamp', 0, 'glass', NULL)) AS g(name, n, kind, at)"""


def test_sql_says_the_first_template_whose_condition_holds_with_what_it_names(goods: str) -> None:
    said = say(
        "{name} isn't 100 % there", when={"g.n > 0": "{n:quantity} {name} on {at:day}"}, name="g.name", n="g.n", at=day("g.at")
    )
    rows = found_by(f"SELECT {said} AS text, %(one)s AS one FROM {goods} ORDER BY g.name", one=1, connection=0)
    assert [row["text"] for row in rows] == [
        {"say": "{n:quantity} {name} on {at:day}", "n": 2.5, "name": "Desk", "at": "2026-03-07"},
        {"say": "{name} isn't 100 % there", "name": "Lamp"},
    ]
    with pytest.raises(KeyError):
        say("{name} and {other}", name="g.name")


def test_sql_says_several_in_a_row_and_nothing_where_there_are_none(goods: str) -> None:
    one, other = f"CASE WHEN g.n > 0 THEN {say('Back-ordered')} END", "to_jsonb(g.kind)"
    each = found_by(f"SELECT {joined(those(one, other), by='; ')} AS text FROM {goods} ORDER BY g.name", one=1)
    assert [sentences.said(row["text"]) for row in each] == ["Back-ordered", "glass"]
    none = found_by(
        f"SELECT {joined(those(one))} AS text, {joined('jsonb_agg(g.name)')} AS names FROM {goods}"
        " WHERE g.kind = 'glass' GROUP BY g.n",
        one=1,
    )
    assert (none[0]["text"], sentences.said(none[0]["names"])) == (None, "Lamp")
    assert found_by(f"SELECT {joined('jsonb_agg(g.name)')} AS names FROM {goods} WHERE g.n > 9", one=1) == [{"names": None}]
