"""REST: who held it."""

from datetime import timedelta
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.approvals.models import Request
from apps.boards.held import splitting
from apps.boards.held.splitting import Split
from apps.core import clock
from apps.core.rest import moment
from apps.exceptions.models import ExceptionCase
from apps.odoo import request_scope
from apps.odoo.page_queries import moment_of
from apps.workflows import registry
from apps.workflows.holders import Holder
from apps.workflows.models import Position

WINDOW = timedelta(days=30)
KINDS = [splitting.RECORDS, splitting.REQUESTS, splitting.CASES]
GROUPS = [splitting.WORKFLOW, splitting.PARTNER]


class PartShape(serializers.Serializer[Any]):
    """The time that one holder had it."""

    holder = serializers.ChoiceField([one.value for one in Holder])
    team = serializers.CharField(help_text="Of us, the team's slug; empty where it is no team's")
    seconds = serializers.IntegerField()


class SplitShape(serializers.Serializer[Any]):
    """A time and its parts, which add up to it."""

    workflow = serializers.CharField(help_text="Of a record's time, the workflow; else empty")
    seconds = serializers.IntegerField()
    parts = PartShape(many=True)


class HeldShape(serializers.Serializer[Any]):
    """Who held one record, request or case: of a record once a workflow."""

    results = SplitShape(many=True)


class SumShape(serializers.Serializer[Any]):
    """The time of all of one workflow, customer or vendor that ended in the time asked for."""

    key = serializers.CharField(help_text="The workflow, or the name of the customer or vendor")
    count = serializers.IntegerField(help_text="How many ended")
    seconds = serializers.IntegerField()
    mean_seconds = serializers.IntegerField()
    parts = PartShape(many=True)


class SumsShape(serializers.Serializer[Any]):
    """Who held what ended after ``since`` and until ``until``."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    results = SumShape(many=True)


def _parts(split: Split) -> list[dict[str, Any]]:
    return [{"holder": part.holder.value, "team": part.team, "seconds": part.seconds} for part in split.parts]


def _told(split: Split | None, workflow: str = "") -> dict[str, Any]:
    assert split is not None
    return {"workflow": workflow, "seconds": split.whole, "parts": _parts(split)}


class RecordHeld(APIView):
    """Who held one record."""

    @extend_schema(responses=HeldShape, parameters=[OpenApiParameter("connection", str)])
    def get(self, request: PersonsCall, model: str, odoo_id: int) -> Response:
        """Split the time of a record among those who held it, in each of its workflows, until it ended or until now."""
        found = Position.objects.filter(access.scope_of(request.user).of_records(), model=model, odoo_id=odoo_id)
        if name := request.query_params.get("connection"):
            if "\x00" in name:
                raise ValidationError({"connection": ["This holds a NUL character."]})
            found = found.filter(connection__name=name)
        first = found.order_by("id").first()
        if first is None:
            raise Http404(f"{model} {odoo_id} has no place in any workflow. Check the number, or sync its connection.")
        now = clock.now()
        splits = [
            _told(splitting.of_record(workflow, connection_id=first.connection_id, odoo_id=odoo_id, now=now), workflow.name)
            for one in found.filter(connection_id=first.connection_id).order_by("workflow")
            if (workflow := registry.workflows().get(one.workflow))
        ]
        return Response({"results": splits})


class ApprovalHeld(APIView):
    """Who held one approval request."""

    @extend_schema(responses=HeldShape)
    def get(self, request: PersonsCall, request_id: int) -> Response:
        """Split the time of a request among those who held it, until Odoo showed what follows or until now."""
        get_object_or_404(Request.objects.filter(access.scope_of(request.user).of_records()), pk=request_id)
        return Response({"results": [_told(splitting.of_request(request_id, now=clock.now()))]})


class ExceptionHeld(APIView):
    """Who held one exception."""

    @extend_schema(responses=HeldShape)
    def get(self, request: PersonsCall, case_id: int) -> Response:
        """Split the time of an exception among those who held it, until it was resolved or until now."""
        get_object_or_404(ExceptionCase.objects.filter(access.scope_of(request.user).of_records()), pk=case_id)
        return Response({"results": [_told(splitting.of_case(case_id, now=clock.now()))]})


ASKED = ("of", "by", "workflow", "since", "until", "connection", "company", "format")


class Held(APIView):
    """Who held what ended."""

    @extend_schema(
        responses=SumsShape,
        parameters=[
            OpenApiParameter("of", str, enum=KINDS),
            OpenApiParameter("by", str, enum=GROUPS),
            OpenApiParameter("workflow", str),
            OpenApiParameter("since", str, description="ISO 8601; thirty days before until, where it is not given"),
            OpenApiParameter("until", str, description="ISO 8601; now, where it is not given"),
            OpenApiParameter("connection", str),
            OpenApiParameter("company", int),
        ],
    )
    def get(self, request: PersonsCall) -> Response:
        """Split the time of all that ended in a time among those who held them, by workflow or by customer and vendor."""
        asked = request.query_params
        problems = {name: ["There is no such parameter."] for name in asked if name not in ASKED}
        of, by, workflow = asked.get("of", splitting.RECORDS), asked.get("by", splitting.WORKFLOW), asked.get("workflow", "")
        problems |= {"of": [f"This must be one of {', '.join(KINDS)}."]} if of not in KINDS else {}
        problems |= {"by": [f"This must be one of {', '.join(GROUPS)}."]} if by not in GROUPS else {}
        problems |= {"workflow": ["There is no such workflow."]} if workflow and workflow not in registry.workflows() else {}
        company = asked.get("company", "")
        if company and not (asked.get("connection") and request_scope.is_number(company)):
            problems["company"] = ["This must be a whole number, and goes with a connection."]
        times = {name: moment_of(asked[name]) for name in ("since", "until") if asked.get(name)}
        problems |= {name: ["This must be a moment, as 2026-11-23T12:00:00Z."] for name, at in times.items() if at is None}
        if problems:
            raise ValidationError(problems)
        now = clock.now()
        until = min(times.get("until") or now, now)
        since = times.get("since") or until - WINDOW
        shown = request_scope.narrow(access.scope_of(request.user), request_scope.choice_in(asked))
        found = splitting.sums(of, by=by, since=since, until=until, access_scope=shown, workflow=workflow)
        results = [
            {"key": one.key, "count": one.count, "seconds": one.whole, "mean_seconds": one.mean, "parts": _parts(one)}
            for one in found
        ]
        return Response({"since": moment(since), "until": moment(until), "results": results})
