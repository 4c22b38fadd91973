"""Setting the targets of the figures."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from apps.accounts.permissions import check_may_make_policy
from apps.accounts.requests import PersonsRequest
from apps.boards.boards import kpi_catalogue, kpis
from apps.boards.boards import targets as chosen
from apps.boards.boards.kpi import Kpi, Unit
from apps.core import clock

# What is entered, of one as it is kept: percent of a share, minutes of a time, the sum itself.
ENTERED = {Unit.SHARE: 100.0, Unit.SECONDS: 1 / 60.0, Unit.MONEY: 1.0}


def _entered(kpi: Kpi, text: str) -> float | None:
    """What was typed, as the figure counts; none where the field was emptied. Raises TargetRefusedError."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        refusal = gettext("%(title)s: %(text)s is not a number.") % {"title": kpi.title, "text": text}
        raise chosen.TargetRefusedError(refusal) from None
    return number / ENTERED[kpi.unit]


def _plain(kpi: Kpi, target: float | None) -> str:
    if target is None:
        return ""
    number = target * ENTERED[kpi.unit]
    return f"{number:.4f}".rstrip("0").rstrip(".")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def targets(request: PersonsRequest) -> HttpResponse:
    """All targets on one page, for who may make policy."""
    check_may_make_policy(request.user)
    now, problems, changed = clock.now(), dict[str, str](), 0
    if request.method == "POST":
        for kpi in kpi_catalogue.KPIS:
            try:
                changed += chosen.set_target(kpi.name, _entered(kpi, request.POST.get(kpi.name, "")), by=request.user, now=now)
            except chosen.TargetRefusedError as error:
                problems[kpi.name] = str(error)
        if not problems:
            messages.success(request, gettext("Targets saved."), extra_tags="done")
            return redirect("boards:figures")
    held = kpis.targets()
    rows: list[dict[str, Any]] = []
    for kpi in kpi_catalogue.KPIS:
        rows.append(
            {
                "kpi": kpi,
                "declared": _plain(kpi, kpi.target),
                "problem": problems.get(kpi.name, ""),
                "value": request.POST[kpi.name] if kpi.name in problems else _plain(kpi, held.get(kpi.name, kpi.target)),
            }
        )
    return render(request, "boards/targets.html", {"rows": rows, "problems": problems}, status=422 if problems else 200)
