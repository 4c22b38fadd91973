"""What counts together under a cumulative policy: nothing is split below a limit, and the request shows the others."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.access import AccessScope
from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.approvals.errors import FactsChangedError
from apps.approvals.inbox import screens
from apps.approvals.models import Assignment, Request
from apps.approvals.policies import cumulation, guard_policy, policy, preview
from apps.approvals.policies.bounds import PolicyError
from apps.approvals.requests import bulk, facts, moves
from apps.core import clock, sentences
from apps.outbox.models import Command
from tests.api.callers import caller
from tests.world import World, odoo_time, person

PURCHASE, PRICE = "procurement_threshold", "pricing_exception"
ASKED = {"ask": {"role": "approver"}, "within_minutes": 240}
MANAGER = {"ask": {"role": "manager"}, "within_minutes": 240}
STEPS = [
    {"name": "Purchasing", "levels": [ASKED, MANAGER], "fallback": "expire"},
    {"name": "Management", "levels": [MANAGER], "fallback": "expire", "from_amount": 50_000},
]


@pytest.fixture(autouse=True)
def _clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    person("nora", Role.MANAGER, limit=500_000)


def user(name: str) -> User:
    return User.objects.get(username=name)


def save(world: World, kind: str = PURCHASE, **rule: Any) -> None:
    policy.save(kind, {"steps": STEPS, "cumulative": {"over_days": 7} | rule}, by=user("mia"), now=world.now)


def vendor(world: World, odoo_id: int = 60, *, of: int = 0) -> None:
    world.write("res.partner", odoo_id, name=f"Vendor {odoo_id}", commercial_partner_id=of or odoo_id)


def buy(
    world: World, order: int, amount: float, *, state: str = "purchase", partner: int = 60, days_ago: float = 0, **more: Any
) -> None:
    at = odoo_time(world.now - timedelta(days=days_ago))
    values = {
        "name": f"P{order}",
        "state": state,
        "partner_id": partner,
        "user_id": 7,
        "create_uid": 7,
        "company_id": 1,
        "currency_id": 1,
        "currency_rate": 1.0,
        "amount_total": amount,
        "create_date": at,
        "date_order": at,
        "date_approve": at if state in ("purchase", "done") else False,
    }
    world.write("purchase.order", order, **values | more)


def ask(
    world: World,
    order: int,
    amount: float,
    exposure: float,
    *,
    kind: str = PURCHASE,
    model: str = "purchase.order",
    uid: int = 7,
    limit: float = 10_000,
) -> None:
    world.write(
        "x_ct_request",
        1_000 + order,
        x_res_model=model,
        x_res_id=order,
        x_kind=kind,
        x_state="open",
        x_requested_at=odoo_time(world.now),
        x_requested_uid=uid,
        x_count=1,
        x_amount=amount,
        x_exposure=exposure,
        x_limit=limit,
    )


def approved(world: World, order: int) -> None:
    """Somebody says yes, and Odoo is told."""
    moves.approve(request_of(order).pk, by=user("adam"), now=world.now)
    Command.objects.update(status="done")
    world.write("x_ct_request", 1_000 + order, x_state="approved")


def counted_in_odoo(world: World) -> None:
    """The rule stands in Odoo, so that what waits is looked at again when another order changes."""
    rule = '{"over_days": 7, "per": ["partner", "person"]}'
    world.write("x_ct_request", 5, x_res_model="policy", x_res_id=0, x_kind=PURCHASE, x_terms=rule)


def request_of(order: int) -> Request:
    return Request.objects.get(odoo_id=order, status="pending")


def together(order: int) -> dict[str, Any]:
    found: dict[str, Any] = request_of(order).context[cumulation.TOGETHER]
    return found


def asked(order: int) -> list[str]:
    rows = Assignment.objects.filter(step__request=request_of(order), is_active=True, decision="", step__status="pending")
    return sorted(rows.values_list("user__username", flat=True))


def test_orders_of_one_vendor_and_person_count_together_and_are_shown(world: World) -> None:
    save(world)
    vendor(world)
    vendor(world, 61, of=60)
    vendor(world, 70)
    for number, partner in enumerate((60, 61, 60, 61, 60)):
        buy(world, 100 + number, 9_500, partner=partner, days_ago=number)
    buy(world, 110, 9_500, partner=70)  # another vendor
    buy(world, 111, 9_500, user_id=8, create_uid=8)  # another person
    buy(world, 112, 9_500, days_ago=8)  # before
    buy(world, 113, 9_500, state="cancel")
    buy(world, 114, 9_500, state="draft")  # nobody has asked for it
    buy(world, 115, 9_500, company_id=2)
    buy(world, 80, 9_500, state="draft")
    ask(world, 80, 9_500, 57_000)
    assert (together(80)["amount"], together(80)["count"]) == ("47500.00", 5)
    assert [one["record_name"] for one in together(80)["records"]] == ["P100", "P101", "P102", "P103", "P104"]
    assert "odoo_counted" not in request_of(80).context
    # 57,000 together: management's step is demanded, and Adam's limit of 50,000 does not cover it.
    assert [one.name for one in request_of(80).steps.all()] == ["Purchasing", "Management"]
    assert asked(80) == ["mia", "nora"]
    with pytest.raises(NotAllowedError, match=r"57,000\.00 EUR with 5 others within 7 days"):
        moves.approve(request_of(80).pk, by=user("adam"), now=world.now)


@pytest.mark.parametrize(("per", "count"), [(["partner"], 2), (["person"], 2), (["partner", "person"], 1)])
def test_what_counts_together_is_what_the_policy_says(world: World, per: list[str], count: int) -> None:
    save(world, per=per)
    vendor(world)
    vendor(world, 70)
    buy(world, 100, 4_000)
    buy(world, 101, 4_000, partner=70)
    buy(world, 102, 4_000, user_id=8, create_uid=8)
    buy(world, 80, 4_000, state="draft")
    ask(world, 80, 4_000, 4_000 * (count + 1))
    assert together(80)["count"] == count


def test_a_person_is_who_owns_made_or_asked_for_it(world: World) -> None:
    save(world)
    vendor(world)
    buy(world, 100, 4_000, user_id=8, create_uid=7)
    buy(world, 101, 4_000, user_id=9, create_uid=9)
    buy(world, 80, 4_000, state="draft", user_id=8, create_uid=8)
    ask(world, 80, 4_000, 12_000, uid=9)
    assert together(80)["count"] == 2


def test_what_a_person_asked_for_counts_as_theirs_and_what_they_only_edited_does_not(world: World) -> None:
    save(world)
    vendor(world)
    # Made by user 9 and asked for by user 7, who confirmed it.
    buy(world, 100, 12_000, state="draft", user_id=9, create_uid=9)
    ask(world, 100, 12_000, 12_000, uid=7)
    moves.approve(request_of(100).pk, by=user("adam"), now=world.now)
    buy(world, 100, 12_000, user_id=9, create_uid=9)
    world.write("x_ct_request", 1_100, x_state="approved")
    # User 7 edited this one, which another person made and asked for.
    buy(world, 101, 11_000, state="draft", user_id=8, create_uid=8, write_uid=7)
    ask(world, 101, 11_000, 11_000, uid=8)
    buy(world, 80, 1_500, state="draft")
    ask(world, 80, 1_500, 13_500, uid=7)
    assert [one["record_name"] for one in together(80)["records"]] == ["P100"]
    assert "odoo_counted" not in request_of(80).context


def test_what_was_raised_within_the_days_counts_however_long_ago_it_was_confirmed(world: World) -> None:
    save(world)
    vendor(world)
    buy(world, 100, 6_000, days_ago=30)
    buy(world, 101, 5_000, days_ago=30)
    world.write(
        "x_ct_request",
        1_100,
        x_res_model="purchase.order",
        x_res_id=100,
        x_kind=PURCHASE,
        x_state="approved",
        x_requested_at=odoo_time(world.now - timedelta(days=1)),
        x_requested_uid=7,
        x_count=1,
        x_amount=6_000,
    )
    buy(world, 80, 5_000, state="draft")
    ask(world, 80, 5_000, 11_000)
    assert [one["record_name"] for one in together(80)["records"]] == ["P100"]
    assert "odoo_counted" not in request_of(80).context


def test_an_order_that_is_taken_up_again_counts_once_as_it_stands_now(world: World) -> None:
    save(world)
    counted_in_odoo(world)
    vendor(world)
    buy(world, 100, 12_000, state="draft")
    ask(world, 100, 12_000, 12_000)
    approved(world, 100)
    buy(world, 100, 12_000)
    buy(world, 100, 12_000, state="cancel")
    buy(world, 80, 1_500, state="draft")
    ask(world, 80, 1_500, 11_000, limit=1_000)
    assert together(80)["count"] == 0
    # Changed since, and asked about by nobody: what was approved then is not what is bought now.
    buy(world, 100, 13_000, state="draft")
    assert [(one["record_name"], one["amount"]) for one in together(80)["records"]] == [("P100", "13000.00")]
    # Asked about anew, after the other: it waits, and counts together with that itself.
    world.advance(minutes=1)
    ask(world, 100, 13_000, 14_500)
    assert [one["record_name"] for one in together(100)["records"]] == ["P80"]
    buy(world, 81, 11_000, state="draft")
    ask(world, 81, 11_000, 25_500)
    assert [(one["record_name"], one["amount"]) for one in together(81)["records"]] == [("P100", "13000.00"), ("P80", "1500.00")]
    assert "odoo_counted" not in request_of(81).context
    # A no takes it out, whatever was approved before.
    moves.reject(request_of(100).pk, by=user("adam"), reason="No", now=world.now)
    world.write("x_ct_request", 1_100, x_state="rejected")
    buy(world, 81, 11_000, state="draft", date_planned=odoo_time(world.now))
    assert [one["record_name"] for one in together(81)["records"]] == ["P80"]


def test_an_order_that_is_said_to_have_been_confirmed_long_ago_counts_by_when_it_was_made(world: World) -> None:
    save(world)
    vendor(world)
    buy(world, 100, 9_500, days_ago=30, create_date=odoo_time(world.now - timedelta(days=1)))
    buy(world, 101, 9_500, days_ago=30, create_date=odoo_time(world.now - timedelta(days=30)))
    buy(world, 80, 1_500, state="draft")
    ask(world, 80, 1_500, 11_000)
    assert [one["record_name"] for one in together(80)["records"]] == ["P100"]
    assert "odoo_counted" not in request_of(80).context


def test_each_that_waits_counts_those_before_it(world: World) -> None:
    save(world)
    vendor(world)
    for number in range(6):
        buy(world, 80 + number, 20_000, state="draft")
        ask(world, 80 + number, 20_000, 20_000 * (number + 1))
        world.advance(minutes=1)
    assert [together(80 + number)["count"] for number in range(6)] == [0, 1, 2, 3, 4, 5]
    assert asked(81) == ["adam"]
    assert asked(82) == ["mia", "nora"]
    # What was rejected or cancelled counts no longer, as soon as the record is looked at again.
    moves.reject(request_of(80).pk, by=user("adam"), reason="No", now=world.now)
    buy(world, 81, 20_000, state="cancel")
    buy(world, 85, 20_000, state="draft", date_planned=odoo_time(world.now))
    assert together(85)["count"] == 3


def test_what_is_ordered_while_it_waits_is_added_and_the_steps_follow(world: World) -> None:
    save(world)
    vendor(world)
    buy(world, 80, 12_000, state="draft")
    ask(world, 80, 12_000, 12_000)
    assert [one.name for one in request_of(80).steps.all()] == ["Purchasing"]
    seen = facts.digest(request_of(80))
    buy(world, 100, 45_000)
    buy(world, 80, 12_000, state="draft", date_planned=odoo_time(world.now))
    assert [one.name for one in request_of(80).steps.all()] == ["Purchasing", "Management"]
    with pytest.raises(FactsChangedError, match=r"Combined with: 0\.00 EUR before, now 45,000\.00"):
        moves.approve(request_of(80).pk, by=user("mia"), now=world.now, seen=facts.Seen(digest=seen))


def test_price_requests_of_one_customer_count_together(world: World) -> None:
    policy.save(PRICE, {"steps": STEPS, "cumulative": {"over_days": 3}}, by=user("mia"), now=world.now)
    world.write("res.partner", 50, name="Acme", commercial_partner_id=50)
    for order in (42, 43, 44):
        world.order(order, amount=24_000, create_uid=7, margin=0)
        world.advance(minutes=1)
        ask(world, order, 24_000, 2_400, kind=PRICE, model="sale.order", limit=0)
    assert [together(order)["count"] for order in (42, 43, 44)] == [0, 1, 2]
    assert [one.name for one in request_of(44).steps.all()] == ["Purchasing", "Management"]


def test_bulk_bounds_are_met_by_the_sum(world: World) -> None:
    rules = {"steps": STEPS, "cumulative": {"over_days": 7}, "bulk": {"up_to_amount": 12_000}}
    policy.save(PURCHASE, rules, by=user("mia"), now=world.now)
    vendor(world)
    buy(world, 80, 11_000, state="draft")
    ask(world, 80, 11_000, 11_000)
    assert bulk.is_safe(request_of(80))
    buy(world, 81, 11_000, state="draft")
    ask(world, 81, 11_000, 22_000)
    assert not bulk.is_safe(request_of(81))


def test_without_a_rule_each_stands_alone(world: World) -> None:
    vendor(world)
    buy(world, 100, 9_500)
    buy(world, 80, 12_000, state="draft")
    ask(world, 80, 12_000, 12_000)
    assert cumulation.TOGETHER not in request_of(80).context
    assert asked(80) == ["adam"]


@pytest.mark.parametrize(
    "rule",
    [
        7,
        [],
        {},
        {"over_days": 0},
        {"over_days": 91},
        {"over_days": True},
        {"over_days": "7"},
        {"over_days": 7, "per": []},
        {"over_days": 7, "per": "partner"},
        {"over_days": 7, "per": ["vendor"]},
        {"over_days": 7, "per": [["partner"]]},
        {"over_days": 7, "from": 3},
    ],
)
def test_a_rule_that_cannot_be_is_refused(world: World, rule: Any) -> None:
    with pytest.raises(PolicyError, match="cumulative"):
        policy.check(PURCHASE, {"steps": STEPS, "cumulative": rule})
    # Stored before it was checked, it stops no request.
    assert cumulation.rule_of({"steps": STEPS, "cumulative": rule}) is None


def test_the_guard_in_odoo_is_told_of_the_rule_once(world: World) -> None:
    row: dict[str, Any] = {"x_res_model": "policy", "x_kind": PURCHASE, "x_res_id": 0}
    world.write("x_ct_request", 5, **row)
    save(world, per=["partner"])
    told = Command.objects.get()
    assert (told.model, told.odoo_id, told.method) == ("x_ct_request", 5, "write")
    assert told.arguments == {"vals": {"x_terms": '{"over_days": 7, "per": ["partner"]}'}}
    assert guard_policy.publish(now=world.now) == []
    Command.objects.update(status="done")
    world.write("x_ct_request", 5, **row, x_terms='{"over_days": 7, "per": ["partner"]}')
    assert guard_policy.publish(now=world.now) == []
    # Somebody, or an older backup, changed what stands there.
    world.write("x_ct_request", 5, **row, x_terms="null")
    assert len(guard_policy.publish(now=world.now)) == 1


def test_the_request_shows_the_others_on_its_page_and_over_rest(world: World) -> None:
    save(world)
    vendor(world)
    buy(world, 100, 9_500)
    buy(world, 80, 9_500, state="draft")
    ask(world, 80, 9_500, 19_000)
    client = caller("adam")
    shown = client.get(f"approvals/{request_of(80).pk}/").json()
    assert shown["context"]["together"]["records"][0]["record_name"] == "P100"
    page = screens.page_of(request_of(80), user=user("adam"), now=world.now)
    assert page.together is not None
    assert (page.together.total, page.together.others[0].record_name) == (Decimal(19_000), "P100")
    assert any("1 other within 7 days" in flag for flag in screens.card_of(request_of(80)).flags)


def test_the_preview_counts_together_as_well(world: World) -> None:
    vendor(world)
    for order in (80, 81, 82):
        buy(world, order, 20_000, state="draft")
        ask(world, order, 20_000, 20_000)
        world.advance(minutes=1)
    alone = preview.preview(PURCHASE, {"steps": STEPS}, access_scope=AccessScope(), now=world.now)
    summed = preview.preview(PURCHASE, {"steps": STEPS, "cumulative": {"over_days": 7}}, access_scope=AccessScope(), now=world.now)
    assert [one.needed for one in alone.steps] == [3, 0]
    assert [one.needed for one in summed.steps] == [3, 1]


def test_the_preview_counts_a_record_that_was_asked_about_twice_once(world: World) -> None:
    vendor(world)
    buy(world, 80, 20_000, state="draft")
    ask(world, 80, 20_000, 20_000)
    approved(world, 80)
    buy(world, 80, 20_000)
    world.advance(minutes=1)
    buy(world, 80, 21_000, state="draft")
    ask(world, 80, 21_000, 21_000)
    world.advance(minutes=1)
    buy(world, 81, 20_000, state="draft")
    ask(world, 81, 20_000, 20_000)
    rule = cumulation.Rule(days=7, per=("partner", "person"))
    assert cumulation.before([request_of(81)], rule) == {request_of(81).pk: (Decimal(21_000), 1)}


def test_what_odoo_counted_and_the_tower_reads_later_is_no_difference(world: World) -> None:
    save(world)
    counted_in_odoo(world)
    vendor(world)
    buy(world, 80, 9_500, state="draft")
    ask(world, 80, 9_500, 19_000)
    assert request_of(80).context["odoo_counted"]
    assert together(80)["count"] == 0
    # The order that Odoo counted is read: what waits is looked at by itself.
    buy(world, 100, 9_500)
    assert together(80)["count"] == 1
    assert not request_of(80).context["odoo_counted"]
    assert sentences.said(request_of(80).context["counted_in_words"]) == "9,500.00 EUR now; 19,000.00 EUR with 1 other in 7 days"
    # And when it is cancelled, it counts no longer.
    buy(world, 100, 9_500, state="cancel")
    assert not Request.objects.filter(odoo_id=80, status="pending").exists()


def test_credit_notes_and_returns_are_summed_apart(world: World) -> None:
    kind = "return_authorisation"
    save(world, kind)
    vendor(world, 50)
    credit = {
        "state": "draft",
        "move_type": "out_refund",
        "partner_id": 50,
        "commercial_partner_id": 50,
        "company_id": 1,
        "currency_id": 1,
        "invoice_user_id": 7,
        "create_uid": 7,
    }
    line = {"quantity": 1, "display_type": "product", "sale_line_ids": [], "product_id": False}
    others = {"state": "posted", "invoice_user_id": 8, "create_uid": 8}
    for note, amount, more in ((600, 300, {"state": "posted"}), (601, 150, others), (602, 250, {})):
        world.write("account.move.line", note, move_id=note, price_subtotal=amount, price_unit=amount, **line)
        world.write("account.move", note, name=f"RINV/{note}", amount_total=amount, amount_total_signed=-amount, **credit | more)
    assert not Request.objects.exists()
    ask(world, 602, 250, 550, kind=kind, model="account.move", limit=500)
    assert (together(602)["amount"], together(602)["count"]) == ("300.00", 1)
    assert (request_of(602).amount, request_of(602).context.get("odoo_counted")) == (Decimal(250), None)
