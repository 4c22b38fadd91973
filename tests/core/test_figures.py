"""Figures: what a column is said to be decides how it is shown, and nothing else does."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.translation import gettext

from apps.core import figures, sentences
from apps.core.figures import Figure, Kind, Value


def value(kind: Kind, stored: Any, *, currency: str = "EUR", **beside: Any) -> Value:
    return figures.value_of("some_days_name", Figure("Overdue", kind), {"some_days_name": stored, **beside}, currency=currency)


@pytest.mark.parametrize(
    ("kind", "stored", "english", "german"),
    [
        (figures.money, "1234.5", "1,234.50 EUR", "1.234,50 EUR"),
        (figures.money, 0, "0.00 EUR", "0,00 EUR"),
        (figures.price, "0.125", "0.125 EUR", "0,125 EUR"),
        (figures.price, "3", "3.00 EUR", "3,00 EUR"),
        (figures.quantity, "1200.50", "1,200.5", "1.200,5"),
        (figures.count, 1200, "1,200", "1.200"),
        (figures.percent, "12.50", "12.5 %", "12,5 %"),
        (figures.days, 12, "12 d", "12 T"),
        (figures.hours, "-3", "-3 h", "-3 h"),
        (figures.moment, "2026-11-23T17:56:00+00:00", "23 Nov 2026, 17:56 UTC", "23. Nov 2026, 17:56 UTC"),
        (figures.day, "2026-11-23", "23 Nov 2026", "23. Nov 2026"),
        (figures.yes_no, True, "yes", "ja"),
        (figures.yes_no, False, "no", "nein"),
        (figures.text, "1200", "1200", "1200"),
        (figures.text, "2026-11-23T17:56:00+00:00", "2026-11-23T17:56:00+00:00", "2026-11-23T17:56:00+00:00"),
    ],
)
def test_a_value_is_said_as_what_it_is_declared_to_be(kind: Kind, stored: Any, english: str, german: str) -> None:
    with translation.override("en"):
        assert value(kind, stored).text == english
    with translation.override("de"):
        assert value(kind, stored).text == german


def test_what_does_not_fit_its_kind_is_said_as_it_was_stored() -> None:
    assert value(figures.money, "an old text").text == "an old text"
    assert value(figures.moment, "some day").text == "some day"
    assert value(figures.count, sentences.compose("{many:quantity} of them", {"many": 3})).text == "3 of them"


def test_a_unit_is_the_records_own_or_that_of_the_column_that_is_named() -> None:
    assert value(figures.money, "5", currency="JPY").text == "5 JPY"
    assert value(figures.money.unit_from("price_currency"), "5", price_currency="USD").text == "5.00 USD"
    assert value(figures.quantity.unit_from("unit_name"), "5", unit_name="Dozens").text == "5 Dozens"
    assert value(figures.quantity.unit_from("unit_name"), "5").text == "5"


def test_programs_read_name_label_value_and_unit() -> None:
    assert value(figures.money, "5.00").as_json() == {
        "name": "some_days_name",
        "label": "Overdue",
        "value": "5.00",
        "unit": "EUR",
    }
    with translation.override("de"):
        said = value(figures.text, sentences.compose("Open invoices", {})).as_json()
    assert (said["value"], said["unit"]) == ("Open invoices", None)
    assert [value(kind, 5).as_json()["unit"] for kind in (figures.days, figures.hours, figures.percent, figures.count)] == [
        "d",
        "h",
        "%",
        None,
    ]


def test_a_page_shows_the_exact_sum_and_the_readers_time_and_escapes_the_rest() -> None:
    drawn = Template("{% load show %}{% figure one %}")
    with translation.override("en"):
        assert '<data class="money" value="1234.567">1,234.57' in drawn.render(Context({"one": value(figures.money, "1234.567")}))
        at = drawn.render(Context({"one": value(figures.moment, datetime(2026, 11, 23, 17, 56, tzinfo=UTC))}))
        assert '<time datetime="2026-11-23T17:56:00Z">' in at
        assert drawn.render(Context({"one": value(figures.text, "<b>Desk</b>")})) == "&lt;b&gt;Desk&lt;/b&gt;"


def test_what_is_not_known_is_left_out_and_zero_is_not() -> None:
    declared = {"a": Figure("A", figures.count), "b": Figure("B", figures.text), "c": Figure("C", figures.yes_no)}
    found = figures.values_of(declared, {"a": 0, "b": "", "c": False, "d": 1}, currency="EUR")
    assert [(one.name, one.value) for one in found] == [("a", 0), ("c", False)]


def test_what_nothing_declares_any_more_is_text() -> None:
    stored = {"late_days": 5, "seen_at": "2026-11-23T17:56:00+00:00", "is_big": True}
    found = list(figures.values_of(figures.undeclared(stored), stored, currency="EUR"))
    assert [(one.title, one.text) for one in found] == [
        ("late days", "5"),
        ("seen at", "2026-11-23T17:56:00+00:00"),
        ("is big", "True"),
    ]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("Customer", 'Evidence: name has no figure. Write "name": Figure("Customer", text)'),
        (Figure("Customer", "monies"), "Evidence: the kind monies of name does not exist. There is: money, price, quantity"),  # type: ignore[arg-type]
        (Figure("Customer", Kind(name="weight")), "Evidence: the kind weight of name does not exist"),
        (Figure("Days", figures.days.unit_from("unit")), "Evidence: name takes its unit from unit, and days has none of its own"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_with_the_remedy(declared: Any, said: str) -> None:
    (problem,) = figures.problems("Evidence", {"name": declared})
    assert problem.startswith(said)


def test_a_number_is_one_by_its_kind_and_not_by_its_look() -> None:
    assert value(figures.count, "12").number == Decimal(12)
    assert value(figures.text, "12").number is None
    assert value(figures.count, "NaN").number is None


def test_data_are_said_as_they_are_and_words_in_the_readers_language() -> None:
    with translation.override("de"):
        assert gettext("Open") == "Offen"
        assert value(figures.text, "Open").text == "Open"
        assert value(figures.word, "Open").text == "Offen"
        assert value(figures.word, sentences.compose("Open", {})).text == "Offen"
        assert value(figures.text, sentences.compose("Open", {})).text == "Offen"
