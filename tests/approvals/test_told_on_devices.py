"""A new request, its reminder and its escalation reach the devices of those whose word is wanted."""

from datetime import timedelta

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves, undoing
from apps.notifications import preferences
from apps.notifications.models import Device, Push
from apps.timers import due
from tests.world import World


def on_their_way() -> list[tuple[str, str, str]]:
    rows = Push.objects.order_by("id").values_list("device__user__username", "notification__kind", "notification__path")
    return list(rows)


def test_new_reminded_and_escalated_requests_reach_the_right_devices(world: World) -> None:
    for user in User.objects.filter(username__in=["adam", "mia", "olga"]):
        Device.objects.create(user=user, endpoint=f"https://push.example.com/{user.pk}", p256dh="k", auth="a", created_at=world.now)
    world.held_order()
    request = Request.objects.get()
    page = f"/approvals/{request.pk}/"
    assert on_their_way() == [("adam", "approval.asked", page)]
    Push.objects.all().delete()
    due.fire_due(now=world.advance(minutes=120))
    assert on_their_way() == [("adam", "approval.reminded", page)]
    Push.objects.all().delete()
    due.fire_due(now=world.advance(minutes=120))
    assert sorted(on_their_way()) == [("adam", "approval.escalation", page), ("mia", "approval.escalated", page)]


def test_what_is_undone_never_reaches_the_device_of_who_asked(world: World) -> None:
    adam, olga = (User.objects.get(username=name) for name in ("adam", "olga"))
    world.held_order()
    Request.objects.update(requested_by_user=olga)
    Device.objects.create(user=olga, endpoint="https://push.example.com/o", p256dh="k", auth="a", created_at=world.now)
    preferences.save(olga, channels={"decided": {"push": True}}, quiet_from=None, quiet_to=None, time_zone="", now=world.now)
    request = Request.objects.get()
    moves.approve(request.pk, by=adam, now=world.now, undo_for=timedelta(seconds=5))
    assert on_their_way() == [("olga", "approval.approved", f"/approvals/{request.pk}/")]
    undoing.undo(request.pk, by=adam, now=world.now)
    assert not Push.objects.exists()
