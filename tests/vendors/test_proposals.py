"""What a vendor says becomes a proposal; who may decides it once, and Odoo is told what a buyer would do there."""

import json
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.core.actor import system
from apps.events import moves as events
from apps.intake.models import EVENT, Delivery
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.vendors.models import Proposal, Status, VendorLink
from apps.vendors.proposals import following, lines, moves
from tests.events.conftest import said
from tests.vendors.conftest import LINE, ORDER, Vendor, buy, worked_off
from tests.world import World, person

LATER: dict[str, Any] = {"says_800": "otherwise", "day1_800": "2026-12-05", "says_801": "as_ordered"}


def told() -> list[tuple[str, int, str, Any]]:
    """What Odoo is to be told: model, id, method, values."""
    rows = Command.objects.order_by("sequence").values_list("model", "odoo_id", "method", "arguments")
    return [(model, odoo_id, method, arguments.get("vals", "")) for model, odoo_id, method, arguments in rows]


def carried_out(status: str = CommandStatus.DONE, problem: str = "") -> None:
    Command.objects.filter(status="queued").update(status=status, problem=problem)


def test_another_date_is_proposed_accepted_written_and_seen(world: World, vendor: Vendor, olga: User) -> None:
    world.write("stock.picking", 500, name="WH/IN/1", state="assigned")
    world.write("stock.move", 501, purchase_line_id=LINE, picking_id=500, state="assigned", product_id=30, product_uom_qty=10)
    world.write("stock.move", 502, purchase_line_id=LINE, picking_id=500, state="done", product_id=30, product_uom_qty=1)
    vendor.answers(**LATER, reason_800="Saw mill", note="Sorry")
    proposal = Proposal.objects.get()
    (line,) = lines.read(proposal.lines)
    assert (proposal.status, proposal.order_name, proposal.partner_name, proposal.note) == (
        "open",
        "P00080",
        "Nordic Timber",
        "Sorry",
    )
    assert (line.line_id, line.old_quantity, line.new_quantity, line.days_later, line.reason) == (LINE, 10, 10, 7, "Saw mill")
    assert not Command.objects.exists()

    moves.accept(proposal.pk, by=olga, now=world.now, seen=proposal.version)
    day = "2026-12-05 12:00:00"
    assert told() == [
        ("purchase.order.line", LINE, "write", {"date_planned": day}),
        ("stock.move", 501, "write", {"date": day}),
        ("purchase.order", ORDER, "action_acknowledge", ""),
        ("purchase.order", ORDER, "message_post", ""),
    ]
    change, _, _, note = Command.objects.order_by("sequence")
    # As the buyer saw it: also what has been received of it, and that it stands.
    assert change.precondition == [
        ["product_qty", "=", 10.0],
        ["qty_received", "=", 0.0],
        ["state", "!=", "cancel"],
        ["date_planned", "=", "2026-11-28 12:00:00"],
    ]
    assert change.told == "Set Desk 0: 10 to come on 2026-12-05"
    assert (
        "Nordic Timber: Desk 0: 10 on 2026-12-05 (Saw mill). “Sorry” Accepted by Olga in Control Tower." in note.arguments["body"]
    )
    following.settle(now=world.now)
    proposal.refresh_from_db()
    assert (proposal.status, proposal.decided_by) == ("accepted", "Olga")
    carried_out()
    following.settle(now=world.now)
    proposal.refresh_from_db()
    assert proposal.status == "applied"
    actions = Entry.objects.filter(action__startswith="proposal.").order_by("sequence").values_list("action", flat=True)
    assert list(actions) == ["proposal.made", "proposal.accepted", "proposal.applied"]


