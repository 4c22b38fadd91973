"""The interface in each language: everything is translated, and nothing that is said is left out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from django.conf import settings
from django.template.base import Lexer, TokenType

from controltower import messages

TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))
LANGUAGES = messages.languages()
BOTH = pytest.mark.parametrize("domain", messages.DOMAINS)
EACH = pytest.mark.parametrize("language", LANGUAGES)
# What is a name, a unit or a form of file, and the same in every language.
NAMES = {"Control Tower", "Odoo", "CSV", "PNG", "XES", "h", "d", "min", "s", "x", "Ctrl K", "manage.py event_source"}
SPOKEN_ATTRIBUTES = re.compile(r'\s(?:aria-label|title|placeholder|data-label|alt)="([^"]*)"')
PLACEHOLDERS = re.compile(r"%\(\w+\)s|%%|\{[\w:]+\}|<[^>]+>")


def texts(message: Message) -> list[str]:
    """Every form of a message's translation."""
    return [message.string] if isinstance(message.string, str) else list(message.string or [])


@EACH
@BOTH
def test_everything_that_is_said_is_translated(language: str, domain: str) -> None:
    catalog = messages.kept(language, domain)
    assert [message.id for message in catalog if message.fuzzy and message.id] == []
    assert messages.untranslated(catalog) == []


@EACH
@BOTH
def test_the_catalogues_hold_exactly_what_is_said_today(language: str, domain: str) -> None:
    said = {(message.context, str(message.id)) for message in messages.said(domain) if message.id}
    kept = {(message.context, str(message.id)) for message in messages.kept(language, domain) if message.id}
    assert said - kept == set(), "Run `make messages` and translate what it adds."
    assert kept - said == set(), "Run `make messages`: nobody says this any more."


@EACH
@BOTH
def test_what_is_compiled_is_what_is_written(language: str, domain: str) -> None:
    compiled = messages.path_of(language, domain, "mo").read_bytes()
    assert compiled == messages.as_mo(messages.kept(language, domain)), "Run `make messages`."


@EACH
@BOTH
def test_every_translation_has_the_placeholders_of_its_source(language: str, domain: str) -> None:
    differ = []
    for message in messages.kept(language, domain):
        if not message.id or not all(texts(message)):
            continue
        source = message.id if isinstance(message.id, str) else message.id[-1]
        differ += [
            (source, text)
            for text in texts(message)
            if sorted(set(PLACEHOLDERS.findall(text))) != sorted(set(PLACEHOLDERS.findall(source)))
        ]
    assert differ == []


def unmarked(source: str) -> Iterator[str]:
    """The words of a template that a person sees and that no tag hands to the translation."""
    parts, is_marked = [], False
    for token in Lexer(source).tokenize():
        name = token.contents.split()[0] if token.token_type == TokenType.BLOCK else ""
        if name in ("blocktranslate", "endblocktranslate"):
            is_marked = name == "blocktranslate"
        elif token.token_type == TokenType.TEXT and not is_marked:
            parts.append(token.contents)
        elif name not in ("translate", "plural"):
            parts.append("\0")
    text = re.sub(r"<(script|style|code|kbd)\b.*?</\1>", " ", "".join(parts), flags=re.DOTALL)
    yield from SPOKEN_ATTRIBUTES.findall(text)
    yield from re.split(r"<[^>]*>|\0", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates")))
def test_no_word_of_a_template_is_left_unmarked(path: Path) -> None:
    seen = (re.sub(r"&\w+;|[\0·–→“”/×:;,.()%|+\d]", " ", part).strip() for part in unmarked(path.read_text()))
    left = {text for text in seen if re.search(r"[A-Za-z]{2,}", text) and text not in NAMES}
    # The body's and the page's classes stand in blocks of their own.
    assert {text for text in left if not re.fullmatch(r"page-\w+|deciding", text)} == set()
