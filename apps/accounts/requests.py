"""A request of somebody who is signed in."""

from django.http import HttpRequest
from rest_framework.request import Request

from apps.accounts.models import User


class PersonsRequest(HttpRequest):
    """What a view behind ``login_required`` gets: its user is a person, never anonymous."""

    user: User


class PersonsCall(Request):
    """What a REST view gets, which only tokens open: its user is the person that the token acts for."""

    user: User