def test_less_split_and_refused_lines_are_written_as_a_buyer_would(world: World, vendor: Vendor, olga: User) -> None:
    buy(world, 81, lines=3)
    world.write("purchase.order.line", 810, qty_received=2)
    vendor.answers(
        81,
        says_810="otherwise",
        quantity1_810="5",
        says_811="otherwise",
        quantity1_811="6",
        day1_811="2026-11-28",
        quantity2_811="4",
        day2_811="2026-12-05",
        says_812="refused",
        reason_812="Out of range",
    )
    world.connection.version = "19.0"
    world.connection.save()
    proposal = Proposal.objects.get()
    moves.accept(proposal.pk, by=olga, now=world.now)
    less, split, refused, *_ = told()
    assert less == ("purchase.order.line", 810, "write", {"product_qty": 7.0, "date_planned": "2026-11-28 12:00:00"})
    assert split == (
        "purchase.order",
        81,
        "write",
        {
            "order_line": [
                [1, 811, {"product_qty": 6.0, "date_planned": "2026-11-28 12:00:00"}],
                [0, 0, {"{copied}": ["purchase.order.line", 811], "product_qty": 4.0, "date_planned": "2026-12-05 12:00:00"}],
            ]
        },
    )
    assert refused == ("purchase.order.line", 812, "write", {"product_qty": 0.0, "date_planned": "2026-11-28 12:00:00"})


def test_what_comes_as_ordered_needs_nobody(world: World, vendor: Vendor) -> None:
    vendor.answers(do="all")
    proposal = Proposal.objects.get()
    assert (proposal.status, proposal.lines, proposal.decided_by) == ("accepted", [], "Control Tower (vendors)")
    assert told() == [("purchase.order", ORDER, "action_acknowledge", "")]
    world.write("purchase.order", ORDER, acknowledged=True)
    world.advance(minutes=1)
    vendor.answers(do="all")
    assert Proposal.objects.latest("id").status == "applied" and Command.objects.count() == 1


def test_the_newer_answer_supersedes_what_is_not_decided_and_keeps_what_it_is_silent_of(world: World, vendor: Vendor) -> None:
    vendor.answers(says_800="otherwise", day1_800="2026-12-05")
    world.advance(minutes=1)
    vendor.answers(says_801="otherwise", day1_801="2026-12-06")
    world.advance(minutes=1)
    vendor.answers(says_800="otherwise", day1_800="2026-12-09")
    old, middle, new = Proposal.objects.order_by("id")
    assert [one.status for one in (old, middle, new)] == ["superseded", "superseded", "open"]
    assert [(line.line_id, str(line.new_day)) for line in lines.read(new.lines)] == [(800, "2026-12-09"), (801, "2026-12-06")]
    world.advance(minutes=1)
    vendor.answers(do="all")
    new.refresh_from_db()
    assert new.status == "superseded" and Proposal.objects.latest("id").lines == []


def test_of_two_buyers_one_wins_and_the_other_is_told(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**LATER)
    proposal = Proposal.objects.get()
    moves.accept(proposal.pk, by=olga, now=world.now, seen=proposal.version)
    adam = person("adam", Role.APPROVER)
    for decide in (
        lambda: moves.accept(proposal.pk, by=adam, now=world.now, seen=proposal.version),
        lambda: moves.push_back(proposal.pk, words="No", by=adam, now=world.now),
        lambda: moves.buy_elsewhere(proposal.pk, options=["x"], by=adam, now=world.now),
    ):
        with pytest.raises(moves.ProposalRefusedError, match=r"is accepted already \(Olga, "):
            decide()
    assert Command.objects.filter(method="write").count() == 1


def test_what_changed_since_it_was_seen_is_not_decided(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**LATER)
    seen = Proposal.objects.get().version
    world.write("purchase.order.line", LINE, product_qty=12)
    proposal = Proposal.objects.get()
    assert lines.read(proposal.lines)[0].old_quantity == 12 and proposal.version > seen
    with pytest.raises(moves.ProposalRefusedError, match="has changed since you loaded it"):
        moves.accept(proposal.pk, by=olga, now=world.now, seen=seen)
    assert not Command.objects.exists()


def test_what_odoo_refuses_says_so_and_is_decided_again(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**LATER)
    proposal = Proposal.objects.get()
    moves.accept(proposal.pk, by=olga, now=world.now)
    carried_out(CommandStatus.REFUSED, "The order is locked.")
    following.settle(now=world.now)
    proposal.refresh_from_db()
    assert (proposal.status, proposal.told_problem) == ("open", "The order is locked.")
    again = moves.accept(proposal.pk, by=olga, now=world.now, seen=proposal.version)
    assert again.problem is None and Command.objects.filter(decision=again.decision, status="queued").count() == 3


