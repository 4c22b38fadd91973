"""Code that runs inside Odoo, as text: what refuses a move there, and what leaves the trace of the attempt.

A refusal rolls Odoo's transaction back, and with it everything that the guard wrote. So the guard writes the ask for a
decision in a cursor of its own, commits it, and only then refuses: the row of ``x_ct_request`` stays, and its own
webhook tells the tower within a tenth of a second.

The texts obey Odoo's ``safe_eval``: no imports, no attribute assignment, no double underscores.
"""

from textwrap import dedent

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

SALE_HOLD_FIELDS = (
    CustomField("sale.order", "x_ct_hold", "char", "Held for", "The approval that this order waits for", True),
    CustomField("sale.order", "x_ct_hold_reason", "text", "Why it is held", tower_only=True),
    CustomField(
        "sale.order",
        "x_ct_released_amount",
        "float",
        "Released up to",
        "Control Tower released the order up to this total",
        tower_only=True,
    ),
    CustomField("sale.order", "x_ct_url", "char", "In Control Tower", tower_only=True),
)

SALE_HOLD_BANNER = ViewPatch(
    "hold banner",
    "sale.order",
    "sale.view_order_form",
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

GUARD = """\
why = False
kind = {kind!r}
amount = 0.0
limit = 0.0
exposure = 0.0
{condition}
if why:
    place = {place!r} % (record._name, record.id)
    rejection = False
    own = env.registry.cursor()
    try:
        # Two people pressing at once must find one row: the second waits here for the first.
        own.execute('SELECT pg_advisory_xact_lock(hashtext(%s))', ['{ask} %s %s %s' % (record._name, record.id, kind)])
        asks = env(cr=own, su=True)['{ask}']
        ask = asks.search([
            ('x_res_model', '=', record._name), ('x_res_id', '=', record.id), ('x_kind', '=', kind)
        ], limit=1)
        values = {{
            'x_requested_at': datetime.datetime.utcnow().replace(microsecond=0),
            'x_requested_uid': env.uid,
            'x_amount': amount,
            'x_exposure': exposure,
            'x_limit': limit,
        }}
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
            rejection = ask.x_reason or 'It was rejected.'
        elif ask.x_state == 'open':
            ask.write({{**values, 'x_count': ask.x_count + 1}})
        else:
            ask.write({{**values, 'x_count': ask.x_count + 1, 'x_state': 'open', 'x_reason': False}})
        own.commit()
    finally:
        own.close()
    if rejection:
        raise UserError('%s\\n\\nThe approval was rejected: %s\\n%s' % (why, rejection, place))
    raise UserError('%s\\n\\nAn approval has been asked for. See where it stands: %s' % (why, place))
"""

ASK_CODE = """\
for one in records:
    asks = env['{ask}'].sudo()
    ask = asks.search([('x_res_model', '=', one._name), ('x_res_id', '=', one.id), ('x_kind', '=', {kind!r})], limit=1)
    values = {{
        'x_state': 'open',
        'x_requested_at': datetime.datetime.utcnow().replace(microsecond=0),
        'x_requested_uid': env.uid,
        'x_amount': one.amount_total,
    }}
    if ask:
        ask.write({{**values, 'x_count': ask.x_count + 1, 'x_reason': False}})
    else:
        asks.create({{**values, 'x_res_model': one._name, 'x_res_id': one.id, 'x_kind': {kind!r}, 'x_count': 1}})
"""


def _place(connection: Connection) -> str:
    return f"{settings.PUBLIC_URL}/records/{connection.name}/%s/%s/"


def guard_code(kind: str, condition_code: str, *, connection: Connection) -> str:
    """The code of a guard of approval ``kind``: refuse, and leave the ask for a decision behind.

    ``condition_code`` (Odoo server-action code) sets ``why`` for ``record``: False to let it through, or the sentence
    that its user reads. It may set ``amount``, ``exposure`` and ``limit`` (the facts of the ask) and ``kind``.

    An open ask counts the attempt. A rejected one is asked again only when the amount is another; an approved or
    withdrawn one that no longer lets the record through is asked again.
    """
    return GUARD.format(kind=kind, condition=condition_code.strip(), place=_place(connection), ask=ASK)


def ask_code(kind: str) -> str:
    """The code of the action by which a person asks for approval ``kind`` of the records they stand on.

    It writes the row that the guard writes, in the person's own transaction. The records have an ``amount_total``.
    """
    return ASK_CODE.format(kind=kind, ask=ASK)
