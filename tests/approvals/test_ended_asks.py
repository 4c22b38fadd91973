"""Asks in Odoo that nobody has to decide any more are answered, and are no incident for ever."""

from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import ended_asks, moves
from apps.exceptions.models import ExceptionCase, Status
from apps.health import incidents
from apps.mirror import registry, upsert
from apps.outbox.models import Command
from apps.pipeline import change_processing
from tests.world import World, odoo_time


def ask(world: World, record: int = 42, *, kind: str = "credit_override", model: str = "sale.order", **figures: object) -> None:
    world.write(
        "x_ct_request",
        900,
        x_res_model=model,
        x_res_id=record,
        x_kind=kind,
        x_state="open",
        x_requested_at=odoo_time(world.now),
        x_requested_uid=7,
        x_count=1,
        **figures,
    )


def answered(world: World, *, is_in_odoo: bool = False) -> list[str]:
    """What is written on asks after a while."""
    world.advance(minutes=2)
    ended_asks.answer(world.connection, is_in_odoo=lambda model, odoo_id: is_in_odoo, now=world.now)
    found = Command.objects.filter(model="x_ct_request", decision__startswith="ask:")
    return [command.arguments["vals"]["x_reason"] for command in found if command.arguments["vals"]["x_state"] == "withdrawn"]


def test_of_an_order_that_was_cancelled_before_the_tower_looked(world: World) -> None:
    world.order(amount=8_000, state="cancel")
    ask(world, x_amount=8_000, x_exposure=8_000, x_limit=5_000)
    assert answered(world) == ["No longer needed: the record progressed in Odoo"]
    # Once, however often it is looked at before Odoo has the answer.
    assert len(answered(world)) == 1


def test_of_an_order_that_was_cancelled_as_somebody_said_no(world: World) -> None:
    world.order(amount=8_000)
    ask(world, x_amount=8_000, x_exposure=8_000, x_limit=5_000)
    moves.reject(Request.objects.get().pk, by=User.objects.get(username="adam"), reason="No", now=world.advance(minutes=1))
    world.order(amount=8_000, state="cancel")
    # On its way, the answer to the ask stands.
    assert answered(world) == []
    # The hold is not kept on an order that was cancelled, and what was to follow it is not carried out, the answer either.
    Command.objects.exclude(model="sale.order").update(status="cancelled")
    Command.objects.filter(model="sale.order").update(status="refused")
    assert answered(world) == ["No longer needed: the record progressed in Odoo"]


def test_of_a_record_that_was_never_saved(world: World) -> None:
    ask(world, 4_711, x_amount=8_000)
    assert answered(world, is_in_odoo=True) == []
    assert answered(world) == ["The record was never saved in Odoo"]


def test_of_a_record_that_was_deleted(world: World) -> None:
    world.order(amount=100)
    gone = upsert.mark_deleted(
        registry.models()["sale.order"], connection_id=world.connection.pk, odoo_ids=[42], read_at=world.now, now=world.now
    )
    change_processing.apply_changes([gone], now=world.now)
    ask(world, kind="pricing_exception")
    assert answered(world) == ["The record was deleted in Odoo"]


@pytest.mark.parametrize(
    ("model", "record", "kind", "values"),
    [
        ("purchase.order", 77, "procurement_threshold", {"state": "cancel", "amount_total": 40_000}),
        ("stock.picking", 71, "return_authorisation", {"state": "done", "return_id": 70, "picking_type_code": "incoming"}),
        ("account.move", 88, "invoice_mismatch", {"state": "posted", "move_type": "in_invoice"}),
        ("stock.quant", 99, "inventory_adjustment", {"inventory_quantity_set": False, "quantity": 3}),
    ],
)
def test_of_every_kind(world: World, model: str, record: int, kind: str, values: dict[str, object]) -> None:
    world.write(model, record, company_id=1, currency_id=1, **values)
    ask(world, record, kind=kind, model=model, x_amount=900, x_exposure=900)
    assert answered(world) == ["No longer needed: the record progressed in Odoo"]


def test_what_waits_or_was_just_asked_is_left(world: World) -> None:
    world.order(amount=8_000)
    ask(world, x_amount=8_000, x_exposure=8_000, x_limit=5_000)
    assert Request.objects.filter(status="pending").count() == 1
    assert answered(world) == []
    world.order(43, amount=100, state="cancel")
    world.write(
        "x_ct_request",
        901,
        x_res_model="sale.order",
        x_res_id=43,
        x_kind="credit_override",
        x_state="open",
        x_requested_at=odoo_time(world.now),
        x_requested_uid=7,
        x_count=1,
    )
    assert ended_asks.answer(world.connection, is_in_odoo=lambda *_: False, now=world.now + timedelta(seconds=10)) == 0
    assert len(answered(world)) == 1


