"""Code that runs inside Odoo, as text: what refuses a move there, and what leaves the trace of the attempt.

A refusal rolls Odoo's transaction back, and with it everything that the guard wrote. So the guard writes the ask for a
decision in a cursor of its own, commits it, and only then refuses: the row of ``x_ct_request`` stays, and its own
webhook tells the tower within a tenth of a second.

The texts obey Odoo's ``safe_eval``: no imports, no attribute assignment, no double underscores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent, indent

from django.conf import settings

from apps.odoo.blueprint import CustomField, CustomModel, ViewPatch
from apps.odoo.models import Connection

ASK = "x_ct_request"
HEARTBEAT = "x_ct_heartbeat"

ASK_MODEL = CustomModel(
    ASK,
    "Control Tower: asks for a decision",
    [
        CustomField(ASK, "x_res_model", "char", "Model"),
        CustomField(ASK, "x_res_id", "integer", "Record"),
        CustomField(ASK, "x_kind", "char", "Kind of approval"),
        CustomField(ASK, "x_state", "char", "State", "open, approved, rejected or withdrawn"),
        CustomField(ASK, "x_reason", "text", "Reason"),
        CustomField(ASK, "x_count", "integer", "Attempts"),
        CustomField(ASK, "x_requested_at", "datetime", "Asked at"),
        CustomField(ASK, "x_requested_uid", "integer", "Asked by"),
        CustomField(ASK, "x_amount", "float", "Amount"),
        CustomField(ASK, "x_exposure", "float", "Exposure"),
        CustomField(ASK, "x_limit", "float", "Limit"),
    ],
)

HEARTBEAT_MODEL = CustomModel(
    HEARTBEAT, "Control Tower: heartbeat", [CustomField(HEARTBEAT, "x_at", "datetime", "Last beat")]
)
# One row, written by a scheduled action: its webhook proves that Odoo's messages reach the tower.
HEARTBEAT_CODE = dedent(f"""\
    beat = env['{HEARTBEAT}'].sudo().search([], limit=1)
    values = {{'x_at': datetime.datetime.utcnow().replace(microsecond=0)}}
    if beat:
        beat.write(values)
    else:
        beat.create(values)
    """)

@dataclass(frozen=True, kw_only=True)
class Condition:
    """When a guard refuses: Odoo server-action code over ``record``, and the approval that is then asked for.

    The code sets ``why`` to the sentence that its user reads, or leaves it False to let the record through. It may set
    ``amount``, ``exposure`` and ``limit``, the facts of the ask.
    """

    approval: str
    code: str


def hold_fields(model: str) -> tuple[CustomField, ...]:
    """The fields by which the tower holds a record of ``model``."""
    return (
        CustomField(model, "x_ct_hold", "char", "Held for", "The approval that this record waits for", True),
        CustomField(model, "x_ct_hold_reason", "text", "Why it is held", tower_only=True),
        CustomField(model, "x_ct_url", "char", "In Control Tower", tower_only=True),
    )


def hold_banner(model: str, form: str) -> ViewPatch:
    """The line on the form with the external id ``form`` that says that a record is held, why, and where to look."""
    return ViewPatch(
        "hold banner",
        model,
        form,
        dedent("""\
            <xpath expr="//sheet" position="before">
                <field name="x_ct_hold" invisible="1"/>
                <div class="alert alert-warning mb-0" role="alert" invisible="not x_ct_hold">
                    <strong>Held by Control Tower.</strong>
                    <field name="x_ct_hold_reason" readonly="1" nolabel="1"/>
                    <field name="x_ct_url" widget="url" readonly="1" nolabel="1"/>
                </div>
            </xpath>"""),
    )


# A held record is refused for what it is held for alone. Otherwise all conditions are tried, so that one attempt asks for
# every decision that the record needs.
GUARD = """\
{subject}
total = record.sudo().amount_total if 'amount_total' in record._fields else 0.0
found = []
if record.sudo().x_ct_hold:
    why = record.sudo().x_ct_hold_reason or '%s is held for a decision.' % record.sudo().display_name
    found.append((record.sudo().x_ct_hold, why, {{'x_amount': total}}))
