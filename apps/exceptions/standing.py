"""Why an exception stands on top of the queue, in a sentence: its due time, and by how much its money brings it forward."""

from datetime import datetime, timedelta

from django.utils.translation import gettext, ngettext

from apps.core.templatetags.show import number, span
from apps.exceptions.models import ExceptionCase

# Without a due time it ranks as if it were due a week after it was opened (:class:`~apps.exceptions.models.Rank`).
WITHOUT_DUE_TIME = timedelta(days=7)


def why_first(case: ExceptionCase, *, now: datetime) -> str:
    """What puts it first where the queue is sorted by what it costs to wait; told from the rank that sorts it."""
    due = _due(case, now)
    due_at = case.due_at or case.opened_at + WITHOUT_DUE_TIME
    hours = round((due_at.timestamp() - case.rank) / 3600)
    if hours < 1:
        return gettext("%(name)s stands first: %(due)s.") % {"name": case.record_name, "due": due}
    forward = ngettext("%(hours)s hour", "%(hours)s hours", hours) % {"hours": hours}
    return gettext("%(name)s stands first: %(due)s, and %(currency)s %(amount)s at risk bring it forward by %(forward)s.") % {
        "name": case.record_name, "due": due, "currency": case.currency, "amount": number(case.amount), "forward": forward,
    }  # fmt: skip


def _due(case: ExceptionCase, now: datetime) -> str:
    if case.due_at is None:
        return gettext("open for %(span)s, with no due time") % {"span": span((now - case.opened_at).total_seconds())}
    length = span(abs((case.due_at - now).total_seconds()))
    return (gettext("%(span)s late") if case.due_at <= now else gettext("due in %(span)s")) % {"span": length}
