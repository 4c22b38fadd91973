"""The clerks of the company: they own exceptions, act on them and decide approvals in the tower, at the pace of people.

They use the REST API as any program may, each with a token of their own, and know nothing of the tower beyond it:
``python -m sandbox.clerks URL`` with their tokens in ``CLERK_TOKENS``, as JSON by their names. Nobody waits for them: what they
find gone or changed they leave, and what is fresh they leave to whoever looks on.
"""

import argparse
import json
import logging
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

logger = logging.getLogger(__name__)

# Who works in the tower, their role there and their teams; those who decide have a limit.
CLERKS: dict[str, tuple[str, str, tuple[str, ...], int | None]] = {
    "sofia": ("Sofia Lindqvist", "operator", ("sales", "service"), None),
    "paula": ("Paula Brandt", "operator", ("purchasing",), None),
    "ada": ("Ada Moreau", "operator", ("finance",), None),
    "nils": ("Nils Haugen", "operator", ("warehouse",), None),
    "lena": ("Lena Vogt", "approver", ("sales", "finance", "warehouse", "purchasing", "service"), 50_000),
}
# What has come within this time is left to the visitor.
FRESH = timedelta(minutes=2)
# A person reads, thinks and phones for so many seconds; with much on the desk, for less.
PACE_SECONDS, LEAST_SECONDS = 60.0, 8.0
RESOLUTIONS = {
    "order": ("Agreed with the customer by phone", "The customer accepts the later date", "Checked; the order stands as it is"),
    "purchase": ("The vendor confirmed by phone", "The vendor ships the rest on Friday"),
    "fulfilment": ("Picked from the other bay", "The carrier comes again this afternoon"),
    "invoice": ("The customer has paid; the bank is late", "Credited the difference"),
    "returns": ("The goods are checked and credited",),
    "inventory": ("Counted again; it was on the other shelf",),
    "service": ("Answered by mail",),
}
COMMENTS = (
    "Called, they ring back after lunch.",
    "Waiting for the warehouse to count again.",
    "The customer would take half of it now.",
    "Asked purchasing for a date.",
)
REASONS = ("Good customer, pays on time.", "Within what we agreed for this quarter.", "The margin carries it.")
REFUSALS = ("Too much is overdue. Ask for a payment first.", "Not at this discount.")


class RefusedError(Exception):
    """The tower refused, or is not there; the message says why."""


type Call = Callable[[str, Mapping[str, Any] | None], Any]


def caller(url: str, token: str) -> Call:
    """Return a function that reads a path of the API, or posts a body to it, and gives the parsed answer."""

    def call(path: str, body: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{url.rstrip('/')}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise RefusedError(f"{path}: {error.code} {error.read()[:300].decode(errors='replace')}") from None
        except OSError as error:
            raise RefusedError(f"{path}: {error}") from None

    return call


class Clerk:
    """One person at their desk."""

    def __init__(self, name: str, call: Call, *, role: str, chance: random.Random) -> None:
        self.name, self.call, self.role, self.chance = name, call, role, chance
        self.waiting = 0

    @property
    def pause(self) -> float:
        """Seconds until the next act: the more waits, the less."""
        return max(LEAST_SECONDS, PACE_SECONDS / (1 + self.waiting / 10)) * self.chance.uniform(0.5, 1.5)

    def act(self, now: datetime) -> str:
        """Do one thing, and name it; nothing where nothing waits or the tower refuses."""
        try:
            return self._decide(now) if self.role == "approver" else self._work(now)
        except RefusedError as error:
            # The person reads it, and turns to something else.
            logger.info("%s: %s", self.name, error)
            return ""

    def _aged(self, path: str, since: str, now: datetime) -> list[dict[str, Any]]:
        """What waits for this person and is no longer fresh."""
        found: list[dict[str, Any]] = self.call(path, None)["results"]
        self.waiting = len(found)
        return [one for one in found if now - datetime.fromisoformat(one[since]) >= FRESH]

    def _decide(self, now: datetime) -> str:
        mine = self._aged(f"approvals/?status=pending&approver={self.name}", "requested_at", now)
        mine = [one for one in mine if self.name in one["approvers"] and not one["paused_at"]]
        if not mine:
            return ""
        one = self.chance.choice(mine)
        seen = {"facts_digest": one["facts_digest"]}
        if self.chance.random() < 0.85:
            self.call(f"approvals/{one['id']}/approve/", {"reason": self.chance.choice(REASONS), **seen})
            return "approve"
        self.call(f"approvals/{one['id']}/reject/", {"reason": self.chance.choice(REFUSALS), **seen})
        return "reject"

    def _work(self, now: datetime) -> str:
        fresh_or_new = self._aged(f"exceptions/?owner={self.name}&status=open", "opened_at", now)
        begun = self.call(f"exceptions/?owner={self.name}&status=acknowledged", None)["results"]
        self.waiting += len(begun)
        if fresh_or_new and (not begun or self.chance.random() < 0.5):
            self.call(f"exceptions/{self.chance.choice(fresh_or_new)['id']}/acknowledge/", {})
            return "acknowledge"
        if not begun:
            return ""
        case = self.chance.choice(begun)
        way = self.chance.choices(["apply", "comment", "resolve", "snooze"], weights=[5, 2, 3, 1])[0]
        if way == "apply":
            return self._apply(case)
        if way == "comment":
            self.call(f"exceptions/{case['id']}/comment/", {"text": self.chance.choice(COMMENTS)})
        elif way == "snooze":
            until = now + timedelta(minutes=self.chance.choice([15, 30, 60]))
            self.call(f"exceptions/{case['id']}/snooze/", {"until": until.isoformat()})
        else:
            said = RESOLUTIONS.get(case["type"].partition(".")[0], RESOLUTIONS["order"])
            self.call(f"exceptions/{case['id']}/resolve/", {"resolution": self.chance.choice(said)})
        return way

    def _apply(self, case: Mapping[str, Any]) -> str:
        """Take the first of the ways that the tower suggests; without one, say how it stands."""
        offered = self.call(f"exceptions/{case['id']}/actions/", None)
        if not offered:
            self.call(f"exceptions/{case['id']}/comment/", {"text": self.chance.choice(COMMENTS)})
            return "comment"
        self.call(f"exceptions/{case['id']}/apply/", {"action": offered[0]["action"], "option": offered[0]["option"]})
        return "apply"


def work(clerks: list[Clerk], stopping: threading.Event) -> None:
    """Let each act when their time has come, until told to stop."""
    due = {clerk.name: time.monotonic() + clerk.pause for clerk in clerks}
    by_name = {clerk.name: clerk for clerk in clerks}
    while due:
        name = min(due, key=lambda one: due[one])
        if stopping.wait(max(0.0, due[name] - time.monotonic())):
            return
        done = by_name[name].act(datetime.now(UTC))
        if done:
            logger.info("%s: %s", name, done)
        due[name] = time.monotonic() + by_name[name].pause


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="where the tower is")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    tokens: dict[str, str] = json.loads(os.environ["CLERK_TOKENS"])
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    chance = random.Random()
    clerks = [Clerk(name, caller(options.url, token), role=CLERKS[name][1], chance=chance) for name, token in tokens.items()]
    print("The clerks are ready.", flush=True)
    work(clerks, stopping)


if __name__ == "__main__":
    main()
