"""Event logs are valid, complete, of what their reader sees, and sent while they are read."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from django.test import AsyncClient

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.boards.analytics import eventlog
from apps.core import clock
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.boards.flow.orders import NAME
from tests.world import NOW, World


def test_an_object_centric_log_is_valid_and_complete(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    """By the published structure of OCEL 2.0: every type, object and qualifier is declared, every value of its type."""
    world.order(42)
    world.write(
        "stock.picking",
        500,
        name="WH/OUT/00500",
        state="assigned",
        sale_id=42,
        picking_type_code="outgoing",
        company_id=1,
        partner_id=50,
    )
    log = json.loads("".join(eventlog.ocel(list(registry.workflows().values()), first=None, now=NOW, access_scope=EVERYTHING)))
    assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
    declared = {}
    for part in ("objectTypes", "eventTypes"):
        for one in log[part]:
            assert set(one) == {"name", "attributes"}
            declared[part, one["name"]] = {attribute["name"]: attribute["type"] for attribute in one["attributes"]}
            assert set(declared[part, one["name"]].values()) <= {"string", "time", "integer", "float", "boolean"}
    ids = [one["id"] for one in log["objects"]]
    assert len(ids) == len(set(ids))
    kinds = {"string": str, "float": float}
    for part, types in (("objects", "objectTypes"), ("events", "eventTypes")):
        for one in log[part]:
            attributes = declared[types, one["type"]]
            assert all(isinstance(value["value"], kinds[attributes[value["name"]]]) for value in one["attributes"])
            assert all(relation["objectId"] in set(ids) and relation["qualifier"] for relation in one["relationships"])
            times = [one["time"]] if part == "events" else [value["time"] for value in one["attributes"]]
            assert all(datetime.fromisoformat(at).tzinfo == UTC for at in times)
    assert len(log["events"]) == Transition.objects.count() == len({one["id"] for one in log["events"]})
    assert [one["time"] for one in log["events"]] == sorted(one["time"] for one in log["events"])
    transfer = next(one for one in log["objects"] if one["id"] == "main/stock.picking/500")
    assert {"objectId": "main/sale.order/42", "qualifier": "delivers"} in transfer["relationships"]


def test_a_case_centric_log_is_well_formed_xes(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    Position.objects.filter(odoo_id=history[0][0].odoo_id).update(name='<S & "1"\x01>')
    text = "".join(eventlog.xes([registry.workflows()[NAME]], first=None, now=NOW, access_scope=EVERYTHING))
    root = ET.fromstring(text)
    space = "{http://www.xes-standard.org/}"
    assert root.tag == f"{space}log" and root.get("xes.version") == "1849-2016"
    traces = root.findall(f"{space}trace")
    assert len(traces) == len({one.odoo_id for one in history[1]})
    assert sum(len(trace.findall(f"{space}event")) for trace in traces) == len(history[1])
    for trace in traces:
        keys = [{child.get("key"): child.get("value") for child in event} for event in trace.findall(f"{space}event")]
        assert all(one["concept:name"] and one["lifecycle:transition"] == "complete" for one in keys)
        assert [one["time:timestamp"] for one in keys] == sorted(one["time:timestamp"] for one in keys)


def test_a_log_holds_only_what_its_reader_may_see(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    access_scope = AccessScope(frozenset({(world.connection.pk, 2)}))
    log = json.loads("".join(eventlog.ocel([registry.workflows()[NAME]], first=None, now=NOW, access_scope=access_scope)))
    hidden = {f"main/sale.order/{one.odoo_id}" for one in history[1] if one.company_id == 1}
    assert log["events"] and not hidden & {one["id"] for one in log["objects"]}
    assert "main/res.company/1" not in {one["id"] for one in log["objects"]}


@pytest.mark.django_db(transaction=True)
async def test_a_log_is_sent_while_it_is_read() -> None:
    from asgiref.sync import sync_to_async

    def prepare() -> AsyncClient:
        world = World()
        Transition.objects.bulk_create(
            Transition(
                connection=world.connection,
                workflow=NAME,
                model="sale.order",
                odoo_id=number,
                from_stage="",
                to_stage="quotation",
                at=clock.now() - timedelta(hours=1),
                seen_at=NOW,
                company_id=1,
            )
            for number in range(3_000)
        )
        client = AsyncClient()
        client.force_login(User.objects.create_user("reader", password="a long password", role="manager"))
        return client

    client = await sync_to_async(prepare)()
    answer = await client.get(f"/eventlog/ocel/?workflow={NAME}")
    assert answer.status_code == 200 and answer.is_async
    lots = [lot async for lot in answer]
    assert len(lots) > 5
    assert len(json.loads(b"".join(lots))["events"]) == 3_000
