"""Exceptions that one record has caused are one group: what it counts, who owns it, and how it ends."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role, Team
from apps.exceptions.bulk import jobs
from apps.exceptions.cases import moves
from apps.exceptions.models import CauseGroup, ExceptionCase, Status
from apps.mirror.models.product_product import Product
from apps.mirror.models.product_template import ProductTemplate
from apps.notifications.models import Notification
from apps.outbox.models import Command
from apps.workflows import registry
from tests.trade import DESK, LAMP, days, larger_company, purchase, sale
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    person("paula", Role.OPERATOR, team="purchasing")
    person("sven", Role.OPERATOR, team="sales")
    person("olga", Role.OPERATOR, team="finance")
    person("walt", Role.OPERATOR, team="warehouse")
    return larger_company()


def open_groups() -> dict[str, CauseGroup]:
    """The open groups of several, by what is to blame."""
    return {f"{group.kind}:{group.odoo_id}": group for group in CauseGroup.objects.filter(ended_at=None, cases_count__gte=2)}


def members(group: CauseGroup) -> set[tuple[str, int]]:
    return set(group.cases.exclude(status=Status.RESOLVED).values_list("type", "odoo_id"))


def late_purchase(world: World, *orders: int, quantity: float = 40) -> None:
    """Orders of ten desks each wait for one purchase that comes after they were promised."""
    with world.at_once():
        for number, order in enumerate(orders):
            sale(world, order, quantity=10, promised_in=3 + number, partner=50 + number % 2)
        purchase(world, 80, quantity=quantity, expected_in=20)


def test_the_orders_that_wait_for_a_late_purchase_are_one_group_with_it(world: World) -> None:
    late_purchase(world, 41, 42, 43)
    group = open_groups()["purchase_order:80"]
    assert members(group) == {
        ("purchase.supplier_delay", 80),
        *((kind, order) for kind in ("order.promise_at_risk", "order.stock_shortage") for order in (41, 42, 43)),
    }
    assert (group.name, group.about, group.team.slug) == ("P00080", "Nordic Timber", "purchasing")
    assert (group.cases_count, group.customers_count) == (7, 2)
    # Each order once, though two exceptions tell of it; the purchase's own sum is that of its orders.
    assert (group.amount, group.currency) == (Decimal("3000.00"), "EUR")
    opened = ExceptionCase.objects.filter(group=group)
    assert group.due_at == min(case.due_at for case in opened if case.due_at)
    assert group.promised_at == min(case.promised_at for case in opened.filter(model="sale.order") if case.promised_at)
    assert group.owner is not None and group.owner.username == "paula"
    assert all(opened.values_list("is_grouped", flat=True))


def test_a_group_ends_with_its_last_member_and_says_how(world: World) -> None:
    late_purchase(world, 41, 42)
    group = open_groups()["purchase_order:80"]
    olga = person("mia", Role.MANAGER)
    case = ExceptionCase.objects.get(type="order.promise_at_risk", odoo_id=41)
    moves.resolve(case.pk, resolution="Settled with the customer", by=olga, now=world.now)
    group.refresh_from_db()
    assert (group.cases_count, group.ended_at) == (4, None)
    world.advance(hours=1)
    # The vendor brings it tomorrow.
    with world.at_once():
        world.write("purchase.order.line", 800, date_planned=days(world, 1))
        world.write("stock.move", 800, date=days(world, 1))
    group.refresh_from_db()
    assert group.ended_at == world.now
    assert (group.ending["closed"], group.ending["resolved"]) == (4, 1)
    assert {"resolution": "Settled with the customer", "count": 1} in group.ending["ways"]
    assert open_groups() == {}


def test_a_member_that_another_record_holds_up_as_well_stays_open_for_that(world: World) -> None:
    with world.at_once():
        sale(world, 41, quantity=10, promised_in=3)
        sale(world, 42, quantity=10, promised_in=4)
        # S00041 wants lamps as well, from another purchase that is earlier and still too late.
        world.write("sale.order.line", 411, order_id=41, product_id=LAMP, product_uom_qty=5, company_id=1, price_subtotal=50)
        world.write(
            "stock.move",
            411,
            product_id=LAMP,
            company_id=1,
            sale_line_id=411,
            picking_id=41,
            state="confirmed",
            product_uom_qty=5,
            date_deadline=days(world, 3),
        )
        purchase(world, 80, quantity=100, expected_in=20)
        purchase(world, 81, product=LAMP, quantity=100, expected_in=10)
    case = ExceptionCase.objects.get(type="order.promise_at_risk", odoo_id=41)
    assert (case.root_kind, case.root_id, case.further_roots) == ("purchase_order", 80, ["purchase_order:81:0"])
    assert case.group == open_groups()["purchase_order:80"]
    world.advance(hours=1)
    with world.at_once():
        world.write("purchase.order.line", 800, date_planned=days(world, 1))
        world.write("stock.move", 800, date=days(world, 1))
    case.refresh_from_db()
    assert case.status == Status.OPEN
    assert case.group == open_groups()["purchase_order:81"]
    assert "purchase_order:80" not in open_groups()


def test_what_nobody_has_ordered_is_grouped_by_product_and_warehouse(world: World) -> None:
    with world.at_once():
        for order, warehouse in ((41, 1), (42, 1), (43, 2)):
            sale(world, order, quantity=10, warehouse_id=warehouse)
            world.write("stock.move", order, warehouse_id=warehouse)
    (group,) = open_groups().values()
    assert (group.kind, group.odoo_id, group.place) == ("short_product", DESK, 1)
    assert (group.name, group.about) == ("Oak desk", "Hall")
    assert {odoo_id for _, odoo_id in members(group)} == {41, 42}


def test_a_product_that_is_sold_before_it_is_read_is_named_as_it_comes(world: World) -> None:
    name = ProductTemplate.objects.get(odoo_id=DESK * 10).name
    ProductTemplate.objects.filter(odoo_id=DESK * 10).delete()
    Product.objects.filter(odoo_id=DESK).delete()
    with world.at_once():
        for order in (41, 42):
            sale(world, order, quantity=10, warehouse_id=1)
            world.write("stock.move", order, warehouse_id=1)
    group = open_groups()[f"short_product:{DESK}"]
    # Something to click on, and the warehouse all the same.
    assert (group.name, group.about) == (f"#{DESK}", "Hall")
    world.write("product.product", DESK, product_tmpl_id=DESK * 10, active=True)
    world.write("product.template", DESK * 10, name=name)
    group.refresh_from_db()
    assert (group.name, group.about) == (name, "Hall")


def test_a_late_transfer_belongs_where_its_order_does(world: World) -> None:
    late_purchase(world, 41, quantity=20)
    world.advance(days=5)
    world.write("stock.picking", 41, company_id=1, scheduled_date=days(world, -2), date_deadline=days(world, -2))
    late = ExceptionCase.objects.get(type="fulfilment.late_transfer", odoo_id=41)
    group = open_groups()["purchase_order:80"]
    assert late.group == group
    # The transfer's value is its order's.
    assert group.amount == Decimal("1000.00")
    # Once the goods are to come from another purchase, order and transfer go together.
    with world.at_once():
        world.write("purchase.order", 80, state="cancel")
        world.write("stock.move", 800, state="cancel")
        purchase(world, 82, quantity=40, expected_in=30)
    assert ("fulfilment.late_transfer", 41) in members(open_groups()["purchase_order:82"])
    assert "purchase_order:80" not in open_groups()


def test_the_held_orders_of_a_customer_are_one_group_with_what_is_overdue(world: World) -> None:
    with world.at_once():
        for number in range(3):
            world.order(70 + number, amount=6_200)
            world.ask(70 + number, ask_id=900 + number)
            world.write("sale.order", 70 + number, x_ct_hold="credit_override")
    group = open_groups()["customer_credit:50"]
    assert {odoo_id for _, odoo_id in members(group)} == {70, 71, 72}
    assert (group.name, group.team.slug, group.customers_count) == ("Azure Interior", "finance", 1)


def test_the_orders_that_a_vendor_has_not_answered_are_one_group(world: World) -> None:
    with world.at_once():
        world.write("res.partner", 62, name="Nordic Timber, Oslo", commercial_partner_id=60)
        for order in range(3):
            purchase(world, 90 + order, partner_id=60 if order else 62, acknowledged=False, date_approve=days(world, -9))
    group = open_groups()["silent_vendor:60"]
    assert {odoo_id for _, odoo_id in members(group)} == {90, 91, 92}
    assert group.customers_count == 0


def test_groups_of_two_companies_stay_apart(world: World) -> None:
    with world.at_once():
        world.write("res.company", 2, name="Sued", currency_id=1, partner_id=1)
        for order, company in ((90, 1), (91, 1), (92, 2), (93, 2)):
            purchase(world, order, company_id=company, acknowledged=False, date_approve=days(world, -9))
    groups = CauseGroup.objects.filter(kind="silent_vendor", ended_at=None)
    assert {(group.company_id, group.cases_count) for group in groups} == {(1, 2), (2, 2)}


def test_people_are_told_once_of_a_cause_however_many_wait_for_it(world: World) -> None:
    late_purchase(world, 41, 42)
    told = Notification.objects.filter(kind="exception.opened")
    group = open_groups()["purchase_order:80"]
    assert sorted(told.values_list("user__username", "path")) == [
        ("paula", f"/exceptions/causes/{group.pk}/"),
        ("sven", f"/exceptions/causes/{group.pk}/"),
    ]
    assert "P00080, Nordic Timber" in told.first().title
    world.advance(hours=1)
    world.customer(52, name="Lumber Inc", credit_limit=0)
    sale(world, 44, quantity=10, promised_in=6, partner=52)
    assert group.pk == open_groups()["purchase_order:80"].pk
    assert ("order.promise_at_risk", 44) in members(group)
    assert told.count() == 2


def test_what_a_person_resolves_leaves_the_group_and_undoing_brings_it_back(world: World) -> None:
    late_purchase(world, 41)
    group = open_groups()["purchase_order:80"]
    count = group.cases_count
    mia = person("mia", Role.MANAGER)
    case = ExceptionCase.objects.get(type="order.promise_at_risk", odoo_id=41)
    job = jobs.do_one(case.pk, move="resolve", arguments={"resolution": "Agreed"}, by=mia, now=world.now)
    group.refresh_from_db()
    assert group.cases_count == count - 1
    jobs.undo(job.pk, by=mia, now=world.now)
    group.refresh_from_db()
    assert group.cases_count == count


def test_a_group_that_is_left_with_one_is_shown_as_that_one(world: World) -> None:
    with world.at_once():
        for order in (90, 91):
            purchase(world, order, acknowledged=False, date_approve=days(world, -9))
    one, other = ExceptionCase.objects.filter(type="purchase.unacknowledged").order_by("odoo_id")
    assert one.is_grouped
    assert other.is_grouped
    world.advance(hours=1)
    world.write("purchase.order", 90, acknowledged=True)
    other.refresh_from_db()
    assert (other.is_grouped, other.group.cases_count, other.group.ended_at) == (False, 1, None)


def test_a_merged_customer_takes_its_held_orders_along(world: World) -> None:
    with world.at_once():
        world.customer(55, name="Azure Twin", credit_limit=5_000)
        for order, partner in ((70, 50), (71, 50), (72, 55)):
            world.order(order, amount=6_200, partner=partner)
            world.ask(order, ask_id=830 + order)
            world.write("sale.order", order, x_ct_hold="credit_override")
    assert open_groups()["customer_credit:50"].cases_count == 2
    world.advance(hours=1)
    world.write("sale.order", 72, partner_id=50)
    assert open_groups()["customer_credit:50"].cases_count == 3
    assert not CauseGroup.objects.filter(odoo_id=55, ended_at=None).exists()


def test_every_type_names_a_cause_or_stands_alone(world: World) -> None:
    """A type whose columns name no record is its own cause; one that names some gives each a kind that is known."""
    for name, (_, kind) in registry.exception_types().items():
        for cause in kind.root_causes:
            assert cause.kind.name, name


def test_a_batch_costs_the_same_statements_however_many_it_groups(world: World) -> None:
    def statements(first: int, count: int) -> int:
        with CaptureQueriesContext(connection) as taken, world.at_once():
            for order in range(first, first + count):
                purchase(world, order, acknowledged=False, date_approve=days(world, -9))
        return len([one for one in taken if "causegroup" in one["sql"]])

    few = statements(200, 2)
    many = statements(300, 30)
    assert 0 < many <= few


def shown_in_odoo(world: World) -> list[Command]:
    return list(Command.objects.filter(decision__regex=r"^(exception|cause-group):").order_by("sequence"))


def test_in_odoo_the_cause_has_the_activity_and_what_it_holds_up_a_note_each(world: World) -> None:
    world.shows_exceptions(severity=1)
    world.connection.capabilities["models"]["purchase.order"]["activities"] = True
    world.connection.save()
    with world.at_once():
        for number, order in enumerate((41, 42)):
            sale(world, order, quantity=10, promised_in=3, partner=50 + number)
        purchase(world, 80, quantity=40, expected_in=20)
    group = open_groups()["purchase_order:80"]
    told = shown_in_odoo(world)
    notes = [command for command in told if command.method == "message_post"]
    (activity,) = [command for command in told if command.method == "create"]
    assert len(notes) == group.cases_count
    values = activity.arguments["vals_list"][0]
    assert (values["res_id"], activity.decision) == (80, f"cause-group:{group.pk}")
    assert values["summary"].startswith(f"Purchase order holds up orders, cause {group.pk}: ")
    assert f'/exceptions/causes/{group.pk}/">' in values["note"]
    assert "S00041, Azure Interior" in values["note"]
    # One more order is a note of its own, and no second activity.
    world.advance(hours=1)
    world.customer(52, name="Lumber Inc", credit_limit=0)
    sale(world, 44, quantity=9, promised_in=30, partner=52)
    sale(world, 43, quantity=10, promised_in=4, partner=52)
    assert [c.odoo_id for c in shown_in_odoo(world) if c.method == "create"] == [0]
    Command.objects.update(status="done", sent_at=world.now)
    # In time: each order is told, and the one activity is finished.
    world.advance(hours=1)
    with world.at_once():
        world.write("purchase.order.line", 800, date_planned=days(world, 1))
        world.write("stock.move", 800, date=days(world, 1))
    later = [command for command in shown_in_odoo(world) if command.status == "queued"]
    (finish,) = [command for command in later if command.method == "action_feedback"]
    assert "closed by themselves" in finish.arguments["feedback"]
    assert finish.target_mark == str(activity.pk)
    assert {command.odoo_id for command in later if command.method == "message_post"} == {41, 42, 43, 80}


def test_a_new_owner_of_the_cause_is_the_new_owner_of_its_activity(world: World) -> None:
    world.shows_exceptions(severity=1)
    world.connection.capabilities["models"]["purchase.order"]["activities"] = True
    world.connection.save()
    world.write("res.users", 9, name="Mia", login="mia@nordlicht.test", active=True, partner_id=5, company_id=1)
    mia = person("mia", Role.MANAGER)
    mia.odoo_login = "mia@nordlicht.test"
    mia.save()
    late_purchase(world, 41, 42)
    group = open_groups()["purchase_order:80"]
    Command.objects.update(status="done", sent_at=world.now)
    jobs.begin(
        ExceptionCase.objects.filter(group=group),
        move="assign",
        arguments={"owner": mia.pk},
        by=mia,
        now=world.now,
        groups=[group.pk],
    )
    while jobs.work(now=world.now):
        pass
    changed = [command for command in shown_in_odoo(world) if command.method == "write" and "cause-group" in command.decision]
    assert changed[-1].arguments["vals"]["user_id"] == 9
