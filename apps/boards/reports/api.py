"""Reports and alerts of the person who asks, over REST."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.requests import PersonsCall
from apps.boards.models import Report
from apps.boards.reports import alerts, schedule
from apps.boards.reports.subjects import subjects
from apps.core import clock
from apps.core.rest import moment


class PlanSerializer(serializers.Serializer[Any]):
    """When a report is sent: days of the week (0 is Monday) and the hour in the person's time zone."""

    days = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=6), min_length=1, max_length=7)
    hour = serializers.IntegerField(min_value=0, max_value=23)


class ReportSerializer(PlanSerializer):
    """A report that is sent to the person."""

    subject = serializers.CharField()
    title = serializers.CharField()
    next_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


def _shown(report: Report) -> dict[str, Any]:
    return {
        "subject": report.subject,
        "title": subjects().get(report.subject, report.subject),
        "days": report.days,
        "hour": report.hour,
        "next_at": moment(report.next_at),
        "sent_at": moment(report.sent_at),
    }


class Reports(APIView):
    """The reports that the person is sent."""

    @extend_schema(responses=ReportSerializer(many=True))
    def get(self, request: PersonsCall) -> Response:
        """Return them by subject."""
        return Response([_shown(one) for one in Report.objects.filter(user=request.user).order_by("subject")])


class One(APIView):
    """One report: of the KPIs (``kpis``), or of the board of a workflow."""

    @extend_schema(request=PlanSerializer, responses=ReportSerializer)
    def put(self, request: PersonsCall, subject: str) -> Response:
        """Have it sent from now on."""
        given = PlanSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        plan = given.validated_data
        return Response(_shown(schedule.plan(request.user, subject, plan["days"], plan["hour"], now=clock.now())))

    @extend_schema(responses={204: None})
    def delete(self, request: PersonsCall, subject: str) -> Response:
        """Send it no more."""
        schedule.stop(request.user, subject, now=clock.now())
        return Response(status=204)


OF_WORKFLOW = OpenApiParameter("workflow", str, required=True)


class Alert(APIView):
    """Whether the person is told when a figure of a workflow leaves its target."""

    @extend_schema(request=None, responses={204: None}, parameters=[OF_WORKFLOW])
    def put(self, request: PersonsCall, name: str) -> Response:
        """Tell them from now on."""
        alerts.watch(request.user, name, request.query_params.get("workflow", ""), now=clock.now())
        return Response(status=204)

    @extend_schema(responses={204: None}, parameters=[OF_WORKFLOW])
    def delete(self, request: PersonsCall, name: str) -> Response:
        """Tell them no more."""
        alerts.unwatch(request.user, name, request.query_params.get("workflow", ""))
        return Response(status=204)
