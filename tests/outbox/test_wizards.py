"""What Odoo does by a wizard, and a target that is known only once an earlier command has made it."""

from typing import Any

import pytest

from apps.core import actor
from apps.odoo import errors
from apps.outbox import dispatch, enqueue
from apps.outbox.models import Command
from apps.workflows.declare import OdooCall
from tests.world import World

DRAFT = OdooCall(
    title="Create the invoice",
    method="create_invoices",
    wizard=("sale.advance.payment.inv", {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, ["{order_id:number}"]]]}),
    require=[["invoice_status", "=", "to invoice"]],
    expect=[["invoice_status", "!=", "to invoice"]],
)
POST = OdooCall(
    title="Post it",
    model="account.move",
    method="action_post",
    found=[["line_ids.sale_line_ids.order_id", "=", "{order_id:number}"], ["state", "=", "draft"]],
    require=[["state", "=", "draft"]],
    expect=[["state", "=", "posted"]],
)


class Odoo:
    """An Odoo with an order that can be invoiced; ``loses`` is the method whose answer is lost after it took effect."""

    def __init__(self, *, drafts: list[int], loses: str = "") -> None:
        self.is_invoiced, self.posted, self.drafts, self.loses = False, list[int](), drafts, loses
        self.calls: list[tuple[str, str, Any, dict[str, Any]]] = []

    def connect(self, _: Any) -> "Odoo":
        return self

    def search_count(self, model: str, domain: list[Any], **_: Any) -> int:
        wanted = {name: value for name, _, value in domain}
        if model == "sale.order":
            is_to_be = ["invoice_status", "=", "to invoice"] in domain
            return int(is_to_be != self.is_invoiced)
        return int(wanted["id"] in self.posted if wanted["state"] == "posted" else wanted["id"] in self.drafts)

    def search_read(self, model: str, domain: list[Any], *_: Any, **__: Any) -> list[dict[str, Any]]:
        if model == "account.move" and domain[0][0] != "id":
            assert domain[0] == ["line_ids.sale_line_ids.order_id", "=", 42]
            return [{"id": one} for one in sorted(self.drafts, reverse=True)[:1]]
        return [{"id": domain[0][2]}]

    def call(self, model: str, method: str, ids: list[int] | None, **named: Any) -> Any:
        self.calls.append((model, method, ids, named))
        if method == "create":
            return [7]
        if method == "create_invoices":
            self.is_invoiced = True
        if method == "action_post":
            assert ids
            self.drafts.remove(ids[0])
            self.posted += ids
        if method == self.loses:
            raise errors.UnknownOutcomeError("main", "the answer was lost", "It is looked for.")
        return True


def told(world: World, *calls: OdooCall) -> list[Command]:
    return enqueue.commands(
        calls,
        connection=world.connection,
        model="sale.order",
        odoo_id=42,
        context={"order_id": 42},
        decision="exception:1:invoice:1",
        by=actor.system("test"),
        now=world.now,
    )


def run(world: World, command: Command) -> str:
    dispatch.run(Command.objects.get(pk=command.pk), clock=lambda: world.now)
    command.refresh_from_db()
    return str(command.status)


def test_a_wizard_is_made_for_the_record_and_does_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    odoo = Odoo(drafts=[600])
    monkeypatch.setattr(dispatch.wire, "connect", odoo.connect)
    draft, post = told(world, DRAFT, POST)
    assert (run(world, draft), run(world, post)) == ("done", "done")
    values = {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [42]]]}
    assert odoo.calls == [
        ("sale.advance.payment.inv", "create", None, {"vals_list": [values]}),
        ("sale.advance.payment.inv", "create_invoices", [7], {}),
        ("account.move", "action_post", [600], {}),
    ]
    assert post.odoo_id == 600


def test_what_is_invoiced_already_is_not_invoiced_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    odoo = Odoo(drafts=[])
    odoo.is_invoiced = True
    monkeypatch.setattr(dispatch.wire, "connect", odoo.connect)
    draft, post = told(world, DRAFT, POST)
    assert (run(world, draft), run(world, post)) == ("done", "cancelled")
    assert odoo.calls == []
    assert "somebody finished or deleted it" in post.problem


def test_a_lost_answer_makes_no_second_invoice_and_posts_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    odoo = Odoo(drafts=[600, 601], loses="action_post")
    monkeypatch.setattr(dispatch.wire, "connect", odoo.connect)
    (post,) = told(world, POST)
    assert run(world, post) == "unknown"
    world.advance(minutes=1)
    assert run(world, post) == "done"
    assert (odoo.posted, odoo.drafts) == ([601], [600])
    assert [method for _, method, _, _ in odoo.calls] == ["action_post"]
