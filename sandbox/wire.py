"""The HTTP doors, as Odoo 19 has them: JSON-RPC, the web session, JSON-2."""

import asyncio
import contextlib
import json
import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import CookieError, SimpleCookie
from typing import Any

from sandbox.company import Company
from sandbox.control import Control
from sandbox.errors import (
    AccessDenied,
    NoDatabaseError,
    NoMethodError,
    NoModelError,
    OdooException,
    SessionExpiredError,
    UserError,
)

logger = logging.getLogger(__name__)
Row = dict[str, Any]
Receive = Callable[[], Awaitable[Row]]
Send = Callable[[Row], Awaitable[None]]
JSON = "application/json; charset=utf-8"
NO_DATABASE = (
    b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    b"<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n"
)
SIMULTANEOUS = 16


class Request:
    """One request, its body read."""

    def __init__(self, scope: Row, body: bytes) -> None:
        self.method, self.path, self.body = scope["method"], scope["path"], body
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

    def json(self) -> Any:
        """The body's value. Raises ValueError."""
        return json.loads(self.body or b"{}")

    def session(self) -> str:
        """The session's id from the cookie."""
        with contextlib.suppress(CookieError):
            found = SimpleCookie(self.headers.get("cookie", "")).get("session_id")
            return found.value if found else ""
        return ""


class Response:
    """What goes back."""

    def __init__(self, body: Any, *, status: int = 200, kind: str = JSON, cookie: str = "") -> None:
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status, self.kind, self.cookie = status, kind, cookie


