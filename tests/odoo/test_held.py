"""Who held a real order, from its confirmation to its payment, by Odoo's own moments."""

from itertools import pairwise

import pytest

from apps.boards.held import splitting
from apps.core import clock
from apps.workflows import registry
from apps.workflows.holders import Holder
from apps.workflows.models import OLDEST_FIRST, Transition
from tests.odoo.shop import Shop

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def deliver(shop: Shop, order: int) -> None:
    (picking,) = shop.odoo.search("stock.picking", [("sale_id", "=", order), ("state", "not in", ["done", "cancel"])])
    shop.odoo.call("stock.picking", "action_assign", [picking])
    shop.odoo.call("stock.picking", "button_validate", [picking])
    assert shop.odoo.read("stock.picking", [picking], ["state"])[0]["state"] == "done"


def invoice(shop: Shop, order: int) -> int:
    context = {"active_model": "sale.order", "active_ids": [order]}
    values = {"advance_payment_method": "delivered"}
    (wizard,) = shop.odoo.call("sale.advance.payment.inv", "create", vals_list=[values], context=context)
    shop.odoo.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    (made,) = shop.odoo.read("sale.order", [order], ["invoice_ids"])[0]["invoice_ids"]
    shop.odoo.call("account.move", "action_post", [made])
    return int(made)


def pay(shop: Shop, invoice_id: int) -> None:
    context = {"active_model": "account.move", "active_ids": [invoice_id]}
    (wizard,) = shop.odoo.call("account.payment.register", "create", vals_list=[{}], context=context)
    shop.odoo.call("account.payment.register", "action_create_payments", [wizard], context=context)


def test_an_orders_time_adds_up_from_its_confirmation_to_its_payment(shop: Shop) -> None:
    order = shop.sell(5)
    shop.look()
    shop.lay_in(shop.product, 5, shop.shelves()[0])
    shop.look()
    deliver(shop, order)
    shop.look()
    made = invoice(shop, order)
    shop.look()
    pay(shop, made)
    shop.look()

    moves = list(
        Transition.objects.filter(connection=shop.connection, workflow="order_to_cash", model="sale.order", odoo_id=order).order_by(
            *OLDEST_FIRST
        )
    )
    workflow = registry.workflows()["order_to_cash"]
    found = splitting.of_record(workflow, connection_id=shop.connection.pk, odoo_id=order, now=clock.now())

    stages = [move.to_stage for move in moves]
    assert stages[0] == "waiting_for_stock" and stages[-1] == "closed" and {"to_invoice", "unpaid"} <= set(stages)
    assert found is not None
    assert sum(part.seconds for part in found.parts) == found.whole
    assert found.whole == int(moves[-1].at.timestamp()) - int(moves[0].at.timestamp())
    spent: dict[tuple[Holder, str], int] = {}
    for move, following in pairwise(moves):
        stage = workflow.stage(move.to_stage)
        who = (stage.held_by.holder, stage.owner if stage.held_by.holder == Holder.US else "")
        spent[who] = spent.get(who, 0) + int(following.at.timestamp()) - int(move.at.timestamp())
    assert {(part.holder, part.team): part.seconds for part in found.parts} == {
        who: length for who, length in spent.items() if length
    }
