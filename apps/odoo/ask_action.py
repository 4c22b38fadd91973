"""The code of the Action menu of Odoo with which a person asks for an approval."""

from collections.abc import Sequence
from typing import Any

from apps.odoo.guard_functions import ASKED_AT
from apps.odoo.guards import ASK, ASKED

# What it ends with is shown to the person: without it, nothing on the form would tell that anything was done.
ASK_CODE = """\
new = 0
fit = records.sudo().search([('id', 'in', records.ids)] + {domain!r})
for one in fit:
    asks = env['{ask}'].sudo()
    ask = asks.search([('x_res_model', '=', one._name), ('x_res_id', '=', one.id), ('x_kind', '=', {kind!r})], limit=1)
    now = datetime.datetime.utcnow().replace(microsecond=0)
    if ask and ask.x_state == 'open':
        ask.write({{'x_count': ask.x_count + 1, 'x_attempted_at': now}})
        continue
    new += 1
    values = {{
        'x_state': 'open',
        'x_requested_at': {asked_at},
        'x_attempted_at': now,
        'x_requested_uid': env.uid,
        'x_by_customer': env.user.share,
        'x_amount': one.amount_total if 'amount_total' in one._fields else 0.0,
        'x_terms': False,
        'x_reason': False,
        'x_why': False,
    }}
    if ask:
        ask.write({{**values, 'x_count': ask.x_count + 1}})
    else:
        asks.create({{**values, 'x_res_model': one._name, 'x_res_id': one.id, 'x_kind': {kind!r}, 'x_count': 1}})
message = {asked!r} if new else 'This approval was asked for before and waits for a decision.'
if not fit:
    message = {unfit!r}
elif len(fit) < len(records):
    message = message + ' %s of those selected are left out: it is for %s.' % (len(records) - len(fit), {what!r})
action = {{
    'type': 'ir.actions.client',
    'tag': 'display_notification',
    'params': {{
        'title': 'Control Tower',
        'message': message,
        'type': 'warning' if len(fit) < len(records) else 'success' if new else 'info',
    }},
}}
"""


def ask_code(kind: str, what: str = "", domain: Sequence[Any] = ()) -> str:
    """The code of the action by which a person asks for approval ``kind`` of the records they stand on.

    It writes the row that the guard writes, in the person's own transaction.

    Args:
        what: what it can be asked for, in words.
        domain: the same as Odoo's domain; of other records nothing is asked, and the person reads why.
    """
    unfit = f"Nothing has been asked for: this approval is for {what}."
    return ASK_CODE.format(kind=kind, ask=ASK, asked=ASKED, asked_at=ASKED_AT, domain=list(domain), unfit=unfit, what=what)
