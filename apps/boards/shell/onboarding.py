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
from apps.odoo.models import Connection, ConnectionState

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
        (
            connection is not None and connection.state == ConnectionState.CONNECTED,
            Step(
                name="connect",
                title=gettext("Add connection"),
                text=gettext("Reads its version, access rights, models and fields. Nothing is written."),
                then=gettext("The connection page shows what the tower can do there."),
                href=page,
                link=gettext("Open the connection") if connection else gettext("Add connection"),
                stands=connection.problem if connection else "",
            ),
        ),
        (
            connection is not None and connection.is_provisioned,
            Step(
                name="provision",
                title=gettext("Provision Odoo"),
                text=gettext(
                    "Hold fields, guards and webhooks are created in Odoo. They are listed first and can be removed without trace."
                ),
                then=gettext("An order over its limit is held in Odoo, and changes are seen within a second."),
                href=page,
                link=gettext("Open the connection"),
                command=f"manage.py provision_odoo {name} --dry-run",
            ),
        ),
        (
            bool(read["all"]) and read["all"] == read["done"],
            Step(
                name="read",
                title=gettext("Run the initial sync"),
                text=gettext("Workers read every model and resume where they stopped."),
                then=gettext("Boards show the stage of every record; exceptions appear in the queue."),
                href=page,
                link=gettext("View progress"),
                command=f"manage.py sync {name} --full",
                stands=gettext("%(done)s of %(all)s models read") % {"done": number(read["done"]), "all": number(read["all"])}
                if read["all"]
                else "",
            ),
        ),
        (
            User.objects.filter(role__in=[Role.APPROVER, Role.MANAGER], is_active=True).exclude(pk=user.pk).exists(),
            Step(
                name="invite",
                title=gettext("Invite approvers"),
                text=gettext("Each person has a role, a limit and an Odoo login, so that nobody decides their own requests."),
                then=gettext("Approvers sign in and find their requests in the inbox."),
                href=reverse("approvals:policies"),
                link=gettext("Assigned to"),
                command="manage.py create_user anna --role approver --limit 50000 --odoo-login anna",
            ),
        ),
        (
            _has_policy(),
            Step(
                name="policy",
                title=gettext("Review your first policy"),
                text=gettext("Every approval type has a default policy. The preview shows its effect on the last month."),
                then=gettext("It defines who decides and when requests escalate."),
                href=reverse("approvals:policies"),
                link=gettext("Open the policies"),
            ),
        ),
    ]
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
