"""JSON-2, Odoo's own API from 19: ``POST /json/2/<model>/<method>``, a bearer key, named arguments."""

import json
from typing import Any

from apps.odoo import faults
from apps.odoo.errors import OdooError
from apps.odoo.wire import Answer, Wire


class Json2:
    """A key over JSON-2."""

    name = "json2"

    def __init__(self, *, connection: str, url: str, database: str, login: str, key: str, timeout_seconds: float) -> None:
        """Try the key. Raises UnauthorisedError, UnreachableError, BadAnswerError, AddressRefusedError."""
        self.connection, self.database, self.login = connection, database, login
        self._wire = Wire(url, connection=connection)
        self._headers = {"Authorization": f"bearer {key}", "X-Odoo-Database": database}
        if not key.isascii() or not key.isprintable():
            raise faults.not_accepted(connection, login=login, database=database)
        who = self.call("res.users", "context_get", None, {}, is_write=False, primary=False, timeout_seconds=timeout_seconds)
        if not isinstance(who, dict) or not isinstance(who.get("uid"), int):
            raise self._wire.unreadable(Answer(200, json.dumps(who).encode()), is_write=False)
        self.uid: int = who["uid"]

    def call(
        self,
        model: str,
        method: str,
        ids: list[int] | None,
        named: dict[str, Any],
        *,
        is_write: bool,
        primary: bool,
        timeout_seconds: float,
    ) -> Any:
        """See :class:`apps.odoo.transports.Transport`. JSON-2 cannot be told to use the primary: the caller must."""
        body = dict(named) if ids is None else {"ids": ids, **named}
        answer = self._wire.post(
            f"/json/2/{model}/{method}",
            json.dumps(body, separators=(",", ":")).encode(),
            headers=self._headers,
            is_write=is_write,
            timeout_seconds=timeout_seconds,
        )
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            if answer.status == 404 and b"No database is selected" in answer.body:
                raise faults.no_database(self.connection, database=self.database) from error
            raise self._wire.unreadable(answer, is_write=is_write) from error
        if answer.status == 200:
            return said
        raise self._named(answer, said, f"{model}.{method}", is_write)

    def close(self) -> None:
        """Close the sockets."""
        self._wire.close()

    def _named(self, answer: Answer, said: Any, about: str, is_write: bool) -> OdooError:
        if not isinstance(said, dict) or not isinstance(said.get("name"), str):
            return self._wire.unreadable(answer, is_write=is_write)
        return faults.named(
            self.connection,
            name=said["name"],
            message=str(said.get("message") or ""),
            about=about,
            login=self.login,
            database=self.database,
        )
