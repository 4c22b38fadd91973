from importlib import import_module

from django.apps import AppConfig


class VendorsConfig(AppConfig):
    name = "apps.vendors"
    label = "vendors"

    def ready(self) -> None:
        import_module("apps.vendors.follow_ups.suggesting")  # registers what is offered on an order that nobody confirms