class Doors:
    """The ASGI application."""

    def __init__(self, company: Company, control: Control) -> None:
        self.company, self.control = company, control
        self.sessions: dict[str, int] = {}
        self.pool = ThreadPoolExecutor(SIMULTANEOUS, thread_name_prefix="odoo")

    async def __call__(self, scope: Row, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        request = Request(scope, body)
        fault = None if request.path.startswith("/sandbox/") else self.control.fault_now(request.path)
        if fault == "down":
            await self._send(send, Response(b"Bad Gateway", status=502, kind="text/plain"))
            return
        if fault == "html":
            await self._send(send, Response(b"<html><body>Down for maintenance</body></html>", kind="text/html"))
            return
        if fault == "slow":
            await asyncio.sleep(self.control.fault_seconds)
        response = await asyncio.get_running_loop().run_in_executor(self.pool, self._answer, request)
        if fault == "hang_after_commit":
            await asyncio.sleep(self.control.fault_seconds)
        await self._send(send, response, half=fault == "half")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _send(self, send: Send, response: Response, *, half: bool = False) -> None:
        headers = [(b"content-type", response.kind.encode()), (b"content-length", str(len(response.body)).encode())]
        if response.cookie:
            headers.append((b"set-cookie", response.cookie.encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if half:
            # The length was promised; the server closes the connection when the rest does not come.
            await send({"type": "http.response.body", "body": response.body[: len(response.body) // 2], "more_body": True})
            return
        await send({"type": "http.response.body", "body": response.body})

    def _answer(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        if path == "/web/health":
            return Response({"status": "pass"})
        told = self.company.shape.told
        if path == "/json/version" and self.company.shape.has_json2:
            return Response({"version_info": told["server_version_info"], "version": told["server_version"]})
        if path == "/sandbox/control":
            return self._control(request)
        if path.startswith("/json/2/") and self.company.shape.has_json2:
            return self._json2(request, path)
        if path == "/jsonrpc":
            return self._rpc(request, self._service)
        if path == "/web/webclient/version_info":
            return self._rpc(request, lambda _request, _params: told)
        if path == "/web/session/authenticate":
            return self._authenticate(request)
        if path == "/web/session/get_session_info":
            return self._rpc(request, lambda of, _params: self._about(self._who(of)))
        if path == "/web/session/destroy":
            return self._rpc(request, lambda of, _params: self.sessions.pop(of.session(), None) and None)
        if path.startswith("/web/dataset/call_kw"):
            return self._rpc(request, self._call_kw)
        return Response(b"<!doctype html>\n<title>404 Not Found</title>\n", status=404, kind="text/html; charset=utf-8")

    # JSON-RPC

    def _rpc(self, request: Request, handle: Callable[[Request, Row], Any]) -> Response:
        try:
            asked = request.json()
            params = asked.get("params") or {}
        except (ValueError, AttributeError):
            return Response(b"<!doctype html>\n<title>400 Bad Request</title>\n", status=400, kind="text/html; charset=utf-8")
        said: Row = {"jsonrpc": "2.0", "id": asked.get("id")}
        try:
            result = handle(request, params)
            if result is not None:
                said["result"] = result
            return Response(said)
        except NoModelError as error:
            if request.path.startswith("/web/"):
                return Response({**said, "error": {"code": 404, "message": "404: Not Found", "data": _told(error)}})
            return Response({**said, "error": {"code": 0, "message": "Odoo Server Error", "data": _told(error)}})
        except SessionExpiredError as error:
            return Response({**said, "id": None, "error": {"code": 100, "message": "Odoo Session Expired", "data": _told(error)}})
        except Exception as error:
            if not isinstance(error, OdooException):
                logger.info("A call failed: %s", "".join(traceback.format_exception(error)))
            return Response({**said, "error": {"code": 0, "message": "Odoo Server Error", "data": _told(error)}})

    def _service(self, _request: Request, params: Row) -> Any:
        service, name, args = params["service"], params["method"], list(params.get("args") or [])
        if service == "common":
            return self._common(name, args)
        if service == "db" and name == "list":
            return [self.company.database]
        if service != "object" or name not in ("execute", "execute_kw"):
            raise KeyError(f"{service}.{name}")
        database, uid, key, model, called, *rest = args
        self._check_database(database)
        self.company.check_key(uid, key)
        if name == "execute":
            return self.company.call(uid, model, called, rest, {})
        given = rest[0] if rest else []
        named = rest[1] if len(rest) > 1 else {}
        return self.company.call(uid, model, called, list(given or []), named or {})

    def _common(self, name: str, args: list[Any]) -> Any:
        if name == "version":
            return self.company.shape.told
        if name in ("login", "authenticate"):
            self._check_database(args[0])
            try:
                return self.company.sign_in(args[1], args[2])
            except AccessDenied:
                return False
        raise KeyError(name)

    def _check_database(self, database: str) -> None:
        if database != self.company.database:
            raise NoDatabaseError(f'connection to server failed: FATAL:  database "{database}" does not exist\n')

    # The web session

    def _authenticate(self, request: Request) -> Response:
        token = ""

        def handle(_request: Request, params: Row) -> Row:
            nonlocal token
            self._check_database(params.get("db") or "")
            login, key = params.get("login") or "", params.get("password") or ""
            uid = self.company.sign_in(login, key)
            if login == "tower":
                raise AccessDenied  # An API key opens no web session.
            token = secrets.token_urlsafe(32)
            self.sessions[token] = uid
            return self._about(uid)

        response = self._rpc(request, handle)
        if token:
            response.cookie = f"session_id={token}; Max-Age=604800; HttpOnly; Path=/"
        return response

    def _who(self, request: Request) -> int:
        uid = self.sessions.get(request.session())
        if uid is None:
            raise SessionExpiredError("Session expired")
        return uid

    def _about(self, uid: int) -> Row:
        row = self.company.store.table("res.users").rows[uid]
        return {
            "uid": uid,
            "is_system": uid in (2, 5),
            "is_admin": uid in (2, 5),
            "is_internal_user": True,
            "is_public": False,
            "user_context": {"lang": "en_US", "tz": row["tz"], "uid": uid},
            "db": self.company.database,
            "server_version": self.company.shape.told["server_version"],
            "server_version_info": self.company.shape.told["server_version_info"],
            "name": row["name"],
            "username": row["login"],
            "partner_id": row["partner_id"],
        }

    def _call_kw(self, request: Request, params: Row) -> Any:
        uid = self._who(request)
        return self.company.call(
            uid, params["model"], params["method"], list(params.get("args") or []), dict(params.get("kwargs") or {})
        )

    # JSON-2

    def _json2(self, request: Request, path: str) -> Response:
        if request.headers.get("x-odoo-database", self.company.database) != self.company.database:
            return Response(NO_DATABASE, status=404, kind="text/html; charset=utf-8")
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        parts = path.removeprefix("/json/2/").split("/")
        try:
            if scheme.lower() != "bearer":
                raise AccessDenied("User not authenticated, use an API Key with a Bearer Authorization header.")
            try:
                uid = self.company.who_has(key)
            except AccessDenied as error:
                raise AccessDenied("Invalid apikey") from error
            if len(parts) != 2:
                raise NoModelError("Not Found")
            try:
                named = request.json()
            except ValueError:
                return Response(
                    _told(ValueError("could not parse the body as JSON"), name="werkzeug.exceptions.BadRequest"),
                    status=400,
                )
            return Response(self.company.call(uid, parts[0], parts[1], [], named))
        except Exception as error:
            status = error.status if isinstance(error, OdooException) else 500
            return Response(_told_json2(error, parts), status=status)

    def _control(self, request: Request) -> Response:
        try:
            return Response(self.control.handle(request.json() if request.method == "POST" else {}))
        except (ValueError, TypeError, KeyError) as error:
            return Response({"error": str(error)}, status=422)


def _told(error: Exception, *, name: str = "") -> Row:
    known = error if isinstance(error, OdooException) else None
    full = name or (known.name if known else f"builtins.{type(error).__name__}")
    arguments = [argument if isinstance(argument, (str, int, float, bool)) else str(argument) for argument in error.args]
    return {
        "name": full,
        "message": str(error),
        "arguments": arguments,
        "context": {},
        "debug": f"{full}: {error}\n",
    }


def _told_json2(error: Exception, parts: list[str]) -> Row:
    if isinstance(error, NoModelError):
        said = f"the model {parts[0]!r} does not exist"
        return _told(UserError(said), name="werkzeug.exceptions.NotFound") | {"arguments": [said, 404]}
    if isinstance(error, NoMethodError):
        return _told(error, name="werkzeug.exceptions.NotFound") | {"arguments": [str(error), 404]}
    if isinstance(error, AccessDenied):
        return _told(error, name="werkzeug.exceptions.Unauthorized") | {"arguments": [str(error), 401]}
    return _told(error)
