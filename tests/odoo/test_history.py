"""The past that the tower tells after a first read is the one that Odoo's own records tell."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Team
from apps.boards.records import pages
from apps.core import clock
from apps.mirror.models import SyncState, TrackedChange
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.pipeline import change_processing, first_sync
from apps.pipeline.upkeep import probing
from apps.workflows.models import OLDEST_FIRST, Position, Transition

pytestmark = pytest.mark.odoo


@pytest.fixture
def tower(real: Connection) -> Connection:
    """A tower that has read nothing yet."""
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    probing.probe(real, now=clock.now())
    return real


def told_by_odoo(odoo: OdooClient, model: str, odoo_id: int, label: str) -> list[tuple[str, str, datetime, int]]:
    """What Odoo's own chatter says of one field of one record: old word, new word, when, and the author's partner."""
    messages = odoo.search_read(
        "mail.message",
        [("model", "=", model), ("res_id", "=", odoo_id)],
        ["date", "author_id", "tracking_value_ids"],
        order="id",
    )
    told = []
    for message in messages:
        for value in odoo.read(
            "mail.tracking.value", message["tracking_value_ids"], ["field_id", "old_value_char", "new_value_char"]
        ):
            field = odoo.read("ir.model.fields", [value["field_id"]], ["name"])[0]["name"]
            if field == label:
                at = datetime.fromisoformat(message["date"]).replace(tzinfo=UTC)
                told.append((value["old_value_char"], value["new_value_char"], at, message["author_id"]))
    return told


def way_of(model: str, odoo_id: int) -> list[tuple[str, str, str]]:
    """The record's stages in order: from where, to where, and by whom."""
    moves = Transition.objects.filter(model=model, odoo_id=odoo_id).order_by(*OLDEST_FIRST)
    return [(move.from_stage, move.to_stage, move.author) for move in moves]


def read_all(connection: Connection) -> None:
    for _ in first_sync.first_read(connection, clock=clock.now):
        pass


def lived(odoo: OdooClient) -> dict[str, int]:
    """Business that is done before the tower looks for the first time."""
    customer = odoo.create("res.partner", {"name": "Tower test, past"})
    product = odoo.search("product.product", [("sale_ok", "=", True), ("type", "=", "consu")], limit=1)[0]
    line = (0, 0, {"product_id": product, "product_uom_qty": 1, "price_unit": 90})
    cancelled, confirmed, idle = (odoo.create("sale.order", {"partner_id": customer, "order_line": [line]}) for _ in range(3))
    odoo.call("sale.order", "action_quotation_sent", [cancelled])
    odoo.call("sale.order", "action_cancel", [cancelled])
    odoo.call("sale.order", "action_confirm", [confirmed])
    purchase = odoo.create(
        "purchase.order",
        {"partner_id": customer, "order_line": [(0, 0, {"product_id": product, "product_qty": 2, "price_unit": 40})]},
    )
    odoo.call("purchase.order", "button_confirm", [purchase])
    invoice = odoo.create(
        "account.move",
        {
            "partner_id": customer,
            "move_type": "out_invoice",
            "invoice_date": "2026-01-05",
            "invoice_line_ids": [(0, 0, {"name": "Past", "quantity": 1, "price_unit": 70})],
        },
    )
    odoo.call("account.move", "action_post", [invoice])
    wizard_context = {"active_model": "account.move", "active_ids": [invoice]}
    wizard = odoo.call("account.payment.register", "create", vals_list=[{}], context=wizard_context)
    odoo.call("account.payment.register", "action_create_payments", wizard, context=wizard_context)
    return {"cancelled": cancelled, "confirmed": confirmed, "idle": idle, "purchase": purchase, "invoice": invoice}


