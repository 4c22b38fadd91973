"""Amounts in other currencies, by Odoo's own rates as they are mirrored."""

import time
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db.models import Case, DecimalField, F, Q, Value, When
from django.db.models.functions import Coalesce, Round

from apps.mirror.models.res_company import Company
from apps.mirror.models.res_currency import Currency
from apps.mirror.models.res_currency_rate import CurrencyRate

DEFAULT = """
SELECT COALESCE((SELECT cu.name FROM mirror_res_company co
                   JOIN mirror_res_currency cu ON cu.connection_id = co.connection_id AND cu.odoo_id = co.currency_id
                  WHERE co.connection_id = c.id AND co.deleted_at IS NULL
                  ORDER BY co.odoo_id LIMIT 1), c.capabilities->>'currency')
  FROM odoo_connection c ORDER BY c.id LIMIT 1
"""

# How long it is kept what sums of each currency are worth, by day.
KEPT_SECONDS = 60.0
_kept: dict[date, tuple[float, dict[str, Decimal]]] = {}


def convert(amount: Decimal, source: str, target: str, *, connection_id: int, company_id: int | None, day: date) -> Decimal | None:
    """Return ``amount`` of the currency ``source`` in ``target``, not rounded; None where a rate is not known.

    As Odoo does it: the latest rate on or before ``day``, of the root company before one for all companies. Odoo takes 1 for
    a currency that has none; here only the one to which rates refer needs none: the company's own, or the only currency of
    any company that has none.
    """
    if source == target:
        return amount
    root = _root(connection_id, company_id)
    of_source, of_target = (_rate(name, connection_id, root, day) for name in (source, target))
    return amount / of_source * of_target if of_source and of_target else None


def default_currency() -> str:
    """Return the currency of limits that name none: that of the first company of the oldest connection; "" where none is read."""
    with database.cursor() as cursor:
        cursor.execute(DEFAULT)
        row = cursor.fetchone()
    return str(row[0]) if row and row[0] else ""


def ratios(*, day: date) -> dict[str, Decimal]:
    """Return what one of each currency that companies count in is worth in the default currency, which is left out.

    A currency whose rate is not known is left out too: its sums are compared as they are. Worked out once a minute and process:
    every page that is sorted by sums asks.
    """
    worked_out, found = _kept.get(day, (0.0, {}))
    if not worked_out or time.monotonic() - worked_out > KEPT_SECONDS:
        found = _ratios(day)
        _kept.clear()
        _kept[day] = (time.monotonic(), found)
    return found


def forget() -> None:
    """Have what was kept be worked out anew."""
    _kept.clear()


def _ratios(day: date) -> dict[str, Decimal]:
    default = default_currency()
    found: dict[str, Decimal] = {}
    for company in Company.objects.filter(deleted_at=None).order_by("connection_id", "odoo_id"):
        currency = Currency.objects.filter(connection_id=company.connection_id, odoo_id=company.currency_id).first()
        name = currency.name if currency else ""
        if not name or name == default or name in found:
            continue
        worth = convert(Decimal(1), name, default, connection_id=company.connection_id, company_id=company.odoo_id, day=day)
        if worth:
            found[name] = worth
    return found


def comparable(by: Any, *, day: date) -> Any:
    """Return what sums are sorted by: themselves, or their worth in the default currency where companies have several.

    Args:
        by: an expression of the sum, never null; beside it stands the column ``currency``. With one currency it stays as it is,
            so that an index on it holds.
    """
    worth = ratios(day=day)
    if not worth:
        return by
    sums = DecimalField(max_digits=40, decimal_places=2)
    times = Case(
        *(When(currency=name, then=Value(ratio)) for name, ratio in sorted(worth.items())),
        default=Value(Decimal(1)),
        output_field=DecimalField(max_digits=40, decimal_places=18),
    )
    return Coalesce(Round(by * times, 2, output_field=sums), Value(Decimal(0), output_field=sums))


def _root(connection_id: int, company_id: int | None) -> Company | None:
    companies = {one.odoo_id: one for one in Company.objects.filter(connection_id=connection_id, deleted_at=None)}
    company = companies.get(company_id or min(companies, default=0))
    for _ in companies:
        if company is None or not company.parent_id or company.parent_id not in companies:
            break
        company = companies[company.parent_id]
    return company


def _rate(name: str, connection_id: int, root: Company | None, day: date) -> Decimal | None:
    currency = Currency.objects.filter(connection_id=connection_id, name=name, deleted_at=None).first()
    if currency is None:
        return None
    seen = CurrencyRate.objects.filter(
        Q(company_id=None) | Q(company_id=root.odoo_id if root else None),
        connection_id=connection_id,
        name__lte=day,
        rate__gt=0,
        deleted_at=None,
    )
    rate: Decimal | None = (
        seen.filter(currency_id=currency.odoo_id)
        .order_by(F("company_id").asc(nulls_last=True), "-name")
        .values_list("rate", flat=True)
        .first()
    )
    if rate is not None or root is None:
        return rate
    own = set(Company.objects.filter(connection_id=connection_id, deleted_at=None).values_list("currency_id", flat=True)) - set(
        seen.values_list("currency_id", flat=True)
    )
    return Decimal(1) if currency.odoo_id == root.currency_id or own == {currency.odoo_id} else None
