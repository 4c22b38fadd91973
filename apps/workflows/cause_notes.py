"""What holds up several records, as pages of other floors name it.

The groups are kept on a floor above this one: whoever keeps them says so with :func:`register`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from apps.accounts.access import AccessScope

type RecordKey = tuple[int, str, int]
type Provider = Callable[[Collection[RecordKey], AccessScope], Mapping[RecordKey, CauseNote]]


@dataclass(frozen=True, kw_only=True)
class CauseNote:
    """A cause that holds up several: what it is called, how many exceptions it has, and its page."""

    title: str
    name: str
    count: int
    path: str


_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Name who knows the causes; called once, as an app starts."""
    if provider not in _providers:
        _providers.append(provider)


def of_records(records: Collection[RecordKey], access_scope: AccessScope) -> dict[RecordKey, CauseNote]:
    """Return the cause of each record that waits with others, by its connection, Odoo's model and its number."""
    found: dict[RecordKey, CauseNote] = {}
    if records:
        for provider in _providers:
            found |= provider(records, access_scope)
    return found
