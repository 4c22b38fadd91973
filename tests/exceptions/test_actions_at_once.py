"""Two people who apply the same suggested action at once: Odoo is told once, and the second is told who was first."""

import threading

import pytest
from django.db import connections

from apps.accounts.models import Role, User
from apps.audit.models import Entry
from apps.exceptions.cases import applying, moves
from apps.outbox.models import Command
from tests.exceptions.test_actions import late_purchase
from tests.trade import larger_company
from tests.world import person


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_apply_at_once_one_does() -> None:
    people = [person("olga", Role.OPERATOR), person("oskar", Role.OPERATOR)]
    world = larger_company()
    case = late_purchase(world)
    together, outcomes = threading.Barrier(2), []

    def do(user: User) -> None:
        together.wait()
        try:
            applying.apply(case.pk, action="promise_later", option="42", by=user, now=world.now)
            outcomes.append("")
        except moves.MoveRefusedError as error:
            outcomes.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=do, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done, refused = sorted(outcomes)
    assert (done, "has already done this" in refused) == ("", True)
    assert Command.objects.filter(decision=f"exception:{case.pk}:promise_later:42").count() == 2
    assert Entry.objects.filter(action="exception.applied").count() == 1
