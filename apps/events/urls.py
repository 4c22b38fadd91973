"""Addresses of the page of outside events."""

from django.urls import path

from apps.events import views

app_name = "events"
urlpatterns = [
    path("events/", views.listing, name="list"),
    path("events/<int:event_id>/<slug:action>/", views.act, name="act"),
]
