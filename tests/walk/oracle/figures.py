"""The figures of boards, queue and KPIs, counted again one by one from what they are about."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from apps.accounts.access import scope_of as sight_of
from apps.accounts.models import Role
from apps.approvals.models import Request, Status
from apps.boards.boards import kpis, queries
from apps.boards.boards.kpi import BUSINESS, ORCHESTRATION
from apps.boards.shell.home import home_of
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.workflows import registry as workflows
from apps.workflows.models import Position, Transition

if TYPE_CHECKING:
    from tests.walk.walk import Walk

# A look takes a moment, in which a record may come to be over its target.
MOMENT = timedelta(seconds=20)
KPI_WINDOW = kpis.WINDOW


def _manager(walk: "Walk") -> Any:
    return next(one for one in walk.tower.people if one.role == Role.MANAGER)


def boards_show_what_stands_there(walk: "Walk") -> list[str]:
    """Count, money, lateness and age of each stage are those of the records that stand in it; so are yesterday's moves."""
    found, now = [], clock.now()
    access_scope = sight_of(_manager(walk))
    moves = list(Transition.objects.filter(at__gt=now - timedelta(hours=24), at__lte=now))
    for workflow in workflows.workflows().values():
        standing: dict[str, list[Position]] = defaultdict(list)
        for one in Position.objects.filter(workflow=workflow.name):
            standing[one.stage].append(one)
        for stage in queries.board(workflow, now=now, access_scope=access_scope).stages:
            here, name = standing[stage.stage], f"board {workflow.name}, {stage.stage}"
            arrived = sum(one.workflow == workflow.name and one.to_stage == stage.stage for one in moves)
            if stage.arrived_24h != arrived:
                found.append(f"{name}: {stage.arrived_24h} came in 24 hours; {arrived} moves say so")
            if not stage.is_open:
                continue
            if stage.count != len(here):
                found.append(f"{name}: {stage.count} stand there; counted are {len(here)}")
            found += _money_differs(name, stage, here)
            late = [one for one in here if one.due_at and one.due_at <= now]
            if abs((stage.over_target or 0) - len(late)) > sum(abs(one.due_at - now) < MOMENT for one in here if one.due_at):
                found.append(f"{name}: {stage.over_target} are over the target; counted are {len(late)}")
            ages = [(now - one.since).total_seconds() for one in here]
            if ages and abs((stage.oldest_age_seconds or 0) - max(*ages, 0)) > 2:
                found.append(f"{name}: the oldest stands there for {stage.oldest_age_seconds} s; counted are {max(ages):.0f}")
    return found


def _money_differs(name: str, stage: Any, here: Iterable[Position]) -> list[str]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in here:
        sums[one.currency] += one.amount or 0
    told = {stage.currency: stage.amount or Decimal(0), **stage.other_amounts}
    return [
        f"{name}: {told.get(currency, 0)} {currency}; counted are {sums[currency]}"
        for currency in {*sums, *told}
        if abs(told.get(currency, Decimal(0)) - sums.get(currency, Decimal(0))) > Decimal("0.01")
    ]


def home_counts_what_waits(walk: "Walk") -> list[str]:
    """The tiles of the first page count the cases and requests that are there, for everybody who works here."""
    found, now = [], clock.now()
    cases = list(ExceptionCase.objects.exclude(status="resolved"))
    requests = list(Request.objects.filter(status=Status.PENDING).prefetch_related("steps__assignments"))
    for user in walk.tower.present():
        tiles = {tile.href: tile.number for tile in home_of(user, access_scope=sight_of(user), now=now).tiles}
        asked = sum(
            any(
                answer.user_id == user.pk and answer.is_active and not answer.decision and step.status == "pending"
                for step in request.steps.all()
                for answer in step.assignments.all()
            )
            for request in requests
        )
        counted = {
            "/approvals/": asked,
            "/exceptions/?owner=me": sum(case.owner_id == user.pk for case in cases),
            "/exceptions/?owner=none": sum(case.owner_id is None for case in cases),
        }
        found += [
            f"Home of {user}: {tiles[href]} under {href}; counted are {number}"
            for href, number in counted.items()
            if href in tiles and tiles[href] != number
        ]
    return found


