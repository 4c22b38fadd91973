"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest


def tower(request: HttpRequest) -> dict[str, object]:
    """The tower's own address, for links that leave the page (e-mail, Odoo)."""
    return {"public_url": settings.PUBLIC_URL}
