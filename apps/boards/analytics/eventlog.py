"""The company's real process as an event log, for process-mining tools: OCEL 2.0 as JSON, and XES (IEEE 1849).

An event is a record's coming to a stage, at Odoo's time. In OCEL its objects are the record, its partner and its company,
and transfers belong to their orders; in XES a case is a record in one workflow. Everything is written while it is read.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import quoteattr

from django.db import connection as database

from apps.accounts.access import AccessScope
from apps.core import statements
from apps.workflows.declare import Workflow

EVENTS = """
SELECT t.id, k.name AS connection, t.workflow, t.model, t.odoo_id, t.from_stage, t.to_stage, t.at, t.amount, t.author,
       t.company_id, p.partner_id, COALESCE(p.name, t.model || ' ' || t.odoo_id) AS name
  FROM workflows_transition t
  JOIN odoo_connection k ON k.id = t.connection_id
  LEFT JOIN workflows_position p ON p.connection_id = t.connection_id AND p.workflow = t.workflow AND p.odoo_id = t.odoo_id
 WHERE t.workflow = ANY(%(workflows)s) AND t.at <= %(now)s AND (%(first)s::timestamptz IS NULL OR t.at >= %(first)s) AND {seen}
 ORDER BY {order}
"""
BY_TIME = "t.at, t.tracking_id NULLS LAST, t.id"
BY_CASE = "t.workflow, t.connection_id, t.odoo_id, t.at, t.tracking_id NULLS LAST, t.id"

LOT = 2_000
Attributes = Sequence[tuple[str, str]]
RECORD_ATTRIBUTES: Attributes = (("name", "string"), ("amount", "float"), ("currency", "string"))
NAME_ATTRIBUTE: Attributes = (("name", "string"),)
EVENT_ATTRIBUTES: Attributes = (("from_stage", "string"), ("amount", "float"), ("author", "string"))


def _read(statement: str, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows by a cursor on the server: as many as there are, never all of them at once."""
    with database.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        # A cursor on the server knows its columns once something has been fetched.
        while lot := cursor.fetchmany(LOT):
            names = [column.name for column in cursor.description]
            for row in lot:
                yield dict(zip(names, row, strict=True))


def _values(workflows: Sequence[Workflow], first: datetime | None, now: datetime) -> dict[str, Any]:
    return {"workflows": [workflow.name for workflow in workflows], "first": first, "now": now}


def _activities(workflows: Sequence[Workflow]) -> dict[tuple[str, str], str]:
    """What coming to a stage is called; two workflows may have stages of one title, so it says which where there are several."""
    named = {(one.name, stage.name): (one.title, stage.title) for one in workflows for stage in one.stages}
    gone = (("deleted", "Deleted"), ("left", "Left"))
    named |= {(one.name, name): (one.title, title) for one in workflows for name, title in gone}
    return {key: title if len(workflows) == 1 else f"{of}: {title}" for key, (of, title) in named.items()}


def _id(connection: str, model: str, odoo_id: int) -> str:
    return f"{connection}/{model}/{odoo_id}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ocel(workflows: Sequence[Workflow], *, first: datetime | None, now: datetime, access_scope: AccessScope) -> Iterator[str]:
    """An OCEL 2.0 log in JSON, of what is in sight, since ``first`` where it is given."""
    values, activities = _values(workflows, first, now), _activities(workflows)
    models = sorted({workflow.odoo_model for workflow in workflows})
    types = [(model, RECORD_ATTRIBUTES) for model in models]
    types += [(model, NAME_ATTRIBUTE) for model in ("res.partner", "res.company") if model not in models]
    yield '{"objectTypes":' + json.dumps([_type(name, attributes) for name, attributes in types])
    yield ',"eventTypes":' + json.dumps([_type(title, EVENT_ATTRIBUTES) for title in dict.fromkeys(activities.values())])
    yield ',"objects":['
    comma = ""
    for row in _read(statements.load(__file__, "event_log_objects", seen=access_scope.sql("t")), values):
        yield comma + json.dumps(_object(row, now))
        comma = ",\n"
    yield '],"events":['
    comma = ""
    for row in _read(EVENTS.format(seen=access_scope.sql("t"), order=BY_TIME), values):
        yield comma + json.dumps(_event(row, activities))
        comma = ",\n"
    yield "]}\n"


