"""A bulk job as a page: its progress, its results, and undoing it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.core.fragments import part
from apps.core.refusal_pages import wants_json
from apps.core.refusals import Refusal
from apps.exceptions import queries
from apps.exceptions.bulk import jobs
from apps.exceptions.bulk.links import links_of
from apps.exceptions.models import BulkJob, JobState
from apps.exceptions.queue import listing


@login_required
@require_safe
def bulk_job(request: PersonsRequest, job_id: UUID) -> HttpResponse:
    """Show a bulk job: its progress, and a result for each exception."""
    found = get_object_or_404(BulkJob.objects.select_related("by"), pk=job_id, by=request.user)
    how_far = jobs.progress(found)
    if wants_json(request):
        return JsonResponse(
            {
                "state": found.state,
                "total": found.total,
                "done": how_far.done,
                "refused": how_far.refused,
                "undone": how_far.undone,
                "kept": how_far.kept,
                "runs": found.ended_at is None,
            }
            | links_of(found)
        )
    items = found.items.select_related("case").order_by("outcome", "case_id")
    if wanted := request.GET.get("outcome"):
        items = items.filter(outcome=wanted)
    after = request.GET.get("after", "")
    if after.isascii() and after.isdecimal() and len(after) < 19:
        items = items.filter(case_id__gt=int(after))
    shown = list(items.filter(case__in=queries.queue(access.scope_of(request.user))).order_by("case_id")[: listing.PAGE + 1])
    context = {
        "job": found,
        "progress": how_far,
        "items": shown[: listing.PAGE],
        "outcome": wanted or "",
        "word": gettext(jobs.DONE[found.move]),
        "settled": found.total - how_far.waiting,
        "next": shown[listing.PAGE - 1].case_id if len(shown) > listing.PAGE else None,
        "can_be_undone": found.state == JobState.DONE and how_far.done > 0,
    }
    return render(request, part(request, "exceptions/bulk_job.html", "body"), context)


@login_required
@require_POST
def undo(request: PersonsRequest, job_id: UUID) -> HttpResponse:
    """Undo a move or a bulk job of one's own."""
    try:
        found = jobs.undo(job_id, by=request.user, now=clock.now())
    except Refusal as error:
        if wants_json(request):
            raise
        messages.error(request, str(error), extra_tags="risk")
        return redirect("exceptions:queue")
    if wants_json(request):
        return JsonResponse(
            {"said": gettext("Undone.") if found.ended_at else gettext("Being undone."), "runs": found.ended_at is None}
            | links_of(found)
        )
    return redirect("exceptions:bulk-job", found.pk)
