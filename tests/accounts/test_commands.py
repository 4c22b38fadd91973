"""Making people and tokens from the command line."""

from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from apps.accounts import access
from apps.accounts.models import ApiToken, User
from apps.audit.models import Entry
from tests.world import World

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip().splitlines()


def test_a_new_person_signs_in_with_the_password_that_is_printed_once() -> None:
    password = run("create_user", "berta", "--role", "approver", "--limit", "20000", "--odoo-login", "berta@x")[-1]
    berta = User.objects.get(username="berta")
    assert authenticate(None, username="berta", password=password) == berta
    assert (berta.role, berta.approval_limit, berta.odoo_login) == ("approver", 20_000, "berta@x")
    assert berta.teams.filter(slug="finance").exists()
    assert Entry.objects.filter(action="user.created", subject=f"user:{berta.pk}").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--role", "wizard"], "no role wizard; there is: operator"),
        (["--role", "approver"], "needs a limit"),
        (["--role", "approver", "--limit", "much"], "must be an amount"),
        (["--role", "operator", "--team", "nobody"], "no team nobody"),
    ],
)
def test_a_person_who_cannot_be_is_refused_in_words_and_not_half_made(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("create_user", "berta", *arguments)
    assert not User.objects.exists()


def test_a_name_that_is_taken_is_refused() -> None:
    run("create_user", "berta", "--role", "operator")
    with pytest.raises(CommandError, match="already"):
        run("create_user", "berta", "--role", "operator")


def test_a_token_stands_alone_on_the_last_line_and_only_its_digest_is_kept() -> None:
    run("create_user", "berta", "--role", "operator")
    token = run("create_api_token", "berta", "--scope", "write")[-1]
    kept = ApiToken.objects.get()
    assert token.startswith("ct_")
    assert (kept.digest, kept.scope) == (ApiToken.digest_of(token), "write")
    with pytest.raises(CommandError, match="no active user nobody"):
        run("create_api_token", "nobody", "--scope", "read")


@pytest.fixture
def companies() -> World:
    world = World()
    world.write("res.company", 2, name="Kestrel", currency_id=1)
    return world


def test_a_person_is_made_who_sees_one_company(companies: World) -> None:
    run("create_user", "berta", "--role", "operator", "--sees", "main:Kestrel")
    berta = User.objects.get(username="berta")
    assert access.scope_of(berta).sees(companies.connection.pk, 2)
    assert not access.scope_of(berta).sees(companies.connection.pk, 1)
    assert run("grant", "berta") == ["berta sees main:2."]


def test_what_a_person_sees_is_changed_and_on_the_trail(companies: World) -> None:
    run("create_user", "berta", "--role", "operator")
    assert run("grant", "berta") == ["berta sees all."]
    for places, words in [(["main:1", "main:2"], "main:1, main:2"), (["main"], "main"), (["nothing"], "nothing"), (["all"], "all")]:
        assert run("grant", "berta", *(part for place in places for part in ("--sees", place))) == [f"berta sees {words}."]
    told = Entry.objects.filter(action="user.granted").order_by("sequence").values_list("data__before", "data__sees")
    assert list(told) == [
        (["all"], ["main:1", "main:2"]),
        (["main:1", "main:2"], ["main"]),
        (["main"], ["nothing"]),
        (["nothing"], ["all"]),
    ]


@pytest.mark.parametrize(
    ("role", "place", "words"),
    [
        ("operator", "elsewhere", "no connection elsewhere; there is: main"),
        ("operator", "main:3", r"no company 3 in main; there is: 1 \(Nordlicht\), 2 \(Kestrel\)"),
        ("operator", "main:Nobody", "no company Nobody"),
        ("admin", "main", "sees everything"),
        ("integrator", "main:1", "sees everything"),
    ],
)
def test_a_sight_that_cannot_be_is_refused_and_nobody_is_made(companies: World, role: str, place: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("create_user", "berta", "--role", role, "--sees", place)
    assert not User.objects.filter(username="berta").exists()
