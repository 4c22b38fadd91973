"""The tower's one way to an Odoo: ``connect(connection)`` gives an :class:`OdooClient`, whatever the version.

Only workers and commands import this module, never a page or an API view (an import contract holds that).
"""

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from apps.odoo import circuit, timing
from apps.odoo.errors import (
    BadAnswerError,
    ForbiddenError,
    MissingRecordError,
    OdooError,
    UnauthorisedError,
    UnsupportedError,
)
from apps.odoo.models import Connection
from apps.odoo.models import Transport as Choice
from apps.odoo.transports import Transport
from apps.odoo.transports.json2 import Json2
from apps.odoo.transports.jsonrpc import JsonRpc, version_of
from apps.odoo.versions import major

READ_TIMEOUT_SECONDS = 30.0
JSON2_SINCE = 19
FORMATTED_READ_GROUP_SINCE = 19
# Methods that change nothing, so that they may be sent again. Every other method is taken for a write.
READS = frozenset(
    (
        "search",
        "search_read",
        "search_count",
        "read",
        "read_group",
        "formatted_read_group",
        "web_search_read",
        "web_read",
        "fields_get",
        "name_search",
        "default_get",
        "onchange",
        "copy_data",
        "context_get",
        "has_access",
        "check_access_rights",
        "check_access",
        "exists",
        "get_views",
    )
)

Row = dict[str, Any]
Domain = Sequence[Any]


class _Session:
    """A signed-in transport, and a second one for reads that must come from the primary."""

    def __init__(self, connection: Connection, timeout_seconds: float) -> None:
        self._name, self._url, self._database = connection.name, connection.url, connection.database
        self._login, self._key = connection.login, connection.api_key or ""
        self._choice = connection.transport
        self._lock = threading.Lock()
        self.version = self._ask_version(timeout_seconds)
        self.transport = self._sign_in(timeout_seconds)
        self._primary: Transport | None = self.transport if self.transport.name == Choice.JSONRPC else None

    def for_call(self, *, is_write: bool, primary: bool, timeout_seconds: float) -> Transport:
        """The transport for a call: JSON-2 cannot be told to read from the primary, JSON-RPC always does."""
        if is_write or not primary:
            return self.transport
        with self._lock:
            if self._primary is None:
                try:
                    self._primary = self._jsonrpc(timeout_seconds)
                except (BadAnswerError, UnsupportedError):
                    # From 22 there is no JSON-RPC: the reader's grace time is then all that guards against a replica.
                    self._primary = self.transport
            return self._primary

    def close(self) -> None:
        """Close the sockets."""
        self.transport.close()
        if self._primary is not None:
            self._primary.close()

    def _ask_version(self, timeout_seconds: float) -> str:
        try:
            return version_of(connection=self._name, url=self._url, timeout_seconds=timeout_seconds)
        except (BadAnswerError, UnsupportedError):
            if self._choice == Choice.JSON2:
                return "22.0"
            raise

    def _sign_in(self, timeout_seconds: float) -> Transport:
        if self._choice == Choice.JSONRPC or (self._choice == Choice.AUTO and major(self.version) < JSON2_SINCE):
            return self._jsonrpc(timeout_seconds)
        try:
            return self._json2(timeout_seconds)
        except UnauthorisedError:
            if self._choice == Choice.JSON2:
                raise
            # What was given may be a password, which JSON-2 does not take.
            return self._jsonrpc(timeout_seconds)

    def _jsonrpc(self, timeout_seconds: float) -> JsonRpc:
        return JsonRpc(
            connection=self._name,
            url=self._url,
            database=self._database,
            login=self._login,
            key=self._key,
            version=self.version,
            timeout_seconds=timeout_seconds,
        )

    def _json2(self, timeout_seconds: float) -> Json2:
        return Json2(
            connection=self._name,
            url=self._url,
            database=self._database,
            login=self._login,
            key=self._key,
            timeout_seconds=timeout_seconds,
        )


_sessions: dict[tuple[int, str, str], _Session] = {}
_sessions_lock = threading.Lock()


def _session_key(connection: Connection) -> tuple[int, str, str]:
    # The process is part of it: a forked worker must not share its parent's sockets. The digest drops a session whose
    # credentials were changed on the connection's page.
    said = "\0".join((connection.url, connection.database, connection.login, connection.api_key or "", connection.transport))
    return os.getpid(), connection.name, hashlib.sha256(said.encode()).hexdigest()


def forget(connection: Connection) -> None:
    """Drop this process's kept sessions of ``connection``; the next call signs in anew."""
    with _sessions_lock:
        for key in [key for key in _sessions if key[1] == connection.name]:
            _sessions.pop(key).close() if key[0] == os.getpid() else _sessions.pop(key)


