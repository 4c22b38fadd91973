"""Secrets at rest: encrypted with the first key of ENCRYPTION_KEYS, readable with any of them."""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class SecretUnreadableError(Exception):
    """A stored secret cannot be decrypted with any key in ENCRYPTION_KEYS."""


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


def reveal(stored: str) -> str:
    """The secret that the database holds as ``stored``. Raises SecretUnreadableError."""
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadableError("A stored secret was encrypted with a key that is not in ENCRYPTION_KEYS.") from error


class SecretField(models.TextField):
    """Text that the database only ever sees encrypted. An unreadable secret is an error, never an empty value."""

    def get_prep_value(self, value: Any) -> Any:
        return value if not value else _box().encrypt(value.encode()).decode()

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        if not value:
            return value
        try:
            return _box().decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadableError(
                f"The secret in {self.model._meta.label}.{self.name} was encrypted with a key that is not in "
                "ENCRYPTION_KEYS. Put that key back, or enter the secret again."
            ) from error
