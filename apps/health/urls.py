"""Addresses of the health page."""

from django.urls import path

from apps.health import views

app_name = "health"
urlpatterns = [
    path("health/", views.overview, name="overview"),
    path("health/commands/<uuid:command_id>/retry/", views.retry, name="retry"),
    path("health/deliveries/<int:delivery_id>/replay/", views.replay, name="replay"),
]
