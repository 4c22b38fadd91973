"""REST: move many exceptions at once, as a job that is followed and undone."""

from dataclasses import asdict
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.models import Team, User
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList, moment
from apps.exceptions import queries
from apps.exceptions.bulk import jobs
from apps.exceptions.models import BulkJob, BulkJobItem, ExceptionCase, JobState, Outcome
from apps.exceptions.queue.filters import FILTERS, Known, matching
from apps.exceptions.queue.saved_api import check_view
from apps.odoo import request_scope

MOST_CHOSEN = 1_000


class BulkJobShape(serializers.Serializer[Any]):
    """One move of many exceptions."""

    id = serializers.UUIDField()
    move = serializers.ChoiceField(list(jobs.DONE))
    state = serializers.ChoiceField(JobState.values)
    total = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, job: BulkJob) -> dict[str, Any]:
        return {
            "id": str(job.pk),
            "move": job.move,
            "state": job.state,
            "total": job.total,
            "created_at": moment(job.created_at),
            "ended_at": moment(job.ended_at),
        }


class BulkJobProgress(BulkJobShape):
    """The same, with its progress."""

    waiting = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    undone = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Could not be undone: moved since")

    def to_representation(self, job: BulkJob) -> dict[str, Any]:
        return super().to_representation(job) | asdict(jobs.progress(job))


class DoMany(serializers.Serializer[Any]):
    """Which move, of which exceptions: by number, or all that a view of the queue holds."""

    move = serializers.ChoiceField(list(jobs.DONE))
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MOST_CHOSEN
    )
    view = serializers.DictField(
        child=serializers.CharField(max_length=300),
        required=False,
        help_text='What the queue\'s address says: {"type": "order.credit_hold", "owner": "none"}; {} is all that is open',
    )
    owner = serializers.SlugRelatedField("username", queryset=User.objects.filter(is_active=True), allow_null=True, required=False)
    team = serializers.SlugRelatedField("slug", queryset=Team.objects.all(), required=False)
    note = serializers.CharField(max_length=1_000, required=False, allow_blank=True, default="")
    until = serializers.DateTimeField(required=False, help_text="To snooze")
    resolution = serializers.CharField(max_length=300, required=False, help_text="To resolve")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in given) == ("view" in given):
            raise serializers.ValidationError("Say which: either ids or view.")
        if unknown := set(given.get("view", {})) - set(FILTERS):
            raise serializers.ValidationError({"view": f"There is no {', '.join(sorted(unknown))}; there is {', '.join(FILTERS)}."})
        needed = {"snooze": {"until"}, "resolve": {"resolution"}}.get(given["move"], set())
        if missing := needed - set(given):
            raise serializers.ValidationError(dict.fromkeys(missing, "This move needs it."))
        if given["move"] == "assign" and not {"owner", "team"} & set(given):
            raise serializers.ValidationError({"owner": "Say to whom, null for nobody, or to which team."})
        return given

    def arguments(self) -> dict[str, Any]:
        """Return what the move needs, as a job keeps it."""
        given = self.validated_data
        if given["move"] == "snooze":
            return {"until": given["until"].isoformat()}
        if given["move"] == "resolve":
            return {"resolution": given["resolution"]}
        if given["move"] == "assign":
            owner, team = given.get("owner"), given.get("team")
            return {"owner": owner.pk if owner else None, "team": team.pk if team else None, "note": given["note"]}
        return {}


def _own(request: PersonsCall) -> Any:
    return BulkJob.objects.filter(by=request.user)


class BulkJobs(FilteredList):
    """The jobs of the token's person, newest first."""

    queryset = BulkJob.objects.none()
    serializer_class = BulkJobShape
    ordering = ("-created_at", "-id")
    filters = {"state": ("state", set(JobState.values)), "move": ("move", set(jobs.DONE))}

    def get_queryset(self) -> Any:
        return _own(self.request)  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter("state", str), OpenApiParameter("move", str)])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List your own bulk jobs."""
        return super().get(request, *arguments, **named)

    @extend_schema(request=DoMany, responses={202: BulkJobProgress})
    def post(self, request: PersonsCall) -> Response:
        """Begin a job that moves many exceptions, with a result for each."""
        given = DoMany(data=request.data)
        given.is_valid(raise_exception=True)
        mine, now, view = access.scope_of(request.user), clock.now(), given.validated_data.get("view")
        check_view(view or {}, request)
        if view is None:
            chosen = ExceptionCase.objects.filter(mine.of_records(), id__in=given.validated_data["ids"])
        else:
            shown = request_scope.narrow(mine, request_scope.choice_in(view))
            chosen = matching(view, known=Known(request.user), access_scope=shown, now=now)
        made = jobs.begin(chosen, move=given.validated_data["move"], arguments=given.arguments(), by=request.user, now=now)
        return Response(BulkJobProgress(made).data, status=202)


class OneBulkJob(APIView):
    """One job."""

    @extend_schema(responses=BulkJobProgress)
    def get(self, request: PersonsCall, job_id: Any) -> Response:
        """Return a job and its progress."""
        return Response(BulkJobProgress(get_object_or_404(_own(request), pk=job_id)).data)


class BulkJobItemShape(serializers.Serializer[Any]):
    """The result for one exception."""

    exception = serializers.IntegerField()
    record = serializers.CharField()
    outcome = serializers.ChoiceField(["waiting", *(value for value in Outcome.values if value)])
    reason = serializers.CharField(help_text="Why it was refused or kept")

    def to_representation(self, item: BulkJobItem) -> dict[str, Any]:
        return {
            "exception": item.case_id,
            "record": item.case.record_name,
            "outcome": item.outcome or "waiting",
            "reason": item.reason,
        }


class BulkJobItems(FilteredList):
    """The results of a job."""

    queryset = BulkJobItem.objects.none()
    serializer_class = BulkJobItemShape
    ordering = ("case_id",)
    filters = {"outcome": ("outcome", {"waiting": ""} | {value: value for value in Outcome.values if value})}

    def get_queryset(self) -> Any:
        job = get_object_or_404(_own(self.request), pk=self.kwargs["job_id"])  # type: ignore[arg-type]
        mine = queries.queue(access.scope_of(self.request.user))  # type: ignore[arg-type]
        return job.items.filter(case__in=mine.order_by().values("id")).select_related("case")

    @extend_schema(parameters=[OpenApiParameter("outcome", str)])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List the result for each exception of a job."""
        return super().get(request, *arguments, **named)


class UndoBulkJob(APIView):
    """Undo of a job."""

    @extend_schema(request=None, responses=BulkJobProgress)
    def post(self, request: PersonsCall, job_id: Any) -> Response:
        """Undo a job, within a day. An exception that was moved since stays as it is; its item says so."""
        get_object_or_404(_own(request), pk=job_id)
        return Response(BulkJobProgress(jobs.undo(job_id, by=request.user, now=clock.now())).data)
