"""Every address of the tower, filled with what a person may not see."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.access import EVERYTHING
from apps.approvals.models import Request
from apps.customers.models import NewDate
from apps.events.models import OutsideEvent
from apps.exceptions.models import CauseGroup, ExceptionCase
from apps.intake.models import Delivery
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.models import Connection
from apps.outbox.models import Command
from apps.vendors.follow_ups import drafts
from apps.vendors.models import Mail, Proposal, VendorLink
from apps.workflows import registry
from apps.workflows.models import Position
from tests.access.conftest import MARK

# Sign-in is allauth's; the probes are for machines inside and name no record.
NOT_OURS = ("accounts/", "metrics", "healthz", "readyz", "api/v1/schema/", "api/v1/docs/")


def patterns(resolver: Any = None, before: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every route with the names of what it takes."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern).lstrip("^")
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        elif isinstance(entry, URLPattern) and not route.startswith(NOT_OURS):
            yield route, re.findall(r"<(?:\w+:)?(\w+)>", route)


def values() -> dict[str, list[Any]]:
    """What there is to fill a route with: things of the other company, and of the other connection."""
    connections = list(Connection.objects.values_list("name", flat=True))
    cases = ExceptionCase.objects.filter(record_name__contains=MARK)
    requests = Request.objects.filter(record_name__contains=MARK)
    positions = Position.objects.filter(name__contains=MARK)
    assert cases and requests and positions
    return {
        "connection": connections,
        "name": connections,
        "source": ["odoo"],
        "secret": ["none"],
        "subject": ["kpis", "order_to_cash"],
        "model": sorted({position.model for position in positions}),
        "odoo_id": sorted({position.odoo_id for position in positions}),
        "workflow": list(registry.workflows()),
        "stage": sorted({stage.name for workflow in registry.workflows().values() for stage in workflow.stages}),
        "case_id": [case.pk for case in cases],
        "group_id": list(CauseGroup.objects.filter(cases__in=cases).values_list("pk", flat=True).distinct()),
        "request_id": [request.pk for request in requests],
        "command_id": list(Command.objects.filter(title__contains=MARK).values_list("pk", flat=True)[:2]),
        "delivery_id": list(Delivery.objects.values_list("pk", flat=True)),
        "action": [
            "take",
            "assign",
            "acknowledge",
            "snooze",
            "resolve",
            "comment",
            "apply",
            "match",
            "dismiss",
            "accept",
            "push-back",
            "mark-sent",
        ],
        "inquiry_id": [1],
        "token": ["none"],
        "key": [*(f"{one.connection_id}-{one.company_id}-{customer}" for one, customer in hidden_dates()), *hidden_follow_ups()],
        "proposal_id": [proposal.pk for proposal in Proposal.objects.filter(order_name__contains=MARK)],
        "file_id": ["00000000-0000-7000-8000-000000000000"],
        "link_id": list(VendorLink.objects.filter(partner_name__contains=MARK).values_list("pk", flat=True)),
        "mail_id": list(Mail.objects.filter(partner_name__contains=MARK).values_list("pk", flat=True)),
        "order_id": [2_000],  # of a vendor's page, which only its link opens
        "kind": list(registry.approval_kinds()),
        "job_id": ["00000000-0000-7000-8000-000000000000"],
        "view_id": [1],  # each is one person's own
        "rule_id": [1],
        "endpoint_id": [1],  # integrators', who see everything
        "number": [1],  # a test of access data, of who sees the whole connection
        "parameter": ["purchase_limit"],  # what rules compare with; what is set where one may not look is left out
        "type_name": ["order.credit_hold"],  # what to do with its exceptions; their figures are of those in sight
        "step": ["take"],
        "code": ["not_found"],  # what an error means
        "language": ["de"],
        "digest": ["none"],  # what the interface says; nothing of any record
        "event_id": list(OutsideEvent.objects.values_list("pk", flat=True)),
    }


def hidden_dates() -> list[tuple[NewDate, int]]:
    """What the hidden company's customers are to be told, each with the customer."""
    found = NewDate.objects.filter(order_name__contains=MARK)
    partners = {
        (one.connection_id, one.odoo_id): one.partner_id
        for one in SaleOrder.objects.filter(odoo_id__in=[date.order_id for date in found])
    }
    return [(date, partners[date.connection_id, date.order_id]) for date in found]


def hidden_follow_ups() -> list[str]:
    """What the hidden companies' vendors are to be written."""
    found = [draft.key for draft in drafts.drafts(EVERYTHING) if MARK in (draft.vendor.name or "")]
    assert found
    return found


def stages_of(workflow: str) -> set[str]:
    """The stages that there are in a workflow."""
    return {stage.name for stage in registry.workflows()[workflow].stages}


def all_of_them() -> list[str]:
    """Every route, filled with everything hidden that it can be filled with."""
    known, found = values(), []
    assert all(known.values()), known
    for route, names in patterns():
        missing = set(names) - set(known)
        assert not missing, f"{route} takes {missing}: say in tests/access/addresses.py what of it is hidden."
        for chosen in product(*(known[name] for name in names)):
            if "stage" in names and chosen[names.index("stage")] not in stages_of(chosen[names.index("workflow")]):
                continue
            address = route
            for name, value in zip(names, chosen, strict=True):
                address = re.sub(rf"<(?:\w+:)?{name}>", str(value), address)
            found.append("/" + address)
    return found
