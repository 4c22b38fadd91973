"""The files that came with an answer: attached to the order in Odoo once it is accepted, once."""

import base64

from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import User
from apps.outbox.dispatch_arguments import resolve
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.vendors.models import Attachment, Proposal
from apps.vendors.proposals import following, moves
from tests.vendors.conftest import ORDER, Vendor, buy
from tests.vendors.test_proposals import LATER, carried_out, told
from tests.world import World

PDF = b"%PDF-1.7 order confirmation"


def pdf(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PDF)


def test_the_files_of_an_accepted_answer_are_attached_to_the_order(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**LATER, files=[pdf("one.pdf"), pdf("two.pdf")])
    assert not Command.objects.exists()
    proposal = Proposal.objects.get()
    moves.accept(proposal.pk, by=olga, now=world.now, seen=proposal.version)
    assert [method for _, _, method, _ in told()] == ["write", "create", "create", "action_acknowledge", "message_post"]
    first, second = Command.objects.filter(method="create").order_by("sequence")
    (one, two) = Attachment.objects.order_by("id")
    (values,) = first.arguments["vals_list"]
    assert (values["name"], values["res_model"], values["res_id"]) == ("one.pdf", "purchase.order", ORDER)
    assert values["datas"] == {"{kept}": ["vendors.Attachment", "content", str(one.pk)]}
    assert first.effect_model == "ir.attachment" and str(one.pk) in str(first.postcondition) and first.lane == second.lane
    note = Command.objects.get(method="message_post")
    assert str(one.pk) in str(note.arguments["attachment_ids"]) and str(two.pk) in str(note.arguments["attachment_ids"])
    assert resolve(None, values["datas"], model="") == base64.b64encode(PDF).decode()  # type: ignore[arg-type]


def test_a_file_comes_to_odoo_though_everything_comes_as_ordered_and_none_is_without_one(world: World, vendor: Vendor) -> None:
    vendor.answers(do="all", files=[pdf("confirmation.pdf")], note="All fine")
    assert sorted(method for _, _, method, _ in told()) == ["action_acknowledge", "create", "message_post"]
    said_ = Command.objects.get(method="message_post").arguments["body"]
    assert "Everything comes as ordered. “All fine”" in said_
    buy(world, 81)
    Command.objects.all().delete()
    vendor.answers(81, do="all")
    assert [method for _, _, method, _ in told()] == ["action_acknowledge"]


def test_what_is_pushed_back_or_not_decided_attaches_nothing(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**LATER, files=[pdf("one.pdf")])
    moves.push_back(Proposal.objects.get().pk, words="No", by=olga, now=world.now)
    assert [method for _, _, method, _ in told()] == ["message_post"]


def test_a_file_that_odoo_has_from_an_earlier_round_is_the_same_file(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**LATER, files=[pdf("one.pdf")])
    proposal = Proposal.objects.get()
    moves.accept(proposal.pk, by=olga, now=world.now, seen=proposal.version)
    before = Command.objects.get(method="create").postcondition
    carried_out(CommandStatus.REFUSED, "No")
    following.settle(now=world.now)
    proposal.refresh_from_db()
    moves.accept(proposal.pk, by=olga, now=world.now, seen=proposal.version)
    assert {str(one.postcondition) for one in Command.objects.filter(method="create")} == {str(before)}
