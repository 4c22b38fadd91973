"""The mark that what cannot be repeated leaves behind in Odoo, so that it is looked for before it is done again.

It is the command's id. In a text that is HTML there it stands as a class of the element around the text, where Odoo's
sanitiser keeps it and nobody reads it; in plain text (the feedback of an activity) people see it, as ``[CT …]``.
"""

from html import escape
from typing import Any

from apps.odoo.models import Connection
from apps.odoo.versions import major

# From 17 on a text sent to message_post is shown as it is unless it is said to be HTML; before, it always was HTML.
SAYS_HTML_SINCE = 17


def in_html(text: str, *marks: str) -> str:
    """``text``, which is HTML, within an element that carries the marks, one after the other."""
    return f'<div class="{_classes(*marks)}">{text.strip()}</div>'


def in_words(text: str, mark: str) -> str:
    """``text``, which is plain, with the mark at its end."""
    return f"{text.strip()} [CT {mark}]"


def found_by(*marks: str) -> str:
    """What Odoo is asked for, with ``like``, to find what carries these marks."""
    return _classes(*marks).removeprefix("ct-")


def in_message(arguments: dict[str, Any], mark: str, connection: Connection) -> dict[str, Any]:
    """The arguments of a ``message_post`` with the mark in its body.

    Where the version is not known, the body stays plain: as HTML it might be shown as its source.
    """
    rest = {name: value for name, value in arguments.items() if name != "body_is_html"}
    body, version = str(arguments["body"]).strip(), major(connection.version or "")
    if not version:
        return {**rest, "body": in_words(body, mark)}
    html = body if "body_is_html" in arguments else escape(body, quote=False).replace("\n", "<br>")
    said = {"body_is_html": True} if version >= SAYS_HTML_SINCE else {}
    return {**rest, **said, "body": in_html(html, mark)}


def _classes(*marks: str) -> str:
    return " ".join(f"ct-{mark}" for mark in marks)
