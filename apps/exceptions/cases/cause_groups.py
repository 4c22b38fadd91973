"""One cause, one group: exceptions that wait for the same record, kept together in sets as they open, change and end.

Each exception says which record is to blame (``root_kind``, ``root_id``, ``root_place``). A transfer and its sales order wait for
the same goods: the transfer follows its order (``follows_id``), so that both name the one purchase order. The group's figures are
worked out from its open members under a lock of the group, so that of two transactions the later one counts what the earlier
one wrote.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db.models import CharField, Count, Q, Value
from django.db.models.functions import Cast, Concat

from apps.accounts import access
from apps.accounts.models import User
from apps.audit import trail
from apps.core import actor, live, statements
from apps.exceptions.cases import owners as owners_of
from apps.exceptions.models import CauseGroup, ExceptionCase, Status
from apps.workflows import registry, root_causes
from apps.workflows.root_causes import Key, RootCause

ROOTS = ("root_kind", "root_id", "root_place", "follows_id", "follows_first", "further_roots")
FOLLOWED = root_causes.SALES_ORDER
MACHINE = actor.system("pipeline")
# Models by whose rows a cause is called beside its own: a product's name is its template's.
NAMING = frozenset({"product.template", "res.partner", "stock.warehouse"})
# So many causes beside the first are kept: nobody reads the twentieth.
FURTHER = 10
# So many ways to end are kept apart.
MOST_ENDINGS = 5


def roots_of(causes: Sequence[RootCause], columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an exception keeps of its causes, by the names of its columns."""
    keys = root_causes.keys_of(causes, columns)
    own = [key for key in keys if key.kind != FOLLOWED.name]
    followed = next((key for key in keys if key.kind == FOLLOWED.name), None)
    first = own[0] if own else None
    return {
        "root_kind": first.kind if first else "",
        "root_id": first.odoo_id if first else None,
        "root_place": first.place if first else 0,
        "follows_id": followed.odoo_id if followed else None,
        "follows_first": bool(followed) and keys[0] == followed,
        "further_roots": [str(key) for key in own[1 : FURTHER + 1]],
    }


RESOLVED_KEYS = statements.load(__file__, "cause_keys")

# Those that follow an order whose own exceptions were touched.
FOLLOWERS = """
SELECT f.id
  FROM exceptions_exceptioncase f
  JOIN exceptions_exceptioncase t ON t.id = ANY(%(ids)s) AND t.model = %(followed_model)s
   AND f.connection_id = t.connection_id AND f.follows_id = t.odoo_id
 WHERE f.status <> 'resolved' AND f.follows_id > 0
"""

JOIN_GROUPS = f"""
WITH key AS ({RESOLVED_KEYS}), wanted AS (
  SELECT c.id, c.group_id AS before, g.id AS after
    FROM exceptions_exceptioncase c
    LEFT JOIN key ON key.id = c.id
    LEFT JOIN exceptions_causegroup g ON g.ended_at IS NULL AND g.connection_id = key.connection_id AND g.kind = key.kind
     AND g.odoo_id = key.odoo_id AND g.place = key.place AND g.company_id IS NOT DISTINCT FROM key.company_id
   WHERE c.id = ANY(%(ids)s) AND c.status <> 'resolved'
), joined AS (
  UPDATE exceptions_exceptioncase c
     SET group_id = wanted.after, is_grouped = FALSE
    FROM wanted
   WHERE c.id = wanted.id AND wanted.before IS DISTINCT FROM wanted.after
)
SELECT before FROM wanted UNION SELECT after FROM wanted
UNION
SELECT group_id FROM exceptions_exceptioncase WHERE id = ANY(%(ids)s) AND status = 'resolved'
"""

# What opens into a group that a person gave to somebody is theirs.
TAKE_OVER = """
UPDATE exceptions_exceptioncase c
   SET owner_id = g.owner_id, owned_at = COALESCE(c.owned_at, %(now)s)
  FROM exceptions_causegroup g
  JOIN accounts_user u ON u.id = g.owner_id AND u.is_active
 WHERE c.id = ANY(%(ids)s) AND g.id = c.group_id AND g.assigned_at IS NOT NULL AND g.ended_at IS NULL
   AND c.opened_at = %(now)s AND c.status = 'open' AND c.owner_id IS DISTINCT FROM g.owner_id
RETURNING c.id, c.connection_id, c.company_id, COALESCE(NULLIF(concat_ws(' ', u.first_name, u.last_name), ''), u.username)
"""

