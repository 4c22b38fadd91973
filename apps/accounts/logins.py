"""Odoo logins as people write them, and as they are compared."""

import unicodedata
from typing import Any

from django.db import models


def normalised(login: str) -> str:
    """Return ``login`` in the one form in which two spellings of the same login are equal.

    Compatibility forms (full-width letters, ligatures), case, space around it and invisible characters make no difference.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", login).casefold())
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cf", "Cs")).strip()


class OdooLoginField(models.CharField):
    """A login that is stored, and looked for, :func:`normalised`."""

    def get_prep_value(self, value: Any) -> Any:
        """Normalise what is written and what is compared with."""
        prepared = super().get_prep_value(value)
        return normalised(prepared) if isinstance(prepared, str) else prepared

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Keep the instance equal to its row."""
        value = getattr(model_instance, self.attname)
        if isinstance(value, str):
            value = normalised(value)
            setattr(model_instance, self.attname, value)
        return value
