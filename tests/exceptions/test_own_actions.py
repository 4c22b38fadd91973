"""What the tower itself does about an exception: resolving incidents, and reminding approvers."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, Team, User
from apps.accounts.permissions import NotAllowedError
from apps.approvals.errors import SegregationError
from apps.approvals.models import Request
from apps.approvals.requests import moves as approvals
from apps.audit.models import Entry
from apps.core.refusals import Refusal
from apps.exceptions.cases import actions, applying, incident_actions, moves
from apps.exceptions.models import ExceptionCase
from apps.intake.models import Delivery
from apps.notifications.models import Notification
from apps.outbox.models import Command
from tests.exceptions.actions import apply, case_of, offered
from tests.trade import company, days, sale
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    Team.objects.get_or_create(slug="warehouse", defaults={"name": "Warehouse"})
    person("olga", Role.OPERATOR)
    person("ines", Role.INTEGRATOR)
    person("wanda", Role.APPROVER, limit=50_000, team="warehouse")
    return company()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(incident_actions, "wake", lambda task, **arguments: found.append((task, arguments)))
    return found


def user(name: str) -> User:
    return User.objects.get(username=name)


def incident(world: World, kind: str, model: str = "connection", odoo_id: int = 0) -> ExceptionCase:
    number = odoo_id or world.connection.pk
    return case_of(world, kind, model, number, workflow="integration", record_name="main", company_id=None)


def act(world: World, case: ExceptionCase, action: str, by: str = "ines") -> None:
    key = next(iter(offered(world, case)[action]))
    applying.apply(case.pk, action=action, option=key, by=user(by), now=world.now)


def test_a_command_that_failed_is_tried_again_by_an_integrator_alone(world: World) -> None:
    told = {"model": "sale.order", "odoo_id": 42, "lane": f"{world.connection.pk}:sale.order:42", "title": "Confirm S00042"}
    at = {"not_before": world.now, "created_at": world.now, "done_at": world.now}
    command = Command.objects.create(
        connection=world.connection, sequence=1, method="action_confirm", status="refused", problem="No", **told, **at
    )
    case = incident(world, "integration.command_failed", "sale.order", 42)
    assert offered(world, case)["retry_command"] == {str(command.pk): "Confirm S00042"}
    with pytest.raises(NotAllowedError):
        act(world, case, "retry_command", by="olga")
    command.refresh_from_db()
    assert command.status == "refused" and not Entry.objects.filter(action="exception.applied").exists()
    assert "retry_command" not in {offer.action.name for offer in actions.offered(case, now=world.now, by=user("olga"))}
    act(world, case, "retry_command")
    command.refresh_from_db()
    case.refresh_from_db()
    assert (command.status, case.status) == ("queued", "acknowledged")
    assert Entry.objects.get(action="exception.applied").data["said"] == "Try again: Confirm S00042"
    assert "retry_command" not in offered(world, case)


def test_dead_letters_are_replayed(world: World) -> None:
    at = {"received_at": world.now, "not_before": world.now}
    for number in range(3):
        Delivery.objects.create(
            source="odoo", connection=world.connection, key=str(number), model="sale.order", odoo_id=number, status="dead", **at
        )
    case = incident(world, "integration.dead_letters")
    assert offered(world, case)["replay"] == {"now": "3 dead letters are processed once more"}
    act(world, case, "replay")
    assert not Delivery.objects.filter(status="dead").exists()
    with pytest.raises(moves.MoveRefusedError, match="no longer available"):
        applying.apply(case.pk, action="replay", option="now", by=user("ines"), now=world.now)


def test_what_cannot_be_reached_is_asked_again_at_once(world: World, woken: list[tuple[str, dict[str, Any]]]) -> None:
    case = incident(world, "integration.connection_down")
    act(world, case, "check_again", by="olga")
    assert [task for task, _ in woken] == ["pipeline.probe", "health.detect_incidents"]
    assert Command.objects.count() == 0


def test_guards_are_provisioned_again_where_anything_was_ever_set_up(world: World, woken: list[tuple[str, dict[str, Any]]]) -> None:
    case = incident(world, "integration.guards_outdated")
    act(world, case, "provision_again")
    assert woken == [("pipeline.provision", {"connection_id": world.connection.pk})]
    del world.connection.capabilities["models"]["x_ct_request"]
    world.connection.save()
    case = ExceptionCase.objects.select_related("connection").get(pk=case.pk)
    assert "provision_again" not in offered(world, case)


def test_webhooks_are_switched_on_again(world: World) -> None:
    world.connection.hooks_off_at, world.connection.hooks_wanted = world.now, False
    world.connection.save()
    act(world, incident(world, "integration.hooks_off"), "switch_hooks_on")
    world.connection.refresh_from_db()
    assert world.connection.hooks_wanted is True


def test_an_ask_that_nobody_was_asked_about_is_read_again(world: World) -> None:
    world.order(42)
    case = incident(world, "integration.ask_unanswered", "sale.order", 42)
    act(world, case, "read_again", by="olga")
    assert set(Delivery.objects.values_list("model", "odoo_id")) == {("sale.order", 42)}


def test_the_page_of_an_incident_acts_without_a_way_back(world: World, client: Client) -> None:
    case = incident(world, "integration.connection_down")
    client.force_login(user("ines"))
    page = client.get(f"/exceptions/{case.pk}/").content.decode()
    assert "Check again now" in page and "In Odoo: It closes" not in page
    done = client.post(f"/exceptions/{case.pk}/apply/", {"action": "check_again", "option": "now"}, headers={"X-Act": "1"}).json()
    assert "undo" not in done


def waiting(world: World) -> tuple[ExceptionCase, Request]:
    """An approval that Wanda was asked for an hour and a minute ago."""
    world.write("delivery.carrier", 4, name="Express", active=True, delivery_type="fixed", fixed_price=89)
    sale(world, 42, promised_in=-1, reserved=10)
    world.write("stock.picking", 42, state="assigned", scheduled_date=days(world, 2))
    of_it = {"connection_id": world.connection.pk, "kind": "expedited_freight", "model": "sale.order", "odoo_id": 42}
    request = approvals.ask(**of_it, option="4", by=user("olga"), reason="They wait", now=world.now)
    world.advance(minutes=61)
    return ExceptionCase.objects.get(type="order.promise_at_risk"), request


def test_who_has_to_decide_is_reminded_and_not_again_within_the_hour(world: World) -> None:
    case, request = waiting(world)
    ((key, text),) = offered(world, case)["chase_approver"].items()
    assert key == str(request.pk) and text.startswith("Remind Wanda of Expedited freight, due ")
    assert apply(world, case, "chase_approver") == []
    told = Notification.objects.filter(kind="approval.reminded").values_list("user__username", flat=True)
    assert list(told) == ["wanda"]
    assert Entry.objects.get(action="approval.reminded").actor_name == "Olga"
    assert "chase_approver" not in offered(world, case)
    with pytest.raises(Refusal, match="no longer available"):
        applying.apply(case.pk, action="chase_approver", option=key, by=user("olga"), now=world.now + timedelta(minutes=1))
    world.advance(minutes=61)
    assert "chase_approver" in offered(world, case)


def test_nobody_is_reminded_of_what_was_just_asked_or_is_decided(world: World) -> None:
    case, request = waiting(world)
    world.now = request.requested_at
    assert "chase_approver" not in offered(world, case)
    world.advance(minutes=61)
    approvals.approve(request.pk, by=user("wanda"), now=world.now)
    assert "chase_approver" not in offered(world, case)


def test_a_manager_has_the_next_level_asked_at_once_and_never_themselves(world: World) -> None:
    person("mia", Role.MANAGER, limit=90_000)
    person("amir", Role.APPROVER, limit=90_000)
    case, request = waiting(world)
    (key,) = offered(world, case)["ask_next_level"]
    for name in ("olga", "wanda"):
        assert "ask_next_level" not in {one.action.name for one in actions.offered(case, now=world.now, by=user(name))}
        with pytest.raises(NotAllowedError):
            applying.apply(case.pk, action="ask_next_level", option=key, by=user(name), now=world.now)
    # From the warehouse to any approver.
    applying.apply(case.pk, action="ask_next_level", option=key, by=user("mia"), now=world.now)
    step = request.steps.get()
    asked = set(step.assignments.filter(level=1).values_list("user__username", flat=True))
    assert step.level == 1 and "amir" in asked
    assert Entry.objects.get(action="approval.escalated").actor_name == "Mia"
    # The level above is the managers': Mia would decide what she brought there.
    with pytest.raises(SegregationError, match="You would be asked yourself"):
        applying.apply(case.pk, action="ask_next_level", option=key, by=user("mia"), now=world.now)
    step.refresh_from_db()
    assert step.level == 1
