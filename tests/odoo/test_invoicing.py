"""Troubles of invoices in a real Odoo: each opened and closed by what accounting and time do there."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.core import clock
from apps.exceptions.models import ExceptionCase, Status
from apps.odoo.client import OdooClient
from apps.pipeline import change_processing
from apps.workflows.models import Position
from tests.odoo.seen import Worker
from tests.odoo.shop import Shop
from tests.odoo.test_returns import drafted, receive

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
NOT_INVOICED, DIFFERS, EXPOSURE = "invoice.delivered_not_invoiced", "invoice.differs", "invoice.overdue_exposure"


@pytest.fixture
def ada(odoo: OdooClient) -> Iterator[Worker]:
    """Does the accounts."""
    person = Worker(odoo, "account.group_account_invoice", "sales_team.group_sale_salesman_all_leads", "stock.group_stock_user")
    yield person
    person.leave()


def in_days(shop: Shop, days: float, order: int) -> dict[str, ExceptionCase]:
    """What is open about the order so many days from now, if nothing more happens in Odoo until then."""
    shop.look()
    while change_processing.reevaluate_due(now=clock.now() + timedelta(days=days)) == change_processing.LOOKED_AGAIN:
        pass
    found = ExceptionCase.objects.filter(model="sale.order", odoo_id=order).exclude(status=Status.RESOLVED)
    return {case.type: case for case in found}


def pay(ada: Worker, invoice: int) -> None:
    """Accounting registers the payment of the whole invoice."""
    context: dict[str, Any] = {"active_model": "account.move", "active_ids": [invoice]}
    wizard = ada.do("account.payment.register", "create", {}, context=context)
    ada.do("account.payment.register", "action_create_payments", [wizard], context=context)


def test_from_delivery_to_payment_each_trouble_is_named_until_it_is_over(shop: Shop, ada: Worker) -> None:
    crate = shop.storable(is_storable=False, invoice_policy="delivery")
    order = shop.sell(30, product=crate)
    receive(ada, shop.odoo.search("stock.picking", [("sale_id", "=", order)])[0])
    found = in_days(shop, 9, order)
    assert "order_to_cash.stuck" not in found
    evidence = found[NOT_INVOICED].evidence
    assert (evidence["uninvoiced_amount"], evidence["delivered_goods_quantity"], evidence["uninvoiced_days"]) == (
        "3000.00",
        "30",
        9,
    )
    assert found[NOT_INVOICED].team.slug == "finance"

    invoice = drafted(ada, order)
    assert NOT_INVOICED not in in_days(shop, 9, order)
    (line,) = ada.do("account.move", "read", [invoice], ["invoice_line_ids"])[0]["invoice_line_ids"]
    ada.do("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"quantity": 34})]})
    case = shop.cases("account.move", invoice)[DIFFERS]
    assert (case.amount, case.evidence["over_quantity"], case.evidence["delivered_quantity"]) == (Decimal("400.00"), "4", "30")
    ada.do("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"quantity": 30})]})
    assert DIFFERS not in shop.cases("account.move", invoice)

    today = clock.now().date()
    dates = {"invoice_date": str(today - timedelta(days=40)), "invoice_date_due": str(today - timedelta(days=10))}
    ada.do("account.move", "write", [invoice], {"invoice_payment_term_id": False, **dates})
    ada.do("account.move", "action_post", [invoice])
    case = shop.cases("account.move", invoice)[EXPOSURE]
    assert (case.amount, case.evidence["overdue_count"], case.evidence["commercial_name"]) == (
        Decimal("3000.00"),
        1,
        "Tower test customer",
    )
    pay(ada, invoice)
    assert EXPOSURE not in shop.cases("account.move", invoice)


def free_note(shop: Shop, total: float, kind: str = "out_refund") -> int:
    """A posted invoice or credit note of three weeks ago, that names no order and no other invoice."""
    day = (clock.now() - timedelta(days=20)).strftime("%Y-%m-%d")
    line = {"name": "Goodwill", "quantity": 1, "price_unit": total, "tax_ids": [(5, 0, 0)]}
    partner = shop.customer if kind.startswith("out") else shop.vendor
    values = {
        "move_type": kind,
        "partner_id": partner,
        "invoice_date": day,
        "invoice_date_due": day,
        "invoice_payment_term_id": False,
        "invoice_line_ids": [(0, 0, line)],
    }
    made = shop.make("account.move", values)
    shop.odoo.call("account.move", "action_post", [made])
    return made


def stands(shop: Shop, move: int) -> str:
    shop.look()
    return Position.objects.get(workflow="invoicing", odoo_id=move).stage


def test_a_free_credit_note_is_named_until_it_is_reconciled(shop: Shop) -> None:
    note, refund = free_note(shop, 700), free_note(shop, 500, "in_refund")
    found = shop.cases("account.move", note)
    assert (set(found), found["invoice.credit_for_nothing"].amount) == ({"invoice.credit_for_nothing"}, Decimal("700.00"))
    assert (stands(shop, note), stands(shop, refund), shop.cases("account.move", refund)) == ("to_settle", "to_settle", {})
    invoice = free_note(shop, 2_000, "out_invoice")
    exposure = shop.cases("account.move", invoice)[EXPOSURE]
    assert (exposure.amount, exposure.evidence["owed_total"]) == (Decimal("1300.00"), "1300.00")
    receivable = [("move_id", "in", [invoice, note]), ("account_id.account_type", "=", "asset_receivable")]
    shop.odoo.call("account.move.line", "reconcile", shop.odoo.search("account.move.line", receivable))
    assert (stands(shop, note), shop.cases("account.move", note)) == ("paid", {})
    assert (stands(shop, invoice), shop.cases("account.move", invoice)[EXPOSURE].amount) == ("overdue", Decimal("1300.00"))
