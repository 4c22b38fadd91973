"""Pages and scripts of the interface: how a refusal that no view has shown in its own place is answered."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from apps.core.refusals import Refusal


class RefusalPages:
    """Answer a refusal that a view let through: with its status and sentence, as a page, or as JSON to a script."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a refusal; anything else is Django's to handle."""
        if not isinstance(error, Refusal):
            return None
        if wants_json(request):
            return JsonResponse({"detail": str(error), "code": error.code}, status=error.status)
        template = "403.html" if error.status == 403 else "refusal.html"
        return render(request, template, {"reason": str(error), "status": error.status}, status=error.status)


def wants_json(request: HttpRequest) -> bool:
    """True if a script of the interface asks: it says so (``static/js/acts.js``), sends JSON, or accepts it first."""
    if request.headers.get("X-Act") or request.content_type == "application/json":
        return True
    return request.headers.get("Accept", "").startswith("application/json")
