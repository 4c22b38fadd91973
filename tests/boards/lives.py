"""The lives of records, requests and cases, told by hours."""

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.accounts.models import Team, User
from apps.approvals.models import Inquiry, Policy, Request
from apps.events.models import OutsideEvent
from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command
from apps.workflows import registry
from apps.workflows.models import Transition
from tests.world import World

HOUR = 3600
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
NOW = START + timedelta(hours=100)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def moved(world: World, odoo_id: int, *stages: tuple[float, str], workflow: str = "order_to_cash", **more: Any) -> None:
    """A record that came to each of the stages at so many hours."""
    model, before = registry.workflows()[workflow].odoo_model, ""
    for hours, stage in stages:
        Transition.objects.create(
            connection=world.connection,
            workflow=workflow,
            model=model,
            odoo_id=odoo_id,
            from_stage=before,
            to_stage=stage,
            at=at(hours),
            seen_at=at(hours),
            company_id=1,
            **more,
        )
        before = stage


def asked(world: World, odoo_id: int, begins: float, ends: float | None, **more: Any) -> Request:
    policy, _ = Policy.objects.get_or_create(
        kind="credit_override", version=1, defaults={"rules": {}, "created_at": START, "is_active": False}
    )
    given = {
        "kind": "credit_override",
        "workflow": "order_to_cash",
        "model": "sale.order",
        "status": "pending" if ends is None else "approved",
        "decided_at": None if ends is None else at(ends),
        "cause": f"{begins}",
        "company_id": 1,
    }
    return Request.objects.create(
        connection=world.connection,
        odoo_id=odoo_id,
        record_name="S1",
        requested_by="Sofia",
        policy=policy,
        requested_at=at(begins),
        due_at=at(begins + 4),
        **(given | more),
    )


def told(world: World, odoo_id: int, begins: float, ends: float | None, decision: str, model: str = "sale.order") -> Command:
    return Command.objects.create(
        connection=world.connection,
        sequence=Command.objects.count() + 1,
        model=model,
        odoo_id=odoo_id,
        lane=f"{world.connection.pk}:{model}:{odoo_id}",
        title="Release",
        method="write",
        status="queued" if ends is None else "done",
        decision=decision,
        not_before=at(begins),
        created_at=at(begins),
        done_at=None if ends is None else at(ends),
    )


def wanted(request: Request, user: User, begins: float, ends: float | None, *, wants_changes: bool = True) -> None:
    Inquiry.objects.create(
        request=request,
        wants_changes=wants_changes,
        text="Less",
        asked_by=user,
        asked_at=at(begins),
        answered_at=None if ends is None else at(ends),
    )


def event(world: World, number: int, kind: str, hours_in: float) -> None:
    OutsideEvent.objects.create(
        connection=world.connection,
        source="carrier-tracking",
        message=f"{kind}{hours_in}",
        position=0,
        kind=kind,
        reference="T",
        occurred_at=at(hours_in),
        received_at=at(hours_in),
        model="stock.picking",
        status="matched",
        odoo_id=number,
    )


def opened(world: World, odoo_id: int, hours_in: float, **more: Any) -> ExceptionCase:
    team = Team.objects.get(slug="finance")
    given = {"type": "order.credit_hold", "workflow": "order_to_cash", "model": "sale.order", "severity": 2, "team": team}
    return ExceptionCase.objects.create(
        connection=world.connection,
        odoo_id=odoo_id,
        record_name="S1",
        partner_name="Azure Interior",
        opened_at=at(hours_in),
        updated_at=at(hours_in),
        company_id=1,
        **(given | more),
    )
