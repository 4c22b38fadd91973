"""Sums are shown with the decimals of their currency: on pages, in messages, in sentences and over the API."""

from decimal import Decimal

import pytest

from apps.core import rest, sentences, words
from apps.core.currencies import digits_of
from apps.core.templatetags import show


@pytest.mark.parametrize(
    ("currency", "amount", "text", "plain"),
    [
        ("JPY", Decimal(60000), "60,000 JPY", "60000"),
        ("KWD", Decimal("1234.125"), "1,234.125 KWD", "1234.125"),
        ("EUR", Decimal("59512.5"), "59,512.50 EUR", "59512.50"),
        ("TND", Decimal("0.5"), "0.500 TND", "0.500"),
        ("", Decimal(7), "7.00", "7.00"),
    ],
)
def test_each_currency_has_its_own_decimals(currency: str, amount: Decimal, text: str, plain: str) -> None:
    assert words.money(amount, currency) == text
    assert rest.money(amount, currency) == plain
    sum_alone = text.removesuffix(currency).strip()
    assert f"{sum_alone}&nbsp;" in show.money(amount, currency, 2)
    assert show.sum_in(amount, currency) == show.price(amount, currency) == sum_alone
    said = sentences.said({"say": "{amount:money} {currency} over the limit", "amount": str(amount), "currency": currency})
    assert said.startswith(sum_alone)


def test_a_price_is_shown_as_fine_as_it_is() -> None:
    assert show.price(Decimal("0.0125"), "EUR") == "0.0125"
    assert show.price(Decimal("100.000000"), "EUR") == "100.00"
    assert show.price(None, "EUR") == show.UNKNOWN


def test_a_currency_that_nobody_knows_has_two() -> None:
    assert digits_of("XYZ") == digits_of(None) == 2
    assert digits_of("kwd") == 3
