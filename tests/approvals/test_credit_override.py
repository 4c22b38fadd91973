"""An order on credit hold, from the attempt to confirm it to what Odoo is told."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.approvals import queries
from apps.approvals.models import Request, Status
from apps.approvals.requests import moves, permissions
from apps.audit.models import Entry
from apps.exceptions.models import ExceptionCase
from apps.notifications.models import Notification
from apps.outbox.models import Command
from apps.timers import due
from apps.workflows.models import Position, Transition
from tests.world import World, person


def user(name: str) -> User:
    return User.objects.get(username=name)


def titles(world: World) -> list[str]:
    return list(Command.objects.order_by("sequence").values_list("title", flat=True))


def test_an_order_over_the_limit_is_a_quotation_until_somebody_tries_to_confirm_it(world: World) -> None:
    world.order(amount=6_200)
    assert Position.objects.get(workflow="order_to_cash").stage == "quotation"
    assert not Request.objects.exists()


def test_the_attempt_puts_it_into_credit_review_with_everything_that_belongs_to_it(world: World) -> None:
    world.owes(1_000, due_days_ago=12)
    world.order(41, amount=500, state="sale")
    world.write("sale.order.line", 4100, order_id=41, product_uom_qty=10, qty_invoiced=4, price_total=500, company_id=1)
    world.order(42, amount=4_800)
    world.advance(minutes=3)
    world.ask(42)

    position = Position.objects.get(odoo_id=42)
    assert (position.stage, position.since, position.amount) == ("credit_review", world.now, 4_800)
    assert position.due_at == world.now + timedelta(hours=4)
    move = Transition.objects.filter(odoo_id=42).latest("id")
    assert (move.from_stage, move.to_stage, move.at) == ("quotation", "credit_review", world.now)

    case = ExceptionCase.objects.get()
    assert (case.type, case.status, case.owner, case.team.slug) == ("order.credit_hold", "open", user("olga"), "finance")
    figures = {name: case.evidence[name] for name in ["credit_limit", "open_invoices", "open_orders", "this_order"]}
    assert figures == {"credit_limit": "5000.00", "open_invoices": "1000.00", "open_orders": "300.00", "this_order": "4800.00"}
    assert (case.evidence["exposure"], case.evidence["excess"]) == ("6100.00", "1100.00")
    assert (case.evidence["overdue_days"], case.evidence["overdue_amount"]) == (12, "1000.00")

    request = Request.objects.get()
    assert (request.kind, request.status, request.requested_by) == ("credit_override", "pending", "Sofia Sales")
    assert request.due_at == world.now + timedelta(minutes=240)
    assert [row.user for row in request.steps.get().assignments.all()] == [user("adam")]
    assert list(queries.inbox_of(user("adam"), EVERYTHING)) == [request]
    assert titles(world) == ["Mark the order as held for credit review"]
    told = Notification.objects.filter(kind="approval.requested").values_list("email", flat=True)
    assert list(told) == ["sofia@nordlicht.test"]


def test_asking_again_while_it_waits_opens_nothing_new(world: World) -> None:
    world.held_order()
    world.advance(minutes=5)
    world.write("x_ct_request", 900, x_count=2)
    world.order(amount=6_300)
    request = Request.objects.get()
    assert request.amount == 6_300
    assert ExceptionCase.objects.count() == 1


def test_yes_releases_and_confirms_the_order_and_answers_what_was_asked(world: World) -> None:
    world.held_order()
    request = Request.objects.get()
    moves.approve(request.pk, by=user("adam"), reason="Good customer", now=world.advance(minutes=1))
    request.refresh_from_db()
    assert (request.status, request.decided_by, request.reason) == ("approved", user("adam"), "Good customer")
    commands = list(Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence"))[1:]
    assert [(command.method, command.model) for command in commands] == [
        ("write", "x_ct_request"),
        ("write", "sale.order"),
        ("action_confirm", "sale.order"),
        ("message_post", "sale.order"),
    ]
    assert commands[0].odoo_id == 900
    assert commands[1].arguments["vals"]["x_ct_released_amount"] == 6_200.0
    assert ["amount_total", "<=", 6_200.0] in commands[2].precondition
    assert str(commands[3].pk) in commands[3].arguments["body"]


def test_once_odoo_shows_it_confirmed_the_exception_closes_and_the_order_moves_on(world: World) -> None:
    world.held_order()
    moves.approve(Request.objects.get().pk, by=user("adam"), now=world.advance(minutes=1))
    world.advance(seconds=2)
    world.order(state="sale", x_ct_released_amount=6_200, delivery_status="pending")
    case = ExceptionCase.objects.get()
    assert (case.status, case.resolution) == ("resolved", "The order is no longer held for credit")
    assert Position.objects.get(workflow="order_to_cash").stage == "waiting_for_stock"
    assert Request.objects.count() == 1


def test_no_keeps_the_hold_and_gives_the_salesperson_an_activity_with_the_reason(world: World) -> None:
    world.held_order()
    request = Request.objects.get()
    with pytest.raises(moves.DecisionRefusedError, match="needs a reason"):
        moves.reject(request.pk, by=user("adam"), reason=" ", now=world.now)
    moves.reject(request.pk, by=user("adam"), reason="Pay the old invoices first", now=world.now)
    commands = list(Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence"))[1:]
    hold, answer, activity, note = commands
    assert hold.arguments["vals"]["x_ct_hold"] == "credit_override"
    # Customers may read the fields of their own orders over RPC: the reason stands in the note, which they may not.
    assert "The note on it says why" in hold.arguments["vals"]["x_ct_hold_reason"]
    assert "Pay the old invoices first" in note.arguments["body"]
    assert answer.arguments["vals"]["x_state"] == "rejected"
    values = activity.arguments["vals_list"][0]
    assert (activity.model, values["user_id"], values["res_id"]) == ("mail.activity", 7, 42)
    assert "Pay the old invoices first" in values["note"]
    assert note.method == "message_post"
    world.write("x_ct_request", 900, x_state="rejected")
    world.order(x_ct_hold="credit_override")
    assert Position.objects.get(workflow="order_to_cash").stage == "credit_review"
    assert ExceptionCase.objects.get().status == "resolved"
    assert Request.objects.count() == 1


def test_a_customer_who_pays_makes_the_request_unnecessary(world: World) -> None:
    invoice = world.owes(3_000)
    world.order(amount=4_000)
    world.ask()
    request = Request.objects.get()
    world.advance(hours=1)
    world.write("account.move.line", invoice + 10_000, amount_residual=0, reconciled=True)
    request.refresh_from_db()
    assert request.status == "cancelled"
    assert "No longer needed" in request.reason
    assert ExceptionCase.objects.get().status == "resolved"
    assert Position.objects.get(model="sale.order").stage == "quotation"
    assert "Lift the hold" in titles(world)


def test_an_order_cancelled_in_odoo_meanwhile_can_no_longer_be_approved(world: World) -> None:
    world.held_order()
    request = Request.objects.get()
    world.order(state="cancel")
    with pytest.raises(moves.AlreadyDecidedError, match="No longer needed"):
        moves.approve(request.pk, by=user("adam"), now=world.now)
    assert Position.objects.get(workflow="order_to_cash").stage == "cancelled"


def test_a_second_approval_changes_nothing_and_is_told_who_was_first(world: World) -> None:
    world.held_order()
    request = Request.objects.get()
    moves.approve(request.pk, by=user("adam"), now=world.now)
    before = Command.objects.count()
    with pytest.raises(moves.AlreadyDecidedError, match="approved by Adam on 23 Nov 2026"):
        moves.approve(request.pk, by=user("adam"), now=world.now)
    assert Command.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_who_press_at_once_one_wins_and_the_other_is_told(request: pytest.FixtureRequest) -> None:
    person("olga", Role.OPERATOR, team="finance")
    first, second = (person(name, Role.APPROVER, limit=50_000, team="finance") for name in ["adam", "berta"])
    world = World()
    world.held_order()
    pending = Request.objects.get()
    start, answers = threading.Barrier(2), []

    def press(who: User, decide: object) -> None:
        start.wait()
        try:
            decide(pending.pk, by=who, reason="because", now=world.now)  # type: ignore[operator]
            answers.append("won")
        except moves.AlreadyDecidedError as error:
            answers.append(str(error))
        finally:
            connection.close()

    both = [threading.Thread(target=press, args=pair) for pair in [(first, moves.approve), (second, moves.reject)]]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(answer == "won" for answer in answers) == [False, True]
    lost = next(answer for answer in answers if answer != "won")
    pending.refresh_from_db()
    assert pending.decided_by is not None
    assert str(pending.decided_by) in lost


def test_nobody_decides_what_they_asked_for_or_beyond_their_limit(world: World) -> None:
    person("sofia", Role.APPROVER, limit=50_000, odoo_login="Sofia")
    small = person("sam", Role.APPROVER, limit=1_000)
    world.held_order()
    request = Request.objects.get()
    assert "worked on S00042" in (permissions.why_not(request, user("sofia")) or "")
    assert "your limit is 1,000.00 EUR" in (permissions.why_not(request, small) or "")
    assert permissions.why_not(request, user("olga")) == "Olga is Operator and may not decide approvals. Ask an approver."
    assert permissions.why_not(request, user("adam")) is None
    with pytest.raises(NotAllowedError):
        moves.approve(request.pk, by=user("sofia"), now=world.now)
    assert Request.objects.get().status == Status.PENDING


def test_above_the_approvers_limits_the_next_level_is_asked_at_once(world: World) -> None:
    world.held_order(amount=80_000)
    assert [row.user for row in Request.objects.get().steps.get().assignments.all()] == [user("mia")]
    message = Notification.objects.get(user=user("mia"))
    assert (message.kind, message.title) == ("approval.asked", "Your decision: S00042, 80,000.00 EUR")
    assert "Due 23 Nov 2026, 16:00 UTC" in message.body


def test_where_nobody_may_decide_an_administrator_is_asked(world: World) -> None:
    world.held_order(amount=900_000)
    assert [row.user for row in Request.objects.get().steps.get().assignments.all()] == [user("anna")]


def test_delegation_hands_on_the_say_and_never_widens_power(world: World) -> None:
    world.held_order()
    request = Request.objects.get()
    berta, small = person("berta", Role.APPROVER, limit=20_000), person("sam", Role.APPROVER, limit=1_000)
    with pytest.raises(NotAllowedError, match="does not cover"):
        moves.delegate(request.pk, to=small, by=user("adam"), now=world.now)
    with pytest.raises(NotAllowedError, match="may not decide"):
        moves.delegate(request.pk, to=user("olga"), by=user("adam"), now=world.now)
    moves.delegate(request.pk, to=berta, by=user("adam"), now=world.now)
    assert "not assigned" in (permissions.why_not(request, user("adam")) or "")
    with pytest.raises(NotAllowedError, match="cannot return"):
        moves.delegate(request.pk, to=user("adam"), by=berta, now=world.now)
    moves.approve(request.pk, by=berta, now=world.now)
    assert Request.objects.get().decided_by == berta


def test_nobody_acts_reminder_then_the_next_level_then_the_fallback(world: World) -> None:
    world.held_order()
    due.fire_due(now=world.advance(minutes=121))
    assert Notification.objects.filter(user=user("adam"), kind="approval.reminded").exists()
    due.fire_due(now=world.advance(minutes=120))
    request = Request.objects.get()
    assert request.escalated_at == world.now
    assert request in queries.inbox_of(user("mia"), EVERYTHING)
    message = Notification.objects.get(user=user("mia"), kind="approval.escalated")
    assert (message.title, message.body) == (
        "Escalated to you: S00042, 6,200.00 EUR",
        "Azure Interior. Due 23 Nov 2026, 20:01 UTC.",
    )
    due.fire_due(now=world.advance(minutes=241))
    request.refresh_from_db()
    assert (request.status, request.reason) == ("expired", "Not decided in time (Credit control)")
    assert ExceptionCase.objects.get().status == "open"
    assert Notification.objects.filter(user=user("mia"), kind="approval.fell_back").exists()
    actions = list(Entry.objects.filter(subject=f"approval:{request.pk}").order_by("sequence").values_list("action", flat=True))
    assert actions == ["approval.requested", "approval.reminded", "approval.escalated", "approval.reminded", "approval.expired"]


def test_what_is_asked_here_waits_although_nobody_tried_to_confirm_in_odoo(world: World) -> None:
    world.order(amount=1_000)
    request = moves.ask(
        connection_id=world.connection.pk,
        kind="credit_override",
        model="sale.order",
        odoo_id=42,
        by=user("olga"),
        reason="He will be over soon",
        now=world.now,
    )
    world.order(amount=1_100)
    request.refresh_from_db()
    assert request.status == "pending"
    with pytest.raises(moves.AlreadyDecidedError, match="is already pending"):
        moves.ask(
            connection_id=world.connection.pk,
            kind="credit_override",
            model="sale.order",
            odoo_id=42,
            by=user("mia"),
            reason="",
            now=world.now,
        )
    world.order(state="cancel")
    request.refresh_from_db()
    assert request.status == "cancelled"


def test_what_cannot_be_asked_is_refused_in_words(world: World) -> None:
    world.order(state="sale")
    for odoo_id, words in [(42, "too far along"), (4242, "not mirrored")]:
        with pytest.raises(moves.DecisionRefusedError, match=words):
            moves.ask(
                connection_id=world.connection.pk,
                kind="credit_override",
                model="sale.order",
                odoo_id=odoo_id,
                by=user("olga"),
                reason="",
                now=world.now,
            )
