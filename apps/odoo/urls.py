"""Addresses of the connections."""

from django.urls import path

from apps.odoo import views

app_name = "connections"
urlpatterns = [
    path("connections/", views.listing, name="list"),
    path("connections/add/", views.add, name="add"),
    path("connections/<slug:name>/", views.detail, name="detail"),
    path("connections/<slug:name>/check/", views.check, name="check"),
    path("connections/<slug:name>/hooks/", views.switch_hooks, name="switch-hooks"),
]
