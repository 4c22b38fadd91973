"""Addresses of the exception screens."""

from django.urls import path

from apps.exceptions import views

app_name = "exceptions"
urlpatterns = [
    path("exceptions/", views.queue, name="queue"),
    path("exceptions/<int:case_id>/", views.detail, name="detail"),
    path("exceptions/<int:case_id>/<slug:action>/", views.act, name="act"),
    path("connections/<slug:name>/exceptions-in-odoo/", views.in_odoo, name="in-odoo"),
]
