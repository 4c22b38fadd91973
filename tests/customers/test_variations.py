"""Odd ways in which things go on after a message was drafted, and who is told what then."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.accounts.models import Role, Team, User
from apps.customers import rules, sending
from apps.customers.models import CustomerMessage, NewDate
from apps.exceptions.models import ExceptionCase
from apps.mirror.models.sale_order import SaleOrder
from apps.outbox import enqueue
from apps.outbox.models import Command
from apps.timers.models import WorkingCalendar
from apps.workflows import parameter_values
from apps.workflows.declare import OdooCall
from tests.customers.conftest import CUSTOMER, ORDER, all_drafts, decided_later, only, promised_later
from tests.trade import days
from tests.world import World, person


def send(world: World, by: User) -> CustomerMessage:
    draft = only()
    (sent,) = sending.send_all({draft.key: draft.version}, by=by, now=world.now)
    assert sent.message is not None, sent.refusal
    return sent.message


def promises(world: World, by: User, in_days: float) -> Command:
    """A decision of the tower gives the order that day, and Odoo has done it."""
    order = SaleOrder.objects.get(connection=world.connection, odoo_id=ORDER)
    call = OdooCall(title="Set the date", method="write", arguments={"vals": {"commitment_date": days(world, in_days)}})
    (made,) = enqueue.commands(
        [call],
        connection=world.connection,
        model="sale.order",
        odoo_id=ORDER,
        context={},
        decision="exception:1",
        by=by.actor,
        now=world.now,
    )
    assert made.replaced == {"commitment_date": order.commitment_date.isoformat()}
    Command.objects.filter(pk=made.pk).update(status="done")
    world.write("sale.order", ORDER, commitment_date=days(world, in_days))
    return made


@pytest.fixture
def mia(world: World) -> User:
    return person("mia", Role.MANAGER, limit=10**6)


def test_an_order_that_is_cancelled_and_confirmed_again_is_drafted_again(world: World, olga: User) -> None:
    promised_later(world, olga)
    world.write("sale.order", ORDER, state="cancel")
    assert all_drafts() == []
    world.write("sale.order", ORDER, state="sale")
    assert only().most_days_later == 5
    assert sorted(NewDate.objects.values_list("status", flat=True)) == ["open", "withdrawn"]


def test_a_promise_that_moves_back_and_away_again_is_told_once_against_the_first_day(world: World, olga: User) -> None:
    promised_later(world, olga)
    world.write("sale.order", ORDER, commitment_date=days(world, 3))
    assert all_drafts() == []
    world.write("sale.order", ORDER, commitment_date=days(world, 8))
    send(world, olga)
    assert CustomerMessage.objects.count() == 1 and "26. November" in CustomerMessage.objects.get().body


def test_a_promise_that_the_tower_moves_twice_before_anybody_sends_is_one_message(world: World, olga: User) -> None:
    promised_later(world, olga)
    adam = person("adam", Role.OPERATOR)
    later = promises(world, adam, 12)
    (told,) = only().told
    assert (told.days_later, told.new_date.command_id, told.new_date.decided_by) == (9, later.pk, "Adam")


def test_a_decision_that_is_undone_leaves_the_customer_with_the_day_that_it_knew(world: World, olga: User) -> None:
    promised_later(world, olga)
    promises(world, olga, 3)
    assert all_drafts() == []
    promises(world, olga, 11)
    (told,) = only().told
    assert (str(told.known_day), told.days_later) == ("2026-11-26", 8)
    draft = only()
    sending.dismiss(draft.key, draft.version, by=olga, now=world.now)
    promises(world, olga, 12)
    assert only().told[0].days_later == 9  # of what was dismissed it was not told
    send(world, olga)
    promises(world, olga, 3)
    assert only().told[0].days_later == -9


def test_a_part_that_was_delivered_leaves_the_rest_to_tell_and_all_of_it_leaves_nothing(world: World, olga: User) -> None:
    promised_later(world, olga)
    world.write("sale.order.line", ORDER * 10, qty_delivered=4)
    world.write("sale.order", ORDER, delivery_status="partial")
    assert only().most_days_later == 5
    world.write("sale.order.line", ORDER * 10, qty_delivered=10)
    world.write("sale.order", ORDER, delivery_status="full")
    assert all_drafts() == []


def test_an_order_that_was_delivered_before_odoo_shows_the_new_date_is_drafted_for_nobody(world: World, olga: User) -> None:
    decided_later(world, olga)
    world.write("sale.order", ORDER, commitment_date=days(world, 8), delivery_status="full")
    assert all_drafts() == []


def test_a_date_that_somebody_else_sets_while_odoo_is_still_to_be_told_is_drafted_for_nobody(world: World, olga: User) -> None:
    decided_later(world, olga)
    world.write("sale.order", ORDER, commitment_date=days(world, 6))
    assert all_drafts() == []
    # Who sets the same day as the tower is about to has done the tower's work.
    world.write("sale.order", ORDER, commitment_date=days(world, 8))
    assert only().most_days_later == 5


def test_a_contact_without_an_address_is_told_at_its_companys(world: World, olga: User) -> None:
    world.write("res.partner", 501, name="Azure, Anna", commercial_partner_id=CUSTOMER, active=True, lang="fr_FR")
    promised_later(world, olga, partner=501)
    draft = only()
    assert ([one.odoo_id for one in draft.recipients], draft.has_email) == ([501, CUSTOMER], True)
    world.write("res.partner", CUSTOMER, email=False)
    draft = only()
    assert ([one.odoo_id for one in draft.recipients], draft.has_email, draft.language) == ([501], False, "fr")


def test_two_customers_that_are_merged_have_one_draft_and_the_words_for_one_of_them_are_not_sent(world: World, olga: User) -> None:
    promised_later(world, olga, 42)
    promised_later(world, olga, 43, purchase_id=81, partner=51)
    of_azure = next(one for one in all_drafts() if one.customer.odoo_id == CUSTOMER)
    sending.edit(of_azure.key, of_azure.version, subject="Sorry", body="Late", by=olga, now=world.now)
    world.write("sale.order", 43, partner_id=CUSTOMER)
    draft = only()
    assert ([one.order.order_id for one in draft.told], draft.edit) == ([42, 43], None)
    assert draft.outdated is not None and draft.text()[0] != "Sorry"


def test_a_customer_of_two_companies_is_told_by_each_and_a_rule_is_one_companys(world: World, olga: User, mia: User) -> None:
    world.write("res.company", 2, name="Südlicht", currency_id=1)
    promised_later(world, olga, 42)
    promised_later(world, olga, 43, purchase_id=81)
    world.write("sale.order", 43, company_id=2)
    rules.switch(world.connection, 2, CUSTOMER, sends=True, by=mia, now=world.now)
    world.advance(minutes=20)
    assert sending.send_due(now=world.now) == 1
    message = CustomerMessage.objects.get()
    assert (message.company_id, [one.order_id for one in message.dates.all()]) == (2, [43])
    assert [one.company_id for one in all_drafts()] == [1]


def test_what_fails_while_it_is_sent_leaves_the_draft_as_it_was(world: World, olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    promised_later(world, olga)
    before = only()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(enqueue, "many", killed)
        sending.send_all({before.key: before.version}, by=olga, now=world.now)
    assert not CustomerMessage.objects.exists() and only().version == before.version
    message = send(world, olga)
    assert Command.objects.filter(decision=message.decision).count() == 1


def test_a_new_day_that_has_passed_is_shown_and_sent_by_no_rule(world: World, olga: User, mia: User) -> None:
    promised_later(world, olga)
    rules.switch(world.connection, 1, CUSTOMER, sends=True, by=mia, now=world.now)
    world.advance(days=9)
    assert only().passed(world.now) == ["S00042"] and sending.send_due(now=world.now) == 0
    browser = Client()
    browser.force_login(olga)
    for address in ("/customer-messages/", f"/customer-messages/{only().key}/"):
        assert "has passed" in browser.get(address).content.decode()
    world.write("sale.order", ORDER, commitment_date=days(world, 2))
    assert only().passed(world.now) == [] and "has passed" not in browser.get("/customer-messages/").content.decode()


def test_a_rule_keeps_to_the_teams_hours_and_to_more_than_one_message_where_the_parameter_says_so(
    world: World, olga: User, mia: User
) -> None:
    team, _ = Team.objects.get_or_create(slug="sales", defaults={"name": "Sales"})
    hours = {str(day): [["06:00", "09:00"]] for day in range(5)}
    WorkingCalendar.objects.create(team=team, time_zone="Europe/Berlin", hours=hours, holidays_of="DE")
    promised_later(world, olga)
    rules.switch(world.connection, 1, CUSTOMER, sends=True, by=mia, now=world.now)
    parameter_values.set_value("customer_later_days", 60, by=person("anna", Role.ADMIN), now=world.now)
    parameter_values.set_value("customer_messages_a_day", 2, by=User.objects.get(username="anna"), now=world.now)

    def at(moment: datetime) -> int:
        world.now = moment
        return sending.send_due(now=moment)

    tuesday = datetime(2026, 11, 24, 5, 30, tzinfo=world.now.tzinfo)  # 06:30 in Berlin
    assert [at(tuesday - timedelta(hours=1)), at(tuesday), at(tuesday)] == [0, 1, 0]
    for number, order in enumerate((43, 44)):
        promised_later(world, olga, order, purchase_id=81 + number)
        assert at(tuesday + timedelta(minutes=40 * (number + 1))) == (1 if number == 0 else 0)
    assert at(tuesday + timedelta(days=1, hours=1)) == 1
    assert CustomerMessage.objects.count() == 3


def test_what_only_another_case_decides_is_not_told_on_the_first(world: World, olga: User) -> None:
    promised_later(world, olga, 42)
    promised_later(world, olga, 43, purchase_id=81)
    first, second = (ExceptionCase.objects.get(type="purchase.supplier_delay", odoo_id=purchase_id) for purchase_id in (80, 81))
    of_first, of_second = only().told
    assert of_first.new_date.decision.startswith(f"exception:{first.pk}:")
    assert of_second.new_date.decision.startswith(f"exception:{second.pk}:")
