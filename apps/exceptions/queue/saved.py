"""Views of the queue that people keep under a name."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.exceptions.cases.moves import MoveRefusedError
from apps.exceptions.models import SavedView
from apps.exceptions.queue import listing
from apps.exceptions.queue.filters import FILTERS, SHOWN_BY

LONGEST_NAME = 40
LONGEST_QUERY = 1_000


def save(name: str, *, query: Mapping[str, str], team: str, by: User, now: datetime) -> SavedView:
    """Keep what ``query`` shows under ``name``, for the person or, by its slug, for one of their teams.

    A view of that name is replaced. Raises MoveRefusedError: no name, a team that is not theirs, or too many views.
    """
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name or "\x00" in name:
        raise MoveRefusedError(gettext("Enter a name for the view."))
    shared = by.teams.filter(slug=team).first() if team else None
    if team and shared is None:
        raise MoveRefusedError(gettext("Only the members of a team can share a view with it."))
    kept = urlencode({key: value for key, value in query.items() if key in (*FILTERS, *SHOWN_BY) and value})
    if len(kept) > LONGEST_QUERY:
        raise MoveRefusedError(gettext("This view is too long to save. Use fewer filter values."))
    same = SavedView.objects.filter(name=name, team=shared, **({} if shared else {"owner": by}))
    if not same.exists() and SavedView.objects.filter(owner=by).count() >= listing.MOST_VIEWS:
        raise MoveRefusedError(
            gettext("You already have %(MOST_VIEWS)s views. Remove one first.") % {"MOST_VIEWS": listing.MOST_VIEWS}
        )
    view, _ = same.update_or_create(
        defaults={"query": kept},
        create_defaults={
            "owner": by,
            "team": shared,
            "name": name,
            "query": kept,
            "created_at": now,
        },
    )
    return view


def saved_views_of(user: User) -> QuerySet[SavedView]:
    """The person's own views, and those of teams that they are in."""
    return SavedView.objects.filter(Q(owner=user, team=None) | Q(team__in=user.teams.all()))


def forget(view_id: int, *, by: User) -> None:
    """Take a view away: one's own, or one of a team that one is in. Raises MoveRefusedError where there is none."""
    gone, _ = saved_views_of(by).filter(pk=view_id).delete()
    if not gone:
        raise MoveRefusedError(gettext("There is no such view of yours."))
