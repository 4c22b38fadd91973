"""The intake's own sessions with the database: it does not share the pool, and must say no in time."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from django.conf import settings


class Session:
    """A session with the database, begun when it is needed, and anew where it was ended."""

    def __init__(self) -> None:
        self.database: psycopg.AsyncConnection[Any] | None = None

    async def do[Done](self, work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[Done]]) -> Done:
        """Do what may be done twice: where an administrator, a pooler or a firewall ended the session, it is done in another."""
        if self.database is None or self.database.closed:
            self.database = await connect()
        try:
            return await work(self.database)
        except psycopg.OperationalError:
            if not self.database.closed:
                raise
            self.database = await connect()
            return await work(self.database)

    async def close(self) -> None:
        """Give it up. The next work begins another."""
        if self.database is not None:
            with contextlib.suppress(Exception):
                await self.database.close()
        self.database = None


async def connect() -> psycopg.AsyncConnection[Any]:
    """A new one, for single statements, none of which takes longer than two seconds."""
    return await psycopg.AsyncConnection.connect(
        settings.DATABASE_URL,
        autocommit=True,
        connect_timeout=2,
        application_name="intake",
        options="-c statement_timeout=2000",
        tcp_user_timeout=2000,
    )