def test_a_refusal_does_not_bring_back_what_the_vendor_has_answered_anew(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**LATER)
    first = Proposal.objects.get()
    moves.accept(first.pk, by=olga, now=world.now)
    world.advance(minutes=1)
    vendor.answers(says_800="otherwise", day1_800="2026-12-09")
    carried_out(CommandStatus.DEAD, "It never took effect")
    following.settle(now=world.now)
    assert list(Proposal.objects.order_by("id").values_list("status", flat=True)) == ["superseded", "open"]


def test_an_order_that_is_received_cancelled_or_planned_so_needs_no_decision(world: World, vendor: Vendor, olga: User) -> None:
    outcomes = []
    for number, change in ((81, "received"), (82, "cancelled"), (83, "planned")):
        buy(world, number, lines=1)
        vendor.answers(number, **{f"says_{number}0": "otherwise", f"day1_{number}0": "2026-12-05"})
        if change == "received":
            world.write("purchase.order.line", number * 10, qty_received=10)
        elif change == "cancelled":
            world.write("purchase.order", number, state="cancel")
        else:
            world.write("purchase.order.line", number * 10, date_planned="2026-12-05 08:00:00")
        proposal = Proposal.objects.get(order_id=number)
        outcomes.append((proposal.status, proposal.told_problem))
        with pytest.raises(moves.ProposalRefusedError):
            moves.accept(proposal.pk, by=olga, now=world.now)
    assert outcomes == [
        ("lapsed", str(following.RECEIVED)),
        ("lapsed", str(following.CANCELLED)),
        ("applied", str(following.THERE)),
    ]


def test_an_answer_that_is_worked_off_after_the_order_was_cancelled_lapses(world: World, vendor: Vendor) -> None:
    assert vendor.sends(**LATER).status_code == 200
    Delivery.objects.filter(source="vendor-page").update(not_before=world.now + timedelta(hours=1))
    world.write("purchase.order", ORDER, state="cancel")
    world.advance(hours=1)
    worked_off(world)
    assert (Proposal.objects.get().status, Proposal.objects.get().told_problem) == ("lapsed", following.CANCELLED)


def test_pushing_back_gives_the_vendor_the_words_and_a_new_link(world: World, vendor: Vendor, olga: User) -> None:
    vendor.answers(**LATER)
    proposal = Proposal.objects.get()
    with pytest.raises(moves.ProposalRefusedError, match="Enter what"):
        moves.push_back(proposal.pk, words=" ", by=olga, now=world.now)
    _, link = moves.push_back(proposal.pk, words="We need <b>five</b> by Monday", by=olga, now=world.now)
    proposal.refresh_from_db()
    assert (proposal.status, proposal.reply) == ("pushed_back", "We need <b>five</b> by Monday")
    command = Command.objects.get()
    assert (command.model, command.odoo_id, command.method) == ("purchase.order", ORDER, "message_post")
    assert command.arguments["partner_ids"] == [61]
    again = Vendor(link, world)
    assert again.path() in command.arguments["body"] and "&lt;b&gt;five" in command.arguments["body"]
    VendorLink.objects.filter(pk=link.pk).update(language="")
    assert "We need &lt;b&gt;five" in again.opens(0) and "Please answer again" in again.opens(0)
    world.advance(minutes=1)
    again.answers(says_800="otherwise", day1_800="2026-11-30")
    assert Proposal.objects.latest("id").status == Status.OPEN


