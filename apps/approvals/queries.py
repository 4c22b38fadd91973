"""Reading requests."""

from datetime import datetime

from django.db.models import Count, F, Prefetch, Q, QuerySet

from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.approvals.models import Assignment, Inquiry, Policy, Request, Status, Step, StepStatus


def requests() -> QuerySet[Request]:
    """Every request, with its steps and the people asked."""
    assignments = Assignment.objects.select_related("user", "delegated_by", "step").order_by("level", "id")
    steps = Step.objects.prefetch_related(Prefetch("assignments", queryset=assignments))
    return Request.objects.select_related("connection", "policy", "decided_by", "requested_by_user").prefetch_related(
        Prefetch("steps", queryset=steps),
        Prefetch("inquiries", queryset=Inquiry.objects.select_related("asked_by")),
    )


def in_sight(access_scope: AccessScope) -> QuerySet[Request]:
    """The requests that are in sight, for every role; who may decide is another question."""
    return requests().filter(access_scope.of_records())


def inbox_of(user: User, access_scope: AccessScope) -> QuerySet[Request]:
    """What waits for this person's word, most urgent first."""
    asked = Assignment.objects.filter(user=user, is_active=True, decision="", step__status=StepStatus.PENDING)
    return in_sight(access_scope).filter(status=Status.PENDING, id__in=asked.values("step__request_id")).order_by("due_at", "id")


def waiting_of(user: User, access_scope: AccessScope, *, now: datetime) -> tuple[int, int]:
    """Return how many requests wait for this person's decision, and how many of them are overdue."""
    asked = inbox_of(user, access_scope).order_by().select_related(None).prefetch_related(None)
    found = asked.aggregate(all=Count("pk"), late=Count("pk", filter=Q(due_at__lte=now)))
    return found["all"], found["late"]


def of_record(connection_id: int, model: str, odoo_id: int, access_scope: AccessScope) -> QuerySet[Request]:
    """The requests of one record, newest first."""
    return in_sight(access_scope).filter(connection_id=connection_id, model=model, odoo_id=odoo_id).order_by("-requested_at")


def in_force(kind: str, *, connection_id: int | None = None, company_id: int | None = None) -> Policy | None:
    """Return the policy that somebody wrote for a company, else for its connection, else for everybody; None where nobody did."""
    rows = Policy.objects.filter(kind=kind, is_active=True)
    near = rows.filter(Q(connection=None) | Q(connection_id=connection_id) & (Q(company_id=None) | Q(company_id=company_id)))
    return near.order_by(F("connection_id").desc(nulls_last=True), F("company_id").desc(nulls_last=True)).first()
