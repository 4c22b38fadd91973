"""The pages of a customer, a vendor and a product."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.boards.analytics import plots
from apps.boards.profiles import customers, products, vendors, work
from apps.core import clock
from apps.odoo.models import Connection
from apps.workflows.models import Position


@login_required
@require_safe
def customer(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """What a customer may owe and owes, waits for, and how it orders and pays."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    page = customers.customer_of(of, odoo_id, access_scope=mine, now=clock.now())
    if page is None:
        raise Http404(gettext("%(of)s has no partner %(odoo_id)s.") % {"of": of.name, "odoo_id": odoo_id})
    spreads = [
        (gettext("Days between orders"), gettext("Of the days on which it ordered, within a year."), page.between),
        (gettext("Payment, days beyond terms"), gettext("Invoices that became paid within a year."), page.paid),
        (gettext("Deliveries, days beyond the deadline"), gettext("Deliveries done within a year."), page.delivered),
    ]
    return render(request, "boards/customer.html", {"page": page, "connection": of, "spreads": spreads})


@login_required
@require_safe
def vendor(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """Whether a vendor delivers on time and in full, how it answers, and what is open with it."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    page = vendors.vendor_of(of, odoo_id, access_scope=mine, now=clock.now())
    if page is None:
        raise Http404(gettext("%(of)s has no partner %(odoo_id)s.") % {"of": of.name, "odoo_id": odoo_id})
    shares = [
        (gettext("On time"), gettext("nothing of them came after the planned day"), page.on_time),
        (gettext("In full"), gettext("all that was ordered has come by now"), page.in_full),
        (gettext("OTIF"), gettext("all came by the end of the planned day"), page.otif),
    ]
    spreads = [
        (gettext("Receipts, days beyond the plan"), gettext("Lines received in full, planned within a year."), page.late),
        (gettext("Lead time"), gettext("From the confirmation until a line was received in full, within a year."), page.lead),
        (
            gettext("Confirmation time"),
            gettext("From our confirmation in Odoo until the vendor acknowledged, orders of a year."),
            page.confirmed,
        ),
        (
            gettext("Moved dates"),
            gettext("By how many days the planned date moved after the confirmation, of the lines whose date moved."),
            page.moved_days,
        ),
        (
            gettext("Bills above the order"),
            gettext("Difference in price of posted bills of a year, in percent of what they would be as ordered."),
            page.price_percent,
        ),
    ]
    context = {"page": page, "connection": of, "shares": shares, "spreads": spreads, "model": "res.partner"}
    return render(request, "boards/vendor.html", context)


@login_required
@require_safe
def supplier(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """The former address of a vendor's page."""
    of = get_object_or_404(Connection.objects.filter(access.scope_of(request.user).of_connections()), name=connection)
    return redirect("boards:vendor", of.name, odoo_id, permanent=True)


@login_required
@require_safe
def partner_of_record(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> HttpResponse:
    """Lead from a record to the page of its customer or vendor, as which one it stands there."""
    mine = access.scope_of(request.user)
    here = Position.objects.filter(mine.of_records(), connection__name=connection, model=model, odoo_id=odoo_id)
    found = here.filter(partner_id__isnull=False).order_by("id").first()
    if found is None or found.partner_id is None:
        raise Http404(
            gettext("%(model)s %(odoo_id)s of %(connection)s names no partner.")
            % {"model": model, "odoo_id": odoo_id, "connection": connection}
        )
    return redirect("boards:vendor" if work.is_vendors(found) else "boards:customer", connection, found.partner_id)


@login_required
@require_safe
def product(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """What there is of one product and will be, what waits for it, what is to bring it, and who sells it."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    page = products.product_of(of, odoo_id, access_scope=mine, now=clock.now())
    if page is None:
        raise Http404(gettext("%(of)s has no product %(odoo_id)s.") % {"of": of.name, "odoo_id": odoo_id})
    curves = [
        {"curve": curve, "figure": plots.projected_stock(curve, has_change=False), "place": f"curve-{number}"}
        for number, curve in enumerate(page.curves)
    ]
    return render(request, "boards/product.html", {"page": page, "curves": curves})
