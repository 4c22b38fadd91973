"""The words of a follow-up: the tower's own in each language, or a person's, with what stands in braces filled."""

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
from apps.vendors.models import Letter

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
FILLED = ("vendor", "company", "orders", "link")
NEEDED = {"orders", "link"}
LONGEST_SUBJECT, LONGEST_BODY = 200, 4_000


class LetterRefusedError(Refusal):
    """The words cannot be used so; the message says why."""

    problem = Problem(
        "letter_invalid",
        422,
        "Invalid letter",
        meaning="The words of a follow-up lack {orders} or {link}, name something that is not filled, or are too long.",
        remedy="Use {vendor}, {company}, {orders} and {link}; the last two are needed in the body.",
    )


@dataclass(frozen=True, kw_only=True)
class Words:
    """Subject and body in one language, before they are filled."""

    language: str
    subject: str
    body: str
    changed_by: str = ""


def words_in(language: str) -> Words:
    """Return the words of a language of the tower's: those that a person wrote, else the tower's own."""
    spoken = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    own = Letter.objects.filter(language=spoken).first()
    if own is not None:
        return Words(language=spoken, subject=own.subject, body=own.body, changed_by=own.changed_by)
    return own_words(spoken)


def own_words(language: str) -> Words:
    """Return the tower's own words."""
    with translation.override(language):
        body = [
            gettext("Dear {vendor},"),
            gettext("these purchase orders of {company} are late or not confirmed yet:"),
            "{orders}",
            gettext("Please tell us here what comes when. You need no account:"),
            "{link}",
            gettext("Thank you"),
        ]
        return Words(language=language, subject=gettext("Your open purchase orders"), body="\n\n".join(body))


def filled(words: Words, values: Mapping[str, str]) -> tuple[str, SafeString]:
    """Return the subject as text and the body as HTML; the link can be followed."""
    subject = PLACEHOLDER.sub(lambda match: values.get(match[1], ""), words.subject)
    told = {name: escape(value).replace("\n", "<br>") for name, value in values.items()}
    told["link"] = format_html('<a href="{}">{}</a>', values["link"], values["link"])
    body = PLACEHOLDER.sub(lambda match: str(told.get(match[1], "")), str(escape(words.body)))
    paragraphs = "".join(f"<p>{part.strip()}</p>" for part in re.split(r"\n\s*\n", body.replace("\r", "")) if part.strip())
    return " ".join(subject.split()), mark_safe(paragraphs.replace("\n", "<br>"))


@atomic_with_retry
def write(language: str, *, subject: str, body: str, by: User, now: datetime) -> Letter | None:
    """Have follow-ups say this in one language from now on; empty words bring the tower's own back.

    Raises NotAllowedError (who makes policies may), LetterRefusedError.
    """
    permissions.check_may_make_policy(by)
    if language not in dict(settings.LANGUAGES):
        raise LetterRefusedError(gettext("The tower does not speak %(language)s.") % {"language": language[:20]})
    letter = None
    if not subject.strip() and not body.strip():
        Letter.objects.filter(language=language).delete()
    else:
        check(subject, body)
        values = {"subject": subject.strip(), "body": body.strip(), "changed_at": now, "changed_by": str(by)[:200]}
        letter, _ = Letter.objects.update_or_create(language=language, defaults=values)
    data = {"language": language, "subject": subject.strip(), "body": body.strip()}
    trail.record(trail.Event(action="letter.written", actor=by.actor, subject=f"letter:{language}", data=data), now=now)
    return letter


def check(subject: str, body: str) -> None:
    """Raises LetterRefusedError where the words cannot be used."""
    if not subject.strip() or len(subject) > LONGEST_SUBJECT or len(body) > LONGEST_BODY:
        raise LetterRefusedError(gettext("Enter a subject and a body; neither may be too long."))
    named = set(PLACEHOLDER.findall(subject)) | set(PLACEHOLDER.findall(body))
    if unknown := sorted(named - set(FILLED)):
        raise LetterRefusedError(gettext("Nothing is known of {%(name)s}.") % {"name": unknown[0][:40]})
    if missing := sorted(NEEDED - set(PLACEHOLDER.findall(body))):
        raise LetterRefusedError(gettext("The body needs {%(name)s}.") % {"name": missing[0]})
