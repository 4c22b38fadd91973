"""A scheduled action that runs just now is waited for; every other refusal is told at once."""

import pytest

from apps.odoo import provision
from apps.odoo.errors import RefusedError


class Running:
    """Something that Odoo refuses to touch for so many tries."""

    def __init__(self, tries: int) -> None:
        self.left, self.asked = tries, 0

    def __call__(self) -> None:
        self.asked += 1
        if self.asked <= self.left:
            raise RefusedError("main", "This cron task is currently being executed", "Wait.")


def test_it_is_tried_again_until_it_has_ended() -> None:
    running = Running(2)
    provision.when_free("ir.cron", running)
    assert running.asked == 3


def test_what_is_no_scheduled_action_is_refused_at_once() -> None:
    running = Running(2)
    with pytest.raises(RefusedError):
        provision.when_free("base.automation", running)
    assert running.asked == 1


def test_one_that_never_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision, "RUNNING_SECONDS", 0.3)
    with pytest.raises(RefusedError, match="currently being executed"):
        provision.when_free("ir.cron", Running(1_000))
