"""Who held it: every second of a record, a request or a case counts for exactly one holder."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Team, User
from apps.boards.held import splitting
from apps.boards.held.splitting import CASES, PARTNER, RECORDS, REQUESTS, WORKFLOW, Split
from apps.exceptions.cases import moves
from apps.workflows import holders, registry
from apps.workflows.holders import Holder
from apps.workflows.models import Position, Transition
from controltower.env import BASE_DIR
from tests.api.callers import caller
from tests.boards.lives import HOUR, NOW, START, asked, at, event, moved, opened, told, wanted
from tests.trade import sale
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(db: None) -> World:
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    made = World()
    made.now = NOW
    return made


def order(world: World, odoo_id: int, *, now: datetime = NOW, workflow: str = "order_to_cash") -> Split:
    found = splitting.of_record(registry.workflows()[workflow], connection_id=world.connection.pk, odoo_id=odoo_id, now=now)
    assert found is not None
    assert sum(part.seconds for part in found.parts) == found.whole
    return found


def hours(split: Split | None) -> dict[str, float]:
    assert split is not None
    return {f"{part.holder.value}{f' {part.team}' if part.team else ''}": part.seconds / HOUR for part in split.parts}


def test_an_orders_time_is_split_among_those_who_hold_its_stages(company: World) -> None:
    moved(
        company,
        1,
        (0, "quotation"),
        (5, "credit_review"),
        (7, "waiting_for_stock"),
        (17, "ready_to_pick"),
        (18, "to_invoice"),
        (20, "unpaid"),
        (50, "closed"),
    )

    found = order(company, 1)

    assert hours(found) == {
        "customer": 30,
        "us purchasing": 10,
        "us sales": 5,
        "approver": 2,
        "us finance": 2,
        "us warehouse": 1,
    }
    assert found.whole == 50 * HOUR


def test_a_pending_approval_goes_before_a_waiting_command_and_that_before_the_stage(company: World, olga_operator: User) -> None:
    moved(company, 1, (0, "quotation"), (20, "cancelled"))
    request = asked(company, 1, 2, 10)
    told(company, 1, 9, 12, f"approval:{request.pk}")
    told(company, 1, 13, 14, "")
    wanted(request, olga_operator, 4, 6)
    wanted(request, olga_operator, 7, 8, wants_changes=False)

    assert hours(order(company, 1)) == {"us sales": 12, "approver": 6, "odoo": 2}


def test_what_goes_back_and_forth_counts_each_time(company: World) -> None:
    moved(company, 1, (0, "quotation"), (1, "credit_review"), (2, "quotation"), (4, "credit_review"), (7, "cancelled"))

    assert hours(order(company, 1)) == {"us sales": 3, "approver": 4}


def test_a_team_is_named_in_the_readers_language_unless_it_was_named_otherwise(company: World) -> None:
    moved(company, 1, (0, "waiting_for_stock"), (10, "ready_to_pick"), (11, "closed"))
    Team.objects.filter(slug="warehouse").update(name="Hall 3")

    with translation.override("de"):
        assert {part.team: part.team_name for part in order(company, 1).parts} == {"purchasing": "Einkauf", "warehouse": "Hall 3"}


def test_between_an_end_and_a_reopening_nobody_holds_it(company: World) -> None:
    moved(company, 1, (0, "to_invoice"), (1, "closed"), (3, "to_invoice"), (7, "closed"), (9, "cancelled"))

    found = order(company, 1)

    assert hours(found) == {"us finance": 5, "nobody": 2}
    assert found.whole == 7 * HOUR


def test_what_is_still_open_counts_until_now_and_what_is_gone_until_it_went(company: World) -> None:
    moved(company, 1, (90, "unpaid"))
    moved(company, 2, (90, "unpaid"), (95, "deleted"))
    moved(company, 3, (90, "unpaid"), (92, "left"), (94, "unpaid"), (95, "closed"))

    assert hours(order(company, 1)) == {"customer": 10}
    assert hours(order(company, 2)) == {"customer": 5}
    assert hours(order(company, 3)) == {"customer": 3, "nobody": 2}


def test_what_began_with_its_end_has_no_time(company: World) -> None:
    moved(company, 1, (5, "closed"))

    found = order(company, 1)

    assert (found.whole, list(found.parts)) == (0, [])


def test_moves_count_by_their_moment_in_odoo_whatever_order_they_were_noted_in(company: World) -> None:
    moved(company, 1, (10, "unpaid"), (20, "closed"))
    moved(company, 1, (0, "quotation"), (5, "to_invoice"), tracking_id=3)

    assert hours(order(company, 1)) == {"us sales": 5, "us finance": 5, "customer": 10}


def test_a_stage_that_nothing_declares_any_more_is_nobodys(company: World) -> None:
    moved(company, 1, (0, "of_old"), (3, "unpaid"), (4, "closed"))

    assert hours(order(company, 1)) == {"nobody": 3, "customer": 1}


def test_parts_of_seconds_are_neither_lost_nor_counted_twice(company: World) -> None:
    moved(company, 1, (0.6 / HOUR, "quotation"), (1.5 / HOUR, "to_invoice"), (2.4 / HOUR, "unpaid"), (3.9 / HOUR, "closed"))

    found = order(company, 1)

    assert found.whole == 3
    assert [(part.holder.value, part.team, part.seconds) for part in found.parts] == [
        ("us", "finance", 1),
        ("us", "sales", 1),
        ("customer", "", 1),
    ]


def test_of_a_transfer_and_an_invoice_its_own_kind_decides(company: World) -> None:
    for number, code in [(1, "incoming"), (2, "outgoing")]:
        company.write("stock.picking", number, name=f"WH/{number}", state="done", picking_type_code=code, company_id=1)
        Transition.objects.filter(odoo_id=number, model="stock.picking").delete()
        moved(company, number, (0, "ready"), (2, "late"), (5, "done"), workflow="fulfilment")
    for number, kind in [(1, "in_invoice"), (2, "out_invoice")]:
        company.write("account.move", number, name=f"B{number}", state="posted", move_type=kind, company_id=1)
        Transition.objects.filter(odoo_id=number, model="account.move").delete()
        moved(company, number, (0, "overdue"), (4, "paid"), workflow="invoicing")

    assert hours(order(company, 1, workflow="fulfilment")) == {"vendor": 5}
    assert hours(order(company, 2, workflow="fulfilment")) == {"us warehouse": 5}
    assert hours(order(company, 1, workflow="invoicing")) == {"us finance": 4}
    assert hours(order(company, 2, workflow="invoicing")) == {"customer": 4}


def test_a_carrier_has_it_from_its_delay_until_its_delivery(company: World) -> None:
    moved(company, 1, (0, "ready"), (20, "done"), workflow="fulfilment")
    event(company, 1, "shipment_delayed", 4)
    event(company, 1, "eta_changed", 6)
    event(company, 1, "shipment_delivered", 15)

    assert hours(order(company, 1, workflow="fulfilment")) == {"carrier": 11, "us warehouse": 9}


def test_a_request_is_the_approvers_then_odoos_and_the_requesters_while_changes_are_wanted(
    company: World, olga_operator: User
) -> None:
    request = asked(company, 1, 0, 10)
    wanted(request, olga_operator, 2, 5)
    told(company, 1, 10, 11, f"approval:{request.pk}")
    told(company, 1, 11, 13, f"approval:{request.pk}")
    pending = asked(company, 2, 90, None)

    assert hours(splitting.of_request(request.pk, now=NOW)) == {"approver": 7, "us": 3, "odoo": 3}
    assert hours(splitting.of_request(pending.pk, now=NOW)) == {"approver": 10}


def test_a_case_is_nobodys_until_it_has_an_owner_and_goes_with_its_team(company: World, olga_operator: User) -> None:
    case, sales = opened(company, 1, 0), Team.objects.get(slug="sales")
    moves.assign(case.pk, owner=olga_operator, by=olga_operator, now=at(3))
    moves.assign(case.pk, owner=olga_operator, team=sales, by=olga_operator, now=at(8))
    moves.assign(case.pk, owner=None, by=olga_operator, now=at(10))
    moves.acknowledge(case.pk, by=olga_operator, now=at(11))
    moves.resolve(case.pk, resolution="Paid", by=olga_operator, now=at(20))

    assert hours(splitting.of_case(case.pk, now=NOW)) == {"nobody": 4, "us finance": 5, "us sales": 11}


def test_a_case_is_the_approvers_while_what_answers_it_is_pending_and_odoos_while_odoo_is_told(
    company: World, olga_operator: User
) -> None:
    case = opened(company, 1, 0, owner=olga_operator)
    request = asked(company, 1, 2, 6)
    asked(company, 1, 10, 12, kind="expedited_freight")
    told(company, 1, 6, 7, f"approval:{request.pk}")
    moves.resolve(case.pk, resolution="Paid", by=olga_operator, now=at(20))

    assert hours(splitting.of_case(case.pk, now=NOW)) == {"us finance": 15, "approver": 4, "odoo": 1}


def test_what_ended_in_a_time_is_summed_by_workflow_and_by_partner(company: World, olga_operator: User) -> None:
    moved(company, 1, (0, "to_invoice"), (2, "unpaid"), (12, "closed"))
    moved(company, 2, (0, "to_invoice"), (4, "unpaid"), (50, "closed"))
    moved(company, 3, (0, "unpaid"))
    moved(company, 4, (0, "unpaid"), (10, "closed"), (60, "unpaid"))
    moved(company, 5, (0, "unacknowledged"), (10, "closed"), workflow="procure_to_pay")
    Position.objects.create(
        connection=company.connection,
        workflow="order_to_cash",
        model="sale.order",
        odoo_id=1,
        name="S1",
        stage="closed",
        since=at(12),
        is_open=False,
        partner_name="Azure Interior",
    )
    given: dict[str, Any] = {"since": START, "until": at(20), "access_scope": EVERYTHING}

    orders, purchases = splitting.sums(RECORDS, by=WORKFLOW, **given)
    assert (orders.key, orders.count, hours(orders)) == ("order_to_cash", 1, {"customer": 10, "us finance": 2})
    assert (purchases.key, purchases.count, hours(purchases)) == ("procure_to_pay", 1, {"vendor": 10})
    (alone,) = splitting.sums(RECORDS, by=PARTNER, workflow="order_to_cash", **given)
    assert alone.key == "Azure Interior"
    assert (
        splitting.sums(RECORDS, by=WORKFLOW, **given | {"access_scope": AccessScope(frozenset({(company.connection.pk, 2)}))}) == []
    )

    case = opened(company, 1, 0, owner=olga_operator)
    moves.resolve(case.pk, resolution="Paid", by=olga_operator, now=at(5))
    asked(company, 1, 0, 10)
    (cases,) = splitting.sums(CASES, by=PARTNER, **given)
    assert (cases.key, hours(cases)) == ("Azure Interior", {"approver": 5})
    (requests,) = splitting.sums(REQUESTS, by=WORKFLOW, **given)
    assert (requests.key, hours(requests)) == ("order_to_cash", {"approver": 10})


# A life as hours at which something happened, in any order and overlapping as they like.
HOURS = st.integers(0, 99) | st.floats(0, 99)
SPAN = st.tuples(HOURS, st.none() | HOURS)
LIFE = st.fixed_dictionaries(
    {
        "stages": st.lists(
            st.tuples(
                HOURS,
                st.sampled_from(["quotation", "credit_review", "unpaid", "to_invoice", "closed", "cancelled", "left", "of_old"]),
            ),
            min_size=1,
            max_size=8,
        ),
        "requests": st.lists(SPAN, max_size=2),
        "inquiries": st.lists(SPAN, max_size=2),
        "commands": st.lists(SPAN, max_size=3),
    }
)
RANKED = {"approver": 1, "odoo": 2}
STAGES = {"quotation": "us", "to_invoice": "us", "unpaid": "customer", "credit_review": "approver"}


def _second(hours_in: float) -> int:
    return int(at(hours_in).timestamp() // 1)


def _by_the_second(life: dict[str, Any]) -> tuple[int, dict[str, int]]:
    """The same, looked at moment by moment: slow, and too plain to be wrong."""
    steps = sorted(enumerate(life["stages"]), key=lambda step: (at(step[1][0]), step[0]))
    moments = [(_second(hours_in), stage) for _, (hours_in, stage) in steps]
    ends = {"closed", "cancelled", "left"}
    last = next((n for n in range(len(moments)) if all(stage in ends for _, stage in moments[n:])), None)
    begin, end = moments[0][0], int(NOW.timestamp()) if last is None else moments[last][0]
    now = int(NOW.timestamp())

    def spans(name: str) -> list[tuple[int, int]]:
        return [(_second(a), now if b is None else max(_second(a), _second(b))) for a, b in life[name]]

    requests, inquiries, commands = spans("requests"), spans("inquiries"), spans("commands")
    cuts = sorted({begin, end, *(at_ for at_, _ in moments), *(cut for span in [*requests, *inquiries, *commands] for cut in span)})
    cuts = [cut for cut in cuts if begin <= cut <= end]
    found: dict[str, int] = {}
    for left, right in pairwise(cuts):

        def covers(some: list[tuple[int, int]]) -> bool:
            return any(a <= left and right <= b for a, b in some)  # noqa: B023

        # Every inquiry of a life is of its first request.
        first = [requests[0]] if requests else []
        is_asked = covers(requests[1:]) or (covers(first) and not covers(inquiries))
        stage = [stage for at_, stage in moments if at_ <= left][-1]
        holder = "approver" if is_asked else "odoo" if covers(commands) else STAGES.get(stage, "nobody")
        found[holder] = found.get(holder, 0) + right - left
    return end - begin, {holder: seconds for holder, seconds in found.items() if seconds}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=st.lists(LIFE, min_size=1, max_size=6))
def test_the_parts_add_up_to_the_whole_whatever_happens(company: World, olga_operator: User, lives: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        for number, life in enumerate(lives, 1):
            moved(company, number, *life["stages"])
            for which, (begins, ends) in enumerate(life["requests"]):
                ended = begins if ends is not None and ends < begins else ends
                kind = "credit_override" if which == 0 else "pricing_exception"
                request = asked(company, number, begins, ended, kind=kind, cause=str(which))
                if which == 0:
                    for since, until in life["inquiries"]:
                        wanted(request, olga_operator, since, until)
            for begins, ends in life["commands"]:
                told(company, number, begins, ends, "approval:0")
        for number, life in enumerate(lives, 1):
            found, (whole, parts) = order(company, number), _by_the_second(life)
            by_holder: dict[str, int] = {}
            for part in found.parts:
                by_holder[part.holder.value] = by_holder.get(part.holder.value, 0) + part.seconds
            assert (found.whole, by_holder) == (whole, parts)
        together = splitting.sums(RECORDS, by=WORKFLOW, since=START - timedelta(1), until=NOW, access_scope=EVERYTHING)
        for split in together:
            assert sum(part.seconds for part in split.parts) == split.whole
        transaction.set_rollback(True)


def test_the_pages_and_the_api_say_the_same(client: Client, company: World, mia_manager: User) -> None:
    company.now = datetime.now(UTC) - timedelta(hours=4)
    sale(company, 70)
    company.advance(hours=4)
    company.write("sale.order", 70, state="cancel")
    case, request = opened(company, 70, 0), asked(company, 70, 0, None)
    client.force_login(mia_manager)
    api = caller("mia", "read")

    (told_of_record,) = api.get("records/sale.order/70/held/").json()["results"]
    assert (told_of_record["workflow"], told_of_record["seconds"]) == ("order_to_cash", 4 * HOUR)
    assert sum(part["seconds"] for part in told_of_record["parts"]) == 4 * HOUR
    (of_case,) = api.get(f"exceptions/{case.pk}/held/").json()["results"]
    (of_request,) = api.get(f"approvals/{request.pk}/held/").json()["results"]
    assert {part["holder"] for part in of_case["parts"]} == {"approver"} == {part["holder"] for part in of_request["parts"]}
    page = client.get("/records/main/sale.order/70/held/").content.decode()
    assert "Who held it" in page and "Approver" in page and 'class="held-bar"' in page
    for address in (f"/held/exceptions/{case.pk}/", f"/held/approvals/{request.pk}/"):
        assert "Approver" in client.get(address).content.decode()


def test_sums_are_shown_by_what_is_asked_for_and_what_cannot_be_is_refused(
    client: Client, company: World, mia_manager: User
) -> None:
    moved(company, 1, (0, "to_invoice"), (2, "unpaid"), (12, "closed"))
    client.force_login(mia_manager)
    api = caller("mia", "read")

    page = client.get("/held/?since=2026-11-01&until=2026-11-02").content.decode()
    assert "Order to cash" in page and "Customer" in page and "Finance" in page and "10 h" in page
    assert "Nothing ended" in client.get("/held/?since=2026-10-01&until=2026-10-02").content.decode()
    sheet = client.get("/held/?since=2026-11-01&until=2026-11-02&by=partner&format=csv")
    assert b"36000" in b"".join(sheet)
    assert client.get("/held/?since=soon").status_code == 400
    backwards = client.get("/held/?since=2026-11-02&until=2026-11-01")
    assert (backwards.status_code, b"must not end before it begins" in backwards.content) == (400, True)
    (told_of,) = api.get("held/?since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z&workflow=order_to_cash").json()["results"]
    assert (told_of["key"], told_of["count"], told_of["seconds"]) == ("order_to_cash", 1, 12 * HOUR)
    assert told_of["parts"][0] == {"holder": "customer", "team": "", "seconds": 10 * HOUR}
    for wrong in ("of=money", "by=team", "workflow=none", "since=soon", "colour=red", "company=2"):
        assert api.get(f"held/?{wrong}").status_code == 400


def test_ten_thousand_records_are_one_statement_and_found_by_indexes(
    company: World, django_assert_num_queries: Callable[[int], Any]
) -> None:
    """A day of sums costs by what ended in it, never by what there is."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO workflows_transition
                   (connection_id, workflow, model, odoo_id, from_stage, to_stage, at, seen_at, company_id)
            SELECT %(connection)s, 'order_to_cash', 'sale.order', o, '', s.stage, %(start)s::timestamptz + s.n * interval '1 hour',
                   %(start)s, 1
              FROM generate_series(1, 10000) AS o
             CROSS JOIN (VALUES (0, 'quotation'), (1, 'credit_review'), (2, 'to_invoice'), (3, 'unpaid'), (9, 'closed'))
                     AS s(n, stage)
            """,
            {"connection": company.connection.pk, "start": START},
        )
        cursor.execute("ANALYZE workflows_transition")
    given: dict[str, Any] = {"since": START, "until": at(24), "access_scope": EVERYTHING, "workflow": "order_to_cash"}
    with django_assert_num_queries(2):
        (found,) = splitting.sums(RECORDS, by=WORKFLOW, **given)

    assert (found.count, found.whole) == (10_000, 9 * HOUR * 10_000)
    assert hours(found) == {"customer": 60_000, "us sales": 10_000, "approver": 10_000, "us finance": 10_000}
    with database.cursor() as cursor:
        cursor.execute(
            "EXPLAIN " + splitting.statement_of(registry.workflows()["order_to_cash"]).as_string().replace("{seen}", "TRUE"),
            {"since": at(200), "until": at(201), "now": at(201)},
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on workflows_transition" not in plan and "transitions_by" in plan


def test_the_docs_have_the_statement_and_every_holder() -> None:
    document = " ".join((BASE_DIR / "docs" / "who-held-it.md").read_text().split())
    statement = splitting.statement_of(registry.workflows()["order_to_cash"]).as_string()
    assert " ".join(statement.split()) in document, "docs/who-held-it.md has another statement"
    for holder in Holder:
        assert f"| {holder.label} |" in document
    for workflow in registry.workflows().values():
        for stage in workflow.stages:
            if stage.is_open and (stage.held_by != holders.US):
                assert stage.title in document, f"docs/who-held-it.md does not say who holds {workflow.name}: {stage.title}"
