"""Asking for what is needed to reach an Odoo."""

import zoneinfo
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from apps.core import egress
from apps.odoo.models import Connection


class TimeZoneForm(forms.Form):
    """In which zone the companies of a connection count days. None chosen: each as its Odoo says."""

    time_zone = forms.ChoiceField(
        choices=lambda: [("", gettext("From Odoo")), *((zone, zone) for zone in sorted(zoneinfo.available_timezones()))],
        required=False,
        label=gettext_lazy("Time zone of its companies"),
    )


class ConnectionForm(forms.ModelForm):
    """A new connection. Whether Odoo answers is found out by a worker, not while the browser waits."""

    api_key = forms.CharField(
        label="API key",
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "Create it in Odoo: Preferences, Account Security, New API Key. Stored encrypted and never shown again."
        ),
    )

    class Meta:
        model = Connection
        fields = ["name", "url", "database", "login", "api_key"]
        labels = {
            "name": gettext_lazy("Name"),
            "url": gettext_lazy("Address"),
            "database": gettext_lazy("Database"),
            "login": gettext_lazy("Login"),
        }
        help_texts = {
            "name": gettext_lazy("Short, in lower case; it stands in addresses and commands, and cannot be changed later."),
            "url": gettext_lazy("For example https://erp.example.com"),
            "database": gettext_lazy("The name in Odoo's database selector."),
            "login": gettext_lazy("A dedicated Odoo user, so that Odoo's log shows the tower's changes."),
        }

    def clean_url(self) -> str:
        """The address without path or trailing slash."""
        try:
            parts = egress.checked_form(self.cleaned_data["url"].strip(), egress.ODOO)
        except egress.AddressNotAllowedError as error:
            raise forms.ValidationError(str(error)) from error
        return f"{parts.scheme}://{parts.netloc}"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs |= {"spellcheck": "false", "autocapitalize": "none", "aria-describedby": f"about-{name}"}


class AccessForm(ConnectionForm):
    """Other access data for a connection that is there. Its name stays."""

    class Meta(ConnectionForm.Meta):
        fields = ["url", "database", "login", "api_key"]
        help_texts = ConnectionForm.Meta.help_texts | {
            "api_key": gettext_lazy("Leave empty to keep the stored key; a new address, database or login needs it again."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["api_key"].required = False
