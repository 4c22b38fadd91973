"""REST: moves of many exceptions at once, as jobs that are followed and taken back; and the saved views of the queue."""

from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpResponse
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
from apps.exceptions import deeds, listing, queries, saved
from apps.exceptions.filters import FILTERS, SHOWN_BY, Known, matching
from apps.exceptions.models import Deed, DeedRow, ExceptionCase, SavedView
from apps.odoo import request_scope

MOST_CHOSEN = 1_000


class DeedShape(serializers.Serializer[Any]):
    """What somebody did to many exceptions at once."""

    id = serializers.UUIDField()
    move = serializers.ChoiceField(list(deeds.DONE))
    state = serializers.ChoiceField(Deed.State.values)
    total = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, deed: Deed) -> dict[str, Any]:
        return {
            "id": str(deed.pk), "move": deed.move, "state": deed.state, "total": deed.total,
            "created_at": moment(deed.created_at), "ended_at": moment(deed.ended_at),
        }  # fmt: skip


class DeedProgress(DeedShape):
    """The same, and how far it is."""

    waiting = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    taken_back = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Could not be taken back")

    def to_representation(self, deed: Deed) -> dict[str, Any]:
        return super().to_representation(deed) | asdict(deeds.progress(deed))


class DoMany(serializers.Serializer[Any]):
    """Which move, of which exceptions: by number, or all that a view of the queue holds."""

    move = serializers.ChoiceField(list(deeds.DONE))
    ids = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False,
                                max_length=MOST_CHOSEN)  # fmt: skip
    view = serializers.DictField(
        child=serializers.CharField(max_length=300), required=False,
        help_text='What the queue\'s address says: {"type": "order.credit_hold", "owner": "none"}; {} is all that is open',
    )  # fmt: skip
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
        """What the move needs, as a deed keeps it."""
        given = self.validated_data
        if given["move"] == "snooze":
            return {"until": given["until"].isoformat()}
        if given["move"] == "resolve":
            return {"resolution": given["resolution"]}
        if given["move"] == "assign":
            owner, team = given.get("owner"), given.get("team")
            return {"owner": owner.pk if owner else None, "team": team.pk if team else None, "note": given["note"]}
        return {}


def _check(view: dict[str, str], request: PersonsCall) -> None:
    """Raise ValidationError if the view names a value that the queue does not know: it would hold nothing, and say nothing."""
    if problems := listing.problems_of(view, Known(request.user)):
        raise serializers.ValidationError({"view": problems})


def _own(request: PersonsCall) -> Any:
    return Deed.objects.filter(by=request.user)


class Deeds(FilteredList):
    """What the token's person did to many at once, the newest first."""

    queryset = Deed.objects.none()
    serializer_class = DeedShape
    ordering = ("-created_at", "-id")
    filters = {"state": ("state", set(Deed.State.values)), "move": ("move", set(deeds.DONE))}

    def get_queryset(self) -> Any:
        return _own(self.request)  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter("state", str), OpenApiParameter("move", str)])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List one's own jobs over exceptions."""
        return super().get(request, *arguments, **named)

    @extend_schema(request=DoMany, responses={202: DeedProgress})
    def post(self, request: PersonsCall) -> Response:
        """Have a move made of many exceptions, as a job with a result for each."""
        given = DoMany(data=request.data)
        given.is_valid(raise_exception=True)
        mine, now, view = access.scope_of(request.user), clock.now(), given.validated_data.get("view")
        _check(view or {}, request)
        if view is None:
            chosen = ExceptionCase.objects.filter(mine.of_records(), id__in=given.validated_data["ids"])
        else:
            shown = request_scope.narrow(mine, request_scope.choice_in(view))
            chosen = matching(view, known=Known(request.user), seen=shown, now=now)
        made = deeds.begin(chosen, move=given.validated_data["move"], arguments=given.arguments(), by=request.user, now=now)
        return Response(DeedProgress(made).data, status=202)


class OneDeed(APIView):
    """One job."""

    @extend_schema(responses=DeedProgress)
    def get(self, request: PersonsCall, deed_id: Any) -> Response:
        """Read how far a job is."""
        return Response(DeedProgress(get_object_or_404(_own(request), pk=deed_id)).data)


class DeedRowShape(serializers.Serializer[Any]):
    """What became of one exception."""

    exception = serializers.IntegerField()
    record = serializers.CharField()
    outcome = serializers.ChoiceField(["waiting", *(value for value in DeedRow.Outcome.values if value)])
    told = serializers.CharField(help_text="Why not, in words")

    def to_representation(self, row: DeedRow) -> dict[str, Any]:
        return {
            "exception": row.case_id, "record": row.case.record_name, "outcome": row.outcome or "waiting", "told": row.told,
        }  # fmt: skip


class DeedRows(FilteredList):
    """The results of a job."""

    queryset = DeedRow.objects.none()
    serializer_class = DeedRowShape
    ordering = ("case_id",)
    filters = {"outcome": ("outcome", {"waiting": ""} | {value: value for value in DeedRow.Outcome.values if value})}

    def get_queryset(self) -> Any:
        deed = get_object_or_404(_own(self.request), pk=self.kwargs["deed_id"])  # type: ignore[arg-type]
        mine = queries.queue(access.scope_of(self.request.user))  # type: ignore[arg-type]
        return deed.rows.filter(case__in=mine.order_by().values("id")).select_related("case")

    @extend_schema(parameters=[OpenApiParameter("outcome", str)])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List what became of each exception of a job."""
        return super().get(request, *arguments, **named)


class UndoDeed(APIView):
    """Taking a job back."""

    @extend_schema(request=None, responses=DeedProgress)
    def post(self, request: PersonsCall, deed_id: Any) -> Response:
        """Take back what was done, within a day; what has been moved since stays, and says so."""
        get_object_or_404(_own(request), pk=deed_id)
        return Response(DeedProgress(deeds.take_back(deed_id, by=request.user, now=clock.now())).data)


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
        _check(given.validated_data["view"], request)
        made = saved.save(given.validated_data["name"], query=given.validated_data["view"], team=given.validated_data["team"],
                          by=request.user, now=clock.now())  # fmt: skip
        return Response(SavedViewShape(made).data, status=201)


class OneView(APIView):
    """One saved view."""

    @extend_schema(responses={204: None})
    def delete(self, request: PersonsCall, view_id: int) -> HttpResponse:
        """Take a view away: one's own, or one of a team that one is in."""
        get_object_or_404(saved.of(request.user), pk=view_id)
        saved.forget(view_id, by=request.user)
        return Response(status=204)
