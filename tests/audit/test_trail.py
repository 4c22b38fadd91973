"""What has happened cannot be changed unseen."""

import threading
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from apps.audit import trail, verify
from apps.audit.models import Entry, Head
from apps.core import clock
from apps.core.actor import system


def write(count: int, *, first: int = 0) -> None:
    with transaction.atomic():
        trail.record_all(
            [
                trail.Event(action="test.done", actor=system("tests"), subject=f"thing:{n}", data={"n": n, "sum": "1.50"})
                for n in range(first, first + count)
            ],
            now=clock.now(),
        )


@pytest.fixture(autouse=True)
def home(settings: object, tmp_path: Path) -> None:
    settings.CONTROLTOWER_HOME = tmp_path  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_a_trail_as_it_was_written_holds() -> None:
    write(10)
    write(5, first=10)
    assert verify.verify() == verify.Verdict(entries=15)


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"])
def test_the_database_refuses_to_change_it(statement: str) -> None:
    write(2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


TAMPERINGS = {
    "edited": ("UPDATE audit_entry SET data = '{\"n\": 99}' WHERE sequence = 4", "Entry 4 .* not as it was written"),
    "edited time": ("UPDATE audit_entry SET at = at + interval '1 hour' WHERE sequence = 2", "Entry 2"),
    "deleted in the middle": ("DELETE FROM audit_entry WHERE sequence = 5", "Entry 5 is missing"),
    "cut at the end": ("DELETE FROM audit_entry WHERE sequence > 7", "ends at entry 7; its head says 10"),
    "swapped": (
        "UPDATE audit_entry SET sequence = CASE sequence WHEN 3 THEN -4 ELSE -3 END WHERE sequence IN (3, 4);"
        "UPDATE audit_entry SET sequence = -sequence WHERE sequence < 0",
        "Entry 3 does not follow",
    ),
    "inserted": (
        "INSERT INTO audit_entry SELECT 11, at, action, actor, actor_name, subject, data, hash, repeat('a', 64)"
        " FROM audit_entry WHERE sequence = 10",
        "Entry 11 .* not as it was written",
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("how", TAMPERINGS)
def test_whatever_a_superuser_does_is_found_and_the_first_bad_entry_named(how: str) -> None:
    write(10)
    statement, named = TAMPERINGS[how]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_no_change")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_no_change")
    with pytest.raises(CommandError, match=named):
        call_command("audit_verify")


@pytest.mark.django_db
def test_a_tail_cut_together_with_its_head_is_found_by_the_checkpoint() -> None:
    write(10)
    assert verify.checkpoint() == 10
    kept = Entry.objects.get(sequence=7).hash
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_no_change")
        cursor.execute("DELETE FROM audit_entry WHERE sequence > 7")
        cursor.execute("UPDATE audit_head SET sequence = 7, hash = %s", [kept])
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_no_change")
    assert "a checkpoint saw entry 10" in verify.verify().problem


@pytest.mark.django_db
def test_a_checkpoint_is_kept_once_while_nothing_happens() -> None:
    write(2)
    for _ in range(3):
        verify.checkpoint()
    assert len(verify.checkpoint_file().read_text().splitlines()) == 1
    write(1, first=2)
    verify.checkpoint()
    assert len(verify.checkpoint_file().read_text().splitlines()) == 2


@pytest.mark.django_db
def test_a_broken_line_among_the_checkpoints_is_named_and_swallows_no_later_one() -> None:
    write(2)
    verify.checkpoint()
    with verify.checkpoint_file().open("a") as file:
        file.write('{"sequence": 2, "ha')
    write(1, first=2)
    verify.checkpoint()
    lines = verify.checkpoint_file().read_text().splitlines()
    assert len(lines) == 3
    with pytest.raises(CommandError, match=r"Line 2 of .* is no checkpoint"):
        call_command("audit_verify")
    verify.checkpoint_file().write_text(f"{lines[0]}\n{lines[2]}\n")
    assert verify.verify() == verify.Verdict(entries=3)


@pytest.mark.django_db
def test_a_chain_rewritten_without_the_key_does_not_hold(settings: object) -> None:
    write(3)
    right = settings.AUDIT_KEY  # type: ignore[attr-defined]
    settings.AUDIT_KEY = "guessed"  # type: ignore[attr-defined]
    write(3, first=3)
    settings.AUDIT_KEY = right  # type: ignore[attr-defined]
    assert "Entry 4" in verify.verify().problem


@pytest.mark.django_db(transaction=True)
def test_sixteen_writers_at_once_make_one_chain() -> None:
    def work(number: int) -> None:
        for turn in range(5):
            write(4, first=number * 100 + turn * 10)
        connection.close()

    writers = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert verify.verify() == verify.Verdict(entries=16 * 5 * 4)


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="in the transaction"):
        trail.record(trail.Event(action="test.done", actor=system("tests"), subject="x"), now=clock.now())


COLUMNS = [
    "action = 'x'",
    "actor = 'user:9'",
    "actor_name = 'Somebody else'",
    "subject = 'x:9'",
    "data = '{}'",
    "at = at + interval '1 microsecond'",
    "hash = repeat('a', 64)",
    "previous_hash = repeat('a', 64)",
]


@pytest.mark.django_db
@pytest.mark.parametrize("change", COLUMNS)
def test_an_edit_of_any_column_is_found(change: str) -> None:
    write(5)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE audit_entry SET {change} WHERE sequence = 3")
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    assert "Entry 3" in verify.verify().problem


@pytest.mark.django_db
@pytest.mark.parametrize("value", [1.0, 1e16, 1e22, -0.0, 1e-7, 123456789.123456, 10**30, True, None, "é", [1.5, {"b": 1}]])
def test_no_kind_of_value_looks_like_tampering(value: object) -> None:
    with transaction.atomic():
        trail.record(trail.Event(action="a.b", actor=system("tests"), subject="x:1", data={"value": value}), now=clock.now())
    assert verify.verify().problem == ""


@pytest.mark.django_db(transaction=True)
def test_entries_that_are_added_while_it_verifies_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    write(3)
    read = verify._entries

    def meanwhile() -> object:
        write(2, first=3)
        return read()

    monkeypatch.setattr(verify, "_entries", meanwhile)
    assert verify.verify() == verify.Verdict(entries=5)


@pytest.mark.django_db
def test_a_tail_written_anew_after_a_cut_is_found() -> None:
    write(5)
    verify.checkpoint()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM audit_entry WHERE sequence > 3")
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    Head.objects.update(sequence=3, hash=Entry.objects.get(sequence=3).hash)
    write(2, first=7)
    assert verify.verify().problem == "Entry 5 is not the one that its checkpoint saw."