def kpis_are_what_odoo_says(walk: "Walk") -> list[str]:
    """Shipped and received on time, and order to shipment, by the transfers that Odoo calls done."""
    now = clock.now()
    figures = kpis.figures(now=now, access_scope=sight_of(_manager(walk)), kind=BUSINESS)
    told = {one.kpi.name: (one.value, one.count) for one in figures}
    since = (now - KPI_WINDOW).strftime("%Y-%m-%d %H:%M:%S")
    done = walk.rows(
        "stock.picking",
        [("state", "=", "done"), ("date_done", ">", since)],
        [*("picking_type_code", "date_done", "date_deadline", "sale_id", "location_id", "location_dest_id", "company_id")],
    )
    usage = {row["id"]: row["usage"] for row in walk.rows("stock.location", [], ["usage"])}
    ordered = {row["id"]: row["date_order"] for row in walk.rows("sale.order", [], ["date_order"])}
    sold = [row for row in done if row["picking_type_code"] in ("outgoing", "dropship")]
    shipped = [
        row["date_done"] <= row["date_deadline"]
        for row in sold
        if row["date_deadline"] and usage[row["location_dest_id"]] != "supplier"
    ]
    bought = [row for row in done if row["picking_type_code"] == "incoming" and row["date_deadline"]]
    zones = _zones(walk)
    received = [
        _day(row["date_done"], zones[row["company_id"]]) <= _day(row["date_deadline"], zones[row["company_id"]])
        for row in bought
        if usage[row["location_id"]] != "customer"
    ]
    spans = [
        max((_moment(row["date_done"]) - _moment(ordered[row["sale_id"]])).total_seconds(), 0)
        for row in sold
        if ordered.get(row["sale_id"])
    ]
    counted = {
        "shipped_on_time": (sum(shipped) / len(shipped) if shipped else 0, len(shipped)),
        "received_on_time": (sum(received) / len(received) if received else 0, len(received)),
        "order_to_shipment": (median(spans) if spans else 0, len(spans)),
    }
    return [
        f"{name} is {told.get(name)}; by Odoo's transfers it is {value:.4f} of {count}"
        for name, (value, count) in counted.items()
        if count and (told.get(name, (0, 0))[1] != count or abs(told[name][0] - value) > max(abs(value) / 1_000, 0.001))
    ]


def decisions_took_what_the_kpi_says(walk: "Walk") -> list[str]:
    """From asked to decided is the median of the requests that were decided, by workflow."""
    now = clock.now()
    spans: dict[str, list[float]] = defaultdict(list)
    for one in Request.objects.filter(status__in=[Status.APPROVED, Status.REJECTED], decided_at__gt=now - KPI_WINDOW):
        spans[one.workflow].append((one.decided_at - one.requested_at).total_seconds())
    told = {
        one.workflow: (one.value, one.count)
        for one in kpis.figures(now=now, access_scope=sight_of(_manager(walk)), kind=ORCHESTRATION)
        if one.kpi.name == "asked_to_decided"
    }
    return [
        f"asked to decided, {workflow}: {told.get(workflow)}; counted are {median(found):.1f} s of {len(found)}"
        for workflow, found in spans.items()
        if told.get(workflow, (0, 0))[1] != len(found) or abs(told[workflow][0] - median(found)) > 1
    ]


def _zones(walk: "Walk") -> dict[int, ZoneInfo]:
    """The time zone of each company, by Odoo: its partner's."""
    companies = walk.rows("res.company", [], ["partner_id"])
    partners = walk.rows("res.partner", [("id", "in", [row["partner_id"] for row in companies])], ["tz"])
    zones = {row["id"]: row["tz"] for row in partners}
    return {row["id"]: ZoneInfo(zones.get(row["partner_id"]) or "UTC") for row in companies}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _day(text: str, zone: ZoneInfo) -> date:
    return _moment(text).astimezone(zone).date()
