"""Rows in memory, a journal of them on disk, and transactions that can be undone.

One transaction writes at a time: the company's lock is held around each. A row is never changed in place, so undoing
is putting the old one back. Rows of a long history (see :mod:`sandbox.history`) are not kept until they change.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

Row = dict[str, Any]


class History(Protocol):
    """Rows that are computed from their id: ids ``1..last``, with write dates that grow with the id."""

    last: int

    def row(self, odoo_id: int) -> Row:
        """The row ``odoo_id``."""
        ...

    def ids_with(self, field: str, value: Any) -> Iterable[int] | None:
        """The ids whose many2one ``field`` is ``value``; None where that takes a look at every row."""
        ...

    def constant(self, field: str) -> tuple[bool, Any]:
        """Whether ``field`` is the same in all rows, and what it is."""
        ...

    def first_at(self, moment: str) -> int:
        """The first id written at or after ``moment``; ``last + 1`` where none was."""
        ...


class Table:
    """The rows of one model, with an index over each many2one and each list of ids."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.rows: dict[int, Row] = {}
        self.gone: set[int] = set()
        self.history: History | None = None
        self.next_id = 1
        self.indexes: dict[str, dict[Any, set[int]]] = {}

    def index(self, field: str) -> None:
        """Keep an index over ``field`` from now on."""
        if field in self.indexes:
            return
        self.indexes[field] = {}
        for odoo_id, row in self.rows.items():
            self._enter(field, odoo_id, row)

    def get(self, odoo_id: int) -> Row | None:
        """The row, or None."""
        row = self.rows.get(odoo_id)
        if row is None and self.history and 0 < odoo_id <= self.history.last and odoo_id not in self.gone:
            return self.history.row(odoo_id)
        return row

    def put(self, odoo_id: int, row: Row | None) -> Row | None:
        """Set (or with None delete) a row; what was kept for it before."""
        old = self.rows.pop(odoo_id, None)
        if old is not None:
            for field in self.indexes:
                self._leave(field, odoo_id, old)
        if row is None:
            if self.history and odoo_id <= self.history.last:
                self.gone.add(odoo_id)
            return old
        self.gone.discard(odoo_id)
        self.rows[odoo_id] = row
        for field in self.indexes:
            self._enter(field, odoo_id, row)
        return old

    def is_base(self, odoo_id: int) -> bool:
        """Whether the row still is as history has it."""
        return odoo_id not in self.rows and odoo_id not in self.gone

    def base_ids(self, low: int = 1, high: int | None = None, *, down: bool = False) -> Iterator[int]:
        """Ids of history between ``low`` and ``high`` (inclusive) that nothing has changed."""
        if not self.history:
            return iter(())
        last = self.history.last if high is None else min(high, self.history.last)
        found = range(last, low - 1, -1) if down else range(low, last + 1)
        return (odoo_id for odoo_id in found if self.is_base(odoo_id))

    def count(self) -> int:
        """How many rows there are."""
        if not self.history:
            return len(self.rows)
        inside = sum(1 for odoo_id in self.rows if odoo_id <= self.history.last)
        return len(self.rows) + self.history.last - inside - len(self.gone)

    def _enter(self, field: str, odoo_id: int, row: Row) -> None:
        index, value = self.indexes[field], row.get(field)
        for one in value if isinstance(value, list) else (value,):
            index.setdefault(one, set()).add(odoo_id)

    def _leave(self, field: str, odoo_id: int, row: Row) -> None:
        index, value = self.indexes[field], row.get(field)
        for one in value if isinstance(value, list) else (value,):
            if one in index:
                index[one].discard(odoo_id)
                if not index[one]:
                    del index[one]


class Store:
    """All tables, and the journal."""

    def __init__(self, directory: Path | None, *, mark: str) -> None:
        """``mark`` names what the rows were made from: a journal with another mark is thrown away."""
        self.tables: dict[str, Table] = {}
        self.is_new = True
        self._journal: sqlite3.Connection | None = None
        if directory is None:
            return
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "company.sqlite3"
        self._journal = self._open(path)
        kept = self._journal.execute("SELECT value FROM about WHERE name = 'mark'").fetchone()
        if kept and kept[0] != mark:
            self._journal.close()
            path.unlink()
            self._journal, kept = self._open(path), None
        self.is_new = kept is None
        self._mark = mark

    def _open(self, path: Path) -> sqlite3.Connection:
        journal = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        journal.execute("PRAGMA journal_mode=WAL")
        journal.execute("PRAGMA synchronous=NORMAL")
        journal.execute("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)")
        journal.execute("CREATE TABLE IF NOT EXISTS kept (model TEXT, id INTEGER, row TEXT, PRIMARY KEY (model, id))")
        journal.execute("CREATE TABLE IF NOT EXISTS counter (model TEXT PRIMARY KEY, next INTEGER)")
        return journal

    def load(self) -> None:
        """Read back what the journal kept."""
        if self._journal is None:
            return
        for model, odoo_id, row in self._journal.execute("SELECT model, id, row FROM kept"):
            self.table(model).put(odoo_id, json.loads(row) if row else None)
        for model, following in self._journal.execute("SELECT model, next FROM counter"):
            self.table(model).next_id = max(self.table(model).next_id, following)

    def table(self, model: str) -> Table:
        """The table of ``model``, made where there is none."""
        if model not in self.tables:
            self.tables[model] = Table(model)
        return self.tables[model]

    def note(self, name: str, value: str) -> str:
        """The value kept under ``name``; ``value`` from now on where there is none."""
        if self._journal is None:
            return value
        self._journal.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", [name, value])
        return str(self._journal.execute("SELECT value FROM about WHERE name = ?", [name]).fetchone()[0])

    def keep(self, changed: Iterable[tuple[str, int]], *, is_first: bool = False) -> None:
        """Write the rows ``changed`` to the journal, whole or not at all."""
        if self._journal is None:
            return
        rows = [
            (model, odoo_id, json.dumps(row) if (row := self.table(model).rows.get(odoo_id)) is not None else None)
            for model, odoo_id in dict.fromkeys(changed)
        ]
        if not rows and not is_first:
            return
        self._journal.execute("BEGIN")
        self._journal.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows)
        counters = [(model, self.table(model).next_id) for model in {row[0] for row in rows}]
        self._journal.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", counters)
        if is_first:
            self._journal.execute("INSERT OR REPLACE INTO about VALUES ('mark', ?)", [self._mark])
        self._journal.execute("COMMIT")

    def keep_all(self) -> None:
        """Write everything for the first time."""
        self.keep(((model, odoo_id) for model, table in self.tables.items() for odoo_id in table.rows), is_first=True)

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None


