"""REST: the saved views of the queue."""

from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.exceptions.models import SavedView
from apps.exceptions.queue import listing, saved
from apps.exceptions.queue.filters import FILTERS, SHOWN_BY, Known


def check_view(view: dict[str, str], request: PersonsCall) -> None:
    """Raise ValidationError if the view names a value that the queue does not know: it would silently hold nothing."""
    if problems := listing.problems_of(view, Known(request.user)):
        raise serializers.ValidationError({"view": problems})


class SavedViewShape(serializers.Serializer[Any]):
    """A view of the queue under a name: one's own, or a team's."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    team = serializers.CharField(allow_null=True)
    view = serializers.DictField(child=serializers.CharField())

    def to_representation(self, row: SavedView) -> dict[str, Any]:
        return {"id": row.pk, "name": row.name, "team": row.team.slug if row.team else None, "view": dict(parse_qsl(row.query))}


class NewView(serializers.Serializer[Any]):
    """The name, what the queue's address says, and the team that it is shared with."""

    name = serializers.CharField(max_length=saved.LONGEST_NAME)
    view = serializers.DictField(child=serializers.CharField(max_length=300))
    team = serializers.CharField(max_length=50, required=False, allow_blank=True, default="")

    def validate_view(self, view: dict[str, str]) -> dict[str, str]:
        if unknown := set(view) - {*FILTERS, *SHOWN_BY}:
            raise serializers.ValidationError(f"There is no {', '.join(sorted(unknown))}.")
        return view


class Views(APIView):
    """The views that the person saved, and those that their teams share; few, so one answer holds them."""

    @extend_schema(responses=SavedViewShape(many=True))
    def get(self, request: PersonsCall) -> Response:
        """List the saved views."""
        return Response(SavedViewShape(listing.saved_views(Known(request.user)), many=True).data)

    @extend_schema(request=NewView, responses={201: SavedViewShape})
    def post(self, request: PersonsCall) -> Response:
        """Save a view; one of that name is replaced."""
        given = NewView(data=request.data)
        given.is_valid(raise_exception=True)
        check_view(given.validated_data["view"], request)
        made = saved.save(
            given.validated_data["name"],
            query=given.validated_data["view"],
            team=given.validated_data["team"],
            by=request.user,
            now=clock.now(),
        )
        return Response(SavedViewShape(made).data, status=201)


class OneView(APIView):
    """One saved view."""

    @extend_schema(responses={204: None})
    def delete(self, request: PersonsCall, view_id: int) -> HttpResponse:
        """Take a view away: one's own, or one of a team that one is in."""
        get_object_or_404(saved.saved_views_of(request.user), pk=view_id)
        saved.forget(view_id, by=request.user)
        return Response(status=204)
