"""The parameters' pages: what counts where, what a value would change, setting it."""

from django.test import Client

from apps.accounts.models import User
from apps.mirror.models.x_ct_request import ApprovalAsk
from apps.workflows.models import ParameterValue
from tests.world import World, odoo_time


def client_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def test_the_list_says_what_counts_where_one_looks(world: World) -> None:
    client = client_of("mia")
    page = client.get("/parameters/").content.decode()
    assert "Purchase limit" in page and "10,000" in page and "no values of its own" in page
    client.post("/parameters/purchase_limit/?connection=main&company=1", {"act": "set", "value": "5000", "version": "0"})
    assert "main: Nordlicht: 1 value of its own" in client.get("/parameters/?connection=main&company=1").content.decode()
    assert "no values of its own" in client.get("/parameters/?for=everybody").content.decode()
    assert client.get("/parameters/?connection=other").status_code == 404


def test_a_value_is_tried_set_and_reset(world: World) -> None:
    client = client_of("mia")
    address = "/parameters/purchase_limit/"
    tried = client.post(address, {"act": "preview", "value": "5.000,5".replace(".", ""), "version": "0"}).content.decode()
    assert "Nothing would change among the 0 open records" in tried and not ParameterValue.objects.exists()
    assert client.post(address, {"act": "set", "value": "5000", "version": "0", "note": "less"}).status_code == 302
    page = client.get(address).content.decode()
    assert "less" in page and "in force" in page and "set here" in page
    stale = client.post(address, {"act": "set", "value": "6000", "version": "0"})
    assert stale.status_code == 422 and "version 1" in stale.content.decode()
    assert client.post(address, {"act": "set", "value": "lots", "version": "1"}).status_code == 422
    assert client.post(address, {"act": "reset", "version": "1"}).status_code == 302
    assert ParameterValue.objects.get(is_current=True).number is None
    assert client.get("/parameters/nothing/").status_code == 404


def test_who_may_not_reads_why(world: World) -> None:
    page = client_of("olga").get("/parameters/purchase_limit/")
    assert "may not change policies" in page.content.decode()
    refused = client_of("olga").post("/parameters/purchase_limit/", {"act": "set", "value": "1", "version": "0"})
    assert refused.status_code == 403 and not ParameterValue.objects.exists()


def test_a_connections_page_says_where_its_guards_go_by_something_else(world: World) -> None:
    client = client_of("mia")
    assert "Up to date with the policies" in client.get("/connections/main/mirrored/").content.decode()
    client.post("/parameters/purchase_limit/", {"act": "set", "value": "5000", "version": "0"})
    assert "provision_odoo main" in client.get("/connections/main/mirrored/").content.decode()
    world.write(
        "x_ct_request",
        9,
        x_res_model="policy",
        x_kind="parameters",
        x_res_id=0,
        x_terms='{"purchase_limit": {"": 5000.0}}',
        x_requested_at=odoo_time(world.now),
    )
    assert ApprovalAsk.objects.get(odoo_id=9).x_terms
    assert "Up to date with the policies" in client.get("/connections/main/mirrored/").content.decode()