class Moment(str):
    """When a transaction began, as rows keep it; called, as Odoo's cursor gives it."""

    def __call__(self) -> datetime:
        return datetime.fromisoformat(self)


class Callbacks:
    """What is to be done before a commit, or after all was undone, as Odoo's cursor keeps it."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []
        self.data: dict[str, Any] = {}

    def add(self, work: Callable[[], Any]) -> None:
        """Do ``work`` at that time."""
        self.waiting.append(work)

    def run(self) -> None:
        """Do all that waits, and what comes up meanwhile."""
        while self.waiting:
            self.waiting.pop(0)()
        self.data.clear()


class Transaction:
    """What has been changed since the last commit, so that it can be undone. Called ``cr`` by Odoo's code."""

    def __init__(self, store: Store, now: str, outgoing: list[Any], first: "Transaction | None" = None) -> None:
        """Begin.

        ``outgoing`` takes what a commit hands over; cursors that were opened inside one call share it. ``first`` is the
        transaction of that call: as long as another cursor is open, everybody sees what stands committed.
        """
        self.first, self.inner = first, 0
        self.precommit, self.postrollback = Callbacks(), Callbacks()
        self.suspended: list[tuple[str, int, Row | None]] = []
        if first:
            first.suspend()
        self.store, self.now, self.outgoing = store, now, outgoing
        self.undo: list[tuple[str, int, Row | None, bool]] = []
        self.after_commit: list[Any] = []
        # (model, id, moment) to the message that tells of what was changed then (sandbox/tracking.py).
        self.tracked: dict[tuple[str, int, str], int] = {}

    @property
    def now(self) -> Moment:
        """When it began."""
        return self._now

    @now.setter
    def now(self, moment: str) -> None:
        self._now = Moment(moment)

    def put(self, model: str, odoo_id: int, row: Row | None) -> None:
        """Set or delete a row."""
        table = self.store.table(model)
        was_gone = odoo_id in table.gone
        self.undo.append((model, odoo_id, table.put(odoo_id, row), was_gone))

    def execute(self, query: str, arguments: Any = None) -> None:
        """SQL from guards: there is nothing here to lock, since one transaction runs at a time."""

    def suspend(self) -> None:
        """Hide what is not committed from a cursor that is opened meanwhile."""
        self.inner += 1
        if self.inner > 1:
            return
        for model, odoo_id, old, _ in reversed(self.undo):
            table = self.store.table(model)
            self.suspended.append((model, odoo_id, table.put(odoo_id, old)))

    def resume(self) -> None:
        """Show it again, once the last of those cursors is closed."""
        self.inner -= 1
        if self.inner:
            return
        while self.suspended:
            model, odoo_id, row = self.suspended.pop()
            self.store.table(model).put(odoo_id, row)

    def commit(self) -> None:
        """Do what waits for it, keep what was changed, and hand over what waited for that."""
        self.precommit.run()
        self.store.keep((model, odoo_id) for model, odoo_id, _, _ in self.undo)
        self.undo.clear()
        self.tracked.clear()
        self.outgoing += self.after_commit
        self.after_commit.clear()
        self.postrollback.waiting.clear()

    def rollback(self) -> list[str]:
        """Undo; the models that were touched."""
        touched = []
        for model, odoo_id, old, was_gone in reversed(self.undo):
            table = self.store.table(model)
            table.put(odoo_id, old)
            if old is None and not was_gone:
                table.gone.discard(odoo_id)
            touched.append(model)
        self.undo.clear()
        self.after_commit.clear()
        self.postrollback.run()
        return touched

    def close(self) -> None:
        """Undo what was not committed."""
        self.rollback()
        if self.first:
            self.first.resume()
            self.first = None
