"""The reasons that the tower gives are stored as what they were made of, and read so; older rows have their English alone."""

from typing import Any

import pytest
from django.utils import translation

from apps.approvals import reasons
from apps.approvals.models import Assignment, Inquiry, Request
from apps.core import sentences
from apps.outbox.models import NOT_BEFORE, WAITS, Command, Status

# A name and a step that a reader of the English text would take for something else.
TRICKY = "Ann approved it for Bo; it is now for Cy"
MADE: dict[str, tuple[str, dict[str, Any], str]] = {
    "of a person": (reasons.HAS_A_HAND, {"person": TRICKY}, f"{TRICKY} hat den Datensatz bearbeitet"),
    "of a sum": (
        reasons.AMOUNT_GREW,
        {"person": "Ann", "before": "1000.00", "currency": "EUR", "now": "1234.50", "same": "EUR"},
        "Ann hat 1.000,00 EUR genehmigt; jetzt sind es 1.234,50 EUR",
    ),
    "of a step": (
        reasons.NOBODY_ANSWERED,
        {"step": sentences.compose("Credit control", {})},
        "Nicht rechtzeitig entschieden (Kreditkontrolle)",
    ),
}


@pytest.mark.parametrize("made", MADE)
def test_a_reason_is_said_in_the_readers_language_from_what_it_was_made_of(made: str) -> None:
    template, values, german = MADE[made]
    text = sentences.in_english(template, **values)
    rows = (
        Request(reason=text, reason_sentence=sentences.sentence_of(text)),
        Assignment(lapsed_because=text, lapse_sentence=sentences.sentence_of(text)),
        Inquiry(answer=text, answer_sentence=sentences.sentence_of(text)),
    )
    with translation.override("de"):
        assert rows[0].told_reason == rows[1].lapse_text == rows[2].told_answer == german


@pytest.mark.parametrize("made", ["of a sum", "of a step"])
def test_a_row_that_was_stored_before_is_read_by_its_wording(made: str) -> None:
    template, values, german = MADE[made]
    text = str(sentences.in_english(template, **values))
    with translation.override("de"):
        assert Assignment(lapsed_because=text).lapse_text == german


def test_what_a_person_wrote_is_left_as_it_is() -> None:
    assert sentences.sentence_of("Paid yesterday") is None
    assert sentences.kept_beside("Paid yesterday") == {}


def test_why_a_command_was_cancelled_names_commands_and_approvals_in_the_readers_language() -> None:
    other = Command(title="Note it on S00007")
    why = sentences.in_english(NOT_BEFORE, command=other.title_sentence)
    kinds = {"each": [sentences.compose("Credit override", {})], "by": ", "}
    waits = sentences.in_english(WAITS, kinds=kinds)
    for text in (why, waits):
        command = Command(status=Status.CANCELLED, problem=text, problem_sentence=text.sentence)
        with translation.override("en"):
            assert command.told_problem == str(text)
        with translation.override("de"):
            assert command.told_problem != str(text)
