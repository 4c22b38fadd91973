"""How people come in: by invitation of an administrator, never by signing up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitedOnly(DefaultAccountAdapter):
    """Nobody signs up: ``manage.py create_user`` or an administrator makes accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