def test_the_ways_of_records_before_the_first_read_are_odoos_own(odoo: OdooClient, tower: Connection) -> None:
    made = lived(odoo)
    read_all(tower)
    me = odoo.read("res.users", [odoo.uid], ["name"])[0]["name"]

    [sent, stopped] = told_by_odoo(odoo, "sale.order", made["cancelled"], "state")
    assert (sent[:2], stopped[:2]) == (("Quotation", "Quotation Sent"), ("Quotation Sent", "Cancelled"))
    assert way_of("sale.order", made["cancelled"]) == [("", "quotation", me), ("quotation", "cancelled", me)]
    position = Position.objects.get(model="sale.order", odoo_id=made["cancelled"])
    assert (position.stage, position.since) == ("cancelled", stopped[2])

    [(_, _, confirmed_at, _)] = told_by_odoo(odoo, "sale.order", made["confirmed"], "state")
    left = Transition.objects.get(model="sale.order", odoo_id=made["confirmed"], from_stage="quotation")
    assert (left.at, left.author, left.told) == (confirmed_at, me, "Status: Quotation → Sales Order")
    page = pages.page_of(tower, "sale.order", made["confirmed"], access_scope=EVERYTHING, now=clock.now())
    assert page
    told = [(item.who, item.quote) for item in page.timeline if item.at == confirmed_at]
    assert (me, "From Odoo's history. Status: Quotation → Sales Order") in told

    [(_, _, ordered_at, _)] = told_by_odoo(odoo, "purchase.order", made["purchase"], "state")
    bought = Transition.objects.get(model="purchase.order", odoo_id=made["purchase"], from_stage="request")
    assert (bought.at, bought.to_stage, bought.author) == (ordered_at, "unacknowledged", me)

    [(_, _, posted_at, _)] = told_by_odoo(odoo, "account.move", made["invoice"], "state")
    [(_, word, paid_at, _)] = told_by_odoo(odoo, "account.move", made["invoice"], "payment_state")[-1:]
    assert word in ("In Payment", "Paid")
    assert way_of("account.move", made["invoice"])[-2:] == [("draft", "not_due", me), ("not_due", "paid", me)]
    invoice = Position.objects.get(model="account.move", odoo_id=made["invoice"])
    assert (invoice.stage, invoice.since) == ("paid", paid_at)
    posted = Transition.objects.get(model="account.move", odoo_id=made["invoice"], to_stage="not_due")
    assert posted.at == posted_at

    assert way_of("sale.order", made["idle"]) == [("", "quotation", "")]


def test_every_change_of_state_that_odoo_kept_is_told_once(odoo: OdooClient, tower: Connection) -> None:
    lived(odoo)
    read_all(tower)
    models, names = ["sale.order", "purchase.order", "account.move"], ["state", "payment_state"]
    fields = odoo.search("ir.model.fields", [("model", "in", models), ("name", "in", names)])
    kept = TrackedChange.objects.filter(model__in=models, field__in=names, new__isnull=False)
    assert kept.count() == odoo.search_count("mail.tracking.value", [("field_id", "in", fields)])
    while change_processing.reevaluate_due(now=clock.now()) == change_processing.LOOKED_AGAIN:
        pass
    before = list(Transition.objects.order_by("id").values())
    positions = list(Position.objects.order_by("id").values())
    for _ in first_sync.first_read(tower, clock=clock.now, anew=True):
        pass
    assert list(Transition.objects.order_by("id").values()) == before
    assert list(Position.objects.order_by("id").values()) == positions
    # Whoever confirmed an order: the day and the person are those of Odoo's own message, order by order.
    confirmed = Transition.objects.filter(workflow="order_to_cash", from_stage="quotation", tracking_id__isnull=False)
    assert confirmed.count() >= 2
    for move in confirmed:
        row = odoo.read("mail.tracking.value", [move.tracking_id], ["mail_message_id"])[0]
        message = odoo.read("mail.message", [row["mail_message_id"]], ["date", "author_id", "model", "res_id"])[0]
        author = odoo.read("res.partner", [message["author_id"]], ["name"])[0]["name"]
        assert (move.model, move.odoo_id, move.author) == (message["model"], message["res_id"], author)
        assert move.at == datetime.fromisoformat(message["date"]).replace(tzinfo=UTC)


def test_without_the_right_history_begins_with_the_first_read(odoo: OdooClient, tower: Connection) -> None:
    lived(odoo)
    # Archived users keep their logins: each run has its own.
    login = f"tower-test-{uuid4().hex[:12]}"
    group = odoo.search_read("ir.model.data", [("module", "=", "sales_team"), ("name", "=", "group_sale_manager")], ["res_id"])
    user = odoo.create("res.users", {"name": "No past", "login": login, "password": login, "group_ids": [(4, group[0]["res_id"])]})
    try:
        tower.login, tower.api_key = login, login
        tower.save()
        probing.probe(tower, now=clock.now())
        read_all(tower)
        assert not TrackedChange.objects.exists()
        assert Position.objects.filter(model="sale.order").exists()
        assert "history begins with the first read" in SyncState.objects.get(odoo_model="mail.tracking.value").problem
        assert any("history begins with the first sync" in said for said in tower.capabilities["problems"])
    finally:
        odoo.write("res.users", [user], {"active": False})
