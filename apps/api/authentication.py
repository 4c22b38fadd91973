"""Who calls: a bearer token, looked up by its digest."""

from datetime import timedelta

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.accounts.models import ApiToken, User
from apps.core import clock

USED_AT_MOST_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer ct_…``."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if not kind:
            return None
        if kind.lower() != "bearer" or not token.strip():
            raise AuthenticationFailed("Send the token as: Authorization: Bearer <token>.")
        found = ApiToken.objects.select_related("user").filter(digest=ApiToken.digest_of(token.strip())).first()
        now = clock.now()
        if found is None or found.revoked_at or (found.expires_at and found.expires_at <= now) or not found.user.is_active:
            raise AuthenticationFailed("This token is not valid. Make one with manage.py create_api_token.")
        if found.used_at is None or now - found.used_at > USED_AT_MOST_EVERY:
            ApiToken.objects.filter(pk=found.pk).update(used_at=now)
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
