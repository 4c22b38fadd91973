"""The answer to what a change of a purchase order's line would do: a part of the order's page, or a page of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.boards.analytics import plots
from apps.boards.records.what_if import changes_of, open_lines
from apps.core import clock
from apps.core.fragments import part
from apps.workflows import what_if as workflows
from apps.workflows.hypothetical import ChangeRefusedError
from apps.workflows.models import Position
from apps.workflows.stock_curve import Curve
from apps.workflows.what_if import Preview
from apps.workflows.what_if_checks import MirrorBusyError


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A curve with its figure, and the name of its place on the page."""

    curve: Curve
    figure: Mapping[str, Any]
    place: str


@login_required
@require_safe
def what_if(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """Show what a change of a purchase order's line would do. It changes nothing, here or in Odoo."""
    mine, problem, shown = access.scope_of(request.user), "", None
    orders = Position.objects.filter(mine.of_records(), connection__name=connection, model="purchase.order", odoo_id=odoo_id)
    order = get_object_or_404(orders.select_related("connection")[:1])
    lines = {str(line.line_id): line for line in open_lines(order.connection_id, odoo_id)}
    line = lines.get(request.GET.get("line", ""))
    if line is None:
        raise Http404(gettext("Nothing is to come on this line any more."))
    try:
        wanted = changes_of(line, request.GET.dict())
        shown = workflows.preview(order.connection_id, wanted, now=clock.now(), access_scope=mine)
    except (ChangeRefusedError, MirrorBusyError) as error:
        problem = str(error)
    context = {"order": order, "line": line, "problem": problem, "preview": shown, "curves": _drawn(shown, line.line_id)}
    return render(request, part(request, "boards/what_if.html", "result"), context)


def _drawn(shown: Preview | None, line_id: int) -> Sequence[Drawn]:
    return [
        Drawn(curve=curve, figure=plots.projected_stock(curve), place=f"curve-{line_id}-{number}")
        for number, curve in enumerate(shown.curves if shown else [])
    ]
