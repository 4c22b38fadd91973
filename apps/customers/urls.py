"""Addresses of what customers are told."""

from django.urls import path

from apps.customers import views

app_name = "customers"
urlpatterns = [
    path("customer-messages/", views.listing, name="messages"),
    path("customer-messages/send/", views.send, name="send"),
    path("customer-messages/sent/", views.sent, name="sent"),
    path("customer-messages/<slug:key>/", views.draft, name="draft"),
    path("customer-rules/", views.rule_list, name="rules"),
    path("customer-rules/<slug:connection>/<int:number>/<int:odoo_id>/", views.set_rule, name="set-rule"),
]
