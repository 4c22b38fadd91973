"""Addresses of the teams' working calendars."""

from django.urls import path

from apps.timers import views

app_name = "timers"
urlpatterns = [
    path("calendars/", views.listing, name="calendars"),
    path("calendars/<slug:name>/", views.change, name="calendar"),
]
