"""``manage.py parameter``: what counts, setting it, going back, every version."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Role
from tests.world import World, person


def run(*words: str) -> str:
    said = StringIO()
    call_command("parameter", *words, stdout=said)
    return said.getvalue()


def lines(*words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json").splitlines()]


@pytest.fixture
def world(db: None) -> World:
    person("mia", Role.MANAGER, limit=250_000)
    person("olga", Role.OPERATOR)
    return World()


def test_a_value_is_listed_set_previewed_and_reset(world: World) -> None:
    assert "purchase_limit: 10000 the company's currency" in run("list", "--workflow", "procure_to_pay")
    here = ("--connection", "main", "--company", "1")
    assert lines("preview", "purchase_limit", "5000", *here)[0]["records"] == 0
    (made,) = lines("set", "purchase_limit", "5000", *here, "--by", "mia", "--note", "less")
    assert (made["value"], made["own"], made["version"]) == ("5000", "5000", 1)
    assert "(set here)" in run("list", *here)
    (gone,) = lines("reset", "purchase_limit", *here)
    assert (gone["value"], gone["own"], gone["version"]) == ("10000", None, 2)
    assert [(one["value"], one["set_by"], one["note"]) for one in lines("history", "purchase_limit")] == [
        (None, None, ""),
        ("5000", "mia", "less"),
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("set", "nothing", "1"), "no parameter nothing"),
        (("set", "purchase_limit", "much"), "no number"),
        (("set", "purchase_limit", "1", "--company", "1"), "name the connection"),
        (("set", "purchase_limit", "1", "--by", "nobody"), "no active user"),
        (("set", "purchase_limit", "1", "--by", "olga"), "may not change policies"),
        (("list", "--workflow", "none"), "no workflow none"),
        (("history", "nothing"), "no parameter nothing"),
    ],
)
def test_what_cannot_be_says_why(world: World, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run(*words)
