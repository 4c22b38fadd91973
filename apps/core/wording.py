"""What the interface says, for its scripts: the catalogue of one language as one file that browsers keep.

Its address has a digest of its content in it, so that a new translation is a new file.
"""

import hashlib
from functools import lru_cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog


@lru_cache(maxsize=32)
def _catalogue(language: str) -> tuple[bytes, str]:
    with translation.override(language):
        answer = JavaScriptCatalog().get(HttpRequest())
    return answer.content, hashlib.sha256(answer.content).hexdigest()[:12]


def address() -> str:
    """Where the scripts' words in the active language lie."""
    language = get_language() or settings.LANGUAGE_CODE
    return reverse("words", args=[language, _catalogue(language)[1]])


@require_safe
def words(request: HttpRequest, language: str, digest: str) -> HttpResponse:
    """The scripts' words in ``language``. The same for everybody, signed in or not."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    content, present = _catalogue(language)
    # An older page's file is gone; it gets the newest, and keeps it for as long as the page.
    kept = "public, max-age=31536000, immutable" if digest == present else "no-cache"
    return HttpResponse(content, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": kept})
