"""Makes deliveries durable: what arrives within a moment is one INSERT and one commit.

The database may be away, slow, or silent. None of that may hold the sender up for longer than it takes to notice, since
Odoo's users wait for the answer.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import psycopg

from apps.core import clock
from apps.core.secrets import SecretUnreadableError, reveal
from apps.core.wake import wake_now
from apps.intake import signatures, tally, waits
from apps.intake.secret_throttle import SecretThrottle
from apps.intake.session import Session

logger = logging.getLogger(__name__)

LONGEST_QUEUE = 20_000
LARGEST_QUEUE_BYTES = 64 * 1024 * 1024
GROUP = 500
# While one waits for its commit to reach the disk, the next is on its way there: PostgreSQL takes them together. With two, and
# 64 senders, a quarter fewer deliveries were stored a second; beyond four nothing was gained.
WRITERS = 4
# Odoo gives up after one second: an answer after that reaches nobody.
STORE_SECONDS = 0.7
# A commit takes milliseconds. While so many writers have been at one for longer than this, new arrivals are sent away: one may
# wait for a connection that is being changed, two wait for the database.
SLOW_SECONDS = 0.3
SLOW_WRITERS = 2
# How long a writer waits for a server that has fallen silent before it begins anew on another session.
STATEMENT_SECONDS = 2.0
RETRY_SECONDS = 0.5
SECRETS_SECONDS = 5.0
# An unknown secret may be a new one. Asking for it is bounded, or guessing would be a load on the database.
MISS_SECONDS = 1.0
WAKE_SECONDS = 0.02
# Of so many minutes the waits are remembered while the database is away, all connections together.
MOST_MINUTES = 10_000

# In the order of their keys: writers who have the same messages at the same time wait for one another, and never in a ring.
# The connections are held once a statement, at half the cost of a foreign key that checks every row. Those that are gone
# are missing from the answer, and so are their deliveries from the table.
STORE = """
WITH held AS (SELECT id FROM odoo_connection WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE),
     stored AS (
INSERT INTO intake_delivery
       (source, connection_id, key, model, odoo_id, body, received_at, not_before, status, attempts, problem)
SELECT source, connection_id, key, model, odoo_id, body, received_at, received_at, 'pending', 0, ''
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::timestamptz[])
    AS arrived(connection_id, source, key, model, odoo_id, body, received_at)
  JOIN held ON held.id = connection_id
 ORDER BY connection_id, source, key
ON CONFLICT DO NOTHING
RETURNING connection_id, source)
SELECT held.id, new.source, new.count
  FROM held LEFT JOIN (SELECT connection_id, source, count(*) FROM stored GROUP BY 1, 2) AS new ON new.connection_id = held.id
"""
SECRETS = """
SELECT hook_secret, id FROM odoo_connection WHERE is_active
UNION ALL
SELECT previous_hook_secret, id FROM odoo_connection WHERE is_active AND previous_hook_secret <> ''
"""

SENDERS = """
SELECT s.name, s.connection_id, s.secret, s.previous_secret
  FROM intake_sender s JOIN odoo_connection c ON c.id = s.connection_id
 WHERE s.is_active AND c.is_active
