"""The page of a customer."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.boards.profiles import customers
from apps.core import clock
from apps.odoo.models import Connection


@login_required
@require_safe
def customer(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """What a customer may owe and owes, waits for, and how it orders and pays."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    page = customers.customer_of(of, odoo_id, seen=mine, now=clock.now())
    if page is None:
        raise Http404(gettext("%(of)s has no partner %(odoo_id)s.") % {"of": of.name, "odoo_id": odoo_id})
    spreads = [
        (gettext("Days between orders"), gettext("Of the days on which it ordered, within a year."), page.between),
        (gettext("Payment, days beyond terms"), gettext("Invoices that became paid within a year."), page.paid),
        (gettext("Deliveries, days beyond the deadline"), gettext("Deliveries done within a year."), page.delivered),
    ]
    return render(request, "boards/customer.html", {"page": page, "connection": of, "spreads": spreads})
