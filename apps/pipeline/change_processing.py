"""From changed rows to what people see: the middle of the story, inside the transaction that wrote the rows."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection as database
from django.db import transaction

from apps.approvals.requests import opening
from apps.core import isolation, live
from apps.customers import following as new_dates
from apps.events import absorbing
from apps.exceptions.cases import case_reconcile, cause_groups
from apps.intake import dead_letters
from apps.intake.dead_letters import EVALUATING, DeadLetter
from apps.mirror import identities, references, validation
from apps.mirror import registry as mirror
from apps.mirror.declare import Mirrored
from apps.mirror.upsert import Changes
from apps.pipeline import open_records
from apps.vendors.proposals import following as proposals
from apps.workflows import engine, registry
from apps.workflows.declare import Workflow
from apps.workflows.models import Position

logger = logging.getLogger(__name__)

# Beyond this many records of one batch, their open pages are left to catch up at their next change.
ANNOUNCED_RECORDS = 500
# Records that time has made due, taken together in one transaction.
LOOKED_AGAIN = 1_000


def apply_changes(changes: Sequence[Changes], *, now: datetime) -> None:
    """Draw all the consequences of a batch of changed rows, in the transaction that changed them.

    1. Find the workflows' records that the changes may move, through declared dependencies, and those that an event outside
       of Odoo turns out to be about.
    2. Place them in their stages, with their transitions.
    3. Open, update and close exceptions.
    4. Ask for approvals, or withdraw the asking; what Odoo is to be told goes into the outbox.
    5. Announce what open pages show differently now.

    A record that lost a row to another, such as an order whose line was moved, counts as changed like the one that got it. What
    points at records that are gone is read again first: a merge in Odoo moves references without a date.
    """
    by_connection: dict[int, dict[str, dict[int, datetime]]] = {}
    for change in changes:
        rows = by_connection.setdefault(change.connection_id, {}).setdefault(change.model, {})
        rows.update({odoo_id: change.written_at.get(odoo_id, now) for odoo_id in change.ids})
        _add_left(by_connection[change.connection_id], change, now)
        references.read_again(change, now=now)
    for connection_id, changed in by_connection.items():
        one_at_a_time(connection_id)
        if "res.users" in changed:
            link_people(connection_id, now)
        if _moves_days(connection_id, changed):
            open_records.put_up(connection_id, now=now)
        follow(connection_id, changed, now=now)


def _add_left(changed: dict[str, dict[int, datetime]], change: Changes, now: datetime) -> None:
    """Count what rows pointed at before as changed: no query from the rows as they are leads there."""
    followed = references.followed(mirror.models()[change.model])
    at = max(change.written_at.values(), default=now)
    for column in followed.keys() & change.left.keys():
        for odoo_id in change.left[column]:
            changed.setdefault(followed[column], {}).setdefault(odoo_id, at)


def _moves_days(connection_id: int, changed: Mapping[str, Mapping[int, datetime]]) -> bool:
    """True if a company changed, its calendar or its own address: in their time zone everything of it counts days."""
    if {"res.company", "resource.calendar"} & changed.keys():
        return True
    partners = list(changed.get("res.partner", ()))
    companies = mirror.models()["res.company"].objects.filter(connection_id=connection_id, deleted_at=None)
    return bool(partners) and companies.filter(partner_id__in=partners).exists()


def link_people(connection_id: int, now: datetime) -> None:
    """Link people to the users that came; what fails there keeps no record from being evaluated."""
    try:
        with transaction.atomic():
            identities.resolve_links(connection_id, now=now)
    except Exception as error:
        if isolation.is_of_the_server(error):
            raise
        logger.exception("People could not be linked to the users of connection %s", connection_id)


def evaluate(
    workflow_name: str,
    connection_id: int,
    records: Mapping[int, datetime | None],
    *,
    now: datetime,
    failed: Collection[str] | None = None,
) -> None:
    """Evaluate one workflow over ``records`` and draw the consequences (steps 2 to 5), in the caller's transaction.

    A record on which that fails becomes a dead letter; what the mirror holds of it stays.

    Args:
        failed: the connection's dead letters of evaluation, where the caller has looked them up.
    """
    workflow = registry.workflows()[workflow_name]
    if records and failed is None:
        failed = dead_letters.waiting(EVALUATING, connection_id)
    for batch in engine.batches(records):
        _draw(workflow, connection_id, batch, now, failed or set())


def _draw(
    workflow: Workflow, connection_id: int, records: Mapping[int, datetime | None], now: datetime, failed: Collection[str]
) -> None:
    """Evaluate a batch; a record on which that fails is a dead letter, and the others go on."""
    model = mirror.models()[workflow.odoo_model]

    def take(some: Sequence[int]) -> None:
        _take(workflow, connection_id, {odoo_id: records[odoo_id] for odoo_id in some}, now)
        if failed:
            dead_letters.resolve(EVALUATING, connection_id, workflow.odoo_model, some, now=now, step=workflow.name)

    def refuse(odoo_id: int, error: Exception) -> None:
        logger.error("%s %s cannot be evaluated for %s", workflow.odoo_model, odoo_id, workflow.name, exc_info=error)
        problem = _problem(workflow, model, connection_id, odoo_id, error)
        letter = DeadLetter(model=workflow.odoo_model, odoo_id=odoo_id, problem=problem, step=workflow.name)
        dead_letters.add(EVALUATING, connection_id, [letter], now=now)
        # Otherwise time would make it due again at every look, and keep others out.
        place = Position.objects.filter(connection_id=connection_id, workflow=workflow.name, odoo_id=odoo_id)
        place.filter(look_again_at__lte=now).update(look_again_at=None)

    isolation.taken(sorted(records), take, refuse)


def _take(workflow: Workflow, connection_id: int, records: Mapping[int, datetime | None], now: datetime) -> None:
    """Evaluate a batch, and draw the consequences."""
    evaluation = engine.evaluate(workflow, connection_id=connection_id, records=records, now=now)
    case_reconcile.reconcile(evaluation, now=now)
    opening.reconcile(evaluation, now=now)
    if evaluation.moves or evaluation.vanished or evaluation.left:
        live.announce([f"board:{workflow.name}"])
    live.announce(f"record:{connection_id}:{workflow.odoo_model}:{odoo_id}" for odoo_id in list(records)[:ANNOUNCED_RECORDS])


def _problem(workflow: Workflow, model: type[Mirrored], connection_id: int, odoo_id: int, error: Exception) -> str:
    """The sentence for a record that cannot be evaluated: with what stands out in it, which is most likely to blame."""
    row = model.objects.filter(connection_id=connection_id, odoo_id=odoo_id).values().first() or {}
    children = [(mirror.models()[name], link) for name, link in model.children]
    odd = validation.suspects(model, children, connection_id, odoo_id)
    what = f"it cannot be evaluated for {workflow.title} ({validation.shown(error)})"
    remedy = f"What stands out: {odd}. Correct that in Odoo" if odd else validation.CORRECT
    return validation.problem(workflow.odoo_model, odoo_id, validation.name_of(row), "", what, remedy)


def reevaluate_due(*, now: datetime) -> int:
    """Look again at the records whose declared moment has come, a batch of one connection and workflow; how many.

    That the moment came is a change of the record like any other, at that moment: what depends on the record is looked at
    too, and a transition that follows carries the moment, however late this is called. Call it again at once while it
    returns :data:`LOOKED_AGAIN`. A batch that fails is logged and tried again with the next call; the others go on.
    """
    done = 0
    due = Position.objects.filter(look_again_at__lte=now)
    for connection_id, workflow_name in due.order_by().values_list("connection_id", "workflow").distinct():
        workflow = registry.workflows().get(workflow_name)
        try:
            with transaction.atomic():
                one_at_a_time(connection_id)
                batch = due.filter(connection_id=connection_id, workflow=workflow_name).order_by("look_again_at", "odoo_id")
                if workflow is None:
                    batch.update(look_again_at=None)  # its file was removed: nothing is left to look at
                    continue
                found = batch.values_list("odoo_id", "look_again_at")[:LOOKED_AGAIN]
                records = {odoo_id: moment for odoo_id, moment in found if moment}
                follow(connection_id, {workflow.odoo_model: records}, now=now)
        except Exception:
            logger.exception("Records of %s of connection %s could not be looked at again", workflow_name, connection_id)
            continue
        done = max(done, len(records))
    return done


def follow(connection_id: int, changed: Mapping[str, Mapping[int, datetime]], *, now: datetime) -> None:
    """Evaluate what depends on the ``changed`` records and on events that were matched, under :func:`one_at_a_time`.

    All workflows go in one savepoint, for nearly always nothing fails. Where something does, or did before, each goes in its
    own, and what fails is found. Then what vendors said in those events is proposed, and what was proposed before is compared
    with the changed orders; customers whose orders come on another day by that are to be told.
    """
    changed, events = absorbing.take_matched(connection_id, changed)
    failed = dead_letters.waiting(EVALUATING, connection_id)

    def together() -> None:
        for workflow in registry.workflows().values():
            records = _dependants(workflow, connection_id, _concerned(workflow, changed), changed, now)
            for batch in engine.batches(records):
                _take(workflow, connection_id, batch, now)

    if failed or not isolation.done_together(together):
        for workflow in registry.workflows().values():
            records = _affected(workflow, connection_id, changed, now, failed)
            evaluate(workflow.name, connection_id, records, now=now, failed=failed)
    proposals.follow(connection_id, changed, events, now=now)
    new_dates.follow(connection_id, changed, now=now)
    cause_groups.name_unknown(connection_id, changed.keys(), now=now)


def _concerned(workflow: Workflow, changed: Mapping[str, Mapping[int, datetime]]) -> list[tuple[str, int]]:
    """The changed records on which those of the workflow may depend."""
    names = {workflow.odoo_model, *(dependency.model for dependency in workflow.dependencies)}
    return [(name, odoo_id) for name in sorted(names & changed.keys()) for odoo_id in changed[name]]


def _dependants(
    workflow: Workflow,
    connection_id: int,
    some: Sequence[tuple[str, int]],
    changed: Mapping[str, Mapping[int, datetime]],
    now: datetime,
) -> dict[int, datetime]:
    """The workflow's records that ``some`` of the changes may move."""
    of_models: dict[str, dict[int, datetime]] = {}
    for name, odoo_id in some:
        of_models.setdefault(name, {})[odoo_id] = changed[name][odoo_id]
    return engine.affected(workflow, connection_id=connection_id, changed=of_models, now=now) if of_models else {}


