"""Limits, thresholds and bulk bounds have a currency, and what is not known passes none of them."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Role, User
from apps.approvals.models import Request
from apps.approvals.policies import limits, policy
from apps.approvals.policies.limits import Amount
from apps.approvals.requests import bulk, permissions
from apps.core.words import money
from apps.mirror import rates
from tests.world import NOW, World, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(world: World) -> World:
    """A euro company that knows what dinars, yen and dollars are worth; and one that counts in dinars, and knows no rate."""
    for number, (name, digits, rate) in enumerate([("KWD", 3, 0.34), ("JPY", 0, 160), ("USD", 2, 1.1)], start=2):
        world.write("res.currency", number, name=name, decimal_places=digits, active=True)
        world.write("res.currency.rate", number * 10, name="2026-11-01", currency_id=number, rate=rate)
    world.write("res.company", 2, name="Kuwait", currency_id=2, partner_id=1)
    return world


def amount(world: World, value: float | None, currency: str, company: int = 1) -> Amount:
    return Amount(
        value=None if value is None else Decimal(str(value)),
        currency=currency,
        connection_id=world.connection.pk,
        company_id=company,
        day=NOW.date(),
    )


def test_a_limit_covers_what_it_is_worth_in_its_own_currency(world: World) -> None:
    fifty = person("fifty", Role.APPROVER, limit=50_000)
    assert limits.currency_of(fifty) == "EUR"
    assert not limits.covers(fifty, amount(world, 49_000, "KWD", 2))
    assert limits.covers(fifty, amount(world, 17_000, "KWD", 2))
    assert limits.covers(fifty, amount(world, 60_000, "JPY"))
    assert not limits.covers(fifty, amount(world, 8_000_160, "JPY"))
    fifty.limit_currency = "JPY"
    assert not limits.covers(fifty, amount(world, 313, "EUR"))
    assert limits.covers(fifty, amount(world, 312, "EUR"))


def test_what_is_not_known_passes_no_limit(world: World) -> None:
    fifty, admin = person("fifty", Role.APPROVER, limit=50_000), User.objects.get(username="anna")
    for unknown in (amount(world, None, "EUR"), amount(world, 1, "XAU"), amount(world, 1, "")):
        assert not limits.covers(fifty, unknown)
        assert limits.covers(admin, unknown)
        steps: list[dict[str, Any]] = [{"name": "First"}, {"name": "Top", "from_amount": 1_000_000_000}]
        assert [step["name"] for step in policy.steps_for({"steps": steps}, unknown, {})] == ["First", "Top"]
        assert not policy.is_bulk_safe({"bulk": {"up_to_amount": 10**15}}, unknown, {})


def test_a_rate_is_the_latest_on_or_before_the_day_of_the_root_company_first(world: World) -> None:
    world.write("res.company", 3, name="Branch", currency_id=1, partner_id=1, parent_id=1)
    world.write("res.currency.rate", 90, name="2026-11-20", currency_id=4, rate=2, company_id=1)
    world.write("res.currency.rate", 91, name="2026-11-24", currency_id=4, rate=9, company_id=1)
    world.write("res.currency.rate", 92, name="2026-11-22", currency_id=4, rate=5)
    for company in (1, 3):
        assert rates.convert(Decimal(10), "EUR", "USD", connection_id=world.connection.pk, company_id=company, day=NOW.date()) == 20
    assert rates.convert(Decimal(10), "EUR", "GBP", connection_id=world.connection.pk, company_id=1, day=NOW.date()) is None
    assert rates.convert(Decimal(10), "GBP", "GBP", connection_id=world.connection.pk, company_id=1, day=NOW.date()) == 10


def test_steps_and_bulk_are_compared_in_the_currency_of_the_rule(world: World) -> None:
    rules = {
        "steps": [{"name": "First"}, {"name": "Top", "from_amount": 1_000, "currency": "USD"}],
        "bulk": {"up_to_amount": 500, "currency": "USD"},
    }
    asked = {value: [step["name"] for step in policy.steps_for(rules, amount(world, value, "KWD", 2), {})] for value in (309, 310)}
    assert asked == {309: ["First"], 310: ["First", "Top"]}
    assert policy.is_bulk_safe(rules, amount(world, 154, "KWD", 2), {})
    assert not policy.is_bulk_safe(rules, amount(world, 155, "KWD", 2), {})
    assert policy.why_step(rules, "Top", {}) == "from 1,000.00 USD"


def test_the_refusal_names_both_currencies_and_what_the_amount_comes_to(world: World) -> None:
    small = person("small", Role.APPROVER, limit=1_000)
    User.objects.filter(pk=small.pk).update(limit_currency="USD")
    world.held_order(amount=6_200)
    request = Request.objects.get()
    told = permissions.why_not(request, User.objects.get(pk=small.pk)) or ""
    assert "S00042 is for 6,200.00 EUR (6,820.00 USD); your limit is 1,000.00 USD" in told
    Request.objects.update(amount=None)
    assert "is for an unknown amount EUR; your limit" in (permissions.why_not(Request.objects.get(), small) or "")
    assert not bulk.is_safe(Request.objects.get())


def test_money_has_the_decimals_of_its_currency() -> None:
    assert [money(Decimal("1234.5"), code) for code in ("EUR", "JPY", "KWD")] == ["1,234.50 EUR", "1,234 JPY", "1,234.500 KWD"]


def test_a_person_is_made_with_a_limit_in_a_currency(world: World) -> None:
    call_command("create_user", "yuki", "--role", "approver", "--limit", "900000", "--limit-currency", "jpy")
    assert limits.limit_of(User.objects.get(username="yuki")) == "900,000 JPY"
    with pytest.raises(CommandError, match="A currency is the code"):
        call_command("create_user", "ken", "--role", "approver", "--limit", "9", "--limit-currency", "¥")
