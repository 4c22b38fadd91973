"""What the addresses in ``type`` of problem documents answer: each kind of error, its meaning and its remedy."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api import problems
from apps.core.refusals import Problem


class ErrorSerializer(serializers.Serializer[Problem]):
    """A kind of error."""

    type = serializers.SerializerMethodField(help_text="The URI that problem documents carry")
    code = serializers.CharField(help_text="Never changes")
    status = serializers.IntegerField()
    title = serializers.CharField()
    meaning = serializers.CharField()
    remedy = serializers.CharField()

    def get_type(self, problem: Problem) -> str:
        """Return the URI."""
        return problems.type_of(problem.code)


class ErrorList(serializers.Serializer[Any]):
    """All of them, on one page."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ErrorSerializer(many=True)


class _Public(APIView):
    # A call that is refused for want of a token must be able to read why.
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []


class Errors(_Public):
    """Every kind of error that the API answers with."""

    @extend_schema(responses=ErrorList, operation_id="errors_list")
    def get(self, request: Request) -> Response:
        """Return all of them, by status and code."""
        return Response(ErrorList({"next": None, "previous": None, "results": list(problems.every_problem().values())}).data)


class OneError(_Public):
    """One kind of error."""

    @extend_schema(responses=ErrorSerializer)
    def get(self, request: Request, code: str) -> Response:
        """Return the one of this code."""
        found = problems.every_problem().get(code)
        if found is None:
            raise Http404(f"There is no error {code}. All are in {problems.ADDRESS}.")
        return Response(ErrorSerializer(found).data)
