"""The way from an empty tower to a working one: five steps, each with its true state. Gone once all are done."""

from dataclasses import dataclass, replace
from typing import Literal

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext

from apps.accounts.models import Role, User
from apps.approvals.models import Policy, Request, Status
from apps.core.templatetags.show import number
from apps.mirror.state import SyncState
from apps.odoo.models import Connection

# Who sets the tower up; everybody else finds it working.
GUIDED = frozenset({Role.ADMIN, Role.INTEGRATOR})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        state: done, now (the first that is not done) or later.
        stands: how far it is, where it has begun.
        then: what is seen once it is done.
        command: what does it on the command line, where no page does.
    """

    name: str
    title: str
    text: str
    then: str
    href: str
    link: str
    command: str = ""
    stands: str = ""
    state: Literal["done", "now", "later"] = "later"


def steps_for(user: User) -> list[Step]:
    """The steps for somebody who sets the tower up; none for anybody else, and none once all are done."""
    if user.role not in GUIDED:
        return []
    connection = Connection.objects.filter(is_active=True).order_by("created_at", "pk").first()
    name = connection.name if connection else "main"
    page = reverse("connections:detail", args=[name]) if connection else reverse("connections:add")
    read = SyncState.objects.filter(connection__is_active=True).aggregate(
        all=Count("pk"), done=Count("pk", filter=Q(backfill_done_at__isnull=False))
    )
    steps = [
        (connection is not None and connection.state == "connected", Step(
            name="connect", title=gettext("Connect an Odoo"),
            text=gettext("The tower asks it for its version, rights, models and fields. Nothing is written."),
            then=gettext("The connection says what the tower can and cannot do there."),
            href=page, link=gettext("Open the connection") if connection else gettext("Connect an Odoo"),
            stands=connection.problem if connection else "",
        )),
        (connection is not None and connection.is_provisioned, Step(
            name="provision", title=gettext("Set it up inside Odoo"),
            text=gettext("Hold fields, guards and webhooks are made there, listed first and removable without trace."),
            then=gettext("An order over its limit is held in Odoo, and changes are seen within a second."),
            href=page, link=gettext("Open the connection"), command=f"manage.py provision_odoo {name} --dry-run",
        )),
        (bool(read["all"]) and read["all"] == read["done"], Step(
            name="read", title=gettext("Read it for the first time"),
            text=gettext("Workers read every model by themselves, and go on where they stopped."),
            then=gettext("The boards show where every record stands; exceptions appear in the queue."),
            href=page, link=gettext("See how far it is"), command=f"manage.py sync {name} --full",
            stands=gettext("%(done)s of %(all)s models read") % {"done": number(read["done"]), "all": number(read["all"])}
            if read["all"] else "",
        )),
        (User.objects.filter(role__in=[Role.APPROVER, Role.MANAGER], is_active=True).exclude(pk=user.pk).exists(), Step(
            name="invite", title=gettext("Invite those who decide"),
            text=gettext("Each person has a role, a limit, and their login in Odoo, so that nobody decides on their own."),
            then=gettext("They sign in, and find in their inbox what waits for them."),
            href=reverse("approvals:policies"), link=gettext("Who is asked"),
            command="manage.py create_user anna --role approver --limit 50000 --odoo-login anna",
        )),
        (_has_policy(), Step(
            name="policy", title=gettext("Make the first policy yours"),
            text=gettext("Every kind of approval has one from the start. Its preview says what it would have meant last month."),
            then=gettext("Requests are asked of the people it names, and escalate in its time."),
            href=reverse("approvals:policies"), link=gettext("Open the policies"),
        )),
    ]  # fmt: skip
    if all(is_done for is_done, _ in steps):
        return []
    first = next(step.name for is_done, step in steps if not is_done)
    return [_with_state(step, "done" if is_done else "now" if step.name == first else "later") for is_done, step in steps]


def _has_policy() -> bool:
    """Whether somebody saved a policy, or decided by the one that was declared: then it is theirs."""
    return (
        Policy.objects.filter(created_by__isnull=False).exists()
        or Request.objects.filter(status__in=[Status.APPROVED, Status.REJECTED], decided_by__isnull=False).exists()
    )


def _with_state(step: Step, state: Literal["done", "now", "later"]) -> Step:
    return replace(step, state=state, stands="" if state == "done" else step.stands)
