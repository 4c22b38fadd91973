"""Who may send is set up on the command line; a secret is shown once."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database

from apps.audit.models import Entry
from apps.intake import signatures
from apps.intake.models import Sender
from tests.world import World


def say(*arguments: str, **options: Any) -> list[str]:
    out = StringIO()
    call_command("event_source", *arguments, stdout=out, **options)
    return out.getvalue().splitlines()


def test_a_new_source_gets_an_address_and_a_secret_that_is_stored_encrypted(world: World) -> None:
    *_, said, secret = say("dhl", "--adapter", "carrier_tracking", "--connection", "main")
    assert "/hooks/events/dhl/" in said
    assert len(signatures.key_of(secret)) == signatures.SECRET_BYTES
    assert Sender.objects.get(name="dhl").secret == secret
    with database.cursor() as cursor:
        cursor.execute("SELECT secret FROM intake_sender WHERE name = 'dhl'")
        assert secret not in cursor.fetchone()[0]
    entry = Entry.objects.get(action="source.added", subject="source:dhl")
    assert secret not in str(entry.data)


def test_a_secret_is_changed_with_both_taken_for_a_while(world: World) -> None:
    first = Sender.objects.get(name="portal").secret
    second = say("portal", "--rotate")[-1]
    source = Sender.objects.get(name="portal")
    assert (source.secret, source.previous_secret) == (second, first)
    with pytest.raises(CommandError, match="already"):
        say("portal", "--rotate")
    say("portal", "--finish-rotation")
    assert Sender.objects.get(name="portal").previous_secret == ""


def test_a_source_is_switched_off_and_on(world: World) -> None:
    say("portal", "--off")
    assert not Sender.objects.get(name="portal").is_active
    say("portal", "--on")
    assert Sender.objects.get(name="portal").is_active


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["portal", "--adapter", "supplier_portal", "--connection", "main"], "already"),
        (["new", "--adapter", "telepathy", "--connection", "main"], "carrier_tracking"),
        (["new", "--adapter", "supplier_portal", "--connection", "nowhere"], "no connection nowhere"),
        (["odoo", "--adapter", "supplier_portal", "--connection", "main"], "odoo"),
        (["a b", "--adapter", "supplier_portal", "--connection", "main"], "a b"),
        (["nobody", "--rotate"], "no source nobody"),
        (["new"], "--adapter"),
    ],
)
def test_what_cannot_be_is_refused_in_words(arguments: list[str], words: str, world: World) -> None:
    with pytest.raises(CommandError, match=words):
        say(*arguments)
