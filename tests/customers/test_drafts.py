"""Who is to be told what: a draft a customer, as long as its reason stands, and as things are now."""

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts import access
from apps.accounts.access import EVERYTHING
from apps.accounts.models import User
from apps.audit.models import Entry
from apps.core import live, sentences
from apps.customers import drafts, sending
from apps.customers.models import NewDate
from apps.odoo.models import LinkedUser
from apps.outbox.models import Command
from tests.customers.conftest import CUSTOMER, ORDER, all_drafts, decided_later, only, promised_later
from tests.trade import days, sale
from tests.world import World


def test_a_new_promise_is_drafted_once_odoo_shows_it_in_the_customers_language(world: World, olga: User) -> None:
    decided_later(world, olga)
    assert all_drafts() == []
    assert Command.objects.get(method="write").replaced == {"commitment_date": "2026-11-26T12:00:00+00:00"}
    world.write("sale.order", ORDER, commitment_date=days(world, 8), client_order_ref="PO 4711")
    draft = only()
    assert (draft.customer.odoo_id, draft.language, draft.most_days_later) == (CUSTOMER, "de", 5)
    assert (draft.owners, [one.odoo_id for one in draft.recipients]) == (["Sofia Sales"], [CUSTOMER])
    subject, body = draft.preview
    assert subject == "Neue Liefertermine Ihrer Aufträge"
    assert "S00042 (Ihre Referenz PO 4711): Lieferung am 1. Dezember 2026 statt 26. November 2026" in body
    assert Entry.objects.get(action="customer.to_be_told").subject == "record:main:sale.order:42"


def test_what_is_refused_by_odoo_or_changed_by_others_is_drafted_for_nobody(world: World, olga: User) -> None:
    decided_later(world, olga)
    Command.objects.filter(method="write").update(status="refused")
    world.write("sale.order", ORDER, commitment_date=days(world, 8))
    sale(world, 43, promised_in=3)
    world.write("sale.order", 43, commitment_date=days(world, 9))
    assert all_drafts() == []


def test_one_customer_has_one_draft_for_all_orders_of_its_contacts(world: World, olga: User) -> None:
    for contact, lang in ((501, "fr_FR"), (502, "fr_BE")):
        world.write("res.partner", contact, name=f"Azure {contact}", commercial_partner_id=CUSTOMER, active=True, lang=lang)
    promised_later(world, olga, 42, partner=501)
    promised_later(world, olga, 43, purchase_id=81, partner=502)
    promised_later(world, olga, 44, purchase_id=82, partner=51)
    first, second = sorted(all_drafts(), key=lambda draft: draft.customer.odoo_id)
    assert [one.order.order_id for one in first.told] == [42, 43]
    # None of the two has an address: their company's is written to, too.
    assert [one.odoo_id for one in first.recipients] == [501, 502, CUSTOMER]
    assert first.language == "de"  # they differ: the customer's own
    assert first.without_email == ["Azure 501", "Azure 502"] and first.has_email
    assert second.customer.odoo_id == 51
    world.write("res.partner", 502, active=False, lang="fr_FR")
    world.write("res.partner", 501, email="anna@azure.test")
    assert [one.odoo_id for one in only_of(CUSTOMER).recipients] == [501] and only_of(CUSTOMER).language == "fr"


def only_of(customer: int) -> drafts.Draft:
    (draft,) = [one for one in all_drafts() if one.customer.odoo_id == customer]
    return draft


def test_a_promise_that_moves_again_renews_the_draft_and_one_that_moves_back_ends_it(world: World, olga: User) -> None:
    promised_later(world, olga)
    before = only()
    world.advance(minutes=5)
    world.write("sale.order", ORDER, commitment_date=days(world, 11))
    after = only()
    assert after.key == before.key and after.version != before.version and after.most_days_later == 8
    world.write("sale.order", ORDER, commitment_date="2026-11-26 09:00:00")
    assert all_drafts() == []
    ended = NewDate.objects.get()
    assert ended.status == "withdrawn" and "the day that the customer knows" in sentences.said(ended.because)


def test_a_delivered_and_a_cancelled_order_are_withdrawn(world: World, olga: User) -> None:
    promised_later(world, olga, 42)
    promised_later(world, olga, 43, purchase_id=81)
    world.write("sale.order", 42, delivery_status="full")
    assert [one.order.order_id for one in only().told] == [43]
    world.write("sale.order", 43, state="cancel")
    assert all_drafts() == []
    assert set(NewDate.objects.values_list("status", flat=True)) == {"withdrawn"}


