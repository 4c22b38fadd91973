"""REST: boards and figures."""

from collections.abc import Mapping
from typing import Any

from django.db import connection as database
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.requests import PersonsCall
from apps.boards.boards import kpi_catalogue, kpi_records, kpis, queries, targets
from apps.boards.boards.asked import NARROWING, RANGE, asked_days, asked_scope
from apps.boards.boards.kpi import BUSINESS, ORCHESTRATION, SIDES, Unit
from apps.boards.boards.kpi_slices import BOARD_SLICES, SLICES, Part, Slice, slices_of
from apps.core import clock
from apps.core.rest import moment, money
from apps.odoo import request_scope
from apps.workflows import registry


class StageShape(serializers.Serializer[Any]):
    """One stage of a board."""

    stage = serializers.CharField()
    title = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)
    amount = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    median_age_seconds = serializers.IntegerField(allow_null=True)
    oldest_age_seconds = serializers.IntegerField(allow_null=True)
    over_target = serializers.IntegerField(allow_null=True)
    arrived_24h = serializers.IntegerField()
    departed_24h = serializers.IntegerField()


class BoardShape(serializers.Serializer[Any]):
    """A workflow, stage by stage."""

    workflow = serializers.CharField()
    title = serializers.CharField()
    at = serializers.DateTimeField()
    bottleneck = serializers.CharField()
    stages = StageShape(many=True)


PARTNERS = [OpenApiParameter(side, int, description=f"Only figures of this {side}, by its number in Odoo.") for side in SIDES]


ONLY_PART = "Only of this part, by its number in Odoo; goes with a connection."
PARTS = [OpenApiParameter(name, int, description=ONLY_PART) for name in SLICES]
BOARD_PARTS = [OpenApiParameter(name, int, description=ONLY_PART) for name in BOARD_SLICES]


def _part(request: PersonsCall, slices: Mapping[str, Slice] = SLICES) -> Part | None:
    """Return the part of the business that is asked for. Raises ValidationError."""
    asked = {name: request.query_params[name] for name in slices if request.query_params.get(name)}
    choice = request_scope.choice_in(request.query_params)
    for name, number in asked.items():
        if choice is None or not request_scope.is_number(number):
            raise ValidationError({name: ["This must be a whole number, and goes with a connection."]})
    return (
        Part(connection_id=choice[0], numbers={name: int(number) for name, number in asked.items()}) if asked and choice else None
    )


def _partner(request: PersonsCall) -> tuple[str, int, int] | None:
    """Return whose figures are asked for, as :func:`kpis.figures` takes it. Raises ValidationError."""
    asked = [side for side in SIDES if request.query_params.get(side)]
    if not asked:
        return None
    choice = request_scope.choice_in(request.query_params)
    number = request.query_params[asked[0]]
    if len(asked) > 1 or choice is None or not request_scope.is_number(number):
        raise ValidationError({asked[0]: ["This must be a whole number, goes with a connection, and names one side only."]})
    return asked[0], choice[0], int(number)


class Board(APIView):
    """The board of one workflow."""

    @extend_schema(responses=BoardShape, parameters=[*NARROWING, *BOARD_PARTS])
    def get(self, request: PersonsCall, workflow: str) -> Response:
        """Where the work of one workflow stands now: of all in sight, or of the part of the business that is asked for."""
        found = registry.workflows().get(workflow)
        if found is None:
            raise Http404(f"There is no workflow {workflow}; there is: {', '.join(registry.workflows())}.")
        known = slices_of([found.odoo_model])
        if strange := [name for name in BOARD_SLICES if request.query_params.get(name) and name not in known]:
            told = f"This board has the filters: {', '.join(known) or 'none'}."
            raise ValidationError({name: [told] for name in strange})
        board = queries.board(found, now=clock.now(), access_scope=asked_scope(request), part=_part(request, known))
        return Response(
            {
                "workflow": found.name,
                "title": found.title,
                "at": moment(board.at),
                "bottleneck": board.bottleneck,
                "stages": [
                    {
                        "stage": stage.stage,
                        "title": stage.title,
                        "count": stage.count,
                        "amount": money(stage.amount, stage.currency),
                        "currency": stage.currency,
                        "median_age_seconds": stage.median_age_seconds,
                        "oldest_age_seconds": stage.oldest_age_seconds,
                        "over_target": stage.over_target,
                        "arrived_24h": stage.arrived_24h,
                        "departed_24h": stage.departed_24h,
                    }
                    for stage in board.stages
                ],
            }
        )