# What each group puts at risk: of each record its largest sum, and of the record that is to blame no more than the others do
# not tell already.
FIGURES = statements.load(__file__, "cause_figures")

MARK = """
UPDATE exceptions_exceptioncase c
   SET is_grouped = g.cases_count >= 2
  FROM exceptions_causegroup g
 WHERE g.id = ANY(%(groups)s) AND c.group_id = g.id AND c.status <> 'resolved' AND c.is_grouped <> (g.cases_count >= 2)
"""


def follow(cases: Iterable[ExceptionCase], *, now: datetime) -> None:
    """Bring the groups in step with ``cases`` as they are stored now, in the caller's transaction; call it after every move.

    1. Find the cause of each, and of those that follow their orders.
    2. Make the groups that there are not yet, with an owner of the team that answers for such causes.
    3. Put each exception into its group, and out of the one that it was in.
    4. Work out the figures of all groups concerned, and end those that have no open member left.
    """
    ids = [case.pk for case in cases if case.root_kind or case.follows_id or case.group_id]
    if not ids:
        return
    values: dict[str, Any] = {
        "ids": ids,
        "followed": FOLLOWED.name,
        "followed_model": FOLLOWED.model,
        "holding": [name for name, kind in registry.cause_kinds().items() if kind.holds_goods],
    }
    with database.cursor() as cursor:
        cursor.execute(FOLLOWERS, values)
        values["ids"] = sorted({*ids, *(row[0] for row in cursor.fetchall())})
        cursor.execute(
            f"SELECT DISTINCT k.connection_id, k.company_id, k.kind, k.odoo_id, k.place FROM ({RESOLVED_KEYS}) AS k"
            " WHERE NOT EXISTS (SELECT FROM exceptions_causegroup g WHERE g.ended_at IS NULL"
            " AND g.connection_id = k.connection_id AND g.kind = k.kind AND g.odoo_id = k.odoo_id AND g.place = k.place"
            " AND g.company_id IS NOT DISTINCT FROM k.company_id)",
            values,
        )
        # A kind that nothing declares any more has no group.
        known = registry.cause_kinds()
        _make([(row[0], row[1], Key(*row[2:])) for row in cursor.fetchall() if row[2] in known], now)
        cursor.execute(JOIN_GROUPS, values)
        groups = sorted(row[0] for row in cursor.fetchall() if row[0])
        cursor.execute(TAKE_OVER, {**values, "now": now})
        _record_owners(cursor.fetchall(), now)
        if groups:
            _work_out(groups, now)


def number_of(odoo_id: int) -> str:
    """Return what a cause is called whose record is not mirrored yet."""
    return f"#{odoo_id}"


def name_unknown(connection_id: int, changed: Collection[str], *, now: datetime) -> None:
    """Name the open groups whose record was not mirrored when they began, where one of the ``changed`` models may name it."""
    kinds = registry.cause_kinds()
    if not (NAMING | {kind.model for kind in kinds.values()}).intersection(changed):
        return
    numbered = Concat(Value("#"), Cast("odoo_id", CharField()))
    unknown = CauseGroup.objects.filter(Q(name=numbered) | Q(name=""), connection_id=connection_id, ended_at=None).order_by("id")
    of_kind: dict[str, dict[Key, CauseGroup]] = {}
    for group in unknown:
        if group.kind in kinds:
            of_kind.setdefault(group.kind, {})[Key(group.kind, group.odoo_id, group.place)] = group
    named = []
    for kind, groups in of_kind.items():
        for key, (name, about) in root_causes.names_of(connection_id, kinds[kind], groups).items():
            if name:
                group = groups[key]
                group.name, group.about, group.updated_at = name, about, now
                named.append(group)
    if named:
        CauseGroup.objects.bulk_update(named, ["name", "about", "updated_at"])
        live.announce(["queue"])


def _record_owners(given: Sequence[tuple[int, int, int | None, str]], now: datetime) -> None:
    """Put on the trail what went to the owner of its group as it opened."""
    trail.record_all(
        [
            trail.Event(
                action="exception.assigned",
                actor=MACHINE,
                subject=f"exception:{case_id}",
                data={"owner": owner, "team": None},
                about=(connection_id, company_id),
            )
            for case_id, connection_id, company_id, owner in given
        ],
        now=now,
    )


