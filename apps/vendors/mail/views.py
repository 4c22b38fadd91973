"""What the tower's own mail server sends to vendors and customers, for people: where it stands, and what to do with it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.core.fragments import part
from apps.odoo import request_scope
from apps.odoo.page_queries import knows
from apps.vendors.mail import moves, queries
from apps.vendors.models import MailStatus

SHOWN = 100
MOVES = {"send-again": moves.send_again, "mark-sent": moves.mark_sent, "cancel": moves.cancel}


@login_required
@require_safe
@knows(status=lambda value: value in ("", *MailStatus.values))
def listing(request: PersonsRequest) -> HttpResponse:
    """The messages, those of which a person has to decide first."""
    status = request.GET.get("status", "")
    found = queries.mails(request_scope.scope_of(request, request.user))
    shown = found.filter(status=status) if status else found
    context = {
        "rows": queries.to_decide_first(shown)[:SHOWN],
        "statuses": MailStatus.choices,
        "status": status,
        "may_work": may_work_exceptions(request.user),
    }
    return render(request, part(request, "vendors/mails.html", "list"), context)


@login_required
@require_POST
def decide(request: PersonsRequest, mail_id: UUID, action: str) -> HttpResponse:
    """Send a message again, say that it was sent, or cancel it."""
    get_object_or_404(queries.mails(access.scope_of(request.user)), pk=mail_id)
    if action not in MOVES:
        raise Http404(gettext("There is no %(action)s for a message.") % {"action": action})
    try:
        MOVES[action](mail_id, by=request.user, now=clock.now())
    except moves.MailRefusedError as error:
        messages.error(request, str(error), extra_tags="late")
    else:
        messages.success(request, gettext("Saved."), extra_tags="done")
    return redirect("vendors:mails")
