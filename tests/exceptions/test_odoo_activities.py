"""What of the queue is shown in Odoo, when it is written, and when it is not."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from apps.accounts.models import User
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase, Severity, ShowInOdoo, Shown
from apps.exceptions.odoo_activities import posting as odoo_activities
from apps.outbox.models import Command, Status
from apps.pipeline import first_sync
from apps.timers import due
from tests.world import World


def user(name: str) -> User:
    return User.objects.get(username=name)


def told() -> list[Command]:
    """What Odoo is to be told of exceptions, in order."""
    return list(Command.objects.filter(decision__startswith="exception:").order_by("sequence"))


def carried_out() -> None:
    """Odoo shows the effect of everything up to now."""
    Command.objects.filter(status=Status.QUEUED).update(status=Status.DONE, sent_at="2026-11-23T12:00:00Z")


@pytest.fixture
def case(world: World) -> ExceptionCase:
    """An order over its limit, shown in Odoo."""
    world.shows_exceptions()
    world.held_order()
    return ExceptionCase.objects.get()


def test_an_exception_is_one_note_and_one_activity_with_its_evidence_and_its_link(world: World, case: ExceptionCase) -> None:
    note, activity = told()
    assert (note.method, note.model, note.odoo_id, note.arguments["body_is_html"]) == ("message_post", "sale.order", 42, True)
    assert (activity.method, activity.model) == ("create", "mail.activity")
    values = activity.arguments["vals_list"][0]
    assert values["summary"].startswith(f"Credit hold, exception {case.pk}: medium, due ")
    assert values["date_deadline"] == case.due_at.date().isoformat()
    assert (values["res_id"], values["res_model_id"]) == (42, "{model:ref}")
    assert f'/exceptions/{case.pk}/">' in values["note"]
    assert values["note"].count("<li>") >= 2
    assert values["note"].startswith(f'<div class="ct-{activity.pk}"><p><b>Credit hold')
    assert Shown.objects.get().mark == str(activity.pk)


def test_the_activity_is_its_owners_else_the_records_else_the_towers(world: World) -> None:
    world.shows_exceptions()
    User.objects.filter(username="olga").update(odoo_login="Olga@Nordlicht.test")
    world.write("res.users", 8, name="Olga", login="olga@nordlicht.test", active=True, partner_id=5, company_id=1)
    world.held_order()
    case = ExceptionCase.objects.get()
    assert case.owner == user("olga")
    assert Shown.objects.get().values["user_id"] == 8
    moves.assign(case.pk, owner=user("mia"), by=user("olga"), now=world.now)
    assert Shown.objects.get().values["user_id"] == 7, "the order's salesperson, for Mia has no user in Odoo"
    world.write("res.users", 7, active=False)
    moves.assign(case.pk, owner=user("anna"), by=user("olga"), now=world.now)
    assert Shown.objects.get().values["user_id"] == 2, "the salesperson left: the tower's own login"


def test_a_move_changes_the_same_activity_and_of_unheard_changes_only_the_last_is_kept(world: World, case: ExceptionCase) -> None:
    carried_out()
    moves.acknowledge(case.pk, by=user("olga"), now=world.now)
    moves.snooze(case.pk, until=world.now + timedelta(hours=1), by=user("olga"), now=world.now)
    earlier, later = told()[2:]
    assert (earlier.status, later.status) == (Status.CANCELLED, Status.QUEUED)
    assert (later.method, later.model, later.odoo_id, later.target_mark) == ("write", "mail.activity", 0, Shown.objects.get().mark)
    assert "snoozed until 23 Nov 2026, 13:00 UTC" in later.arguments["vals"]["summary"]
    due.fire_due(now=world.advance(hours=1))
    assert "snoozed" not in told()[-1].arguments["vals"]["summary"]


def test_what_changes_nothing_there_writes_nothing(world: World, case: ExceptionCase) -> None:
    moves.comment(case.pk, text="Called them", by=user("olga"), now=world.now)
    world.order(note="Ring twice")
    world.owes(10)
    assert len(told()) == 2


def test_resolving_finishes_the_activity_with_the_reason(world: World, case: ExceptionCase) -> None:
    carried_out()
    moves.resolve(case.pk, resolution="Customer paid by card", by=user("olga"), now=world.now)
    finish = told()[-1]
    assert (finish.method, finish.target_mark) == ("action_feedback", Shown.objects.get().mark)
    assert finish.arguments["feedback"] == f"Resolved: Customer paid by card [CT {finish.pk}]"
    assert (finish.effect_model, finish.postcondition[:2]) == ("mail.message", [["model", "=", "sale.order"], ["res_id", "=", 42]])


def test_what_closes_before_odoo_heard_of_it_never_reaches_odoo(world: World, case: ExceptionCase) -> None:
    world.order(state="cancel")
    case.refresh_from_db()
    assert case.status == "resolved"
    assert [command.status for command in told()] == [Status.CANCELLED] * 2


def test_an_exception_that_opens_anew_has_an_activity_of_its_own(world: World, case: ExceptionCase) -> None:
    carried_out()
    moves.resolve(case.pk, resolution="Looks fine", by=user("olga"), now=world.now)
    world.order(amount=6_900)
    again = ExceptionCase.objects.exclude(pk=case.pk).get()
    assert Shown.objects.get(case=again).mark != Shown.objects.get(case=case).mark


@pytest.mark.parametrize(
    "chosen", [{"is_on": False}, {"severity": Severity.CRITICAL}, {"types_off": ["order.credit_hold"]}, {"an_hour": 0}]
)
def test_nothing_is_told_that_the_connection_does_not_want(world: World, chosen: dict[str, object]) -> None:
    world.shows_exceptions(**chosen)
    world.held_order()
    assert ExceptionCase.objects.exists()
    assert told() == []


def test_a_model_without_activities_is_left_out_quietly(world: World) -> None:
    world.shows_exceptions()
    world.connection.capabilities["models"]["sale.order"]["activities"] = False
    world.connection.save()
    world.held_order()
    assert told() == []


def test_a_first_reading_tells_only_what_is_serious(world: World) -> None:
    world.held_order(odoo_id=42, amount=5_600)
    ExceptionCase.objects.all().delete()
    world.shows_exceptions()
    first_sync.evaluate_all(world.connection, clock=lambda: world.now)
    case = ExceptionCase.objects.get()
    assert case.severity < Severity.HIGH
    assert told() == []
    with transaction.atomic():
        odoo_activities.sync([case], now=world.now)
    assert len(told()) == 2, "it is shown once it is moved"


def test_a_flood_is_shown_up_to_the_limit_the_worst_first_and_in_a_few_statements(
    world: World, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        order = world.order(odoo_id=300 + number, amount=6_000 + 1_000 * number)
        world.ask(order, ask_id=2_000 + number)
    cases = list(ExceptionCase.objects.all())
    assert len(cases) == 30
    world.shows_exceptions(an_hour=10)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        odoo_activities.sync(cases, now=world.now)
    assert Shown.objects.count() == 10
    amounts = sorted((case.amount for case in cases), reverse=True)
    assert sorted((row.case.amount for row in Shown.objects.select_related("case")), reverse=True) == amounts[:10]
    world.advance(hours=2)
    odoo_activities.sync(cases, now=world.now)
    assert Shown.objects.count() == 20


def test_an_integrator_chooses_on_the_connections_page_and_others_may_not(world: World, client: Client) -> None:
    world.shows_exceptions()
    address = f"/connections/{world.connection.name}/exceptions-in-odoo/"
    asked = {"severity": "3", "an_hour": "50", "types": ["order.credit_hold"]}
    client.force_login(user("olga"))
    assert client.post(address, asked).status_code == 403
    assert ShowInOdoo.for_connection(world.connection).is_on
    client.force_login(user("anna"))
    page = client.get(address).content.decode()
    assert "Credit hold" in page
    assert re.search(r"purchase\.order[^:]*: no activities in this Odoo", page)
    assert client.post(address, asked).status_code == 302
    chosen = ShowInOdoo.for_connection(world.connection)
    assert (chosen.is_on, chosen.severity, chosen.an_hour) == (False, 3, 50)
    assert "order.credit_hold" not in chosen.types_off
    assert chosen.types_off
    assert "Nothing is shown in Odoo." in client.get(address).content.decode()
