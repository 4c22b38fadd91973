"""Addresses of the connections."""

from django.urls import path

from apps.odoo import views

app_name = "connections"
urlpatterns = [
    path("connections/", views.listing, name="list"),
    path("connections/add/", views.add, name="add"),
    path("connections/<slug:name>/", views.detail, name="detail"),
    path("connections/<slug:name>/check/", views.check, name="check"),
    path("connections/<slug:name>/time-zone/", views.time_zone, name="time-zone"),
    path("connections/<slug:name>/edit/", views.edit, name="edit"),
    path("connections/<slug:name>/tests/<int:number>/", views.access_test, name="access-test"),
    path("connections/<slug:name>/tests/<int:number>/save/", views.save_access, name="save-access"),
    path("connections/<slug:name>/delete/", views.delete, name="delete"),
    path("connections/<slug:name>/hooks/", views.switch_hooks, name="switch-hooks"),
]
