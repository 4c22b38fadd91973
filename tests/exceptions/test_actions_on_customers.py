"""What customers hear: a reminder of all that is overdue, and the end of a ticket."""

from typing import Any

import pytest

from apps.accounts.models import Role
from apps.exceptions.cases import applying, moves
from apps.outbox.models import Command
from tests.exceptions.actions import apply, case_of, offered
from tests.trade import company
from tests.world import World, person

OVERDUE = "invoice.overdue_exposure"


@pytest.fixture
def world(db: None) -> World:
    """Two invoices of one customer are overdue, the older for ten days; a third is not due yet."""
    person("olga", Role.OPERATOR)
    made = company()
    made.write("res.partner", 50, email="books@azure.test", lang="de_DE")
    for odoo_id, due, open_sum in ((600, "2026-11-13", 1_200), (601, "2026-11-20", 300), (602, "2026-12-20", 5_000)):
        invoice(made, odoo_id, invoice_date_due=due, amount_residual=open_sum)
    return made


def invoice(world: World, odoo_id: int, **values: Any) -> None:
    said = {
        "name": f"INV/{odoo_id}",
        "move_type": "out_invoice",
        "state": "posted",
        "payment_state": "not_paid",
        "partner_id": 50,
        "commercial_partner_id": 50,
        "company_id": 1,
        "currency_id": 1,
        "invoice_user_id": 7,
    }
    world.write("account.move", odoo_id, **said | values)


def test_the_customer_is_reminded_of_all_that_is_overdue_in_their_language(world: World) -> None:
    case = case_of(world, OVERDUE, "account.move", 600)
    text = "Reminder 1 to Azure Interior: 2 invoices, 1,500.00 EUR, the oldest due on 2026-11-13"
    assert offered(world, case)["remind_customer"] == {"1-EUR-1500": text}
    with pytest.raises(applying.ConfirmationNeededError, match="Azure Interior gets this message: "):
        apply(world, case, "remind_customer", is_confirmed=False)
    (message,) = apply(world, case, "remind_customer")
    assert (message.model, message.odoo_id, message.method) == ("account.move", 600, "message_post")
    assert message.arguments["partner_ids"] == [50]
    body = message.arguments["body"]
    for said in ("INV/600: 1.200,00 EUR", "INV/601: 300,00 EUR", "1.500,00 EUR", "30.11.2026", "Nordlicht"):
        assert said in body, body
    assert "INV/602" not in body
    assert "remind_customer" not in offered(world, case)


def test_what_the_customer_was_credited_is_taken_off_what_is_owed(world: World) -> None:
    credit: dict[str, Any] = {"name": "RINV/700", "move_type": "out_refund", "invoice_date_due": "2026-12-20"}
    invoice(world, 700, amount_residual=400, **credit)
    case = case_of(world, OVERDUE, "account.move", 600)
    (message,) = apply(world, case, "remind_customer", "1-EUR-1100")
    assert "RINV/700: -400,00 EUR" in message.arguments["body"] and "1.100,00 EUR" in message.arguments["body"]
    invoice(world, 700, amount_residual=1_500, **credit)
    assert "remind_customer" not in offered(world, case)


@pytest.mark.parametrize(("due", "step"), [("2026-11-13", 1), ("2026-11-05", 2), ("2026-10-20", 3)])
def test_a_reminder_is_firmer_the_longer_the_oldest_is_due(world: World, due: str, step: int) -> None:
    invoice(world, 600, invoice_date_due=due, amount_residual=1_200)
    case = case_of(world, OVERDUE, "account.move", 600)
    assert list(offered(world, case)["remind_customer"]) == [f"{step}-EUR-1500"]


def test_sums_of_two_currencies_are_two_reminders(world: World) -> None:
    world.write("res.currency", 2, name="USD", decimal_places=2, active=True)
    invoice(world, 603, invoice_date_due="2026-11-19", amount_residual=80, currency_id=2)
    case = case_of(world, OVERDUE, "account.move", 600)
    assert list(offered(world, case)["remind_customer"]) == ["1-EUR-1500", "1-USD-80"]


def test_what_another_company_is_owed_is_none_of_it(world: World) -> None:
    invoice(world, 601, invoice_date_due="2026-11-20", amount_residual=300, company_id=2)
    case = case_of(world, OVERDUE, "account.move", 600)
    assert list(offered(world, case)["remind_customer"]) == ["1-EUR-1200"]


def test_what_was_paid_meanwhile_is_not_reminded_of(world: World) -> None:
    case = case_of(world, OVERDUE, "account.move", 600)
    invoice(world, 601, invoice_date_due="2026-11-20", amount_residual=0, payment_state="paid")
    case = case_of(world, OVERDUE, "account.move", 600)
    with pytest.raises(moves.MoveRefusedError, match="no longer available"):
        apply(world, case, "remind_customer", "1-EUR-1500")
    assert not Command.objects.exists()


def test_nobody_is_written_to_without_an_address(world: World) -> None:
    world.write("res.partner", 50, email=False)
    assert "remind_customer" not in offered(world, case_of(world, OVERDUE, "account.move", 600))


def test_a_ticket_is_closed_or_waits_for_the_customer(world: World) -> None:
    for stage, name, more in ((1, "New", {"unattended": True}), (3, "On hold", {}), (4, "Done", {"closed": True})):
        world.write("helpdesk.ticket.stage", stage, name=name, sequence=stage, **more)
    world.write("helpdesk.ticket", 70, name="Broken leg", number="T70", stage_id=1, partner_id=50, company_id=1, active=True)
    case = case_of(world, "service.ticket_at_risk", "helpdesk.ticket", 70)
    found = offered(world, case)
    assert found["close_ticket"] == {"4": "Close it as Done"}
    assert found["wait_for_customer"] == {"3": "Move it to On hold, where its SLA does not count"}
    with pytest.raises(applying.ConfirmationNeededError, match="Azure Interior has been answered, and T70 Broken leg is closed"):
        apply(world, case, "close_ticket", is_confirmed=False)
    (close,) = apply(world, case, "close_ticket")
    assert (close.arguments, close.precondition) == ({"vals": {"stage_id": 4}}, [["stage_id", "=", 1]])
    assert close.postcondition == [["stage_id", "=", 4]]
