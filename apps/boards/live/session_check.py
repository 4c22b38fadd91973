"""Who is still let in: the sessions of open sockets and the rights of their people, looked at for all of them at once."""

from collections.abc import Iterable
from typing import NamedTuple

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.core import clock


class Credentials(NamedTuple):
    """By what a socket was let in: its session, the person, and the proof that the session was begun with their password."""

    session_key: str
    user_id: int
    proof: str


def credentials_of(session: SessionBase, user: User) -> Credentials:
    """The credentials of a socket that was just let in."""
    return Credentials(session.session_key or "", user.pk, session.get(HASH_SESSION_KEY, ""))


def sights_now(entered: Iterable[Credentials]) -> dict[Credentials, AccessScope]:
    """What each may see now; one whose session has ended, or whose person is locked out, is not in it. Two statements."""
    asked = list(entered)
    lasting = set(
        Session.objects.filter(session_key__in={one.session_key for one in asked}, expire_date__gt=clock.now()).values_list(
            "session_key", flat=True
        )
    )
    people = User.objects.filter(is_active=True).in_bulk({one.user_id for one in asked})
    return {
        one: access.scope_of(people[one.user_id])
        for one in asked
        if one.session_key in lasting and one.user_id in people and _proves(one.proof, people[one.user_id])
    }


def _proves(proof: str, user: User) -> bool:
    proofs = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(proof, one) for one in proofs)
