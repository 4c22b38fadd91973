"""Addresses of the notifications."""

from django.urls import path

from apps.notifications import views

app_name = "notifications"
urlpatterns = [
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("service-worker.js", views.service_worker, name="worker"),
    path("offline/", views.offline, name="offline"),
    path("notifications/", views.listing, name="list"),
    path("in/<str:token>/", views.enter, name="enter"),
    path("notifications/choices/", views.choices, name="choices"),
    path("notifications/devices/add/", views.add_device, name="add_device"),
    path("notifications/devices/drop/", views.drop_device, name="drop_device"),
    path("notifications/language/", views.language, name="language"),
    path("notifications/bell/", views.bell, name="bell"),
    path("notifications/read/", views.read, name="read"),
]
