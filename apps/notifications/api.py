"""REST: what a person wants to be told, by which way, and when not."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.notifications import channels, preferences


class Ways(serializers.Serializer[Any]):
    """By which ways one kind of message is told; in the tower itself everything is. Channels of extensions stand beside them."""

    email = serializers.BooleanField()
    push = serializers.BooleanField()

    def get_fields(self) -> dict[str, Any]:
        more = {name: serializers.BooleanField(required=False) for name in channels.in_use()}
        return {**super().get_fields(), **more}


class PreferencesShape(serializers.Serializer[Any]):
    """What a person chose, or the defaults."""

    channels = serializers.DictField(child=Ways(), help_text=f"By kind: {', '.join(group.name for group in preferences.GROUPS)}")
    quiet_from = serializers.TimeField(allow_null=True, help_text="By the person's own clock")
    quiet_to = serializers.TimeField(allow_null=True)
    time_zone = serializers.CharField(max_length=60, allow_blank=True, help_text="Such as Europe/Berlin; empty: the tower's")

    def validate_channels(self, channels: dict[str, Any]) -> dict[str, Any]:
        names = {group.name for group in preferences.GROUPS}
        if unknown := set(channels) ^ names:
            raise ValidationError(f"Name each kind once: {', '.join(sorted(names))}. Not so: {', '.join(sorted(unknown))}.")
        return channels

    def to_representation(self, user: User) -> dict[str, Any]:
        chosen = preferences.preferences_of([user]).get(user.pk)
        return {
            "channels": {
                group.name: {name: preferences.wants(chosen, group, name) for name in channels.ways()}
                for group in preferences.GROUPS
            },
            "quiet_from": chosen.quiet_from.isoformat() if chosen and chosen.quiet_from else None,
            "quiet_to": chosen.quiet_to.isoformat() if chosen and chosen.quiet_to else None,
            "time_zone": user.time_zone,
        }


class OwnPreferences(APIView):
    """The preferences of the token's person."""

    @extend_schema(responses=PreferencesShape)
    def get(self, request: PersonsCall) -> Response:
        """Read what one is told, and by which way."""
        return Response(PreferencesShape(request.user).data)

    @extend_schema(request=PreferencesShape, responses=PreferencesShape)
    def put(self, request: PersonsCall) -> Response:
        """Choose what one is told, by which way, one's quiet hours and time zone. All of it is said at once."""
        given = PreferencesShape(data=request.data)
        given.is_valid(raise_exception=True)
        preferences.save(request.user, **given.validated_data, now=clock.now())
        return Response(PreferencesShape(User.objects.get(pk=request.user.pk)).data)
