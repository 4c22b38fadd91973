"""Which language a person reads: the one they chose, else the first of their browser's that the tower speaks."""

from django.conf import settings
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from apps.accounts.models import User


def spoken() -> list[tuple[str, str]]:
    """The languages that the tower speaks, each with its own name for itself."""
    return list(settings.LANGUAGES)


def language_of(user: User | None, accepted: str = "") -> str:
    """The language for ``user`` (nobody, where none is signed in) whose browser sent ``accepted`` as Accept-Language."""
    if user and user.language in dict(settings.LANGUAGES):
        return user.language
    for wish, _ in parse_accept_lang_header(accepted):
        if wish == "*":
            break
        try:
            return translation.get_supported_language_variant(wish)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def of_odoo(odoo_language: str | None) -> str:
    """Return the language of the tower for one of Odoo's, such as ``de_AT``; empty where it speaks none such."""
    if not odoo_language:
        return ""
    try:
        found = translation.get_supported_language_variant(odoo_language.replace("_", "-").lower())
    except LookupError:
        return ""
    return found if found in dict(settings.LANGUAGES) else ""