class OdooClient:
    """Calls to one Odoo database. Every method raises the errors of :mod:`apps.odoo.errors`.

    Rows come as Odoo gives them, many2one fields as ids (or False). Archived records are always included unless the
    ``context`` says otherwise.
    """

    def __init__(self, connection: Connection, session: _Session, *, timeout_seconds: float) -> None:
        self.connection = connection
        self.timeout_seconds = timeout_seconds
        self._session = session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # The session is the process's and stays open; one that is no longer accepted is not kept.
        if isinstance(error, UnauthorisedError):
            forget(self.connection)

    @property
    def uid(self) -> int:
        """The login's own id in Odoo."""
        return self._session.transport.uid

    @property
    def transport_name(self) -> str:
        """``jsonrpc`` or ``json2``."""
        return self._session.transport.name

    def version(self) -> str:
        """Odoo's version as it says itself, for example "19.0"."""
        return self._session.version

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, *, primary: bool = False, **named: Any) -> Any:
        """The result of ``model.method``, on ``ids`` or (None) as a method of the model, with named arguments.

        Raises, beside what every call raises (RestingError where Odoo has not answered lately and was not asked),
        UnknownOutcomeError when a write was sent and no answer came.
        """
        is_write = method not in READS
        if method in ("create", "write") and any(self.connection.former_names(one) for one in (model, *LINES.values())):
            named = {name: _as_called(value, model, self.connection) for name, value in named.items()}
        with _guarded(self.connection):
            transport = self._session.for_call(is_write=is_write, primary=primary, timeout_seconds=self.timeout_seconds)
            with timing.measured(self.connection, is_write=is_write):
                return transport.call(
                    model,
                    method,
                    None if ids is None else list(ids),
                    named,
                    is_write=is_write,
                    primary=primary,
                    timeout_seconds=self.timeout_seconds,
                )

    def search_read(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: str | None = None,
        context: Row | None = None,
        primary: bool = False,
    ) -> list[Row]:
        """Rows of ``model`` that match ``domain``. ``fields`` must be named: all of them is 70 times slower.

        Fields are asked for, and answered, by their names in the newest Odoo, whatever this one calls them.
        """
        former = self.connection.former_names(model)
        asked = [former.get(name, name) for name in fields]
        named: Row = {"domain": list(domain), "fields": asked, "load": "", "context": _all(context)}
        rows = self._rows(self.call(model, "search_read", primary=primary, **named, **_given(limit=limit, order=order)))
        for name, old in former.items():
            for row in rows:
                if old in row:
                    row[name] = row.pop(old)
        return rows

    def search(
        self,
        model: str,
        domain: Domain,
        *,
        limit: int | None = None,
        order: str | None = None,
        context: Row | None = None,
        primary: bool = False,
    ) -> list[int]:
        """Ids of the records of ``model`` that match ``domain``."""
        found = self.call(
            model,
            "search",
            primary=primary,
            domain=list(domain),
            context=_all(context),
            **_given(limit=limit, order=order),
        )
        if not isinstance(found, list) or not all(isinstance(odoo_id, int) for odoo_id in found):
            raise self._strange("search", found)
        return found

    def search_count(self, model: str, domain: Domain, *, context: Row | None = None, primary: bool = False) -> int:
        """How many records of ``model`` match ``domain``."""
        found = self.call(model, "search_count", primary=primary, domain=list(domain), context=_all(context))
        if not isinstance(found, int):
            raise self._strange("search_count", found)
        return found

    def read(
        self,
        model: str,
        ids: Sequence[int],
        fields: Sequence[str],
        *,
        context: Row | None = None,
        primary: bool = False,
    ) -> list[Row]:
        """Rows of the records ``ids`` that are there.

        Ids that are gone are left out over both transports. Absent is not deleted: a record rule can hide a row.
        """
        # JSON-2 leaves absent ids out and JSON-RPC may raise for them; a search does the same over both.
        return self.search_read(model, [("id", "in", list(ids))], fields, context=context, primary=primary)

    def hides(self, model: str, odoo_id: int) -> bool:
        """Whether the record is there, and a rule keeps it from the login: a search finds neither that nor what is gone."""
        try:
            self.call(model, "read", [odoo_id], primary=True, fields=["write_date"], load="")
        except ForbiddenError:
            return True
        except MissingRecordError:
            return False
        return False

    def fields_get(self, model: str, attributes: Sequence[str] = ("type", "store", "relation", "string")) -> Row:
        """``{field: {attribute: value}}`` of the fields that the login may see."""
        found = self.call(model, "fields_get", attributes=list(attributes))
        if not isinstance(found, dict):
            raise self._strange("fields_get", found)
        return found

    def read_group(
        self,
        model: str,
        domain: Domain,
        groupby: Sequence[str],
        aggregates: Sequence[str],
        *,
        context: Row | None = None,
    ) -> list[Row]:
        """Groups of ``model`` by ``groupby`` with ``aggregates`` such as ``id:sum`` and ``write_date:max``.

        Each row has ``__count``, the groups' keys under their own names, and each aggregate under its full name
        (``id:sum``), whichever method this Odoo has for it.
        """
        if major(self.version()) >= FORMATTED_READ_GROUP_SINCE:
            named: Row = {"groupby": list(groupby), "aggregates": ["__count", *aggregates]}
            return self._rows(self.call(model, "formatted_read_group", domain=list(domain), context=_all(context), **named))
        renamed = {f"a{number}": aggregate for number, aggregate in enumerate(aggregates)}
        asked = [f"{short}:{full.split(':')[1]}({full.split(':')[0]})" for short, full in renamed.items()]
        rows = self._rows(
            self.call(
                model,
                "read_group",
                domain=list(domain),
                fields=asked,
                groupby=list(groupby),
                lazy=False,
                context=_all(context),
            )
        )
        return [{renamed.get(key, key): value for key, value in row.items()} for row in rows]

    def create(self, model: str, values: Row) -> int:
        """Create one record and return its id."""
        made = self.call(model, "create", vals_list=[values])
        made = made[0] if isinstance(made, list) and made else made
        if not isinstance(made, int):
            raise self._strange("create", made)
        return made

    def write(self, model: str, ids: Sequence[int], values: Row) -> None:
        """Write ``values`` to the records ``ids``."""
        self.call(model, "write", ids, vals=values)

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Delete the records ``ids``."""
        self.call(model, "unlink", ids)

    def _rows(self, found: Any) -> list[Row]:
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise self._strange("a read", found)
        return found

    def _strange(self, what: str, found: Any) -> OdooError:
        return BadAnswerError(
            self.connection.name,
            f"{what} answered {str(found)[:60]!r}, which is not what Odoo answers",
            "Check that the address is Odoo's own, and that no proxy stands before it.",
        )


@contextmanager
def _guarded(connection: Connection) -> Iterator[None]:
    """Calls only while the breaker lets them through, and tells it how they went."""
    is_stored = connection.pk is not None  # One that is only tried has no breaker.
    if is_stored:
        circuit.check(connection)
    try:
        yield
    except OdooError as error:
        if isinstance(error, UnauthorisedError):
            forget(connection)
        if is_stored and isinstance(error, circuit.NO_ANSWER):
            circuit.failed(connection, error)
        elif is_stored:
            circuit.answered(connection)
        raise
    if is_stored:
        circuit.answered(connection)


def connect(connection: Connection, *, timeout_seconds: float = READ_TIMEOUT_SECONDS) -> OdooClient:
    """A client of ``connection``, signed in. Signing in happens once a process and set of credentials.

    ``timeout_seconds`` bounds each call's whole answer. Raises UnauthorisedError, UnreachableError, BadAnswerError,
    AddressRefusedError.
    """
    key = _session_key(connection)
    with _sessions_lock:
        session = _sessions.get(key)
    if session is None:
        # Signed in outside the lock: an Odoo that is slow to answer must not hold up the calls to the others.
        with _guarded(connection):
            fresh = _Session(connection, timeout_seconds)
        with _sessions_lock:
            session = _sessions.setdefault(key, fresh)
        if session is not fresh:
            fresh.close()
    return OdooClient(connection, session, timeout_seconds=timeout_seconds)


def _all(context: Row | None) -> Row:
    return {"active_test": False} | (context or {})


# The lines that the tower writes together with what they belong to.
LINES = {("purchase.order", "order_line"): "purchase.order.line", ("sale.order", "order_line"): "sale.order.line"}


def _as_called(value: Any, model: str, connection: Connection) -> Any:
    """``value`` with the names by which this Odoo calls fields of ``model`` and of its lines."""
    if isinstance(value, list | tuple):
        return [_as_called(one, model, connection) for one in value]
    if not isinstance(value, dict):
        return value
    former = connection.former_names(model)
    return {former.get(name, name): _as_called(inner, LINES.get((model, name), ""), connection) for name, inner in value.items()}


def _given(**named: Any) -> Row:
    return {name: value for name, value in named.items() if value is not None}
