"""Policies for everybody, a connection or one company of it: the nearest counts, for requests and for Odoo's guards."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError
from apps.approvals.models import Policy, Request
from apps.approvals.policies import guard_policy, policy
from apps.approvals.policies.bounds import PolicyError
from apps.audit.models import Entry
from apps.outbox.models import Command
from apps.workflows.scopes import EVERYBODY, Scope
from tests.api.callers import caller
from tests.world import World

KIND = "credit_override"


def rules(name: str, **more: Any) -> dict[str, Any]:
    level = {"ask": {"role": "manager"}, "within_minutes": 60}
    return {"steps": [{"name": name, "levels": [level], "fallback": "expire"}], **more}


def mia() -> User:
    return User.objects.get(username="mia")


@pytest.fixture
def save(world: World) -> Callable[..., Policy]:
    def make(name: str, scope: Scope = EVERYBODY, kind: str = KIND, **more: Any) -> Policy:
        return policy.save(kind, rules(name, **more), by=mia(), now=world.now, scope=scope)

    return make


def test_the_nearest_policy_counts_and_others_keep_theirs(world: World, save: Callable[..., Policy]) -> None:
    of_connection, of_company = Scope(connection=world.connection), Scope(connection=world.connection, company_id=1)

    def counts(connection_id: int | None, company_id: int | None) -> str:
        in_force = policy.active(KIND, now=world.now, connection_id=connection_id, company_id=company_id)
        return str(in_force.rules["steps"][0]["name"])

    here = world.connection.pk
    save("General")
    save("Connection", of_connection)
    save("Company", of_company)
    assert [counts(None, None), counts(here, None), counts(here, 2), counts(here, 1), counts(here + 1, 1)] == [
        "General",
        "Connection",
        "Connection",
        "Company",
        "General",
    ]
    save("General again")
    assert (counts(here, 1), counts(here, 2)) == ("Company", "Connection")
    wider = policy.withdraw(KIND, scope=of_company, by=mia(), now=world.now)
    assert (wider.rules["steps"][0]["name"], counts(here, 1)) == ("Connection", "Connection")
    with pytest.raises(PolicyError, match="no policy of its own"):
        policy.withdraw(KIND, scope=of_company, by=mia(), now=world.now)
    with pytest.raises(PolicyError, match="no policy of its own"):
        policy.withdraw(KIND, scope=EVERYBODY, by=mia(), now=world.now)
    assert list(Policy.objects.filter(kind=KIND).order_by("version").values_list("version", flat=True)) == [1, 2, 3, 4, 5]
    said = Entry.objects.filter(subject=f"policy:{KIND}").order_by("sequence")
    assert [(one.action, one.data.get("company")) for one in said] == [
        ("policy.changed", None),
        ("policy.changed", None),
        ("policy.changed", 1),
        ("policy.changed", None),
        ("policy.withdrawn", 1),
    ]


def test_a_request_goes_by_its_companys_policy(world: World, save: Callable[..., Policy]) -> None:
    save("Company", Scope(connection=world.connection, company_id=1))
    world.held_order(odoo_id=42)
    request = Request.objects.get(kind=KIND)
    assert [step.name for step in request.steps.all()] == ["Company"]
    save("Company, later", Scope(connection=world.connection, company_id=1))
    request.refresh_from_db()
    assert request.policy.rules["steps"][0]["name"] == "Company"


def test_who_sees_one_company_writes_for_no_other(world: World, save: Callable[..., Policy]) -> None:
    User.objects.filter(username="mia").update(sees=[f"{world.connection.pk}:1"])
    with pytest.raises(NotAllowedError):
        save("Connection", Scope(connection=world.connection))
    with pytest.raises(NotAllowedError):
        save("Other", Scope(connection=world.connection, company_id=2))
    save("Own", Scope(connection=world.connection, company_id=1))


def test_the_guard_counts_together_by_the_companys_own_rule(world: World, save: Callable[..., Policy]) -> None:
    kind = "procurement_threshold"
    for number, of in ((5, kind), (6, "parameters")):
        world.write("x_ct_request", number, x_res_model="policy", x_kind=of, x_res_id=0)
    save("General", kind=kind, cumulative={"over_days": 7, "per": ["partner"]})
    save("Connection", Scope(connection=world.connection), kind=kind, cumulative={"over_days": 3, "per": ["partner"]})
    save("Company", Scope(connection=world.connection, company_id=2), kind=kind)
    told = {one.odoo_id: json.loads(one.arguments["vals"]["x_terms"]) for one in Command.objects.order_by("sequence")}
    assert told == {5: {"over_days": 3, "per": ["partner"]}, 6: {f"together:{kind}": {"2": None}}}
    assert guard_policy.publish(now=world.now) == []


def test_the_page_saves_for_a_company_and_withdraws(world: World) -> None:
    client = Client()
    client.force_login(mia())
    address = f"/approvals/policies/{KIND}/?connection=main&company=1"
    page = client.get(address).content.decode()
    assert "has no policy of its own" in page
    form = {
        "steps": "1",
        "step-0-name": "Own",
        "step-0-fallback": "expire",
        "step-0-levels": "1",
        "step-0-level-0-ask": "role:manager",
        "step-0-level-0-within": "60",
        "version": "1",
    }
    assert client.post(address, {**form, "act": "save"}).status_code == 302
    own = Policy.objects.get(is_active=True, company_id=1)
    assert own.rules["steps"][0]["name"] == "Own"
    assert "set here" in client.get("/approvals/policies/?connection=main&company=1").content.decode()
    assert "Own" not in client.get(f"/approvals/policies/{KIND}/?for=everybody").content.decode().split("Versions")[0]
    assert client.post(address, {"act": "withdraw"}).status_code == 302
    assert not Policy.objects.filter(is_active=True, company_id=1).exists()


def test_rest_writes_reads_and_withdraws_in_a_scope(world: World) -> None:
    admin = caller("mia", "admin")
    made = admin.post("policies/", {"kind": KIND, "rules": rules("Own"), "connection": "main", "company": 1})
    assert (made.status_code, made.json()["connection"], made.json()["company"]) == (201, "main", 1)
    (found,) = admin.get("policies/?connection=main&company=1").json()["results"]
    assert found["version"] == made.json()["version"]
    assert admin.post("policies/", {"kind": KIND, "rules": rules("x"), "company": 1}).status_code == 400
    assert admin.post("policies/", {"kind": KIND, "rules": rules("x"), "connection": "other"}).status_code == 400
    gone = admin.post("policies/withdraw/", {"kind": KIND, "connection": "main", "company": 1})
    assert (gone.status_code, gone.json()["connection"]) == (200, None)
    assert admin.post("policies/withdraw/", {"kind": KIND, "connection": "main", "company": 1}).status_code == 422
