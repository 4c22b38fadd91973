"""A held order that waits for credit: its policy, its request, who is asked, and who says yes."""

from typing import Any

from apps.accounts.models import User
from apps.approvals.models import Assignment, Request
from apps.approvals.policies import policy
from apps.approvals.requests import moves
from apps.audit.models import Entry
from tests.world import World


def user(name: str) -> User:
    return User.objects.get(username=name)


def asks(*who: str, minutes: int = 240) -> list[dict[str, Any]]:
    return [{"ask": {kind: which}, "within_minutes": minutes} for kind, which in (one.split(":") for one in who)]


def step(name: str, *who: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "levels": asks(*who), "fallback": "expire"} | more


def save(world: World, *steps: dict[str, Any], **more: Any) -> None:
    policy.save("credit_override", {"steps": list(steps), **more}, by=user("mia"), now=world.now)


CREDIT = step("Credit control", "role:approver", "role:manager")

MANAGEMENT = step("Management", "role:manager", from_amount=50_000)


def only() -> Request:
    return Request.objects.get()


def standing() -> dict[str, str]:
    return {one.name: one.status for one in only().steps.all()}


def asked(name: str = "") -> list[str]:
    rows = Assignment.objects.filter(is_active=True, decision="", step__status="pending")
    rows = rows.filter(step__name=name) if name else rows
    return sorted(rows.values_list("user__username", flat=True))


def say(world: World, name: str, **more: Any) -> Request:
    return moves.approve(only().pk, by=user(name), now=world.now, **more)


def raised(world: World, amount: float, **more: Any) -> None:
    world.advance(minutes=1)
    world.order(amount=amount, **more)


def last_entry() -> dict[str, Any]:
    return Entry.objects.filter(action="approval.reevaluated").latest("sequence").data
