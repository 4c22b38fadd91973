"""What is withdrawn after a rejection, or with its record."""

from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.mirror import registry, upsert
from apps.outbox.models import Command
from apps.pipeline import change_processing
from apps.workflows.guard_requests import REJECTED
from tests.approvals.reevaluation.credit import only, user
from tests.world import World


def titles(request: Request) -> list[str]:
    return list(
        Command.objects.filter(decision=f"approval:{request.pk}")
        .exclude(status="cancelled")
        .order_by("sequence")
        .values_list("title", flat=True)
    )


def test_a_withdrawal_after_a_rejection_keeps_the_hold_and_its_reason(world: World) -> None:
    world.held_order()
    first = only()
    moves.reject(first.pk, by=user("adam"), reason="Pay first", now=world.advance(minutes=1))
    Command.objects.update(status="done")
    world.advance(minutes=1)
    world.ask(42, ask_id=901)
    second = Request.objects.latest("pk")
    assert second.pk != first.pk and second.status == "pending"
    world.advance(minutes=1)
    world.write("x_ct_request", 901, x_state="cancelled")
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.status, first.status) == ("cancelled", "rejected")
    assert "Lift the hold" not in titles(second)
    kept = Command.objects.filter(decision=f"approval:{second.pk}", title="Keep the order held, with the reason").get()
    assert kept.arguments["vals"]["x_ct_hold_reason"] == REJECTED


def test_a_hold_whose_reason_is_gone_is_lifted_after_a_rejection_too(world: World) -> None:
    world.held_order()
    moves.reject(only().pk, by=user("adam"), reason="Pay first", now=world.advance(minutes=1))
    Command.objects.update(status="done")
    world.advance(minutes=1)
    world.ask(42, ask_id=901)
    second = Request.objects.latest("pk")
    world.customer(50, name="Azure Interior", credit_limit=50_000)
    second.refresh_from_db()
    assert second.status == "cancelled"
    assert "Lift the hold" in titles(second)


def test_while_the_no_is_on_its_way_nothing_is_asked_anew(world: World) -> None:
    world.held_order()
    moves.reject(only().pk, by=user("adam"), reason="Pay first", now=world.advance(minutes=1))
    world.advance(minutes=1)
    world.write("x_ct_request", 900, x_count=2, x_requested_at=world.now.strftime("%Y-%m-%d %H:%M:%S"))
    assert only().status == "rejected"


def test_a_request_of_a_deleted_record_sends_it_no_command(world: World) -> None:
    world.held_order()
    request = only()
    world.advance(minutes=1)
    orders = registry.models()["sale.order"]
    gone = upsert.mark_deleted(orders, connection_id=world.connection.pk, odoo_ids=[42], read_at=world.now, now=world.now)
    change_processing.apply_changes([gone], now=world.now)
    request.refresh_from_db()
    assert request.status == "cancelled"
    left = Command.objects.filter(decision=f"approval:{request.pk}").exclude(status="cancelled")
    assert [(one.model, one.odoo_id) for one in left] == [("x_ct_request", 900)]
