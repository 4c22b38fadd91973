"""Keep locale/ in line with what the interface says: ``python -m controltower.messages`` (``make messages``).

What is said is found in three places: in templates and scripts and Python files by Babel, which needs nothing of the system,
and in what the workflows declare. New texts stand in each language's ``.po`` file untranslated; what nobody says any more
goes. The compiled files are kept beside them, so that running the tower needs no tool.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
LOCALE = ROOT / "locale"
KEYWORDS: dict[str, Any] = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# The sandbox company's own texts are Odoo's data.
PYTHON = ["apps", "controltower"]
LEFT_OUT = {"migrations", "sandbox"}
DOMAINS = ("django", "djangojs")


def languages() -> list[str]:
    """The languages that the source is translated into."""
    return [code for code, _ in settings.LANGUAGES if code != "en"]


def path_of(language: str, domain: str, kind: str = "po") -> Path:
    """Where the catalogue of a language lies."""
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.{kind}"


def _python_of(template: Path) -> io.BytesIO:
    """A template as the Python that Django makes of it for extraction. Lines stand alone: indentation means nothing."""
    text = templatize(template.read_text(), origin=str(template))
    return io.BytesIO("\n".join(line.strip() for line in text.splitlines()).encode())


def _found(domain: str) -> Iterator[tuple[Path, tuple[int, Any, list[str], str | None]]]:
    if domain == "djangojs":
        for path in sorted((ROOT / "static" / "js").glob("*.js")):
            with path.open("rb") as file:
                yield from ((path, one) for one in extract("javascript", file, KEYWORDS))
        return
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield from ((path, one) for one in extract("python", _python_of(path), KEYWORDS))
    for path in sorted(file for root in PYTHON for file in (ROOT / root).rglob("*.py") if not LEFT_OUT & set(file.parts)):
        with path.open("rb") as file:
            yield from ((path, one) for one in extract("python", file, KEYWORDS))


def said(domain: str) -> Catalog:
    """Everything that is said today, without translations."""
    catalog = Catalog(domain=domain, charset="utf-8", fuzzy=False)
    for path, (_, message, _, context) in _found(domain):
        # Places without line numbers: a line more above is no change of what is said.
        catalog.add(message, locations=[(str(path.relative_to(ROOT)), None)], context=context)  # type: ignore[list-item]
    if domain == "django":
        from apps.exceptions import integration
        from apps.workflows import wording

        for text in wording.declared():
            catalog.add(text, locations=[("apps/workflows/catalogue", None)])  # type: ignore[list-item]
        for declared in integration.TYPES.values():
            for text in (declared.title, declared.closed_because, *(figure.label for figure in declared.evidence.values())):
                catalog.add(text, locations=[("apps/exceptions/integration.py", None)])  # type: ignore[list-item]
    return catalog


def kept(language: str, domain: str) -> Catalog:
    """The catalogue of a language as it lies there; an empty one where there is none yet."""
    path = path_of(language, domain)
    if not path.exists():
        return Catalog(locale=language, domain=domain, charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def brought_up(language: str, domain: str) -> Catalog:
    """The catalogue of a language with exactly what is said today; nothing is guessed from similar texts."""
    catalog = kept(language, domain)
    catalog.update(said(domain), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """A catalogue as its file has it."""
    text = io.BytesIO()
    write_po(text, catalog, width=120, omit_header=False, sort_output=True, ignore_obsolete=True)
    # When it was written is in the history of the file; a date in it would change with every run.
    return b"\n".join(line for line in text.getvalue().split(b"\n") if not line.startswith((b'"POT-Creation', b'"PO-Revision')))


def as_mo(catalog: Catalog) -> bytes:
    """A catalogue compiled; the same bytes for the same words, whenever it was done."""
    catalog.creation_date = catalog.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    return compiled.getvalue()


def untranslated(catalog: Catalog) -> list[str]:
    """What of a catalogue has no translation yet, or not every form of one."""
    return [str(one.id) for one in catalog if one.id and not (all(one.string) if isinstance(one.string, tuple) else one.string)]


def main() -> None:
    """Write every language's files, and say what is not translated."""
    for language in languages():
        for domain in DOMAINS:
            path = path_of(language, domain)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_po(brought_up(language, domain)))
            catalog = kept(language, domain)
            path_of(language, domain, "mo").write_bytes(as_mo(catalog))
            print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {len(untranslated(catalog))} to translate")


if __name__ == "__main__":
    django.setup()
    main()
