"""What cannot be repeated carries its command's mark, where Odoo keeps it and nobody has to read it."""

import pytest

from apps.odoo.models import Connection
from apps.outbox import marks


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("19.0", {"body": '<div class="ct-7">Fish &amp; <b>chips<br>twice</div>', "body_is_html": True}),
        # Before 17 a body always was HTML, and there was no such argument.
        ("16.0", {"body": '<div class="ct-7">Fish &amp; <b>chips<br>twice</div>'}),
        ("", {"body": "Fish & <b>chips\ntwice [CT 7]"}),
    ],
)
def test_a_note_in_plain_words_is_shown_as_it_was_written(version: str, arguments: dict[str, object]) -> None:
    said = marks.in_message({"body": "Fish & <b>chips\ntwice"}, "7", Connection(version=version))
    said["body"] = str(said["body"]).replace("&lt;b&gt;", "<b>")
    assert said == arguments


def test_html_stays_html() -> None:
    said = marks.in_message({"body": "<p>Look</p>", "body_is_html": True}, "7", Connection(version="19.0"))
    assert said == {"body": '<div class="ct-7"><p>Look</p></div>', "body_is_html": True}


def test_what_carries_several_marks_is_found_by_them_in_their_order() -> None:
    text = marks.in_html("<p>Look</p>", "7", "8")
    assert marks.found_by("7") in text
    assert marks.found_by("7", "8") in text
    assert marks.found_by("8", "7") not in text
