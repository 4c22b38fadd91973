"""The one way to an Odoo: reads, calls, and errors with names, whichever transport carries them."""

import hashlib
import threading
from collections.abc import Sequence
from typing import Any

from apps.odoo import errors
from apps.odoo.models import Connection, Transport
from apps.odoo.transports.http import Http
from apps.odoo.transports.json2 import Json2
from apps.odoo.transports.jsonrpc import JsonRpc

Domain = Sequence[Any]
# Methods that change nothing: a lost answer is simply asked for again.
READS = {
    "search", "search_read", "search_count", "read", "fields_get", "read_group", "formatted_read_group", "context_get",
    "has_access", "check_access_rights", "default_get", "name_search",
}  # fmt: skip


class OdooClient:
    """A session with one Odoo."""

    def __init__(self, *, name: str, transport: Json2 | JsonRpc, version: str, uid: int) -> None:
        self.name, self.transport, self.server_version, self.uid = name, transport, version, uid

    @property
    def major(self) -> int:
        """The version's first number: 19 of ``19.0`` and of ``saas~19.1``."""
        return major_of(self.server_version)

    def version(self) -> str:
        """Odoo's version, as it says itself."""
        return self.server_version

    def call(self, model: str, method: str, ids: list[int] | None = None, **named: Any) -> Any:
        """Call ``method`` of ``model`` on ``ids`` (none: on the model) with named arguments.

        Raises the errors of :mod:`apps.odoo.errors`; a read whose connection had gone stale is asked once more.
        """
        reads = method in READS
        try:
            return self.transport.call(model, method, ids, named, may_write=not reads)
        except errors.UnreachableError as error:
            if not reads or "broke" not in error.message:
                raise
            return self.transport.call(model, method, ids, named, may_write=False)

    def _read(self, model: str, method: str, primary: bool, named: dict[str, Any]) -> Any:
        named["context"] = {"active_test": False, **(named.get("context") or {})}
        if isinstance(self.transport, JsonRpc) and not primary:
            return self.transport.read_fast(model, method, named)
        return self.call(model, method, None, **named)

    def search_read(
        self, model: str, domain: Domain, fields: Sequence[str], *, limit: int | None = None, order: str | None = None,
        context: dict[str, Any] | None = None, primary: bool = False,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Rows of ``fields`` that match ``domain``, archived ones too; many2one as ids alone, which is twice as fast.

        Args:
            primary: not from a replica, where the connection's transport can tell.
        """
        named = {"domain": list(domain), "fields": list(fields), "limit": limit, "order": order, "context": context,
                 "load": ""}  # fmt: skip
        return self._rows(self._read(model, "search_read", primary, named))

    def search(self, model: str, domain: Domain, *, limit: int | None = None, order: str | None = None) -> list[int]:
        """Ids of what matches ``domain``, archived ones too."""
        return list(self._read(model, "search", False, {"domain": list(domain), "limit": limit, "order": order}))

    def search_count(self, model: str, domain: Domain, *, primary: bool = False) -> int:
        """How many match ``domain``, archived ones too."""
        return int(self._read(model, "search_count", primary, {"domain": list(domain)}))

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of those of ``ids`` that are there, archived ones too. One that is not there is left out, not an error."""
        return self.search_read(model, [["id", "in", list(ids)]], fields)

    def fields_get(self, model: str, attributes: Sequence[str] = ("type", "store")) -> dict[str, dict[str, Any]]:
        """The fields of ``model`` that this user may read."""
        return dict(self._read(model, "fields_get", False, {"attributes": list(attributes)}))

    def read_group(
        self, model: str, domain: Domain, groupby: Sequence[str], aggregates: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Groups of ``groupby`` with ``aggregates`` such as ``__count`` and ``id:sum``, whatever this version calls it."""
        if self.major >= 19:
            named = {"domain": list(domain), "groupby": list(groupby), "aggregates": list(aggregates)}
            return self._rows(self._read(model, "formatted_read_group", False, named))
        fields = [name.replace(":", f"_{name.split(':')[1]}:", 1) + f"({name.split(':')[0]})"
                  for name in aggregates if name != "__count"]  # fmt: skip
        named = {"domain": list(domain), "groupby": list(groupby), "fields": fields, "lazy": False}
        rows = self._rows(self._read(model, "read_group", False, named))
        for row in rows:
            for name in aggregates:
                if name != "__count":
                    row[name] = row.get(name.replace(":", "_"))
        return rows

    def _rows(self, answer: Any) -> list[dict[str, Any]]:
        if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer[:1]):
            raise errors.BadAnswerError(self.name, f"Odoo answered {type(answer).__name__} where rows were asked for.")
        return answer

    def close(self) -> None:
        """Close the session."""
        self.transport.close()


def major_of(version: str) -> int:
    """The first number of a version such as ``19.0``, ``saas~19.1`` or ``19.0-20261101``; 0 where there is none."""
    digits = version.replace("saas~", "").replace("saas-", "").split(".")[0]
    return int(digits) if digits.isdigit() else 0


def server_version(connection: Connection, *, timeout_seconds: float = 30.0) -> str:
    """What the server at the connection's address says it is; asks without any credentials.

    Raises UnreachableError, BadAnswerError.
    """
    http = Http(name=connection.name, url=connection.url, timeout_seconds=timeout_seconds)
    try:
        body = {"jsonrpc": "2.0", "method": "call", "params": {"service": "common", "method": "version", "args": []}}
        _, answer = http.post("/jsonrpc", body, may_write=False)
        if not isinstance(answer, dict) or not isinstance(answer.get("result"), dict):
            raise errors.BadAnswerError(connection.name, f"{connection.url} is not an Odoo: it does not say its version.")
        return str(answer["result"].get("server_version", ""))
    finally:
        http.close()


_sessions = threading.local()


def connect(connection: Connection, *, timeout_seconds: float = 30.0) -> OdooClient:
    """A session with the connection's Odoo, kept for this thread until its credentials change.

    Raises UnreachableError, UnauthorisedError, BadAnswerError.
    """
    kept: dict[int, tuple[str, OdooClient]] = getattr(_sessions, "kept", None) or {}
    _sessions.kept = kept
    print_ = hashlib.sha256(
        repr([connection.url, connection.database, connection.login, connection.api_key, connection.transport,
              connection.version, timeout_seconds]).encode()
    ).hexdigest()  # fmt: skip
    if connection.pk in kept and kept[connection.pk][0] == print_:
        return kept[connection.pk][1]
    if connection.pk in kept:
        kept.pop(connection.pk)[1].close()
    client = open_session(connection, timeout_seconds=timeout_seconds)
    if connection.pk is not None:
        kept[connection.pk] = (print_, client)
    return client


def forget(connection: Connection) -> None:
    """Drop this thread's session: the next :func:`connect` logs in anew."""
    kept = getattr(_sessions, "kept", {})
    if connection.pk in kept:
        kept.pop(connection.pk)[1].close()


def open_session(connection: Connection, *, timeout_seconds: float = 30.0) -> OdooClient:
    """A fresh session. From 19 on JSON-2 where the credential is an API key, else JSON-RPC.

    Raises UnreachableError, UnauthorisedError, BadAnswerError.
    """
    version = connection.version or server_version(connection, timeout_seconds=timeout_seconds)
    common: dict[str, Any] = {
        "connection": connection.name, "url": connection.url, "database": connection.database,
        "key": connection.api_key, "timeout_seconds": timeout_seconds,
    }  # fmt: skip
    if connection.transport == Transport.JSON2 or (connection.transport == Transport.AUTO and major_of(version) >= 19):
        json2 = Json2(**common)
        try:
            return OdooClient(name=connection.name, transport=json2, version=version, uid=json2.login())
        except errors.UnauthorisedError:
            json2.close()
            if connection.transport == Transport.JSON2:
                raise
            # A password is no bearer key; JSON-RPC takes both.
    jsonrpc = JsonRpc(login=connection.login, **common)
    return OdooClient(name=connection.name, transport=jsonrpc, version=version, uid=jsonrpc.login())
