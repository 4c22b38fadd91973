"""What somebody asked for in Odoo, and the calls that answer it: the same for every workflow that holds records.

Odoo's guard, or the contextual action, leaves a row of ``x_ct_request`` behind (:mod:`apps.odoo.guards`). A workflow reads it
with :func:`asked`, and answers it, on every end that a request can have, with :func:`answer`.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_noop

from apps.workflows.declare import Dependency, Fact, OdooCall

# Who asked, where Odoo's user is not known. Kept as a name is, and translated where it is shown.
SOMEBODY = gettext_noop("somebody in Odoo")


def asked(kind: str, model: str, *, prefix: str = "", where: str = "TRUE") -> Fact:
    """The last ask for approval ``kind`` about the record: who, when, how it stands.

    Args:
        model: Odoo's name of the record's model.
        prefix: begins the names of the columns, where a workflow has several kinds: ``{prefix}ask_id``,
            ``{prefix}ask_state``, ``{prefix}ask_cause`` (tells one asking from the next), ``{prefix}asked_at``,
            ``{prefix}asked_by`` (a name) and ``{prefix}asked_login``.
        where: SQL over the record of which records are looked up at all; the others were asked for nothing.
    """
    names = ["ask_id", "ask_state", "asked_at", "ask_cause", "asked_by", "asked_login"]
    ask_id, state, at, cause, by, login = (prefix + name for name in names)
    return Fact(
        name=f"{prefix}asked",
        columns=[prefix + name for name in names],
        sql=f"""
        SELECT a.odoo_id AS {ask_id}, a.x_state AS {state}, a.x_requested_at AS {at},
               concat(a.odoo_id, '@', to_char(a.x_requested_at, 'YYYY-MM-DD"T"HH24:MI:SS')) AS {cause},
               COALESCE(u.name, '{SOMEBODY}') AS {by}, COALESCE(u.login, '') AS {login}
          FROM mirror_x_ct_request a
          LEFT JOIN mirror_res_users u ON u.connection_id = a.connection_id AND u.odoo_id = a.x_requested_uid
         WHERE {where} AND a.connection_id = r.connection_id AND a.x_res_model = '{model}' AND a.x_res_id = r.odoo_id
           AND a.x_kind = '{kind}' AND a.deleted_at IS NULL
         ORDER BY a.odoo_id DESC
         LIMIT 1
    """,
    )


def about(model: str) -> Dependency:
    """Records of ``model`` are looked at again when an ask about them changes."""
    return Dependency(
        model="x_ct_request",
        sql="SELECT DISTINCT a.x_res_id::bigint FROM mirror_x_ct_request a WHERE a.connection_id = %(connection)s"
        f" AND a.odoo_id = ANY(%(ids)s) AND a.x_res_model = '{model}'",
    )


def hold(kind: str, *, title: str, reason: str, require: Sequence[Any] = ()) -> OdooCall:
    """Mark the record as held for approval ``kind``; Odoo's own guard then refuses it with ``reason``."""
    return OdooCall(
        title=title,
        method="write",
        arguments={"vals": {"x_ct_hold": kind, "x_ct_hold_reason": reason, "x_ct_url": "{record_url}"}},
        require=require,
        expect=[["x_ct_hold", "=", kind], ["x_ct_hold_reason", "=", reason]],
    )


LIFT = OdooCall(
    title="Lift the hold",
    method="write",
    arguments={"vals": {"x_ct_hold": False, "x_ct_hold_reason": False}},
    expect=[["x_ct_hold", "=", False]],
)


def answer(state: str, reason: str = "{reason}", *, prefix: str = "") -> OdooCall:
    """Write on the ask what became of it. ``prefix`` as for :func:`asked`."""
    return OdooCall(
        title=f"Note the answer on what was asked: {state}",
        model="x_ct_request",
        record=f"{prefix}ask_id",
        method="write",
        arguments={"vals": {"x_state": state, "x_reason": reason}},
        expect=[["x_state", "=", state]],
    )


def note(body: str, *, title: str = "Note the decision in the record's chatter") -> OdooCall:
    """A note on the record, for everybody who works with it in Odoo."""
    return OdooCall(title=title, method="message_post", arguments={"body": body})


def activity(summary: str, *, person: str = "user_id", name: str = "", text: str = "{reason}") -> OdooCall:
    """An activity for the Odoo user in column ``person``; left out where the record has none.

    Args:
        summary: what is to be done, in a few words.
        name: column with the person's name.
        text: what the person reads; the reason of the decision, where nothing else is said.
    """
    what = "an activity with the reason" if text == "{reason}" else "an activity"
    return OdooCall(
        title=f"Give {{{name}}} {what}" if name else f"Give its owner {what}",
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
                }
            ]
        },
    )
