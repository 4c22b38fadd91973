"""What shows in Odoo that the tower holds a record: fields of it, and a line on its form."""

from textwrap import dedent

from django.conf import settings

from apps.odoo.blueprint import CustomField, ViewPatch
from apps.odoo.models import Connection

# The model of asks for a decision; :mod:`apps.odoo.guards` declares its fields and writes its rows.
ASK = "x_ct_request"

URL = """\
for record in self:
    is_shown = record.x_ct_hold and not self.env.user.share
    record['x_ct_url'] = {place!r} % (record._name, record.id) if is_shown else False
"""

# Customers and vendors read the stored fields of their own orders over RPC, so that what is said to people of the house stands on
# the ask, which they may not read. What the guard said is told with its time, and only of a record that is worth what it was then;
# of records without a total the tower itself keeps the reason in line with the figures.
WHY = f"""\
for record in self:
    why = False if self.env.user.share else record.x_ct_hold_reason
    if record.x_ct_hold and not self.env.user.share:
        ask = self.env['{ASK}'].sudo().search(
            [('x_res_model', '=', record._name), ('x_res_id', '=', record.id), ('x_kind', '=', record.x_ct_hold)], limit=1)
        if record.x_ct_rejected and ask.x_state == 'rejected' and ask.x_reason:
            why = ask.x_reason
        elif not record.x_ct_rejected and ask.x_state == 'open' and ask.x_why and 'amount_total' in record._fields:
            if abs(ask.x_total - record.amount_total) < 0.0005:
                why = 'At the last attempt (%s UTC): %s' % (ask.x_attempted_at.strftime('%Y-%m-%d %H:%M'), ask.x_why)
    record['x_ct_why'] = why
"""


def place(connection: Connection) -> str:
    """The address at which a record is found in the tower, with ``%s`` for its model and its id."""
    return f"{settings.PUBLIC_URL}/records/{connection.name}/%s/%s/"


def url_code(connection: Connection) -> str:
    """The code that works out where a held record is found in the tower, for who works in Odoo: portal users read nothing."""
    return URL.format(place=place(connection))


def hold_fields(model: str) -> tuple[CustomField, ...]:
    """The fields by which the tower holds a record of ``model``."""
    return (
        CustomField(model, "x_ct_hold", "char", "Held for", "The approval that this record waits for", True),
        CustomField(model, "x_ct_hold_reason", "text", "Why it is held", tower_only=True),
        CustomField(model, "x_ct_rejected", "boolean", "Rejected", "Held since its approval was rejected", True),
        CustomField(model, "x_ct_why", "text", "Why it is held, in full", compute=WHY),
        CustomField(model, "x_ct_url", "char", "In Control Tower", compute=url_code),
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
                <field name="x_ct_rejected" invisible="1"/>
                <div class="alert alert-warning mb-2" role="alert" invisible="not x_ct_hold or x_ct_rejected">
                    <strong>Waits for a decision in Control Tower</strong>
                    <field name="x_ct_why" readonly="1" nolabel="1"/>
                    <field name="x_ct_url" widget="url" text="See where it stands" readonly="1" nolabel="1"/>
                </div>
                <div class="alert alert-danger mb-2" role="alert" invisible="not x_ct_hold or not x_ct_rejected">
                    <strong>Rejected in Control Tower</strong>
                    <field name="x_ct_why" readonly="1" nolabel="1"/>
                    <field name="x_ct_url" widget="url" text="See the decision" readonly="1" nolabel="1"/>
                </div>
            </xpath>"""),
    )


def hold_column(model: str, form: str, after: str) -> ViewPatch:
    """The column of the list ``form`` that says why a record is held, after the field ``after``: where people work in a list."""
    return ViewPatch(
        "hold column",
        model,
        form,
        dedent(f"""\
            <xpath expr="//field[@name='{after}']" position="after">
                <field name="x_ct_hold" column_invisible="True"/>
                <field name="x_ct_why" string="Control Tower" readonly="1" optional="show" decoration-warning="x_ct_hold"
                       decoration-danger="not x_ct_hold"/>
                <field name="x_ct_url" string="" widget="url" text="Details" readonly="1" optional="show"
                       invisible="not x_ct_url"/>
            </xpath>"""),
        ttype="list",
    )
