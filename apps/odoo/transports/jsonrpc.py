"""JSON-RPC through odoorpc: every version from 14 to 21. The only module that knows odoorpc.

odoorpc forms the requests and reads the answers; the bytes travel over the tower's own :class:`Wire`, which odoorpc
accepts as its opener, so that its time-outs, limits and refusal to follow redirects hold here too.

Reads go over a web session (``/web/dataset/call_kw``) where the credential is a password: the same read is then 1.6
times faster than over ``/jsonrpc``, which checks the password each time. Odoo opens no web session for an API key.
Commands, and reads that must come from the primary, always go over ``/jsonrpc``.
"""

import io
import threading
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

import odoorpc
import odoorpc.error

from apps.odoo import faults
from apps.odoo.errors import OdooError, UnauthorisedError
from apps.odoo.wire import Answer, Wire

SESSION_EXPIRED_CODE = 100


class _Opener:
    """What odoorpc takes for urllib's opener: it sends by the wire and keeps the session's cookie."""

    def __init__(self, wire: Wire, *, is_write: bool, timeout_seconds: float) -> None:
        self.wire, self.is_write, self.timeout_seconds = wire, is_write, timeout_seconds
        self.answer = Answer(0, b"")

    def open(self, request: Request, timeout: float | None = None) -> io.BytesIO:
        """Send ``request`` (odoorpc's), whose address always is the wire's own root and a path."""
        body = request.data if isinstance(request.data, bytes) else b""
        self.answer = self.wire.post(
            urlsplit(request.full_url).path, body, is_write=self.is_write, timeout_seconds=self.timeout_seconds
        )
        return io.BytesIO(self.answer.body)


class _Rpc:
    """odoorpc's requests over one wire, for one login. Holds no session, so threads share it."""

    def __init__(self, wire: Wire, *, database: str, login: str, version: str) -> None:
        self.wire, self.database, self.login, self.version = wire, database, login, version

    def service(self, service: str, method: str, args: list[Any], *, about: str, is_write: bool, timeout_seconds: float) -> Any:
        """The result of a method of ``/jsonrpc``'s services ``common`` and ``object``."""
        params = {"service": service, "method": method, "args": args}
        return self.ask("/jsonrpc", params, about=about, is_write=is_write, timeout_seconds=timeout_seconds)

    def ask(self, path: str, params: dict[str, Any], *, about: str, is_write: bool, timeout_seconds: float) -> Any:
        """The ``result`` of a JSON-RPC request to ``path``. Raises the errors of :mod:`apps.odoo.errors`."""
        opener = _Opener(self.wire, is_write=is_write, timeout_seconds=timeout_seconds)
        root = urlsplit(self.wire.url)
        secure = root.scheme == "https"
        # With a version given, odoorpc asks nothing when it is made: one a call, and threads share only the wire.
        rpc = odoorpc.ODOO(
            root.hostname or "",
            protocol="jsonrpc+ssl" if secure else "jsonrpc",
            port=root.port or (443 if secure else 80),
            timeout=timeout_seconds,
            version=self.version,
            opener=opener,
        )
        try:
            answer = rpc.json(path, params)
        except odoorpc.error.RPCError as error:
            raise self._named(error, about) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self.wire.unreadable(opener.answer, is_write=is_write) from error
        if not isinstance(answer, dict) or "jsonrpc" not in answer:
            raise self.wire.unreadable(opener.answer, is_write=is_write)
        # Odoo leaves "result" out where a method returns nothing.
        return answer.get("result")

    def _named(self, error: odoorpc.error.RPCError, about: str) -> OdooError:
        info: dict[str, Any] = error.info if isinstance(error.info, dict) else {}
        said = info.get("data")
        data: dict[str, Any] = said if isinstance(said, dict) else {}
        if info.get("code") == SESSION_EXPIRED_CODE:
            return faults.not_accepted(self.wire.connection, login=self.login, database=self.database)
        return faults.named(
            self.wire.connection,
            name=str(data.get("name") or ""),
            message=str(data.get("message") or info.get("message") or ""),
            about=about,
            login=self.login,
            database=self.database,
        )


class JsonRpc:
    """A signed-in login over JSON-RPC."""

    name = "jsonrpc"

    def __init__(
        self, *, connection: str, url: str, database: str, login: str, key: str, version: str, timeout_seconds: float
    ) -> None:
        """Sign in. Raises UnauthorisedError, UnreachableError, BadAnswerError, AddressRefusedError."""
        self._key = key
        self._wire = Wire(url, connection=connection)
        self._rpc = _Rpc(self._wire, database=database, login=login, version=version)
        # None: not tried yet; False: this credential opens no web session.
        self._session: bool | None = None
        self._signing_in = threading.Lock()
        uid = self._rpc.service(
            "common", "login", [database, login, key], about="sign-in", is_write=False, timeout_seconds=timeout_seconds
        )
        if not isinstance(uid, int) or isinstance(uid, bool) or not uid:
            raise faults.not_accepted(connection, login=login, database=database)
        self.uid = uid

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
        """See :class:`apps.odoo.transports.Transport`."""
        args: list[Any] = [] if ids is None else [ids]
        if method == "create" and "vals_list" in named:
            # Up to 18, Odoo's RPC looks at create's first positional argument to choose the shape of its answer.
            named = dict(named)
            args = [named.pop("vals_list")]
        about = f"{model}.{method}"
        if not is_write and not primary and self._has_session(timeout_seconds):
            params = {"model": model, "method": method, "args": args, "kwargs": named}
            try:
                return self._rpc.ask("/web/dataset/call_kw", params, about=about, is_write=False, timeout_seconds=timeout_seconds)
            except UnauthorisedError:
                # The session ran out, or its store was emptied. This read goes the slower way; the next opens it anew.
                self._session = None
        return self._rpc.service(
            "object",
            "execute_kw",
            [self._rpc.database, self.uid, self._key, model, method, args, named],
            about=about,
            is_write=is_write,
            timeout_seconds=timeout_seconds,
        )

    def close(self) -> None:
        """Close the sockets."""
        self._wire.close()

    def _has_session(self, timeout_seconds: float) -> bool:
        with self._signing_in:
            if self._session is None:
                params = {"db": self._rpc.database, "login": self._rpc.login, "password": self._key}
                try:
                    who = self._rpc.ask(
                        "/web/session/authenticate",
                        params,
                        about="sign-in",
                        is_write=False,
                        timeout_seconds=timeout_seconds,
                    )
                    self._session = isinstance(who, dict) and who.get("uid") == self.uid
                except OdooError:
                    # An API key, a second factor, or a server that closes the web client: /jsonrpc serves all of them.
                    self._session = False
            return self._session


def version_of(*, connection: str, url: str, timeout_seconds: float) -> str:
    """The server's version as it says itself ("19.0", "saas~18.3"), asked without signing in.

    Raises UnreachableError, BadAnswerError, AddressRefusedError.
    """
    wire = Wire(url, connection=connection)
    try:
        said = _Rpc(wire, database="", login="", version="19.0").service(
            "common", "version", [], about="version", is_write=False, timeout_seconds=timeout_seconds
        )
        if not isinstance(said, dict) or not isinstance(said.get("server_version"), str):
            raise wire.unreadable(Answer(200, str(said).encode()), is_write=False)
        return str(said["server_version"])[:40]
    finally:
        wire.close()