def test_buying_elsewhere_drafts_a_request_to_another_vendor(world: World, vendor: Vendor, olga: User) -> None:
    world.write("res.partner", 70, name="Southern Timber", commercial_partner_id=70, active=True)
    world.write("product.supplierinfo", 700, partner_id=70, product_tmpl_id=30, price=90, delay=3, min_qty=0, currency_id=1)
    vendor.answers(says_800="refused", reason_800="No wood")
    proposal = Proposal.objects.get()
    (option,) = moves.offers_of(proposal, now=world.now)
    for options in ([], ["30-99"]):
        with pytest.raises(moves.ProposalRefusedError):
            moves.buy_elsewhere(proposal.pk, options=options, by=olga, now=world.now)
    moves.buy_elsewhere(proposal.pk, options=[option.key], by=olga, now=world.now)
    proposal.refresh_from_db()
    assert proposal.status == "replaced"
    assert list(Command.objects.order_by("sequence").values_list("method", flat=True)) == ["create", "message_post"]


def test_who_may_not_or_does_not_see_it_decides_nothing(world: World, vendor: Vendor) -> None:
    vendor.answers(**LATER)
    proposal = Proposal.objects.get()
    with pytest.raises(NotAllowedError):
        moves.accept(proposal.pk, by=person("aida", Role.AUDITOR), now=world.now)
    stranger = person("otto", Role.OPERATOR)
    User.objects.filter(pk=stranger.pk).update(sees=[f"{world.connection.pk}:2"])
    stranger.refresh_from_db()
    with pytest.raises(moves.ProposalRefusedError, match="There is no proposal"):
        moves.accept(proposal.pk, by=stranger, now=world.now)


def test_other_systems_make_the_same_proposals(world: World) -> None:
    events.add_source("portal", adapter="supplier_portal", connection="main", by=system("test"), now=world.now)

    def tell(message: Any, key: str) -> None:
        Delivery.objects.create(
            source="portal",
            connection=world.connection,
            key=key,
            model=EVENT,
            odoo_id=0,
            body=json.dumps(message),
            received_at=world.now,
            not_before=world.now,
        )
        worked_off(world)

    world.write("purchase.order.line", 801, date_planned="2026-12-20 12:00:00")
    tell(said("date_changed", "P00080", new_date="2026-12-05", comment="Saw mill"), "1")
    proposal = Proposal.objects.get()
    # What comes later than that day anyway stays.
    assert [(line.line_id, str(line.new_day)) for line in lines.read(proposal.lines)] == [(800, "2026-12-05")]
    assert (proposal.source, proposal.note) == ("portal", "Saw mill")
    tell(said("date_changed", "P00080", new_date="2026-12-24", at="2026-11-22T09:00:00Z"), "2")
    assert Proposal.objects.count() == 1
    tell(said("acknowledged", "P00080", confirmed_date="2026-11-26", at="2026-11-23T10:00:00Z"), "3")
    newest = Proposal.objects.latest("id")
    assert [(line.line_id, str(line.new_day)) for line in lines.read(newest.lines)] == [(800, "2026-11-26"), (801, "2026-11-26")]
    tell(said("cancelled", "P00080", at="2026-11-23T11:00:00Z"), "4")
    assert [line.says for line in lines.read(Proposal.objects.latest("id").lines)] == ["refused", "refused"]
    assert Proposal.objects.filter(status="open").count() == 1


def test_odoo_before_17_is_not_asked_to_split(world: World, vendor: Vendor, olga: User) -> None:
    world.connection.version = "16.0"
    world.connection.save()
    vendor.answers(says_800="otherwise", quantity1_800="5", quantity2_800="5", day2_800="2026-12-05")
    with pytest.raises(moves.ProposalRefusedError, match="before 17"):
        moves.accept(Proposal.objects.get().pk, by=olga, now=world.now)
    assert not Command.objects.exists()


def test_five_hundred_lines_are_one_proposal(world: World, vendor: Vendor, olga: User) -> None:
    buy(world, 81, lines=500)
    for page in range(1, 11):
        ids = range(810 + (page - 1) * 50, 810 + page * 50)
        fields = {f"says_{line}": "otherwise" for line in ids} | {f"day1_{line}": "2026-12-05" for line in ids}
        world.advance(minutes=1)
        vendor.answers(81, page=page, **fields)
    proposal = Proposal.objects.get(status="open")
    assert len(proposal.lines) == 500
    moves.accept(proposal.pk, by=olga, now=world.now)
    assert Command.objects.filter(method="write").count() == 500
