"""A page, or the part of it that a script of an open page asks for."""

from django.http import HttpRequest


def part(request: HttpRequest, template: str, name: str) -> str:
    """Return the name of a template, or of the part of it that a live update asks for.

    Args:
        name: the ``{% partialdef %}`` of the template that is the part.
    """
    return f"{template}#{name}" if request.headers.get("X-Fragment") else template
