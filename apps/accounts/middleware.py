"""Each person sees times in the time zone they chose, and reads the language they chose."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from apps.accounts import languages

# Programs read what these answer. It is English whatever they accept, so that no text they know changes.
FOR_PROGRAMS = ("/api/",)


class PersonsTimeZone:
    """Activates the signed-in person's time zone for the length of the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Reading the user costs a query, so only where a session says that there is one.
        chosen = getattr(request.user, "time_zone", "") if request.session.session_key else ""
        if not chosen:
            return self.get_response(request)
        try:
            zone = zoneinfo.ZoneInfo(chosen)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)


class PersonsLanguage:
    """Activates the signed-in person's language for the rest of the request, in place of the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user if request.session.session_key and request.user.is_authenticated else None
        if request.path.startswith(FOR_PROGRAMS):
            language = "en"
        else:
            language = languages.language_of(user, request.headers.get("Accept-Language", ""))
        # LocaleMiddleware, which stands before, activates anew with each request and says in the answer what was spoken.
        translation.activate(language)
        request.LANGUAGE_CODE = language
        return self.get_response(request)
