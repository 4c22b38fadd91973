"""Search, and the page of a partner."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.boards.search import finding, partner_overview
from apps.core import clock
from apps.core.fragments import part
from apps.odoo.models import Connection


@login_required
@require_safe
def search(request: PersonsRequest) -> HttpResponse:
    """Whatever matches, grouped; as a page, or as the list below the box while somebody types."""
    text = request.GET.get("q", "")
    groups = finding.find(text, access_scope=access.scope_of(request.user))
    context = {"text": text.strip(), "groups": groups, "is_short": len(text.strip()) < finding.SHORTEST}
    return render(request, part(request, "boards/search.html", "hits"), context)


@login_required
@require_safe
def partner(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """What is open with one customer or supplier."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    page = partner_overview.partner_of(of, odoo_id, access_scope=mine, now=clock.now())
    if page is None:
        raise Http404(gettext("%(of)s has no partner %(odoo_id)s.") % {"of": of.name, "odoo_id": odoo_id})
    return render(request, "boards/partner.html", {"page": page, "most": partner_overview.MOST})
