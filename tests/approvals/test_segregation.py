"""Who asked for a thing, owns it, made it or edited it does not decide it, whatever they are called."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts import people
from apps.accounts.logins import normalised
from apps.accounts.models import Role, Team, User
from apps.accounts.permissions import NotAllowedError
from apps.approvals.models import Request
from apps.approvals.policies import policy
from apps.approvals.requests import moves, opening, permissions
from apps.core import actor
from apps.mirror import identities
from apps.odoo.models import LinkedUser
from tests.approvals.test_credit_note import credited
from tests.approvals.test_inventory_adjustment import count
from tests.approvals.test_invoice_mismatch import drafted
from tests.approvals.test_pricing_exception import attempt, discounted
from tests.approvals.test_procurement_threshold import purchase
from tests.approvals.test_return_authorisation import comes_back
from tests.trade import days, sale
from tests.world import World, person

pytestmark = [pytest.mark.django_db, pytest.mark.unlinked]
EDITOR = 8


@pytest.fixture
def world(world: World) -> World:
    """Adam and Mia are users 21 and 22 there; Eddy, an approver, is user 8."""
    for uid, login in [(21, "adam"), (22, "mia"), (EDITOR, "Eddy@Nordlicht.test")]:
        world.write("res.users", uid, name=login.title(), login=login, email="", active=True, partner_id=5, company_id=1)
    for name in ("adam", "mia"):
        identities.link(User.objects.get(username=name), login=name, by=actor.system("test"), now=world.now)
    eddy = person("eddy", Role.APPROVER, limit=200_000, team="finance", odoo_login="eddy@nordlicht.test")
    for slug in ("finance", "sales", "warehouse", "purchasing", "service"):
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0].members.add(eddy)
    identities.resolve_links(world.connection.pk, now=world.now)
    return world


def eddy() -> User:
    return User.objects.get(username="eddy")


def why_not(user: User) -> str:
    return permissions.why_not(Request.objects.get(), user) or ""


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("written", ["sofia", " Sofia ", "SOFIA\u200b", "ｓｏｆｉａ", "so\u00adfia", "\tsofia\n"])
def test_a_login_is_the_same_however_it_is_written(written: str) -> None:
    assert normalised(written) == "sofia"
    User.objects.create_user("sofia", role=Role.APPROVER, odoo_login=written)
    assert User.objects.get().odoo_login == "sofia"
    with pytest.raises(people.PersonError, match="two accounts cannot be one Odoo user"):
        people.create_user("second", role=Role.OPERATOR, odoo_login="Sofia")


def credit(world: World) -> None:
    world.held_order(write_uid=EDITOR)


def owned(world: World) -> None:
    world.held_order(user_id=EDITOR)


def made(world: World) -> None:
    world.held_order(create_uid=EDITOR)


def price(world: World) -> None:
    discounted(world, write_uid=EDITOR)
    attempt(world)


def price_line(world: World) -> None:
    discounted(world)
    world.write("sale.order.line", 4200, write_uid=EDITOR)
    attempt(world)


def bought(world: World) -> None:
    purchase(world, user_id=EDITOR)
    world.ask(80, kind="procurement_threshold", model="purchase.order")


def bought_and_edited(world: World) -> None:
    purchase(world, write_uid=EDITOR)
    world.ask(80, kind="procurement_threshold", model="purchase.order")


def bought_by_odoos_own_rule(world: World) -> None:
    purchase(world, state="to approve", create_uid=EDITOR)


def bought_line(world: World) -> None:
    world.write("purchase.order.line", 800, order_id=80, product_qty=1, write_uid=EDITOR)
    purchase(world, state="to approve")


def returned(world: World) -> None:
    comes_back(world, 6, create_uid=EDITOR)


def returned_and_edited(world: World) -> None:
    comes_back(world, 6, write_uid=EDITOR)


def sold_what_came_back(world: World) -> None:
    comes_back(world, 6)
    world.write("sale.order", 42, user_id=EDITOR)
    world.write("stock.picking", 71, origin="again")


def credit_note(world: World) -> None:
    credited(world, 6, sold=None, write_uid=EDITOR)


def credit_note_made(world: World) -> None:
    credited(world, 6, sold=None, create_uid=EDITOR)


def counted(world: World) -> None:
    world.write("stock.location", 8, name="Shelf", complete_name="WH/Shelf", usage="internal", company_id=1)
    world.write("product.template", 31, name="Oak desk", type="consu", active=True)
    world.write("product.product", 30, product_tmpl_id=31, active=True, standard_price=40)
    count(world, 10, write_uid=EDITOR)


def mismatch(world: World) -> None:
    drafted(world, write_uid=EDITOR)
    world.ask(600, kind="invoice_mismatch", model="account.move")


def express(world: World) -> None:
    sale(world, 42, promised_in=-1, reserved=10)
    world.write("sale.order", 42, write_uid=EDITOR)
    world.write("stock.picking", 42, state="assigned", scheduled_date=days(world, 2))
    world.ask(42, kind="expedited_freight")


@pytest.mark.parametrize(
    "situation",
    [
        credit,
        owned,
        made,
        price,
        price_line,
        bought,
        bought_and_edited,
        bought_by_odoos_own_rule,
        bought_line,
        returned,
        returned_and_edited,
        sold_what_came_back,
        credit_note,
        credit_note_made,
        counted,
        mismatch,
        express,
    ],
)
def test_a_hand_in_the_record_keeps_from_deciding_in_every_kind(world: World, situation: Callable[[World], None]) -> None:
    situation(world)
    request = Request.objects.get()
    assert EDITOR in request.involved_uids
    assert "Eddy@Nordlicht.test" in request.involved_logins
    assert "worked on" in why_not(eddy())
    if situation is not sold_what_came_back:  # there they had been asked before
        assert not request.steps.first().assignments.filter(user=eddy()).exists()  # type: ignore[union-attr]


def test_who_asked_is_known_by_uid_though_the_login_changed_in_odoo(world: World) -> None:
    world.order()
    world.write("res.users", EDITOR, login="edward@nordlicht.test")
    world.write(
        "x_ct_request",
        900,
        x_res_model="sale.order",
        x_res_id=42,
        x_kind="credit_override",
        x_state="open",
        x_requested_at="2026-11-23 12:00:00",
        x_requested_uid=EDITOR,
        x_count=1,
    )
    assert "worked on" in why_not(eddy())
    with pytest.raises(NotAllowedError):
        moves.approve(Request.objects.get().pk, by=eddy(), now=world.now)


def test_who_edits_a_record_while_it_waits_may_not_decide_it_even_after_others_edited_it(world: World) -> None:
    world.held_order()
    assert why_not(User.objects.get(username="adam")) == ""
    world.write("sale.order", 42, write_uid=21, amount_total=6_300)
    world.write("sale.order", 42, write_uid=7, amount_total=6_400)
    assert "worked on" in why_not(User.objects.get(username="adam"))


def test_the_towers_own_user_is_nobodys_hand(world: World) -> None:
    world.connection.uid = EDITOR
    world.connection.save()
    world.held_order(write_uid=EDITOR)
    assert EDITOR not in Request.objects.get().involved_uids


def test_a_person_whom_nobody_knows_in_odoo_decides_only_where_policy_says_so(world: World) -> None:
    ulla = person("ulla", Role.APPROVER, limit=100_000, team="finance")
    world.held_order()
    assert "not linked to a user of main" in why_not(ulla)
    assert "link_odoo_user ulla" in why_not(ulla)
    with pytest.raises(NotAllowedError):
        moves.delegate(Request.objects.get().pk, to=ulla, by=User.objects.get(username="adam"), now=world.now)
    request = Request.objects.get()
    rules = {**policy.active("credit_override", now=world.now).rules, "unlinked_may_decide": True}
    saved = policy.save("credit_override", rules, by=User.objects.get(username="mia"), now=world.now)
    Request.objects.update(policy=saved)
    moves.delegate(request.pk, to=ulla, by=User.objects.get(username="adam"), now=world.now)
    assert why_not(ulla) == ""
    with pytest.raises(policy.PolicyError, match="unlinked_may_decide"):
        policy.check_shape("credit_override", {**rules, "unlinked_may_decide": "yes"})


def test_two_accounts_cannot_be_one_odoo_user(world: World) -> None:
    with pytest.raises(CommandError, match="eddy has the Odoo login"):
        run("create_user", "second", "--role", "approver", "--limit", "9", "--odoo-login", " EDDY@nordlicht.test ")
    world.write("res.users", EDITOR, login="edward")
    with pytest.raises(CommandError, match="eddy is Odoo user 8"):
        run("create_user", "second", "--role", "approver", "--limit", "9", "--odoo-login", "Edward")
    assert not User.objects.filter(username="second").exists()
    User.objects.create_user("third", role=Role.APPROVER)
    with pytest.raises(CommandError, match="two accounts cannot be one Odoo user"):
        run("link_odoo_user", "third", "--odoo-login", "edward", "--connection", "main")
    run("link_odoo_user", "eddy", "--remove")
    assert "user 8" in run("link_odoo_user", "third", "--odoo-login", "edward")
    assert LinkedUser.objects.get(uid=EDITOR).user.username == "third"


def test_a_person_is_linked_when_odoo_has_their_login_later(world: World) -> None:
    run("create_user", "berta", "--role", "approver", "--limit", "100", "--odoo-login", "Berta")
    assert "linked where it appears" in run("link_odoo_user", "berta")
    world.write("res.users", 30, name="Berta", login="berta", active=True, partner_id=5, company_id=1)
    assert LinkedUser.objects.get(uid=30).user.username == "berta"


def test_who_asked_here_is_a_hand_through_their_odoo_user_as_well(world: World) -> None:
    olga = User.objects.get(username="olga")
    world.write("res.users", 31, name="Olga", login="olga", active=True, partner_id=5, company_id=1)
    identities.link(olga, login="olga", by=actor.system("test"), now=world.now)
    world.order()
    request = moves.ask(
        connection_id=world.connection.pk, kind="credit_override", model="sale.order", odoo_id=42, by=olga, reason="", now=world.now
    )
    assert 31 in request.involved_uids
    assert request.cause.startswith(opening.ASKED_HERE)
