"""What somebody asked for in Odoo, and the calls that answer it: the same for every workflow that holds records.

Odoo's guard, or the contextual action, leaves a row of ``x_ct_request`` behind (:mod:`apps.odoo.guards`). A workflow reads it
with :func:`asked`, and answers it, on every end that a request can have, with :func:`answer`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from apps.odoo.guards import PARAMETERS, POLICY_ROW, TOGETHER, terms_field
from apps.workflows.declare import Dependency, Fact, OdooCall

# Who asked, where Odoo's user is not known. Kept as a name is, and translated where it is shown.
SOMEBODY = gettext_noop("someone in Odoo")
CUSTOMER = gettext_noop("the customer")


def asked_by_the_same(kind: str, model: str) -> str:
    """Return SQL that holds where one of ``%(people)s`` asked about the record ``r`` since ``%(since)s`` and was not refused.

    Guards count the same in Odoo (``of_the_same`` in :mod:`apps.odoo.guard_functions`): whoever asks is splitting, whoever made
    the record.
    """
    return f"""EXISTS (
                 SELECT FROM mirror_x_ct_request a
                  WHERE a.connection_id = r.connection_id AND a.x_res_model = '{model}' AND a.x_res_id = r.odoo_id
                    AND a.x_kind = '{kind}' AND a.x_state IN ('open', 'approved') AND a.x_requested_at >= %(since)s
                    AND a.x_requested_uid = ANY(%(people)s::bigint[]) AND a.deleted_at IS NULL)"""


def was_asked(kind: str, model: str) -> str:
    """Return SQL that holds where the record ``r`` was asked about since ``%(since)s``, and approved or not decided yet."""
    return f"""EXISTS (
                 SELECT FROM mirror_x_ct_request a
                  WHERE a.connection_id = r.connection_id AND a.x_res_model = '{model}' AND a.x_res_id = r.odoo_id
                    AND a.x_kind = '{kind}' AND a.x_state IN ('open', 'approved') AND a.x_requested_at >= %(since)s
                    AND a.deleted_at IS NULL)"""


def asked(kind: str, model: str, *, prefix: str = "", where: str = "TRUE", total: str = "") -> Fact:
    """The last ask for approval ``kind`` about the record: who, when, how it stands.

    Args:
        model: Odoo's name of the record's model.
        prefix: begins the names of the columns, where a workflow has several kinds: ``{prefix}ask_id``,
            ``{prefix}ask_state``, ``{prefix}ask_cause`` (tells one asking from the next), ``{prefix}asked_at``,
            ``{prefix}asked_by`` (a name), ``{prefix}asked_uid``, and what the guard saw: ``{prefix}ask_amount`` (in the
            record's currency), ``{prefix}ask_exposure`` and ``{prefix}ask_limit`` (in the company's) and ``{prefix}ask_terms``
            (JSON, what a release would name); ``{prefix}is_asked`` holds while it is open and has figures, and
            ``{prefix}asks_to_confirm`` where it was refused as it was confirmed, not when it was changed afterwards, and
            ``{prefix}ask_is_outdated`` where such a record was written since. ``{prefix}ask_stands`` holds while it is open and
            the record says the total that it said then: what the guard counted is asked for, whatever that total is.
        where: SQL over the record of which records are looked up at all; the others were asked for nothing.
        total: SQL of the record's total, where it has one.
    """
    names = [
        "ask_id",
        "ask_state",
        "asked_at",
        "ask_cause",
        "asked_by",
        "asked_uid",
        "ask_amount",
        "ask_exposure",
        "ask_limit",
        "ask_terms",
        "is_asked",
        "asks_to_confirm",
        "ask_is_outdated",
        "ask_stands",
    ]
    names = [prefix + name for name in names]
    ask_id, state, at, cause, by, uid, amount, exposure, limit, terms, is_asked, confirms, outdated, stands = names
    return Fact(
        name=f"{prefix}asked",
        columns=names,
        sql=f"""
        SELECT a.odoo_id AS {ask_id}, a.x_state AS {state}, a.x_requested_at AS {at},
               concat(a.odoo_id, '@', to_char(a.x_requested_at, 'YYYY-MM-DD"T"HH24:MI:SS')) AS {cause},
               CASE WHEN a.x_by_customer THEN '{CUSTOMER}' ELSE COALESCE(u.name, '{SOMEBODY}') END AS {by},
               a.x_requested_uid AS {uid}, a.x_amount AS {amount}, a.x_exposure AS {exposure}, a.x_limit AS {limit},
               NULLIF(a.x_terms, '') AS {terms},
               a.x_state = 'open' AND (a.x_amount > 0 OR a.x_exposure > 0) AS {is_asked},
               COALESCE(a.x_terms LIKE '%%"confirms": true%%', FALSE) AS {confirms},
               COALESCE(a.x_terms LIKE '%%"confirms": true%%' AND r.write_date > a.write_date, FALSE) AS {outdated},
               {f"a.x_state = 'open' AND a.x_amount > 0 AND abs(a.x_total - {total}) < 0.0005" if total else "FALSE"} AS {stands}
          FROM mirror_x_ct_request a
          LEFT JOIN mirror_res_users u ON u.connection_id = a.connection_id AND u.odoo_id = a.x_requested_uid
         WHERE {where} AND a.connection_id = r.connection_id AND a.x_res_model = '{model}' AND a.x_res_id = r.odoo_id
           AND a.x_kind = '{kind}' AND a.deleted_at IS NULL
         ORDER BY a.odoo_id DESC
         LIMIT 1
    """,
    )


def told(prefix: str, *, owner: str) -> Fact:
    """Who is told in Odoo what was decided: ``{prefix}told_id`` and ``{prefix}told_name``.

    That is whoever asked there; the owner where a customer did, Odoo itself or the tower, or nobody in Odoo.

    Args:
        prefix: as for :func:`asked`, whose columns it reads.
        owner: SQL with the Odoo user who owns the record.
    """
    asked_uid = f"{prefix}asked.{prefix}asked_uid"
    return Fact(
        name=f"{prefix}told",
        columns=[f"{prefix}told_id", f"{prefix}told_name"],
        sql=f"""
        SELECT u.odoo_id AS {prefix}told_id, u.name AS {prefix}told_name
          FROM mirror_res_users u
         WHERE u.connection_id = r.connection_id AND u.deleted_at IS NULL
           AND u.odoo_id = COALESCE(
             (SELECT asker.odoo_id FROM mirror_res_users asker
               WHERE asker.connection_id = r.connection_id AND asker.odoo_id = {asked_uid} AND asker.odoo_id > 1
                 AND asker.active AND asker.share IS NOT TRUE AND asker.deleted_at IS NULL
                 AND asker.odoo_id IS DISTINCT FROM (SELECT c.uid FROM odoo_connection c WHERE c.id = r.connection_id)),
             {owner})
    """,
    )


def comes_to_wait(word: str, workflow: str) -> str:
    """Return SQL of what tells one asking about the record ``r`` from the next where it is asked about as it comes to a stage.

    A record that leaves the workflow and comes back has another position, perhaps of the same moment.
    """
    return f"""(SELECT concat('{word}@', p.id, '@', to_char(p.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))
                  FROM workflows_position p
                 WHERE p.connection_id = r.connection_id AND p.workflow = '{workflow}' AND p.odoo_id = r.odoo_id)"""


def about(model: str) -> Dependency:
    """Records of ``model`` are looked at again when an ask about them changes."""
    return Dependency(
        model="x_ct_request",
        sql="SELECT DISTINCT a.x_res_id::bigint FROM mirror_x_ct_request a WHERE a.connection_id = %(connection)s"
        f" AND a.odoo_id = ANY(%(ids)s) AND a.x_res_model = '{model}'",
    )


def together(kind: str, model: str, *, of: str = "", where: str = "TRUE") -> Dependency:
    """Records of ``model`` that are asked about are looked at again when what counts together with them may have changed.

    Args:
        kind: the approval kind; only where its policy is cumulative.
        of: Odoo's model of what counts together, where it is another.
        where: SQL over ``%(ids)s`` that tells whether the changed ones count at all.
    """
    return Dependency(
        model=of or model,
        sql=f"""
        SELECT DISTINCT a.x_res_id::bigint
          FROM mirror_x_ct_request a
         WHERE a.connection_id = %(connection)s AND a.x_res_model = '{model}' AND a.x_kind = '{kind}' AND a.x_state = 'open'
           AND a.deleted_at IS NULL AND cardinality(%(ids)s::bigint[]) > 0
           AND EXISTS (SELECT FROM mirror_x_ct_request rule
                        WHERE rule.connection_id = a.connection_id AND rule.x_res_model = '{POLICY_ROW}' AND rule.x_kind = a.x_kind
                          AND COALESCE(rule.x_terms, '') NOT IN ('', 'null') AND rule.deleted_at IS NULL
                        UNION ALL
                       SELECT FROM mirror_x_ct_request own
                        WHERE own.connection_id = a.connection_id AND own.x_res_model = '{POLICY_ROW}'
                          AND own.x_kind = '{PARAMETERS}' AND own.x_terms LIKE '%%"{TOGETHER}' || a.x_kind || '"%%'
                          AND own.deleted_at IS NULL)
           AND {where}
    """,
    )


# What a rejected hold says on a record that customers may read over RPC: why stands on the ask and in the note, which they may not.
REJECTED = "The note on it says why."


def hold(
    kind: str, *, title: str, reason: str, require: Sequence[Any] = (), is_rejected: bool = False, only_if: str = ""
) -> OdooCall:
    """Mark the record as held for approval ``kind``; Odoo's own guard then refuses it with ``reason``.

    Args:
        is_rejected: it was decided, with no; trying once more asks for nothing.
        only_if: column that has to hold, or nothing is held.
    """
    values = {"x_ct_hold": kind, "x_ct_hold_reason": reason, "x_ct_rejected": is_rejected}
    return OdooCall(
        title=title,
        method="write",
        arguments={"vals": values},
        require=require,
        expect=[["x_ct_hold", "=", kind], ["x_ct_hold_reason", "=", reason]],
        only_if=only_if,
    )


UNHELD = {"x_ct_hold": False, "x_ct_hold_reason": False, "x_ct_rejected": False}
LIFT = OdooCall(
    title="Lift the hold",
    method="write",
    arguments={"vals": UNHELD},
    expect=[["x_ct_hold", "=", False]],
)


def answer(state: str, reason: str = "{reason}", *, prefix: str = "") -> OdooCall:
    """Write on the ask what became of it. ``prefix`` as for :func:`asked`."""
    return OdooCall(
        title=f"Add a note with the decision: {state}",
        model="x_ct_request",
        record=f"{prefix}ask_id",
        method="write",
        arguments={"vals": {"x_state": state, "x_reason": reason}},
        expect=[["x_state", "=", state]],
    )


def release(
    field: str, *, title: str, amount: str, terms: str, require: Sequence[Any], values: Mapping[str, Any] | None = None
) -> OdooCall:
    """Release the record up to the number in column ``amount``, for the ``terms`` (a column with JSON), and for no others.

    Args:
        field: the field of the record with the number.
        require: what the record must match before: what was approved is this record as it was seen.
        values: what else is written.
    """
    number = f"{{{amount}:number}}"
    return OdooCall(
        title=title,
        method="write",
        arguments={"vals": {**UNHELD, field: number, terms_field(field): f"{{{terms}}}", **(values or {})}},
        require=require,
        expect=[["x_ct_hold", "=", False], [field, ">=", number]],
    )


def note(body: str, *, title: str = "Note the decision in the record's chatter") -> OdooCall:
    """A note on the record, for everybody who works with it in Odoo."""
    return OdooCall(title=title, method="message_post", arguments={"body": body})


def activity(summary: str, *, person: str = "user_id", name: str = "", text: str = "{reason}", due: str = "") -> OdooCall:
    """An activity for the Odoo user in column ``person``; left out where the record has none.

    Args:
        summary: what is to be done, in a few words.
        name: column with the person's name.
        text: what the person reads; the reason of the decision, where nothing else is said.
        due: column with the day by which it is to be done; as Odoo has it, where none is named.
    """
    deadline = {"date_deadline": f"{{{due}}}"} if due else {}
    reason = " with the reason" if text == "{reason}" else ""
    return OdooCall(
        title=f"Create an activity for {{{name}}}{reason}" if name else f"Create an activity for the owner{reason}",
        method="create",
        model="mail.activity",
        only_if=person,
        arguments={
            "vals_list": [
                {
                    "res_model_id": "{model:ref}",
                    "res_id": "{odoo_id:number}",
                    "user_id": f"{{{person}:number}}",
                    "summary": summary,
                    "note": text,
                    **deadline,
                }
            ]
        },
    )
