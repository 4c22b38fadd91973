"""A request of somebody who is signed in."""

from django.http import HttpRequest

from apps.accounts.models import User


class PersonsRequest(HttpRequest):
    """What a view behind ``login_required`` gets: its user is a person, never anonymous."""

    user: User