def test_a_merged_customer_is_told_under_its_new_name(world: World, olga: User) -> None:
    promised_later(world, olga)
    world.write("sale.order", ORDER, partner_id=51)
    world.write("res.partner", CUSTOMER, active=False)
    assert only().customer.odoo_id == 51


def test_companies_and_connections_are_told_apart_and_shown_to_who_sees_them(world: World, olga: User) -> None:
    promised_later(world, olga, 42)
    promised_later(world, olga, 43, purchase_id=81)
    world.write("res.company", 2, name="Südlicht", currency_id=1)
    world.write("sale.order", 43, company_id=2)
    assert {one.company_id for one in all_drafts()} == {1, 2}
    User.objects.filter(pk=olga.pk).update(sees=[f"{world.connection.pk}:2"])
    olga.refresh_from_db()
    mine = access.scope_of(olga)
    (seen,) = drafts.drafts(mine)
    hidden = next(one for one in all_drafts() if one.company_id == 1)
    assert seen.company == "Südlicht" and drafts.one(hidden.key, mine) is None and drafts.one(seen.key, mine) is not None
    (refused,) = sending.send_all({hidden.key: hidden.version}, by=olga, now=world.now)
    assert refused.message is None


def test_who_sells_to_a_customer_sees_it_first(world: World, olga: User) -> None:
    promised_later(world, olga, 42)
    world.advance(minutes=1)
    promised_later(world, olga, 43, purchase_id=81, partner=51)
    uid = LinkedUser.objects.get(connection=world.connection, user=olga).uid
    world.write("sale.order", 43, user_id=uid)
    assert [one.customer.odoo_id for one in drafts.drafts(EVERYTHING)] == [50, 51]
    assert [one.customer.odoo_id for one in drafts.drafts(EVERYTHING, by=olga)] == [51, 50]


def test_five_hundred_orders_of_one_customer_are_one_draft_in_a_few_queries(
    world: World, olga: User, django_assert_max_num_queries
) -> None:
    promised_later(world, olga)
    date = NewDate.objects.get()
    with world.at_once():
        for number in range(1_000, 1_499):
            world.order(number, state="sale", commitment_date=days(world, 8))
    NewDate.objects.bulk_create(
        NewDate(
            connection=world.connection,
            company_id=1,
            order_id=number,
            order_name=f"S{number:05}",
            known_at=date.known_at,
            expected_at=date.expected_at,
            decision=date.decision,
            decided_by="Olga",
            changed_at=world.now,
        )
        for number in range(1_000, 1_499)
    )
    with django_assert_max_num_queries(14):
        (draft,) = drafts.drafts(EVERYTHING)
        assert len(draft.told) == 500 and draft.preview[1].count("<br>") >= 499
    (sent,) = sending.send_all({draft.key: draft.version}, by=olga, now=world.now)
    assert sent.message is not None and Command.objects.filter(decision=sent.message.decision).count() == 500
    assert Entry.objects.filter(action="customer.told").count() >= 500


def test_a_list_costs_no_query_a_customer(world: World, olga: User, django_assert_num_queries) -> None:
    promised_later(world, olga, 42)
    with CaptureQueriesContext(database) as one:
        _ = [draft.preview for draft in all_drafts()]
    promised_later(world, olga, 43, purchase_id=81, partner=51)
    with django_assert_num_queries(len(one)):
        assert len([draft.preview for draft in all_drafts()]) == 2


def test_the_open_list_fetches_itself_when_a_date_comes_and_when_its_draft_is_dismissed(
    world: World, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: set[str] = set()
    monkeypatch.setattr(live, "announce", said.update)
    promised_later(world, olga)
    assert "messages" in said
    browser = Client()
    browser.force_login(olga)
    address = "/customer-messages/"
    assert f'<ct-live topic="messages" data-src="{address}?whose=mine"' in browser.get(f"{address}?whose=mine").content.decode()
    draft = only()
    fragment = browser.get(address, headers={"X-Fragment": "1"}).content.decode()
    assert f'id="draft-{draft.key}-{draft.version}"' in fragment and "<html" not in fragment
    said.clear()
    sending.dismiss(draft.key, draft.version, by=olga, now=world.now)
    assert "messages" in said
