"""Finding any tampering with the audit trail."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.audit.models import Entry, Head
from apps.audit.trail import digest

BATCH = 5_000
BEGINNING = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found: how many entries hold, and the first that does not."""

    entries: int
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether the whole trail is as it was written."""
        return not self.problem


def checkpoint_file() -> Path:
    """Where count and newest link are kept outside the database: a cut tail shows nowhere else."""
    return Path(settings.CONTROLTOWER_HOME) / "audit-checkpoints.jsonl"


def _entries() -> Iterator[dict[str, Any]]:
    fields = ("sequence", "at", "action", "actor", "actor_name", "subject", "data", "previous_hash", "hash")
    yield from Entry.objects.order_by("sequence").values(*fields).iterator(chunk_size=BATCH)


class CheckpointError(Exception):
    """The file of checkpoints cannot be read; the message names the line."""


def _checkpoints() -> dict[int, str]:
    """Sequence → link, as kept. Raises CheckpointError: a line that was broken may have been broken on purpose."""
    path = checkpoint_file()
    kept: dict[int, str] = {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], start=1):
        try:
            seen = json.loads(line)
            sequence, link = int(seen["sequence"]), str(seen["hash"])
        except (ValueError, KeyError, TypeError):
            raise CheckpointError(
                f"Line {number} of {path} is no checkpoint. Compare the file with the copy kept elsewhere; "
                "where the line was cut by a full disk or a lost machine, delete it."
            ) from None
        if sequence:
            kept[sequence] = link
    return kept


def verify() -> Verdict:
    """Walk the whole chain, in bounded memory, and compare it with its head and with every checkpoint.

    Head and checkpoints are read before the entries: those that are added meanwhile lie beyond them and do no harm.
    """
    head = Head.objects.filter(id=1).first() or Head(id=1)
    try:
        kept = _checkpoints()
    except CheckpointError as error:
        return Verdict(entries=0, problem=str(error))
    previous, count = BEGINNING, 0
    for row in _entries():
        sequence = count + 1
        if row["sequence"] != sequence:
            return Verdict(entries=count, problem=f"Entry {sequence} is missing; the next is {row['sequence']}.")
        if row["previous_hash"] != previous:
            return Verdict(entries=count, problem=f"Entry {sequence} does not follow the one before it.")
        link = digest(
            previous=previous,
            sequence=sequence,
            at=row["at"],
            action=row["action"],
            actor=row["actor"],
            actor_name=row["actor_name"],
            subject=row["subject"],
            data=row["data"],
        )
        if link != row["hash"]:
            return Verdict(entries=count, problem=f"Entry {sequence} ({row['action']}) is not as it was written.")
        if kept.get(sequence, link) != link:
            return Verdict(entries=count, problem=f"Entry {sequence} is not the one that its checkpoint saw.")
        if sequence == head.sequence and link != head.hash:
            return Verdict(entries=count, problem=f"Entry {sequence} is not the one that the head of the trail saw.")
        previous, count = link, sequence
    if head.sequence > count or (count and not head.sequence):
        return Verdict(entries=count, problem=f"The trail ends at entry {count}; its head says {head.sequence}.")
    if kept and max(kept) > count:
        return Verdict(entries=count, problem=f"The trail ends at entry {count}; a checkpoint saw entry {max(kept)}.")
    return Verdict(entries=count)


def checkpoint() -> int:
    """Note count and newest link outside the database; the count. Send the file elsewhere to be surer still."""
    head = Head.objects.filter(id=1).first() or Head(id=1)
    path = checkpoint_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"sequence": head.sequence, "hash": head.hash})
    with path.open("a+") as file:
        file.seek(0)
        before = file.read()
        if not before.endswith(line + "\n"):  # nothing happened since: one line tells as much as two
            file.write(("" if not before or before.endswith("\n") else "\n") + line + "\n")
    return head.sequence
