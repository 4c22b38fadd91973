"""One case at a time, counts that are counts, and a trail that explains every write."""

from typing import TYPE_CHECKING

from django.db import connection as database

from apps.audit.models import Entry
from apps.audit.verify import verify
from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command
from apps.workflows import tallies

if TYPE_CHECKING:
    from tests.walk.walk import Walk


def one_request_at_a_time(walk: "Walk") -> list[str]:
    """The exceptions and requests of one record and type that are open are one."""
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT model, odoo_id, type, cause, count(*) FROM {ExceptionCase._meta.db_table} WHERE status <> 'resolved'"
            " GROUP BY connection_id, model, odoo_id, type, cause HAVING count(*) > 1"
        )
        return [f"several open cases: {row}" for row in cursor.fetchall()]


def nothing_is_stuck_on_the_way_to_odoo(walk: "Walk") -> list[str]:
    """No command was given up."""
    return [
        f"{one.title} on {one.model} {one.odoo_id}: {one.problem}"
        for one in Command.objects.filter(connection=walk.tower.connection, status="dead")
    ]


def boards_count_what_is_there(walk: "Walk") -> list[str]:
    """The counts kept for the boards are the counts of the rows."""
    return [f"{table}: {number} differ" for table, number in tallies.differences().items() if number]


def the_trail_is_whole(walk: "Walk") -> list[str]:
    """The audit trail verifies, and every write that Odoo saw follows from a decision or an action that it tells of."""
    verdict = verify()
    found = [] if verdict.holds else [f"the audit trail is broken: {verdict}"]
    done = Command.objects.filter(connection=walk.tower.connection, status="done").count()
    told = Entry.objects.filter(action="command.done").count()
    return found if told >= done else [*found, f"{done} commands were carried out, and the trail tells of {told}"]


def every_write_is_explained(walk: "Walk") -> list[str]:
    """What the tower's login last wrote on an order, purchase, invoice or transfer is a command that the audit trail tells of."""
    found, uid = [], walk.business.odoo.uid
    told = set(Entry.objects.filter(action="command.done").values_list("subject", flat=True))
    done = Command.objects.filter(connection=walk.tower.connection, status="done")
    for model in ("sale.order", "purchase.order", "account.move"):
        origin = "origin" if model == "purchase.order" else "name"
        for row in walk.rows(model, [("id", "in", walk.ids(model)), ("write_uid", "=", uid)], [origin]):
            if (model, row["id"]) in walk.by_machine:
                continue
            why = done.filter(model=model, odoo_id=row["id"])
            if model == "purchase.order" and row["origin"]:
                # What Odoo buys as the tower confirms the order that it is for.
                names = [name.strip() for name in row["origin"].split(",")]
                why = why | done.filter(model="sale.order", odoo_id__in=walk.those("sale.order", [("name", "in", names)]))
            if not any(f"command:{one}" in told for one in why.values_list("pk", flat=True)):
                found.append(f"{model} {row['id']} was written by the tower's login, and the trail does not say why")
    return found
