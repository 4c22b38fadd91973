"""Tells of extensions that are refused. A warning: the tower runs without them."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register


@register()
def refused(**_: Any) -> list[CheckMessage]:
    """Every package that says it is an extension takes part."""
    return [checks.Warning(str(one), id="extensions.W001") for one in settings.EXTENSIONS.refused]
