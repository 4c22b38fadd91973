"""Refuses forms with text that PostgreSQL cannot keep, before any page reads them. What programs send, ``api.parsers`` reads."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class RefuseNul:
    """Answer 400, naming the field, where a form's field holds a NUL character."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and request.content_type in FORMS and not request.path.startswith("/api/"):
            for name, values in request.POST.lists():
                if any("\0" in text for text in (name, *values)):
                    told = gettext("The field %(name)s contains an invalid character. Remove it and try again.")
                    return HttpResponse(told % {"name": name.replace("\0", "")[:60]}, status=400, content_type="text/plain")
        return self.get_response(request)
