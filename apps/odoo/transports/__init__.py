"""How calls travel: JSON-RPC for every version (through odoorpc), JSON-2 from 19."""

from typing import Any, Protocol


class Transport(Protocol):
    """One signed-in way to call a database. Safe to use from several threads at once."""

    name: str
    uid: int

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
        """Carry out ``model.method`` on ``ids`` (None for a method of the model) and return its result.

        ``primary`` forbids an answer from a replica. Raises the errors of :mod:`apps.odoo.errors`.
        """
        ...

    def close(self) -> None:
        """Close the sockets."""
        ...
