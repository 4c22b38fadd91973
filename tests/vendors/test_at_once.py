"""What happens at the same moment, on sessions of their own: a form sent twice, two buyers, two who write to one vendor."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connections

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, User
from apps.intake.models import Delivery
from apps.outbox.models import Command
from apps.vendors.follow_ups import drafts, sending
from apps.vendors.models import Answer, FollowUp, Proposal, VendorLink
from apps.vendors.proposals import moves
from tests.vendors.conftest import ORDER, Vendor
from tests.world import World, odoo_time, person

pytestmark = pytest.mark.django_db(transaction=True)
SEVERAL = 4


def at_once(act: Callable[[int], str]) -> list[str]:
    """What each of several says who act at the same moment."""
    said: list[str] = []
    ready = threading.Barrier(SEVERAL)

    def run(number: int) -> None:
        try:
            ready.wait(timeout=30)
            said.append(act(number))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(SEVERAL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(said) == SEVERAL
    return sorted(said)


def test_a_form_that_is_sent_several_times_at_once_is_one_answer(world: World, link: VendorLink, vendor: Vendor) -> None:
    cache.clear()
    form, path = vendor.form(), vendor.path(ORDER)
    same = at_once(lambda _: str(Vendor(link, world).client.post(path, {"form": form, "do": "all"}).status_code))
    assert same == ["200"] * SEVERAL
    assert (Answer.objects.count(), Delivery.objects.filter(source="vendor-page").count()) == (1, 1)
    other = vendor.form()

    def differs(number: int) -> str:
        fields = {"form": other, "do": "lines", "says-800": "refused", "reason-800": f"Reason {number}"}
        return str(Vendor(link, world).client.post(path, fields).status_code)

    assert at_once(differs) == ["200", *["409"] * (SEVERAL - 1)]
    assert (Answer.objects.count(), Delivery.objects.filter(source="vendor-page").count()) == (2, 2)


def test_of_several_buyers_one_accepts_and_the_others_are_told(world: World, vendor: Vendor) -> None:
    buyers: list[User] = [person(f"buyer{number}", Role.OPERATOR) for number in range(SEVERAL)]
    vendor.answers(says_800="otherwise", day1_800="2026-12-05")
    proposal = Proposal.objects.get()

    def accept(number: int) -> str:
        try:
            moves.accept(proposal.pk, by=buyers[number], now=world.now, seen=proposal.version)
        except moves.ProposalRefusedError as error:
            return "told" if "accepted already (Buyer" in str(error) else str(error)
        return "accepted"

    assert at_once(accept) == ["accepted", *["told"] * (SEVERAL - 1)]
    assert Command.objects.filter(method="write").count() == 1


def test_a_vendor_is_written_to_once_though_several_send(world: World, olga: User) -> None:
    world.write("purchase.order", ORDER, date_approve=odoo_time(world.now - timedelta(days=4)))
    (draft,) = drafts.drafts(EVERYTHING)

    def send(_: int) -> str:
        (sent,) = sending.send_all({draft.key: draft.version}, by=olga, now=world.now)
        return "sent" if sent.message else "told"

    assert at_once(send) == ["sent", *["told"] * (SEVERAL - 1)]
    assert (FollowUp.objects.count(), Command.objects.filter(method="message_post").count()) == (1, 1)
