"""Contacts that are merged in a real Odoo, which rewrites every reference to them in the database, without a date."""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.core import clock
from apps.intake import refresh_requests
from apps.mirror import references, registry
from apps.mirror.declare import Many2one
from apps.mirror.models.res_partner import Partner
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.client import OdooClient
from apps.pipeline import batch
from apps.workflows.models import Position
from tests.odoo.seen import Seen, Worker, refusal
from tests.odoo.test_guards import SELLER, asked, customer, decide, desk, pending, quoted, state

__all__ = ["desk"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def merged(seen: Seen, odoo: OdooClient, gone: int, kept: int) -> None:
    """Merge two contacts as *Contacts, Action, Merge* does; the tower is told of the one that is gone."""
    values = {"partner_ids": [(6, 0, [gone, kept])], "dst_partner_id": kept, "state": "selection"}
    wizard = odoo.create("base.partner.merge.automatic.wizard", values)
    odoo.call("base.partner.merge.automatic.wizard", "action_merge", [wizard])
    assert odoo.search("res.partner", [("id", "=", gone)]) == []
    seen.look()
    assert Partner.objects.get(odoo_id=gone).deleted_at is None
    refresh_requests.add(connection_id=seen.connection.pk, model="res.partner", odoo_ids=[gone], source="odoo", now=clock.now())
    while batch.process(clock=clock.now):
        pass


def test_a_merged_customer_takes_orders_exposure_and_the_pending_request_along(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    gone, kept = customer(odoo, 1_000, name="Twice Ltd"), customer(odoo, 2_000, name="Once Ltd")
    running = quoted(seller, gone, desk, 9)
    assert refusal(seller, "sale.order", "action_confirm", running) == ""
    order = quoted(seller, gone, desk, 18)
    assert "above its credit limit of 1000.00" in refusal(seller, "sale.order", "action_confirm", order)
    guarded.look()
    request = pending(order, "credit_override")
    assert request.partner_name == "Twice Ltd"

    merged(guarded, odoo, gone, kept)
    for one in (running, order):
        assert SaleOrder.objects.get(odoo_id=one).partner_id == kept
        assert Position.objects.get(odoo_id=one, workflow="order_to_cash").partner_id == kept
    guarded.look()
    request = pending(order, "credit_override")
    assert (request.partner_name, request.context["credit_limit"], request.context["exposure"]) == (
        "Once Ltd",
        "2000.00",
        "2700.00",
    )
    decide(guarded, order, "credit_override", mia, yes=True)
    assert state(odoo, order) == "sale"
    assert asked(odoo, order)[0]["x_state"] == "approved"


def test_the_columns_point_where_the_tower_believes(guarded: Seen, odoo: OdooClient) -> None:
    for name, model in registry.models().items():
        if guarded.connection.lacks(name):
            continue
        relations = odoo.call(name, "fields_get", attributes=["relation"])
        for column in model._meta.concrete_fields:
            target = references.target_of(model, column.name) if isinstance(column, Many2one) else ""
            if target and column.name in relations:
                assert relations[column.name]["relation"] == target, (name, column.name)
            elif column.name in relations and isinstance(column, Many2one):
                assert relations[column.name].get("relation") not in {"res.partner", "product.product"}, (name, column.name)


def test_a_release_and_a_rejection_follow_the_merge(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    gone, kept = customer(odoo, 1_000, name="Twice & Co"), customer(odoo, 1_100, name="Once & Co")
    released, changed_later, rejected = (quoted(seller, gone, desk, 18) for _ in range(3))
    for order in (changed_later, rejected):
        assert "above its credit limit" in refusal(seller, "sale.order", "action_confirm", order)
        decide(guarded, order, "credit_override", mia, yes=order == changed_later)
    assert state(odoo, changed_later) == "sale"
    # What was agreed to is 1,800, of which a part is taken off before the merge.
    line = odoo.search("sale.order.line", [("order_id", "=", changed_later)])[0]
    fewer = {"order_line": [(1, line, {"product_uom_qty": 12})]}
    assert refusal(seller, "sale.order", "write", changed_later, vals=fewer) == ""
    odoo.write("sale.order", [released], {"x_ct_released_amount": 1_800.0})

    merged(guarded, odoo, gone, kept)
    assert refusal(seller, "sale.order", "action_confirm", released) == ""
    again = {"order_line": [(1, line, {"product_uom_qty": 18})]}
    assert refusal(seller, "sale.order", "write", changed_later, vals=again) == ""
    assert "The approval was rejected" in refusal(seller, "sale.order", "action_confirm", rejected)
    assert [one["x_state"] for one in asked(odoo, rejected)] == ["rejected"]
    # It ends as ever once somebody changes the customer.
    other = quoted(seller, kept, desk, 18)
    odoo.write("sale.order", [other], {"x_ct_released_amount": 1_800.0})
    seller.do("sale.order", "write", [other], {"partner_id": customer(odoo, 1_000, name="Another")})
    assert "above its credit limit" in refusal(seller, "sale.order", "action_confirm", other)