else:
{conditions}
if found:
    place = {place!r} % (record._name, record.id)
    rejections = []
    own = env.registry.cursor()
    try:
        asks = env(cr=own, su=True)['{ask}']
        for kind, why, figures in found:
            # Two people pressing at once must find one row: the second waits here for the first.
            lock = '{ask} %s %s %s' % (record._name, record.id, kind)
            own.execute('SELECT pg_advisory_xact_lock(hashtext(%s))', [lock])
            ask = asks.search([
                ('x_res_model', '=', record._name), ('x_res_id', '=', record.id), ('x_kind', '=', kind)
            ], limit=1)
            values = {{
                **figures,
                'x_requested_at': datetime.datetime.utcnow().replace(microsecond=0),
                'x_requested_uid': env.uid,
            }}
            amount = figures['x_amount']
            same_amount = float_compare(ask.x_amount, amount, precision_digits=2) == 0 if ask else False
            if not ask:
                asks.create({{
                    **values,
                    'x_res_model': record._name,
                    'x_res_id': record.id,
                    'x_kind': kind,
                    'x_state': 'open',
                    'x_count': 1,
                }})
            elif ask.x_state == 'rejected' and same_amount:
                rejections.append(ask.x_reason or 'It was rejected.')
            elif ask.x_state == 'open':
                ask.write({{**values, 'x_count': ask.x_count + 1}})
            else:
                ask.write({{**values, 'x_count': ask.x_count + 1, 'x_state': 'open', 'x_reason': False}})
        own.commit()
    finally:
        own.close()
    said = '\\n'.join([why for kind, why, figures in found])
    if rejections:
        raise UserError('%s\\n\\nThe approval was rejected: %s\\n%s' % (said, ' '.join(rejections), place))
    raise UserError('%s\\n\\nAn approval has been asked for. See where it stands: %s' % (said, place))
"""

CONDITION = """\
why = False
amount = total
limit = 0.0
exposure = 0.0
{code}
if why:
    found.append(({kind!r}, why, {{'x_amount': amount, 'x_exposure': exposure, 'x_limit': limit}}))
"""

ASK_CODE = """\
for one in records:
    asks = env['{ask}'].sudo()
    ask = asks.search([('x_res_model', '=', one._name), ('x_res_id', '=', one.id), ('x_kind', '=', {kind!r})], limit=1)
    values = {{
        'x_state': 'open',
        'x_requested_at': datetime.datetime.utcnow().replace(microsecond=0),
        'x_requested_uid': env.uid,
        'x_amount': one.amount_total if 'amount_total' in one._fields else 0.0,
    }}
    if ask:
        ask.write({{**values, 'x_count': ask.x_count + 1, 'x_reason': False}})
    else:
        asks.create({{**values, 'x_res_model': one._name, 'x_res_id': one.id, 'x_kind': {kind!r}, 'x_count': 1}})
"""


def _place(connection: Connection) -> str:
    return f"{settings.PUBLIC_URL}/records/{connection.name}/%s/%s/"


def guard_code(conditions: Sequence[Condition], *, subject: str = "", connection: Connection) -> str:
    """The code of a guard: refuse a record that is held or meets a condition, and leave the asks for decisions behind.

    ``subject`` is code that makes another ``record``, or an empty one, out of the one that was changed.

    An open ask counts the attempt. A rejected one is asked again only when the amount is another; an approved or
    withdrawn one that no longer lets the record through is asked again.
    """
    tried = "".join(CONDITION.format(kind=one.approval, code=one.code.strip()) for one in conditions)
    return GUARD.format(
        subject=subject.strip(), conditions=indent(tried.strip(), "    "), place=_place(connection), ask=ASK
    )


def ask_code(kind: str) -> str:
    """The code of the action by which a person asks for approval ``kind`` of the records they stand on.

    It writes the row that the guard writes, in the person's own transaction.
    """
    return ASK_CODE.format(kind=kind, ask=ASK)
