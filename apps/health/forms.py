"""Asking for what an alert rule and an endpoint need; the same questions on the page and over the API."""

import zoneinfo
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from apps.accounts.models import User
from apps.core.egress import RECEIVER, AddressNotAllowedError, checked
from apps.exceptions.integration import TYPES
from apps.health.models import AlertRule
from apps.notifications.models import Endpoint


def _troubles() -> list[tuple[str, str]]:
    return [(name, gettext(kind.title)) for name, kind in TYPES.items()]


class RuleForm(forms.ModelForm):
    """Of which troubles somebody is told, who, and when not."""

    types = forms.MultipleChoiceField(
        choices=_troubles,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label=gettext_lazy("Incidents"),
        help_text=gettext_lazy("None selected: all."),
    )
    people = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label=gettext_lazy("People"),
        help_text=gettext_lazy("In the tower, and by e-mail if they have an address."),
    )
    endpoints = forms.ModelMultipleChoiceField(
        Endpoint.objects.order_by("name"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label=gettext_lazy("Other systems"),
        help_text=gettext_lazy("By signed webhook."),
    )

    class Meta:
        model = AlertRule
        fields = [
            "name",
            "is_active",
            "types",
            "severity",
            "connection",
            "after_seconds",
            "people",
            "endpoints",
            "quiet_from",
            "quiet_until",
            "time_zone",
            "critical_anyway",
        ]
        labels = {
            "is_active": gettext_lazy("Switched on"),
            "severity": gettext_lazy("Minimum severity"),
            "connection": gettext_lazy("Connection"),
            "after_seconds": gettext_lazy("Minimum duration, seconds"),
            "quiet_from": gettext_lazy("Quiet from"),
            "quiet_until": gettext_lazy("Quiet until"),
            "time_zone": gettext_lazy("Time zone of the quiet hours"),
            "critical_anyway": gettext_lazy("Notify critical incidents during quiet hours"),
        }
        help_texts = {"connection": gettext_lazy("None selected: all."), "severity": "", "after_seconds": ""}
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def clean_time_zone(self) -> str:
        """A time zone that there is."""
        name: str = self.cleaned_data["time_zone"]
        if name not in zoneinfo.available_timezones():
            raise forms.ValidationError(gettext("There is no such time zone. Enter one such as Europe/Berlin."))
        return name

    def clean(self) -> dict[str, Any]:
        """Somebody has to be told, and quiet hours have two ends."""
        given: dict[str, Any] = super().clean() or {}
        if not given.get("people") and not given.get("endpoints"):
            self.add_error("people", gettext("Choose a recipient: a person or another system."))
        if (given.get("quiet_from") is None) != (given.get("quiet_until") is None):
            self.add_error("quiet_until", gettext("Quiet hours need both a beginning and an end."))
        return given


class EndpointForm(forms.ModelForm):
    """Another system that is told."""

    class Meta:
        model = Endpoint
        fields = ["name", "url", "is_active"]
        labels = {"name": gettext_lazy("Name"), "url": gettext_lazy("Address"), "is_active": gettext_lazy("Switched on")}
        help_texts = {"url": gettext_lazy("Begins with https:// and is public.")}
        widgets = {"url": forms.URLInput(attrs={"spellcheck": "false", "autocapitalize": "none"})}

    def clean_url(self) -> str:
        """An address that the tower posts to."""
        try:
            return checked(self.cleaned_data["url"], RECEIVER)
        except AddressNotAllowedError as error:
            raise forms.ValidationError(str(error)) from None
