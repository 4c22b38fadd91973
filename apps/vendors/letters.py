"""The words of letters: the tower's own in each language, or a person's, with what stands in braces filled.

Vendors are written to about what they owe, customers about when their goods come: kinds of the same letter.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.vendors.models import Kind, Letter

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
FILLED = {Kind.FOLLOW_UP: ("vendor", "company", "orders", "link"), Kind.PROMISE: ("customer", "company", "orders")}
NEEDED = {Kind.FOLLOW_UP: {"orders", "link"}, Kind.PROMISE: {"orders"}}
LONGEST_SUBJECT, LONGEST_BODY = 200, 4_000
# Of what a person makes of one draft: that may have all its orders in it.
LONGEST_WRITTEN = 100_000


class LetterRefusedError(Refusal):
    """The words cannot be used so; the message says why."""

    problem = Problem(
        "letter_invalid",
        422,
        "Invalid letter",
        meaning="The words of a letter lack what its kind needs, name something that is not filled, or are too long.",
        remedy="To vendors: {vendor}, {company}, {orders} and {link}; to customers: {customer}, {company} and {orders}.",
    )


@dataclass(frozen=True, kw_only=True)
class Words:
    """Subject and body of a kind in one language, before they are filled."""

    kind: Kind
    language: str
    subject: str
    body: str
    changed_by: str = ""


def spoken(language: str) -> str:
    """Return the language if the tower speaks it, else the tower's first."""
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def words_in(kind: Kind, language: str) -> Words:
    """Return the words of a language of the tower's: those that a person wrote, else the tower's own."""
    return words_of(kind)[spoken(language)]


def words_of(kind: Kind) -> Mapping[str, Words]:
    """Return the words in each language, in one query."""
    written = {
        one.language: Words(kind=kind, language=one.language, subject=one.subject, body=one.body, changed_by=one.changed_by)
        for one in Letter.objects.filter(kind=kind)
    }
    return {language: written.get(language) or own_words(kind, language) for language, _ in settings.LANGUAGES}


def own_words(kind: Kind, language: str) -> Words:
    """Return the tower's own words."""
    with translation.override(language):
        subject, paragraphs = _to_vendors() if kind == Kind.FOLLOW_UP else _to_customers()
        return Words(kind=kind, language=language, subject=subject, body="\n\n".join(paragraphs))


def _to_vendors() -> tuple[str, list[str]]:
    return gettext("Your open purchase orders"), [
        gettext("Dear {vendor},"),
        gettext("these purchase orders of {company} are late or not confirmed yet:"),
        "{orders}",
        gettext("Please tell us here what comes when. You need no account:"),
        "{link}",
        gettext("Thank you"),
    ]


def _to_customers() -> tuple[str, list[str]]:
    return gettext("New delivery dates of your orders"), [
        gettext("Dear {customer},"),
        gettext("these are the new delivery dates of your orders:"),
        "{orders}",
        gettext("We apologise for the inconvenience. Please reply if the new dates do not suit you."),
        "{company}",
    ]


def filled(words: Words, values: Mapping[str, str]) -> tuple[str, SafeString]:
    """Return the subject as text and the body as HTML; a link can be followed."""
    told = {name: escape(value).replace("\n", "<br>") for name, value in values.items()}
    if "link" in values:
        told["link"] = _anchor(values["link"])
    body = PLACEHOLDER.sub(lambda match: str(told.get(match[1], "")), str(escape(words.body)))
    return _subject(words, values), _paragraphs(body)


def filled_text(words: Words, values: Mapping[str, str]) -> tuple[str, str]:
    """Return subject and body as text, to be edited; :func:`html_of` makes of it what :func:`filled` would."""
    body = PLACEHOLDER.sub(lambda match: values.get(match[1], ""), words.body.replace("\r", ""))
    return _subject(words, values), body.strip()


def html_of(text: str, *, link: str = "") -> SafeString:
    """Return a body that a person wrote as HTML; nothing in it is markup, and no placeholder but that of a ``link``."""
    said = str(escape(text))
    return _paragraphs(said.replace("{link}", _anchor(link)) if link else said)


def check_written(subject: str, body: str, *, needs_link: bool = False) -> None:
    """Raises LetterRefusedError where what a person made of a draft cannot be sent."""
    if not subject or not body or len(subject) > LONGEST_SUBJECT or len(body) > LONGEST_WRITTEN:
        raise LetterRefusedError(gettext("Enter a subject and a body; neither may be too long."))
    if needs_link and "{link}" not in body:
        raise LetterRefusedError(gettext("The body needs {%(name)s}.") % {"name": "link"})


def _anchor(link: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', link, link)


def _subject(words: Words, values: Mapping[str, str]) -> str:
    return " ".join(PLACEHOLDER.sub(lambda match: values.get(match[1], ""), words.subject).split())


def _paragraphs(escaped: str) -> SafeString:
    parts = [part.strip() for part in re.split(r"\n\s*\n", escaped.replace("\r", ""))]
    return mark_safe("".join(f"<p>{part}</p>" for part in parts if part).replace("\n", "<br>"))


@atomic_with_retry
def write(kind: Kind, language: str, *, subject: str, body: str, by: User, now: datetime) -> Letter | None:
    """Have letters of a kind say this in one language from now on; empty words bring the tower's own back.

    Raises NotAllowedError (who makes policies may), LetterRefusedError.
    """
    permissions.check_may_make_policy(by)
    if language not in dict(settings.LANGUAGES):
        raise LetterRefusedError(gettext("The tower does not speak %(language)s.") % {"language": language[:20]})
    letter = None
    if not subject.strip() and not body.strip():
        Letter.objects.filter(kind=kind, language=language).delete()
    else:
        check(kind, subject, body)
        values = {"subject": subject.strip(), "body": body.strip(), "changed_at": now, "changed_by": str(by)[:200]}
        letter, _ = Letter.objects.update_or_create(kind=kind, language=language, defaults=values)
    data = {"kind": str(kind), "language": language, "subject": subject.strip(), "body": body.strip()}
    event = trail.Event(action="letter.written", actor=by.actor, subject=f"letter:{kind}:{language}", data=data)
    trail.record(event, now=now)
    return letter


def check(kind: Kind, subject: str, body: str) -> None:
    """Raises LetterRefusedError where the words cannot be used."""
    if not subject.strip() or len(subject) > LONGEST_SUBJECT or len(body) > LONGEST_BODY:
        raise LetterRefusedError(gettext("Enter a subject and a body; neither may be too long."))
    named = set(PLACEHOLDER.findall(subject)) | set(PLACEHOLDER.findall(body))
    if unknown := sorted(named - set(FILLED[kind])):
        raise LetterRefusedError(gettext("Nothing is known of {%(name)s}.") % {"name": unknown[0][:40]})
    if missing := sorted(NEEDED[kind] - set(PLACEHOLDER.findall(body))):
        raise LetterRefusedError(gettext("The body needs {%(name)s}.") % {"name": missing[0]})
