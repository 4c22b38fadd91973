"""A limit that is set in the tower counts in Odoo's own guard, for the company that it is set for."""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.approvals.policies import guard_policy
from apps.core import clock
from apps.odoo.client import OdooClient
from apps.pipeline import parameter_changes
from apps.workflows import parameter_values
from apps.workflows.scopes import EVERYBODY, Scope
from tests.odoo.seen import Seen, Worker, carried_out
from tests.odoo.test_guards import BUYER
from tests.odoo.test_splitting import ordered, parts

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
__all__ = ["parts"]  # a fixture


def put(seen: Seen, mia: User, value: int | None, scope: Scope = EVERYBODY) -> None:
    """The limit is set, and Odoo has been told."""
    seen.look()
    parameter_values.set_value("purchase_limit", value, scope=scope, by=mia, now=clock.now())
    parameter_changes.apply_due(now=clock.now())
    carried_out(seen)
    seen.look()
    assert list(guard_policy.outdated()) == []


def test_a_limit_counts_in_the_guard_as_soon_as_it_is_set(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, parts: int
) -> None:
    buyer = hired(*BUYER)
    vendor = odoo.create("res.partner", {"name": "Limits & Co", "is_company": True})
    assert ordered(buyer, vendor, parts, 6_000)[1] == ""
    put(guarded, mia, 5_000)
    assert "is worth 6000.00 USD; from 5000 on an order needs an approval" in ordered(buyer, vendor, parts, 6_000)[1]
    put(guarded, mia, 7_000, Scope(connection=guarded.connection, company_id=1))
    assert ordered(buyer, vendor, parts, 6_000)[1] == ""
    assert "from 7000 on" in ordered(buyer, vendor, parts, 7_000)[1]
    put(guarded, mia, None, Scope(connection=guarded.connection, company_id=1))
    put(guarded, mia, None)
    assert ordered(buyer, vendor, parts, 9_000)[1] == ""
