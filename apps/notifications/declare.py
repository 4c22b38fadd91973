"""The words in which a notification channel is declared: where messages are posted to, and how they are written there.

A channel composes, and the tower posts: to one address that its operator names, through the same guard as all others, and again
where it fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Told:
    """One message to one person.

    Attributes:
        title, body: what it says, in the person's language.
        link: the page that it leads to; empty where there is none.
        username, name, email: who it is for.
    """

    title: str
    body: str
    link: str
    username: str
    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way by which people are notified.

    Attributes:
        title: what people call it.
        address: environment variable with the address that messages are posted to; the channel is in use where it is set.
        token: environment variable with what is sent as a bearer token; none where it is empty.
        compose: gives the JSON that is posted for a message.
    """

    title: str
    address: str
    compose: Callable[[Told], Mapping[str, Any]]
    token: str = ""
