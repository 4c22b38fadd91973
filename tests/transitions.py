"""Every table of transitions, with the model whose rows follow it; and the database holding SQL to those tables.

Moves that SQL makes on many rows at once pass no Python that could check them. In tests PostgreSQL refuses each that its table
does not have, whatever the test is about.
"""

from typing import Any

from django.db import connection
from django.db.models import Model

from apps.approvals.models import Request, Step
from apps.approvals.transitions import REQUESTS, STEPS
from apps.core.transitions import Transitions
from apps.customers.models import NewDate
from apps.customers.transitions import NEW_DATES
from apps.events.models import OutsideEvent
from apps.events.transitions import EVENTS
from apps.exceptions.models import BulkJob, BulkJobItem, ExceptionCase
from apps.exceptions.transitions import BULK_JOB_ITEMS, BULK_JOBS, CASES, INCIDENTS
from apps.intake.models import Delivery
from apps.intake.transitions import DELIVERIES
from apps.notifications.models import Outgoing
from apps.notifications.transitions import MESSAGES
from apps.odoo.models import AccessTest, Connection
from apps.odoo.transitions import ACCESS_TESTS, CONNECTIONS
from apps.outbox.models import Command
from apps.outbox.transitions import COMMANDS
from apps.timers.models import Timer
from apps.timers.transitions import TIMERS
from apps.vendors.models import Mail, Proposal
from apps.vendors.transitions import MAILS, PROPOSALS

TABLES: list[tuple[Transitions, type[Model]]] = [
    (CASES, ExceptionCase),
    (INCIDENTS, ExceptionCase),
    (REQUESTS, Request),
    (STEPS, Step),
    (PROPOSALS, Proposal),
    (MAILS, Mail),
    (NEW_DATES, NewDate),
    (COMMANDS, Command),
    (DELIVERIES, Delivery),
    (EVENTS, OutsideEvent),
    (MESSAGES, Outgoing),
    (TIMERS, Timer),
    (BULK_JOBS, BulkJob),
    (BULK_JOB_ITEMS, BulkJobItem),
    (CONNECTIONS, Connection),
    (ACCESS_TESTS, AccessTest),
]
# Those that SQL moves, or a queryset.
HELD = {DELIVERIES, EVENTS, MESSAGES, TIMERS, STEPS}

REFUSE = """
CREATE OR REPLACE FUNCTION refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no move of % leads from % to %', TG_TABLE_NAME, OLD.status, NEW.status; END $$
"""
HOLD = """
CREATE OR REPLACE TRIGGER held_to_its_table BEFORE UPDATE OF status ON {table} FOR EACH ROW
  WHEN (OLD.status <> NEW.status AND (OLD.status || '>' || NEW.status) NOT IN ({moves})) EXECUTE FUNCTION refuse_transition()
"""


def hold_sql(cursor: Any) -> None:
    """Have the database refuse, in :data:`HELD`, every change of status that no move makes."""
    cursor.execute(REFUSE)
    for table, model in TABLES:
        if table in HELD:
            moves = sorted({f"'{source}>{row.target}'" for row in table.rows for source in row.sources})
            name = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(HOLD.format(table=name, moves=", ".join(moves)))
