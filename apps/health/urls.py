"""Addresses of the health page and the probes."""

from django.urls import path

from apps.health import views

app_name = "health"
urlpatterns = [
    path("health/", views.overview, name="overview"),
    path("healthz", views.alive, name="alive"),
    path("readyz", views.ready, name="ready"),
    path("metrics", views.metrics, name="metrics"),
    path("health/alerts/", views.alert_rules, name="alerts"),
    path("health/alerts/new/", views.alert_rule, name="new-alert"),
    path("health/alerts/<int:rule_id>/", views.alert_rule, name="alert"),
    path("health/alerts/endpoints/new/", views.add_endpoint, name="new-endpoint"),
    path("health/alerts/endpoints/<int:endpoint_id>/", views.endpoint, name="endpoint"),
    path("health/commands/<uuid:command_id>/retry/", views.retry, name="retry"),
    path("health/deliveries/", views.dead_letters, name="dead-letters"),
    path("health/deliveries/replay/", views.replay, name="replay"),
    path("health/deliveries/<int:delivery_id>/", views.dead_letter, name="dead-letter"),
    path("health/deliveries/<int:delivery_id>/edit/", views.edit_payload, name="edit-payload"),
]
