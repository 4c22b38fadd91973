"""Raw calls to an Odoo, without the tower's own client: what the contract is checked with."""

import json
import urllib.error
import urllib.request
from typing import Any

Row = dict[str, Any]


class OdooFault(Exception):
    """What the server said went wrong: ``name`` is the class's name in Odoo, ``code`` the JSON-RPC error's."""

    def __init__(self, error: Row) -> None:
        super().__init__(error["data"]["message"])
        self.name, self.code, self.data = error["data"]["name"], error["code"], error["data"]


class Wire:
    """Raw calls to one server, and what is to be deleted in it afterwards."""

    def __init__(self, url: str, database: str, login: str, password: str, *, key: str = "") -> None:
        self.url, self.database, self.login, self.password, self.key = url, database, login, password, key
        self.uid: int = 0
        self.made: list[tuple[str, list[int]]] = []

    def http(self, path: str, body: Any = None, headers: Row | None = None) -> tuple[int, Any, bytes]:
        """Status, headers and body of a request; a POST where there is a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def rpc(self, path: str, params: Row, headers: Row | None = None) -> Any:
        """The result of a JSON-RPC request. Raises OdooFault."""
        _, _, body = self.http(path, {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}, headers)
        answer = json.loads(body)
        if "error" in answer:
            raise OdooFault(answer["error"])
        return answer.get("result")

    def service(self, service: str, method: str, *args: Any) -> Any:
        """A method of ``/jsonrpc``'s services."""
        return self.rpc("/jsonrpc", {"service": service, "method": method, "args": list(args)})

    def call(self, model: str, method: str, *args: Any, **named: Any) -> Any:
        """``execute_kw`` as the signed-in person."""
        return self.service("object", "execute_kw", self.database, self.uid, self.password, model, method, list(args), named)

    def create(self, model: str, values: Row) -> int:
        """One record, deleted when the test ends."""
        made = self.call(model, "create", [values])
        self.made.append((model, made))
        return int(made[0])

    def row(self, model: str, odoo_id: int, *fields: str) -> Row:
        """One record's fields, many2one as ids."""
        found: list[Row] = self.call(model, "read", [odoo_id], fields=list(fields), load="")
        return found[0]

    def model_id(self, model: str) -> int:
        """The id of a model's own row."""
        return int(self.call("ir.model", "search", [["model", "=", model]])[0])

    def field_ids(self, model: str, *names: str) -> list[int]:
        """The ids of fields."""
        found: list[int] = self.call("ir.model.fields", "search", [["model", "=", model], ["name", "in", list(names)]])
        return found

    def clean(self) -> None:
        """Delete what was made, newest first."""
        for model, ids in reversed(self.made):
            if there := self.call(model, "search", [["id", "in", ids]], context={"active_test": False}):
                self.call(model, "unlink", there)
        self.made.clear()