class DayShape(serializers.Serializer[Any]):
    """One day of a trend."""

    day = serializers.DateField()
    value = serializers.FloatField()
    count = serializers.IntegerField()


class FigureShape(serializers.Serializer[Any]):
    """One figure of one workflow over the range that is asked for: a share as a part of one, a time as the median in seconds.

    A sum is in ``currency``, that of the companies which it is of. ``p90`` is the time within which nine of ten ended, null for a
    share or sum. A figure without data is not listed. ``before`` is the same figure over the range before, which is as long; null
    without data. ``target`` and ``is_met`` are null where nobody set a target.
    """

    kpi = serializers.CharField()
    title = serializers.CharField()
    workflow = serializers.CharField()
    unit = serializers.ChoiceField([unit.value for unit in Unit])
    value = serializers.FloatField()
    currency = serializers.CharField(allow_blank=True)
    p90 = serializers.FloatField(allow_null=True)
    before = serializers.FloatField(allow_null=True)
    before_count = serializers.IntegerField()
    target = serializers.FloatField(allow_null=True)
    is_met = serializers.BooleanField(allow_null=True)
    count = serializers.IntegerField()
    trend = DayShape(many=True)


class KpiShape(serializers.Serializer[Any]):
    """How things stand now, and figures of the business and of the orchestration, told apart."""

    at = serializers.DateTimeField()
    exceptions_open = serializers.IntegerField()
    exceptions_unowned = serializers.IntegerField()
    exceptions_over_sla = serializers.IntegerField()
    approvals_pending = serializers.IntegerField()
    approvals_over_due = serializers.IntegerField()
    asked_to_decided_seconds = serializers.FloatField(allow_null=True)
    decided_to_effect_seconds = serializers.FloatField(allow_null=True)
    opened_to_resolved_seconds = serializers.FloatField(allow_null=True)
    commands_done_24h = serializers.IntegerField()
    commands_stopped = serializers.IntegerField()
    business = FigureShape(many=True)
    orchestration = FigureShape(many=True)


def _shown(figure: kpis.Figure) -> dict[str, Any]:
    return {
        "kpi": figure.kpi.name,
        "title": figure.kpi.title,
        "workflow": figure.workflow,
        "unit": figure.kpi.unit.value,
        "value": figure.value,
        "currency": figure.currency,
        "p90": figure.p90,
        "before": figure.before,
        "before_count": figure.before_count,
        "target": figure.target,
        "is_met": figure.is_met,
        "count": figure.count,
        "trend": [{"day": point.day.isoformat(), "value": point.value, "count": point.count} for point in figure.trend],
    }


KPIS = """
WITH cases AS NOT MATERIALIZED (SELECT * FROM exceptions_exceptioncase c WHERE {cases}),
     requests AS NOT MATERIALIZED (SELECT * FROM approvals_request r WHERE {requests}),
     commands AS NOT MATERIALIZED (SELECT * FROM outbox_command o WHERE {commands})
SELECT (SELECT count(*) FROM cases WHERE status <> 'resolved') AS exceptions_open,
       (SELECT count(*) FROM cases WHERE status <> 'resolved' AND owner_id IS NULL) AS exceptions_unowned,
       (SELECT count(*) FROM cases WHERE status <> 'resolved' AND due_at < %(now)s) AS exceptions_over_sla,
       (SELECT count(*) FROM requests WHERE status = 'pending') AS approvals_pending,
       (SELECT count(*) FROM requests WHERE status = 'pending' AND due_at < %(now)s) AS approvals_over_due,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - requested_at))
          FROM requests
         WHERE status IN ('approved', 'rejected') AND decided_at > %(now)s - interval '30 days') AS asked_to_decided_seconds,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM done_at - created_at))
          FROM commands
         WHERE status = 'done' AND done_at > %(now)s - interval '30 days' AND decision <> '') AS decided_to_effect_seconds,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM resolved_at - opened_at))
          FROM cases
         WHERE resolved_at > %(now)s - interval '30 days') AS opened_to_resolved_seconds,
       (SELECT count(*) FROM commands
         WHERE status = 'done' AND done_at > %(now)s - interval '1 day') AS commands_done_24h,
       (SELECT count(*) FROM commands WHERE status IN ('refused', 'dead')) AS commands_stopped
"""


