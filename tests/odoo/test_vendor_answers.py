"""What a vendor answers on its page stands in a real Odoo once a buyer has accepted it, as if they had written it there."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, User
from apps.core import clock
from apps.outbox import dispatch
from apps.outbox.models import Command
from apps.pipeline import batch
from apps.vendors.answers import uploads
from apps.vendors.follow_ups import drafts, sending
from apps.vendors.links import moves as links
from apps.vendors.links import tokens
from apps.vendors.models import Proposal, VendorLink
from apps.vendors.proposals import following, moves
from tests.odoo.calls import carried_out
from tests.odoo.shop import Shop, in_days
from tests.world import person

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

DONE = ["done", "cancel"]


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", Role.OPERATOR)


@pytest.fixture
def answers(shop: Shop, olga: User) -> Callable[..., Proposal]:
    """The vendor opens the page of an order, sends it, and the tower works it off; what is proposed."""

    def answer(order: int, **fields: Any) -> Proposal:
        shop.look()
        link = links.create(shop.connection, order, by=olga, now=clock.now())
        page, client = f"/vendor/{tokens.token_of(link)}/orders/{order}/", Client()
        form = re.search(r'name="form" value="([^"]+)"', client.get(page).content.decode())
        assert form
        sent = client.post(
            page,
            {
                "form": form[1],
                "do": "lines",
                "files": fields.pop("files", []),
                **{name.replace("_", "-"): str(value) for name, value in fields.items()},
            },
        )
        assert sent.status_code == 200, sent.content.decode()
        while batch.process(clock=clock.now):
            pass
        return Proposal.objects.get(order_id=order, answer__link=link)

    return answer


def day(number: int) -> str:
    """So many days from now, as a page has it."""
    return (clock.now() + timedelta(days=number)).date().isoformat()


def accept(shop: Shop, proposal: Proposal, by: User) -> None:
    moves.accept(proposal.pk, by=by, now=clock.now(), seen=proposal.version)
    carried_out()
    following.settle(now=clock.now())
    shop.look()
    proposal.refresh_from_db()
    assert proposal.status == "applied"


def order_lines(shop: Shop, order: int) -> list[tuple[float, str]]:
    rows = shop.odoo.search_read("purchase.order.line", [("order_id", "=", order)], ["product_qty", "date_planned"], order="id")
    return [(row["product_qty"], row["date_planned"][:10]) for row in rows]


def receipts(shop: Shop, order: int) -> list[tuple[float, str, str]]:
    """What is to come: quantity, day, and the day by which it is due."""
    rows = shop.odoo.search_read(
        "stock.move",
        [("picking_id.purchase_id", "=", order), ("state", "not in", DONE)],
        ["product_uom_qty", "date", "date_deadline"],
        order="date",
    )
    return [(row["product_uom_qty"], row["date"][:10], row["date_deadline"][:10]) for row in rows]


def test_another_date_moves_the_line_and_its_receipt_and_the_order_is_acknowledged(
    shop: Shop, olga: User, answers: Callable[..., Proposal]
) -> None:
    order, line = shop.buy(12, expected_in=3)
    proposal = answers(order, **{f"says_{line}": "otherwise", f"day1_{line}": day(9), "note": "Our saw mill is down"})
    assert order_lines(shop, order) == [(12, day(3))]
    accept(shop, proposal, olga)
    assert order_lines(shop, order) == [(12, day(9))] and receipts(shop, order) == [(12, day(9), day(9))]
    (found,) = shop.odoo.read("purchase.order", [order], ["acknowledged", "message_ids"])
    assert found["acknowledged"] is True
    notes = shop.odoo.read("mail.message", found["message_ids"], ["body"])
    assert sum("Our saw mill is down" in note["body"] and "Accepted by Olga" in note["body"] for note in notes) == 1


@pytest.mark.parametrize(("quantity", "when"), [(7, 3), (7, 9), (20, 9), (20, 3)])
def test_another_quantity_changes_line_and_receipt_and_keeps_the_date_that_was_said(
    shop: Shop, olga: User, answers: Callable[..., Proposal], quantity: int, when: int
) -> None:
    order, line = shop.buy(12, expected_in=3)
    proposal = answers(order, **{f"says_{line}": "otherwise", f"quantity1_{line}": quantity, f"day1_{line}": day(when)})
    accept(shop, proposal, olga)
    assert order_lines(shop, order) == [(quantity, day(when))]
    assert receipts(shop, order) == [(quantity, day(when), day(when))]


def test_a_split_line_is_two_lines_at_one_price_with_a_receipt_each(
    shop: Shop, olga: User, answers: Callable[..., Proposal]
) -> None:
    values = {"product_id": shop.product, "product_qty": 12, "price_unit": 47.5, "discount": 10, "date_planned": in_days(3)}
    order = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, values)]})
    shop.odoo.call("purchase.order", "button_confirm", [order])
    (line,) = shop.odoo.search("purchase.order.line", [("order_id", "=", order)])
    fields = {"says": "otherwise", "quantity1": 5, "day1": day(3), "quantity2": 4, "day2": day(8), "quantity3": 3, "day3": day(15)}
    proposal = answers(order, **{f"{name}_{line}": value for name, value in fields.items()})
    accept(shop, proposal, olga)
    assert order_lines(shop, order) == [(5, day(3)), (4, day(8)), (3, day(15))]
    assert receipts(shop, order) == [(5, day(3), day(3)), (4, day(8), day(8)), (3, day(15), day(15))]
    rows = shop.odoo.search_read(
        "purchase.order.line", [("order_id", "=", order)], ["price_unit", "discount", "tax_ids", "product_uom_id"], order="id"
    )
    assert len({(row["price_unit"], row["discount"], tuple(row["tax_ids"]), row["product_uom_id"]) for row in rows}) == 1
    assert (rows[0]["price_unit"], rows[0]["discount"]) == (47.5, 10)
    # A worker that is killed after Odoo has done it does not do it again.
    split = Command.objects.get(arguments__vals__has_key="order_line")
    Command.objects.filter(pk=split.pk).update(status="queued", sent_at=None)
    dispatch.run_due(clock=clock.now)
    assert len(order_lines(shop, order)) == 3


def test_what_was_received_in_part_counts_in_what_is_said_of_the_rest(
    shop: Shop, olga: User, answers: Callable[..., Proposal]
) -> None:
    order, line = shop.buy(12, expected_in=3)
    (picking,) = shop.odoo.search("stock.picking", [("purchase_id", "=", order)])
    shop.odoo.write("stock.move", shop.odoo.search("stock.move", [("picking_id", "=", picking)]), {"quantity": 4, "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [picking], context={"skip_backorder": True})
    proposal = answers(order, **{f"says_{line}": "otherwise", f"quantity1_{line}": 6, f"day1_{line}": day(9)})
    accept(shop, proposal, olga)
    assert order_lines(shop, order) == [(10, day(9))] and receipts(shop, order) == [(6, day(9), day(9))]
    proposal = answers(order, **{f"says_{line}": "refused", f"reason_{line}": "Out of range"})
    accept(shop, proposal, olga)
    assert order_lines(shop, order) == [(4, day(9))] and receipts(shop, order) == []


def test_odoo_refuses_what_changed_there_and_the_proposal_is_decided_again(
    shop: Shop, olga: User, answers: Callable[..., Proposal]
) -> None:
    order, line = shop.buy(12, expected_in=3)
    proposal = answers(order, **{f"says_{line}": "otherwise", f"day1_{line}": day(9)})
    shop.odoo.write("purchase.order.line", [line], {"product_qty": 20, "date_planned": in_days(4)})
    moves.accept(proposal.pk, by=olga, now=clock.now(), seen=proposal.version)
    dispatch.run_due(clock=clock.now)
    following.settle(now=clock.now())
    proposal.refresh_from_db()
    assert proposal.status == "open" and "changed in Odoo since the decision" in proposal.told_problem
    assert order_lines(shop, order) == [(20, day(4))]
    shop.look()
    proposal.refresh_from_db()
    Command.objects.filter(status="refused").delete()
    accept(shop, proposal, olga)
    assert order_lines(shop, order) == [(12, day(9))]


def test_pushing_back_stands_in_the_chatter_with_a_link_that_opens(
    shop: Shop, olga: User, answers: Callable[..., Proposal]
) -> None:
    order, line = shop.buy(12, expected_in=3)
    proposal = answers(order, **{f"says_{line}": "otherwise", f"day1_{line}": day(30)})
    _, link = moves.push_back(proposal.pk, words="We need five by Friday", by=olga, now=clock.now())
    carried_out()
    dispatch.run_due(clock=clock.now)
    (found,) = shop.odoo.read("purchase.order", [order], ["message_ids"])
    messages = shop.odoo.read("mail.message", found["message_ids"], ["body", "partner_ids", "subtype_id", "message_type"])
    (sent,) = [one for one in messages if "We need five by Friday" in one["body"]]
    assert sent["partner_ids"] == [shop.vendor] and sent["message_type"] == "comment"
    address = re.search(r'href="[^"]*(/vendor/[^"]+)"', sent["body"])
    assert address and address[1] == f"/vendor/{tokens.token_of(link)}/"
    VendorLink.objects.filter(pk=link.pk).update(language="")
    assert "We need five by Friday" in Client().get(address[1]).content.decode()


def test_a_follow_up_is_posted_once_and_reaches_the_vendor_by_odoo(shop: Shop, olga: User) -> None:
    late, _ = shop.buy(12, expected_in=-2)
    other, _ = shop.buy(3, expected_in=-1)
    assert "purchase.supplier_delay" in shop.cases("purchase.order", late)
    (draft,) = [one for one in drafts.drafts(EVERYTHING) if one.vendor.odoo_id == shop.vendor]
    assert {one.order.odoo_id for one in draft.owed} == {late, other}
    (sent,) = sending.send_all({draft.key: draft.version}, by=olga, now=clock.now())
    assert sent.message is not None
    carried_out()
    # As after a worker that was killed between Odoo's answer and its own note of it.
    Command.objects.filter(decision=sent.message.decision).update(status="queued", sent_at=None)
    carried_out()
    told = []
    for order in (late, other):
        (found,) = shop.odoo.read("purchase.order", [order], ["message_ids"])
        told += shop.odoo.read("mail.message", found["message_ids"], ["body", "subject", "partner_ids"])
    posted = [one for one in told if "/vendor/" in one["body"]]
    assert [(one["subject"], one["partner_ids"]) for one in posted] == [("Your open purchase orders", [shop.vendor])]
    assert sum("was written to about this order" in one["body"] for one in told) == 1


def test_the_vendors_files_are_attached_once_and_stand_in_the_chatter(
    shop: Shop, olga: User, answers: Callable[..., Proposal]
) -> None:
    order, line = shop.buy(12, expected_in=3)
    # As large as the page takes it, and of all bytes.
    large = b"%PDF-1.7 " + bytes(range(256)) * ((uploads.LARGEST_FILE - 9) // 256)
    files = [SimpleUploadedFile("Lieferschein Ä.pdf", large), SimpleUploadedFile("prices.csv", b"desk;12")]
    proposal = answers(order, **{f"says_{line}": "otherwise", f"day1_{line}": day(9)}, files=files)
    accept(shop, proposal, olga)
    # As after a worker that was killed between Odoo's answer and its own note of it.
    Command.objects.filter(decision=proposal.decision).update(status="queued", sent_at=None)
    carried_out()
    domain = [("res_model", "=", "purchase.order"), ("res_id", "=", order)]
    found = shop.odoo.search_read("ir.attachment", domain, ["name", "datas", "mimetype"], order="id")
    assert [one["name"] for one in found] == ["Lieferschein Ä.pdf", "prices.csv"]
    assert base64.b64decode(found[0]["datas"]) == large and found[0]["mimetype"] == "application/pdf"
    assert base64.b64decode(found[1]["datas"]) == b"desk;12"
    (bought,) = shop.odoo.read("purchase.order", [order], ["message_ids", "message_attachment_count"])
    messages = shop.odoo.read("mail.message", bought["message_ids"], ["body", "attachment_ids"])
    (note,) = [one for one in messages if "Accepted by Olga" in one["body"]]
    assert sorted(note["attachment_ids"]) == sorted(one["id"] for one in found)
    assert bought["message_attachment_count"] == 2
