"""What the address of a list may say: no empty parameters, no name or value that the list does not know."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

LONGEST_TEXT = 200
LONGEST_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a list's address.

    Attributes:
        label: what the form calls it.
        is_known: True if a value is one that the list knows; text that is searched for is always known.
    """

    label: str
    is_known: Callable[[str], bool] = field(default=lambda value: True)


def one_of(values: Collection[Any]) -> Callable[[str], bool]:
    """Return the test for a value that is among ``values``."""
    known = {str(value) for value in values}
    return lambda value: value in known


def problems_of(query: Mapping[str, str], parameters: Mapping[str, Parameter], *, beside: Collection[str] = ()) -> list[str]:
    """Return what is wrong with ``query`` in the reader's words, one sentence each; nothing where it can be followed.

    Args:
        beside: names that are no filters, such as the cursor.
    """
    found = []
    for name, value in query.items():
        shown = value[:LONGEST_SHOWN].replace("\x00", "�")
        named = name[:LONGEST_SHOWN].replace("\x00", "�")
        if name in beside or not value:
            continue
        if name not in parameters:
            found.append(gettext("There is no filter “%(name)s” on this page.") % {"name": named})
        elif "\x00" in value or len(value) > LONGEST_TEXT or not parameters[name].is_known(value):
            found.append(
                gettext("%(label)s: “%(value)s” is not a value of this filter.") % {"label": parameters[name].label, "value": shown}
            )
    return found


def without_empty(request: HttpRequest) -> HttpResponse | None:
    """Redirect to the same address without its empty parameters; None where there are none."""
    if all(value for _, values in request.GET.lists() for value in values):
        return None
    kept = request.GET.copy()
    for name, values in request.GET.lists():
        kept.setlist(name, [value for value in values if value])
        if not kept.getlist(name):
            del kept[name]
    return HttpResponseRedirect(f"{request.path}?{kept.urlencode()}" if kept else request.path)