def _type(name: str, attributes: Attributes) -> dict[str, Any]:
    return {"name": name, "attributes": [{"name": one, "type": kind} for one, kind in attributes]}


def _object(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    related = [
        ("res.partner", row["partner_id"], "partner"),
        ("res.company", row["company_id"], "company"),
        ("sale.order", row["sale_id"], "delivers"),
    ]
    attributes = {"name": row["name"], "amount": row["amount"], "currency": row["currency"]}
    return {
        "id": _id(row["connection"], row["model"], row["odoo_id"]),
        "type": row["model"],
        "attributes": [
            {"name": name, "time": _time(now), "value": float(value) if name == "amount" else str(value)}
            for name, value in attributes.items()
            if value not in (None, "")
        ],
        "relationships": [
            {"objectId": _id(row["connection"], model, number), "qualifier": qualifier}
            for model, number, qualifier in related
            if number is not None
        ],
    }


def _event(row: dict[str, Any], activities: dict[tuple[str, str], str]) -> dict[str, Any]:
    related = [
        (row["model"], row["odoo_id"], "record"),
        ("res.partner", row["partner_id"], "partner"),
        ("res.company", row["company_id"], "company"),
    ]
    attributes = {"from_stage": row["from_stage"], "amount": row["amount"], "author": row["author"]}
    activity = activities.get((row["workflow"], row["to_stage"]), row["to_stage"])
    return {
        "id": f"t{row['id']}",
        "type": activity,
        "time": _time(row["at"]),
        "attributes": [
            {"name": name, "value": float(value) if name == "amount" else str(value)}
            for name, value in attributes.items()
            if value not in (None, "")
        ],
        "relationships": [
            {"objectId": _id(row["connection"], model, number), "qualifier": qualifier}
            for model, number, qualifier in related
            if number is not None
        ],
    }


XES_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/><date key="time:timestamp" value="1970-01-01T00:00:00.000Z"/>
<string key="lifecycle:transition" value="complete"/></global>
<classifier name="Activity" keys="concept:name"/>
"""


def _attribute(kind: str, key: str, value: Any) -> str:
    # What XML cannot hold at all is left out.
    text = "".join(
        one for one in str(value) if one in "\t\n\r" or " " <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one >= "\U00010000"
    )
    return f"<{kind} key={quoteattr(key)} value={quoteattr(text)}/>"


def xes(workflows: Sequence[Workflow], *, first: datetime | None, now: datetime, access_scope: AccessScope) -> Iterator[str]:
    """A XES log of what is in sight, a trace a record, since ``first`` where it is given."""
    activities, case = _activities(workflows), None
    yield XES_HEAD
    for row in _read(EVENTS.format(seen=access_scope.sql("t"), order=BY_CASE), _values(workflows, first, now)):
        this = (row["workflow"], row["connection"], row["odoo_id"])
        if this != case:
            if case is not None:
                yield "</trace>\n"
            case = this
            yield "<trace>" + _attribute("string", "concept:name", _id(row["connection"], row["model"], row["odoo_id"]))
            yield _attribute("string", "name", row["name"])
        activity = activities.get((row["workflow"], row["to_stage"]), row["to_stage"])
        parts = [
            _attribute("string", "concept:name", activity),
            _attribute("date", "time:timestamp", _time(row["at"])),
            _attribute("string", "lifecycle:transition", "complete"),
        ]
        if row["author"]:
            parts.append(_attribute("string", "org:resource", row["author"]))
        if row["amount"] is not None:
            parts.append(_attribute("float", "amount", row["amount"]))
        yield "\n<event>" + "".join(parts) + "</event>"
    yield "</trace>\n</log>\n" if case is not None else "</log>\n"
