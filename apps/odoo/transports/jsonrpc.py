"""JSON-RPC as Odoo 14 to 21 speak it: odoorpc for the session and for writes, its web session for bulk reads."""

import http.client
import socket
import urllib.error
from typing import Any
from urllib.parse import urlsplit

import odoorpc

from apps.odoo import errors
from apps.odoo.transports.http import Http, check_address


class JsonRpc:
    """Speaks JSON-RPC through odoorpc."""

    name = "jsonrpc"

    def __init__(
        self, *, connection: str, url: str, database: str, login: str, key: str, timeout_seconds: float
    ) -> None:
        self.connection, self.url, self.database, self.key = connection, url, database, key
        self.login_name, self.timeout_seconds = login, timeout_seconds
        self.session: odoorpc.ODOO | None = None
        self.reader: Http | None = None
        self.reads_over_web: bool | None = None

    def _open(self) -> odoorpc.ODOO:
        if self.session is not None:
            return self.session
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        try:
            check_address(self.url)
        except ValueError as error:
            raise errors.UnreachableError(self.connection, str(error)) from None
        # The version is asked for by odoorpc itself; an address that is no Odoo's fails here.
        self.session = self._named(
            lambda: odoorpc.ODOO(
                parts.hostname, protocol="jsonrpc+ssl" if secure else "jsonrpc",
                port=parts.port or (443 if secure else 80), timeout=self.timeout_seconds,
            ),
            may_write=False,
        )  # fmt: skip
        self._named(lambda: self._login(self.session), may_write=False)
        return self.session

    def _login(self, session: odoorpc.ODOO) -> None:
        # Not session.login: that one asks the web session, which accepts no API key.
        uid = session.json("/jsonrpc", {"service": "common", "method": "login",
                                        "args": [self.database, self.login_name, self.key]})["result"]  # fmt: skip
        if not uid:
            self.session = None
            raise errors.UnauthorisedError(
                self.connection, f"Odoo does not accept {self.login_name} with this key in {self.database}."
            )
        self.uid = int(uid)

    def login(self) -> int:
        """The tower's user id. Raises UnauthorisedError, UnreachableError, BadAnswerError."""
        self._open()
        return self.uid

    def server_version(self) -> str:
        """Odoo's version, such as 19.0."""
        return str(self._open().version)

    def call(self, model: str, method: str, ids: list[int] | None, named: dict[str, Any], *, may_write: bool) -> Any:
        """Call ``method``; Odoo's answer. Raises the errors of :mod:`apps.odoo.errors`."""
        session = self._open()
        arguments = [] if ids is None else [ids]
        call = [self.database, self.uid, self.key, model, method, arguments, named]
        params = {"service": "object", "method": "execute_kw", "args": call}
        return self._named(lambda: session.json("/jsonrpc", params)["result"], may_write=may_write)

    def read_fast(self, model: str, method: str, named: dict[str, Any]) -> Any:
        """The same for a read, over the kept-alive web session where the credentials allow one: twice as fast.

        Such reads may come from a replica; what must be certain goes through :meth:`call`.
        """
        if self.reads_over_web is None:
            self._open_web_session()
        if not self.reads_over_web or self.reader is None:
            return self.call(model, method, None, named, may_write=False)
        body = {"jsonrpc": "2.0", "method": "call", "params": {"model": model, "method": method, "args": [], "kwargs": named}}
        status, answer = self.reader.post(f"/web/dataset/call_kw/{model}/{method}", body, may_write=False)
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise errors.BadAnswerError(self.connection, f"Odoo's answer has neither result nor error (HTTP {status}).")
        if "error" in answer:
            data = answer["error"].get("data", {})
            if data.get("name") == "odoo.http.SessionExpiredException":
                self.reads_over_web = None
            raise errors.named(self.connection, str(data.get("name", "")), str(data.get("message", "")))
        return answer["result"]

    def _open_web_session(self) -> None:
        self._open()
        self.reader = Http(name=self.connection, url=self.url, timeout_seconds=self.timeout_seconds)
        params = {"db": self.database, "login": self.login_name, "password": self.key}
        try:
            _, answer = self.reader.post("/web/session/authenticate", {"jsonrpc": "2.0", "params": params}, may_write=False)
        except errors.BadAnswerError:
            answer = {}
        # An API key opens no web session; then /jsonrpc serves.
        self.reads_over_web = bool(isinstance(answer, dict) and answer.get("result", {}).get("uid"))

    def _named(self, act: Any, *, may_write: bool) -> Any:
        lost = errors.UnknownOutcomeError if may_write else errors.UnreachableError
        try:
            return act()
        except odoorpc.error.RPCError as error:
            info = error.info if isinstance(error.info, dict) else {}
            data = info.get("data", info) if isinstance(info.get("data", info), dict) else {}
            raise errors.named(self.connection, str(data.get("name", "")), str(data.get("message") or error)) from error
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (502, 503, 504):
                    raise lost(self.connection, f"A proxy answers {error.code}: Odoo is down or too slow.") from error
                raise errors.BadAnswerError(self.connection, f"The address answers HTTP {error.code}.") from error
        except TimeoutError as error:
            raise lost(self.connection, f"Odoo did not answer within {self.timeout_seconds:g} s.") from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, socket.timeout | TimeoutError):
                raise lost(self.connection, f"Odoo did not answer within {self.timeout_seconds:g} s.") from error
            raise errors.UnreachableError(self.connection, f"Nothing answers at {self.url} ({error.reason}).") from error
        except (http.client.HTTPException, ConnectionError) as error:
            raise lost(self.connection, f"The connection broke before the answer was whole ({error!r}).") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            garbled = errors.UnknownOutcomeError if may_write else errors.BadAnswerError
            raise garbled(self.connection, f"{self.url} does not answer as Odoo does ({type(error).__name__}).") from error

    def close(self) -> None:
        """Close the session."""
        if self.reader is not None:
            self.reader.close()