def assign(groups: Collection[int], *, owner: User | None, by: User, now: datetime) -> None:
    """Give the groups to ``owner``, and with them what joins them from now on; none: to nobody."""
    mine = access.scope_of(by)
    found = list(CauseGroup.objects.select_for_update().filter(mine.of_records(), pk__in=groups, ended_at=None).order_by("id"))
    theirs = access.scope_of(owner) if owner else None
    given = [group for group in found if theirs is None or theirs.sees(group.connection_id, group.company_id)]
    for group in given:
        group.owner, group.assigned_at, group.updated_at = owner, now if owner else None, now
    CauseGroup.objects.bulk_update(given, ["owner", "assigned_at", "updated_at"])
    trail.record_all(
        [
            trail.Event(
                action="cause_group.assigned",
                actor=by.actor,
                subject=f"cause-group:{group.pk}",
                data={"owner": str(owner) if owner else None, "cause": group.name, "kind": group.kind},
                about=(group.connection_id, group.company_id),
            )
            for group in given
        ],
        now=now,
    )
    live.announce(["queue"])


def _make(missing: Sequence[tuple[int, int | None, Key]], now: datetime) -> None:
    if not missing:
        return
    teams = owners_of.teams({registry.cause_kinds()[key.kind].team for _, _, key in missing})
    names: dict[tuple[int, Key], tuple[str, str]] = {}
    turns: dict[tuple[int, str], owners_of.Owners] = {}
    for connection_id, kind in sorted({(connection_id, key.kind) for connection_id, _, key in missing}):
        keys = {key for of, _, key in missing if of == connection_id and key.kind == kind}
        found = root_causes.names_of(connection_id, registry.cause_kinds()[kind], sorted(keys))
        names |= {(connection_id, key): name for key, name in found.items()}
    made = []
    for connection_id, company_id, key in missing:
        team = teams[registry.cause_kinds()[key.kind].team]
        if (connection_id, team.slug) not in turns:
            turns[connection_id, team.slug] = owners_of.Owners(team, connection_id)
        name, about = names[connection_id, key]
        # A new product may be sold before it is read itself: until then its number stands for it, see name_unknown.
        made.append(
            CauseGroup(
                connection_id=connection_id,
                company_id=company_id,
                kind=key.kind,
                odoo_id=key.odoo_id,
                place=key.place,
                name=name or number_of(key.odoo_id),
                about=about,
                team=team,
                owner=turns[connection_id, team.slug].next(company_id),
                opened_at=now,
                updated_at=now,
            )
        )
    CauseGroup.objects.bulk_create(made, ignore_conflicts=True)


def _work_out(groups: Sequence[int], now: datetime) -> None:
    """Count the open members of the groups anew. The lock comes first: a count must see what the one before it has written."""
    values: dict[str, Any] = {
        "groups": list(groups),
        "followed_model": FOLLOWED.model,
        "models": json.dumps({name: kind.model for name, kind in registry.cause_kinds().items()}),
        "now": now,
    }
    with database.cursor() as cursor:
        cursor.execute("SELECT 1 FROM exceptions_causegroup WHERE id = ANY(%(groups)s) ORDER BY id FOR UPDATE", values)
        cursor.execute(FIGURES, values)
        ended = [group_id for group_id, count in cursor.fetchall() if not count]
        cursor.execute(MARK, values)
    if ended:
        _end(ended)
    live.announce(["queue"])


def _end(groups: Collection[int]) -> None:
    """Say of groups that have ended how their exceptions did."""
    counted: dict[int, list[tuple[str, bool | None, int]]] = {}
    ends = (
        ExceptionCase.objects.filter(group__in=groups, status=Status.RESOLVED)
        .order_by()
        .values_list("group_id", "resolution", "closed_itself")
        .annotate(n=Count("id"))
    )
    for group_id, resolution, closed_itself, n in ends:
        counted.setdefault(group_id, []).append((resolution, closed_itself, n))
    ended = list(CauseGroup.objects.filter(id__in=groups))
    for group in ended:
        ways = sorted(counted.get(group.pk, []), key=lambda way: (-way[2], way[0]))
        group.ending = {
            "closed": sum(n for _, by_itself, n in ways if by_itself),
            "resolved": sum(n for _, by_itself, n in ways if not by_itself),
            "ways": [{"resolution": resolution, "count": n} for resolution, _, n in ways[:MOST_ENDINGS]],
        }
    CauseGroup.objects.bulk_update(ended, ["ending"])