def test_a_price_that_waits_for_the_customers_credit_is_not_withdrawn(world: World) -> None:
    world.order(amount=6_200, margin=-200)
    world.write(
        "sale.order.line",
        4200,
        order_id=42,
        product_id=5,
        product_uom_qty=10,
        price_unit=1_000,
        discount=38,
        price_subtotal=6_200,
        price_total=6_200,
        purchase_price=640,
        company_id=1,
    )
    ask(world, x_amount=6_200, x_exposure=6_200, x_limit=5_000)
    world.ask(42, ask_id=901, kind="pricing_exception")
    assert [one.kind for one in Request.objects.filter(status="pending")] == ["credit_override"]
    assert answered(world) == []
    moves.approve(Request.objects.get().pk, by=User.objects.get(username="adam"), now=world.advance(minutes=1))
    Command.objects.update(status="done")
    world.write("x_ct_request", 900, x_state="approved")
    world.order(amount=6_200, margin=-200, x_ct_released_amount=6_200)
    assert [one.kind for one in Request.objects.filter(status="pending")] == ["pricing_exception"]


def test_a_price_is_withdrawn_once_the_customers_credit_is_refused(world: World) -> None:
    world.order(amount=6_200, margin=-200)
    world.write(
        "sale.order.line",
        4200,
        order_id=42,
        product_id=5,
        product_uom_qty=10,
        price_unit=1_000,
        discount=38,
        price_subtotal=6_200,
        price_total=6_200,
        purchase_price=640,
        company_id=1,
    )
    ask(world, x_amount=6_200, x_exposure=6_200, x_limit=5_000)
    world.ask(42, ask_id=901, kind="pricing_exception")
    held = {"amount": 6_200, "margin": -200, "x_ct_hold": "credit_override"}
    world.order(**held)
    moves.reject(Request.objects.get().pk, by=User.objects.get(username="adam"), reason="No", now=world.advance(minutes=1))
    world.write("x_ct_request", 900, x_state="rejected")
    world.order(**held, x_ct_rejected=True)
    Command.objects.update(status="done")
    assert not Request.objects.filter(status="pending").exists()
    # The answer about the credit is none about the price.
    assert answered(world) == ["No longer needed: the record progressed in Odoo"]
    assert Command.objects.get(decision="ask:901").odoo_id == 901


def test_an_ask_that_the_tower_does_not_understand_stays_an_incident(world: World) -> None:
    world.order(amount=100)
    ask(world, kind="dragon_riding")
    assert answered(world) == []
    incidents.detect_incidents(now=world.now)
    assert ExceptionCase.objects.filter(type="integration.ask_unanswered").exclude(status=Status.RESOLVED).count() == 1


def test_an_ask_that_stays_open_long_after_its_decision_is_an_incident(world: World) -> None:
    world.order(amount=8_000)
    ask(world, x_amount=8_000, x_exposure=8_000, x_limit=5_000)
    moves.approve(Request.objects.get().pk, by=User.objects.get(username="adam"), now=world.advance(minutes=1))

    def incidents_after(minutes: int) -> int:
        world.advance(minutes=minutes)
        incidents.detect_incidents(now=world.now)
        return ExceptionCase.objects.filter(type="integration.ask_unanswered").exclude(status=Status.RESOLVED).count()

    # On its way to Odoo, however long that takes.
    assert incidents_after(60) == 0
    # Stopped on the way, it is told as that.
    Command.objects.update(status="refused")
    assert incidents_after(60) == 0
    # Carried out, and nobody is asked: somebody asked again, and was not heard.
    Command.objects.update(status="done")
    assert incidents_after(0) == 1


def test_an_ask_whose_answer_was_just_carried_out_is_no_incident(world: World) -> None:
    world.order(amount=8_000)
    ask(world, x_amount=8_000, x_exposure=8_000, x_limit=5_000)
    moves.approve(Request.objects.get().pk, by=User.objects.get(username="adam"), now=world.advance(minutes=1))
    Command.objects.update(status="done")
    world.advance(minutes=2)
    incidents.detect_incidents(now=world.now)
    assert not ExceptionCase.objects.filter(type="integration.ask_unanswered").exists()
