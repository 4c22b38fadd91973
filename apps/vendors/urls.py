"""Addresses of the vendor's page, and of what people see of vendors' answers."""

from django.urls import path

from apps.vendors.pages import views as pages

app_name = "vendors"
urlpatterns = [
    path("vendor/<str:token>/", pages.orders, name="orders"),
    path("vendor/<str:token>/orders/<int:order_id>/", pages.order, name="order"),
]
