"""Who guesses secrets: a sender whose secrets are unknown again and again is not answered by asking the database any more.

Whoever knows a secret is never held up, though they come from the same address: behind a proxy all may.
"""

import time
from collections import defaultdict

# A sender whose secret was changed a moment ago knows no better.
MOST = 30
WINDOW_SECONDS = 60.0
# Beyond so many senders all are forgotten: the count is no ledger.
MOST_SENDERS = 10_000


class SecretThrottle:
    """Which secrets that nobody has each sender named, in the present minute. The same one again is no other guess."""

    def __init__(self) -> None:
        self.named: defaultdict[str, set[bytes]] = defaultdict(set)
        self.ends = 0.0

    def are_too_many(self, sender: str) -> bool:
        """Whether ``sender`` has guessed enough for now."""
        if time.monotonic() > self.ends:
            self.named.clear()
            self.ends = time.monotonic() + WINDOW_SECONDS
        return sender in self.named and len(self.named[sender]) >= MOST

    def note(self, sender: str, digest: bytes) -> None:
        """``sender`` has named a secret that nobody has, of that digest."""
        if len(self.named) >= MOST_SENDERS:
            self.named.clear()
        self.named[sender].add(digest)
