"""REST: being away, and what a policy would have meant."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.accounts.requests import PersonsCall
from apps.approvals.absence import periods as absence
from apps.approvals.models import Absence
from apps.core import clock
from apps.core.rest import moment


class AbsenceShape(serializers.Serializer[Any]):
    """A time in which a deputy is asked instead."""

    deputy = serializers.CharField()
    starts_at = serializers.DateTimeField()
    until = serializers.DateTimeField()

    def to_representation(self, row: Absence) -> dict[str, Any]:
        return {"deputy": row.deputy.username, "starts_at": moment(row.starts_at), "until": moment(row.until)}


class NewAbsence(serializers.Serializer[Any]):
    """Who is asked instead, and until when; from now on where no beginning is named."""

    deputy = serializers.SlugRelatedField("username", queryset=User.objects.filter(is_active=True))
    starts_at = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField()


class OwnAbsence(APIView):
    """The absence of the token's person."""

    @extend_schema(responses=AbsenceShape)
    def get(self, request: PersonsCall) -> Response:
        """Read one's absence that is not over yet; 404 where there is none."""
        found = absence.current(request.user, now=clock.now())
        if found is None:
            raise NotFound("You are not away, and no absence is set.")
        return Response(AbsenceShape(found).data)

    @extend_schema(request=NewAbsence, responses={201: AbsenceShape})
    def post(self, request: PersonsCall) -> Response:
        """Be away: what is asked meanwhile goes to the deputy. One that was set before ends."""
        given = NewAbsence(data=request.data)
        given.is_valid(raise_exception=True)
        now = clock.now()
        made = absence.begin(
            request.user,
            deputy=given.validated_data["deputy"],
            starts_at=given.validated_data.get("starts_at", now),
            until=given.validated_data["until"],
            now=now,
        )
        return Response(AbsenceShape(made).data, status=201)


class EndAbsence(APIView):
    """Being back."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: PersonsCall) -> Response:
        """Be back. What the deputy was asked meanwhile stays with the deputy."""
        absence.end(request.user, now=clock.now())
        return Response(status=204)
