"""REST: playbooks, and how far an exception has come in its own."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import moment
from apps.exceptions import types
from apps.exceptions.models import ExceptionCase
from apps.exceptions.playbooks import figures, progress, versions
from apps.exceptions.playbooks.versions import Version
from apps.workflows.playbooks import Shows, StepKind

OUTCOMES = ["open", "done", "skipped"]


class StepShape(serializers.Serializer[Any]):
    """One step of a playbook."""

    name = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="Progress is kept by it; made where it is empty"
    )
    title = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField([one.value for one in StepKind], default="check")
    done_when = serializers.ChoiceField(
        [one.value for one in Shows], default="", allow_blank=True, help_text="What shows that it was done; empty: by hand"
    )


class PlaybookWritten(serializers.Serializer[Any]):
    """The next version of a playbook."""

    steps = serializers.ListField(child=StepShape(), max_length=versions.MOST_STEPS)
    based_on = serializers.IntegerField(
        min_value=0, max_value=1_000_000, help_text="The version that was read; 0 is the declared one"
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=300)


class StepFiguresShape(serializers.Serializer[Any]):
    """One step over the cases that ended."""

    name = serializers.CharField()
    shown = serializers.IntegerField(help_text="How often the data showed that it was done")
    by_hand = serializers.IntegerField()
    skipped = serializers.IntegerField()
    open = serializers.IntegerField(help_text="How often it was left open")
    median_seconds = serializers.FloatField(allow_null=True, help_text="After the step before it, or the opening")
    ended = serializers.IntegerField(help_text="How many cases had it as their last")


class PlaybookShape(serializers.Serializer[Any]):
    """The newest version of a type's playbook, with its figures."""

    type = serializers.CharField()
    version = serializers.IntegerField(help_text="0: as it is declared")
    steps = StepShape(many=True)
    cases = serializers.IntegerField(help_text="Those that ended, of the latest")
    ended_without_step = serializers.IntegerField()
    closed_by_itself = serializers.IntegerField()
    figures = StepFiguresShape(many=True)


class TakenShape(StepShape):
    """One step of an exception's playbook."""

    outcome = serializers.ChoiceField(OUTCOMES)
    at = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField(help_text="Empty where the data shows it")
    note = serializers.CharField()


class ProgressShape(serializers.Serializer[Any]):
    """How far an exception has come in the version that it began with."""

    version = serializers.IntegerField()
    steps = TakenShape(many=True)


class StepTaken(serializers.Serializer[Any]):
    """What became of a step."""

    outcome = serializers.ChoiceField(OUTCOMES)
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000, help_text="The answer, or why it is skipped")


def _told(version: Version, request: PersonsCall) -> dict[str, Any]:
    found = figures.of_version(version, None, access_scope=access.scope_of(request.user))
    return {
        "type": version.type,
        "version": version.number,
        "steps": [versions.kept(step) for step in version.steps],
        "cases": found.cases_count,
        "ended_without_step": found.none_ended_count,
        "closed_by_itself": found.by_itself_count,
        "figures": [
            {
                "name": one.step.name,
                "shown": one.shown_count,
                "by_hand": one.by_hand_count,
                "skipped": one.skipped_count,
                "open": one.open_count,
                "median_seconds": one.median_seconds,
                "ended": one.ended_count,
            }
            for one in found.steps
        ],
    }


def _progress(case: ExceptionCase) -> dict[str, Any]:
    found = progress.of_case(case)
    return {
        "version": found.version.number,
        "steps": [
            versions.kept(one.step) | {"outcome": one.outcome, "at": moment(one.at), "by": one.by, "note": one.note}
            for one in found.steps
        ],
    }


class OnePlaybook(APIView):
    """The playbook of one type of exception."""

    @extend_schema(responses=PlaybookShape)
    def get(self, request: PersonsCall, type_name: str) -> Response:
        """Return the newest version with what its figures say."""
        if type_name not in types.titles():
            raise Http404(f"There is no exception type {type_name}; there is: {', '.join(types.titles())}.")
        return Response(_told(versions.of_type(type_name)[0], request))

    @extend_schema(request=PlaybookWritten, responses=PlaybookShape)
    def post(self, request: PersonsCall, type_name: str) -> Response:
        """Write the next version; exceptions that are open keep the one that they began with."""
        given = PlaybookWritten(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        version = versions.write(
            type_name, values["steps"], by=request.user, now=clock.now(), note=values.get("note", ""), based_on=values["based_on"]
        )
        return Response(_told(version, request))


class CasePlaybook(APIView):
    """The playbook of one exception."""

    @extend_schema(responses=ProgressShape)
    def get(self, request: PersonsCall, case_id: int) -> Response:
        """Return each step with who did it or skipped it, and when."""
        case = get_object_or_404(ExceptionCase.objects.filter(access.scope_of(request.user).of_records()), pk=case_id)
        return Response(_progress(case))


class CaseStep(APIView):
    """One step of an exception's playbook."""

    @extend_schema(request=StepTaken, responses=ProgressShape)
    def post(self, request: PersonsCall, case_id: int, step: str) -> Response:
        """Tick the step off, skip it with a reason, or open it again."""
        given = StepTaken(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        case = progress.take(
            case_id, step, outcome=values["outcome"], note=values.get("note", ""), by=request.user, now=clock.now()
        )
        return Response(_progress(case))
