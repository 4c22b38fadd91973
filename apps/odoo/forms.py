"""Asking for what is needed to reach an Odoo."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext, gettext_lazy

from apps.odoo.models import Connection


class ConnectionForm(forms.ModelForm):
    """A new connection. Whether Odoo answers is found out by a worker, not while the browser waits."""

    class Meta:
        model = Connection
        fields = ["name", "url", "database", "login", "api_key"]
        labels = {
            "name": gettext_lazy("Name"),
            "url": gettext_lazy("Address"),
            "database": gettext_lazy("Database"),
            "login": gettext_lazy("Login"),
            "api_key": "API key",
        }
        help_texts = {
            "name": gettext_lazy("Short, in lower case; it stands in addresses and commands, and cannot be changed later."),
            "url": gettext_lazy("Such as https://erp.example.com"),
            "database": gettext_lazy("As Odoo's database selector names it."),
            "login": gettext_lazy("A user of the tower's own, so that Odoo's log tells its writes apart."),
            "api_key": gettext_lazy("Made in Odoo: Preferences, Account Security, New API Key. Kept encrypted, never shown again."),
        }
        widgets = {"api_key": forms.PasswordInput(attrs={"autocomplete": "off"})}

    def clean_url(self) -> str:
        """The address without path or trailing slash."""
        parts = urlsplit(self.cleaned_data["url"].strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise forms.ValidationError(gettext("This is no web address. Enter it with http:// or https:// and the host."))
        if parts.username or parts.password:
            raise forms.ValidationError(gettext("Leave user and password out of the address; they have fields of their own."))
        return f"{parts.scheme}://{parts.netloc}"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs |= {"spellcheck": "false", "autocapitalize": "none", "aria-describedby": f"about-{name}"}
