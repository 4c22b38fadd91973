"""What a severity or status is called and looks like is said once, and is its own whatever the screens say."""

import re
from typing import Any

import pytest
from django.utils.translation import override

from apps.approvals.choices import Status as RequestStatus
from apps.exceptions.choices import Severity, Status
from apps.exceptions.queue.api import SEVERITIES
from apps.exceptions.templatetags.severity import severity
from controltower.env import BASE_DIR

TOKENS = (BASE_DIR / "static" / "css" / "tokens.css").read_text()
TONES = (BASE_DIR / "static" / "css" / "badges.css").read_text()


def test_the_apis_names_are_codes_and_follow_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Severity.codes() == list(SEVERITIES) == ["low", "medium", "high", "critical"]
    with override("de"):
        assert Severity.CRITICAL.label == "Kritisch" and Severity.CRITICAL.code == "critical"
    monkeypatch.setattr(Severity.HIGH, "_label_", "Urgent")
    assert (Severity.HIGH.label, Severity.HIGH.code, Severity.of_code("high")) == ("Urgent", "high", Severity.HIGH)


@pytest.mark.parametrize("level", Severity)
def test_each_severity_has_a_colour_and_shape_of_its_own(level: Severity) -> None:
    name = re.fullmatch(r"var\((--[a-z]+)\)", level.colour)
    assert name and f"{name[1]}:" in TOKENS
    others = {other.mark for other in Severity if other != level} | {other.colour for other in Severity if other != level}
    assert not {level.mark, level.colour} & others
    assert level.mark in severity(level.value) and str(level.label) in severity(level.value)


@pytest.mark.parametrize("status", [*Status, *RequestStatus])
def test_each_status_has_a_look_that_the_screens_can_draw(status: Any) -> None:
    look = status.look
    assert not look.tone or f".tone-{look.tone}" in TONES
    assert look.icon and look.classes.startswith("badge")


def test_no_other_file_gives_a_severity_a_colour() -> None:
    elsewhere = [
        path.name
        for folder in ("static/css", "static/js", "templates")
        for path in (BASE_DIR / folder).rglob("*.*")
        if path.suffix in (".css", ".js", ".html") and "vendor" not in path.parts and "data-severity" in path.read_text()
    ]
    assert elsewhere == []