"""

Row = tuple[int, str, str, str, int, str, datetime]


class CannotStoreError(Exception):
    """The database is away or slow; the sender is told to come back."""


class TooManyGuessesError(Exception):
    """The sender has named too many secrets that nobody has."""


@dataclass(frozen=True)
class Source:
    """Who may send under one name: whose records it tells of, and the keys that it may sign with."""

    connection_id: int
    keys: tuple[bytes, ...]


class Waiting:
    """A delivery that is to be stored, and the caller who waits for it."""

    def __init__(self, row: Row, size: int) -> None:
        self.row, self.size = row, size
        self.stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answer(self, problem: Exception | None = None) -> None:
        """Tell the caller, unless they have gone."""
        if self.stored.done():
            return
        if problem is None:
            self.stored.set_result(None)
        else:
            self.stored.set_exception(problem)


class Store:
    """A process's way to the table: a few sessions of its own, and the secrets by which senders are known."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Waiting] = asyncio.Queue(LONGEST_QUEUE)
        self.queue_bytes = 0
        self.busy_since: dict[int, float] = {}
        self.down_until = 0.0
        # What came, and what of it was new, by connection and source, since it was last written down.
        self.received: Counter[tuple[int, str]] = Counter()
        self.fresh: Counter[tuple[int, str]] = Counter()
        # How long senders waited since that was last written down.
        self.waited: waits.Counted = {}
        self.stored = asyncio.Event()
        self.secrets: dict[bytes, int] = {}
        self.guesses = SecretThrottle()
        self.sources: dict[str, Source] = {}
        self.secrets_at = float("-inf")
        self.is_asked = asyncio.Event()
        self.next_secrets: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        loops = [*(self._write(number) for number in range(WRITERS)), self._keep_secrets(), self._keep_waking()]
        self.tasks = [asyncio.create_task(loop) for loop in loops]

    async def close(self) -> None:
        """Stop. Callers who still wait are told that nothing was stored."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        while not self.queue.empty():
            self.queue.get_nowait().answer(CannotStoreError())

    async def add(self, row: Row, size: int) -> None:
        """Return once ``row``, whose body has ``size`` bytes, is durable. Raises CannotStoreError."""
        if self._is_known_down() or self.queue.full() or self.queue_bytes + size > LARGEST_QUEUE_BYTES:
            raise CannotStoreError
        waiting = Waiting(row, size)
        self.queue.put_nowait(waiting)
        self.queue_bytes += size
        too_late = asyncio.get_running_loop().call_later(STORE_SECONDS, waiting.answer, CannotStoreError())
        try:
            await waiting.stored
        finally:
            too_late.cancel()

    def note_wait(self, connection_id: int, seconds: float, *, is_turned_away: bool) -> None:
        """Count how long the sender of one of the connection's webhooks has waited for the answer."""
        if len(self.waited) < MOST_MINUTES:
            key = (connection_id, waits.minute_of(clock.now()))
            self.waited.setdefault(key, waits.Waited()).add(seconds, is_turned_away=is_turned_away)

    async def connection_of(self, secret: str, sender: str = "") -> int | None:
        """The connection that ``secret`` belongs to.

        Raises CannotStoreError where the secret is unknown and the database cannot be asked, TooManyGuessesError where
        ``sender`` has named too many that nobody has.
        """
        # By digest: how long a look-up takes then says nothing about how much of a guess was right.
        digest = _digest(secret)
        if digest not in self.secrets:
            if self.guesses.are_too_many(sender):
                raise TooManyGuessesError
            await self._ask_again()
            if digest not in self.secrets:
                self.guesses.note(sender, digest)
        return self.secrets.get(digest)

    async def source(self, name: str) -> Source | None:
        """Who may send under ``name``. Raises CannotStoreError where that is unknown and the database cannot be asked."""
        if name not in self.sources:
            await self._ask_again()
        return self.sources.get(name)

    async def _ask_again(self) -> None:
        """Wait until the secrets have been read anew, unless that was only just done."""
        if time.monotonic() - self.secrets_at < MISS_SECONDS:
            return
        if self._is_known_down():
            raise CannotStoreError
        self.is_asked.set()
        try:
            await asyncio.wait_for(asyncio.shield(self.next_secrets), STORE_SECONDS)
        except TimeoutError:
            raise CannotStoreError from None

    def _is_known_down(self) -> bool:
        now = time.monotonic()
        slow = [at for at in self.busy_since.values() if now - at > SLOW_SECONDS]
        return len(slow) >= SLOW_WRITERS or now < self.down_until

    async def _write(self, number: int) -> None:
        session = Session()
        while True:
            group = await self._group()
            if not group:
                continue
            self.busy_since[number] = time.monotonic()
            try:
                async with asyncio.timeout(STATEMENT_SECONDS):
                    await session.do(partial(self._store, group=group))
            except asyncio.CancelledError:
                _answer_all(group)
                raise
            except Exception as error:
                logger.warning("%s deliveries could not be stored: %s", len(group), str(error) or type(error).__name__)
                self.down_until = time.monotonic() + RETRY_SECONDS
                _answer_all(group)
                await session.close()
            finally:
                del self.busy_since[number]

    async def _group(self) -> list[Waiting]:
        """What waits now, and at least one. Left out are those whose callers have been told no meanwhile."""
        group = [await self.queue.get()]
        while len(group) < GROUP and not self.queue.empty():
            group.append(self.queue.get_nowait())
        self.queue_bytes -= sum(waiting.size for waiting in group)
        return [waiting for waiting in group if not waiting.stored.done()]

    async def _store(self, database: psycopg.AsyncConnection[Any], group: list[Waiting]) -> None:
        columns = [list(column) for column in zip(*(waiting.row for waiting in group), strict=True)]
        try:
            found = await database.execute(STORE, [list(set(columns[0])), *columns])
        except psycopg.DataError as error:
            if len(group) == 1:
                logger.warning("A delivery of connection %s cannot be stored: %s", group[0].row[0], error)
                _answer_all(group)
                return
            # One that cannot be stored must not take others with it.
            for waiting in group:
                await self._store(database, [waiting])
            return
        answer = await found.fetchall()
        held = {connection_id for connection_id, _, _ in answer}
        self.received.update((row[0], row[1]) for row in zip(*columns[:2], strict=True) if row[0] in held)
        self.fresh.update({(connection_id, source): count for connection_id, source, count in answer if count})
        for waiting in group:
            waiting.answer(None if waiting.row[0] in held else CannotStoreError())
        if len(held) < len(set(columns[0])):
            self.is_asked.set()  # A connection was deleted a moment ago, and its secret with it.
        self.stored.set()

    async def _keep_secrets(self) -> None:
        """Know the secrets: read every few seconds, and sooner where one was asked for that is not known."""
        session = Session()
        while True:
            wait, self.is_asked = SECRETS_SECONDS, asyncio.Event()
            try:
                async with asyncio.timeout(STATEMENT_SECONDS):
                    found, senders = await session.do(_secrets_in)
                self.sources = {name: Source(connection_id, _keys(name, stored)) for name, connection_id, *stored in senders}
                self.secrets = {_digest(secret): connection_id for secret, connection_id in found}
                self.secrets_at = time.monotonic()
                self.next_secrets.set_result(None)
                self.next_secrets = asyncio.get_running_loop().create_future()
                await self._count(session)
            except Exception as error:
                logger.warning("The connections' secrets could not be read: %s", str(error) or type(error).__name__)
                self.down_until = max(self.down_until, time.monotonic() + RETRY_SECONDS)
                await session.close()
                wait = RETRY_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self.is_asked.wait()
            # Asked too soon after the last reading: what was asked for waits until the bound has passed.
            await asyncio.sleep(max(0.0, self.secrets_at + MISS_SECONDS - time.monotonic()))

    async def _count(self, session: Session) -> None:
        """Write down what was counted. Where that fails it is kept for the next time: no delivery is to suffer for it."""
        try:
            async with asyncio.timeout(STATEMENT_SECONDS):
                if session.database is not None:
                    await self._write_down(session.database)
        except Exception as error:
            logger.warning("What came could not be counted: %s", str(error) or type(error).__name__)
            await session.close()

    async def _write_down(self, database: psycopg.AsyncConnection[Any]) -> None:
        """Add what came to the tally. A process that is killed loses the counts of a few seconds, and no delivery."""
        waited, self.waited = self.waited, {}
        if waited:
            try:
                await database.execute(waits.ADD, waits.columns(waited))
            except BaseException:
                for key, one in self.waited.items():
                    waited.setdefault(key, waits.Waited()).take_over(one)
                self.waited = waited
                raise
        received, fresh = self.received, self.fresh
        self.received, self.fresh = Counter(), Counter()
        counted = [(*key, "received", count) for key, count in received.items()]
        counted += [(*key, "duplicate", count - fresh[key]) for key, count in received.items() if count > fresh[key]]
        if not counted:
            return
        columns = [list(column) for column in zip(*counted, strict=True)]
        names = ("connections", "sources", "whats", "counts")
        try:
            await database.execute(tally.ADD, dict(zip(names, columns, strict=True)) | {"hour": tally.hour_of(clock.now())})
        except BaseException:
            self.received.update(received)
            self.fresh.update(fresh)
            raise

    async def _keep_waking(self) -> None:
        """Wake the worker: at most once a moment however many arrive, and not on the way of any answer."""
        while True:
            await self.stored.wait()
            self.stored.clear()
            await asyncio.to_thread(wake_now, "pipeline.refresh")
            await asyncio.sleep(WAKE_SECONDS)


async def _secrets_in(database: psycopg.AsyncConnection[Any]) -> tuple[list[Any], list[Any]]:
    """The connections' secrets, and the sources that may send."""
    found = await (await database.execute(SECRETS)).fetchall()
    return found, await (await database.execute(SENDERS)).fetchall()


def _answer_all(group: list[Waiting]) -> None:
    for waiting in group:
        waiting.answer(CannotStoreError())


def _keys(name: str, stored: Iterable[str]) -> tuple[bytes, ...]:
    """The keys of a source, by its secrets as they are stored. One that cannot be read is none, and is logged."""
    keys = []
    for secret in filter(None, stored):
        try:
            keys.append(signatures.key_of(reveal(secret)))
        except (SecretUnreadableError, ValueError) as error:
            logger.warning("A secret of the source %s cannot be used: %s", name, error)
    return tuple(keys)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
