"""The ways by which people are notified outside of the tower: e-mail, their devices, and the channels of extensions."""

import os
from collections.abc import Collection
from functools import cache

from django.conf import settings
from django.utils.translation import gettext_noop

from apps.notifications.declare import Channel

OWN = {"email": "E-mail", "push": gettext_noop("This person's devices")}


class DeclarationError(Exception):
    """A channel says something that cannot be; the message names it and the remedy."""


@cache
def channels() -> dict[str, Channel]:
    """The channels of extensions by the name of their module."""
    return assembled([one.package for one in settings.EXTENSIONS.accepted])


def assembled(packages: Collection[str]) -> dict[str, Channel]:
    """Return the channels of the extensions of ``packages``, by name. Raises DeclarationError, ExtensionError."""
    found: dict[str, Channel] = {}
    for one in settings.EXTENSIONS.accepted:
        prefix = f"CHANNEL_{one.extension.name.upper()}_"
        for name, channel in settings.EXTENSIONS.declared("channels", Channel, of={one.package} & set(packages)):
            if name in {*OWN, *found}:
                raise DeclarationError(f"The channel {name} is called as another is. Rename its module.")
            if any(variable and not variable.startswith(prefix) for variable in (channel.address, channel.token)):
                # No package reads what was set for another: the tower's keys stand in the environment too.
                raise DeclarationError(f"The channel {name} reads variables that do not begin with {prefix}. Rename them.")
            found[name] = channel
    return found


def address_of(channel: Channel) -> str:
    """Return the address that the channel's messages are posted to; empty where its operator named none."""
    return os.environ.get(channel.address, "")


def in_use() -> dict[str, Channel]:
    """Return the channels of extensions that have an address, by name."""
    return {name: channel for name, channel in channels().items() if address_of(channel)}


def ways() -> dict[str, str]:
    """Every way by which people are notified, with the words that people read for it."""
    return OWN | {name: channel.title for name, channel in in_use().items()}