def _affected(
    workflow: Workflow, connection_id: int, changed: Mapping[str, Mapping[int, datetime]], now: datetime, failed: Collection[str]
) -> dict[int, datetime | None]:
    """The records that the changes may move. A change whose dependants cannot be found is a dead letter, the others go on."""
    found: dict[int, datetime | None] = {}
    step = f"{workflow.name}, dependants"

    def take(some: Sequence[tuple[str, int]]) -> None:
        for odoo_id, at in _dependants(workflow, connection_id, some, changed, now).items():
            before = found.get(odoo_id)
            found[odoo_id] = max(at, before) if before else at
        if failed:
            for name in {name for name, _ in some}:
                rows = [odoo_id for model, odoo_id in some if model == name]
                dead_letters.resolve(EVALUATING, connection_id, name, rows, now=now, step=step)

    def refuse(one: tuple[str, int], error: Exception) -> None:
        name, odoo_id = one
        logger.error("What depends on %s %s cannot be found for %s", name, odoo_id, workflow.name, exc_info=error)
        model = mirror.models()[name]
        problem = _problem(workflow, model, connection_id, odoo_id, error)
        letter = DeadLetter(model=name, odoo_id=odoo_id, problem=problem, step=step)
        dead_letters.add(EVALUATING, connection_id, [letter], now=now)

    isolation.taken(_concerned(workflow, changed), take, refuse)
    return found


def evaluate_again(connection_id: int, records: Mapping[str, Collection[int]], *, now: datetime) -> None:
    """Evaluate records that could not be evaluated before, as if they had changed now, in the caller's transaction."""
    if any(records.values()):
        one_at_a_time(connection_id)
        follow(connection_id, {model: dict.fromkeys(ids, now) for model, ids in records.items()}, now=now)


def one_at_a_time(connection_id: int) -> None:
    """Two batches of one connection must not draw consequences side by side: each would miss what the other wrote."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7001, %s)", [connection_id])
