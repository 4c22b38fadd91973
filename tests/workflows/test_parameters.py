"""Parameters: what is set for everybody, a connection or a company counts at once, in versions that stay."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.access import EVERYTHING
from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError
from apps.approvals.models import Request
from apps.audit.models import Entry
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.pipeline import change_processing, parameter_changes, parameter_preview
from apps.workflows import parameter_values, registry
from apps.workflows.models import ParameterValue, Position
from apps.workflows.parameters import ParameterRefusedError
from apps.workflows.scopes import EVERYBODY, Scope
from tests.world import World, odoo_time


def mia() -> User:
    return User.objects.get(username="mia")


def put(world: World, name: str, value: Any, scope: Scope = EVERYBODY, **more: Any) -> ParameterValue | None:
    return parameter_values.set_value(name, value, scope=scope, by=mia(), now=world.now, **more)


def take_effect(world: World) -> None:
    """What the worker does that is woken."""
    parameter_changes.apply_due(now=world.now)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def buy(world: World, number: int, amount: float, **more: Any) -> None:
    order: dict[str, Any] = {
        "name": f"P{number}",
        "state": "purchase",
        "partner_id": 60,
        "company_id": 1,
        "user_id": 7,
        "amount_total": amount,
        "currency_rate": 1.0,
        "date_order": odoo_time(world.now),
        "date_approve": odoo_time(world.now),
        "date_planned": odoo_time(world.now + timedelta(days=30)),
        "acknowledged": True,
    }
    world.write("purchase.order", number, **order | more)


def stands(number: int) -> Position:
    return Position.objects.get(workflow="procure_to_pay", odoo_id=number)


def test_the_nearest_value_counts(world: World) -> None:
    of_connection, of_company = Scope(connection=world.connection), Scope(connection=world.connection, company_id=1)

    def counts(scope: Scope) -> Decimal:
        (found,) = parameter_values.standing_in(scope, ["purchase_limit"])
        return found.number

    assert counts(of_company) == 10_000
    put(world, "purchase_limit", 8_000)
    assert (counts(EVERYBODY), counts(of_connection), counts(of_company)) == (8_000, 8_000, 8_000)
    put(world, "purchase_limit", "6000.50", of_connection)
    put(world, "purchase_limit", 4_000, of_company)
    assert (counts(EVERYBODY), counts(of_connection), counts(of_company)) == (8_000, Decimal("6000.5"), 4_000)
    put(world, "purchase_limit", None, of_company)
    assert counts(of_company) == Decimal("6000.5")


def test_versions_are_appended_with_who_and_when_and_the_trail_says_so(world: World) -> None:
    put(world, "purchase_limit", 8_000, note="less")
    world.advance(hours=1)
    put(world, "purchase_limit", 9_000)
    put(world, "purchase_limit", None)
    kept = [(one.version, one.number, one.is_current, one.set_by, one.note) for one in ParameterValue.objects.order_by("version")]
    assert kept == [(1, 8_000, False, mia(), "less"), (2, 9_000, False, mia(), ""), (3, None, True, mia(), "")]
    said = [(one.action, one.data["from"], one.data["to"]) for one in Entry.objects.filter(subject="parameter:purchase_limit")]
    assert said == [("parameter.set", None, "8000"), ("parameter.set", "8000", "9000"), ("parameter.reset", "9000", None)]
    assert put(world, "purchase_limit", None) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("purchase_limit", "much"),
        ("purchase_limit", -1),
        ("purchase_limit", "NaN"),
        ("purchase_limit", True),
        ("purchase_limit", "1.0001"),
        ("most_discount_percent", 101),
        ("nothing", 1),
        ("order.credit_hold.due", 0),
        ("order.credit_hold.medium", 50_001),
    ],
)
def test_what_cannot_be_is_refused(world: World, name: str, value: Any) -> None:
    with pytest.raises(ParameterRefusedError):
        put(world, name, value)
    assert not ParameterValue.objects.exists()


def test_what_was_set_meanwhile_is_not_overwritten(world: World) -> None:
    put(world, "purchase_limit", 8_000, version=0)
    with pytest.raises(ParameterRefusedError, match="version 1"):
        put(world, "purchase_limit", 9_000, version=0)


def test_who_sees_one_company_sets_nothing_for_others(world: World) -> None:
    User.objects.filter(username="mia").update(sees=[f"{world.connection.pk}:1"])
    for scope in (EVERYBODY, Scope(connection=world.connection), Scope(connection=world.connection, company_id=2)):
        with pytest.raises(NotAllowedError):
            put(world, "purchase_limit", 8_000, scope)
    put(world, "purchase_limit", 8_000, Scope(connection=world.connection, company_id=1))
    with pytest.raises(NotAllowedError):
        parameter_values.set_value("purchase_limit", 1, by=User.objects.get(username="adam"), now=world.now)


def test_a_lower_limit_asks_at_once_and_a_higher_one_withdraws(world: World) -> None:
    world.write("res.partner", 60, name="Azure", commercial_partner_id=60)
    buy(world, 80, 9_000, state="draft")
    world.write(
        "x_ct_request",
        1,
        x_res_model="purchase.order",
        x_res_id=80,
        x_kind="procurement_threshold",
        x_state="open",
        x_requested_at=odoo_time(world.now),
        x_requested_uid=7,
        x_amount=0,
    )
    assert not Request.objects.exists()
    put(world, "purchase_limit", 5_000, Scope(connection=world.connection, company_id=2))
    take_effect(world)
    assert not Request.objects.exists()
    put(world, "purchase_limit", 5_000, Scope(connection=world.connection, company_id=1))
    take_effect(world)
    asked = Request.objects.get()
    assert (asked.status, asked.context["purchase_limit"]) == ("pending", "5000.00")
    assert stands(80).stage == "awaiting_approval"
    world.advance(minutes=1)
    put(world, "purchase_limit", None, Scope(connection=world.connection, company_id=1))
    take_effect(world)
    asked.refresh_from_db()
    assert asked.status == "cancelled"


def test_another_target_moves_what_is_due_and_what_is_stuck(world: World) -> None:
    world.write("res.partner", 60, name="Azure", commercial_partner_id=60)
    buy(world, 81, 50_000, state="draft")
    assert stands(81).due_at - stands(81).since == timedelta(days=7)
    world.advance(days=3)
    put(world, "procure_to_pay.request.target", 1)
    take_effect(world)
    assert stands(81).due_at - stands(81).since == timedelta(days=1)
    case = ExceptionCase.objects.get(type="procure_to_pay.stuck")
    assert (case.status, case.evidence["stuck_target_days"]) == (Status.OPEN, "1")
    put(world, "procure_to_pay.request.stuck_from", 60_000)
    take_effect(world)
    case.refresh_from_db()
    assert case.status == Status.RESOLVED


def test_severity_and_sla_follow_what_is_set(world: World) -> None:
    world.write("res.partner", 60, name="Azure", commercial_partner_id=60)
    put(world, "procure_to_pay.stuck.due", 2)
    buy(world, 82, 6_000, state="draft")
    world.advance(days=20)
    take_effect(world)
    case = ExceptionCase.objects.get(type="procure_to_pay.stuck")
    assert (case.severity, case.due_at - case.opened_at) == (Severity.MEDIUM, timedelta(hours=2))
    put(world, "procure_to_pay.stuck.high", 5_000)
    take_effect(world)
    case.refresh_from_db()
    assert case.severity == Severity.HIGH


def test_the_preview_says_what_would_change_and_changes_nothing(world: World) -> None:
    world.write("res.partner", 60, name="Azure", commercial_partner_id=60)
    for number in (83, 84):
        buy(world, number, 6_000 + number, state="draft")
    world.advance(days=3)
    shown = parameter_preview.preview("procure_to_pay.request.target", 1, scope=EVERYBODY, access_scope=EVERYTHING, now=world.now)
    assert (shown.records, shown.opened, shown.closed, shown.late, shown.examples) == (2, 2, 0, 2, ["P83", "P84"])
    assert "2 exceptions would open" in shown.sentence
    assert not ParameterValue.objects.exists() and not Entry.objects.filter(action="parameter.set").exists()
    assert not ExceptionCase.objects.exists()
    none = parameter_preview.preview("procure_to_pay.request.target", 6, scope=EVERYBODY, access_scope=EVERYTHING, now=world.now)
    assert none.sentence == "Nothing would change among the 2 open records."


def test_every_parameter_says_what_it_is_and_its_default_is_within_its_bounds() -> None:
    for name, declared in registry.parameters().items():
        one = declared.parameter
        assert one.checked(one.default) == Decimal(str(one.default)), name
        assert one.title and one.help.endswith("."), name
