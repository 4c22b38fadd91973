"""JSON-2: ``POST /json/2/<model>/<method>`` with a bearer key, from Odoo 19 on. Each call is its own transaction."""

from typing import Any

from apps.odoo import errors
from apps.odoo.transports.http import Http

STATUSES = {401: errors.UnauthorisedError, 403: errors.ForbiddenError, 404: errors.MissingRecordError}


class Json2:
    """Speaks JSON-2."""

    name = "json2"

    def __init__(self, *, connection: str, url: str, database: str, key: str, timeout_seconds: float) -> None:
        self.connection = connection
        headers = {"Authorization": f"bearer {key}", "X-Odoo-Database": database}
        self.http = Http(name=connection, url=url, timeout_seconds=timeout_seconds, headers=headers)

    def login(self) -> int:
        """The tower's user id. Raises UnauthorisedError, UnreachableError, BadAnswerError."""
        context = self.call("res.users", "context_get", None, {}, may_write=False)
        return int(context["uid"])

    def call(self, model: str, method: str, ids: list[int] | None, named: dict[str, Any], *, may_write: bool) -> Any:
        """Call ``method``; Odoo's answer. Raises the errors of :mod:`apps.odoo.errors`."""
        body = named if ids is None else {"ids": ids, **named}
        status, answer = self.http.post(f"/json/2/{model}/{method}", body, may_write=may_write)
        if status == 200:
            return answer
        details = answer if isinstance(answer, dict) else {}
        name, message = str(details.get("name", "")), str(details.get("message") or details.get("arguments") or answer)
        if name in errors.NAMED:
            raise errors.named(self.connection, name, message)
        if kind := STATUSES.get(status):
            raise kind(self.connection, message)
        raise errors.named(self.connection, name or f"HTTP {status}", message)

    def close(self) -> None:
        """Close the session."""
        self.http.close()
