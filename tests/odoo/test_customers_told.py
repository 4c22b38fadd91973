"""A customer whose order was promised for later is told in a real Odoo: once, in the order's chatter, addressed to it."""

import pytest

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, User
from apps.core import clock
from apps.customers import drafts, sending
from apps.customers.drafts import Draft
from apps.exceptions.cases import applying
from apps.outbox.models import Command
from tests.odoo.calls import carried_out
from tests.odoo.shop import Shop, in_days
from tests.world import person

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", Role.OPERATOR)


def promised_later(shop: Shop, by: User) -> tuple[int, Draft]:
    """An order waits for a late purchase, and is promised for the day on which that comes; the order, and what is drafted."""
    order = shop.sell(10, promised_in=2)
    purchase, _ = shop.buy(12, expected_in=9)
    case = shop.cases("purchase.order", purchase)["purchase.supplier_delay"]
    applying.apply(case.pk, action="promise_later", option=str(order), by=by, now=clock.now())
    assert all(one.customer.odoo_id != shop.customer for one in drafts.drafts(EVERYTHING))
    carried_out()
    shop.look()
    (draft,) = [one for one in drafts.drafts(EVERYTHING) if one.customer.odoo_id == shop.customer]
    return order, draft


def messages_of(shop: Shop, order: int) -> list[dict[str, object]]:
    (found,) = shop.odoo.read("sale.order", [order], ["message_ids"])
    fields = ["body", "subject", "partner_ids", "message_type"]
    rows = shop.odoo.read("mail.message", found["message_ids"], fields)
    return [row for row in rows if row["partner_ids"]]


def test_the_message_stands_in_the_orders_chatter_once_addressed_to_the_customer(shop: Shop, olga: User) -> None:
    shop.odoo.write("res.partner", [shop.customer], {"email": "buyer@tower-test.example"})
    order, draft = promised_later(shop, olga)
    (told,) = draft.told
    assert (told.order.order_id, told.day.isoformat()) == (order, in_days(9)[:10]) and draft.has_email
    (sent,) = sending.send_all({draft.key: draft.version}, by=olga, now=clock.now())
    assert sent.message is not None
    carried_out()
    # As after a worker that was killed between Odoo's answer and its own note of it.
    Command.objects.filter(decision=sent.message.decision).update(status="queued", sent_at=None)
    carried_out()
    (posted,) = messages_of(shop, order)
    assert (posted["subject"], posted["partner_ids"], posted["message_type"]) == (
        draft.preview[0],
        [shop.customer],
        "comment",
    )
    assert told.order.name in str(posted["body"])
    shop.look()
    assert all(one.customer.odoo_id != shop.customer for one in drafts.drafts(EVERYTHING))


def test_a_customer_without_an_address_and_with_a_language_that_odoo_lacks_is_told_in_the_chatter(shop: Shop, olga: User) -> None:
    order, draft = promised_later(shop, olga)
    assert not draft.has_email and draft.without_email == ["Tower test customer"]
    sending.edit(draft.key, draft.version, subject="Nouvelle date", body="Désolés", by=olga, now=clock.now())
    (sent,) = sending.send_all({draft.key: draft.version}, by=olga, now=clock.now())
    assert sent.message is not None
    carried_out()
    (posted,) = messages_of(shop, order)
    assert (posted["subject"], posted["partner_ids"]) == ("Nouvelle date", [shop.customer])
    assert "Désolés" in str(posted["body"])


def test_an_order_that_is_cancelled_in_odoo_leaves_nothing_to_tell(shop: Shop, olga: User) -> None:
    order, draft = promised_later(shop, olga)
    shop.odoo.call("sale.order", "action_cancel", [order])
    shop.look()
    assert drafts.one(draft.key, EVERYTHING) is None
    (refused,) = sending.send_all({draft.key: draft.version}, by=olga, now=clock.now())
    assert refused.message is None and "nothing to tell" in refused.refusal
