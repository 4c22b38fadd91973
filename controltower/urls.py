"""Where each address leads. Every app owns the addresses below its own name."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from apps.core import wording

APPS = ["boards", "exceptions", "approvals", "vendors", "customers", "notifications", "health", "events", "odoo", "audit", "timers"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("words/<slug:language>.<slug:digest>.js", wording.words, name="words"),
    *(path("", include(f"apps.{app}.urls")) for app in APPS if find_spec(f"apps.{app}.urls")),
    *(path("api/v1/", include("apps.api.urls")) for _ in [1] if find_spec("apps.api.urls")),
]
