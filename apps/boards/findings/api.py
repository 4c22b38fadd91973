"""REST: process findings."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import AccessScope
from apps.accounts.requests import PersonsCall
from apps.boards.boards.asked import NARROWING, RANGE, asked_days, asked_scope
from apps.boards.boards.date_range import DateRange
from apps.boards.findings import catalogue, summing
from apps.boards.findings.summing import Sum
from apps.core import clock
from apps.core.rest import moment, money
from apps.odoo import request_scope
from apps.workflows import registry

NAMES = ("workflow", "since", "until", "connection", "company", "format")


class AmountShape(serializers.Serializer[Any]):
    """Money in the currency of companies."""

    amount = serializers.CharField()
    currency = serializers.CharField()


class SumShape(serializers.Serializer[Any]):
    """What some records come to, each of them once.

    ``seconds`` is working time of the teams that had them, null where no time can be said. With ``is_by_clock`` some of these teams
    have no working hours, so that nights and weekends count.
    """

    count = serializers.IntegerField()
    amounts = AmountShape(many=True)
    times = serializers.IntegerField()
    seconds = serializers.IntegerField(allow_null=True)
    is_by_clock = serializers.BooleanField()


class FindingPartShape(SumShape):
    """One part of a finding, in words as well."""

    part = serializers.CharField(help_text="For the records of it")
    text = serializers.CharField()


class FindingShape(SumShape):
    """One finding of one workflow; ``sample`` is how many records were looked at."""

    finding = serializers.CharField()
    title = serializers.CharField()
    meaning = serializers.CharField()
    help = serializers.CharField()
    unit = serializers.CharField(help_text="What times counts")
    workflow = serializers.CharField()
    sample = serializers.IntegerField()
    parts = FindingPartShape(many=True)


class FindingsShape(serializers.Serializer[Any]):
    """What was found, the most money first. What was not looked for, as nothing happened, is not listed."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    results = FindingShape(many=True)


class FoundRecordShape(serializers.Serializer[Any]):
    """One record of a finding; ``at`` is its latest time in these days."""

    connection = serializers.CharField()
    model = serializers.CharField()
    odoo_id = serializers.IntegerField()
    name = serializers.CharField()
    partner_name = serializers.CharField()
    stage = serializers.CharField()
    amount = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    at = serializers.DateTimeField()
    times = serializers.IntegerField()
    seconds = serializers.IntegerField(allow_null=True)
    is_by_clock = serializers.BooleanField()


class FoundRecordsPage(serializers.Serializer[Any]):
    """Fifty of them, the most money first; ``next_offset`` is null on the last page."""

    next_offset = serializers.IntegerField(allow_null=True)
    results = FoundRecordShape(many=True)


def _asked(request: PersonsCall, *more: str) -> tuple[AccessScope, DateRange]:
    """What is asked for: of which records in sight, and of which days. Raises ValidationError."""
    asked = request.query_params
    problems = {name: ["There is no such parameter."] for name in asked if name not in (*NAMES, *more)}
    if asked.get("workflow", "") not in ("", *registry.workflows()):
        problems["workflow"] = ["There is no such workflow."]
    if problems:
        raise ValidationError(problems)
    shown = asked_scope(request)
    return shown, asked_days(request, shown, clock.now())


def _sum(one: Sum) -> dict[str, Any]:
    return {
        "count": one.count,
        "amounts": [{"amount": money(amount, currency), "currency": currency} for currency, amount in one.amounts],
        "times": one.times,
        "seconds": one.seconds,
        "is_by_clock": one.is_by_clock,
    }


class Findings(APIView):
    """Process findings of all workflows, or of one."""

    @extend_schema(responses=FindingsShape, parameters=[OpenApiParameter("workflow", str), *RANGE, *NARROWING])
    def get(self, request: PersonsCall) -> Response:
        """Where work did not go straight ahead: rework, ping-pong, skipped steps and the like, with its records, money and time."""
        shown, days = _asked(request)
        name = request.query_params.get("workflow", "")
        chosen = [registry.workflows()[name]] if name else []
        found = summing.sums(since=days.since, until=days.until, access_scope=shown, workflows=chosen)
        results = [
            {
                "finding": one.finding.name,
                "title": one.finding.title,
                "meaning": one.finding.meaning,
                "help": one.finding.help,
                "unit": one.finding.unit,
                "workflow": one.workflow.name,
                "sample": one.sample,
                **_sum(one.whole),
                "parts": [{"part": part.key, "text": part.text, **_sum(part.sum)} for part in one.parts],
            }
            for one in found
        ]
        return Response({"since": moment(days.since), "until": moment(days.until), "results": results})


class FindingRecords(APIView):
    """The records of one finding."""

    @extend_schema(
        responses=FoundRecordsPage,
        parameters=[
            OpenApiParameter("workflow", str, required=True),
            OpenApiParameter("part", str, description="Of one part of it, as the finding lists it."),
            OpenApiParameter("offset", int),
            *RANGE,
            *NARROWING,
        ],
    )
    def get(self, request: PersonsCall, name: str) -> Response:
        """What a finding counts in one workflow, each record once."""
        shown, days = _asked(request, "part", "offset")
        asked, finding = request.query_params, catalogue.called(name)
        if finding is None:
            raise Http404(f"There is no such finding; there is: {', '.join(one.name for one in catalogue.FINDINGS)}.")
        offset, part = asked.get("offset") or "0", asked.get("part", "")
        if not request_scope.is_number(offset):
            raise ValidationError({"offset": ["This must be a whole number."]})
        if "\x00" in part:
            raise ValidationError({"part": ["This holds a NUL character."]})
        if not asked.get("workflow"):
            raise ValidationError({"workflow": ["Name the workflow."]})
        rows = summing.records(
            finding,
            registry.workflows()[asked["workflow"]],
            since=days.since,
            until=days.until,
            access_scope=shown,
            part=part.split("~") if part else None,
            offset=int(offset),
        )
        results = [
            {
                "connection": row.connection,
                "model": row.model,
                "odoo_id": row.odoo_id,
                "name": row.name,
                "partner_name": row.partner_name,
                "stage": row.stage,
                "amount": money(row.amount, row.currency),
                "currency": row.currency,
                "at": moment(row.at),
                "times": row.times,
                "seconds": row.seconds,
                "is_by_clock": row.is_by_clock,
            }
            for row in rows[: summing.PAGE_SIZE]
        ]
        following = int(offset) + summing.PAGE_SIZE if len(rows) > summing.PAGE_SIZE else None
        return Response({"next_offset": following, "results": results})
