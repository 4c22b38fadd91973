"""Amounts against limits, each with its currency. What is not known, or cannot be converted, passes no limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext, ngettext

from apps.accounts.models import Role, User
from apps.approvals.models import Request
from apps.approvals.policies import cumulation
from apps.core.words import money
from apps.mirror import rates

# The rules' word for the currency of an amount beside it.
CURRENCY = "currency"


@dataclass(frozen=True, kw_only=True)
class Amount:
    """An amount of a company of a connection, and the day whose rates count for it.

    Attributes:
        others, over_days: how many other records are within it, and of how many days (:mod:`apps.approvals.policies.cumulation`).
    """

    value: Decimal | None
    currency: str
    connection_id: int
    company_id: int | None
    day: date
    others: int = 0
    over_days: int = 0

    def in_currency(self, currency: str) -> Decimal | None:
        """Return the amount in ``currency``; None where it is not known, or no rate is."""
        if self.value is None or not currency:
            return None
        return rates.convert(
            self.value, self.currency, currency, connection_id=self.connection_id, company_id=self.company_id, day=self.day
        )

    def is_at_least(self, bound: Decimal, currency: str) -> bool:
        """Whether the amount reaches ``bound``; it does where that cannot be told, unless everything does."""
        converted = self.in_currency(currency)
        return bound <= 0 or converted is None or converted >= bound

    def is_at_most(self, bound: Decimal, currency: str) -> bool:
        """Whether the amount keeps within ``bound``; it does not where that cannot be told."""
        converted = self.in_currency(currency)
        return converted is not None and converted <= bound

    def text(self, currency: str = "") -> str:
        """Return the amount in words, and what it comes to in ``currency``, where that is another."""
        told = money(self.value, self.currency)
        if self.value is not None and currency not in ("", self.currency):
            converted = self.in_currency(currency)
            if converted is None:
                told = gettext("%(amount)s (no exchange rate to %(currency)s)") % {"amount": told, "currency": currency}
            else:
                told = gettext("%(amount)s (%(converted)s)") % {"amount": told, "converted": money(converted, currency)}
        if not self.others:
            return told
        return ngettext(
            "%(amount)s with %(others)s other within %(days)s days",
            "%(amount)s with %(others)s others within %(days)s days",
            self.others,
        ) % {"amount": told, "others": self.others, "days": self.over_days}


def amount_of(request: Request) -> Amount:
    """Return what is decided with the request, at the rates of the day on which it was asked.

    That is its own amount and, where its policy is cumulative, that of what counts together with it.
    """
    return with_others(request, *cumulation.others_of(request))


def with_others(request: Request, sum_of_others: Decimal, others: int, over_days: int = 0) -> Amount:
    """Return what is decided with the request where others of that sum count together with it."""
    return Amount(
        value=None if request.amount is None else request.amount + sum_of_others,
        currency=request.currency,
        connection_id=request.connection_id,
        company_id=request.company_id,
        day=request.requested_at.date(),
        others=others,
        over_days=over_days,
    )


def bound_of(rule: Mapping[str, Any], name: str) -> tuple[Decimal, str]:
    """Return a bound of a rule with its currency: the one beside it, else the default."""
    try:
        bound = Decimal(str(rule.get(name, 0)))
    except InvalidOperation:
        bound = Decimal(0)
    return bound, str(rule.get(CURRENCY) or rates.default_currency())


def currency_of(user: User) -> str:
    """Return the currency of the person's limit; asked for once a person, however many amounts are compared with it."""
    if not user.limit_currency:
        user.limit_currency = rates.default_currency()
    return user.limit_currency


def limit_of(user: User) -> str:
    """Return the person's limit in words."""
    return gettext("none") if user.approval_limit is None else money(user.approval_limit, currency_of(user))


def covers(user: User, amount: Amount) -> bool:
    """Whether the person's limit covers ``amount``. Administrators have none; no limit means nothing may be approved."""
    if user.role == Role.ADMIN:
        return True
    return user.approval_limit is not None and amount.is_at_most(user.approval_limit, currency_of(user))


def covers_number(user: User, value: Decimal) -> bool:
    """Whether the person's limit is at least ``value``, whatever the currency; for a tower that has read no company yet."""
    return user.role == Role.ADMIN or (user.approval_limit is not None and value <= user.approval_limit)