class Kpis(APIView):
    """Figures of the business and of the orchestration."""

    @extend_schema(responses=KpiShape, parameters=[*NARROWING, *PARTNERS, *PARTS, *RANGE])
    def get(self, request: PersonsCall) -> Response:
        """How well the business does, and how fast what is found gets an owner, an answer and its effect."""
        now, shown, partner = clock.now(), asked_scope(request), _partner(request)
        with database.cursor() as cursor:
            cursor.execute(KPIS.format(cases=shown.sql("c"), requests=shown.sql("r"), commands=shown.sql("o")), {"now": now})
            names = [column.name for column in cursor.description]
            standing = dict(zip(names, cursor.fetchone(), strict=True))
        days = asked_days(request, shown, now)
        found = kpis.figures(now=days.until, since=days.since, access_scope=shown, of_partner=partner, part=_part(request))
        told = {kind: [_shown(one) for one in found if one.kpi.kind == kind] for kind in (BUSINESS, ORCHESTRATION)}
        return Response({"at": moment(now), **standing, **told})


class CountedSerializer(serializers.Serializer[Any]):
    """One record that a figure counts: 1 or 0, the part, the seconds or the sum that it adds."""

    connection = serializers.CharField()
    model = serializers.CharField()
    odoo_id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    at = serializers.DateTimeField()
    value = serializers.FloatField()
    currency = serializers.CharField(allow_blank=True)


class CountedPage(serializers.Serializer[Any]):
    """Fifty of them, the worst first; ``next_offset`` is null on the last page."""

    next_offset = serializers.IntegerField(allow_null=True)
    results = CountedSerializer(many=True)


class KpiRecords(APIView):
    """The records behind one figure."""

    @extend_schema(
        responses=CountedPage,
        parameters=[
            *NARROWING,
            *PARTNERS,
            *PARTS,
            *RANGE,
            OpenApiParameter("workflow", str, required=True),
            OpenApiParameter("missed", int, description="1: only what missed."),
            OpenApiParameter("offset", int),
        ],
    )
    def get(self, request: PersonsCall, name: str) -> Response:
        """What a figure counts: over all pages, its mean (a share), median (a time) or total (a sum) is the figure."""
        asked = request.query_params
        offset = asked.get("offset", "0")
        if not request_scope.is_number(offset):
            raise ValidationError({"offset": ["This must be a whole number."]})
        kpi = next((one for one in kpi_catalogue.KPIS if one.name == name), None)
        if kpi is None:
            raise Http404(f"There is no such figure; there is: {', '.join(one.name for one in kpi_catalogue.KPIS)}.")
        shown = asked_scope(request)
        days = asked_days(request, shown, clock.now())
        rows = kpi_records.records_behind(
            kpi,
            asked.get("workflow", ""),
            now=days.until,
            since=days.since,
            access_scope=shown,
            of_partner=_partner(request),
            part=_part(request),
            only_missed=asked.get("missed") == "1",
            offset=int(offset),
        )
        results = [
            {
                "connection": row.connection,
                "model": row.model,
                "odoo_id": row.odoo_id,
                "name": row.name,
                "url": row.url,
                "at": moment(row.at),
                "value": row.value,
                "currency": row.currency,
            }
            for row in rows[: kpi_records.PAGE_SIZE]
        ]
        following = int(offset) + kpi_records.PAGE_SIZE if len(rows) > kpi_records.PAGE_SIZE else None
        return Response({"next_offset": following, "results": results})


class TargetGiven(serializers.Serializer[Any]):
    """What a figure is to aim at: a share of one, or seconds; null for what is usual."""

    target = serializers.FloatField(allow_null=True)


class Target(APIView):
    """The target of one figure."""

    @extend_schema(request=TargetGiven, responses=TargetGiven)
    def post(self, request: PersonsCall, name: str) -> Response:
        """Set what the figure is held against from now on."""
        given = TargetGiven(data=request.data)
        given.is_valid(raise_exception=True)
        targets.set_target(name, given.validated_data["target"], by=request.user, now=clock.now())
        return Response({"target": kpis.targets().get(name, targets.called(name).target)})
