"""Why an exception stands on top of the queue, in a sentence: its due time, and by how much its money brings it forward."""

from datetime import datetime, timedelta

from django.utils.translation import gettext

from apps.core.templatetags.show import number, span
from apps.exceptions.models import CauseGroup, ExceptionCase

# Without a due time it ranks as if it were due a week after it was opened (:class:`~apps.exceptions.models.Rank`).
WITHOUT_DUE_TIME = timedelta(days=7)


def why_first(case: ExceptionCase | CauseGroup, *, now: datetime) -> str:
    """Return what ranks it first where the queue is sorted by cost of delay; told from the rank that sorts it."""
    due = _due(case, now)
    name = case.name if isinstance(case, CauseGroup) else case.record_name
    due_at = case.due_at or case.opened_at + WITHOUT_DUE_TIME
    if round((due_at.timestamp() - case.rank) / 3600) < 1:
        return gettext("Top: %(name)s. %(due)s.") % {"name": name, "due": due}
    return gettext("Top: %(name)s. %(due)s; %(currency)s %(amount)s at risk raises its priority.") % {
        "name": name,
        "due": due,
        "currency": case.currency,
        "amount": number(case.amount),
    }


def _due(case: ExceptionCase | CauseGroup, now: datetime) -> str:
    if case.due_at is None:
        return gettext("Open for %(span)s, no due time") % {"span": span((now - case.opened_at).total_seconds())}
    length = span(abs((case.due_at - now).total_seconds()))
    return (gettext("%(span)s overdue") if case.due_at <= now else gettext("Due in %(span)s")) % {"span": length}
