"""REST of drafts, whoever they are written to: read, edited, sent and dismissed; each kind names its own shapes and words."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList
from apps.odoo import request_scope
from apps.vendors.letters import LONGEST_SUBJECT, LONGEST_WRITTEN
from apps.vendors.mail.draft_kinds import DraftKind

LISTED = 200
FILTERS = {
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
    "partner": ("partner_id", int),
}


class MoveShape(serializers.Serializer[Any]):
    """The draft as it was seen."""

    version = serializers.CharField(max_length=16)


class WordsShape(MoveShape):
    """A person's own words; both empty bring the drafted ones back."""

    subject = serializers.CharField(max_length=LONGEST_SUBJECT, allow_blank=True)
    body = serializers.CharField(max_length=LONGEST_WRITTEN, allow_blank=True)


class ChosenShape(MoveShape):
    """One of several drafts, as it was seen."""

    key = serializers.CharField(max_length=60)


class DraftView(APIView):
    """Drafts of one kind.

    Attributes:
        kind: what there is to do with them.
        shape, message_shape: how programs read a draft, and a message that was sent.
        chosen_shape, words_shape: what programs give to send several, and to edit one.
    """

    kind: ClassVar[DraftKind[Any]]
    shape: ClassVar[type[serializers.Serializer[Any]]]
    message_shape: ClassVar[type[serializers.Serializer[Any]]]
    chosen_shape: ClassVar[type[serializers.Serializer[Any]]]
    words_shape: ClassVar[type[serializers.Serializer[Any]]]

    def visible(self, key: str) -> Any:
        """Return the draft of that key. Raises NotFound where it is not in sight."""
        found = self.kind.find(key, access.scope_of(self.request.user))  # type: ignore[arg-type]
        if found is None:
            raise NotFound
        return found

    def shown(self, found: list[Any]) -> list[dict[str, Any]]:
        """Return the drafts as programs read them."""
        return list(self.shape(found, many=True).data)


class SeveralDrafts(DraftView):
    """Send several drafts."""

    def post(self, request: PersonsCall) -> Response:
        """Send each of them, once; one that is not sent says why and holds up no other."""
        versions = {one["key"]: one["version"] for one in given(self.chosen_shape, request)["drafts"]}
        done = self.kind.send_all(versions, by=request.user, now=clock.now())
        results = [
            {"key": one.key, "sent": self.message_shape(one.message).data if one.message else None, "refusal": one.refusal}
            for one in done
        ]
        return Response({"results": results})


class OneDraft(DraftView):
    """One draft."""

    def get(self, request: PersonsCall, key: str) -> Response:
        """Read the draft."""
        return Response(self.shown([self.visible(key)])[0])

    def put(self, request: PersonsCall, key: str) -> Response:
        """Have it say something else."""
        self.visible(key)
        said = given(self.words_shape, request)
        words = {"subject": said["subject"], "body": said["body"]}
        self.kind.edit(key, said["version"], **words, by=request.user, now=clock.now())
        return Response(self.shown([self.visible(key)])[0])


class SendMove(DraftView):
    """Send a draft."""

    def post(self, request: PersonsCall, key: str) -> Response:
        """Send it, once."""
        self.visible(key)
        (one,) = self.kind.send_all({key: given(MoveShape, request)["version"]}, by=request.user, now=clock.now())
        if one.message is None:
            raise self.kind.refused(one.refusal)
        return Response(self.message_shape(one.message).data, status=201)


class DismissMove(DraftView):
    """Dismiss a draft."""

    def post(self, request: PersonsCall, key: str) -> Response:
        """Say that it need not be sent."""
        self.visible(key)
        self.kind.dismiss(key, given(MoveShape, request)["version"], by=request.user, now=clock.now())
        return Response(status=204)


class SentMessages(FilteredList):
    """What was sent, the newest first."""

    ordering = ("-sent_at", "-id")
    filters = FILTERS


def given(shape: type[serializers.Serializer[Any]], request: PersonsCall) -> dict[str, Any]:
    """Return what a program sent. Raises ValidationError where it does not have that shape."""
    found = shape(data=request.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)
