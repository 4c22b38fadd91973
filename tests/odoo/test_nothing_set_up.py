"""An Odoo in which nothing was set up: what is held is held in the tower alone, and decisions still reach it."""

import pytest

from apps.accounts.models import Role
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.core import clock
from apps.outbox.models import Command
from tests.odoo.calls import carried_out
from tests.odoo.shop import Shop
from tests.world import person

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def pending(model: str, record: int) -> Request:
    return Request.objects.get(model=model, odoo_id=record, status="pending")


def test_decisions_reach_an_odoo_in_which_nothing_was_set_up(shop: Shop) -> None:
    mia = person("mia", Role.MANAGER, limit=250_000, team="finance")
    assert not shop.connection.is_provisioned
    assert shop.connection.lacks("account.move", "x_ct_hold_reason")
    assert not shop.connection.lacks("account.move", "narration")
    limited = {"name": "Tower test customer", "is_company": True, "use_partner_credit_limit": True, "credit_limit": 500}
    customer = shop.make("res.partner", limited)
    line = {"product_id": shop.product, "product_uom_qty": 90, "price_unit": 100}
    order = shop.make("sale.order", {"partner_id": customer, "order_line": [(0, 0, line)]})
    asked = {"partner_id": customer, "move_type": "out_refund"}
    notes = [
        shop.make("account.move", asked | {"invoice_line_ids": [(0, 0, {"name": "Goodwill", "price_unit": price})]})
        for price in (640, 900)
    ]
    shop.look()
    # Nothing is written that could only be refused: there is no field to hold by.
    carried_out()
    assert not Command.objects.filter(method="write").exists()

    moves.approve(pending("account.move", notes[0]).pk, by=mia, reason="Broken on the way", now=clock.now())
    moves.reject(pending("account.move", notes[1]).pk, by=mia, reason="Nothing came back", now=clock.now())
    carried_out()
    shown = {row["id"]: row["state"] for row in shop.odoo.read("account.move", notes, ["state"])}
    assert shown == {notes[0]: "posted", notes[1]: "cancel"}
    shop.odoo.call("sale.order", "action_cancel", [order])
