"""What a person reads or hears of a page, and what of it is in English."""

import re
from functools import cache
from html.parser import HTMLParser

from apps.core import sentences
from controltower import messages

SPOKEN = ("aria-label", "title", "placeholder", "data-label", "alt")
# Of Odoo, of a file, or typed by somebody; and what is told in English as it was stored (docs/languages.md).
AS_IT_IS = re.compile(
    r"Odoo|of the mirror|that the tower mirrors|Azure Interior|Sofia|Control Tower|manage\.py|\bS000\d\d\b|sale\.order|CSV|OCEL"
)
ENGLISH = re.compile(r"\b(the|is|are|of|with|and|not|what|who|which|your|you|this|that|from|by|has|was|were|will|for)\b", re.I)


class Seen(HTMLParser):
    """What of a page a person reads or hears."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.within: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in SPOKEN]
        if tag not in ("meta", "link", "input", "br", "img", "hr"):
            self.within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.within and self.within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "code", "kbd", "option", "textarea", "ct-reasons"} & set(self.within):
            self.found.append(data)


def said_on(html: str) -> set[str]:
    """The texts of a page."""
    return {" ".join(text.split()) for text in Seen(html).found} - {""}


@cache
def _known(language: str) -> dict[str, str]:
    """What the language has words for, but for what templates of pages fill."""
    kept = messages.kept(language, "django")
    return {str(one.id): str(one.string) for one in kept if isinstance(one.id, str) and "%(" not in one.id}


@cache
def _made_from(language: str) -> list[tuple[str, list[str]]]:
    """The templates of sentences with values that read otherwise in the language, each with the words around its values."""
    found = []
    for template, translated in _known(language).items():
        around = sentences.PLACEHOLDER.split(template)[::3]
        words = [text for text in around if re.search("[A-Za-z]{2}", text)]
        if len(around) > 1 and words and sentences.PLACEHOLDER.split(translated)[::3] != around:
            found.append((template, words))
    return found


def english_of(html: str, language: str = "de") -> set[str]:
    """What of a page is said in English: what the language has a word for, what is a sentence in English, and what was made
    from an English template."""
    known, said = _known(language), said_on(html)
    untranslated = {text for text in said if text in known and known[text] != text}
    english = {text for text in said if len(set(map(str.lower, ENGLISH.findall(text)))) >= 2 and not AS_IT_IS.search(text)}
    filled = {
        f"{text} ({template})" for text in said for template, words in _made_from(language) if all(word in text for word in words)
    }
    return untranslated | english | filled
