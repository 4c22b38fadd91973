"""Playbooks: declared, written anew, and what becomes of their steps on a case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Team, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase
from apps.exceptions.playbooks import figures, progress, versions
from apps.exceptions.playbooks.versions import PlaybookRefusedError
from apps.outbox.models import Command
from apps.workflows import registry
from apps.workflows.playbooks import Shows, Step, StepKind, problems_of
from tests.api.callers import caller
from tests.world import World

pytestmark = pytest.mark.django_db
TYPE = "purchase.supplier_delay"


@pytest.fixture
def company(db: None) -> World:
    return World()


def opened(world: World, number: int = 1, at: datetime | None = None, **more: Any) -> ExceptionCase:
    team, _ = Team.objects.get_or_create(slug="purchasing", defaults={"name": "Purchasing"})
    moment = at or world.now
    given = {"type": TYPE, "workflow": "procure_to_pay", "model": "purchase.order", "severity": 2, "team": team, "company_id": 1}
    return ExceptionCase.objects.create(
        connection=world.connection,
        odoo_id=number,
        record_name=f"P{number}",
        opened_at=moment,
        updated_at=moment,
        **(given | more),
    )


def outcomes(case: ExceptionCase) -> dict[str, str]:
    return {taken.step.name: taken.outcome for taken in progress.of_case(case).steps}


def test_every_type_declares_a_playbook_that_can_be() -> None:
    declared = {name: kind.playbook for name, (_, kind) in registry.exception_types().items()}
    assert len(declared) > 30 and TYPE in declared
    for steps in declared.values():
        assert problems_of(steps) == [] and steps[0].done_when == Shows.OWNED
    twice = [Step(name="ask", title="Ask"), Step(name="ask", title="Ask", kind=StepKind.QUESTION, done_when=Shows.MOVED)]
    assert [problem.split(".")[0] for problem in problems_of(twice)] == [
        "Its playbook has two steps ask",
        "The question ask of its playbook is answered by somebody",
    ]


def test_a_step_that_waits_for_a_decision_has_an_approval_that_answers_it() -> None:
    answered = {kind.exception for workflow in registry.workflows().values() for kind in workflow.approvals}
    waits = {
        name
        for name, (_, kind) in registry.exception_types().items()
        if any(step.done_when in (Shows.ASKED, Shows.DECIDED) for step in kind.playbook)
    }
    assert waits <= answered


def test_what_the_data_shows_is_done_by_itself(company: World, olga_operator: User) -> None:
    case = opened(company)
    assert set(outcomes(case).values()) == {"open"}
    moves.assign(case.pk, owner=olga_operator, by=olga_operator, now=company.now + timedelta(minutes=5))
    Command.objects.create(
        connection=company.connection,
        sequence=1,
        model="purchase.order",
        odoo_id=1,
        lane=f"{company.connection.pk}:purchase.order:1",
        title="Buy",
        method="write",
        status="done",
        decision=f"exception:{case.pk}:elsewhere:3",
        not_before=company.now,
        created_at=company.now + timedelta(minutes=8),
        done_at=company.now + timedelta(minutes=9),
    )

    found = {taken.step.name: taken for taken in progress.of_case(case).steps}

    assert {name for name, taken in found.items() if not taken.is_open} == {"take", "act"}
    assert found["take"].is_shown and found["take"].at == company.now + timedelta(minutes=5)
    assert found["act"].at == company.now + timedelta(minutes=9)


def test_a_person_does_skips_answers_and_reopens_with_a_trail(company: World, olga_operator: User) -> None:
    case, later = opened(company), company.now + timedelta(hours=1)
    given: dict[str, Any] = {"by": olga_operator, "now": later}
    progress.take(case.pk, "waiting", outcome="done", note="", **given)
    with pytest.raises(PlaybookRefusedError, match="why the step is skipped"):
        progress.take(case.pk, "ask", outcome="skipped", note=" ", **given)
    progress.take(case.pk, "ask", outcome="skipped", note="Called them already", **given)
    with pytest.raises(PlaybookRefusedError, match="Enter the answer"):
        progress.take(case.pk, "reason", outcome="done", note="", **given)
    progress.take(case.pk, "reason", outcome="done", note="A strike", **given)
    progress.take(case.pk, "waiting", outcome="open", note="", **given)
    with pytest.raises(PlaybookRefusedError, match="has no step dance"):
        progress.take(case.pk, "dance", outcome="done", note="", **given)

    assert outcomes(case) == {"take": "open", "waiting": "open", "ask": "skipped", "act": "open", "reason": "done"}
    said = {taken.step.name: (taken.by, taken.note) for taken in progress.of_case(case).steps if taken.note}
    assert said == {"ask": ("Olga Operator", "Called them already"), "reason": ("Olga Operator", "A strike")}
    told = Entry.objects.filter(subject=f"exception:{case.pk}").order_by("sequence").values_list("action", flat=True)
    assert list(told) == ["exception.step_done", "exception.step_skipped", "exception.step_done", "exception.step_reopened"]
    moves.resolve(case.pk, resolution="Delivered", by=olga_operator, now=later)
    with pytest.raises(PlaybookRefusedError, match="is resolved"):
        progress.take(case.pk, "waiting", outcome="done", note="", **given)


def test_who_may_only_read_takes_no_step(company: World, aida_auditor: User) -> None:
    case = opened(company)
    with pytest.raises(NotAllowedError):
        progress.take(case.pk, "waiting", outcome="done", note="", by=aida_auditor, now=company.now)


STEPS = [{"name": "take", "title": "Take it", "done_when": "owned"}, {"title": "Call the vendor", "kind": "message"}]


def test_a_new_version_is_for_what_opens_from_then_on(company: World, mia_manager: User, olga_operator: User) -> None:
    old = opened(company)
    at = company.now + timedelta(hours=1)
    with pytest.raises(NotAllowedError):
        versions.write(TYPE, STEPS, by=olga_operator, now=at, based_on=0)
    written = versions.write(TYPE, STEPS, by=mia_manager, now=at, note="Shorter", based_on=0)
    with pytest.raises(PlaybookRefusedError, match="meanwhile"):
        versions.write(TYPE, STEPS, by=mia_manager, now=at, based_on=0)
    new = opened(company, 2, at=at + timedelta(minutes=1))

    assert written.number == 1 and [step.name for step in written.steps] == ["take", "step_1"]
    assert versions.of_case(old).number == 0 and len(outcomes(old)) == 5
    assert versions.of_case(new).number == 1 and list(outcomes(new)) == ["take", "step_1"]
    entry = Entry.objects.get(action="playbook.written")
    assert (entry.subject, entry.data["version"], entry.data["note"]) == (f"playbook:{TYPE}", 1, "Shorter")
    again = versions.write(TYPE, [*entry.data["steps"], {"title": "Ask again"}], by=mia_manager, now=at, based_on=1)
    assert [step.name for step in again.steps] == ["take", "step_1", "step_2"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "1 to 20 steps"),
        ([{"title": " "}], "needs a title"),
        ([{"title": "x" * 201}], "needs a title"),
        ([{"title": "Dance", "kind": "dance"}], "not known"),
        ([{"title": "Dance", "done_when": "danced"}], "not known"),
        ([{"title": "Why?", "kind": "question", "done_when": "owned"}], "answered by somebody"),
    ],
)
def test_a_playbook_that_cannot_be_is_refused(company: World, mia_manager: User, steps: list[dict[str, str]], said: str) -> None:
    with pytest.raises(PlaybookRefusedError, match=said):
        versions.write(TYPE, steps, by=mia_manager, now=company.now, based_on=0)


def test_the_figures_say_which_step_takes_the_time_and_what_ended_it(company: World, olga_operator: User) -> None:
    for number, (minutes, hours) in enumerate([(10, 5), (20, 7), (30, 9)], 1):
        case = opened(company, number)
        moves.assign(case.pk, owner=olga_operator, by=olga_operator, now=company.now + timedelta(minutes=minutes))
        done_at = company.now + timedelta(minutes=minutes, hours=hours)
        progress.take(case.pk, "ask", outcome="done", note="", by=olga_operator, now=done_at)
        moves.resolve(case.pk, resolution="Delivered", by=olga_operator, now=done_at)
    opened(company, 4, status="resolved", resolved_at=company.now, closed_itself=True)

    found = figures.of_version(versions.declared(TYPE), None, access_scope=EVERYTHING)

    by_name = {one.step.name: one for one in found.steps}
    assert (found.cases_count, found.none_ended_count, found.by_itself_count) == (4, 1, 1)
    assert (by_name["take"].shown_count, by_name["take"].median_seconds) == (3, 20 * 60)
    assert (by_name["ask"].by_hand_count, by_name["ask"].median_seconds, by_name["ask"].ended_count) == (3, 7 * 3600, 3)
    assert found.slowest == by_name["ask"] and by_name["reason"].open_count == 4


def test_it_is_on_the_case_and_written_on_a_page(client: Client, company: World, olga_operator: User, mia_manager: User) -> None:
    company.now = datetime.now(UTC) - timedelta(hours=1)
    case = opened(company)
    client.force_login(olga_operator)
    part = client.get(f"/exceptions/{case.pk}/playbook/").content.decode()
    assert "Ask the vendor for a firm date" in part and "0 of 5 steps" in part
    assert client.post(f"/exceptions/{case.pk}/playbook/ask/", {"outcome": "done", "note": ""}).status_code == 302
    assert "1 of 5 steps" in client.get(f"/exceptions/{case.pk}/playbook/").content.decode()
    refused = client.post(f"/exceptions/{case.pk}/playbook/reason/", {"outcome": "done"}, headers={"X-Fragment": "1"})
    assert refused.status_code == 422 and "Enter the answer" in refused.content.decode()
    assert "did a step of the playbook" in client.get(f"/exceptions/{case.pk}/").content.decode()
    assert "Write the next version" not in client.get(f"/playbooks/{TYPE}/").content.decode()
    form = {
        "based_on": "0",
        "order": ["2", "1", "3"],
        "name": ["take", "", ""],
        "title": ["Take it", "Call them first", ""],
        "kind": ["check", "message", "check"],
        "done_when": ["owned", "", ""],
    }
    assert client.post(f"/playbooks/{TYPE}/", form).status_code == 403
    client.force_login(mia_manager)
    assert "Supplier delay" in client.get("/playbooks/").content.decode()
    assert client.post(f"/playbooks/{TYPE}/", form).status_code == 302
    assert [step.title for step in versions.of_type(TYPE)[0].steps] == ["Call them first", "Take it"]
    page = client.post(f"/playbooks/{TYPE}/", form | {"title": ["", "", ""], "based_on": "1"})
    assert page.status_code == 422 and "1 to 20 steps" in page.content.decode()


def test_it_is_over_rest(company: World, olga_operator: User, mia_manager: User) -> None:
    case = opened(company)
    olga, mia = caller("olga"), caller("mia")

    assert olga.get(f"playbooks/{TYPE}/").json()["version"] == 0
    assert olga.post(f"playbooks/{TYPE}/", {"steps": STEPS, "based_on": 0}).status_code == 403
    told = mia.post(f"playbooks/{TYPE}/", {"steps": STEPS, "based_on": 0}).json()
    assert (told["version"], [step["title"] for step in told["steps"]]) == (1, ["Take it", "Call the vendor"])
    assert olga.post(f"exceptions/{case.pk}/playbook/ask/", {"outcome": "skipped"}).status_code == 422
    found = olga.post(f"exceptions/{case.pk}/playbook/ask/", {"outcome": "done", "note": "By phone"}).json()
    (asked,) = [step for step in found["steps"] if step["name"] == "ask"]
    assert (found["version"], asked["outcome"], asked["by"], asked["note"]) == (0, "done", "Olga Operator", "By phone")
    assert olga.get(f"exceptions/{case.pk}/playbook/").json() == found
    assert mia.get("playbooks/none.such/").status_code == 404
