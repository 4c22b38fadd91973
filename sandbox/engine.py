"""What the parts of the company ask of the whole: the ground that they stand on, so that none of them needs the others."""

from collections.abc import Mapping
from typing import Any, Protocol

from sandbox.domain import Reader
from sandbox.schema import Fields
from sandbox.store import Store, Transaction
from sandbox.versions import Shape


class Engine(Reader, Protocol):
    """A database with its models, as :class:`sandbox.company.Company` is one.

    Where it is asked for somebody, ``env`` is the :class:`sandbox.records.Env` that acts.
    """

    store: Store
    shape: Shape
    orders: int
    seed: int
    models: dict[str, Fields]
    model_ids: dict[str, int]

    def name_field(self, model: str) -> str:
        """The field that names a record of ``model``."""

    def defaults(self, env: Any, model: str) -> Mapping[str, Any]:
        """What a new record begins with."""

    def groups_of(self, uid: int) -> set[int]:
        """The groups that a user is in."""

    def may(self, env: Any, model: str, operation: str) -> bool:
        """Whether the acting user may do ``operation`` on ``model``."""

    def check_access(self, env: Any, model: str, operation: str) -> None:
        """Raises AccessError unless the acting user may."""

    def external(self, name: str) -> tuple[str, int]:
        """Model and id of an external id."""

    def internal_locations(self) -> set[int]:
        """The locations whose contents are the company's stock."""

    def changed_settings(self, model: str) -> None:
        """Forget what was derived from settings, where ``model`` is one of them."""

    def refresh_settings(self) -> None:
        """Models and fields as their rows now say."""

    def second_cursor(self, first: Transaction) -> Transaction:
        """A transaction of its own inside another's call."""
