"""A kind of draft: what programs and people do with it goes the same way, whoever it is written to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.accounts.access import AccessScope
from apps.core.refusals import Refusal
from apps.vendors.mail.one_by_one import Sent


@dataclass(frozen=True, kw_only=True)
class DraftKind[Draft]:
    """What there is to do with one kind of draft.

    Attributes:
        find: returns the draft of a key, if it is in sight.
        send_all: sends drafts, by their keys as they were seen, each for itself.
        edit: has a draft say something else; empty words bring the drafted ones back.
        dismiss: ends a draft without sending it.
        changed: returns the refusal of what was seen otherwise.
        refused: what these raise where a draft is no longer what it was.
    """

    find: Callable[[str, AccessScope], Draft | None]
    send_all: Callable[..., list[Sent[Any]]]
    edit: Callable[..., object]
    dismiss: Callable[..., object]
    changed: Callable[[Draft], Refusal]
    refused: type[Refusal]
